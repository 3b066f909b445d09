"""Exercise 06b, hidden: the copies."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import Wrong, load_beside

public = load_beside(__file__, "../public/test_ex06b_cheap_exec.py")


def test_few_copies(student: Any, seed: int) -> None:
    """Hardly a page is copied."""
    copies = public.parted(student, seed).kernel.design.cost.copies_cow
    if copies > public.COPIES:
        raise Wrong(
            f"{copies} pages were copied because somebody wrote, at most {public.COPIES} is asked for",
            guess="Did somebody write shared pages before execve? Each such write copies a page.",
        )
