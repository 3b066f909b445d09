"""A histogram of grades as one inline SVG, and its twin as text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from anonlab.grading.reports.words import number

WIDTH, HEIGHT = 980, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 12, 30, 46
_GAP = 6
"""Pixels between bars."""


def histogram_svg(bins: Sequence[dict[str, Any]], mean: float | None, most: float) -> str:
    """Return the bars of `bins` ({"from", "to", "grades"}), each with its count above it.

    mean  gets a line of its own; None if there is none
    most  points at the right end
    """
    top = nice(max((each["grades"] for each in bins), default=0))
    wide = (WIDTH - _LEFT - _RIGHT) / max(1, len(bins))
    out = _lines(top)
    for at, each in enumerate(bins):
        x, count = _LEFT + at * wide, each["grades"]
        y = _y(count, top)
        middle = x + wide / 2
        if count:
            out += (
                f'<rect class="bar" x="{x + _GAP / 2:.1f}" y="{y:.1f}" width="{wide - _GAP:.1f}" '
                f'height="{HEIGHT - _BOTTOM - y:.1f}" rx="3"/>'
                f'<text class="n mid" x="{middle:.1f}" y="{y - 7:.1f}">{count}</text>'
            )
        out += _edge(x, each["from"])
    out += _edge(WIDTH - _RIGHT, most)
    if mean is not None and most:
        x = _LEFT + (WIDTH - _LEFT - _RIGHT) * min(1.0, mean / most)
        out += f'<path class="mean" d="M{x:.1f} {_TOP - 8}V{HEIGHT - _BOTTOM}"/>'
        side = "end" if x > WIDTH / 2 else ""
        out += (
            f'<text class="n {side}" x="{x + (-7 if side else 7):.1f}" y="{_TOP - 12}">'
            f"mean {number(mean)}</text>"
        )
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    out += f'<text class="mid" x="{middle:g}" y="{HEIGHT - 8}">points</text>'
    return (
        f'<svg class="chart" role="img" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<title>How many submissions got how many points</title>"
        f"<desc>{escape(histogram_text(bins))}</desc>{out}</svg>"
    )


def histogram_text(bins: Sequence[dict[str, Any]]) -> str:
    """Return the same counts as text, one line for each bar."""
    return "\n".join(
        f"{number(each['from'])} to {number(each['to'])} points: {each['grades']}" for each in bins
    )


def nice(most: int) -> int:
    """Return a round number > `most`, and >= 4, that four lines divide."""
    step = 1
    while step * 4 <= most:
        step = step * 2 if str(step)[0] in "15" else step * 5 // 2
    return step * 4


def _y(count: float, top: int) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * count / top


def _lines(top: int) -> str:
    out = ""
    for part in range(5):
        y = _y(top * part / 4, top)
        kind = "grid" if part else "axis"
        out += f'<path class="{kind}" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>'
        out += f'<text class="end" x="{_LEFT - 8}" y="{y + 4:.1f}">{top * part // 4}</text>'
    return out


def _edge(x: float, points: float) -> str:
    return f'<text class="mid" x="{x:.1f}" y="{HEIGHT - _BOTTOM + 18}">{number(points)}</text>'
