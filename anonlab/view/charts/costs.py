"""A chart of what designs cost: one row per kind of operation, one column per design.

Each cell shows its count as a number and as a bar; bars grow with the logarithm, because designs
differ by factors of a thousand. `costs_text` is its twin. Records come from `Comparison.records()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log10
from typing import Any

from anonlab.view.charts.maker import Chart
from anonlab.view.stage.lettering import fit
from anonlab.view.story.words import say

_NAMES, _COLUMN, _ROW, _TOP = 400.0, 118.0, 26.0, 84.0


def costs_svg(records: Iterable[Mapping[str, Any]], counter: str = "nodes", title: str = "") -> str:
    """Return one counter of a comparison as one self-contained SVG.

    records  dictionaries with design, operation, times and counters (Comparison.records())
    counter  the one to show; operations that cost nothing of it anywhere are left out
    raises   ValueError if there are no records, or none has that counter
    """
    records = list(records)
    designs, rows = _rows(records, counter)
    title = title or say("chart.costs", counter=counter)
    most = max((abs(count) for _, counts in rows for count in counts.values()), default=1)
    width = _NAMES + _COLUMN * len(designs) + 16
    height = _TOP + _ROW * max(1, len(rows)) + 16
    chart = Chart(title, costs_text(records, counter, title), width, height)
    chart.say(16, 48, say("chart.logarithm"))
    for at, name in enumerate(designs):
        chart.say(_edge(at), _TOP - 12, name, "small strong", "end")
    for at, (operation, counts) in enumerate(rows):
        _row(chart, operation, [counts.get(name, 0) for name in designs], most, at)
    if not rows:
        chart.say(16, _TOP + 18, say("chart.nothing", counter=counter))
    return chart.svg()


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


def _row(chart: Chart, operation: str, counts: list[int], most: int, at: int) -> None:
    y = _TOP + _ROW * at
    chart.stroke(f"M16 {y:g}H{chart.width - 16:g}")
    chart.say(16, y + 17, fit(operation, _NAMES - 24, 12), "small")
    for column, count in enumerate(counts):
        right = _edge(column)
        if count:
            long = (_COLUMN - 12) * (0.2 + 0.8 * log10(1 + abs(count)) / log10(1 + most))
            chart.box(right - long, y + 4, long, _ROW - 8, "write")
        chart.say(right - 5, y + 17, f"{count:,}", "small" if count else "muted", "end")
