"""The wrong ideas behind a class's wrong answers, most held first: what the next lecture is about.

A wrong answer that is the answer of a known mistake got "did you …?" from the test. Who got the
same question for several checks of an exercise has one idea, not several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from anonlab.grading.reports.late import Grade
from anonlab.grading.reports.words import MEANING
from anonlab.grading.store.result import STUDENTS_DOING, TestResult

UNKNOWN = "wrong in another way"
ENDED = {status: MEANING[status] for status in STUDENTS_DOING if status not in ("pass", "fail")}
"""What stands for an idea where a check ended otherwise than with a wrong answer."""
_EXAMPLE = ("call", "about", "expected", "got", "history")
"""What an example tells, in this order."""


@dataclass
class _Idea:
    """What is known of one idea. `students` are those who hold it, by submission; `checks` titles
    of checks that it failed; `example` the first call that shows it."""

    exercise: str
    idea: str
    known: bool
    students: dict[str, None] = field(default_factory=dict)
    checks: dict[str, None] = field(default_factory=dict)
    example: dict[str, str] = field(default_factory=dict)


def ideas_of(grades: Sequence[Grade]) -> list[dict[str, Any]]:
    """Return the wrong ideas of a class as plain data, those of most students first.

    Each has exercise, idea, known, students (how many), tried (how many tried the exercise),
    checks, and an example. What is of no known mistake stands after them, by how it ended.
    """
    found: dict[tuple[str, str], _Idea] = {}
    tried: dict[str, set[str]] = {}
    for grade in grades:
        whose = grade.result.submission
        for exercise, missed in _missed(grade.result.tests, tried, whose).items():
            named = [test for test in missed if test.hint]
            for test in named or missed:
                key = exercise, test.hint or ENDED.get(test.status, UNKNOWN)
                idea = found.setdefault(key, _Idea(*key, bool(test.hint)))
                idea.students[whose] = None
                idea.checks[test.title] = None
                idea.example = idea.example or _example(test)
    rows = [_row(each, len(tried[each.exercise])) for each in found.values()]
    return sorted(rows, key=lambda row: (not row["known"], -row["students"]))


def _row(idea: _Idea, tried: int) -> dict[str, Any]:
    return {
        "exercise": idea.exercise,
        "idea": idea.idea,
        "known": idea.known,
        "students": len(idea.students),
        "tried": tried,
        "checks": list(idea.checks),
        "example": idea.example,
    }


def _missed(
    tests: Sequence[TestResult], tried: dict[str, set[str]], whose: str
) -> dict[str, list[TestResult]]:
    """Return the wrong answers by exercise; `tried` hears who tried it. Who handed in nothing or
    the template has not; a check that was not run, or is the grader's trouble, says nothing."""
    found: dict[str, list[TestResult]] = {}
    for test in tests:
        if test.status in ("infra", "missing", "unchanged", "skipped"):
            continue
        tried.setdefault(test.exercise, set()).add(whose)
        if test.status != "pass":
            found.setdefault(test.exercise, []).append(test)
    return found


def _example(test: TestResult) -> dict[str, str]:
    facts = {**test.private, **test.shown}
    told = {name: str(facts[name]) for name in _EXAMPLE if facts.get(name)}
    if not told and facts.get("message"):
        return {"message": str(facts["message"])}
    return told
