"""Exercise 11a, hidden: other histories."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import judge, load_beside
from anonlab.course.judging.families import histories

public = load_beside(__file__, "../public/test_ex11a_else_branch.py")


def test_other_histories(student: Any, seed: int) -> None:
    """Both functions are right on histories that nobody has seen."""
    pages = [public.STORY, *histories(public.FAMILIES, seed + 1000, 16, 30)]
    judge(student, pages, public.pages, public.PLACES_GUESSES, 30, public.CASES)
    writes = [public.STORY, *histories(public.WRITES, seed + 1001, 16, 30)]
    judge(student, writes, public.writes, public.COPY_GUESSES, 20, public.KINDS)
