"""Cells: the fixed places of a picture, what stands in them at one step, and their SVG.

A `Cell` is a place: it belongs to one thing (slot a of one table, frame 7, one node of a graph)
for a whole trace and never moves. A `State` is what the place shows at one step. The player
gets every cell once and then only says which cell shows which state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple, Protocol

from anonlab.view.player.facts import Fact, pack
from anonlab.view.story.reading import Reading

ICONS: dict[str, str] = {
    "lock": "M2.4 5V3.4a2.6 2.6 0 0 1 5.2 0V5M1 5h8v5.6h-8z",
    "swap": "M5 0v9M1.6 5.8L5 9.4l3.4-3.6M1 11h8",
    "zero": "M5 0.8a3 4.6 0 1 0 0.01 0M2.6 9L7.4 1.6",
    "file": "M1.5 0.5h4.5l2.5 2.5v7.5h-7zM6 0.5v2.5h2.5",
    "pin": "M5 6v5M2 6h6M3 0.5h4M3.4 0.5L3 6h4L6.6 0.5",
}
"""Shapes of 10 x 11 px, drawn with a stroke; two of them stand side by side."""
MARKS: dict[str, tuple[str, str]] = {
    "+": ("new", "M-3.6 0h7.2M0-3.6v7.2"),
    "~": ("changed", "M-4 1c1.6-3.4 3-1.6 4-.6s2.4 2.4 4-1"),
    "-": ("gone", "M-3.6 0h7.2"),
}
"""The sign of a change: what it is called, and its strokes around the origin."""
_DISC = "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0"
OPEN = frozenset({"head", "edge", "wire", "cap"})
"""Kinds of cells that have no box."""


class Spot(NamedTuple):
    """Where one text of a cell stands: anchor point from the cell's corner, and CSS classes."""

    x: float
    y: float
    look: str


class Cell(NamedTuple):
    """One place of a picture, in px of its panel. `path` is drawn instead of a box (edges)."""

    id: str
    kind: str
    x: float
    y: float
    width: float
    height: float
    spots: tuple[Spot, ...] = ()
    path: str = ""


class State(NamedTuple):
    """What a cell shows.

    look   CSS classes: "off" hides the cell
    texts  one string per spot; missing ones are empty
    icon   names from ICONS, separated by spaces
    name   what a screen reader or a tooltip says
    facts  the facts that this cell stands for
    links  "same|near": tags of what it shows and of what has to do with it (see links.py)
    """

    look: str = "off"
    texts: tuple[str, ...] = ()
    icon: str = ""
    name: str = ""
    facts: tuple[Fact, ...] = ()
    links: str = ""


OFF = State()
States = Mapping[str, State]


@dataclass(frozen=True)
class Panel:
    """One picture of its own: `zone` is 'spaces' or 'memory', `caption` its accessible name."""

    id: str
    zone: str
    caption: str
    width: float
    height: float
    cells: tuple[Cell, ...]


class PanelSource(Protocol):
    """A panel that can say what its cells show."""

    @property
    def panel(self) -> Panel:
        """The places."""

    def states(self, reading: Reading) -> dict[str, State]:
        """Return the states of the cells that are not OFF."""


def icon_path(names: str) -> str:
    """Return the strokes of the icons in `names`; the second stands left of the first."""
    return "".join(_shifted(ICONS[name], -12.0 * place) for place, name in enumerate(names.split()))


def _shifted(path: str, dx: float) -> str:
    """Move a path to the right by `dx`: M, L and V are its only absolute commands."""
    return re.sub(r"([ML])([\d.]+)", lambda m: f"{m[1]}{float(m[2]) + dx:g}", path)


def mark_path(sign: str) -> str:
    """Return the disc with the sign of a change, around the origin; '' for no change."""
    return _DISC + MARKS[sign][1] if sign else ""


def changed(before: State, after: State) -> str:
    """Return '+', '-', '~' or '' for a cell that went from one state to the other."""
    old, new = _own(before), _own(after)
    if old == new:
        return ""
    return "+" if not old else "~" if new else "-"


def _own(state: State) -> list[Fact]:
    """The facts about the thing itself: how a walk finds it is not its own doing."""
    return [fact for fact in state.facts if fact[0] != "walk"]


def cell_svg(cell: Cell, state: State, sign: str = "", prefix: str = "") -> str:
    """Return the SVG of `cell` in `state`, with the mark of a change."""
    look = f"c {cell.kind} {state.look}" + (f" ch {MARKS[sign][0]}" if sign else "")
    told = escape(pack(state.facts), quote=True)
    tail = f' data-facts="{told}"' if told else ""
    tail += f' data-links="{escape(state.links, quote=True)}"' if state.links else ""
    title = f"<title>{escape(state.name)}</title>" if state.name else ""
    texts = "".join(
        f'<text class="{spot.look}" x="{spot.x:g}" y="{spot.y:g}">{escape(text)}</text>'
        for spot, text in zip(cell.spots, state.texts, strict=False)
        if text
    )
    return (
        f'<g id="{escape(prefix + cell.id, quote=True)}" class="{look}"{tail} '
        f'transform="translate({cell.x:g} {cell.y:g})">{title}{_shape(cell)}'
        f"{_icon(cell, state)}{texts}{_mark(cell, sign)}</g>"
    )


def _shape(cell: Cell) -> str:
    if cell.path:
        return f'<path class="p" d="{cell.path}"/>'
    if cell.kind in OPEN:
        return ""
    return f'<rect width="{cell.width:g}" height="{cell.height:g}" rx="{rounding(cell):g}"/>'


def rounding(cell: Cell) -> float:
    """Return the radius of the corners of a cell's box, 0 where it has none."""
    if cell.path or cell.kind in OPEN:
        return 0
    return 6 if cell.kind in ("frame", "node", "slot", "process") else 3


def _icon(cell: Cell, state: State) -> str:
    if not state.icon:
        return ""
    where = f"translate({cell.width - 14:g} 4)"
    return f'<path class="i" transform="{where}" d="{icon_path(state.icon)}"/>'


def corner(cell: Cell) -> tuple[float, float]:
    """Where the mark of a change stands: the upper left corner, so that icons stay visible."""
    if cell.path:
        return cell.width / 2, cell.height / 2
    return (-2, cell.height / 2) if cell.kind in ("vma", "head", "cap") else (2, 2)


def _mark(cell: Cell, sign: str) -> str:
    if not sign:
        return ""
    x, y = corner(cell)
    return f'<path class="m" transform="translate({x:g} {y:g})" d="{mark_path(sign)}"/>'


def panel_svg(panel: Panel, states: States, before: States | None = None, prefix: str = "") -> str:
    """Return the inside of one panel's SVG; `before` marks what changed since then."""
    cells = []
    for cell in panel.cells:
        state = states.get(cell.id, OFF)
        sign = changed(before.get(cell.id, OFF), state) if before is not None else ""
        if state.look != "off" or sign:
            cells.append(cell_svg(cell, state, sign, prefix))
    return "".join(cells)


def fit(text: str, width: float, size: float = 11, mono: bool = False) -> str:
    """Shorten `text` with an ellipsis so that it is at most about `width` px wide."""
    room = max(1, int(width / (size * (0.605 if mono else 0.53))))
    return text if len(text) <= room else text[: room - 1] + "…"


def merge(parts: Sequence[States]) -> dict[str, State]:
    """Return the states of several panels as one mapping; ids are unique across panels."""
    return {cell: state for part in parts for cell, state in part.items()}
