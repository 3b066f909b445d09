"""Exercise 07b: how many pages mremap copies under two designs."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.history_answers import read_history_answer
from anonlab.formats.history import Machine
from anonlab.histories.splitmix import SplitMix64

FAMILIES = ("16 copies", "20 copies", "24 copies", "28 copies")
MOST = 12
BEST = 93


def some(seed: int) -> int:
    """How many copies the public check wants; seed 0 is for self-study."""
    return int(FAMILIES[SplitMix64(seed).below(4) if seed else 0].split()[0])


def statement(seed: int) -> str:
    """What is to be reached."""
    return (
        f"at least {some(seed)} pages copied by mremap under anongroup, none under anon_vma_chain, "
        f"in at most {MOST} operations. The most that we have found is {BEST}."
    )


def copies(student: Any, wanted: int) -> None:
    """mremap copies `wanted` pages under anongroup, and none under anon_vma_chain."""
    mine = read_history_answer(student, MOST)
    if mine.history.machine != Machine():
        raise Wrong("the machine is to be the lesson machine: leave the line `machine` out")
    found = mine.kernel.design.cost.copies_mremap
    today = read_history_answer(
        student, MOST, design="anon_vma_chain"
    ).kernel.design.cost.copies_mremap
    if today:
        raise Wrong(f"under anon_vma_chain {today} pages are copied, none is asked for")
    if found < wanted:
        raise Wrong(
            f"mremap copies {found} pages under anongroup, {wanted} are asked for here",
            guess=why(mine.history.ops),
        )


def why(ops: Any) -> str:
    """What a history lacks that copies too little."""
    verbs = [op.verb for op in ops]
    if "mremap" not in verbs:
        return "Did you move anything? Only mremap is counted here, not copy on write."
    if "fork" not in verbs:
        return "Did you fork? A page that nobody shares moves without a copy."
    if "write" not in verbs[: verbs.index("fork")]:
        return "Did you write before the fork? A page that is not there cannot be shared."
    if verbs.index("mremap") < verbs.index("fork"):
        return "Did you move before the fork? Then the pages were not shared yet."
    if len({op.who for op in ops if op.verb == "mremap"}) == 1 and verbs.count("mremap") > 1:
        return "Did you move the same pages twice? A copy belongs to its process alone, and moves for nothing."
    if verbs.count("mremap") == 1:
        return "Did you let one process move only? A second fork shares the old pages again."
    return "Did you keep all children alive? Who exits gives the frames of its copies back."


def test_some_copies(student: Any, seed: int) -> None:
    """mremap copies some pages under anongroup, none under anon_vma_chain."""
    copies(student, some(seed))
