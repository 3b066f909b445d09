"""Exercise 07b, hidden: more copies."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import load_beside

public = load_beside(__file__, "../public/test_ex07b_costly_move.py")


def test_many_copies(student: Any, seed: int) -> None:
    """mremap copies 45 pages."""
    public.copies(student, 45)


def test_most_copies(student: Any, seed: int) -> None:
    """mremap copies as many pages as we have found."""
    public.copies(student, public.BEST)
