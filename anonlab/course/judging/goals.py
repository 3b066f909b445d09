"""Goals of history exercises: what a learner's history must reach, made from a seed.

A goal is what a history of our own leads to, so that it can be reached, and we know how short.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anonlab.course.judging.history_answers import sharing, sharing_text
from anonlab.course.judging.state import state_after
from anonlab.formats.history_text import parse
from anonlab.histories.splitmix import SplitMix64


@dataclass(frozen=True)
class Goal:
    """A state to reach: who shares what, and how many operations we need for it."""

    state: dict[str, list[list[str]]]
    nops: int

    def __str__(self) -> str:
        return f"{sharing_text(self.state)}\n    (we need {self.nops} operations)"


def one_child(rng: SplitMix64) -> str:
    """A child writes some of the pages that it shares."""
    pages = rng.between(2, 4)
    at, writer = rng.below(pages - 1), rng.choice(("child", "shell"))
    return _story(pages, ["child = fork shell", f"{writer} write {_page(at)} 9"])


def two_children(rng: SplitMix64) -> str:
    """Two children, each with something of its own."""
    one, two = rng.below(2), rng.between(2, 3)
    forks = ["child = fork shell", "other = fork shell"]
    return _story(4, [*forks, f"child write {_page(one)} 8", f"other write {_page(two)} 9"])


def grandchild(rng: SplitMix64) -> str:
    """A child writes before it forks itself."""
    at = rng.below(3)
    second = ["grandchild = fork child", f"shell write {_page((at + 1) % 4)} 9"]
    return _story(4, ["child = fork shell", f"child write {_page(at)} 8", *second])


def late_page(rng: SplitMix64) -> str:
    """A page that is touched only after the fork."""
    writer = rng.choice(("child", "shell"))
    return _story(rng.between(1, 3), ["child = fork shell", f"{writer} write {_page(3)} 9"])


def _page(number: int) -> str:
    return f"{0x30000 + number * 4096:#x}"


def _story(pages: int, rest: list[str]) -> str:
    start = ["shell = spawn", "shell mmap 0x30000 4", f"shell write 0x30000 1 {pages}"]
    return "\n".join([*start, *rest]) + "\n"


SELF_STUDY = _story(3, ["child = fork shell", "child write 0x31000 9"])
GOALS: dict[str, Callable[[SplitMix64], str]] = {
    "one child": one_child,
    "two children": two_children,
    "grandchild": grandchild,
    "late page": late_page,
}


def goal(seed: int) -> Goal:
    """Return the goal of a variant; seed 0 is for self-study."""
    rng = SplitMix64(seed)
    name = rng.choice(list(GOALS))
    history = parse(GOALS[name](rng) if seed else SELF_STUDY)
    return Goal(sharing(state_after(history)), len(history.ops))
