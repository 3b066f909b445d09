"""Exercise 07a, hidden: other histories, and one range with every kind of word."""

from __future__ import annotations

from typing import Any

import numpy as np

from anonlab.course.judging.call_answers import Question, judge, judge_all, load_beside
from anonlab.course.judging.families import histories

public = load_beside(__file__, "../public/test_ex07a_mremap.py")


def test_other_histories(student: Any, seed: int) -> None:
    """move_range is right on histories that nobody has seen."""
    cases = [public.SWAPPED, *histories(public.FAMILIES, seed + 1000, 32, 24)]
    judge(student, cases, public.moves, public.GUESSES, 20, public.CASES)


def test_every_kind_of_page(student: Any, seed: int) -> None:
    """move_range treats each kind of word in one range as it should."""
    words = np.array([0x5067, 0, 0x6045, 0x5322, 0x25, 0x7065])
    count = np.array([1, 0, 2, 0, 0, 3])
    right = (
        [0x5067, 0, 0x14045, 0x5322, 0x25, 0x15065],
        [0x80, 0, 0x82, 0, 0, 0x85],
        [False, False, True, False, False, True],
    )
    args = (words, count, 0x80, np.array([20, 21, 22]))
    question = Question("move_range", args, right, "every kind of word", public.show)
    judge_all(student, [question], public.GUESSES)
