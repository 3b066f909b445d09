"""After the last verdict: grades on their terms, all reports, and the table of what came in."""

from __future__ import annotations

import csv
import io
from datetime import datetime

from anonlab.grading.config import GradingRun
from anonlab.grading.intake.intake import Survey
from anonlab.grading.intake.submission import Submission
from anonlab.grading.reports import ClassFacts, Outputs, write_all
from anonlab.grading.reports.late import grade
from anonlab.grading.store.result import Result


def publish_grades(
    grading: GradingRun, found: Survey, submissions: list[Submission], results: list[Result]
) -> list[str]:
    """Write all reports; return what an instructor should look at."""
    received = {each.id: each.received for each in submissions}
    grades = [grade(each, received[each.submission], grading.terms) for each in results]
    facts = ClassFacts(
        grading.assignment.name,
        {number: master.title for number, master in grading.masters.items()},
        {person.id: person.name for person in grading.roster.people.values()},
        _unmatched(grading, found),
        found.absent,
        str(grading.terms.policy) if grading.assignment.late else "",
        grading.terms.policy.missing_is_zero,
    )
    outputs = Outputs(grading.assignment.grading.hidden, grading.options.lms)
    out = grading.options.out
    notes = write_all(out, grades, facts, outputs).notes
    (out / "instructor" / "intake.csv").write_text(_intake_csv(found, submissions), "utf-8")
    return [*facts.unmatched, *notes]


def _unmatched(grading: GradingRun, found: Survey) -> list[str]:
    roster = grading.roster
    return [
        *(f"the id {each!r} stands in the roster more than once" for each in roster.duplicates),
        *(f"line {each} of the roster has no id" for each in roster.without_id),
        *(f"{each.id}: {each.rejected}" for each in found.entrants if not each.student),
        *found.notes,
        *(
            f"{each.entrant.id} does not count: {each.by} does"
            for each in found.superseded
            if each.by
        ),
    ]


def _intake_csv(found: Survey, submissions: list[Submission]) -> str:
    """Return the table of all that was in the folder, those that do not count included."""
    out = io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(
        ("submission", "student", "received_utc", "state", "told", "exercises", "ignored")
    )
    for each in submissions:
        state = "rejected" if each.rejected else "accepted" if each.files else "missing"
        told = each.rejected or "; ".join(each.notes)
        lists = (" ".join(each.files), "; ".join(each.ignored))
        rows.writerow((each.id, each.student, _time(each.received), state, told, *lists))
    for other in found.superseded:
        entrant, by = other.entrant, other.by
        told = f"{by} counts" if by else "no receipt times that say which counts"
        times = _time(entrant.received)
        rows.writerow((entrant.id, entrant.student, times, "superseded", told, "", ""))
    return out.getvalue()


def _time(received: datetime | None) -> str:
    return "" if received is None else received.isoformat().replace("+00:00", "Z")
