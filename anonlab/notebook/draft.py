"""The text of a bench as lines, and the operations that they say; a change reads changed lines."""

from __future__ import annotations

from functools import cached_property

from anonlab.errors import FormatError
from anonlab.formats.history import History, KnownNames, Op
from anonlab.formats.history_text import parse, parse_op

MOST_OPERATIONS = 20_000
"""More take more than half a minute to run; `record` and `view` take them."""


class Draft:
    """Lines of text that are a history; never changed.

    ops  (line, operation) of every operation, lines from 0
    """

    def __init__(self, lines: tuple[str, ...], ops: tuple[Op, ...], first: History) -> None:
        self.lines, self.ops, self._first = lines, ops, first
        if len(ops) > MOST_OPERATIONS:
            raise FormatError(
                f"a bench holds {MOST_OPERATIONS:,} operations, this has {len(ops):,}: "
                "anonlab.record(text) and `anonlab view` take longer ones"
            )

    @classmethod
    def of(cls, text: str) -> Draft:
        """Return the draft of `text`; FormatError with the line of the first mistake."""
        history = parse(text)
        lines = text.rstrip().split("\n") if text.strip() else []
        return cls(tuple(lines), tuple(history.ops), history)

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines) + "\n"

    @cached_property
    def history(self) -> History:
        """What the lines say."""
        return History(self.ops, self._first.machine, self._first.title)

    @cached_property
    def names(self) -> dict[str, str]:
        """Every name that the lines define, with 'process' or 'file'."""
        return _names(self.ops).kinds

    def changed(self, at: int, removed: int, added: tuple[str, ...]) -> Draft:
        """Return the draft with `added` in place of the `removed` lines from line `at` on.

        raises  FormatError with the line of the first mistake
        """
        lines = (*self.lines[:at], *added, *self.lines[at + removed :])
        if at <= self._head():
            return Draft.of("\n".join(lines) + "\n")
        kept = tuple(op for op in self.ops if op.line <= at)
        names = _names(kept)
        more = [parse_op(line, number, names) for number, line in enumerate(lines[at:], at + 1)]
        return Draft(lines, (*kept, *(op for op in more if op is not None)), self._first)

    def _head(self) -> int:
        """Return the last line that says something of the whole: the title, the machine."""
        first = self.ops[0].line if self.ops else len(self.lines)
        return max(first - 1, 0)


def _names(ops: tuple[Op, ...]) -> KnownNames:
    names = KnownNames()
    for op in ops:
        names.problem(op)
    return names


def difference(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[int, int, tuple[str, ...]]:
    """Return (at, removed, added): the lines between the first and the last that differ."""
    start, end, most = 0, 0, min(len(old), len(new))
    while start < most and old[start] == new[start]:
        start += 1
    while end < most - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return start, len(old) - end - start, new[start : len(new) - end]
