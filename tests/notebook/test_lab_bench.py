"""The bench in a real JupyterLab: by keyboard and mouse, two in one notebook, for everybody."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import chromium, needs_browser
from labserver import THEMES, Notebook, Watch, jupyter_lab
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, expect

pytestmark = [needs_browser, pytest.mark.xdist_group("browser")]

CELLS = ("import anonlab", "one = anonlab.explore('05')\none", "anonlab.explore('07')")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """A notebook with two benches, run, in a window of a usual laptop."""
    folder, scratch = tmp_path_factory.mktemp("benches"), tmp_path_factory.mktemp("scratch")
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "benches.ipynb")
    with chromium() as browser, jupyter_lab(folder, scratch) as address:
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        watch = Watch(page)
        opened = Notebook(page, address, "benches.ipynb")
        opened.folder = folder  # type: ignore[attr-defined]
        opened.run_all()
        assert opened.complaints() == []
        yield opened
        assert watch.wrong == []


class Bench:
    """One bench, in view."""

    def __init__(self, lab: Notebook, number: int) -> None:
        self.page, self.keys = lab.page, lab.page.keyboard
        self.page.evaluate(
            "number => window.jupyterapp.shell.currentWidget.content.scrollToItem(number, 'start')",
            number,
        )
        self.cell = self.page.locator(".jp-CodeCell").nth(number)
        self.line = self.part("line")
        self.line.wait_for()
        self.player = self.cell.locator(".anonlab-player")

    def part(self, name: str) -> Locator:
        return self.cell.locator(f".anonlab-bench [data-part={name}]")

    def act(self, name: str) -> Locator:
        return self.cell.locator(f".anonlab-bench [data-do={name}]").first

    def operations(self) -> Locator:
        return self.part("ops").locator("button")

    def choose(self, place: str, said: str) -> None:
        """Choose a thing in the picture; one that is chosen already would be let go by a click."""
        cell = self.player.locator(f"[data-key={place}]")
        if self.part("target").inner_text() != said:
            cell.click()
        expect(self.part("target")).to_have_text(said)

    def shows(self, line: str) -> None:
        """The picture is at this operation, and the list marks it."""
        expect(self.part("ops").locator("[aria-current=step] code")).to_have_text(line)
        expect(self.player.locator(".al-now [data-line]").first).to_contain_text(line)

    def type(self, line: str) -> None:
        self.line.fill(line)
        self.line.press("Enter")


@pytest.fixture
def bench(lab: Notebook) -> Bench:
    """The first bench, at the beginning of lesson 05, with an empty line."""
    bench = Bench(lab, 1)
    bench.act("preset").select_option("04")
    bench.act("preset").select_option("05")
    expect(bench.operations()).to_have_count(4)
    expect(bench.part("say")).to_contain_text("child runs now")
    bench.line.fill("")
    return bench


def violations(bench: Bench) -> list[str]:
    found = Axe().run(bench.page, context=".anonlab-bench").response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]


def test_by_keyboard_alone_a_line_is_completed_done_cleared_and_recalled(
    lab: Notebook, bench: Bench
) -> None:
    cells = lab.cells()
    bench.line.focus()
    bench.keys.type("child wr")
    expect(bench.cell.get_by_role("option", name="child write")).to_be_visible()
    bench.keys.press("Tab")
    expect(bench.line).to_have_value("child write ")
    expect(bench.cell.get_by_role("option", name="child write 0x30000")).to_be_visible()
    expect(bench.part("hint")).to_have_text("Write: WHO write ADDR VALUE [PAGES]")
    bench.keys.press("Tab")
    expect(bench.line).to_have_value("child write 0x30000 ")
    bench.keys.type("9")
    bench.keys.press("Enter")
    expect(bench.operations().last).to_contain_text("5 child write 0x30000 9")
    expect(bench.line).to_have_value("")
    expect(bench.line).to_be_focused()
    bench.shows("child write 0x30000 9")
    bench.keys.press("ArrowUp")
    expect(bench.line).to_have_value("child write 0x30000 9")
    bench.keys.press("ArrowDown")
    expect(bench.line).to_have_value("")
    bench.keys.press("Tab")  # nothing to complete: on to the next control
    expect(bench.act("line")).to_be_focused()
    assert lab.cells() == cells


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("child dance", "unknown verb 'dance'"),
        ("child write 0x90000 1", "It failed: child: SIGSEGV: write to 0x90000: no VMA there"),
    ],
)
def test_a_line_that_fails_stays_to_be_mended(bench: Bench, line: str, said: str) -> None:
    bench.type(line)
    expect(bench.part("say")).to_contain_text(said)
    expect(bench.line).to_have_value(line)
    expect(bench.line).to_have_attribute("aria-invalid", "true")
    expect(bench.operations()).to_have_count(4)
    assert violations(bench) == []
    bench.type("child read 0x30000")
    expect(bench.operations()).to_have_count(5)
    expect(bench.line).to_have_value("")


def test_a_failed_operation_is_kept_when_one_wants_it(bench: Bench) -> None:
    bench.type("child write 0x90000 1")
    expect(bench.part("failed")).to_contain_text("Not in the history.")
    bench.act("keep").click()
    expect(bench.operations().last).to_contain_text("5 child write 0x90000 1 ✕ child: SIGSEGV")
    expect(bench.part("failed")).to_be_empty()


def test_what_is_chosen_in_the_picture_is_what_the_buttons_act_on(bench: Bench) -> None:
    bench.choose("p2-48", "On page 0x30000 of child:")
    bench.act("write").click()
    expect(bench.operations().last).to_contain_text("5 child write 0x30000 100")
    bench.act("fork").click()
    expect(bench.operations().last).to_contain_text("6 p3 = fork child")


def test_twenty_quick_clicks_all_count_and_all_are_taken_back(bench: Bench) -> None:
    bench.choose("p2-48", "On page 0x30000 of child:")
    write = bench.act("write").element_handle()
    bench.page.evaluate("button => { for (let n = 0; n < 20; n += 1) button.click(); }", write)
    expect(bench.operations()).to_have_count(24, timeout=30_000)
    undo = bench.act("undo").element_handle()
    bench.page.evaluate("button => { for (let n = 0; n < 20; n += 1) button.click(); }", undo)
    expect(bench.operations()).to_have_count(4, timeout=30_000)
    bench.act("redo").click()
    expect(bench.operations()).to_have_count(5)


def test_the_history_is_walked_by_arrows_and_enter_shows_an_operation(bench: Bench) -> None:
    bench.operations().last.focus()
    for key in ("ArrowUp", "ArrowUp", "Enter"):
        bench.keys.press(key)
    bench.shows("shell mmap 0x30000 4")
    expect(bench.operations().nth(1)).to_be_focused()
    bench.player.locator("[data-do=next]").click()
    bench.shows("shell write 0x30000 7 3")


def test_a_mistake_in_the_text_is_pointed_at_and_a_change_can_be_undone(bench: Bench) -> None:
    bench.cell.locator("summary", has_text="More").click()
    bench.act("edit").click()
    text = bench.part("text")
    expect(text).to_be_focused()
    good = text.input_value()
    text.fill(good.replace("mmap 0x30000 4", "nmap 0x30000 4"))
    bench.act("replay").click()
    expect(bench.part("say")).to_contain_text("line 4: unknown verb 'nmap'")
    chosen = "area => area.value.slice(area.selectionStart, area.selectionEnd)"
    expect(text).to_be_focused()
    assert text.evaluate(chosen) == "shell nmap 0x30000 4"
    assert violations(bench) == []
    text.fill(good.replace("write 0x30000 7 3", "write 0x30000 7 2"))
    bench.act("replay").click()
    expect(text).to_be_hidden()
    expect(bench.operations().nth(2)).to_contain_text("shell write 0x30000 7 2")
    bench.act("undo").click()
    expect(bench.operations().nth(2)).to_contain_text("shell write 0x30000 7 3")
    bench.cell.locator("summary", has_text="More").click()


def test_saving_asks_before_it_writes_over_something(lab: Notebook, bench: Bench) -> None:
    path: Path = lab.folder / "my.history"  # type: ignore[attr-defined]
    path.write_text("precious\n")
    bench.cell.locator("summary", has_text="More").click()
    bench.act("save").click()
    expect(bench.part("say")).to_contain_text("my.history is there already and was left alone")
    assert violations(bench) == []
    bench.cell.get_by_role("button", name=re.compile(r"Save as my-\d+\.history")).click()
    expect(bench.part("say")).to_contain_text(re.compile(r"Saved as my-\d+\.history"))
    assert path.read_text() == "precious\n"
    bench.act("load").click()
    expect(bench.part("say")).to_contain_text("my.history, line 1: 'precious' alone says nothing")
    bench.cell.locator("summary", has_text="More").click()


def test_two_benches_in_one_notebook_are_two(lab: Notebook, bench: Bench) -> None:
    other = Bench(lab, 2)
    expect(other.player).to_have_attribute("data-side", "2")
    count = other.operations().count()
    other.type("shell read 0x30000")
    expect(other.operations()).to_have_count(count + 1)
    assert violations(other) == []
    first = Bench(lab, 1)
    expect(first.operations()).to_have_count(4)
    ids = lab.page.evaluate(
        "() => [...document.querySelectorAll('.anonlab-bench [id]')].map(e => e.id)"
    )
    assert len(set(ids)) == len(ids) > 0


@pytest.fixture(params=THEMES)
def theme(request: pytest.FixtureRequest, lab: Notebook) -> Iterator[str]:
    """JupyterLab in one of its themes."""
    change = "name => window.jupyterapp.commands.execute('apputils:change-theme', { theme: name })"
    lab.page.evaluate(change, THEMES[request.param])
    light = str(request.param == "light").lower()
    expect(lab.page.locator(f"body[data-jp-theme-light={light}]")).to_have_count(1)
    yield request.param
    lab.page.evaluate(change, THEMES["light"])


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (760, 900), (1920, 1080)])
def test_everybody_can_use_it_at_every_width(
    bench: Bench, width: int, height: int, theme: str
) -> None:
    """No violation of axe's rules; names contain the visible text; nothing sticks out."""
    bench.page.set_viewport_size({"width": width, "height": height})
    bench.line.focus()
    bench.keys.type("child m")
    expect(bench.cell.get_by_role("option").first).to_be_visible()
    assert violations(bench) == []
    bench.keys.press("Escape")
    bench.type("child write 0x90000 1")
    expect(bench.part("failed")).not_to_be_empty()
    assert violations(bench) == []
    for button in bench.cell.locator(".anonlab-bench button:visible").all():
        said = button.evaluate("one => [one.ariaLabel || '', one.textContent]")
        assert not said[0]
        assert said[1].strip()
    wide = "root => [...root.querySelectorAll('*')].filter(e => e.scrollWidth > root.clientWidth)"
    for root in bench.cell.locator(".anonlab-bench").all():
        assert root.evaluate(f"root => ({wide})(root).map(e => e.outerHTML.slice(0, 80))") == []
    bench.page.set_viewport_size({"width": 1366, "height": 768})


