"""Exercise 01a, hidden: arrays of addresses, and a machine with three levels."""

from __future__ import annotations

from typing import Any

import numpy as np

from anonlab.course.judging.call_answers import Question, judge, judge_all, load_beside
from anonlab.course.judging.families import HIGH, ODD, histories
from anonlab.machine.words import X86_64, Geometry

public = load_beside(__file__, "../public/test_ex01a_walk.py")
DEEP = Geometry(3, 4)


def test_walk_many(student: Any, seed: int) -> None:
    """walk_many finds what walk finds, for many addresses at once."""
    cases = [public.SWAPPED, *histories(public.FAMILIES, seed + 1000, 12)]
    judge(student, cases, public.many, public.MANY_GUESSES, least=10)
    none = np.zeros(0, dtype=np.int64)
    judge_all(
        student, [Question("walk_many", (np.zeros((1, 16), dtype=np.int64), 0, none, 2, 4), [])]
    )


def test_deeper_tables(student: Any, seed: int) -> None:
    """The same code walks tables of another shape."""
    judge_all(student, public.index_questions(seed % 1000 + 17), public.INDEX_GUESSES)
    cases = histories(public.FAMILIES, seed + 1001, 6)
    judge(student, cases, lambda h: public.walks(h, DEEP), public.WALK_GUESSES)
    for shape in (DEEP, *ODD, X86_64):
        others = [HIGH] if shape == X86_64 else histories(public.FAMILIES, seed + 1002, 2)
        few = [public.SWAPPED, *others]
        judge(
            student, few, public.shaped(public.walks, shape), public.WALK_GUESSES, 1, public.CASES
        )
        judge(student, few, public.shaped(public.many, shape), public.MANY_GUESSES)
