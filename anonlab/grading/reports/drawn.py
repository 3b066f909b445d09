"""Pictures for feedback, drawn from the shortest history when a report is made.

A store keeps histories, a few lines each, and not what can be drawn from them. Students who make
the same mistake get the same history, so most are drawn once for a whole class.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache

from anonlab.errors import FormatError, SimulatedError
from anonlab.formats.history_text import parse
from anonlab.recording.recorder import operations, record
from anonlab.view.stage.picture import Picture, picture


@dataclass(frozen=True)
class Drawing:
    """One picture: what it shows, its text twin, and the address of an image in which no script
    runs and nothing is fetched."""

    says: str
    twin: str
    source: str


@lru_cache(maxsize=128)
def drawings(history: str) -> tuple[Drawing, ...]:
    """Return the pictures before and after the last operation of a history, as it is right; none
    if it has no operations or is no history."""
    try:
        parsed = parse(history)
        steps = operations(record(parsed))
    except (FormatError, SimulatedError, ValueError):
        return ()
    if not parsed.ops:
        return ()
    before, after = steps[-2:]
    drawn = (
        (f"Before {after.text}", picture(before.snapshot)),
        (f"After {after.text}, as it is right", picture(after.snapshot, before.snapshot)),
    )
    return tuple(Drawing(says, made.text, _address(made)) for says, made in drawn)


def _address(made: Picture) -> str:
    coded = base64.b64encode(made.svg.encode("utf-8")).decode()
    return f"data:image/svg+xml;base64,{coded}"
