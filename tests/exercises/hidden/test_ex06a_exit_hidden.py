"""Exercise 06a, hidden: other histories."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import judge, load_beside
from anonlab.course.judging.families import histories

public = load_beside(__file__, "../public/test_ex06a_exit.py")


def test_other_histories(student: Any, seed: int) -> None:
    """exit_mm is right on histories that nobody has seen."""
    cases = [*public.FIXED, *histories(public.FAMILIES, seed + 1000, 32, 20)]
    judge(student, cases, public.exits, public.GUESSES, 8, public.CASES)
