"""A small chart of counts over time: a step line per series, each named where it ends.

Lines differ by dash and by the sign at their end as well as by colour. `lines_text` is its twin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from anonlab.view.stage.cells import fit
from anonlab.view.stage.palette import variables_css

WIDTH, HEIGHT = 760.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 190.0, 54.0, 44.0
_LOOKS = (
    ("accent", "", "M-4-4h8v8h-8z"),
    ("miss", "7 4", "M0-5L5 4h-10z"),
    ("hit", "2 3", "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0"),
    ("swap-line", "10 3 2 3", "M0-5.5L5.5 0L0 5.5L-5.5 0z"),
    ("extra", "12 4", "M-5-2h10v4h-10z"),
    ("muted", "1 3", "M-2-5h4v10h-4z"),
)
"""Per series: colour, dashes, sign at its end."""
_STYLE = """
.anonlab-chart{font-family:var(--al-font);max-width:100%;height:auto}
.anonlab-chart text{font-size:12px;fill:var(--al-muted)}
.anonlab-chart .h{font-size:16px;font-weight:650;fill:var(--al-ink)}
.anonlab-chart .n{font-size:12.5px;font-weight:600;fill:var(--al-ink)}
.anonlab-chart .mid{text-anchor:middle}.anonlab-chart .end{text-anchor:end}
.anonlab-chart .grid{stroke:var(--al-faint)}
.anonlab-chart .axis,.anonlab-chart .tie{stroke:var(--al-line);fill:none}
.anonlab-chart .when{stroke:var(--al-mark);stroke-dasharray:3 3}
.anonlab-chart .line{fill:none;stroke-width:2.4;stroke-linejoin:round}
.anonlab-chart .page{fill:var(--al-panel)}
"""


def lines_svg(
    series: Mapping[str, Sequence[int]],
    title: str,
    x_label: str = "step",
    marks: Mapping[int, str] | None = None,
) -> str:
    """Return counts over time as one self-contained SVG.

    series  {name: one count >= 0 per step}, all of one length >= 1, at most six series
    marks   {step: word}: moments that get a line of their own
    raises  ValueError if there is no series, too many, or their lengths differ
    """
    steps = _checked(series)
    top = _nice(max(max(counts) for counts in series.values()))
    body = _grid(top, steps, x_label) + _moments(marks or {}, steps)
    lows = _labels([_y(counts[-1], top) for counts in series.values()])
    for (name, counts), look, low in zip(series.items(), _LOOKS, lows, strict=False):
        body += _line(name, counts, top, look, low)
    told = escape(lines_text(series, title, x_label, marks))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="anonlab-chart" role="img" '
        f'width="{WIDTH:g}" height="{HEIGHT:g}" viewBox="0 0 {WIDTH:g} {HEIGHT:g}">'
        f"<title>{escape(title)}</title><desc>{told}</desc>"
        f"<style>{variables_css('.anonlab-chart')}{_STYLE}</style>"
        f'<rect class="page" width="100%" height="100%" rx="10"/>'
        f'<text class="h" x="16" y="28">{escape(title)}</text>{body}</svg>'
    )


def lines_text(
    series: Mapping[str, Sequence[int]],
    title: str,
    x_label: str = "step",
    marks: Mapping[int, str] | None = None,
) -> str:
    """Return the same counts as text: per series where it starts, changes most, and ends."""
    steps = _checked(series)
    out = [f"{title}: {x_label} 0 to {steps - 1}."]
    for name, counts in series.items():
        told = ", ".join(f"{at}: {count}" for at, count in _corners(counts))
        out.append(f"{name}, by {x_label}: {told}.")
    out += [f"At {x_label} {at}: {word}." for at, word in sorted((marks or {}).items())]
    return "\n".join(out) + "\n"


def _checked(series: Mapping[str, Sequence[int]]) -> int:
    lengths = {len(counts) for counts in series.values()}
    if not 1 <= len(series) <= len(_LOOKS) or len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            f"a chart needs 1 to {len(_LOOKS)} series of one length >= 1, got {len(series)} "
            f"of lengths {sorted(lengths)}"
        )
    return lengths.pop()


def _corners(counts: Sequence[int]) -> list[tuple[int, int]]:
    """Return (step, count) wherever the count changes, the first included."""
    return [(at, n) for at, n in enumerate(counts) if not at or n != counts[at - 1]]


def _nice(most: int) -> int:
    """Return a round number >= most, and >= 4, that four lines divide well."""
    step = 1
    while step * 4 < most:
        step = step * 2 if str(step)[0] in "15" else step * 5 // 2
    return step * 4


def _x(step: float, steps: int) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * step / max(1, steps - 1)


def _y(count: float, top: int) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * count / top


def _grid(top: int, steps: int, x_label: str) -> str:
    right, out = WIDTH - _RIGHT, ""
    for part in range(5):
        count = top * part // 4
        y = _y(count, top)
        out += f'<path class="{"grid" if part else "axis"}" d="M{_LEFT:g} {y:g}H{right:g}"/>'
        out += f'<text class="end" x="{_LEFT - 8:g}" y="{y + 4:g}">{count:,}</text>'
    for step in sorted({0, (steps - 1) // 2, steps - 1}):
        x = _x(step, steps)
        out += f'<text class="mid" x="{x:g}" y="{HEIGHT - 26:g}">{step}</text>'
    middle = (_LEFT + right) / 2
    return out + f'<text class="mid" x="{middle:g}" y="{HEIGHT - 8:g}">{escape(x_label)}</text>'


def _moments(marks: Mapping[int, str], steps: int) -> str:
    out, edge = "", -1.0
    for step, word in sorted(marks.items()):
        x = _x(step, steps)
        out += f'<path class="when" d="M{x:g} {_TOP - 6:g}V{HEIGHT - _BOTTOM:g}"/>'
        if x > edge:  # a word that would cover its neighbour is in the text twin only
            out += (
                f'<text class="mid" x="{x:g}" y="{_TOP - 10:g}">{escape(fit(word, 90, 12))}</text>'
            )
            edge = x + 0.28 * 12 * len(fit(word, 90, 12)) * 2 + 8
    return out


def _labels(ys: Sequence[float]) -> list[float]:
    """Return heights for the names at the right, at least 18 px apart, near their lines."""
    order = sorted(range(len(ys)), key=lambda at: -ys[at])
    out, floor = [0.0] * len(ys), HEIGHT
    for at in order:
        floor = min(ys[at], floor - 18)
        out[at] = floor
    return out


def _line(
    name: str, counts: Sequence[int], top: int, look: tuple[str, str, str], low: float
) -> str:
    colour, dashes, sign = look
    steps = len(counts)
    path = f"M{_x(0, steps):g} {_y(counts[0], top):.1f}"
    for at in range(1, steps):
        path += f"H{_x(at, steps):.1f}"
        path += f"V{_y(counts[at], top):.1f}" if counts[at] != counts[at - 1] else ""
    x, y = _x(steps - 1, steps), _y(counts[-1], top)
    paint = f'style="stroke:var(--al-{colour});stroke-dasharray:{dashes or "none"}"'
    label = escape(fit(f"{name} {counts[-1]:,}", _RIGHT - 40, 12.5))
    return (
        f'<path class="line" d="{path}" {paint}/>'
        f'<path class="tie" d="M{x:g} {y:.1f}L{x + 14:g} {low:.1f}"/>'
        f'<path transform="translate({x + 20:g} {low:.1f})" d="{sign}" '
        f'style="fill:var(--al-{colour})"/>'
        f'<text class="n" x="{x + 30:g}" y="{low + 4:.1f}">{label}</text>'
    )
