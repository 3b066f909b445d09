"""Exercise 04a, hidden: other histories, and ranges against single pages."""

from __future__ import annotations

from typing import Any

import numpy as np

from anonlab.course.judging.call_answers import Question, judge, judge_all, load_beside
from anonlab.course.judging.families import histories

public = load_beside(__file__, "../public/test_ex04a_fork.py")


def test_other_histories(student: Any, seed: int) -> None:
    """Both functions are right on histories that nobody has seen."""
    judge(student, histories(public.FAMILIES, seed + 1000, 24), public.pages, public.GUESSES, 20)
    judge(student, histories(public.FAMILIES, seed + 1001, 24), public.ranges, least=10)


def test_range_is_page_by_page(student: Any, seed: int) -> None:
    """share_range equals share_page, page by page, and leaves its argument alone."""
    words = [0x3067, 0x5422, 0, 0x7005, 0x25, 0x102, 0x1F2] * 3
    singles = student.map("share_page", [(word,) for word in words])
    right = [list(side) for side in zip(*singles, strict=True)]
    judge_all(
        student,
        [
            Question(
                "share_range", (np.array(words),), right, "every kind of word", public.words_text
            )
        ],
    )
    none = np.zeros(0, dtype=np.int64)
    judge_all(student, [Question("share_range", (none,), [[], []], "a range without pages")])
