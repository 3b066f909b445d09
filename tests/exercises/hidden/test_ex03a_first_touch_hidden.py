"""Exercise 03a, hidden: other histories, and ranges against single pages."""

from __future__ import annotations

from typing import Any

import numpy as np

from anonlab.course.judging.call_answers import Question, judge, judge_all, load_beside
from anonlab.course.judging.families import histories

public = load_beside(__file__, "../public/test_ex03a_first_touch.py")


def test_other_histories(student: Any, seed: int) -> None:
    """Both functions are right on histories that nobody has seen."""
    judge(student, histories(public.FAMILIES, seed + 1000, 24), public.pages, public.GUESSES, 30)
    judge(student, histories(public.FAMILIES, seed + 1001, 24), public.ranges, least=20)


def test_range_is_page_by_page(student: Any, seed: int) -> None:
    """touch_range equals touch_page, page by page."""
    words = [0, 0x25, 0x5067, 0, 0x6067, 0x25, 0]
    for write in (False, True):
        pfns = iter(range(20, 40))
        calls = [(word, write, 99 if word >> 12 else next(pfns)) for word in words]
        right = student.map("touch_page", calls)
        args = (np.array(words), write, np.arange(20, 40))
        judge_all(
            student, [Question("touch_range", args, right, "every kind of word", public.words_text)]
        )
