"""Exercise 08a, hidden: other histories, and candidates of every kind."""

from __future__ import annotations

from functools import partial
from typing import Any

from anonlab.course.judging.call_answers import Question, judge, judge_all, load_beside
from anonlab.course.judging.families import ODD, histories

public = load_beside(__file__, "../public/test_ex08a_rmap_walk.py")


def test_other_histories(student: Any, seed: int) -> None:
    """Both functions are right on histories that nobody has seen."""
    cases = histories(public.FAMILIES, seed + 1000, 24, 30)
    judge(student, [public.SWAPPED, *cases], public.walks, public.WALK_GUESSES, 30, public.CASES)
    for shape in ODD:
        cases = [public.SWAPPED, *histories(public.FAMILIES, seed + 1002, 2)]
        judge(student, cases, partial(public.walks, shape=shape), public.WALK_GUESSES)
    judge(student, histories(public.FAMILIES, seed + 1001, 32, 30), public.unmaps, least=15)


def test_unmap_of_others(student: Any, seed: int) -> None:
    """try_to_unmap leaves words of every other kind alone."""
    words = [0x3067, 0, 0x3065, 0x4065, 0x3122, 0x25, 0x3045]
    right = [0x1722, 0, 0x1722, 0x4065, 0x3122, 0x25, 0x1722]
    question = Question("try_to_unmap", (words, 3, 0x1722), right, "", public.words_text)
    judge_all(student, [question], public.UNMAP_GUESSES)
