"""Exercise 05b, hidden: how short the history is, against histories of our own."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import Wrong, load_beside
from anonlab.course.judging.history_answers import mutant_failure
from anonlab.formats.history_text import parse

public = load_beside(__file__, "../public/test_ex05b_kill_a_mutant.py")
START = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\nc = fork p\n"
OURS = {
    "shared": f"{START}c write 0x30000 9\n",
    "never": f"{START}c write 0x30000 9\np write 0x30000 8\n",
    "parent": f"{START}p write 0x30000 9\n",
    "contents": "p = spawn\np mmap 0x30000 1\np write 0x30000 7\nc = fork p\nc pin 0x30000\n",
}


def no_longer(student: Any, seed: int, more: int) -> None:
    """The history needs at most `more` operations more than ours."""
    name = public.mutant(seed)
    short = next(key for key, each in public.MUTANTS.items() if each == name)
    ours = parse(OURS[short])
    assert mutant_failure(ours, name), f"our own history does not kill {name}"
    mine = public.killer(student, seed)
    if mine.nops > len(ours.ops) + more:
        raise Wrong(
            f"your history has {mine.nops} operations, {len(ours.ops) + more} are enough",
            guess="Did you keep operations that the bug does not need? Leave one out and try again.",
        )


def test_is_short(student: Any, seed: int) -> None:
    """The history is not much longer than needed."""
    no_longer(student, seed, 2)


def test_is_shortest(student: Any, seed: int) -> None:
    """The history is as short as the shortest that we know."""
    no_longer(student, seed, 0)
