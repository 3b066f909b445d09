"""Exercise 02b, hidden: other pairs."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import judge, load_beside

public = load_beside(__file__, "../public/test_ex02b_merge.py")


def test_other_pairs(student: Any, seed: int) -> None:
    """merge decides as mmap does, for pairs that nobody has seen."""
    cases = [*public.one_field(), *public.pairs(seed + 1000, 120)]
    judge(student, cases, public.question, public.GUESSES, 60, public.CASES)
