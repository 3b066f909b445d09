"""Cost over time: what a design has done so far, step by step, for small charts on the timeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Trace
from anonlab.view.story.align import align

Counters = Mapping[str, int]

CHARTS: dict[str, Callable[[Counters], int]] = {
    "nodes visited": lambda cost: cost.get("nodes", 0),
    "page tables probed": lambda cost: cost.get("probes", cost.get("ptes_probed", 0)),
    "probes in vain": lambda cost: cost.get("probes", 0) - cost.get("hits", 0),
    "pages copied": lambda cost: sum(n for name, n in cost.items() if "copie" in name),
    "bytes of reverse map": lambda cost: cost.get("bytes64", 0),
}
"""What is drawn: all but the bytes add up from the first operation on."""


def costs(rows: Sequence[Sequence[Snapshot]]) -> list[tuple[str, list[list[int]]]]:
    """Return (name, counts by row and step) of every chart that is not 0 all the time."""
    counted = [[dict(snapshot.cost) for snapshot in row] for row in rows]
    out = []
    for name, count in CHARTS.items():
        lines = [[count(cost) for cost in row] for row in counted]
        if any(map(any, lines)):
            out.append((name, lines))
    return out


def cost_series(played: Trace | Mapping[str, Trace], name: str) -> dict[str, list[int]]:
    """Return {design: count after every common step} of one chart, for `view.picture.chart`.

    raises  ValueError if CHARTS has no such name
    """
    if name not in CHARTS:
        raise ValueError(f"there are the counts {', '.join(CHARTS)}; got {name!r}")
    made = align(played)
    return {
        track.name: [CHARTS[name](dict(track.steps[at].snapshot.cost)) for at in track.at]
        for track in made.tracks
    }
