"""Exercise 08b, hidden: more mutants."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import load_beside

public = load_beside(__file__, "../public/test_ex08b_mutants.py")


def test_kills_four(student: Any, seed: int) -> None:
    """The history kills four mutants."""
    public.kills_at_least(student, seed, 4)


def test_kills_all(student: Any, seed: int) -> None:
    """The history kills all mutants."""
    public.kills_at_least(student, seed, len(public.mutants(seed)))
