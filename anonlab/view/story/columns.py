"""A long story in columns: what stands at one place of all rows is sent together, and numbers as
differences, of which deflate makes a third of what it makes of rows.

In columns a payload (payload.py) has a field `columns`, and instead of their rows `steps` has ten
columns and `deltas` of a track is::

    n      how many there are
    rows   {name: [rows that each delta has, column, column, …]}    p, t, f, s, c
    lists  {name: [column of the deltas that have it, what they have]}    the splices

Contents are not said twice. What a program writes is the last word in the text of its operation: a
step that says it has 0 there, one that says it in hex 1. The contents of a frame are null where
they are that word, false where they are what the frame had before, true where they are those of the
first frame of the delta that has false: a copy.

A column is a list, or {d: [first number, difference to the next, …]}. `inRows` in stage/story.js
makes rows of it again, and so does `in_rows` here, for tests and for who reads a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Any

from anonlab.view.story.payload import EXACT, Payload

WIDTHS = {"p": 3, "t": 4, "f": 8, "s": 4}
"""Numbers of one row, by the field of a delta; `c` has as many as there are counters."""
_WHAT, _DATA = 7, 6
"""Where a step says what was done, and a row of a frame has its contents."""


def in_columns(made: Payload) -> Payload:
    """Return a payload in columns; `made` stays as it is."""
    widths = {**WIDTHS, "c": max(1, len(made["counters"]))}
    words = _last_words(made["lines"], (step[1] for step in made["steps"]))
    steps = [
        [*step[:_WHAT], _short(step[_WHAT], word), *step[_WHAT + 1 :]]
        for step, word in zip(made["steps"], words, strict=True)
    ]
    tracks = []
    for track in made["tracks"]:
        contents = _Contents()
        deltas = [
            {**delta, "f": contents.shortened(delta["f"], word)} if "f" in delta else delta
            for delta, word in zip(track["deltas"], words, strict=True)
        ]
        tracks.append({**track, "deltas": _deltas(deltas, widths)})
    columns = [_column(column) for column in zip(*steps, strict=True)]
    return {**made, "columns": 1, "steps": columns, "tracks": tracks}


def _last_words(lines: Sequence[str], operations: Iterable[int]) -> list[str]:
    """Return the last word of the text of each operation, "" where it has none."""
    last = [line.rpartition(" ")[2] for line in lines]
    return [last[operation] if operation >= 0 else "" for operation in operations]


def _number(word: str) -> int | None:
    """Return the number that a word is, None if it is none that JavaScript can hold."""
    return int(word) if word.isdecimal() and word.isascii() and int(word) < EXACT else None


def _short(what: str, word: str) -> str | int:
    """Return what a step says, or how it follows from the last word of its operation."""
    number = _number(word)
    if what == word != "":
        return 0
    return 1 if number is not None and what == hex(number) else what


class _Contents:
    """The contents of the frames of one track, as far as rows of it have gone by."""

    def __init__(self) -> None:
        self.of: dict[int, Any] = {}

    def shortened(self, frames: Sequence[Any], word: str) -> list[Any]:
        """Return rows of frames without the contents that follow from others."""
        out, number = list(frames), _number(word)
        places = range(_DATA, len(out), WIDTHS["f"])
        same = [at for at in places if out[at] == self.of.get(out[at - _DATA], 0)]
        copied = out[same[0]] if same else None
        for at in places:
            value = self.of[out[at - _DATA]] = out[at]
            if value == number is not None:
                out[at] = None
            elif value == copied is not None:
                out[at] = True
        for at in same:
            out[at] = False
        return out

    def whole(self, frames: list[Any], word: str) -> None:
        """Put the contents back into such rows."""
        places = range(_DATA, len(frames), WIDTHS["f"])
        same = [at for at in places if frames[at] is False]
        for at in same:
            frames[at] = self.of.get(frames[at - _DATA], 0)
        for at in places:
            if frames[at] is None:
                frames[at] = int(word)
            elif frames[at] is True:
                frames[at] = frames[same[0]]
            self.of[frames[at - _DATA]] = frames[at]


def _deltas(deltas: Sequence[Payload], widths: dict[str, int]) -> Payload:
    rows, lists = {}, {}
    for name, width in widths.items():
        numbers = [number for delta in deltas for number in delta.get(name, ())]
        counts = [len(delta.get(name, ())) // width for delta in deltas]
        rows[name] = [counts, *(_column(numbers[at::width]) for at in range(width))]
    for name in dict.fromkeys(name for delta in deltas for name in delta if name not in widths):
        places = [place for place, delta in enumerate(deltas) if name in delta]
        lists[name] = [_column(places), [deltas[place][name] for place in places]]
    return {"n": len(deltas), "rows": rows, "lists": lists}


def _column(values: Sequence[Any]) -> list[Any] | dict[str, list[int]]:
    """Return numbers as differences, where JavaScript can hold these and add them up."""
    if not values or any(type(value) is not int for value in values):
        return list(values)
    steps = [values[0], *(after - before for before, after in pairwise(values))]
    return {"d": steps} if max(map(abs, steps)) < EXACT else list(values)


def in_rows(made: Payload) -> Payload:
    """Return a payload in rows, whichever it is in."""
    if "columns" not in made:
        return made
    steps = [list(row) for row in zip(*map(_values, made["steps"]), strict=True)]
    tracks = [{**track, "deltas": _deltas_in_rows(track["deltas"])} for track in made["tracks"]]
    words = _last_words(made["lines"], (step[1] for step in steps))
    for step, word in zip(steps, words, strict=True):
        if type(step[_WHAT]) is int:
            step[_WHAT] = hex(int(word)) if step[_WHAT] else word
    for track in tracks:
        contents = _Contents()
        for delta, word in zip(track["deltas"], words, strict=True):
            contents.whole(delta.get("f", []), word)
    rest = {name: value for name, value in made.items() if name != "columns"}
    return {**rest, "steps": steps, "tracks": tracks}


def _deltas_in_rows(sent: Payload) -> list[Payload]:
    deltas: list[Payload] = [{} for _ in range(sent["n"])]
    for name, (counts, *columns) in sent["rows"].items():
        rows = zip(*map(_values, columns), strict=True)
        for delta, count in zip(deltas, counts, strict=True):
            if count:
                delta[name] = [number for _ in range(count) for number in next(rows)]
    for name, (places, values) in sent["lists"].items():
        for place, value in zip(_values(places), values, strict=True):
            deltas[place][name] = value
    return deltas


def _values(column: Any) -> list[Any]:
    return list(accumulate(column["d"])) if isinstance(column, dict) else list(column)
