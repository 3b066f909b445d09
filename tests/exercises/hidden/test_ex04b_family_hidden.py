"""Exercise 04b, hidden: how short the history is."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import Wrong, load_beside
from anonlab.course.judging.goals import goal

public = load_beside(__file__, "../public/test_ex04b_family.py")


def no_longer(student: Any, seed: int, more: int) -> None:
    """The history needs at most `more` operations more than ours."""
    wanted = goal(seed)
    mine = public.reached(student, wanted)
    if mine.nops > wanted.nops + more:
        raise Wrong(
            f"your history has {mine.nops} operations, {wanted.nops + more} are enough",
            guess="Did you write page by page? One write may touch many pages.",
        )


def test_is_short(student: Any, seed: int) -> None:
    """The history is not much longer than needed."""
    no_longer(student, seed, 2)


def test_is_shortest(student: Any, seed: int) -> None:
    """The history is as short as the shortest that we know."""
    no_longer(student, seed, 0)
