"""Questions with their right answers, kept between submissions: a grader asks hundreds of students
the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from anonlab.formats.history import History


class Made:
    """What was made of histories. It keeps nothing until `most` says how many questions it may."""

    def __init__(self) -> None:
        self.most = 0
        self._count = 0
        self._kept: dict[tuple[Any, str], list[Any]] = {}

    def __call__(
        self, questions: Callable[[History], Iterable[Any]], history: History
    ) -> list[Any]:
        """Return what `questions` makes of `history`. A test file that is loaded anew brings other
        functions, so that nothing old is asked."""
        if not self.most:
            return list(questions(history))
        key = questions, repr(history)
        if key not in self._kept:
            found = list(questions(history))
            self._count += len(found)
            if self._count > self.most:
                self._kept.clear()
                self._count = len(found)
            self._kept[key] = found
        return self._kept[key]


MADE = Made()


def keep_questions(most: int) -> None:
    """Keep up to so many questions, for who judges many submissions in one process."""
    MADE.most = most
