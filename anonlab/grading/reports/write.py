"""Write every report of a class: what students may have in one folder, the rest in another.

students/NAME.html, NAME.txt            feedback, one of each for every submission
instructor/grades.csv                   one line per submission
instructor/summary.html, summary.json   the class at a glance
instructor/junit.xml                    every verdict, hidden assertions included
instructor/gradescope/NAME.json         results.json for Gradescope
instructor/lms/FILE.csv, FILE.words.csv what a learning management system exported, filled

What has not changed since the last run is not made again: anonlab.grading.reports.record knows.
Both folders are for their owner only (0700). A run that is not official stamps everything and
writes nothing that another program would take for grades.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from anonlab.grading.reports.clean import clean, clean_result
from anonlab.grading.reports.feedback import feedback_html, feedback_text
from anonlab.grading.reports.for_student import student_view
from anonlab.grading.reports.gradescope import results_json
from anonlab.grading.reports.junit import junit_parts
from anonlab.grading.reports.late import Grade
from anonlab.grading.reports.lms import Filled, equal, fill, grades_csv, words_csv
from anonlab.grading.reports.record import Content, Record, Tick, mark
from anonlab.grading.reports.summary import ClassFacts, summarise, summary_html
from anonlab.grading.reports.words import number
from anonlab.grading.store.result import Result

STUDENTS, INSTRUCTOR = "students", "instructor"
LONGEST_NAME = 120


@dataclass(frozen=True)
class Outputs:
    """What is written beside feedback and summary.

    hidden       when Gradescope shows hidden tests: gradescope.VISIBILITIES
    lms          files that a learning management system exported
    column, ids  headers in them, '' to find them: see lms.fill
    find         our id of whom a cell in them names
    """

    hidden: str = "after_published"
    lms: Sequence[Path] = ()
    column: str = ""
    ids: str = ""
    find: Callable[[str], str] = str.strip


@dataclass
class Written:
    """What was written: `files`, and sentences about what an instructor should look at."""

    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def write_all(
    out: Path,
    grades: Sequence[Grade],
    facts: ClassFacts,
    outputs: Outputs | None = None,
    tick: Tick | None = None,
) -> Written:
    """Write all reports below `out` that are not there yet as they would be; return what is there.

    grades  one for each submission that counts, in the order of the reports
    tick    hears how many submissions are done, and of how many
    raises  ValueError if one submission stands there twice, or for a file of a learning management
            system that cannot be filled, before anything is written; OSError
    """
    outputs = outputs or Outputs()
    _check_ids(grades)
    official = all(each.result.official for each in grades)
    lms, notes = _lms(grades, facts, outputs, official)
    marks = [mark(each, _facts_of(each, facts), outputs.hidden, official) for each in grades]
    record = Record.read(out, INSTRUCTOR, STUDENTS)
    whole = mark(marks, facts, sorted(lms), official)
    groups = dict.fromkeys(_instructors_names(official), whole)
    record.plan(
        groups,
        lambda: _for_instructors([_cleaned(each) for each in grades], facts, official).items(),
    )
    record.plan({name: mark(data) for name, data in lms.items()}, lms.items)
    for each, own in zip(grades, marks, strict=True):
        record.plan(
            dict.fromkeys(_names(each, official), own),
            partial(_each, each, facts, outputs, official),
        )
    return Written(record.write(len(grades), tick), notes)


def _check_ids(grades: Sequence[Grade]) -> None:
    ids = [each.result.submission for each in grades]
    if len({*ids}) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise ValueError(f"submission {twice!r} has two grades")


def _cleaned(grade: Grade) -> Grade:
    return replace(
        grade, result=clean_result(grade.result), reasons=tuple(map(clean, grade.reasons))
    )


def _facts_of(grade: Grade, facts: ClassFacts) -> tuple[Any, ...]:
    """Return what a student's own files say beside the grade."""
    name = facts.names.get(grade.result.student, "")
    return facts.assignment, facts.titles, name, facts.policy


def _names(grade: Grade, official: bool) -> list[str]:
    """Return the names of the files that a submission has of its own; `official` is the run."""
    name = file_name(grade.result.submission)
    students = [f"{STUDENTS}/{name}.html", f"{STUDENTS}/{name}.txt"]
    return [*students, f"{INSTRUCTOR}/gradescope/{name}.json"][: 2 + official]


