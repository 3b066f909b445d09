"""Exercise 03b, hidden: other histories."""

from __future__ import annotations

from functools import partial
from typing import Any

from anonlab.course.judging.call_answers import judge, load_beside
from anonlab.course.judging.families import HIGH, ODD, histories
from anonlab.machine.words import X86_64

public = load_beside(__file__, "../public/test_ex03b_find_mappers.py")


def test_other_histories(student: Any, seed: int) -> None:
    """Both functions are right on histories that nobody has seen."""
    judge(student, histories(public.FAMILIES, seed + 1000, 16, 30), public.frames, public.GUESSES)
    judge(student, histories(public.FAMILIES, seed + 1001), public.sizes, public.SIZE_GUESSES)
    for shape in (*ODD, X86_64):
        others = [HIGH] if shape == X86_64 else histories(public.FAMILIES, seed + 1002, 2)
        few = [public.SWAPPED, *others]
        judge(student, few, partial(public.frames, shape=shape), public.GUESSES, 1, public.CASES)
        judge(student, few, partial(public.sizes, shape=shape), public.SIZE_GUESSES)
