"""What a student may know of a grade: plain data built field by field, never by leaving out.

Of a hidden test these are title, points, status word and the author's hint. What the box gave back,
the inputs and the seed are in a public test's `shown` only.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from anonlab.grading.reports.late import Grade
from anonlab.grading.reports.words import MEANING, STATUS_WORDS, number, when
from anonlab.grading.store.result import TestResult

SHOWN = ("message", "call", "about", "expected", "got", "history", "printed")
"""Fields of a public test that its student may read."""


def student_view(grade: Grade, assignment: str, titles: dict[str, str]) -> dict[str, Any]:
    """Return all that a report for the student of `grade` is made of.

    titles  of exercises, by number
    """
    result = grade.result
    exercises = [
        _exercise(name, titles.get(name, ""), [test_view(test) for test in tests])
        for name, tests in groupby(result.tests, key=lambda test: test.exercise)
    ]
    return {
        "assignment": assignment,
        "student": result.student,
        "submission": result.submission,
        "status": result.status,
        "meaning": STATUS_WORDS[result.status],
        "reason": result.reason if result.status in ("rejected", "missing", "unchanged") else "",
        "official": result.official,
        "score": number(result.score),
        "most": number(result.most),
        "received": when(grade.received),
        "due": when(grade.due),
        "days_late": grade.days_late,
        "penalty": number(grade.penalty),
        "adjustment": number(grade.adjustment),
        "reasons": list(grade.reasons),
        "final": number(grade.final),
        "exercises": exercises,
        "ignored": list(result.ignored),
        "notes": list(result.notes),
    }


def test_view(test: TestResult) -> dict[str, Any]:
    """Return what a student may know of one test."""
    view = {
        "exercise": test.exercise,
        "title": test.title,
        "hidden": test.hidden,
        "status": test.status,
        "meaning": MEANING[test.status],
        "points": number(test.points),
        "most": number(test.most),
        "hint": test.hint,
    }
    if test.hidden:
        return view
    return {**view, **{name: test.shown.get(name, "") for name in SHOWN}}


def _exercise(number_: str, title: str, tests: list[dict[str, Any]]) -> dict[str, Any]:
    points = [float(test["points"]) for test in tests if test["points"]]
    passed = {kind: [test["status"] == "pass" for test in tests if test["hidden"] == kind]
              for kind in (False, True)}  # fmt: skip
    return {
        "number": number_,
        "title": title,
        "tests": tests,
        "points": number(sum(points)),
        "most": number(sum(float(test["most"]) for test in tests)),
        "public": f"{sum(passed[False])} of {len(passed[False])}",
        "hidden": f"{sum(passed[True])} of {len(passed[True])}",
    }
