"""Grades as CSV: our own table, and the file that a learning management system exported, with one
column filled and every other cell as it was."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from anonlab.grading.reports.cells import Sheet, csv_text, guarded, plain
from anonlab.grading.reports.late import Grade, utc
from anonlab.grading.reports.words import number

COLUMNS = ("student_id", "submission_id", "status", "received_utc", "raw", "max", "days_late",
           "penalty", "adjustment", "final", "key")  # fmt: skip
_TEXT = ("student_id", "submission_id", "status", "key")
"""Columns of texts; the others hold numbers or times, which stay as they are."""
ID_COLUMNS = ("SIS User ID", "SIS Login ID", "ID", "ID number", "Email address", "Username",
              "student_id")  # fmt: skip
"""Where Canvas, Moodle and we say who somebody is."""
NOTHING = ("", "-")
"""Cells without a grade: Moodle writes a dash."""
POSSIBLE = "Points Possible"
"""What Canvas calls a row that says what each column counts."""


def grades_csv(grades: Iterable[Grade]) -> str:
    """Return our own table: one line per submission; no grade is an empty cell, zero is 0."""
    rows = [list(COLUMNS)]
    for each in grades:
        result = each.result
        none = result.score is None
        facts = (
            result.student,
            result.submission,
            result.status,
            "" if each.received is None else utc(each.received).isoformat().replace("+00:00", "Z"),
            number(result.score),
            number(result.most) if result.tests else "",
            str(each.days_late),
            "" if none else number(each.penalty),
            "" if none else number(each.adjustment),
            number(each.final),
            result.key,
        )
        pairs = zip(COLUMNS, facts, strict=True)
        rows.append([guarded(fact) if name in _TEXT else fact for name, fact in pairs])
    return csv_text(rows)


def read_grades_csv(text: str) -> list[dict[str, str]]:
    """Return the lines of our own table, texts without the guard against formulas."""
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    return [
        {name: plain(cell) if name in _TEXT else cell for name, cell in row.items()} for row in rows
    ]


@dataclass(frozen=True)
class Filled:
    """A filled file of a learning management system.

    data      the file
    column    the header of the column that was filled; `matched` those that said who is who
    written   by student: the cell, '' for no grade
    words     by student: the status of everybody who has no ordinary grade
    replaced  by student: what stood there and was another value
    absent    students of ours who are not in the file
    left      ids in the file that are none of our students; their cells were left alone
    possible  the points that the file says the column counts, '' if it does not
    """

    data: bytes
    column: str
    matched: str
    written: dict[str, str]
    words: dict[str, str]
    replaced: dict[str, str]
    absent: tuple[str, ...]
    left: tuple[str, ...]
    possible: str = ""


def fill(
    data: bytes,
    grades: Iterable[Grade],
    assignment: str,
    column: str = "",
    ids: str = "",
    find: Callable[[str], str] = str.strip,
) -> Filled:
    """Fill the column of `assignment` in an exported file.

    column  its header; '' finds the one that is called like the assignment
    ids     the header of the column that says who somebody is; '' takes all of ID_COLUMNS
    find    our id of whom a cell names: anybody may go by several
    raises  ValueError if there is no such column, or more than one, if nobody of ours is found, if
            a student stands in two rows or two students in one, or if one has two grades
    """
    ours = _by_student(grades)
    sheet = Sheet.read(data)
    headers = [sheet.value(0, at).strip() for at in range(len(sheet.rows[0]))] if sheet.rows else []
    target = _column(headers, column or assignment, exactly=bool(column))
    rows, left, matched = _rows_of(sheet, headers, ours, ids, find)
    written, replaced = {}, {}
    for student, grade in ours.items():
        if student in rows:
            row, cell = rows[student], number(grade.final)
            before = sheet.value(row, target)
            if before.strip() not in NOTHING and not equal(before, cell):
                replaced[student] = before
            cells = sheet.rows[row]
            cells += [b""] * (target + 1 - len(cells))
            cells[target] = cell.encode()
            written[student] = cell
    words = {student: grade.result.status for student, grade in ours.items()
             if grade.result.status != "graded"}  # fmt: skip
    absent = tuple(student for student in ours if student not in rows)
    possible = next((sheet.value(row, target) for row in range(1, len(sheet.rows))
                     if sheet.value(row, 0).strip() == POSSIBLE), "")  # fmt: skip
    return Filled(
        sheet.to_bytes(), headers[target], matched, written, words, replaced, absent, left, possible
    )


def _by_student(grades: Iterable[Grade]) -> dict[str, Grade]:
    ours: dict[str, Grade] = {}
    for grade in grades:
        student = grade.result.student
        if student in ours:
            raise ValueError(
                f"student {student!r} has two grades, of submissions "
                f"{ours[student].result.submission!r} and {grade.result.submission!r}"
            )
        if student:
            ours[student] = grade
    return ours


def _column(headers: list[str], wanted: str, exactly: bool) -> int:
    """Return the column called `wanted`. Canvas adds ' (12345)' to a name, Moodle 'Assignment: '
    before it and ' (Real)' after."""
    found = [at for at, header in enumerate(headers) if header == wanted]
    if not found and not exactly:
        found = [
            at
            for at, header in enumerate(headers)
            if header.partition(": ")[2].rpartition(" (")[0] == wanted
            or header.partition(": ")[2] == wanted
            or header.rpartition(" (")[0] == wanted
        ]
    if len(found) != 1:
        many = "there is no column" if not found else f"{len(found)} columns are"
        raise ValueError(f"{many} called {wanted!r}; name one of: {', '.join(headers)}")
    return found[0]


def _rows_of(
    sheet: Sheet,
    headers: list[str],
    ours: Mapping[str, Grade],
    wanted: str,
    find: Callable[[str], str],
) -> tuple[dict[str, int], tuple[str, ...], str]:
    """Return the row of each student of ours, the ids of all other rows, and the columns used."""
    columns = [headers.index(name) for name in ([wanted] if wanted else ID_COLUMNS)
               if name in headers]  # fmt: skip
    rows: dict[str, int] = {}
    left, used = [], set()
    for row in range(1, len(sheet.rows)):
        found = {column: sheet.value(row, column) for column in columns}
        whose = {column: find(value) for column, value in found.items()}
        known = {student for student in whose.values() if student in ours}
        if len(known) > 1:
            raise ValueError(
                f"row {row + 1} has the ids of {sorted(known)}: say which column counts"
            )
        for student in known:
            if student in rows:
                raise ValueError(f"{student!r} stands in rows {rows[student] + 1} and {row + 1}")
            rows[student] = row
            used |= {headers[column] for column, value in whose.items() if value == student}
        if not known and any(found.values()):
            left.append(next(value for value in found.values() if value))
    if not rows and ours:
        what = (
            f"in column {wanted!r}" if wanted else f"in any column of ids ({', '.join(ID_COLUMNS)})"
        )
        raise ValueError(f"none of our students stands {what}; there are: {', '.join(headers)}")
    return rows, tuple(left), ", ".join(name for name in headers if name in used)


def equal(one: str, other: str) -> bool:
    """Return whether two cells say the same number, or the same text."""
    try:
        return float(one) == float(other)
    except ValueError:
        return one == other


def words_csv(filled: Filled) -> str:
    """Return what goes with a filled file: who has no ordinary grade there, and why."""
    rows = [["student_id", "status", "cell", "before"]]
    for student in sorted({*filled.words, *filled.replaced}):
        status = filled.words.get(student, "graded")
        cell, before = filled.written.get(student, ""), filled.replaced.get(student, "")
        rows.append([guarded(student), status, cell, guarded(before)])
    return csv_text(rows)
