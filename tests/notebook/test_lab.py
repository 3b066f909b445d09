"""The first lesson in a real JupyterLab: click and key through the player, kernel busy or not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from controls import theme_of
from labserver import Notebook, Watch, chromium, jupyter_lab, needs_browser
from playwright.sync_api import Browser, Locator, expect
from project import ROOT

from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Step
from anonlab.machine.words import is_present, pte_letters, swp_offset
from anonlab.view.stage import palette

pytestmark = [needs_browser, pytest.mark.xdist_group("browser")]

NAME = "00_start_here.ipynb"
NOTEBOOKS = ROOT / "notebooks"
PICTURES = ROOT / "build" / "screenshots"
Facts = set[tuple[str, ...]]


# What should be seen: the notebook's own traces, and their snapshots walked by hand.


@dataclass(frozen=True)
class Shown:
    """One player that the notebook makes: its title and the steps it shows."""

    title: str
    steps: tuple[Step, ...]


def players_of(notebook: Path) -> list[Shown]:
    """Run the code of `notebook` here and return the players it makes, in order."""
    from anonlab.view.player.player import Player

    made: list[Shown] = []
    original = Player.__init__

    def noting(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        steps = tuple(self.trace.steps[at] for at in self.kept)
        made.append(Shown(self.frames["title"], steps))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Player, "__init__", noting)
        patch.chdir(notebook.parent)
        space: dict[str, Any] = {"display": lambda *things: None}
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, notebook.name, "exec"), space)
    return made


def words_of(
    snapshot: Snapshot, row: int, level: int = 0, vpn: int = 0
) -> Iterator[tuple[int, int]]:
    """(vpn, word) of every entry of the leaf tables below table `row`."""
    shape = snapshot.geometry
    for index in (snapshot.row == row).nonzero()[0]:
        number, word = int(snapshot.slot[index]), int(snapshot.word[index])
        below = vpn << shape.bits | number
        if level == shape.levels - 1:
            yield below, word
        else:
            yield from words_of(snapshot, word >> 12, level + 1, below)


def truth(snapshot: Snapshot) -> Facts:
    """Page-table entries, frames and processes of `snapshot`, as the picture states them."""
    facts: Facts = set()
    for mm in snapshot.mms:
        for vpn, word in words_of(snapshot, mm.pgd):
            where = ("pte", str(mm.mm), snapshot.geometry.address(vpn))
            if is_present(word):
                facts.add((*where, "frame", str(word >> 12), pte_letters(word)))
            else:
                facts.add((*where, "swap", str(swp_offset(word))))
    for pfn, count, mapcount in zip(snapshot.pfn, snapshot.count, snapshot.mapcount, strict=True):
        facts.add(("frame", str(pfn), str(count), str(mapcount)))
    facts |= {("process", process.name, str(process.mm)) for process in snapshot.processes}
    return facts


# What is seen: the facts that visible cells of the picture stand for, and their texts.


def unpacked(groups: list[Any]) -> Iterator[tuple[str, ...]]:
    """The facts in a data-facts attribute: [number, column, …] with columns written short."""
    for number, *columns in groups:
        for at in range(number):
            yield tuple(_entry(column, at) for column in columns)


def _entry(column: Any, at: int) -> str:
    if isinstance(column, dict):
        value = column["a"] + column["d"] * at
        return f"0x{value:0{column['w']}x}" if column["w"] else str(value)
    return str(column[at] if isinstance(column, list) else column)


class PlayerPage:
    """A player in the notebook, by its title."""

    def __init__(self, notebook: Notebook, shown: Shown) -> None:
        self.notebook, self.shown = notebook, shown
        self.last = len(shown.steps) - 1
        label = json.dumps(f"player: {shown.title}")
        self.root = notebook.page.locator(f".anonlab-player[aria-label={label}]").first
        self.root.scroll_into_view_if_needed()

    def part(self, name: str) -> Locator:
        return self.root.locator(f"[data-part={name}]")

    def click(self, does: str) -> None:
        self.root.locator(f"[data-do={does}]").click()

    def key(self, key: str) -> None:
        """Press a key with the focus on the player itself."""
        self.root.focus()
        self.notebook.page.keyboard.press(key)

    def is_at(self, step: int) -> None:
        """Wait until `step` is shown."""
        expect(self.root).to_have_attribute("data-step", str(step))

    def cells(self) -> list[tuple[list[tuple[str, ...]], list[str]]]:
        """(facts, texts) of each visible cell of the picture."""
        found = self.part("picture").evaluate(
            """picture => [...picture.querySelectorAll("[data-facts]")]
                .filter(g => getComputedStyle(g).visibility !== "hidden")
                .filter(g => g.getClientRects().length)
                .map(g => [JSON.parse(g.dataset.facts),
                           [...g.querySelectorAll("text")].map(text => text.textContent)])"""
        )
        return [(list(unpacked(facts)), texts) for facts, texts in found]

    def facts(self) -> Facts:
        """The facts of the picture, cut down to what `truth` tells."""
        found: Facts = set()
        for facts, _ in self.cells():
            for fact in facts:
                if fact[0] == "pte":
                    found.add(fact)
                elif fact[0] == "frame":
                    found.add(fact[:4])
                elif fact[0] == "process":
                    found.add((fact[0], fact[1], fact[4]))
        return found

    def agrees(self, step: int) -> None:
        """Check words and picture against the trace at `step`."""
        self.is_at(step)
        told = self.shown.steps[step]
        expect(self.part("label")).to_have_text(told.title)
        expect(self.part("sentence")).to_contain_text(told.sentence)
        expect(self.part("source")).to_contain_text(told.source)
        seen, wanted = self.facts(), truth(told.snapshot)
        assert seen == wanted, f"step {step} ({told.label}): {sorted(seen ^ wanted)[:6]}"


@pytest.fixture(scope="module")
def shown() -> list[Shown]:
    """The players of the first notebook."""
    found = players_of(NOTEBOOKS / NAME)
    assert found, f"{NAME} makes no player"
    return found


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the notebooks: JupyterLab saves what it runs."""
    folder = tmp_path_factory.mktemp("lab") / "notebooks"
    shutil.copytree(NOTEBOOKS, folder, ignore=shutil.ignore_patterns("source", ".*"))
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for this file: Playwright runs once in a process."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def lesson(
    browser: Browser, notebooks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Notebook, Watch]]:
    """The first notebook, open and run in the light theme, and what went wrong meanwhile."""
    with jupyter_lab(notebooks, tmp_path_factory.mktemp("light")) as address:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        watch = Watch(page)
        notebook = Notebook(page, address, NAME)
        notebook.run_all()
        yield notebook, watch


