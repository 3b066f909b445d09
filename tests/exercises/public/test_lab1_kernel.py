"""Lab 1: the student's machine beside the simulated kernel, and the student's own tests."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.marks import needs
from anonlab.course.lab.histories import lab_histories
from anonlab.course.lab.judge import judge_lab
from anonlab.course.lab.own_tests import kill_at_least


def test_one_process(student: Any, seed: int) -> None:
    """Milestone 1: one process maps, reads, writes and unmaps."""
    judge_lab(student, lab_histories(("alone",), seed, 8))


@needs("test_one_process")
def test_fork(student: Any, seed: int) -> None:
    """Milestone 2: fork shares, and the first write copies."""
    judge_lab(student, lab_histories(("forks",), seed, 10))


@needs("test_fork")
def test_exit(student: Any, seed: int) -> None:
    """Milestone 3: exit and execve give back what nobody has any more."""
    judge_lab(student, lab_histories(("exits",), seed, 10))


@needs("test_fork")
def test_mremap(student: Any, seed: int) -> None:
    """Milestone 4: mremap moves pages, and copies those that are shared."""
    judge_lab(student, lab_histories(("moves",), seed, 10))


@needs("test_fork")
def test_reverse_map(student: Any, seed: int) -> None:
    """Milestone 5: the walk of every frame finds everybody who maps it."""
    judge_lab(student, lab_histories(("forks", "exits", "moves"), seed, 9), walks=True)


@needs("test_fork")
def test_devices_and_short_memory(student: Any, seed: int) -> None:
    """Milestone 6: devices hold pages, memory runs out, and what fails changes nothing."""
    judge_lab(student, lab_histories(("pins", "few frames"), seed, 12))


def test_notices_6(student: Any, seed: int) -> None:
    """Milestone 7: your tests pass on the right machine and notice 6 faulty ones."""
    kill_at_least(student, 6)
