"""The words of all reports: statuses in sentences, numbers and times as text."""

from __future__ import annotations

from datetime import datetime

UNOFFICIAL = "UNOFFICIAL: made without a box. These are no grades."
STATUS_WORDS = {
    "graded": "Graded.",
    "missing": "Nothing to grade: no file of the expected name was handed in.",
    "unchanged": "The template was handed in unchanged.",
    "rejected": "The submission could not be taken in.",
    "infra": "The grader had trouble. This is no grade; your instructor knows.",
}
"""By status of a submission."""
DO = {
    "unmatched": "not graded yet: put the student's id into its name, correct the roster, or give "
    "--names a pattern; then run the same command again",
    "rejected": "ask for another copy, or unpack it yourself with care; put that in its place and "
    "run the same command again",
    "missing": "look at what came (files.csv beside this page); give an answer the name that the "
    "file had when it was handed out, and run the same command again",
    "ambiguous": "look at it; what is graded stands in grades.csv. To count something else, remove "
    "what should not count, and run the same command again",
    "infra": "run the same command again",
    "lateness": "run the same command with --received FILE: the table of times that your system "
    "exports, or one of your own with the columns student,received",
}
"""What an instructor can do about what needs attention."""
MEANING = {
    "pass": "passed",
    "fail": "not yet right",
    "skipped": "not run",
    "error-import": "the file cannot be loaded",
    "timeout": "took too long",
    "crash": "ended without an answer",
    "limit-memory": "used too much memory",
    "limit-output": "printed too much",
    "protocol": "did not return plain data",
    "missing": "not handed in",
    "unchanged": "template unchanged",
    "infra": "trouble of the grader",
}
"""By status of a test."""


def number(value: float | None) -> str:
    """Return points as text, '12.5' or '12'; '' for no points, which is not '0'."""
    if value is None:
        return ""
    return f"{round(value, 2):.2f}".rstrip("0").rstrip(".")


def when(moment: datetime | None) -> str:
    """Return a time as people of its zone read it; '' for none."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M} {moment.tzinfo}"