def _each(
    grade: Grade, facts: ClassFacts, outputs: Outputs, official: bool
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of one submission, made when they are asked for: a class may be large."""
    grade = _cleaned(grade)
    titles = dict(facts.titles)
    view = student_view(grade, facts.assignment, titles)
    name = clean(facts.names.get(grade.result.student, ""))
    policy = facts.policy if grade.days_late else ""
    html, text, *gradescope = _names(grade, official)
    yield html, feedback_html(view, name, policy).encode()
    yield text, feedback_text(view, name, policy).encode()
    for path in gradescope:
        yield path, _json(results_json(grade, facts.assignment, titles, outputs.hidden))


def _instructors_names(official: bool) -> list[str]:
    stamp = "" if official else "UNOFFICIAL-"
    names = (f"{stamp}grades.csv", f"{stamp}junit.xml", "summary.json", "summary.html")
    return [f"{INSTRUCTOR}/{name}" for name in names]


def _for_instructors(
    grades: Sequence[Grade], facts: ClassFacts, official: bool
) -> dict[str, Content]:
    summary = summarise(grades, facts)
    grades_, junit_, json_, html_ = _instructors_names(official)
    return {
        grades_: grades_csv([*grades, *_absent(facts)]).encode(),
        junit_: (part.encode() for part in junit_parts(grades, facts.assignment)),
        json_: _json(summary),
        html_: summary_html(summary, facts).encode(),
    }


def _absent(facts: ClassFacts) -> list[Grade]:
    """Return the grades of students who handed in nothing at all."""
    final = 0.0 if facts.absent_zero else None
    return [
        Grade(Result("", student, facts.assignment, "", "missing"), final=final)
        for student in facts.absent
    ]


def _lms(
    grades: Sequence[Grade], facts: ClassFacts, outputs: Outputs, official: bool
) -> tuple[dict[str, bytes], list[str]]:
    """Return the filled files by name, and what an instructor should know of grades in them."""
    made: dict[str, bytes] = {}
    notes = [
        f"{each.result.student}: adjusted by hand, but there is no grade ({each.result.status})"
        for each in grades
        if each.reasons and each.final is None
    ]
    if not official:
        told = ["not official: no file of a learning management system was filled"]
        return made, [*notes, *told[: len(outputs.lms)]]
    for path in outputs.lms:
        try:
            filled = fill(
                path.read_bytes(),
                [*grades, *_absent(facts)],
                facts.assignment,
                outputs.column,
                outputs.ids,
                outputs.find,
            )
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        made[f"{INSTRUCTOR}/lms/{path.stem}.csv"] = filled.data
        made[f"{INSTRUCTOR}/lms/{path.stem}.words.csv"] = words_csv(filled).encode()
        notes += [f"{path.name}: {each}" for each in _notes_of_lms(filled, grades)]
    return made, notes


def _notes_of_lms(filled: Filled, grades: Sequence[Grade]) -> list[str]:
    """Return what an instructor should know of a filled file."""
    found = [
        f"column {filled.column!r} filled for {len(filled.written)} students "
        f"(found by {filled.matched}); {len(filled.left)} rows left as they were"
    ]
    most = number(max((each.result.most for each in grades), default=0.0))
    if filled.possible and not equal(filled.possible, most):
        found.append(
            f"the column counts {filled.possible} points, but {most} could be had: change it "
            "there, or the points of the assignment"
        )
    if filled.replaced:
        found.append(f"replaced what stood there for {_some(filled.replaced)}")
    if filled.absent:
        found.append(f"not in it: {_some(filled.absent)}")
    return found


def _some(names: Sequence[str] | dict[str, str]) -> str:
    shown = list(names)[:5]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + more


def _json(plain: dict[str, Any]) -> bytes:
    return (json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def file_name(submission: str) -> str:
    """Return a file name for a submission: never the same for two, never a path."""
    name = quote(submission, safe=" @+=,").replace("~", "%7E")
    name = f"%2E{name[1:]}" if name.startswith(".") else name or "%"
    if len(name) > LONGEST_NAME:
        digest = hashlib.sha256(submission.encode("utf-8", "surrogatepass")).hexdigest()
        name = f"{name[: LONGEST_NAME - 33]}-{digest[:32]}"
    return name