@pytest.fixture
def window(bench: Bench) -> Iterator[Callable[[int, int], None]]:
    """Changes the size of the window; afterwards it is as before."""
    yield lambda width, height: bench.page.set_viewport_size({"width": width, "height": height})
    bench.page.set_viewport_size({"width": 1366, "height": 768})


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1000, 700)])
def test_line_history_and_picture_are_on_one_screen(
    bench: Bench, window: Callable[[int, int], None], width: int, height: int
) -> None:
    """In a narrow cell the player's drop-down stands for the history."""
    window(width, height)
    bench.type("child write 0x30000 100")
    expect(bench.operations()).to_have_count(5)
    bench.page.wait_for_timeout(500)
    bench.cell.locator(".ab-bar").evaluate("bar => bar.scrollIntoView()")
    room = bench.page.locator(".jp-WindowedPanel-outer").bounding_box()
    wide = [bench.operations().last, bench.player.locator("[data-part=changed]")]
    seen = [bench.line, bench.act("undo"), bench.player.locator("[data-key=f4]"),
            bench.player.locator("[data-part=stage]"),
            *(wide if width > 1100 else [bench.player.locator("select")])]  # fmt: skip
    assert room
    for one in seen:
        box = one.bounding_box()
        assert box
        assert room["y"] <= box["y"]
        assert box["y"] + box["height"] <= room["y"] + room["height"]


