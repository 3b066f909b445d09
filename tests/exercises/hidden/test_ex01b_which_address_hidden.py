"""Exercise 01b, hidden: other machines and histories."""

from __future__ import annotations

from functools import partial
from typing import Any

from anonlab.course.judging.call_answers import judge, judge_all, load_beside
from anonlab.course.judging.families import HIGH, ODD, histories
from anonlab.machine.words import X86_64, Geometry

public = load_beside(__file__, "../public/test_ex01b_which_address.py")


def test_other_machines(student: Any, seed: int) -> None:
    """Both functions know tables of another shape."""
    shapes = (X86_64, Geometry(3, 4), *ODD)
    judge_all(student, public.slot_questions(seed % 1000 + 5, shapes), public.SLOT_GUESSES)
    cases = histories(public.FAMILIES, seed + 1001, 4)
    judge(student, cases, lambda history: public.frames(history, Geometry(3, 4)))
    for shape in ODD:
        few = [public.SWAPPED, *histories(public.FAMILIES, seed + 1002, 2)]
        ask = partial(public.frames, geometry=shape)
        judge(student, few, ask, public.FRAME_GUESSES, 1, public.CASES)
    ask = partial(public.frames, geometry=X86_64)
    judge(student, [public.SWAPPED, HIGH], ask, public.FRAME_GUESSES)


def test_other_histories(student: Any, seed: int) -> None:
    """addresses is right on histories that nobody has seen."""
    cases = [public.SWAPPED, *histories(public.FAMILIES, seed + 1000, 12)]
    judge(student, cases, public.frames, public.FRAME_GUESSES, 20, public.CASES)
