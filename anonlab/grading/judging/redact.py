"""What is said of one test, to whom: built from the few things that each may see.

For a hidden test nothing that came out of a box, no input and no expected value is for students;
only the words that its author wrote for this failure are.
"""

from __future__ import annotations

from typing import Any

from anonlab.box.wire import clean
from anonlab.formats.history_text import format as history_text
from anonlab.grading.judging.plugin import JudgedOutcome, Wanted
from anonlab.grading.store.result import TestResult

LONGEST = 20_000
"""Characters of a text that a result keeps, printed text aside."""


def redact_outcome(wanted: Wanted, outcome: JudgedOutcome) -> TestResult:
    """Return the result of one test."""
    facts = _facts(outcome)
    private: dict[str, Any] = {"seed": wanted.seed}
    if outcome.private:
        private["trouble"] = clean(outcome.private)
    if wanted.hidden or outcome.status == "infra":
        shown: dict[str, str] = {}
        private |= facts
    else:
        shown = facts  # reports draw the history
    return TestResult(
        exercise=wanted.exercise,
        test=wanted.name,
        title=wanted.title,
        hidden=wanted.hidden,
        status=outcome.status,
        points=_points(wanted, outcome),
        most=wanted.most,
        hint=clean(outcome.wrong.guess) if outcome.wrong is not None else "",
        shown=shown,
        private=private,
    )


def _points(wanted: Wanted, outcome: JudgedOutcome) -> float | None:
    if outcome.status == "infra":
        return None
    return wanted.most if outcome.status == "pass" else 0.0


def _facts(outcome: JudgedOutcome) -> dict[str, str]:
    """Return all that is known of a failure as text; what is empty is left out."""
    found = {"message": outcome.message, "printed": outcome.printed}
    if (wrong := outcome.wrong) is not None:
        found |= {
            "call": wrong.call,
            "about": wrong.about,
            "expected": wrong.expected,
            "got": wrong.got,
            "history": history_text(wrong.history) if wrong.history is not None else "",
        }
    cut = {
        name: clean(text)[: None if name == "printed" else LONGEST] for name, text in found.items()
    }
    return {name: text for name, text in cut.items() if text}
