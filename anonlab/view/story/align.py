"""Side by side: one history under several designs, brought to one sequence of steps.

Designs take different sub-steps: where one copies pages on mremap, another does not. Steps of the
same operation with the same label stand together; a design that has no such step stays where it
is meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from anonlab.formats.trace import Step, Trace

MOST_TRACKS = 4
"""More could not be compared by eye."""
Key = tuple[int, str, int]
"""Operation, label, and how often that label has come in this operation."""


class Track(NamedTuple):
    """One design: its name, its steps, and which of them stands at each common step."""

    name: str
    steps: tuple[Step, ...]
    at: tuple[int, ...]


class Aligned(NamedTuple):
    """What is played: words of every common step, and one lane or several."""

    title: str
    words: tuple[Step, ...]
    tracks: tuple[Track, ...]


def align(played: Trace | Mapping[str, Trace]) -> Aligned:
    """Return a trace, or several of one history by name, as a course of common steps.

    raises  ValueError if there is no trace or more than MOST_LANES, one has no steps, or they
            are of different histories
    """
    if isinstance(played, Trace):
        played = {"": played}
    if not 1 <= len(played) <= MOST_TRACKS:
        raise ValueError(f"one to {MOST_TRACKS} traces stand side by side, got {len(played)}")
    for trace in played.values():
        if not trace.steps:
            raise ValueError(f"the trace {trace.title!r} has no steps: nothing to play")
    first = next(iter(played.values()))
    texts = {name: _texts(trace) for name, trace in played.items()}
    for name, texts_of_one in texts.items():
        if texts_of_one != texts[next(iter(played))]:
            raise ValueError(f"the trace of {name} is of another history than the first")
    if len(played) == 1:
        numbers = tuple(range(len(first.steps)))
        track = Track(first.steps[0].snapshot.design, first.steps, numbers)
        return Aligned(first.title, first.steps, (track,))
    return _joined(first.title, played)


def _texts(trace: Trace) -> dict[int, str]:
    return {step.operation: step.text for step in trace.steps}


def _joined(title: str, played: Mapping[str, Trace]) -> Aligned:
    keys = {name: _keys(trace.steps) for name, trace in played.items()}
    order = _merged(list(keys.values()))
    words: dict[Key, Step] = {}
    tracks = []
    for name, trace in played.items():
        found = {key: at for at, key in enumerate(keys[name])}
        for key, at in found.items():
            words.setdefault(key, trace.steps[at])
        here, places = 0, []
        for key in order:
            here = found.get(key, here)
            places.append(here)
        tracks.append(Track(name, trace.steps, tuple(places)))
    return Aligned(title, tuple(words[key] for key in order), tuple(tracks))


def _keys(steps: Sequence[Step]) -> list[Key]:
    seen: Counter[tuple[int, str]] = Counter()
    out = []
    for step in steps:
        out.append((step.operation, step.label, seen[step.operation, step.label]))
        seen[step.operation, step.label] += 1
    return out


def _merged(rows: Sequence[Sequence[Key]]) -> list[Key]:
    """Return all keys: each row in its own order, a key that others lack behind the one before."""
    out = list(rows[0])
    for row in rows[1:]:
        known, after = set(out), 0
        for key in row:
            if key in known:
                after = out.index(key, 0) + 1
            else:
                out.insert(after, key)
                after += 1
    return out
