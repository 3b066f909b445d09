"""Exercise 06b: fork and exec, with copies counted."""

from __future__ import annotations

from collections import Counter
from typing import Any

from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.history_answers import HistoryAnswer, read_history_answer
from anonlab.course.judging.state import MachineState, before_after
from anonlab.histories.splitmix import SplitMix64

FAMILIES = ("12 frames", "16 frames", "20 frames", "24 frames")
MOST = 12
COPIES = 1


def frames(seed: int) -> int:
    """How many frames must be shared; seed 0 is for self-study."""
    return int(FAMILIES[SplitMix64(seed).below(4) if seed else 0].split()[0])


def statement(seed: int) -> str:
    """What is to be shown."""
    return (
        f"at least {frames(seed)} frames shared at one time, at most {COPIES} page copied on write"
    )


def shared(state: MachineState) -> int:
    """How many frames more than one address space maps."""
    users = Counter(
        word >> 12
        for who in state.one_each()
        for word in state.private(who).values()
        if word & 1 and word >> 12
    )
    return sum(number > 1 for number in users.values())


def parted(student: Any, seed: int) -> HistoryAnswer:
    """The student's history, if it shares enough and ends as asked."""
    mine = read_history_answer(student, MOST)
    most = max(shared(moment.after) for moment in before_after(mine.history))
    wanted = frames(seed)
    if most < wanted:
        verbs = [op.verb for op in mine.history.ops]
        guess = (
            "Did you fork? Nobody shares anything before."
            if "fork" not in verbs
            else "Did you count processes? After vfork two of them are in one address space: nothing is shared."
            if "vfork" in verbs or "clone_vm" in verbs
            else "Did you write the pages before the fork? A page that nobody wrote has no frame."
        )
        raise Wrong(
            f"at most {most} frames are shared at a time, {wanted} are asked for", guess=guess
        )
    children = {op.who for op in mine.history.ops if op.verb == "fork"}
    if not any(op.verb == "execve" and op.who in children for op in mine.history.ops):
        raise Wrong("no forked child calls execve", guess="Did the parent call execve, or nobody?")
    last = before_after(mine.history)[-1].after
    if len(last.words) != 2 or len(last.one_each()) != 2 or shared(last):
        raise Wrong(
            f"at the end {len(last.words)} processes live, in {len(last.one_each())} address spaces, and share {shared(last)} frames",
            guess="Did a third process stay, or did somebody exit? Two live at the end, and share nothing.",
        )
    return mine


def test_shares_and_parts(student: Any, seed: int) -> None:
    """Many frames are shared, and then none."""
    parted(student, seed)