@pytest.fixture
def player(lesson: tuple[Notebook, Watch], shown: list[Shown]) -> Iterator[PlayerPage]:
    """The first player at its first step; afterwards, nothing must have gone wrong."""
    found = PlayerPage(lesson[0], shown[0])
    found.key("Home")
    found.is_at(0)
    yield found
    assert lesson[1].wrong == []


def test_every_cell_runs_without_complaint(lesson: tuple[Notebook, Watch]) -> None:
    notebook, watch = lesson
    assert notebook.complaints() == []
    assert watch.wrong == []


def test_clicks_step_through_pictures_that_equal_the_trace(player: PlayerPage) -> None:
    player.agrees(0)
    for step in range(1, player.last + 1):
        player.click("next")
        player.agrees(step)
    player.click("previous")
    player.agrees(player.last - 1)
    player.click("first")
    player.agrees(0)
    player.click("last")
    player.agrees(player.last)


def test_keys_step_through_pictures_that_equal_the_trace(player: PlayerPage) -> None:
    player.key("End")
    player.agrees(player.last)
    for step in reversed(range(player.last)):
        player.key("ArrowLeft")
        player.agrees(step)
    player.key("ArrowRight")
    player.agrees(1)


def test_every_other_player_equals_its_trace(
    lesson: tuple[Notebook, Watch], shown: list[Shown]
) -> None:
    for one in shown[1:]:
        player = PlayerPage(lesson[0], one)
        player.key("Home")
        player.agrees(0)
        for step in range(1, player.last + 1):
            player.key("ArrowRight")
            player.agrees(step)


