"""The stage: all panels of a trace side by side, and the self-contained SVG of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from anonlab.formats.snapshot import Snapshot
from anonlab.view.player.links import Links
from anonlab.view.stage.address import AddressPanel, address_lines
from anonlab.view.stage.cells import Cell, Panel, PanelSource, Spot, State, merge, panel_svg
from anonlab.view.stage.frames import FramePanel, NotePanel, homes, places
from anonlab.view.stage.graph import GraphPanel, Layouter, dot_layout
from anonlab.view.stage.palette import variables_css
from anonlab.view.stage.tables import PTE_SPOTS, WIDTH, TablePanel
from anonlab.view.story.reading import Reading, letters, read

PICTURE_CSS = Path(__file__).with_name("picture.css")
_PAD, _GAP = 18.0, 20.0


@dataclass(frozen=True)
class Stage:
    """The panels for one trace; `readings` are its snapshots, walked."""

    drawn: tuple[PanelSource, ...]
    readings: tuple[Reading, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The panels in reading order: page tables first."""
        return tuple(each.panel for each in self.drawn)

    def states(self, step: int) -> dict[str, State]:
        """Return what every cell shows at `step`; cells that are OFF are left out."""
        return merge([each.states(self.readings[step]) for each in self.drawn])


def stage(snapshots: Sequence[Snapshot], layouter: Layouter = dot_layout) -> Stage:
    """Return the stage for the snapshots of a trace: every place of every step, once.

    raises  ValueError if there is no snapshot, or they are of machines of different shape
    """
    if not snapshots:
        raise ValueError("a picture needs at least one snapshot, got none")
    shapes = {snapshot.geometry for snapshot in snapshots}
    if len(shapes) > 1:
        raise ValueError(f"all snapshots of a picture need one geometry, got {len(shapes)}")
    readings = tuple(read(snapshot) for snapshot in snapshots)
    named = letters(readings)
    placed = places(readings)
    links = Links(readings, homes(placed))
    tables = [TablePanel(mm, readings, named, links) for mm in named]
    board = FramePanel(readings, placed, named, links)
    graph = GraphPanel(readings, links, named, layouter)
    notes = NotePanel(readings, named, links)
    shown = (board, *((graph,) if graph.places else ()), notes)
    return Stage((*tables, *shown), readings)


def snapshot_svg(snapshot: Snapshot, previous: Snapshot | None = None) -> str:
    """Return page tables, frames and graph of `snapshot` as one self-contained SVG.

    previous  marks what changed since then; without it nothing is marked
    The picture has its own style sheet, light and dark, and needs nothing from outside.
    """
    both = (previous, snapshot) if previous is not None else (snapshot,)
    made = stage(both)
    before = {**made.states(0), **LEGEND_STATES} if previous is not None else None
    after = {**made.states(len(both) - 1), **LEGEND_STATES}
    return compose((*made.panels, LEGEND), after, before, _title(snapshot))


def space_svg(snapshot: Snapshot, mm: int) -> str:
    """Return the page tables of one address space as a self-contained SVG.

    raises  ValueError if there is no address space `mm`
    """
    made = stage([snapshot])
    panels = [panel for panel in made.panels if panel.id == f"mm{mm}"]
    if not panels:
        there = ", ".join(str(fact.mm) for fact in snapshot.mms) or "none"
        raise ValueError(f"there is no address space {mm}; there are {there}")
    states = {**made.states(0), **LEGEND_STATES}
    return compose((*panels, LEGEND), states, None, panels[0].caption)


def address_svg(snapshot: Snapshot, mm: int, address: int) -> str:
    """Return how `address` (bytes) of address space `mm` is split, as a self-contained SVG.

    raises  ValueError if there is no address space `mm`, or no such address on this machine
    """
    reading, made = read(snapshot), AddressPanel(snapshot.geometry)
    title = address_lines(reading, mm, address)[0].rstrip(":")
    return compose([made.panel], made.states(reading, mm, address), None, title)


def _title(snapshot: Snapshot) -> str:
    names = ", ".join(process.name for process in snapshot.processes) or "no process"
    return f"page tables, physical memory and reverse map of {names}"


