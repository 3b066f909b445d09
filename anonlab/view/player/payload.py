"""What the player gets: every place once, every state once, and per step who shows what.

The picture is sent as empty places of a few shapes; `states` lists each distinct state once; a
step names the cells whose state changes, and every KEYFRAME steps it names the states of all
cells, so that scrubbing is cheap. Lines of the text twin are told in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from anonlab.formats.trace import Step, Trace
from anonlab.view.player.facts import pack
from anonlab.view.stage.address import AddressPanel
from anonlab.view.stage.cells import (
    MARKS,
    OFF,
    Panel,
    Spot,
    State,
    changed,
    corner,
    icon_path,
    mark_path,
    rounding,
)
from anonlab.view.stage.changes import changes
from anonlab.view.stage.counters import costs
from anonlab.view.stage.graph import Layouter, dot_layout
from anonlab.view.stage.stage import LEGEND, LEGEND_STATES, Stage, stage
from anonlab.view.story.align import Aligned, Track, align
from anonlab.view.story.text import text_lines

KEYFRAME = 32
"""Steps between two full states."""
MOST_BYTES = 1_000_000
"""Budget of one player."""
MOST_CHANGES = 40
"""Sentences about one step; a fork of a large process has thousands of changes."""
KEYS = (
    ("← →", "previous step, next step"),
    ("Home End", "first step, last step"),
    ("Space", "play, pause"),
    ("P", "predict what will change"),
    ("T", "picture or text"),
    ("Tab, then arrows", "into the picture, from thing to thing"),
    ("Enter", "choose the thing; while predicting, mark it"),
    ("N, Shift+N", "next change, last change of the chosen thing"),
    ("W, Shift+W", "one probe of the walk, all probes"),
    ("Esc", "back, one thing at a time"),
)
"""What each key of the player does."""
Payload = dict[str, Any]
Played = Trace | Mapping[str, Trace]
"""One trace, or several of one history by the name of their design."""
T = TypeVar("T")


class TooLarge(ValueError):
    """A payload is over its budget; `size` in bytes."""

    def __init__(self, message: str, size: int) -> None:
        super().__init__(message)
        self.size = size


def payload(
    played: Played,
    title: str | None = None,
    predict: Iterable[int] = (),
    layouter: Layouter = dot_layout,
    most_bytes: int = MOST_BYTES,
) -> Payload:
    """Return the steps of a trace, or of several side by side, as plain data for the player.

    predict     numbers of steps before which the learner is asked what will change
    most_bytes  of JSON; a longer trace keeps only the last step of each operation, with a note
    raises      ValueError if a trace has no steps, a number in `predict` is no step, or the
                trace is too large even so (`view.parts` cuts it)
    """
    made = align(played)
    asked = checked_predictions(made, predict)
    every = list(range(len(made.words)))
    whole = build_payload(made, every, title, asked, layouter)
    if size(whole) <= most_bytes:
        return whole
    kept = [at for at in every if made.words[at].level == "op" or at in asked]
    small = build_payload(made, kept, title, asked, layouter) if len(kept) < len(every) else whole
    if size(small) > most_bytes:
        raise TooLarge(
            f"the trace {made.title!r} with {len(every)} steps needs {size(whole):,} bytes, "
            f"operations only {size(small):,}; a player holds {most_bytes:,}: play fewer steps, "
            "for example Trace(title, trace.steps[:50])",
            size(small),
        )
    small["note"] = (
        f"Only the last step of each operation is shown: {len(kept)} of {len(every)} steps."
    )
    return small


def size(made: Payload) -> int:
    """Return the bytes of a payload as JSON."""
    return len(json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode())


def checked_predictions(made: Aligned, predict: Iterable[int]) -> frozenset[int]:
    """Return `predict` as a set, or raise ValueError."""
    asked = frozenset(predict)
    wrong = sorted(at for at in asked if not 1 <= at < len(made.words))
    if wrong:
        raise ValueError(
            f"predict names steps from 1 to {len(made.words) - 1} of this trace, got {wrong[0]}"
        )
    return asked


def build_payload(
    aligned: Aligned, kept: Sequence[int], title: str | None, asked: frozenset[int],
    layouter: Layouter = dot_layout,
) -> Payload:  # fmt: skip
    """Return the payload of the steps `kept`, whatever its size."""
    drawings = [_TrackDrawing(track, kept, number, len(aligned.tracks), layouter)
                for number, track in enumerate(aligned.tracks)]  # fmt: skip
    states = _Pool([OFF])
    legend = [states.number(LEGEND_STATES[cell.id]) for cell in LEGEND.cells]
    rows = [[number for each in drawings for number in each.row(at, states)] + legend
            for at in range(len(kept))]  # fmt: skip
    cells = [name for each in drawings for name in each.cells] + [cell.id for cell in LEGEND.cells]
    return {
        "title": aligned.title if title is None else title,
        "note": "",
        "kept": list(kept),
        "predict": [at for at, number in enumerate(kept) if number in asked],
        "lanes": [track.name for track in aligned.tracks],
        "cells": cells,
        "states": [_plain(state) for state in states.items],
        "marks": {sign: [word, mark_path(sign)] for sign, (word, _) in MARKS.items()},
        "costs": costs([[step.snapshot for step in each.steps] for each in drawings]),
        "fields": [[*field] for field in drawings[0].fields],
        "keys": KEYS,
        **_panels(drawings),
        **_steps([aligned.words[number] for number in kept], drawings, rows, states.items),
    }


def _panels(drawings: Sequence[_TrackDrawing]) -> Payload:
    """Return the panels of all tracks, the legend below them, and the shapes of their cells."""
    shapes = _Pool[_Shape]([])
    panels = [
        _panel(number, panel, shapes) | {"place": places.get(panel.id, -1)}
        for number, drawing in enumerate(drawings)
        for places in (drawing.places_of_spaces(),)
        for panel in drawing.panels
    ]
    below = 0 if len(drawings) == 1 else -1
    panels.append(_panel(below, LEGEND, shapes) | {"place": -1})
    return {"panels": panels, "shapes": [shape._asdict() for shape in shapes.items]}


def _steps(
    words: Sequence[Step],
    drawings: Sequence[_TrackDrawing],
    rows: list[list[int]],
    states: Sequence[State],
) -> Payload:
    """Return what each step says and changes, and the lines of text that steps name."""
    lines = _Pool[str]([])
    texts = [[lines.number(line) for each in drawings for line in each.lines(at)]
             for at in range(len(words))]  # fmt: skip
    steps = [
        _step(step)
        | _cells(rows, at)
        | {"changes": [change for each in drawings for change in each.changes(at)]}
        | {"lines": _new_lines(texts, at)}
        | {"marks": _marks(rows, at, states)}
        | ({"lanes": [each.words(at, step) for each in drawings]} if drawings[1:] else {})
        for at, step in enumerate(words)
    ]
    return {"steps": steps, "lines": lines.items}


class _TrackDrawing:
    """One lane, drawn: its stage and what it shows at each step that is kept."""

    def __init__(
        self, track: Track, kept: Sequence[int], number: int, tracks: int, layouter: Layouter
    ) -> None:
        self.at = [track.at[step] for step in kept]
        self.steps = [track.steps[at] for at in self.at]
        self.number, self.several, self.name = number, tracks > 1, track.name
        distinct = {at: track.steps[at].snapshot for at in self.at}
        self.places = {at: place for place, at in enumerate(distinct)}
        self.stage: Stage = stage(list(distinct.values()), layouter)
        prefix = f"d{number}-" if self.several else ""
        address = AddressPanel(track.steps[0].snapshot.geometry)
        self.fields, self.scheme = address.fields, address.scheme()
        self.panels = (*self.stage.panels, address.panel)
        self.own = [cell.id for panel in self.panels for cell in panel.cells]
        self.cells = [prefix + name for name in self.own]
        self.rows: dict[int, list[int]] = {}

    def places_of_spaces(self) -> dict[str, int]:
        """Return the place of the page tables of each address space, by panel.

        One that is gone leaves its place to one that comes later: none ever moves, and there are
        no more places than address spaces at one time. Who stays longest says which place is where.
        """
        seen: dict[int, list[int]] = {}
        for step, at in enumerate(self.at):
            for mm in self.stage.readings[self.places[at]].spaces:
                seen.setdefault(mm, []).append(step)
        places: list[list[int]] = []
        for mm, steps in sorted(seen.items()):
            free = (one for one in places if seen[one[-1]][-1] < steps[0])
            place = next(free, None)
            if place is None:
                places.append(place := [])
            place.append(mm)
        places.sort(key=lambda place: max(place, key=lambda mm: (len(seen[mm]), -mm)))
        return {f"mm{mm}": number for number, place in enumerate(places) for mm in place}

    def row(self, step: int, pool: _Pool[State]) -> list[int]:
        """Return the number of every cell's state at `step`."""
        at = self.at[step]
        if at not in self.rows:
            states = self.stage.states(self.places[at]) | self.scheme
            self.rows[at] = [pool.number(states.get(cell, OFF)) for cell in self.own]
        return self.rows[at]

    def lines(self, step: int) -> list[str]:
        """Return the text twin at `step`."""
        lines = text_lines(self.stage.readings[self.places[self.at[step]]])
        return [f"Design {self.name}, side by side.", *lines] if self.several else lines

    def changes(self, step: int) -> list[list[Any]]:
        """Return [sign, sentence, lane] of what is different since the step before."""
        if not step or self.at[step] == self.at[step - 1]:
            return []
        news = changes(self.steps[step - 1].snapshot, self.steps[step].snapshot)
        lines: list[list[Any]] = [[one.sign, one.sentence, self.number]
                                 for one in news[:MOST_CHANGES]]  # fmt: skip
        if len(news) > MOST_CHANGES:
            lines.append(["", f"and {len(news) - MOST_CHANGES} more changes", self.number])
        return lines

    def words(self, step: int, common: Step) -> str:
        """Return what this design does at `step`, if it is not what the common words say."""
        mine = self.steps[step]
        if (mine.operation, mine.label) != (common.operation, common.label):
            return "has no such step"
        return mine.sentence if mine.sentence != common.sentence else ""


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


