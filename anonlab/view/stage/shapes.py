"""What a static picture is made of: boxes, words, options and arrows, in px. picture.svg.j2 draws
them; every colour is a role of palette.py.
"""

from __future__ import annotations

from typing import NamedTuple

Point = tuple[float, float]


class Paint(NamedTuple):
    """Roles of the palette, '' for none, and dashes."""

    fill: str
    line: str
    ink: str
    dashes: str = ""


PAINTS = {
    **{state: Paint(f"{state}-fill", f"{state}-line", f"{state}-ink")
       for state in ("write", "read", "zero", "swap", "file")},
    "none": Paint("", "line", "muted", "2 3"),
    "free": Paint("", "line", "muted", "2 3"),
    "gone": Paint("", "mark", "muted", "4 3"),
    "strip": Paint("page", "line", "ink"),
    "on": Paint("accent", "accent", "accent-ink"),
    "off": Paint("", "line", "muted"),
    "missing": Paint("", "line", "muted", "2 3"),
    "area": Paint("write-line", "", ""),
    "file area": Paint("file-line", "", ""),
    "start": Paint("write-fill", "write-line", "write-ink"),
    "node": Paint("page", "line", "ink"),
    "dead": Paint("", "line", "muted", "4 3"),
}  # fmt: skip
"""How a thing looks, by what it is."""


class Font(NamedTuple):
    """Size in px, weight, whether it is code, and a role of its own where the box has none."""

    size: float
    weight: int = 400
    is_code: bool = False
    ink: str = "ink"


FONTS = {
    "plain": Font(13),
    "strong": Font(13, 700),
    "small": Font(12),
    "small strong": Font(12, 700),
    "muted": Font(12, ink="muted"),
    "title": Font(15, 700),
    "letter": Font(15, 700, ink="accent"),
    "number": Font(18, 700),
    "code": Font(12.5, 400, True),
    "small code": Font(12, 400, True),
    "muted code": Font(12, 400, True, "muted"),
}
"""Looks of words."""


class Words(NamedTuple):
    """One line of text at its baseline; characters bold[0] to bold[1] stand in the accent colour.
    `ink` is a role, '' for that of the font."""

    x: float
    y: float
    text: str
    font: str
    anchor: str = "start"
    bold: tuple[int, int] = (0, 0)
    ink: str = ""


class Box(NamedTuple):
    """A rectangle; `paint` is a key of PAINTS."""

    x: float
    y: float
    width: float
    height: float
    radius: float
    paint: str


class Stroke(NamedTuple):
    """A path; `line` and `fill` are roles, '' for none."""

    path: str
    line: str = "line"
    width: float = 1.0
    dashes: str = ""
    fill: str = ""


class Option(NamedTuple):
    """A slot, a frame, a swap slot or a run of these: its box and words, and its name for people
    who do not see it. `sign` is N, C, G or '', at `mark`."""

    key: str
    name: str
    box: Box
    words: tuple[Words, ...]
    icon: str = ""
    icon_at: Point = (0, 0)
    sign: str = ""
    mark: Point = (0, 0)


class Group(NamedTuple):
    """A page table or memory: what stands in it. `marks` are signs of tables and areas, each with
    its place."""

    name: str
    mm: int
    boxes: tuple[Box, ...]
    words: tuple[Words, ...]
    options: tuple[Option, ...]
    rules: tuple[str, ...] = ()
    marks: tuple[tuple[str, Point], ...] = ()


class Arrow(NamedTuple):
    """From the slot `key` to frame `pfn`, or to swap slot `slot`; `path` is '' for one that another
    arrow of its run stands for. `how_many` says how many go this way, '' for one."""

    key: str
    pfn: int
    slot: int
    state: str
    path: str
    head: str
    port: Point
    changed: bool
    how_many: str
    label: Point
