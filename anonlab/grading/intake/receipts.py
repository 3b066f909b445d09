"""When submissions came: from a table of our own or one that a system exported, never from a file's
own time.

ours               submission,student,received
Moodle             the grading sheet: Last modified (submission), by participant
Gradescope         the CSV of grades: Submission Time, by Submission ID
GitHub Classroom   the CSV of grades: submission_timestamp, by repository
anything else      a column of ids and one called submitted_at, Submission Time, …
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path

from anonlab.errors import FormatError
from anonlab.grading.intake.roster import Roster
from anonlab.grading.intake.tables import IDS, read_table
from anonlab.grading.intake.times import read_time

NAMES = ("submission", "student_repository_name", "submission_name", "file")
"""Headers of the column that says what a submission is called in the folder."""
NUMBERS = ("Submission ID",)
"""Gradescope's: it calls the folder submission_NUMBER."""
TIMES = (
    "received", "submitted_at", "Last modified (submission)", "Zuletzt geändert (Abgabe)",
    "Submission Time", "submission_timestamp", "Date Submitted", "Submission Date", "Submitted",
)  # fmt: skip
NEVER = ("", "-", "–", "—")
"""Cells of a system's table about somebody who handed in nothing."""


@dataclass(frozen=True)
class Receipt:
    """When the LMS got a submission, in UTC, and whose it says it is ("" if it does not)."""

    student: str
    received: datetime


@dataclass(frozen=True)
class Receipts(Mapping[str, Receipt]):
    """Receipts by the name of a submission. `by_student` are those of tables that name none;
    `without` are students who, it says, handed in nothing; `notes` is for the instructor."""

    by_name: Mapping[str, Receipt] = field(default_factory=dict)
    by_student: Mapping[str, datetime] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Receipt:
        return self.by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        """Rows that are used, or told."""
        return len(self.by_name) + len(self.by_student) + len(self.without) + len(self.notes)


def read_receipts(path: Path, roster: Roster, zone: tzinfo | None = None) -> Receipts:
    """Return the receipts in a CSV.

    zone    of times that are written without one
    raises  FormatError with the line for what is no such table, for what is no time, and for two
            lines about one submission
    """
    table = read_table(path)
    time_ = table.column(TIMES)
    name_, number_ = table.column(NAMES), table.column(NUMBERS)
    ids = [at for at in table.columns(IDS) if at not in (time_, name_, number_)]
    if time_ is None or (name_ is None and number_ is None and not ids):
        raise FormatError(
            f"{path}: the columns are submission,student,received; or those of a grading sheet of "
            "Moodle, of grades of Gradescope or of GitHub Classroom", 1,
        )  # fmt: skip
    own = table.column(NAMES[:1])
    found = _Rows(path, roster, zone)
    for line, row in table.filled():
        name = _name(row, name_, number_)
        said = [row[at].strip() for at in ids if row[at].strip()]
        never = name_ != own and row[time_].strip() in NEVER  # a repository, and nothing in it
        if name and not never:
            found.named(line, name, said[0] if said else "", row[time_])
        elif said:
            found.of_student(line, said, row[time_])
        else:
            raise FormatError(f"{path}: one line for each submission: {name!r}", line)
    return Receipts(found.names, found.students, tuple(found.without), tuple(found.notes))


def _name(row: tuple[str, ...], name_: int | None, number_: int | None) -> str:
    if name_ is not None and row[name_].strip():
        return row[name_].strip().rpartition("/")[2]  # GitHub writes ORGANISATION/REPOSITORY
    return f"submission_{row[number_].strip()}" if number_ is not None and row[number_] else ""


@dataclass
class _Rows:
    """What was read of a table, row by row."""

    path: Path
    roster: Roster
    zone: tzinfo | None
    names: dict[str, Receipt] = field(default_factory=dict)
    students: dict[str, datetime] = field(default_factory=dict)
    without: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def named(self, line: int, name: str, student: str, time: str) -> None:
        """Take a row about a submission that it names."""
        if name in self.names:
            raise FormatError(f"{self.path}: one line for each submission: {name!r}", line)
        self.names[name] = Receipt(student, self._time(line, time))

    def of_student(self, line: int, said: list[str], time: str) -> None:
        """Take a row about somebody's submission, whatever it is called."""
        student = next((id_ for each in said if (id_ := self.roster.find(each))), "")
        if not student:
            self.notes.append(f"receipts, line {line}: {self.roster.why_not(said[0])}")
        elif student in self.students or student in self.without:
            raise FormatError(f"{self.path}: {student} once, please, or name submissions", line)
        elif time.strip() in NEVER:
            self.without.append(student)
        else:
            self.students[student] = self._time(line, time)

    def _time(self, line: int, text: str) -> datetime:
        try:
            return read_time(text, self.zone)
        except ValueError as error:
            raise FormatError(f"{self.path}: {error}", line) from None