def test_the_ends_do_not_wrap(player: PlayerPage) -> None:
    player.key("ArrowLeft")
    player.is_at(0)
    expect(player.part("live")).to_contain_text("This is the first step.")
    player.key("End")
    player.key("ArrowRight")
    player.is_at(player.last)
    expect(player.part("live")).to_contain_text("This is the last step.")


def test_cards_show_the_numbers_of_their_frame(player: PlayerPage) -> None:
    player.key("End")
    player.is_at(player.last)
    cards = [
        (facts[0], texts) for facts, texts in player.cells() if facts and facts[0][0] == "frame"
    ]
    assert cards
    for (_, pfn, count, mapcount, *_), texts in cards:
        assert texts[0].split()[-1] == pfn
        assert f"count {count} · map {mapcount}" in texts


def test_play_goes_on_by_itself_and_pauses(player: PlayerPage) -> None:
    player.click("play")
    player.is_at(2)
    player.click("play")
    at = player.root.get_attribute("data-step")
    player.notebook.page.wait_for_timeout(2500)
    assert player.root.get_attribute("data-step") == at


KEYS = [
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    *("Shift+J", "Shift+K", "Shift+M", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"),
    *("Home", "End", "PageUp", "PageDown", "Enter", "Space", "Escape", "Delete", "Backspace"),
]


def test_no_key_changes_the_notebook(player: PlayerPage) -> None:
    cells = player.notebook.cells()
    for key in KEYS:
        player.key(key)
        if key in ("p", "t", "Space"):
            player.key(key)  # out of that mode again
        assert player.notebook.cells() == cells, f"after {key}"
        expect(player.root).to_be_visible()


def test_a_prediction_is_compared_with_what_happens(player: PlayerPage) -> None:
    player.key("p")
    page = player.notebook.page
    page.keyboard.press("Space")
    expect(player.root.locator("[aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Escape")
    player.key("ArrowRight")
    player.agrees(1)
    expect(player.part("guess")).to_contain_text("Your prediction:")


def test_the_text_says_what_the_picture_shows(player: PlayerPage) -> None:
    player.key("End")
    player.key("t")
    expect(player.part("text")).to_be_visible()
    expect(player.part("picture")).to_be_hidden()
    text = player.part("text").inner_text()
    for process in player.shown.steps[-1].snapshot.processes:
        assert process.name in text
    player.key("t")
    expect(player.part("picture")).to_be_visible()


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
    theme: str,
    browser: Browser,
    notebooks: Path,
    shown: list[Shown],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Pictures for people to look at, in build/screenshots; nothing may overflow its notebook."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    scratch = tmp_path_factory.mktemp(theme)
    with jupyter_lab(notebooks, scratch, theme) as address:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        watch = Watch(page)
        notebook = Notebook(page, address, NAME)
        notebook.run_all()
        player = PlayerPage(notebook, shown[0])
        is_light = page.evaluate("() => document.body.dataset.jpThemeLight")
        assert is_light == str(theme == "light").lower()
        colours = palette.LIGHT if theme == "light" else palette.DARK
        assert theme_of(player.root)[0] == colours["ink"]
        for width in (1400, 400):
            # High enough for the whole player: JupyterLab scrolls inside its own window.
            page.set_viewport_size({"width": width, "height": 3000})
            if width == 400:
                page.evaluate(
                    "() => window.jupyterapp.commands.execute('application:toggle-left-area')"
                )
            for name, step in (("start", 0), ("middle", player.last // 2), ("end", player.last)):
                player.key("Home")
                for _ in range(step):
                    player.key("ArrowRight")
                player.is_at(step)
                player.root.screenshot(path=PICTURES / f"player-{theme}-{width}-{name}.png")
            page.set_viewport_size({"width": width, "height": 1000})
            player.root.evaluate("root => root.scrollIntoView({block: 'start'})")
            page.screenshot(path=PICTURES / f"lab-{theme}-{width}.png")
            overflow = player.root.evaluate("root => root.scrollWidth - root.clientWidth")
            assert overflow <= 1, f"{theme}, {width} px: the player is {overflow} px too wide"
        assert watch.wrong == []
