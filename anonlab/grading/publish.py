"""After the last verdict: grades on their terms, all reports, and the tables of what came in."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from anonlab.grading.attention import Attention, attention_of
from anonlab.grading.config import GradingRun
from anonlab.grading.give_back import FOLDER, give_back
from anonlab.grading.intake.archives import shown
from anonlab.grading.intake.intake import Survey
from anonlab.grading.intake.submission import Submission
from anonlab.grading.reports import ClassFacts, Outputs, write_all
from anonlab.grading.reports.cells import csv_text, guarded
from anonlab.grading.reports.late import grade
from anonlab.grading.store.result import Result

TOLD = 10
"""So many things that need somebody are told in the terminal; all are in the summary."""


def publish_grades(
    grading: GradingRun,
    found: Survey,
    submissions: list[Submission],
    results: list[Result],
    tick: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Write all reports; return what an instructor should look at. `tick` hears how far it is."""
    received = {each.id: each.received for each in submissions}
    grades = [
        grade(each, received[submission], grading.terms)
        for submission, each in _shared(submissions, results)
    ]
    attention = attention_of(submissions, grading.terms.due is not None)
    facts = ClassFacts(
        grading.assignment.name,
        {number: master.title for number, master in grading.masters.items()},
        {person.id: person.name for person in grading.roster.people.values()},
        _unmatched(grading, found),
        found.absent,
        str(grading.terms.policy) if grading.assignment.late else "",
        grading.terms.policy.missing_is_zero,
        tuple(each.to_plain() for each in attention),
    )
    roster = grading.roster
    outputs = Outputs(
        grading.assignment.grading.hidden, grading.options.lms,
        find=lambda cell: roster.find(cell) or cell,
    )  # fmt: skip
    out = grading.options.out
    notes = write_all(out, grades, facts, outputs, tick).notes
    _write_tables(out / "instructor", found, submissions)
    notes += _given_back(grading, found, submissions)
    refused = [
        Attention("rejected", each.student, each.id, each.rejected)
        for each in submissions if each.student and each.rejected
    ]  # fmt: skip
    return [*_told([*refused, *attention]), *facts.unmatched, *notes]


def _write_tables(folder: Path, found: Survey, submissions: list[Submission]) -> None:
    """Write the tables of what came in."""
    for name, rows in (
        ("intake", intake_rows(found, submissions)),
        ("files", file_rows(found, submissions)),
    ):
        text = csv_text([[guarded(cell) for cell in row] for row in rows])
        (folder / f"{name}.csv").write_text(text, "utf-8", newline="")


def _given_back(grading: GradingRun, found: Survey, submissions: list[Submission]) -> list[str]:
    """Pack feedback if that was asked for; what an earlier run has packed is old now."""
    options = grading.options
    shutil.rmtree(options.out / FOLDER, ignore_errors=True)
    if not options.give_back:
        return []
    if options.in_process:
        return ["not official: no feedback was packed to give back"]
    names = {each.id: tuple(path.name for path, _ in each.paths) for each in found.entrants}
    return give_back(options.give_back, options.out, submissions, names, grading.roster)


def _shared(submissions: list[Submission], results: list[Result]) -> Iterator[tuple[str, Result]]:
    """Yield each result with its submission's id, and once more for each partner."""
    partners = {each.id: each.partners for each in submissions}
    for result in results:
        yield result.submission, result
        for partner in partners[result.submission]:
            name = f"{result.submission}+{partner}"
            yield result.submission, replace(result, submission=name, student=partner)


def _told(attention: list[Attention]) -> list[str]:
    lines = [f"{each.submission or each.status}: {each.reason}" for each in attention[:TOLD]]
    more = len(attention) - TOLD
    return [*lines, *([f"and {more} more: see instructor/summary.html"] if more > 0 else [])]


def _unmatched(grading: GradingRun, found: Survey) -> list[str]:
    roster = grading.roster
    return [
        *(f"the id {each!r} stands in the roster more than once" for each in roster.duplicates),
        *(f"line {each} of the roster has no id" for each in roster.without_id),
        *found.notes,
        *(
            f"{each.entrant.id} does not count: {each.by} does"
            for each in found.superseded
            if each.by
        ),
    ]


def intake_rows(found: Survey, submissions: list[Submission]) -> Iterator[list[str]]:
    """Yield the table of all that was in the folder, those that do not count included."""
    yield ["submission", "student", "received_utc", "state", "told", "exercises", "ignored"]
    for each in submissions:
        state = "rejected" if each.rejected else "accepted" if each.files else "missing"
        told = each.rejected or "; ".join(each.notes)
        lists = (" ".join(each.files), "; ".join(each.ignored))
        yield [each.id, each.student, _time(each.received), state, told, *lists]
    for other in found.superseded:
        entrant, by = other.entrant, other.by
        told = f"{by} counts" if by else "no receipt times that say which counts"
        times = _time(entrant.received)
        yield [entrant.id, entrant.student, times, "superseded", told, "", ""]


def file_rows(found: Survey, submissions: list[Submission]) -> Iterator[list[str]]:
    """Yield the table of every file that came in, once: which exercise it answers, or why it is
    not taken. What was not looked into is one line."""
    yield ["submission", "student", "file", "exercise", "why"]
    for name in found.ignored:
        yield ["", "", name, "", "left by the system"]
    paths = {each.id: [path.name for path, _ in each.paths] for each in found.entrants}
    for each in submissions:
        for fate in each.fates:
            number = fate.exercise if fate.exercise in each.files else ""
            yield [each.id, each.student, fate.name, number, fate.why]
        for name in () if each.fates else paths[each.id]:
            why = each.rejected or "there is nothing in it"
            yield [each.id, each.student, shown(name), "", why]
    for other in found.superseded:
        why = f"{other.by} counts" if other.by else "no receipt times that say which counts"
        for path, _ in other.entrant.paths:
            yield [other.entrant.id, other.entrant.student, shown(path.name), "", why]


def _time(received: datetime | None) -> str:
    return "" if received is None else received.isoformat().replace("+00:00", "Z")
