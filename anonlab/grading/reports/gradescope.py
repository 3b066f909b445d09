"""Gradescope's results.json: made of what a student may know, and no score where there is none."""

from __future__ import annotations

import math
from typing import Any

from anonlab.grading.reports.for_student import student_view
from anonlab.grading.reports.late import Grade
from anonlab.version import __version__

VISIBILITIES = ("visible", "hidden", "after_due_date", "after_published")
"""When Gradescope lets students see a test."""
_HEADS = {
    "message": "",
    "call": "the call: ",
    "about": "that is: ",
    "expected": "expected: ",
    "got": "yours: ",
    "history": "the shortest history that shows it:\n",
    "printed": "printed:\n",
}
"""What a test's output tells, in this order. Gradescope shows texts: pictures are in feedback."""


def results_json(
    grade: Grade,
    assignment: str,
    titles: dict[str, str],
    hidden: str = "after_published",
) -> dict[str, Any]:
    """Return the contents of results.json for one submission.

    hidden  one of VISIBILITIES: when students see hidden tests
    raises  ValueError for another visibility, or an unofficial grade
    """
    if hidden not in VISIBILITIES:
        raise ValueError(f"hidden tests are {', '.join(VISIBILITIES)}; got {hidden!r}")
    if not grade.result.official:
        raise ValueError("an unofficial grade is none for Gradescope: grade with the box")
    view = student_view(grade, assignment, titles)
    plain = {
        "output": _about(view, hidden == "visible"),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": math.ceil(grade.result.timing.get("seconds", 0.0)),
        "extra_data": {
            "status": view["status"],
            "key": grade.result.key,
            "submission": view["submission"],
            "anonlab": __version__,
        },
        "tests": [
            _test(f"{exercise['number']}.{at}", test, hidden, grade.final is not None)
            for exercise in view["exercises"]
            for at, test in enumerate(exercise["tests"], 1)
        ],
    }
    return plain if grade.final is None else {"score": grade.final, **plain}


def _test(place: str, test: dict[str, Any], hidden: str, scored: bool) -> dict[str, Any]:
    plain = {
        "number": place,
        "name": test["title"],
        "name_format": "text",
        "max_score": float(test["most"]),
        "output": _output(test),
        "output_format": "text",
        "visibility": hidden if test["hidden"] else "visible",
        "tags": [test["exercise"]],
        "extra_data": {"status": test["status"]},
    }
    if test["status"] != "infra":
        plain["status"] = "passed" if test["status"] == "pass" else "failed"
    if scored and test["points"]:  # Gradescope adds these up where there is no score at the top
        plain["score"] = float(test["points"])
    return plain


def _output(test: dict[str, Any]) -> str:
    parts = [test["meaning"]]
    if test["hint"]:
        parts.append(test["hint"])
    parts += [f"{head}{test[name]}" for name, head in _HEADS.items() if test.get(name)]
    return "\n".join(parts)


def _about(view: dict[str, Any], all_: bool) -> str:
    """Return what is said of the submission at once: not how hidden checks went, unless `all_`."""
    lines = [view["meaning"], view["reason"], *view["notes"]]
    if view["ignored"]:
        lines.append(f"Ignored, not needed: {', '.join(view['ignored'])}")
    for exercise in view["exercises"]:
        lines.append(
            f"{exercise['number']}: public checks: {exercise['public']} passed"
            + (f", hidden: {exercise['hidden']} passed" if all_ else "")
        )
    if view["days_late"]:
        lines.append(f"days late: {view['days_late']}, which costs {view['penalty']} points")
    lines += view["reasons"]
    return "\n".join(line for line in lines if line)
