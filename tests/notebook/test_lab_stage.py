"""The stage in a real JupyterLab: it fits what the notebook shows, and keeps its keys to itself."""

from __future__ import annotations

from collections.abc import Iterator

import nbformat
import pytest
from browsers import chromium, needs_browser
from labserver import Notebook, Watch, jupyter_lab
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, expect
from project import ROOT

pytestmark = [needs_browser, pytest.mark.xdist_group("browser")]

PICTURES = ROOT / "build" / "screenshots"
CELLS = (
    "from anonlab import record\n"
    "from anonlab.view.player.player import Player\n"
    "text = '''shell = spawn\nshell mmap 0x30000 4\nshell write 0x30000 7 2\nchild = fork shell\n"
    "child write 0x30000 9\nchild exit'''\n"
    "one = Player(record(text), 'fork and write', predict=(10,))\none",
    "two = Player(record(text), 'the same again')\ntwo",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """A notebook with two players, run, in the window of a usual laptop with its side bar open."""
    folder, scratch = tmp_path_factory.mktemp("stages"), tmp_path_factory.mktemp("scratch")
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "stages.ipynb")
    with chromium() as browser, jupyter_lab(folder, scratch) as address:
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        watch = Watch(page)
        opened = Notebook(page, address, "stages.ipynb")
        opened.run_all()
        assert opened.complaints() == []
        yield opened
        assert watch.wrong == []


def player(lab: Notebook, number: int) -> Locator:
    """One of the players; its top stands at the top of the notebook's window."""
    found = lab.page.locator(".anonlab-player").nth(number)
    found.wait_for()
    found.evaluate("root => root.scrollIntoView({ block: 'start' })")
    return found


def window_of(lab: Notebook) -> tuple[float, float]:
    """Top and bottom of the part of the notebook that is seen."""
    box = lab.page.locator(".jp-WindowedPanel-outer").bounding_box()
    assert box
    return box["y"], box["y"] + box["height"]


@pytest.mark.parametrize("size", [(1366, 768), (1000, 700)], ids=str)
def test_the_player_fits_into_the_window_of_the_notebook(
    lab: Notebook, size: tuple[int, int]
) -> None:
    lab.page.set_viewport_size({"width": size[0], "height": size[1]})
    for number in (0, 1):
        shown = player(lab, number)
        shown.locator("[data-do=next]").focus()
        top, bottom = window_of(lab)
        for _ in range(5):
            lab.page.keyboard.press("ArrowRight")
            boxes = [shown.locator(f"[data-part={part}]").bounding_box() for part in
                     ("bar", "sentence", "stage")]  # fmt: skip
            assert all(box and box["y"] >= top - 1 for box in boxes)
            assert all(box and box["y"] + box["height"] <= bottom + 1 for box in boxes)
        box = shown.bounding_box()
        assert box
        assert box["height"] <= bottom - top + 1
        PICTURES.mkdir(parents=True, exist_ok=True)
        lab.page.screenshot(path=PICTURES / f"stage_lab_{size[0]}_{number}.png")
        lab.page.keyboard.press("Home")
    lab.page.set_viewport_size({"width": 1366, "height": 768})


def test_the_bar_stays_in_view_while_the_notebook_scrolls(lab: Notebook) -> None:
    shown = player(lab, 1)
    lab.page.set_viewport_size({"width": 1366, "height": 520})
    box = None
    for _ in range(100):  # at a new size the notebook takes its time to lay itself out
        shown.evaluate("root => root.scrollIntoView({ block: 'end' })")
        box = shown.locator("[data-part=bar]").bounding_box()
        if box and window_of(lab)[0] - 1 <= box["y"] <= window_of(lab)[1] - 88:
            break
        lab.page.wait_for_timeout(100)
    assert box
    assert window_of(lab)[0] - 1 <= box["y"] <= window_of(lab)[1] - 88
    lab.page.set_viewport_size({"width": 1366, "height": 768})


def test_no_key_reaches_the_notebook(lab: Notebook) -> None:
    before = lab.cells()
    shown = player(lab, 0)
    shown.locator("[data-do=next]").focus()
    for key in [*"abcdhijklmoqrsvxyz0123456789", "Enter", "ArrowUp", "ArrowDown", "Delete"]:
        lab.page.keyboard.press(key)
        assert shown.evaluate("root => root.contains(document.activeElement)"), key
    assert lab.cells() == before


def test_home_and_end_are_the_players_even_inside_the_tab_of_a_notebook(lab: Notebook) -> None:
    shown = player(lab, 1)
    shown.locator("[data-do=next]").focus()
    for key, step in (("End", "14"), ("Home", "0"), ("ArrowRight", "1"), ("Home", "0")):
        lab.page.keyboard.press(key)
        expect(shown).to_have_attribute("data-step", step)


def test_step_choice_and_answer_go_both_ways(lab: Notebook) -> None:
    shown = player(lab, 0)
    lab.start_cell("one.step = 9")
    expect(shown).to_have_attribute("data-step", "9")
    shown.locator("[data-do=next]").click()
    expect(shown).to_have_attribute("data-state", "asked")
    shown.locator("[role=option][data-key=f3]").click()
    shown.locator("[data-do=lock]").click()
    expect(shown).to_have_attribute("data-step", "10")
    shown.locator("[data-do=close]").click()
    shown.locator("[role=option][data-key=f3]").click()
    said = "assert (one.step, one.chosen, one.predictions['10']['hit']) == (10, 'f3', ['f3'])"
    lab.start_cell(said)
    lab.until(lab.LAST_RUNS.replace("=== null", "!== null"))
    assert lab.complaints() == []
    lab.ask("[...model.cells].slice(2).forEach(() => model.sharedModel.deleteCell(2)); return 1")
