"""The stage in a real JupyterLab: on one screen, by click and key, kernel busy or not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from browsers import chromium, needs_browser
from labserver import Notebook, Watch, jupyter_lab
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Locator, expect
from project import ROOT
from true_changes import entries, signs

from anonlab.formats.trace import Trace
from anonlab.histories import library
from anonlab.recording.recorder import record
from anonlab.view.stage import palette

pytestmark = [needs_browser, pytest.mark.xdist_group("browser")]

FIRST = "00_start_here.ipynb"
NOTEBOOKS = ROOT / "notebooks"
PICTURES = ROOT / "build" / "screenshots"
MOST_LIVE = 3
"""Stories with so many address spaces at a time have all tables open."""
LAPTOP, SMALL = (1366, 768), (1000, 700)
"""Windows in px, side bar open: 914 x 647 and 548 x 579 are left for the notebook."""


def stories() -> dict[str, Trace]:
    """The library's histories with up to MOST_LIVE address spaces at a time."""
    made = {name: record(library.load(name)) for name in library.names()}
    return {
        name: trace
        for name, trace in made.items()
        if max(len(step.snapshot.mms) for step in trace.steps) <= MOST_LIVE
    }


STORIES = stories()


def player_cell(name: str) -> str:
    return (
        "from anonlab.histories import library\n"
        "from anonlab.recording.recorder import record\n"
        "from anonlab.view.player.player import Player\n\n"
        f"Player(record(library.load({name!r})))"
    )


class PlayerPage:
    """A player in the notebook, by its title."""

    def __init__(self, notebook: Notebook, trace: Trace) -> None:
        self.notebook, self.trace = notebook, trace
        self.last = len(trace.steps) - 1
        self.root: Locator = notebook.page.locator(
            f".anonlab-player[aria-label*={json.dumps(trace.title)}]"
        ).first
        self.root.wait_for()
        self.root.evaluate("root => root.scrollIntoView({block: 'start'})")

    def part(self, name: str) -> Locator:
        return self.root.locator(f"[data-part={name}]")

    def click(self, does: str) -> None:
        self.root.locator(f"[data-do={does}]").click()

    def key(self, key: str) -> None:
        """Press a key with the focus on Next."""
        self.root.locator("[data-do=next]").focus()
        self.notebook.page.keyboard.press(key)

    def is_at(self, step: int) -> None:
        """Wait until `step` is shown and no arrow moves."""
        expect(self.root).to_have_attribute("data-step", str(step))
        expect(self.root.locator("[data-moving]")).to_have_count(0)

    def agrees(self, step: int) -> None:
        """Check the sentence and the arrows against the trace at `step`."""
        self.is_at(step)
        told = self.trace.steps[step]
        expect(self.part("sentence")).to_contain_text(told.title)
        expect(self.part("sentence")).to_contain_text(told.sentence)
        arrows = self.root.evaluate(
            """root => Object.fromEntries([...root.querySelectorAll("[data-arrow][data-to]")]
                .map(arrow => [arrow.dataset.arrow, arrow.dataset.to]))"""
        )
        assert arrows == entries(told.snapshot), f"step {step} ({told.label})"

    def out_of_sight(self, keys: list[str]) -> dict[str, Any]:
        """What cannot be seen now: bar, sentence and the things `keys`."""
        found: dict[str, Any] = self.root.evaluate(OUT_OF_SIGHT, keys)
        return found


OUT_OF_SIGHT = """(root, keys) => {
    const clip = (element) => {
        let box = {left: 0, top: 0, right: innerWidth, bottom: innerHeight};
        for (let at = element.parentElement; at !== document.body; at = at.parentElement) {
            if (getComputedStyle(at).overflow === "visible") continue;
            const own = at.getBoundingClientRect();
            box = {left: Math.max(box.left, own.left), top: Math.max(box.top, own.top),
                   right: Math.min(box.right, own.right), bottom: Math.min(box.bottom, own.bottom)};
        }
        return box;
    };
    const seen = (element) => {
        if (!element) return false;
        const own = element.getBoundingClientRect(), box = clip(element);
        return own.width > 0 && own.left >= box.left - 1 && own.right <= box.right + 1
            && own.top >= box.top - 1 && own.bottom <= box.bottom + 1;
    };
    const part = (name) => root.querySelector(`[data-part=${name}]`);
    const missing = keys.filter((key) => !seen(root.querySelector(`[data-key="${key}"] .fo`)));
    return {bar: seen(part("bar")), sentence: seen(part("sentence")), missing,
            height: part("bar").offsetHeight};
}"""


