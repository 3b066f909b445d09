"""Pictures that show themselves in a notebook, each with its text twin."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from anonlab.formats.snapshot import Snapshot
from anonlab.view.charts.chart import lines_svg, lines_text
from anonlab.view.stage.address import address_lines, address_svg
from anonlab.view.stage.static import snapshot_svg, space_svg
from anonlab.view.story.reading import read
from anonlab.view.story.text import space_text, text_twin
from anonlab.view.story.words import say

_LEAST = 0.74
"""Share of its width that a sheet keeps in a narrow column: JupyterLab would shrink it until nobody
can read it. Three columns fit beside the file browser of a laptop; in less room it scrolls."""


def _unfolded(text: str) -> str:
    """Return the text twin, to unfold below a drawing."""
    summary = escape(say("page.text"))
    return f"<details><summary>{summary}</summary><pre>{escape(text)}</pre></details>"


class Picture:
    """A drawing with the same facts as text: SVG where there is a screen, text everywhere else."""

    def __init__(self, svg: str, text: str) -> None:
        self.svg = svg
        self.text = text

    def _repr_html_(self) -> str:
        """Return the drawing, with the text twin to unfold below it."""
        twin = _unfolded(self.text)
        sheet = re.search(r'class="anonlab-picture"[^>]* width="([\d.]+)"', self.svg)
        least = f"min-width:{_LEAST * float(sheet[1]):.0f}px" if sheet else ""
        return (
            f'<div style="max-width:100%;overflow-x:auto"><div style="{least}">{self.svg}</div>'
            f"</div>{twin}"
        )

    def __repr__(self) -> str:
        return self.text


class SideBySide:
    """Drawings that stand side by side where there is room, one text twin for all of them, and a
    sentence that says what they show."""

    def __init__(self, svgs: Sequence[str], text: str, said: str) -> None:
        self.svgs = tuple(svgs)
        self.text = text
        self.said = said

    def _repr_html_(self) -> str:
        """Return the drawings below the sentence, with the text twin to unfold."""
        boxes = "".join(f'<div style="flex:1 1 540px;min-width:0">{svg}</div>' for svg in self.svgs)
        return (
            f"<p>{escape(self.said)}</p>"
            f'<div style="display:flex;flex-wrap:wrap;gap:12px">{boxes}</div>'
            f"{_unfolded(self.text)}"
        )

    def __repr__(self) -> str:
        return f"{self.said}\n{self.text}"


def picture(snapshot: Snapshot, previous: Snapshot | None = None) -> Picture:
    """Return the picture of one moment; what differs from `previous` is marked."""
    return Picture(snapshot_svg(snapshot, previous), text_twin(snapshot))


def space_picture(snapshot: Snapshot, mm: int) -> Picture:
    """Return the picture of one address space.

    raises  ValueError if there is no address space `mm`
    """
    return Picture(space_svg(snapshot, mm), space_text(snapshot, mm))


def address_picture(snapshot: Snapshot, mm: int, address: int) -> Picture:
    """Return how `address` (bytes) of address space `mm` is split: which bits choose which slot.

    raises  ValueError if there is no address space `mm`, or no such address on this machine
    """
    lines = address_lines(read(snapshot), mm, address)
    return Picture(address_svg(snapshot, mm, address), "\n".join(lines) + "\n")


def chart(
    series: Mapping[str, Sequence[int]],
    title: str,
    x_label: str,
    marks: Mapping[int, str] | None = None,
    places: Sequence[int] = (),
) -> Picture:
    """Return a chart of counts over steps; `marks` names some, `places` says where each one is."""
    drawn = lines_svg(series, title, x_label, marks, places)
    return Picture(drawn, lines_text(series, title, x_label, marks, places))
