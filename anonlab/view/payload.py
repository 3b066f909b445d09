"""What the player gets: every place once, every state once, and per step who shows what.

The picture is sent as empty places; `states` lists each distinct state once; a step names the
cells whose state changes, and every KEYFRAME steps it names the states of all cells, so that
scrubbing is cheap. Lines of the text twin are shared between steps in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

from anonlab.formats.trace import Step, Trace
from anonlab.view.cells import (
    MARKS,
    OFF,
    Panel,
    State,
    changed,
    icon_path,
    mark_path,
    skeleton_svg,
)
from anonlab.view.changes import changes
from anonlab.view.facts import pack
from anonlab.view.graph import Layouter, dot_layout
from anonlab.view.stage import LEGEND, LEGEND_STATES, Stage, stage
from anonlab.view.text import text_lines

KEYFRAME = 32
"""Steps between two full states."""
MOST_BYTES = 1_000_000
"""Budget of one player."""
MOST_CHANGES = 40
"""Sentences about one step; a fork of a large process has thousands of changes."""
Payload = dict[str, Any]
T = TypeVar("T")


def payload(
    trace: Trace,
    title: str | None = None,
    predict: Iterable[int] = (),
    layouter: Layouter = dot_layout,
    most_bytes: int = MOST_BYTES,
) -> Payload:
    """Return the steps of `trace` as plain data for the player.

    predict     numbers of steps before which the learner is asked what will change
    most_bytes  of JSON; a longer trace keeps only the last step of each operation, with a note
    raises      ValueError if the trace has no steps, a number in `predict` is no step, or the
                trace is too large even so
    """
    asked = _checked(trace, predict)
    every = list(range(len(trace.steps)))
    made = _build(trace, every, title, asked, layouter)
    if size(made) <= most_bytes:
        return made
    kept = [at for at in every if trace.steps[at].level == "op" or at in asked]
    whole = size(made)
    if len(kept) < len(every):
        made = _build(trace, kept, title, asked, layouter)
        made["note"] = (
            f"Only the last step of each operation is shown: {len(kept)} of {len(every)} steps."
        )
    if size(made) > most_bytes:
        raise ValueError(
            f"the trace {trace.title!r} with {len(every)} steps needs {whole:,} bytes, operations "
            f"only {size(made):,}; a player holds {most_bytes:,}: play fewer steps, "
            "for example Trace(title, trace.steps[:50])"
        )
    return made


def size(made: Payload) -> int:
    """Return the bytes of a payload as JSON."""
    return len(json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode())


def _checked(trace: Trace, predict: Iterable[int]) -> frozenset[int]:
    if not trace.steps:
        raise ValueError(f"the trace {trace.title!r} has no steps: nothing to play")
    asked = frozenset(predict)
    wrong = sorted(at for at in asked if not 1 <= at < len(trace.steps))
    if wrong:
        raise ValueError(
            f"predict names steps from 1 to {len(trace.steps) - 1} of this trace, got {wrong[0]}"
        )
    return asked


def _build(
    trace: Trace, kept: Sequence[int], title: str | None, asked: frozenset[int],
    layouter: Layouter,
) -> Payload:  # fmt: skip
    steps = [trace.steps[at] for at in kept]
    made = stage([step.snapshot for step in steps], layouter)
    panels = (*made.panels, LEGEND)
    cells = [cell.id for panel in panels for cell in panel.cells]
    states, lines = _Pool([OFF]), _Pool[str]([])
    rows = _rows(made, cells, states)
    return {
        "title": trace.title if title is None else title,
        "note": "",
        "kept": list(kept),
        "predict": [at for at, number in enumerate(kept) if number in asked],
        "panels": _panels(panels),
        "cells": cells,
        "steps": [
            _step(step, _before(steps, at), rows, at)
            | {"lines": [lines.number(line) for line in text_lines(made.readings[at])]}
            | {"marks": _marks(rows, at, states.items)}
            for at, step in enumerate(steps)
        ],
        "states": [_plain(state) for state in states.items],
        "lines": lines.items,
        "marks": {sign: [word, mark_path(sign)] for sign, (word, _) in MARKS.items()},
    }


class _Pool(Generic[T]):
    """Distinct things, numbered in the order of their first use."""

    def __init__(self, items: list[T]) -> None:
        self.items = items
        self.numbers = {item: number for number, item in enumerate(items)}

    def number(self, item: T) -> int:
        """Return the number of `item`, a new one if it is new."""
        if item not in self.numbers:
            self.numbers[item] = len(self.items)
            self.items.append(item)
        return self.numbers[item]


def _rows(made: Stage, cells: Sequence[str], pool: _Pool[State]) -> list[list[int]]:
    """Return the number of every cell's state at every step."""
    rows = []
    for at in range(len(made.readings)):
        states = {**made.states(at), **LEGEND_STATES}
        rows.append([pool.number(states.get(cell, OFF)) for cell in cells])
    return rows


def _plain(state: State) -> list[Any]:
    facts = json.loads(pack(state.facts) or "[]")
    return [state.look, state.texts, icon_path(state.icon), state.name, facts, state.links]


def _before(steps: Sequence[Step], at: int) -> Step | None:
    return steps[at - 1] if at else None


def _step(step: Step, before: Step | None, rows: list[list[int]], at: int) -> dict[str, Any]:
    news = changes(before.snapshot, step.snapshot) if before else []
    said = [[change.sign, change.sentence] for change in news[:MOST_CHANGES]]
    if len(news) > MOST_CHANGES:
        said.append(["", f"and {len(news) - MOST_CHANGES} more changes"])
    words = ("label", "title", "sentence", "source", "text", "level", "process", "error")
    told = {name: getattr(step, name) for name in words}
    return told | {"operation": step.operation, "changes": said} | _shown(rows, at)


def _shown(rows: list[list[int]], at: int) -> dict[str, Any]:
    """Return the states of all cells at a keyframe, else [cell, state, cell, state, …]."""
    if at % KEYFRAME == 0:
        return {"full": rows[at]}
    pairs = zip(rows[at - 1], rows[at], strict=True)
    moved = [(cell, new) for cell, (old, new) in enumerate(pairs) if old != new]
    return {"delta": [number for pair in moved for number in pair]}


def _marks(rows: list[list[int]], at: int, states: Sequence[State]) -> list[Any]:
    """Return [cell, sign, cell, sign, …]: the cells whose facts differ from the step before."""
    out: list[Any] = []
    for cell, (old, new) in enumerate(zip(rows[at - 1], rows[at], strict=True) if at else ()):
        sign = changed(states[old], states[new]) if old != new else ""
        out += [cell, sign] if sign else []
    return out


def _panels(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    out, number = [], 0
    for panel in panels:
        svg = ""
        for cell in panel.cells:
            svg += skeleton_svg(cell, number)
            number += 1
        out.append(
            {
                "id": panel.id,
                "zone": panel.zone,
                "caption": panel.caption,
                "width": panel.width,
                "height": panel.height,
                "svg": svg,
            }
        )
    return out
