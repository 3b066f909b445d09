"""Exercise 10b, hidden: how short the history is."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import Wrong, load_beside

public = load_beside(__file__, "../public/test_ex10b_two_kernels.py")
START = "p = spawn\np mmap 0x30000 {n}\np write 0x30000 7 {n}\nc = fork p\n"
OURS = {
    "two": START.format(n=1) + "c mremap 0x30000 1 to 0x80000\n",
    "three": START.format(n=1) + "d = fork p\nc mremap 0x30000 1 to 0x80000\n",
    "eight": START.format(n=4) + "c mremap 0x30000 4 to 0x80000\n",
    "one address": (
        START.format(n=1) + "c mremap 0x30000 1 to 0x80000\nc mremap 0x80000 1 to 0x30000\n"
    ),
}


class Ours:
    """Us as a student: what we ask for can be done, in so many operations."""

    def __init__(self, name: str) -> None:
        self.name = name

    def history(self) -> str:
        """Our own history."""
        return OURS[self.name]


def no_longer(student: Any, seed: int, more: int) -> None:
    """The history needs at most `more` operations more than ours."""
    wanted = public.goal(seed)
    name = next(name for name, each in public.GOALS.items() if each is wanted)
    ours = public.both_of(Ours(name))
    assert wanted.reached(ours), f"our own history does not reach {name}"
    assert ours.answer.nops == wanted.nops, f"{name}: we need {ours.answer.nops} operations"
    mine = public.reaches(student, seed)
    if mine.answer.nops > wanted.nops + more:
        raise Wrong(
            f"your history has {mine.answer.nops} operations, {wanted.nops + more} are enough",
            guess="Did you keep operations that change no mapcount? Leave one out and try again.",
        )


def test_is_short(student: Any, seed: int) -> None:
    """The history is not much longer than needed."""
    no_longer(student, seed, 2)


def test_is_shortest(student: Any, seed: int) -> None:
    """The history is as short as the shortest that we know."""
    no_longer(student, seed, 0)
