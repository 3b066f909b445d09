"""Exercise 03b, hidden: other histories."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import judge, load_beside
from anonlab.course.judging.families import histories

public = load_beside(__file__, "../public/test_ex03b_find_mappers.py")


def test_other_histories(student: Any, seed: int) -> None:
    """Both functions are right on histories that nobody has seen."""
    judge(student, histories(public.FAMILIES, seed + 1000, 16, 30), public.frames, public.GUESSES)
    judge(student, histories(public.FAMILIES, seed + 1001), public.sizes, public.SIZE_GUESSES)