def test_tabs_and_lecture_mode_work_on_a_bench(bench: Bench) -> None:
    bench.choose("p2-48", "On page 0x30000 of child:")
    bench.player.locator("[data-tab=rmap]").click()
    panel = bench.player.locator("[role=tabpanel]")
    expect(panel).to_be_in_viewport(ratio=1)
    expect(bench.player.locator("[data-part=bar]")).to_be_in_viewport(ratio=1)
    bench.type("child write 0x30000 100")
    expect(panel).to_be_visible()  # an operation leaves the tab open
    bench.player.locator("[data-tab=rmap]").click()
    bench.player.locator("[data-do=big]").click()
    expect(bench.player).to_have_attribute("data-big", "")
    expect(bench.player.locator("[data-key=p2-48]")).to_be_in_viewport()
    bench.keys.press("Escape")
    expect(bench.player).not_to_have_attribute("data-big", "")
    assert violations(bench) == []


def test_undo_keeps_the_step_that_is_looked_at(bench: Bench) -> None:
    bench.type("child write 0x30000 100")
    bench.operations().nth(2).click()
    bench.shows("shell write 0x30000 7 3")
    bench.player.locator("[data-do=prev]").click()
    step = bench.player.get_attribute("data-step")
    bench.act("undo").click()
    expect(bench.operations()).to_have_count(4)
    bench.shows("shell write 0x30000 7 3")
    expect(bench.player).to_have_attribute("data-step", step or "")
