"""A chart of bars that stand beside each other: one group per row, one bar per series, on a
logarithmic scale with its numbers. `bars_text` is its twin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import ceil, floor, log10

from anonlab.view.stage.cells import fit
from anonlab.view.stage.palette import variables_css

WIDTH = 760.0
_LEFT, _RIGHT, _TOP, _BAR, _GAP = 200.0, 96.0, 92.0, 17.0, 13.0
_LOOKS = (
    ("write-fill", "write-line", "■"),
    ("zero-fill", "zero-line", "▲"),
    ("swap-fill", "swap-line", "●"),
)
"""Per series: fill, stroke, and the sign that stands before its numbers."""
_STYLE = """
.anonlab-bars{font-family:var(--al-font);max-width:100%;height:auto}
.anonlab-bars text{font-size:12px;fill:var(--al-muted)}
.anonlab-bars .h{font-size:16px;font-weight:650;fill:var(--al-ink)}
.anonlab-bars .n{font-weight:600;fill:var(--al-ink)}
.anonlab-bars .mid{text-anchor:middle}.anonlab-bars .end{text-anchor:end}
.anonlab-bars .grid{stroke:var(--al-faint)}
.anonlab-bars .page{fill:var(--al-panel)}
.anonlab-bars .bar{stroke-width:1.4}
"""
Rows = Sequence[tuple[str, Mapping[str, float]]]
"""(label, {series: value > 0}); a series may be missing in a row."""


def bars_svg(rows: Rows, title: str, unit: str) -> str:
    """Return the rows as one self-contained SVG.

    unit    what the values are, such as "ns per page"
    raises  ValueError if there is no row, a value is not > 0, or there are too many series
    """
    series = _series(rows)
    low, high = _decades(rows)
    body, y = "", _TOP
    for label, values in rows:
        middle = y + _BAR * len(values) / 2 + 4
        body += f'<text class="n" x="16" y="{middle:g}">{escape(fit(label, _LEFT - 26, 12))}</text>'
        for name, look in zip(series, _LOOKS, strict=False):
            if name in values:
                body += _bar(values[name], look, y, low, high)
                y += _BAR
        y += _GAP
    height = y + 34
    told = escape(bars_text(rows, title, unit))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="anonlab-bars" role="img" '
        f'width="{WIDTH:g}" height="{height:g}" viewBox="0 0 {WIDTH:g} {height:g}">'
        f"<title>{escape(title)}</title><desc>{told}</desc>"
        f"<style>{variables_css('.anonlab-bars')}{_STYLE}</style>"
        f'<rect class="page" width="100%" height="100%" rx="10"/>'
        f'<text class="h" x="16" y="28">{escape(title)}</text>{_key(series)}'
        f"{_grid(low, high, y, unit)}{body}</svg>"
    )


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


def _bar(value: float, look: tuple[str, str, str], y: float, low: int, high: int) -> str:
    fill, line, sign = look
    width = max(2.0, _x(value, low, high) - _LEFT)
    paint = f'style="fill:var(--al-{fill});stroke:var(--al-{line})"'
    return (
        f'<rect class="bar" x="{_LEFT:g}" y="{y:g}" width="{width:.1f}" height="{_BAR - 3:g}" '
        f'rx="2" {paint}/><text class="n" x="{_LEFT + width + 7:.1f}" y="{y + 11.5:g}">'
        f"{sign} {number(value)}</text>"
    )


def _key(series: Sequence[str]) -> str:
    out, x = "", 16.0
    for name, (fill, line, sign) in zip(series, _LOOKS, strict=False):
        paint = f'style="fill:var(--al-{fill});stroke:var(--al-{line})"'
        out += f'<rect class="bar" x="{x:g}" y="42" width="22" height="14" rx="2" {paint}/>'
        out += f'<text class="n" x="{x + 29:g}" y="53.5">{sign} {escape(name)}</text>'
        x += 54 + 7.2 * (len(name) + 2)
    return out


def _grid(low: int, high: int, bottom: float, unit: str) -> str:
    return "".join(_lines(low, high, bottom)) + (
        f'<text class="mid" x="{(_LEFT + WIDTH - _RIGHT) / 2:g}" y="{bottom + 24:g}">'
        f"{escape(unit)}, each line ten times the last</text>"
    )


def _lines(low: int, high: int, bottom: float) -> Iterator[str]:
    for power in range(low, high + 1):
        x = _x(10.0**power, low, high)
        yield f'<path class="grid" d="M{x:g} {_TOP - 8:g}V{bottom - 6:g}"/>'
        yield f'<text class="mid" x="{x:g}" y="{_TOP - 14:g}">{number(10.0**power)}</text>'
