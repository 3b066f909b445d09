"""Exercise 10a, hidden: other words, and what no history makes."""

from __future__ import annotations

from typing import Any

import numpy as np

from anonlab.course.judging.call_answers import Question, judge, judge_all, load_beside
from anonlab.course.judging.families import histories

public = load_beside(__file__, "../public/test_ex10a_pagemap.py")


def test_other_words(student: Any, seed: int) -> None:
    """decode is right on histories that nobody has seen."""
    cases = [public.ON_SWAP, *histories(public.FAMILIES, seed + 1000, 16)]
    judge(student, cases, public.decodes, public.GUESSES, 60, public.CASES)


def test_other_arrays(student: Any, seed: int) -> None:
    """shared is right on other histories, on no page and on a great many."""
    cases = histories(public.FAMILIES, seed + 1000, 16)
    judge(student, cases, public.arrays, public.ARRAY_GUESSES, least=16)
    page = public.PRESENT | 77
    many = np.tile(np.array([page, page | public.EXCLUSIVE, 0], np.uint64), 2000)
    ends = [
        Question("shared", (np.zeros(0, np.uint64),), [], "no page"),
        Question("shared", (many,), list(range(0, 6000, 3)), "6000 pages, every third shared"),
    ]
    judge_all(student, ends)
