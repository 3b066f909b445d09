"""In a real JupyterLab: choosing, walking, side by side, and what stays on paper."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from controls import ELSEWHERE, all_controls, every_button, every_key, scrub_and_chart
from labserver import Notebook, Watch, chromium, jupyter_lab, needs_browser
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
    "Player(record(library.load('fork_and_write')), title='by mouse')",
    "Player(record(library.load('fork_and_write')), title='by keyboard')",
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


def test_a_chosen_page_lights_up_and_its_walk_is_played_by_keys(
    lab: tuple[Notebook, Watch],
) -> None:
    one = player(lab, 1)
    one.locator("input[type=range]").fill("12")
    one.locator("[id$=mm1-pte-31]").click()
    expect(one.locator("[id$=frame-2]")).to_have_class("c frame read shared lit")
    one.focus()
    cells = lab[0].cells()
    for probes in (1, 2):
        lab[0].page.keyboard.press("w")
        expect(one.locator(".al-walk li")).to_have_count(probes)
    expect(one.locator(".al-end")).to_have_text("It found all 2.")
    for key in ("n", "N", "W", "Enter"):
        lab[0].page.keyboard.press(key)
        assert lab[0].cells() == cells


@pytest.mark.parametrize("keyboard", [False, True], ids=["mouse", "keyboard"])
def test_every_button_does_what_it_says(lab: tuple[Notebook, Watch], keyboard: bool) -> None:
    number = 7 + keyboard  # a player of its own: predictions of a step count once
    cells = lab[0].cells()
    used = every_button(lab[0].page, player(lab, number), keyboard)
    assert used == all_controls() - ELSEWHERE
    assert lab[0].cells() == cells


def test_every_key_does_what_the_key_map_says(lab: tuple[Notebook, Watch]) -> None:
    cells = lab[0].cells()
    every_key(lab[0].page, player(lab, 7))
    assert lab[0].cells() == cells


def test_slider_and_charts_move_through_the_steps(lab: tuple[Notebook, Watch]) -> None:
    scrub_and_chart(lab[0].page, player(lab, 7))


def test_a_chosen_page_is_split_and_its_tables_light_up(lab: tuple[Notebook, Watch]) -> None:
    one = player(lab, 1)
    one.locator("input[type=range]").fill("12")
    one.locator("[id$=mm2-pte-31]").click()
    split = one.locator("[data-panel=address]")
    expect(split).to_contain_text("0x31000 of child")
    expect(split.locator("[id$=address-table-2]")).to_contain_text("frame 2")
    expect(one.locator("[id$=mm2-top-3]")).to_have_class("c top used near")
    one.locator("[data-do=let-go]").click()
    expect(split).to_contain_text("choose a page")


def test_the_first_prediction_reaches_python(lab: tuple[Notebook, Watch]) -> None:
    one = player(lab, 1)
    one.locator("input[type=range]").fill("10")
    one.locator("[data-do=predict]").click()
    one.locator("[data-do=unknown]").click()
    expect(one).to_have_attribute("data-step", "11")
    lab[0].start_cell("import json\n\njson.dumps(sorted(player.predictions))")
    lab[0].until(f"return !(() => {{ {Notebook.LAST_RUNS} }})()", 30)
    told = lab[0].ask(
        "const last = model.cells.get(model.cells.length - 1);"
        "return last.outputs.toJSON()[0].data['text/plain'];"
    )
    assert told == "'[\"11\"]'"


def test_two_designs_move_together(lab: tuple[Notebook, Watch]) -> None:
    both = player(lab, 2)
    expect(both.locator(".al-lane")).to_have_count(2)
    both.locator("[data-do=last]").click()
    both.locator("[id$=d0-mm1-head]").click()
    expect(both.locator("[id$=d1-mm1-head]")).to_have_class("c head on lit")


def test_what_is_kept_for_paper_is_hidden_where_the_player_lives(
    lab: tuple[Notebook, Watch],
) -> None:
    player(lab, 1)
    static = lab[0].page.locator(".jp-CodeCell").nth(1).locator(".anonlab-static")
    expect(static).to_have_count(1)
    expect(static).to_be_hidden()


def test_of_5000_steps_operations_come_first_and_sub_steps_are_a_click_away(
    lab: tuple[Notebook, Watch],
) -> None:
    one = player(lab, 5)
    note = one.locator("[data-part=note]")
    expect(note).to_contain_text(re.compile("Of 5,[0-9]{3} steps only the last one of each"))
    expect(note).to_contain_text("its sub-steps are a click away")
    more = one.locator("[data-do=more]")
    while more.count() == 0:
        one.locator("[data-do=next]").click()
    command = one.locator("[data-part=command]").inner_text()
    for _ in range(2):
        more.click()
        expect(note).to_contain_text(f"The sub-steps of: {command}")
        expect(one).to_have_attribute("data-step", "0")
        one.locator("[data-do=back]").click()
        expect(one.locator("[data-part=command]")).to_have_text(command)
    one.locator("[aria-label='part of the trace']").select_option("c3")
    expect(one.locator("[data-part=count]")).to_contain_text("step 0 of")
    expect(one.locator("[data-part=count]")).to_contain_text("part 4 of")
    one.focus()
    lab[0].page.keyboard.press("ArrowLeft")
    expect(one.locator("[data-part=count]")).to_contain_text("part 3 of")


def test_a_kernel_shows_itself(lab: tuple[Notebook, Watch]) -> None:
    lab[0].page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.scrollToItem(4, 'start')"
    )
    shown = lab[0].page.locator(".jp-CodeCell").nth(4)
    expect(shown.locator("svg.anonlab-picture")).to_be_visible()
    expect(shown.locator("summary")).to_have_text("The same as text")


def test_marks_in_the_picture_outlive_the_kernel_and_are_shown_at_the_end(
    lab: tuple[Notebook, Watch],
) -> None:
    """By keyboard alone: mark, see the score, restart the kernel, and find it again."""
    one, notebook = player(lab, 6), lab[0]
    keys = notebook.page.keyboard
    one.locator("input[type=range]").fill("10")
    expect(one.locator("[data-part=hint]")).to_contain_text("What will change next?")
    one.focus()
    for key in ("p", "Space", "Escape", "ArrowRight"):
        keys.press(key)
    score = re.compile(r"Your prediction: (\d+) right, (\d+) missed, (\d+) too many\.")
    told = one.locator("[data-part=guess]")
    expect(told).to_contain_text(score)
    said = score.search(told.inner_text())
    expect(one.locator("[data-part=keeping]")).to_have_text(
        "Kept with your progress in this course."
    )
    notebook.ask("panel.sessionContext.session.kernel.restart();")
    notebook.until(f"return {Notebook.KERNEL} === 'idle'", 60)
    notebook.start_cell(
        f"{CELLS[0]}\n{CELLS[6]}".replace("play(record", "print(predicted('tools'))\nplay(record")
    )
    notebook.until(f"return !(() => {{ {Notebook.LAST_RUNS} }})()", 60)
    last = notebook.page.locator(".jp-CodeCell").last
    again = last.locator(".anonlab-player")
    assert said
    printed = f"tools, in the picture: {said[1]} right, {said[2]} missed, {said[3]} too many"
    expect(last).to_contain_text(printed)
    again.focus()
    keys.press("End")
    summary = again.locator("[data-part=summary]")
    expect(summary).to_contain_text(f"Your predictions: {said[1]} right, {said[2]} missed")
    summary.locator("[data-do=to]").click()
    expect(again).to_have_attribute("data-step", "11")
    expect(again.locator("[data-part=guess]")).to_contain_text(said[0])
