"""The course in a browser, in the site as it is deployed: it runs without a network, and work is
kept, saved and brought."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsers import chromium, needs_browser
from lite_site import NO_NETWORK, LiteNotebook, LiteWatch, served
from playwright.sync_api import Browser, BrowserContext
from project import ROOT

from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.starting import handout

pytestmark = [needs_browser, pytest.mark.browser, pytest.mark.xdist_group("site")]
MOST_BYTES = 42_000_000
"""Without NumPy; the pages of the whole course are 16 MB, and the site may have 60."""
WRONG = "def share_page(word):\n    return word, word\n"
FILE = "print(open('../exercises/ex04a_fork.py').read())"
ENDLESS = "def share_page(word):\n    while True:\n        pass\n"


@pytest.fixture(scope="module")
def home(deployed: Path) -> Iterator[str]:
    """Where the site is served."""
    with served(deployed) as found:
        yield found


@pytest.fixture(scope="module")
def address(home: str) -> str:
    """Where the course in a browser is."""
    return f"{home}/lite"


@pytest.fixture(scope="module")
def offline() -> Iterator[Browser]:
    """A browser that finds nobody but this machine."""
    with chromium(NO_NETWORK) as found:
        yield found


@pytest.fixture
def context(offline: Browser) -> Iterator[BrowserContext]:
    """A learner's browser: what is stored is in it alone."""
    found = offline.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    yield found
    found.close()


@pytest.fixture(scope="module")
def right() -> str:
    """A right answer to exercise 04a."""
    (master,) = [each for each in read_masters(ROOT / "solutions") if each.number == "04a"]
    return master.solution


def open_notebook(
    context: BrowserContext, address: str, name: str
) -> tuple[LiteNotebook, LiteWatch]:
    page = context.new_page()
    watch = LiteWatch(page)
    return LiteNotebook(page, address, name), watch


def test_it_has_no_answer_and_stays_small(deployed: Path) -> None:
    site = deployed / "lite"
    names = [path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()]
    assert sum((site / name).stat().st_size for name in names) <= MOST_BYTES
    assert not [name for name in names if name.endswith(".map")]
    given = {name.removeprefix("files/") for name in names if name.startswith("files/")}
    assert given == set(handout()), "what a learner gets, which tests/test_wheel.py looks through"


def test_a_page_leads_to_its_notebook_whose_cells_run(
    context: BrowserContext, home: str, record_testsuite_property: Callable[[str, object], None]
) -> None:
    page = context.new_page()
    watch = LiteWatch(page)
    page.goto(f"{home}/00_start_here.html")
    player = page.locator(".anonlab-player:not(.anonlab-card)").first
    player.locator("[data-do=next]").click()
    assert player.get_attribute("data-step") == "1"
    card = page.locator("[data-anonlab=card]", has_text="00 digits").first
    card.locator("input").first.fill("0x999")
    card.locator("[data-do=lock]").click()
    card.get_by_text("once more").wait_for()
    card.locator("[data-do=lock]").click()
    card.locator("[data-reveal]").wait_for()
    start = time.monotonic()
    page.locator("a.run").first.click()
    page.wait_for_url("**/lite/lab/index.html?path=notebooks/00_start_here.ipynb")
    notebook = LiteNotebook.on(page)
    notebook.run_first()
    seconds = round(time.monotonic() - start, 1)  # on a quiet machine at most 20
    record_testsuite_property("seconds from a page to the end of the first cell", seconds)
    assert notebook.complaints() == []
    assert watch.wrong == []


def test_work_is_kept_saved_and_brought(
    context: BrowserContext, offline: Browser, address: str, right: str, tmp_path: Path
) -> None:
    notebook, watch = open_notebook(context, address, "04_fork.ipynb")
    notebook.run_all()
    assert notebook.complaints() == []
    first = notebook.ask("return [...model.cells].find(c => c.type === 'code').outputs.toJSON()")
    assert "in this browser only" in str(first)
    assert "Public checks: 0 of 3" in notebook.run(f"%%exercise 04a\n{WRONG}")
    limit = (
        "from anonlab.course.judging import places_to_run\nplaces_to_run.SECONDS_IN_PROCESS = {}"
    )
    notebook.run(limit.format(1))
    assert "timeout" in notebook.run(f"%%exercise 04a\n{ENDLESS}")
    notebook.run(limit.format(60))  # the stand-in for NumPy is slow
    assert "Public checks passed" in notebook.run(f"%%exercise 04a\n{right}")
    notebook.start_cell("while True: pass")
    notebook.restart()  # the tab lives
    assert notebook.run("1 + 1") == "2"
    assert watch.wrong == []
    notebook.page.close()

    again, watch = open_notebook(context, address, "00_start_here.ipynb")
    assert right.strip() in again.run(f"from anonlab.learn import *\n{FILE}")
    again.start_cell("my_work()")
    with again.page.expect_download() as caught:
        again.page.click("text=Download my work")
    saved = tmp_path / "work.zip"
    caught.value.save_as(saved)
    with zipfile.ZipFile(saved) as archive:
        assert right.strip() in archive.read("exercises/ex04a_fork.py").decode()
        assert archive.read("progress.jsonl").count(b'"what": "check"') >= 4
    assert watch.wrong == []

    other = offline.new_context()
    fresh, watch = open_notebook(other, address, "00_start_here.ipynb")
    assert "raise NotImplementedError" in fresh.run(f"from anonlab.learn import *\n{FILE}")
    fresh.start_cell("my_work()")
    with fresh.page.expect_file_chooser() as chooser:
        fresh.page.click("text=Bring my work")
    chooser.value.set_files(saved)
    fresh.page.wait_for_selector("text=1 file and")
    assert right.strip() in fresh.run(FILE)
    assert watch.wrong == []
    other.close()


@pytest.mark.slow(share=1 / 2)
@pytest.mark.parametrize("name", ["00_start_here", "09_designs_compared"])
def test_a_notebook_runs_to_its_end(context: BrowserContext, address: str, name: str) -> None:
    notebook, watch = open_notebook(context, address, f"{name}.ipynb")
    notebook.run_all()
    assert notebook.complaints() == []
    assert watch.wrong == []
