"""The chart of costs: every count is in it, as a number, a bar and a word."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from anonlab import DESIGNS, compare
from anonlab.histories.costs import Comparison
from anonlab.histories.scenarios import prefork
from anonlab.view.charts.costs import costs_svg, costs_text

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(prefork(20))


def cells(svg: str) -> dict[float, list[str]]:
    """The texts of the picture by height, from left to right."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for text in ET.fromstring(svg).iter(f"{SVG}text"):
        rows.setdefault(float(text.get("y")), []).append((float(text.get("x")), text.text))
    return {y: [word for _, word in sorted(row)] for y, row in rows.items()}


@pytest.mark.parametrize("counter", ["nodes", "bytes64", "copies"])
def test_the_picture_and_its_text_hold_every_count(comparison, counter):
    records = comparison.records()
    rows = list(cells(costs_svg(records, counter)).values())
    assert list(DESIGNS) in rows
    text = costs_text(records, counter)
    for row in comparison.table(counter):
        column = list(DESIGNS).index(row["design"])
        for operation, count in row.items():
            shown = [line for line in rows if line[0].rstrip("…") in operation and len(line) > 2]
            if operation != "design" and any(r[operation] for r in comparison.table(counter)):
                assert f"{count:,}" in [line[column + 1] for line in shown]
                assert re.search(
                    rf"^{re.escape(operation)}: .*{row['design']} {count:,}", text, re.M
                )


def test_a_larger_count_has_a_longer_bar():
    records = [{"design": f"d{n}", "operation": "walk", "nodes": n} for n in (1, 10, 100, 1000)]
    bars = [
        float(bar.get("width"))
        for bar in ET.fromstring(costs_svg(records)).iter(f"{SVG}rect")
        if "f-write-fill" in bar.get("class", "")
    ]
    assert bars == sorted(bars)
    assert len(set(bars)) == 4


def test_names_are_shown_and_not_obeyed():
    records = [{"design": "<b>", "operation": "</svg>&", "nodes": 3}]
    svg = costs_svg(records, title="<script>")
    assert {"<b>", "</svg>&", "<script>"} <= {w for row in cells(svg).values() for w in row}


def test_what_cannot_be_drawn_is_refused(comparison):
    with pytest.raises(ValueError, match="a chart of costs needs records"):
        costs_svg([])
    with pytest.raises(ValueError, match="counter is one of times, copies, nodes, .*got 'luck'"):
        costs_svg(comparison.records(), "luck")
    none = [{"design": "d", "operation": "fork", "nodes": 0}]
    assert "no operation costs any nodes" in costs_svg(none)
