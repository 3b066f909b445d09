"""The course in a browser: it runs without a network, and work is kept, saved and brought."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import chromium, needs_browser
from lite_site import NO_NETWORK, LiteNotebook, LiteWatch, build_site, served
from playwright.sync_api import Browser, BrowserContext
from project import ROOT

from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.starting import handout

pytestmark = [needs_browser, pytest.mark.xdist_group("browser")]
MOST_BYTES = 60_000_000
WRONG = "def share_page(word):\n    return word, word\n"
FILE = "print(open('../exercises/ex04a_fork.py').read())"
ENDLESS = "def share_page(word):\n    while True:\n        pass\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site."""
    return build_site(tmp_path_factory.mktemp("lite"))


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where it is served."""
    with served(site) as found:
        yield found


@pytest.fixture(scope="module")
def offline(address: str) -> Iterator[Browser]:
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


def test_the_site_has_no_answer_and_stays_small(site: Path) -> None:
    names = [path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()]
    assert sum((site / name).stat().st_size for name in names) <= MOST_BYTES
    assert not [name for name in names if name.endswith(".map")]
    given = {name.removeprefix("files/") for name in names if name.startswith("files/")}
    assert given == set(handout()), "what a learner gets, which tests/test_wheel.py looks through"


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