def _plain(state: State) -> list[Any]:
    facts = json.loads(pack(state.facts) or "[]")
    return [state.look, state.texts, icon_path(state.icon), state.name, facts, state.links]


def _step(step: Step) -> dict[str, Any]:
    words = ("label", "title", "sentence", "source", "text", "level", "process", "error")
    return {name: getattr(step, name) for name in words} | {"operation": step.operation}


def _cells(rows: list[list[int]], at: int) -> dict[str, Any]:
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


def _new_lines(said: list[list[int]], at: int) -> list[int]:
    """Return [same at the start, same at the end, what is new between]; all at a keyframe."""
    now = said[at]
    if at % KEYFRAME == 0:
        return [0, 0, *now]
    before = said[at - 1]
    most, head, tail = min(len(now), len(before)), 0, 0
    while head < most and now[head] == before[head]:
        head += 1
    while tail < most - head and now[-1 - tail] == before[-1 - tail]:
        tail += 1
    return [head, tail, *now[head : len(now) - tail]]


def texts(made: Payload) -> Iterator[str]:
    """Yield the text twin of every step of a payload."""
    now: list[int] = []
    for step in made["steps"]:
        head, tail, *new = step["lines"]
        now = [*now[:head], *new, *now[len(now) - tail :]]
        yield "\n".join(made["lines"][number] for number in now)


class _Shape(NamedTuple):
    """What cells of one kind and size have in common; `x` and `y` is where a mark stands."""

    kind: str
    width: float
    height: float
    spots: tuple[Spot, ...]
    path: str
    x: float
    y: float
    round: float


def _panel(track: int, panel: Panel, shapes: _Pool[_Shape]) -> dict[str, Any]:
    """Return a panel with the lane that it stands in (-1 for below all lanes) and its places as
    [shape, x, y, shape, x, y, …]."""
    places: list[float] = []
    for cell in panel.cells:
        shape = _Shape(
            cell.kind, cell.width, cell.height, cell.spots, cell.path, *corner(cell), rounding(cell)
        )
        places += [shapes.number(shape), round(cell.x, 1), round(cell.y, 1)]
    names = ("id", "zone", "caption", "width", "height")
    return {name: getattr(panel, name) for name in names} | {"lane": track, "cells": places}
