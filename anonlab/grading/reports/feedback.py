"""Feedback for one student: a text, and a page that needs no network and runs no script."""

from __future__ import annotations

import textwrap
from typing import Any

from anonlab.grading.reports.drawn import drawings
from anonlab.grading.reports.pages import page
from anonlab.grading.reports.words import UNOFFICIAL

WIDTH = 80
"""Columns of the text."""
_FACTS = {
    "message": "",
    "call": "the call:",
    "about": "that is:",
    "expected": "expected:",
    "got": "yours:",
    "history": "the shortest history that shows it:",
    "printed": "your code printed:",
}
"""What is told of a public test, in this order, and what stands above it."""
_SIGNS = {"pass": "[x]", "skipped": "[-]", "missing": "[-]", "unchanged": "[-]"}


def feedback_html(view: dict[str, Any], name: str = "", policy: str = "") -> str:
    """Return the page for what `student_view` made."""
    exercises = [{**each, "tests": _tests(each["tests"])} for each in view["exercises"]]
    most = float(view["most"] or 0)
    percent = min(100.0, 100 * float(view["final"] or 0) / most) if most else 0.0
    more = {"name": name, "policy": policy, "exercises": exercises, "percent": f"{percent:.1f}"}
    return page("feedback.html", **{**view, **more})


def _tests(tests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the tests with what the page needs; the first failure that tells more is open."""
    opened, shown = False, []
    for test in tests:
        pictures = () if test["hidden"] else drawings(test["history"])
        body = not test["hidden"] and any(test[name] for name in _FACTS)
        first = bool(body) and test["status"] != "pass" and not opened
        opened = opened or first
        shown.append({**test, "pictures": pictures, "body": body, "opened": first})
    return shown


def feedback_text(view: dict[str, Any], name: str = "", policy: str = "") -> str:
    """Return the same as text of at most WIDTH columns, but for what student code returned."""
    lines = [] if view["official"] else [UNOFFICIAL, ""]
    lines += [view["assignment"], "=" * min(WIDTH, len(view["assignment"]))]
    lines += [f"{name} ({view['student']})" if name else view["student"] or view["submission"], ""]
    lines += _grade(view, policy)
    for note in view["notes"]:
        lines += _wrapped(note)
    if view["ignored"]:
        lines += _wrapped("Ignored, because no exercise asks for it: " + ", ".join(view["ignored"]))
    for exercise in view["exercises"]:
        lines += ["", *_exercise(exercise)]
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def _grade(view: dict[str, Any], policy: str) -> list[str]:
    lines = [f"Grade: {view['final']} of {view['most']} points" if view["final"] else "No grade."]
    if view["status"] != "graded":
        lines += _wrapped(f"{view['meaning']} {view['reason']}".rstrip())
    if view["final"] and (view["days_late"] or view["reasons"]):
        lines.append(f"  checks: {view['score'] or 'none'}")
        if view["days_late"]:
            lines += _wrapped(f"days late: {view['days_late']}: -{view['penalty']} {policy}", "  ")
        lines += [line for each in view["reasons"] for line in _wrapped(f"by hand {each}", "  ")]
    if view["received"]:
        lines.append(f"Received {view['received']}.")
    if view["due"]:
        lines.append(f"Due {view['due']}.")
    return lines


def _exercise(exercise: dict[str, Any]) -> list[str]:
    title = f"{exercise['number']} · {exercise['title']}".removesuffix(" · ")
    lines = _wrapped(f"{title}: {exercise['points']} of {exercise['most']} points")
    lines += ["-" * min(WIDTH, len(lines[0]))]
    lines += [f"Public checks: {exercise['public']} passed. Hidden: {exercise['hidden']} passed."]
    for test in exercise["tests"]:
        lines += ["", *_test(test)]
    return lines


def _test(test: dict[str, Any]) -> list[str]:
    points = f"{test['points']} of {test['most']}" if test["points"] else "no points yet"
    kind = "hidden, " if test["hidden"] else ""
    sign = _SIGNS.get(test["status"], "[ ]")
    lines = _wrapped(f"{sign} {test['title']} ({kind}{test['meaning']}, {points})", "", "    ")
    if test["hint"] and test["status"] != "pass":
        lines += _wrapped(f"hint: {test['hint']}", "    ")
    if test["hidden"]:
        return lines
    for name, head in _FACTS.items():
        if test[name]:
            lines += [f"    {head}"] if head else []
            lines += textwrap.indent(test[name], "      " if head else "    ").splitlines()
    for drawn in drawings(test["history"]):
        lines += ["", f"    {drawn.says}:"]
        lines += textwrap.indent(drawn.twin, "      ").splitlines()
    return lines


def _wrapped(text: str, first: str = "", more: str | None = None) -> list[str]:
    more = first if more is None else more
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=more, break_long_words=False
    ) or [""]
