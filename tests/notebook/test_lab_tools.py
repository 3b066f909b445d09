"""In a real JupyterLab: choosing, walking, side by side, and what stays on paper."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from browsers import chromium, needs_browser
from labserver import Notebook, Watch, jupyter_lab
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, expect
from project import ROOT

pytestmark = [needs_browser, pytest.mark.xdist_group("browser")]

CELLS = (
    "import anonlab\n"
    "from anonlab import record\n"
    "from anonlab.histories import library\n"
    "from anonlab.view.player.player import Player",
    "player = Player(record(library.load('fork_and_write')))\nplayer",
    "two = ('anongroup', list(anonlab.DESIGNS)[-1])\n"
    "Player({name: record(library.load('mremap_after_fork'), name) for name in two})",
    "anonlab.explore()",
    "anonlab.explore().kernel",
    "from anonlab.histories.generate import generate\n"
    "Player(record(generate(3, 2450, frames=24, swap=12)), title='5,000 steps')",
    "from anonlab.learn import play, predicted\n"
    "play(record(library.load('fork_and_write')), 'tools', gate=False, ask=[11])",
    "Player(record(library.load('fork_and_write')), predict=[11])",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Notebook, Watch]]:
    """A notebook with a player, two designs side by side and a machine, run."""
    folder = tmp_path_factory.mktemp("tools") / "notebooks"
    folder.mkdir()
    shutil.copytree(ROOT / "exercises", folder.parent / "exercises")
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "tools.ipynb")
    scratch: Path = tmp_path_factory.mktemp("light")
    with chromium() as browser, jupyter_lab(folder, scratch) as address:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        watch = Watch(page)
        opened = Notebook(page, address, "tools.ipynb")
        opened.run_all()
        assert opened.complaints() == []
        yield opened, watch
        assert watch.wrong == []


def player(lab: tuple[Notebook, Watch], number: int) -> Locator:
    """The player of code cell `number`, in view: JupyterLab draws only what is near."""
    notebook = lab[0]
    notebook.page.evaluate(
        f"() => window.jupyterapp.shell.currentWidget.content.scrollToItem({number}, 'start')"
    )
    found = notebook.page.locator(".jp-CodeCell").nth(number).locator(".anonlab-player")
    found.scroll_into_view_if_needed()
    return found


def test_a_walk_is_played_by_keys_and_the_notebook_hears_none(lab: tuple[Notebook, Watch]) -> None:
    one = player(lab, 1)
    one.locator("input[type=range]").fill("12")
    one.locator("[data-tab=rmap]").click()
    one.locator("[data-key=f2]").click()
    probes = one.locator("[data-probe]")
    expect(probes).to_have_count(2)
    cells = lab[0].cells()
    for key in ("w", "n", "Enter", "m", "x"):
        lab[0].page.keyboard.press(key)
        assert lab[0].cells() == cells


def test_two_designs_stand_side_by_side_and_move_together(lab: tuple[Notebook, Watch]) -> None:
    both = player(lab, 2)
    both.locator("[data-do=last]").click()
    expect(both.locator("[data-design]").first).to_be_visible()
    designs = both.locator("[data-design]").evaluate_all("all => all.map(e => e.dataset.design)")
    assert len({name for said in designs for name in said.split()}) >= 2


def test_what_is_kept_for_paper_is_hidden_where_the_player_lives(
    lab: tuple[Notebook, Watch],
) -> None:
    player(lab, 1)
    static = lab[0].page.locator(".jp-CodeCell").nth(1).locator(".anonlab-static")
    expect(static).to_have_count(1)
    expect(static).to_be_hidden()


def test_every_step_of_5000_can_be_reached(lab: tuple[Notebook, Watch]) -> None:
    one = player(lab, 5)
    box = one.locator("[data-part=goto]")
    box.fill("4321")
    box.press("Enter")
    expect(one).to_have_attribute("data-step", "4321")
    expect(one.locator("[data-part=count]")).to_contain_text("4321")


def test_a_kernel_shows_itself(lab: tuple[Notebook, Watch]) -> None:
    lab[0].page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.scrollToItem(4, 'start')"
    )
    shown = lab[0].page.locator(".jp-CodeCell").nth(4)
    expect(shown.locator("svg.anonlab-picture")).to_be_visible()
    expect(shown.locator("summary")).to_have_text("The same as text")


def test_marks_in_the_picture_reach_python_and_outlive_the_kernel(
    lab: tuple[Notebook, Watch],
) -> None:
    """Mark, see the score, restart the kernel, and find it again."""
    one, notebook = player(lab, 6), lab[0]
    one.locator("input[type=range]").fill("10")
    one.locator("[data-do=next]").click()
    expect(one.locator("[data-question]")).to_be_visible()
    one.locator("[data-key=f1]").click()
    one.locator("[data-do=lock]").click()
    expect(one).to_have_attribute("data-step", "11")
    expect(one.locator("[data-reveal]")).to_contain_text("Kept with your progress in this course.")
    notebook.ask("panel.sessionContext.session.kernel.restart();")
    notebook.until(f"return {Notebook.KERNEL} === 'idle'", 60)
    notebook.start_cell(
        f"{CELLS[0]}\n{CELLS[6]}".replace("play(record", "print(predicted('tools'))\nplay(record")
    )
    notebook.until(f"return !(() => {{ {Notebook.LAST_RUNS} }})()", 60)
    last = notebook.page.locator(".jp-CodeCell").last
    expect(last).to_contain_text(re.compile(r"tools, in the picture: \d+ right, \d+ missed"))
    expect(last).to_contain_text(re.compile(r"(right|missed|too many): (frame|page) "))
    again = last.locator(".anonlab-player")
    again.locator("input[type=range]").fill("10")
    again.locator("[data-do=next]").click()
    expect(again).to_have_attribute("data-step", "11")
    assert again.locator("[data-question]").count() == 0
