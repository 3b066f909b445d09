"""A chart of bars that stand beside each other: one group per row, one bar per series, on a
logarithmic scale with its numbers. `bars_text` is its twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10

from anonlab.view.charts.maker import Chart
from anonlab.view.stage.lettering import BOLD, fit
from anonlab.view.story.words import say

WIDTH = 760.0
_LEFT, _RIGHT, _TOP, _BAR, _GAP = 200.0, 96.0, 92.0, 17.0, 13.0
_LOOKS = (("write", "■"), ("zero", "▲"), ("swap", "●"))
"""Per series: its paint, and the sign that stands before its numbers."""
Rows = Sequence[tuple[str, Mapping[str, float]]]
"""(label, {series: value > 0}); a series may be missing in a row."""


def bars_svg(rows: Rows, title: str, unit: str) -> str:
    """Return the rows as one self-contained SVG.

    unit    what the values are, such as "ns per page"
    raises  ValueError if there is no row, a value is not > 0, or there are too many series
    """
    series = _series(rows)
    low, high = _decades(rows)
    bars = sum(len(values) for _, values in rows)
    chart = Chart(title, bars_text(rows, title, unit), WIDTH, 0)
    bottom = _TOP + _BAR * bars + _GAP * len(rows)
    _key(chart, series)
    _grid(chart, low, high, bottom, unit)
    y = _TOP
    for label, values in rows:
        middle = y + _BAR * len(values) / 2 + 4
        chart.say(16, middle, fit(label, _LEFT - 26, 12, BOLD), "small strong")
        for name, (paint, sign) in zip(series, _LOOKS, strict=False):
            if name in values:
                width = max(2.0, _x(values[name], low, high) - _LEFT)
                chart.box(_LEFT, y, width, _BAR - 3, paint)
                told = f"{sign} {number(values[name])}"
                chart.say(_LEFT + width + 7, y + 11.5, told, "small strong")
                y += _BAR
        y += _GAP
    chart.height = y + 34
    return chart.svg()


def bars_text(rows: Rows, title: str, unit: str) -> str:
    """Return the same values as text, a line for each row."""
    _series(rows)
    lines = [f"{title}, {unit}:"]
    for label, values in rows:
        told = ", ".join(f"{name} {number(value)}" for name, value in values.items())
        lines.append(f"{label}: {told}.")
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """Write a value with as many digits as it deserves."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _series(rows: Rows) -> list[str]:
    names = list(dict.fromkeys(name for _, values in rows for name in values))
    values = [value for _, row in rows for value in row.values()]
    if not 1 <= len(names) <= len(_LOOKS) or min(values) <= 0:
        raise ValueError(
            f"bars need 1 to {len(_LOOKS)} series of values > 0, got {len(names)} with "
            f"values from {min(values, default=0):g}"
        )
    return names


def _decades(rows: Rows) -> tuple[int, int]:
    values = [value for _, row in rows for value in row.values()]
    low = floor(log10(min(values)))
    return low, max(low + 1, ceil(log10(max(values))))


def _x(value: float, low: int, high: int) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * (log10(value) - low) / (high - low)


def _key(chart: Chart, series: Sequence[str]) -> None:
    x = 16.0
    for name, (paint, sign) in zip(series, _LOOKS, strict=False):
        chart.box(x, 42, 22, 14, paint)
        chart.say(x + 29, 53.5, f"{sign} {name}", "small strong")
        x += 54 + 7.2 * (len(name) + 2)


def _grid(chart: Chart, low: int, high: int, bottom: float, unit: str) -> None:
    for power in range(low, high + 1):
        x = _x(10.0**power, low, high)
        chart.stroke(f"M{x:g} {_TOP - 8:g}V{bottom - 6:g}")
        chart.say(x, _TOP - 14, number(10.0**power), "muted", "middle")
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    chart.say(middle, bottom + 24, say("chart.unit", unit=unit), "muted", "middle")
