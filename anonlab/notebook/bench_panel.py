"""What a bench shows of itself and what is clicked there: two widgets, the bar and the history.

All that they show is one plain value, `view`; what people do comes back as messages {"do": …}.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import anywidget
import traitlets

from anonlab.formats.catalogue import current, say
from anonlab.histories import library
from anonlab.machine.words import GEOMETRIES
from anonlab.notebook.presets import LESSONS
from anonlab.rmap import DESIGNS
from anonlab.view.stage.palette import variables_css

_HERE = Path(__file__).parent
ROWS = 100
"""Operations that are listed at a time."""
BEFORE = 20
"""Operations that are listed before a new part of the list begins."""


class Panel(anywidget.AnyWidget):
    """One of the two widgets: `place` is "bar" or "side"."""

    _esm = _HERE / "bench.js"
    _css = variables_css(".anonlab-bench") + (_HERE / "bench.css").read_text(encoding="utf-8")
    place = traitlets.Unicode("bar").tag(sync=True)
    fixed = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    offers = traitlets.Dict().tag(sync=True)


def fixed() -> dict[str, Any]:
    """Return what never changes: an id of this bench, and what there is to choose from."""
    lessons = [[number, one.words] for number, one in LESSONS.items()]
    stories = [[name, library.load(name).title] for name in library.names()]
    return {
        "id": uuid4().hex[:12],
        "words": vocabulary(),
        "designs": [[name, name] for name in DESIGNS],
        "machines": [[name, name] for name in GEOMETRIES],
        "presets": [["", [[" ", say("bench.choose")], ["", say("bench.small")]]],
                    [say("bench.lessons"), lessons], [say("bench.library"), stories]],
    }  # fmt: skip


def vocabulary() -> dict[str, str]:
    """Return {key: template} of what the two widgets say, in the language that is chosen now."""
    return current().sections["bench"]


def first_listed(shown: int) -> int:
    """Return the operation that the list begins with while `shown` is; both count from 1."""
    part = ROWS - BEFORE
    return max(1, (max(shown, 1) - 1) // part * part + 1 - BEFORE)


def rows(first: int, lines: Sequence[str], errors: Sequence[str]) -> list[list[Any]]:
    """Return [number, line, error] of operations, the first of which has number `first`."""
    listed = enumerate(zip(lines, errors, strict=True), first)
    return [[number, line, error] for number, (line, error) in listed]
