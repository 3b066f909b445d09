"""Charts of counts: each line is named, told by dash and sign, and its text says the same."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from anonlab.view import lines_svg, lines_text

SERIES = {"groups": [1, 1, 2, 1], "shared <pages>": [0, 40, 3, 0]}


def test_a_chart_names_each_line_and_tells_its_counts() -> None:
    text = lines_text(SERIES, "Sharing", "operation", {1: "fork"})
    assert text.splitlines() == [
        "Sharing: operation 0 to 3.",
        "groups, by operation: 0: 1, 2: 2, 3: 1.",
        "shared <pages>, by operation: 0: 0, 1: 40, 2: 3, 3: 0.",
        "At operation 1: fork.",
    ]


def test_a_chart_differs_by_dash_and_sign_and_holds_its_text() -> None:
    svg = lines_svg(SERIES, "Sharing", "operation", {1: "fork"})
    root = ElementTree.fromstring(svg)
    assert root.findtext("{*}desc") == lines_text(SERIES, "Sharing", "operation", {1: "fork"})
    lines = root.findall(".//{*}path[@stroke-width='2.4']")
    assert len({line.get("stroke-dasharray") for line in lines}) == len(SERIES)
    words = [e.text for e in root.findall(".//{*}text")]
    assert {"groups 1", "shared <pages> 0"} <= set(words)


def test_the_line_goes_through_every_count() -> None:
    root = ElementTree.fromstring(lines_svg({"n": [0, 4, 2]}, "T"))
    path = root.find(".//{*}path[@stroke-width='2.4']").get("d")  # type: ignore[union-attr]
    ys = [float(y) for y in re.findall(r"(?:V|M[\d.]+ )([\d.]+)", path or "")]
    bottom, top, middle = ys
    assert middle == pytest.approx((bottom + top) / 2)
    assert bottom > top


def test_steps_stand_where_they_are_along_the_chart() -> None:
    """Three steps at 0, 3,000 and 4,000: the second stands three quarters along."""
    counts, where = {"n": [0, 4, 6]}, (0, 3000, 4000)
    root = ElementTree.fromstring(lines_svg(counts, "T", "calls", {1: "fork"}, where))
    path = root.find(".//{*}path[@stroke-width='2.4']").get("d")  # type: ignore[union-attr]
    first, second, last = (float(x) for x in re.findall(r"[MH]([\d.]+)", path or ""))
    assert (second - first) / (last - first) == pytest.approx(0.75, abs=0.001)
    assert {"0", "2,000", "4,000"} <= {e.text for e in root.findall(".//{*}text")}
    text = lines_text(counts, "T", "calls", {1: "fork"}, where)
    assert "0: 0, 3000: 4, 4000: 6" in text
    assert "At calls 3000: fork." in text
    with pytest.raises(ValueError, match="3 steps need 3 places along the chart, got 2"):
        lines_svg(counts, "T", places=(0, 1))


@pytest.mark.parametrize("series", [{}, {"a": []}, {"a": [1], "b": [1, 2]},
                                    {str(n): [1] for n in range(7)}])  # fmt: skip
def test_a_chart_without_sense_is_refused(series: dict[str, list[int]]) -> None:
    with pytest.raises(ValueError, match="a chart needs 1 to 6 series of one length"):
        lines_svg(series, "T")


def test_a_chart_of_one_step_and_of_nothing_but_zeros() -> None:
    assert "<svg" in lines_svg({"a": [0]}, "T")
    assert "<svg" in lines_svg({"a": [0, 0], "b": [100_000_000, 3]}, "T")