SMALL_STEPS = """(root, steps) => {
    const outOfSight = OUT_OF_SIGHT;
    const find = (selector) => root.querySelector(selector);
    const seen = (key) => find(`[data-key="${key}"]`) && !outOfSight(root, [key]).missing.length;
    const mmOf = (key) => key.slice(1, key.indexOf("-"));
    // Is a thing in sight by a row or a frame line that says it holds it?
    const inRun = (key) => [...root.querySelectorAll("[role=option].run")].some((one) => {
        const [, first, last] = /(?:pages|frames) (\\w+) to (\\w+)/.exec(one.ariaLabel) || [];
        const isPage = key[0] === "p";
        const own = isPage ? Number(key.split("-")[1]) * 4096 : Number(key.slice(1));
        const where = isPage ? `[data-mm="${mmOf(key)}"]` : "[data-part=memory]";
        const holds = Number(first) <= own && own <= Number(last);
        return one.closest(where) && holds && seen(one.dataset.key);
    });
    return steps.map((keys) => {
        find("[data-do=next]").click();
        const open = [...root.querySelectorAll("[data-mm]")].map((one) => one.dataset.mm);
        const touched = [...new Set(keys.filter((key) => key[0] === "p").map(mmOf))];
        // With more tables than there is room for, the others are lines below.
        const closed = touched.filter((mm) => !open.includes(mm));
        const tables = touched.length - closed.length >= Math.min(touched.length, 2);
        const line = (key) => key[0] === "p" && closed.includes(mmOf(key)) && seen(`m${mmOf(key)}`);
        const found = outOfSight(root, keys);
        const missing = found.missing.filter((key) => !inRun(key) && !line(key));
        return {...found, missing, tables, step: Number(root.dataset.step)};
    });
}""".replace("OUT_OF_SIGHT", OUT_OF_SIGHT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the first notebook, and one with a player for each story."""
    made = tmp_path_factory.mktemp("lab") / "notebooks"
    made.mkdir()
    shutil.copy(NOTEBOOKS / FIRST, made)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [new_code_cell(player_cell(name)) for name in STORIES]
    whole = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(whole, made / "stories.ipynb")
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for this file: Playwright runs once in a process."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def address(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with jupyter_lab(folder, tmp_path_factory.mktemp("light")) as found:
        yield found


@pytest.fixture(scope="module")
def opened(browser: Browser, address: str) -> Iterator[tuple[Notebook, Watch]]:
    """The stories, open and run in the light theme, and what went wrong meanwhile."""
    page = browser.new_page(viewport=size(LAPTOP))
    watch = Watch(page)
    notebook = Notebook(page, address, "stories.ipynb")
    notebook.run_all()
    yield notebook, watch
    page.close()


def size(window: tuple[int, int]) -> Any:
    return {"width": window[0], "height": window[1]}


@pytest.fixture
def player(opened: tuple[Notebook, Watch]) -> Iterator[PlayerPage]:
    """A player at its first step; afterwards, nothing must have gone wrong."""
    found = PlayerPage(opened[0], STORIES["fork_and_write"])
    found.key("Home")
    found.is_at(0)
    yield found
    assert opened[1].wrong == []


def test_the_first_notebook_runs_without_complaint(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport=size(LAPTOP))
    watch = Watch(page)
    notebook = Notebook(page, address, FIRST)
    notebook.run_all()
    assert notebook.complaints() == []
    assert watch.wrong == []
    page.close()


@pytest.mark.parametrize("name", STORIES)
def test_each_step_is_told_and_seen_on_one_screen(
    name: str, opened: tuple[Notebook, Watch]
) -> None:
    """Nobody scrolls: after each Next the bar, the sentence and all that changed are in sight."""
    trace = STORIES[name]
    player = PlayerPage(opened[0], trace)
    player.key("Home")
    player.root.evaluate("root => root.scrollIntoView({block: 'start'})")
    for step, changed in enumerate(signs(trace)):
        if step:
            player.click("next")
        player.agrees(step)
        keys = sorted(key for key in changed if key[0] in "pf")
        found = player.out_of_sight(keys)
        assert found["height"] <= 90
        assert (found["bar"], found["sentence"], found["missing"]) == (True, True, []), step
    assert opened[1].wrong == []


def test_in_a_small_window_bar_sentence_and_what_changed_are_in_sight_together(
    opened: tuple[Notebook, Watch],
) -> None:
    """All stories. Two tables have room: those that a step touches are open, a third one is a line;
    pages that change alike may share a row that says which."""
    page = opened[0].page
    page.set_viewport_size(size(SMALL))
    try:
        for name, trace in STORIES.items():
            player = PlayerPage(opened[0], trace)
            player.key("Home")
            player.is_at(0)
            player.root.evaluate("root => root.scrollIntoView({block: 'start'})")
            things = [sorted(key for key in changed if key[0] in "pf") for changed in signs(trace)]
            for step, found in enumerate(player.root.evaluate(SMALL_STEPS, things[1:]), 1):
                assert found.pop("height") <= 90, (name, step)
                good = {"step": step, "bar": True, "sentence": True, "tables": True, "missing": []}
                assert found == good, name
        assert opened[1].wrong == []
    finally:
        page.set_viewport_size(size(LAPTOP))


def test_keys_step_and_the_ends_do_not_wrap(player: PlayerPage) -> None:
    player.key("End")
    player.agrees(player.last)
    player.key("ArrowRight")
    player.agrees(player.last)
    for step in reversed(range(player.last - 3, player.last)):
        player.key("ArrowLeft")
        player.agrees(step)
    player.key("Home")
    player.key("ArrowLeft")
    player.agrees(0)


def test_play_goes_on_by_itself_and_pauses(player: PlayerPage) -> None:
    player.click("play")
    expect(player.root).to_have_attribute("data-step", "2", timeout=20_000)
    player.click("play")
    at = player.root.get_attribute("data-step")
    player.notebook.page.wait_for_timeout(2500)
    assert player.root.get_attribute("data-step") == at


def test_a_step_is_saved_as_a_picture(player: PlayerPage) -> None:
    player.key("ArrowRight")
    player.is_at(1)
    player.key("s")
    for kind, begins in (("svg", b"<svg "), ("png", b"\x89PNG")):
        with player.notebook.page.expect_download() as download:
            player.click(kind)
        assert Path(download.value.path()).read_bytes().startswith(begins)
        expect(player.part("saved")).to_contain_text(f"-step-1.{kind}")
    player.click("endsave")


KEYS = [
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    *("Shift+J", "Shift+K", "Shift+M", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"),
    *("Home", "End", "PageUp", "PageDown", "Enter", "Space", "Escape", "Delete", "Backspace"),
]


def test_no_key_changes_the_notebook(player: PlayerPage) -> None:
    cells = player.notebook.cells()
    for key in KEYS:
        player.key(key)
        if key == "f":
            player.notebook.page.keyboard.press("Escape")  # out of lecture mode
        assert player.notebook.cells() == cells, f"after {key}"
        expect(player.root).to_be_visible()


def test_the_player_steps_while_the_kernel_is_busy(player: PlayerPage) -> None:
    notebook = player.notebook
    notebook.start_cell("import time\n\ntime.sleep(20)")
    player.root.scroll_into_view_if_needed()
    for step in range(1, min(player.last, 8) + 1):
        player.key("ArrowRight")
        player.agrees(step)
    assert notebook.ask(Notebook.LAST_RUNS), "the cell was to sleep all the time"
    notebook.page.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    notebook.until(f"return !(() => {{ {Notebook.LAST_RUNS} }})()", 30)


@pytest.mark.slow(pool="sizes of pictures")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_screenshots(
    theme: str, browser: Browser, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Pictures for people to look at, in build/screenshots; nothing may overflow its notebook."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with jupyter_lab(folder, tmp_path_factory.mktemp(theme), theme) as address:
        page = browser.new_page(viewport=size(LAPTOP))
        watch = Watch(page)
        notebook = Notebook(page, address, "stories.ipynb")
        notebook.run_all()
        player = PlayerPage(notebook, STORIES["fork_and_write"])
        colours = palette.LIGHT if theme == "light" else palette.DARK
        ink = player.root.evaluate("root => getComputedStyle(root).getPropertyValue('--al-ink')")
        assert ink.strip() == colours["ink"]
        for window in (LAPTOP, SMALL, (1920, 1080)):
            page.set_viewport_size(size(window))
            for step in (0, player.last // 2, player.last):
                player.key("Home")
                for _ in range(step):
                    player.key("ArrowRight")
                player.is_at(step)
                player.root.evaluate("root => root.scrollIntoView({block: 'start'})")
                page.screenshot(path=PICTURES / f"lab-{theme}-{window[0]}-{step}.png")
            overflow = player.root.evaluate("root => root.scrollWidth - root.clientWidth")
            assert overflow <= 1, f"{theme}, {window}: the player is {overflow} px too wide"
        assert watch.wrong == []
        page.close()
