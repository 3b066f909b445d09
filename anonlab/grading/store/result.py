"""What grading one submission gave: a verdict for every test that was expected, as plain data.

0.0, missing, unchanged and trouble of the grader stay four different things: `points` is None where
no verdict was reached, and `Result.score` is None unless the submission was graded or unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FORMAT, VERSION = "anonlab-grade", 1
STUDENTS_DOING = (
    "pass",
    "fail",
    "skipped",
    "error-import",
    "timeout",
    "crash",
    "limit-memory",
    "limit-output",
    "protocol",
    "missing",
    "unchanged",
)
"""Statuses of a test that are the student's doing, and so have points; the other is `infra`."""
STATUSES = ("graded", "missing", "unchanged", "rejected", "infra")
"""Statuses of a submission."""


@dataclass(frozen=True, slots=True)
class TestResult:
    """How one test of one exercise ended.

    status   of STUDENTS_DOING, or "infra"
    points   of `most`; None for infra
    hint     the author's words for this failure; may be shown for hidden tests too
    shown    for students, public tests only: message, call, about, expected, got, history (of which
             reports draw pictures), printed. What is unknown is left out. Always empty for hidden
             tests
    private  for instructors only: the same of hidden tests, and seed, limits that were hit, …
    """

    exercise: str
    test: str
    title: str
    hidden: bool
    status: str
    points: float | None
    most: float
    hint: str = ""
    shown: dict[str, str] = field(default_factory=dict)
    private: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How one submission ended. `key` is the content key of the store; `timing` has durations and
    is the only part that may differ when the same thing is graded again."""

    submission: str
    student: str
    assignment: str
    key: str
    status: str
    tests: tuple[TestResult, ...] = ()
    reason: str = ""
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    official: bool = True
    timing: dict[str, float] = field(default_factory=dict)

    @property
    def most(self) -> float:
        """Points that could be had."""
        return round(sum(each.most for each in self.tests), 6)

    @property
    def score(self) -> float | None:
        """Points reached; None if this submission has no score: missing, rejected or infra."""
        if self.status not in ("graded", "unchanged"):
            return None
        return round(sum(each.points or 0.0 for each in self.tests), 6)
