"""Exercise 02a, hidden: other histories."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import judge, load_beside
from anonlab.course.judging.families import histories

public = load_beside(__file__, "../public/test_ex02a_split_vma.py")


def test_other_histories(student: Any, seed: int) -> None:
    """Both functions are right on histories that nobody has seen."""
    cases = histories(public.FAMILIES, seed + 1000, 12, 16)
    judge(student, cases, public.cuts, public.CUT_GUESSES, 15)
    cases = [public.HOLES, *histories(public.FAMILIES, seed + 1001, 40)]
    judge(student, cases, public.unmaps, public.UNMAP_GUESSES, 15, public.UNMAP_CASES)
