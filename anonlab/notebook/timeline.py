"""Everything that was changed on a bench, one after the other: undo and redo lose nothing."""

from __future__ import annotations

from typing import NamedTuple


class Change(NamedTuple):
    """One change, as people would call it in `words`, both ways.

    at, old, new  from line `at` on, the lines `new` stand where `old` stood
    before, after the designs, the one shown first; the others beside it
    """

    words: str
    at: int
    old: tuple[str, ...]
    new: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]

    def reverse(self) -> Change:
        """Return the change that takes this one back."""
        return Change(self.words, self.at, self.new, self.old, self.after, self.before)


class Timeline:
    """The changes so far; those behind `here` were taken back and can be done again."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.here = 0

    def add(self, change: Change) -> None:
        """Go on with a new change; what was taken back before is given up."""
        self.changes[self.here :] = [change]
        self.here += 1

    @property
    def last(self) -> Change | None:
        """What undo would take back."""
        return self.changes[self.here - 1] if self.here else None

    @property
    def next(self) -> Change | None:
        """What redo would do again."""
        return self.changes[self.here] if self.here < len(self.changes) else None
