"""Lab 1, hidden: other and longer histories, what walks and copies cost, more faulty machines."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.marks import needs
from anonlab.course.lab.histories import CORNERS, lab_histories, large_family, moments
from anonlab.course.lab.judge import Divergence, LabCost, follow, judge_lab
from anonlab.course.lab.own_tests import FAULTY, kill_at_least
from anonlab.formats.history import History
from anonlab.formats.history_text import parse

RUNS_OUT = ("write", "fork", "mremap", "execve", "pin")
"""The calls that memory can be too short for."""


def test_one_process_again(student: Any, seed: int) -> None:
    """Milestone 1 on histories that nobody has seen."""
    judge_lab(student, lab_histories(("alone",), seed + 1000, 10, 50))


@needs("test_one_process_again")
def test_fork_again(student: Any, seed: int) -> None:
    """Milestone 2 on histories that nobody has seen."""
    judge_lab(student, lab_histories(("forks",), seed + 1001, 12, 50))
    try:
        follow(student, large_family(), walks=False)
    except Divergence as found:
        guess = "How many may have one frame? Nothing says that they are few."
        raise Wrong(f"in a family of 257: {found.what}", guess=guess) from None


@needs("test_fork_again")
def test_exit_again(student: Any, seed: int) -> None:
    """Milestone 3 on histories that nobody has seen."""
    judge_lab(student, lab_histories(("exits",), seed + 1002, 12, 50))


@needs("test_fork_again")
def test_mremap_again(student: Any, seed: int) -> None:
    """Milestone 4 on histories that nobody has seen."""
    judge_lab(student, lab_histories(("moves",), seed + 1003, 14, 50))


@needs("test_fork_again")
def test_reverse_map_again(student: Any, seed: int) -> None:
    """Milestone 5 on histories that nobody has seen."""
    judge_lab(student, lab_histories(("all",), seed + 1004, 14, 50), walks=True)


@needs("test_fork_again")
def test_short_memory_again(student: Any, seed: int) -> None:
    """Milestone 6 on histories that nobody has seen."""
    histories = lab_histories(("few frames", "pins", "few frames", "very few"), seed + 1005, 24, 50)
    failed = {step.call.function for each in histories for step in moments(each)
              if step.result == "ENOMEM"}  # fmt: skip
    assert failed == set(RUNS_OUT), f"memory was never too short for {set(RUNS_OUT) - failed}"
    judge_lab(student, [*map(parse, CORNERS), *histories])


def cost(student: Any, seed: int) -> LabCost:
    """What the student's machine costs over histories of milestones 1 to 5."""
    histories: list[History] = lab_histories(("all",), seed + 1006, 5, 50)
    return judge_lab(student, histories, walks=True)


def looks(student: Any, seed: int, most: int) -> None:
    """Walks look at no more than `most` times as many places as needed."""
    found = cost(student, seed)
    if found.looks > most * found.least_looks:
        raise Wrong(
            f"walks look at {found.looks / found.least_looks:.1f} times as many places as the "
            f"group of the mail needs; {most} is asked for here",
            guess="Is somebody in a group who left it by exit or execve? Or in two?",
        )


@needs("test_reverse_map_again")
def test_few_looks(student: Any, seed: int) -> None:
    """Walks look at twice as many places as needed, at most."""
    looks(student, seed, 2)


@needs("test_reverse_map_again")
def test_fewest_looks(student: Any, seed: int) -> None:
    """Walks look at no more places than needed."""
    looks(student, seed, 1)


@needs("test_reverse_map_again")
def test_no_needless_copy(student: Any, seed: int) -> None:
    """A page keeps its frame wherever the kernel leaves it alone."""
    found = cost(student, seed)
    if found.copies:
        raise Wrong(
            f"{found.copies} words got another frame although nobody needed it",
            guess="Did you copy for a writer who is alone with the frame? Or give the copy to "
            "somebody else than the writer?",
        )


def test_notices_12(student: Any, seed: int) -> None:
    """Your tests notice 12 faulty machines."""
    kill_at_least(student, 12)


def test_notices_all(student: Any, seed: int) -> None:
    """Your tests notice every faulty machine."""
    kill_at_least(student, len(FAULTY))
