"""Exercise 09b, hidden: other histories."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import judge, load_beside
from anonlab.course.judging.families import histories

public = load_beside(__file__, "../public/test_ex09b_two_walks.py")


def test_other_histories(student: Any, seed: int) -> None:
    """Both walks are right on histories that nobody has seen."""
    judge(
        student, histories(public.FAMILIES, seed + 1000, 20, 30), public.rings, public.RING_GUESSES
    )
    judge(
        student, histories(public.FAMILIES, seed + 1001, 20, 30), public.lists, public.LIST_GUESSES
    )