def compose(
    panels: Sequence[Panel],
    states: dict[str, State],
    before: dict[str, State] | None,
    title: str,
) -> str:
    """Return panels on one sheet: page tables in two columns, memory in a third."""
    from html import escape

    body, width, height = "", 0.0, 0.0
    for panel, x, y in _arrange(panels):
        right, bottom = x + panel.width + 2 * _PAD, y + panel.height + 2 * _PAD
        width, height = max(width, right), max(height, bottom)
        look = "sheet" + _absent(panel, states)
        body += (
            f'<g transform="translate({x:g} {y:g})"><rect class="{look}" rx="10" '
            f'width="{panel.width + 2 * _PAD:g}" height="{panel.height + 2 * _PAD:g}"/>'
            f'<g transform="translate({_PAD:g} {_PAD:g})">'
            f"{panel_svg(panel, states, before)}</g></g>"
        )
    w, h = width + _GAP, height + _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="anonlab-picture" role="img" '
        f'width="{w:g}" height="{h:g}" viewBox="0 0 {w:g} {h:g}">'
        f"<title>{escape(title)}</title><style>{style()}</style>"
        f'<rect class="page" width="100%" height="100%"/>{body}</svg>'
    )


def _absent(panel: Panel, states: dict[str, State]) -> str:
    head = states.get(f"{panel.id}-head")
    return " absent" if head and head.look == "void" else ""


def _arrange(panels: Sequence[Panel]) -> list[tuple[Panel, float, float]]:
    """Return (panel, x, y): each goes under the shortest column of its zone, wide ones below."""
    wide = [panel for panel in panels if panel.width > WIDTH + 8]
    panels = [panel for panel in panels if panel not in wide]
    spaces = sum(panel.zone == "spaces" and panel is not LEGEND for panel in panels)
    columns = {"spaces": [_GAP] * min(2, max(1, spaces)), "memory": [_GAP]}
    step = WIDTH + 2 * _PAD + _GAP
    out = []
    for panel in panels:
        heights = columns[panel.zone]
        at = heights.index(min(heights))
        first = len(columns["spaces"]) if panel.zone == "memory" else 0
        out.append((panel, _GAP + (first + at) * step, heights[at]))
        heights[at] += panel.height + 2 * _PAD + _GAP
    below = max(max(heights) for heights in columns.values())
    for panel in wide:
        out.append((panel, _GAP, below))
        below += panel.height + 2 * _PAD + _GAP
    return out


def style() -> str:
    """Return the style sheet of a picture that stands alone."""
    return variables_css(".anonlab-picture") + PICTURE_CSS.read_text(encoding="utf-8")


_LEGEND: tuple[tuple[str, State], ...] = (
    ("may be written", State("write", ("2", "7", "write"))),
    ("read only", State("read", ("2", "7", "read"), "lock")),
    ("shared: thick edge", State("read shared", ("2", "7", "read"), "lock")),
    ("page of a file", State("file read-too", ("2", "7", "read"), "lock file")),
    ("zero page", State("zero", ("2", "0", "read"), "zero")),
    ("swapped out, slot 5", State("swap", ("2", "s5", "swap"), "swap")),
    ("allowed, still empty", State("may", ("2",))),
    ("not allowed: no VMA", State("none", ("2",))),
)


def _legend() -> tuple[Panel, dict[str, State]]:
    heading = (Spot(0, 16, "h"), Spot(0, 33, "s"))
    cells = [Cell("legend", "head", 0, 0, WIDTH, 44, heading)]
    under = "slot in the table, frame number, what is allowed"
    states = {"legend": State("on", ("how to read a slot", under))}
    for at, (text, state) in enumerate(_LEGEND):
        x, y = 1.0 + at % 2 * 168, 48.0 + at // 2 * 60
        cells.append(Cell(f"legend-{at}", "pte", x, y, 40, 52, PTE_SPOTS))
        cells.append(Cell(f"legend-text-{at}", "cap", x + 50, y, 118, 52, (Spot(0, 30, "s"),)))
        states |= {f"legend-{at}": state, f"legend-text-{at}": State("on", (text,))}
    height = 48.0 + 60 * -(-len(_LEGEND) // 2) - 8
    panel = Panel("legend", "spaces", "how to read a slot", WIDTH, height, tuple(cells))
    return panel, states


LEGEND, LEGEND_STATES = _legend()
"""The key to the picture: a panel whose states never change and that states no facts."""
