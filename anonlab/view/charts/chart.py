"""A small chart of counts over time: a step line per series, each named where it ends.

Lines differ by dash and by the sign at their end as well as by colour. `lines_text` is its twin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anonlab.view.charts.maker import Chart
from anonlab.view.stage.lettering import BOLD, fit, width_of
from anonlab.view.story.words import say

WIDTH, HEIGHT = 760.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 190.0, 54.0, 44.0
_LOOKS = (
    ("accent", "", "m-4-4h8v8h-8z"),
    ("miss", "7 4", "m0-5l5 9h-10z"),
    ("hit", "2 3", "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0"),
    ("swap-line", "10 3 2 3", "m0-5.5l5.5 5.5l-5.5 5.5l-5.5-5.5z"),
    ("extra", "12 4", "m-5-2h10v4h-10z"),
    ("muted", "1 3", "m-2-5h4v10h-4z"),
)
"""Per series: colour, dashes, sign at its end."""


def lines_svg(
    series: Mapping[str, Sequence[int]],
    title: str,
    x_label: str = "",
    marks: Mapping[int, str] | None = None,
    places: Sequence[int] = (),
) -> str:
    """Return counts over time as one self-contained SVG.

    series  {name: one count >= 0 per step}, all of one length >= 1, at most six series
    marks   {step: word}: moments that get a line of their own
    x_label what is counted along the chart, steps if not given
    places  of `x_label`, where each step is, ascending; 0, 1, 2, … if not given
    raises  ValueError if there is no series, too many, or their lengths differ
    """
    places, x_label = _checked(series, places), x_label or say("chart.step")
    top = _nice(max(max(counts) for counts in series.values()))
    chart = Chart(title, lines_text(series, title, x_label, marks, places), WIDTH, HEIGHT)
    _grid(chart, top, places, x_label)
    _moments(chart, {_x(places[step], places): word for step, word in (marks or {}).items()})
    lows = _labels([_y(counts[-1], top) for counts in series.values()])
    for (name, counts), look, low in zip(series.items(), _LOOKS, lows, strict=False):
        _line(chart, name, counts, places, top, look, low)
    return chart.svg()


def lines_text(
    series: Mapping[str, Sequence[int]],
    title: str,
    x_label: str = "",
    marks: Mapping[int, str] | None = None,
    places: Sequence[int] = (),
) -> str:
    """Return the same counts as text: per series where it starts, changes most, and ends."""
    places, x_label = _checked(series, places), x_label or say("chart.step")
    out = [say("chart.title", title=title, label=x_label, last=places[-1])]
    for name, counts in series.items():
        told = ", ".join(f"{places[at]}: {count}" for at, count in _corners(counts))
        out.append(say("chart.line", name=name, label=x_label, counts=told))
    for at, word in sorted((marks or {}).items()):
        out.append(say("chart.mark", label=x_label, at=places[at], word=word))
    return "\n".join(out) + "\n"


def _checked(series: Mapping[str, Sequence[int]], places: Sequence[int]) -> Sequence[int]:
    """Return where each step is along the chart."""
    lengths = {len(counts) for counts in series.values()}
    if not 1 <= len(series) <= len(_LOOKS) or len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            f"a chart needs 1 to {len(_LOOKS)} series of one length >= 1, got {len(series)} "
            f"of lengths {sorted(lengths)}"
        )
    steps = lengths.pop()
    if places and len(places) != steps:
        raise ValueError(f"{steps} steps need {steps} places along the chart, got {len(places)}")
    return places or range(steps)


def _corners(counts: Sequence[int]) -> list[tuple[int, int]]:
    """Return (step, count) wherever the count changes, the first included."""
    return [(at, n) for at, n in enumerate(counts) if not at or n != counts[at - 1]]


def _nice(most: int) -> int:
    """Return a round number >= most, and >= 4, that four lines divide well."""
    step = 1
    while step * 4 < most:
        step = step * 2 if str(step)[0] in "15" else step * 5 // 2
    return step * 4


def _x(place: int, places: Sequence[int]) -> float:
    length = max(1, places[-1] - places[0])
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * (place - places[0]) / length


def _y(count: float, top: int) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * count / top


def _grid(chart: Chart, top: int, places: Sequence[int], x_label: str) -> None:
    right = WIDTH - _RIGHT
    for part in range(5):
        count = top * part // 4
        y = _y(count, top)
        chart.stroke(f"M{_LEFT:g} {y:g}H{right:g}", "hair" if part else "line")
        chart.say(_LEFT - 8, y + 4, f"{count:,}", "muted", "end")
    first, last = places[0], places[-1]
    for place in sorted({first, (first + last) // 2, last}):
        chart.say(_x(place, places), HEIGHT - 26, f"{place:,}", "muted", "middle")
    chart.say((_LEFT + right) / 2, HEIGHT - 8, x_label, "muted", "middle")


def _moments(chart: Chart, marks: Mapping[float, str]) -> None:
    edge = -1.0
    for x, word in sorted(marks.items()):
        chart.stroke(f"M{x:g} {_TOP - 6:g}V{HEIGHT - _BOTTOM:g}", "mark", dashes="3 3")
        text = fit(word, 90, 12)
        half = width_of(text, 12) / 2
        if x - half > edge:  # a word that would cover its neighbour is in the text twin only
            chart.say(x, _TOP - 10, text, "muted", "middle")
            edge = x + half + 8


def _labels(ys: Sequence[float]) -> list[float]:
    """Return heights for the names at the right, at least 18 px apart, near their lines."""
    order = sorted(range(len(ys)), key=lambda at: -ys[at])
    out, floor = [0.0] * len(ys), HEIGHT
    for at in order:
        floor = min(ys[at], floor - 18)
        out[at] = floor
    return out


def _line(
    chart: Chart,
    name: str,
    counts: Sequence[int],
    places: Sequence[int],
    top: int,
    look: tuple[str, str, str],
    low: float,
) -> None:
    colour, dashes, sign = look
    steps = len(counts)
    path = f"M{_x(places[0], places):g} {_y(counts[0], top):.1f}"
    for at in range(1, steps):
        if counts[at] != counts[at - 1] or at == steps - 1:
            path += f"H{_x(places[at], places):.1f}"
            path += f"V{_y(counts[at], top):.1f}" if counts[at] != counts[at - 1] else ""
    x, y = _x(places[-1], places), _y(counts[-1], top)
    chart.stroke(path, colour, 2.4, dashes)
    chart.stroke(f"M{x:g} {y:.1f}L{x + 14:g} {low:.1f}", "line")
    chart.sign(f"M{x + 20:g} {low:.1f}{sign}", colour)
    label = fit(f"{name} {counts[-1]:,}", _RIGHT - 40, 12, BOLD)
    chart.say(x + 30, low + 4, label, "small strong")
