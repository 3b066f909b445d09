"""When submissions came, from a table that the instructor gives: never from a file's own time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from anonlab.errors import FormatError
from anonlab.grading.intake.tables import IDS, read_table


@dataclass(frozen=True)
class Receipt:
    """When the LMS got a submission, in UTC, and whose it says it is ("" if it does not)."""

    student: str
    received: datetime


def read_receipts(path: Path) -> dict[str, Receipt]:
    """Return the receipts in a CSV `submission,student,received`, by submission.

    raises  FormatError with the line for what is no such table, and for a time without its zone
    """
    table = read_table(path)
    name_, time_, id_ = (table.column(each) for each in (("submission",), ("received",), IDS))
    if name_ is None or time_ is None:
        raise FormatError(f"{path}: the columns are submission,student,received", 1)
    found: dict[str, Receipt] = {}
    for line, row in table.filled():
        name = row[name_].strip()
        if not name or name in found:
            raise FormatError(f"{path}: one line for each submission: {name!r}", line)
        student = "" if id_ is None else row[id_].strip()
        found[name] = Receipt(student, _time(path, row[time_], line))
    return found


def _time(path: Path, text: str, line: int) -> datetime:
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        time = datetime.min
    if time.tzinfo is None:
        raise FormatError(
            f"{path}: {text!r} is no time with its zone, such as 2026-10-01T12:00:00+02:00", line
        )
    return time.astimezone(UTC)
