"""Exercise 10b: a history after which the anon memory group and today's kernel differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.history_answers import HistoryAnswer, read_history_answer
from anonlab.course.judging.state import machine_state
from anonlab.histories.splitmix import SplitMix64
from anonlab.machine.words import PTE_PRESENT, PTE_SHIFT

MOST = 10
TODAY = "anon_vma_chain"
Counts = dict[tuple[str, int], int]
"""(process, page number) -> mapcount of the anonymous page there."""


class Both(NamedTuple):
    """A student's history under both designs: mapcounts, and where they differ."""

    answer: HistoryAnswer
    group: Counts
    today: Counts

    @property
    def differ(self) -> list[tuple[str, int]]:
        """The places with other mapcounts."""
        return [at for at, n in self.group.items() if self.today.get(at, n) != n]


class Goal(NamedTuple):
    """What is asked: in words, as a test, and the operations that we need."""

    words: str
    reached: Callable[[Both], bool]
    nops: int


def _one_address(both: Both) -> bool:
    """Whether two processes differ at one address, to which one of them has moved its page."""
    moves = [op for op in both.answer.history.ops if op.verb == "mremap" and "to" in op.args]
    moved = {
        (op.who, (int(op.args["to"]) >> 12) + at)
        for op in moves
        for at in range(int(op.args["pages"]))
    }
    vpns = [vpn for _, vpn in both.differ]
    return any(place in moved and vpns.count(place[1]) > 1 for place in both.differ)


GOALS = {
    "two": Goal("at least 2 places with other mapcounts", lambda both: len(both.differ) >= 2, 5),
    "three": Goal(
        "a place where today's kernel has a mapcount of 3, and anongroup one of 1",
        lambda both: any((both.group[at], both.today[at]) == (1, 3) for at in both.differ),
        6,
    ),
    "eight": Goal("at least 8 places with other mapcounts", lambda both: len(both.differ) >= 8, 5),
    "one address": Goal(
        "two processes that have other mapcounts at one address, to which one of them has moved",
        _one_address,
        6,
    ),
}


def goal(seed: int) -> Goal:
    """The goal of a variant; seed 0 is for self-study."""
    names = list(GOALS)
    return GOALS[names[SplitMix64(seed).below(len(names))] if seed else names[0]]


def statement(seed: int) -> str:
    """What is to be reached."""
    return f"{goal(seed).words} (we need {goal(seed).nops} operations)"


def counts(kernel: Any) -> Counts:
    """The mapcount at every place with an anonymous page."""
    state = machine_state(kernel)
    return {
        (who, vpn): state.mapcount[word >> PTE_SHIFT]
        for who in state.one_each()
        for vpn, word in state.private(who).items()
        if word & PTE_PRESENT and word >> PTE_SHIFT
    }


def both_of(student: Any) -> Both:
    """The student's history under both designs."""
    group, today = (
        read_history_answer(student, MOST),
        read_history_answer(student, MOST, design=TODAY),
    )
    return Both(group, counts(group.kernel), counts(today.kernel))


def why(both: Both, wanted: Goal) -> str:
    """What may be missing."""
    ops = both.answer.history.ops
    verbs = [op.verb for op in ops]
    if "fork" not in verbs:
        return "Did you fork? A page that nobody shares moves without a copy under both."
    fork = verbs.index("fork")
    if "write" not in verbs[:fork]:
        return "Did you write before the fork? What was only read is the zero page: nobody's."
    if "mremap" not in verbs:
        return "Did you move anything? Fork, copy on write and exit are the same under both."
    if "fork" not in verbs[: verbs.index("mremap")]:
        return "Did you move before the fork? Then the page was not shared yet."
    if not both.differ and "write" in verbs[verbs.index("mremap") :]:
        return "Did somebody write after the move? Then today's kernel has copied as well."
    if not both.differ and {"exit", "execve"} & {*verbs[verbs.index("mremap") :]}:
        return "Did a sharer go? When the other one has left, both have a mapcount of 1."
    return f"Look at the task again: {wanted.words}; yours differs at {len(both.differ)} places."


def reaches(student: Any, seed: int) -> Both:
    """The student's history, if it reaches the goal."""
    wanted, both = goal(seed), both_of(student)
    if not wanted.reached(both):
        places = ", ".join(
            f"{who} at {vpn << 12:#x}: {both.group[who, vpn]} and {both.today[who, vpn]}"
            for who, vpn in both.differ
        )
        raise Wrong(
            f"asked for: {wanted.words}",
            expected="other mapcounts under anongroup and today",
            got=places or "the same everywhere",
            guess=why(both, wanted),
        )
    return both


def test_the_two_differ(student: Any, seed: int) -> None:
    """After the history the two kernels differ as asked."""
    reaches(student, seed)
