"""What needs a person: handed in but not taken, doubtful, lateness unknown. One entry for each
student and reason, with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from anonlab.grading.intake.accept import NO_ANSWER
from anonlab.grading.intake.submission import Submission
from anonlab.grading.reports.words import DO

_LOOKS_LIKE_WORK = (".py", ".ipynb", ".txt", ".md", ".docx", ".pdf", ".html", ".zip", ".rar",
                    ".7z", ".gz", ".tar")  # fmt: skip
_NUMBER = re.compile(r"\d\d[a-z]|lab\d")
"""Of an exercise."""
_NAMED = 5
"""So many names stand in one reason."""


@dataclass(frozen=True)
class Attention:
    """One thing about one student: `status` is what, `reason` why; `student` is "" if nobody knows
    whose it is, or if it is about all."""

    status: str
    student: str
    submission: str
    reason: str

    def to_plain(self) -> dict[str, str]:
        """Return it as the summary has it."""
        return {**asdict(self), "do": DO[self.status]}


def attention_of(submissions: list[Submission], deadline: bool) -> list[Attention]:
    """Return what of the submissions needs somebody, the most urgent first.

    deadline  there is one, so that it matters when a submission came
    """
    found = [
        *(each for submission in submissions for each in _unmatched(submission)),
        *(each for submission in submissions for each in _not_taken(submission)),
        *(each for submission in submissions for each in _doubts(submission)),
    ]
    return [*found, *_lateness(submissions, deadline)]


def _lateness(submissions: list[Submission], deadline: bool) -> Iterator[Attention]:
    """Yield who came late by an unknown time, and of how many nobody says when they came."""
    untimed = [each for each in submissions if each.student and each.received is None and deadline]
    for each in untimed:
        if each.late:
            why = "its name says LATE; no table says by how much, so it costs nothing"
            yield Attention("lateness", each.student, each.id, why)
    if untimed:
        told = f"lateness is unknown for {len(untimed)} of {len(submissions)} submissions"
        yield Attention("lateness", "", "", f"{told}: no table says when they came")


def _unmatched(submission: Submission) -> Iterator[Attention]:
    if not submission.student:
        yield Attention("unmatched", "", submission.id, submission.rejected)


def _not_taken(submission: Submission) -> Iterator[Attention]:
    """Yield what was handed in and answers nothing, where an answer is missing."""
    if submission.rejected:
        return
    work = [fate.name for fate in submission.fates
            if fate.why == NO_ANSWER and fate.name.lower().endswith(_LOOKS_LIKE_WORK)]  # fmt: skip
    missing = [note for note in submission.notes if ": no file named " in note]
    if not submission.files and submission.fates:
        names = _some(work or [fate.name for fate in submission.fates])
        why = f"handed in, but nothing was taken: {names}"
        yield Attention("missing", submission.student, submission.id, why)
    elif missing and work:
        numbers = ", ".join(note.partition(":")[0] for note in missing)
        why = f"no answer to {numbers}; not taken: {_some(work)}"
        yield Attention("missing", submission.student, submission.id, why)


def _doubts(submission: Submission) -> Iterator[Attention]:
    for doubt in submission.doubts:
        number = doubt.partition(":")[0]
        lost = _NUMBER.fullmatch(number) and number not in submission.files
        status = "missing" if lost else "ambiguous"
        yield Attention(status, submission.student, submission.id, doubt)


def _some(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    return ", ".join(shown[:_NAMED]) + more
