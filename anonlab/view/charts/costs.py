"""A chart of what designs cost: one row per kind of operation, one column per design.

Each cell shows its count as a number and as a bar; bars grow with the logarithm, because designs
differ by factors of a thousand. `costs_text` is its twin. Records come from `Comparison.records()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from math import log10
from typing import Any

from anonlab.view.stage.cells import fit
from anonlab.view.stage.palette import variables_css

_NAMES, _COLUMN, _ROW, _TOP = 400.0, 118.0, 26.0, 84.0
_STYLE = """
.anonlab-costs{font-family:var(--al-font);max-width:100%;height:auto}
.anonlab-costs text{font-size:12px;fill:var(--al-ink)}
.anonlab-costs .h{font-size:16px;font-weight:650}
.anonlab-costs .s,.anonlab-costs .zero{fill:var(--al-muted)}
.anonlab-costs .n{font-weight:600}.anonlab-costs .end{text-anchor:end}
.anonlab-costs .page{fill:var(--al-panel)}.anonlab-costs .rule{stroke:var(--al-faint)}
.anonlab-costs .bar{fill:var(--al-write-fill);stroke:var(--al-write-line)}
"""


def costs_svg(records: Iterable[Mapping[str, Any]], counter: str = "nodes", title: str = "") -> str:
    """Return one counter of a comparison as one self-contained SVG.

    records  dictionaries with design, operation, times and counters (Comparison.records())
    counter  the one to show; operations that cost nothing of it anywhere are left out
    raises   ValueError if there are no records, or none has that counter
    """
    designs, rows = _rows(records, counter)
    title = title or f"{counter} by operation and design"
    most = max((abs(count) for _, counts in rows for count in counts.values()), default=1)
    width = _NAMES + _COLUMN * len(designs) + 16
    height = _TOP + _ROW * max(1, len(rows)) + 16
    body = "".join(
        f'<text class="n end" x="{_edge(at):g}" y="{_TOP - 12:g}">{escape(name)}</text>'
        for at, name in enumerate(designs)
    )
    for at, (operation, counts) in enumerate(rows):
        body += _row(operation, [counts.get(name, 0) for name in designs], most, at, width)
    if not rows:
        body += f'<text class="s" x="16" y="{_TOP + 18:g}">no operation costs any {counter}</text>'
    told = escape(costs_text(records, counter, title))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="anonlab-costs" role="img" '
        f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">'
        f"<title>{escape(title)}</title><desc>{told}</desc>"
        f"<style>{variables_css('.anonlab-costs')}{_STYLE}</style>"
        f'<rect class="page" width="100%" height="100%" rx="10"/>'
        f'<text class="h" x="16" y="28">{escape(title)}</text>'
        f'<text class="s" x="16" y="48">bars grow with the logarithm</text>{body}</svg>'
    )


def costs_text(
    records: Iterable[Mapping[str, Any]], counter: str = "nodes", title: str = ""
) -> str:
    """Return the same counts as text, a line for each operation."""
    designs, rows = _rows(records, counter)
    lines = [f"{title or counter}:"]
    for operation, counts in rows:
        told = ", ".join(f"{name} {counts.get(name, 0):,}" for name in designs)
        lines.append(f"{operation}: {told}.")
    return "\n".join(lines) + "\n"


def _rows(
    records: Iterable[Mapping[str, Any]], counter: str
) -> tuple[list[str], list[tuple[str, dict[str, int]]]]:
    """Return the designs, and the counts of each operation that costs anything, by design."""
    plain = list(records)
    if not plain:
        raise ValueError("a chart of costs needs records; Comparison.records() gives them")
    if counter not in plain[0]:
        known = ", ".join(name for name in plain[0] if name not in ("design", "operation"))
        raise ValueError(f"counter is one of {known}; got {counter!r}")
    rows: dict[str, dict[str, int]] = {}
    for record in plain:
        rows.setdefault(record["operation"], {})[record["design"]] = int(record[counter])
    designs = list(dict.fromkeys(record["design"] for record in plain))
    return designs, [(name, counts) for name, counts in rows.items() if any(counts.values())]


def _edge(column: int) -> float:
    """Return the right edge of a column's cells."""
    return _NAMES + _COLUMN * (column + 1) - 6


def _row(operation: str, counts: list[int], most: int, at: int, width: float) -> str:
    y = _TOP + _ROW * at
    out = f'<path class="rule" d="M16 {y:g}H{width - 16:g}"/>'
    out += f'<text x="16" y="{y + 17:g}">{escape(fit(operation, _NAMES - 24, 12))}</text>'
    for column, count in enumerate(counts):
        right = _edge(column)
        if count:
            long = (_COLUMN - 12) * (0.2 + 0.8 * log10(1 + abs(count)) / log10(1 + most))
            out += (
                f'<rect class="bar" x="{right - long:.1f}" y="{y + 4:g}" width="{long:.1f}" '
                f'height="{_ROW - 8:g}" rx="3"/>'
            )
        look = "end" if count else "end zero"
        out += f'<text class="{look}" x="{right - 5:g}" y="{y + 17:g}">{count:,}</text>'
    return out
