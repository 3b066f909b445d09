"""Exercise 05a, hidden: other histories, and ranges against single pages."""

from __future__ import annotations

from typing import Any

import numpy as np

from anonlab.course.judging.call_answers import Question, judge, judge_all, load_beside
from anonlab.course.judging.families import histories

public = load_beside(__file__, "../public/test_ex05a_cow.py")


def test_other_histories(student: Any, seed: int) -> None:
    """Both functions are right on histories that nobody has seen."""
    cases = histories(public.FAMILIES, seed + 1000, 24, 30)
    judge(student, cases, public.pages, public.GUESSES, least=30)
    judge(student, histories(public.FAMILIES, seed + 1001, 24, 30), public.ranges, least=20)


def test_range_is_page_by_page(student: Any, seed: int) -> None:
    """break_cow_range equals break_cow, page by page."""
    words, counts = [0x25, 0x5065, 0x6045, 0x7025, 0x25], [1, 2, 1, 3, 1]
    pfns = iter(range(20, 40))
    pairs = list(zip(words, counts, strict=True))
    calls = [(*pair, 99 if pair[0] >> 12 and pair[1] == 1 else next(pfns)) for pair in pairs]
    new = student.map("break_cow", calls)
    copied = [now >> 12 != word >> 12 for now, word in zip(new, words, strict=True)]
    args = (np.array(words), np.array(counts), np.arange(20, 40))
    judge_all(
        student,
        [
            Question(
                "break_cow_range", args, (new, copied), "pages of every kind", public.words_text
            )
        ],
    )
