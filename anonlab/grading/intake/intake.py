"""From a folder of submissions to accepted files in fresh folders, whatever was handed in.

First it is listed who handed in what, without opening anything; then the newest submission before
the deadline is chosen; then its accepted files are copied. Nothing of a student's is run.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from anonlab.course.authoring.masters import Master
from anonlab.errors import FormatError
from anonlab.grading.intake.accept import accept_files
from anonlab.grading.intake.archives import (
    Entry,
    Rejected,
    check_plain,
    is_archive,
    plain_file,
    shown,
)
from anonlab.grading.intake.roster import Owner, Roster, owner
from anonlab.grading.intake.submission import Submission

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,79}\Z")
_AGAIN = re.compile(r"(ex\d\d[a-z]_[a-z0-9_]+)-\d+(\.py)\Z")
"""Canvas adds a number to the name of a file that is handed in once more."""
_LITTER = ("__MACOSX", "Thumbs.db", "desktop.ini")
"""What file managers leave behind."""


@dataclass(frozen=True)
class Entrant:
    """One submission as it lies in the folder; nothing of it has been opened.

    paths     a folder, an archive, or loose files, each with the name that it has for the student
    """

    id: str
    student: str
    paths: tuple[tuple[Path, str], ...]
    received: datetime | None = None
    rejected: str = ""


@dataclass(frozen=True)
class Superseded:
    """A submission that does not count, because `by` of the same student does; "" if nobody can
    say which of them does."""

    entrant: Entrant
    by: str


@dataclass(frozen=True)
class Survey:
    """Who handed in what. `entrants` count, one for each student, and those that nobody knows;
    `ignored` are names in the folder that are no submission; `notes` is for the instructor."""

    entrants: tuple[Entrant, ...]
    superseded: tuple[Superseded, ...]
    absent: tuple[str, ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]


def survey_folder(
    folder: Path,
    roster: Roster,
    masters: Mapping[str, Master],
    received: Mapping[str, Receipt] | None = None,
    due: Mapping[str, datetime] | None = None,
) -> Survey:
    """List the submissions in `folder` and choose which count; nothing is opened.

    received  by the name of a submission, from read_receipts
    due       the deadline by student; who is not there has none
    """
    receipts = received or {}
    paths = sorted(folder.iterdir())
    ignored = [path for path in paths if path.name.startswith(".") or path.name in _LITTER]
    found = _entrants([path for path in paths if path not in ignored], roster, masters, receipts)
    counting, superseded = _choose(found, due or {})
    handed_in = {each.student for each in found}
    lost = [f"{name} has a receipt, but is not in {folder}" for name in receipts
            if not any(name in _names(each) for each in found)]  # fmt: skip
    return Survey(
        tuple(sorted(counting, key=lambda each: each.id)),
        tuple(superseded),
        tuple(each for each in roster.people if each not in handed_in),
        tuple(shown(path.name) for path in ignored),
        tuple(lost),
    )


def _entrants(
    paths: list[Path],
    roster: Roster,
    masters: Mapping[str, Master],
    receipts: Mapping[str, Receipt],
) -> list[Entrant]:
    """Return the submissions among `paths`; loose files of one student are one."""
    grouped: dict[tuple[str, str], list[tuple[Path, str]]] = {}
    students = {}
    for path in paths:
        whose = owner(roster, path.name)
        if path.name in receipts and receipts[path.name].student:
            named = roster.find(receipts[path.name].student)
            whose = Owner(named, path.name if not whose.student else whose.prefix, whose.rest)
        loose = whose.student and not is_archive(path.name) and not _is_folder(path)
        key = ("files of", whose.prefix) if loose else ("", path.name)
        grouped.setdefault(key, []).append((path, _called(path, whose, roster, masters)))
        students[key] = whose.student
    return [
        _entrant(kind, name, files, students[kind, name], receipts)
        for (kind, name), files in grouped.items()
    ]


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(path.lstat().st_mode)


def _called(path: Path, whose: Owner, roster: Roster, masters: Mapping[str, Master]) -> str:
    """Return what a loose file is called without its student: ex04a_fork.py."""
    if "." not in whose.rest:  # STUDENT.zip, STUDENT.py
        only = len(masters) == 1 and whose.rest == "py"
        return f"{next(iter(masters.values())).name}.py" if only else path.name
    return _AGAIN.sub(r"\1\2", whose.rest) if roster.kind == "canvas" else whose.rest


def _entrant(
    kind: str,
    name: str,
    paths: list[tuple[Path, str]],
    student: str,
    receipts: Mapping[str, Receipt],
) -> Entrant:
    single = paths[0][0].name if len(paths) == 1 else f"{name.rstrip('_-. ')}.files"
    entrant = Entrant(_safe(single), student, tuple(paths))
    times = [receipts[each].received for each in _names(entrant) if each in receipts]
    rejected = ""
    if not student:
        rejected = f"nobody in the roster, or more than one, goes by the name of {shown(name)}"
    return replace(entrant, received=max(times, default=None), rejected=rejected)


def _names(entrant: Entrant) -> set[str]:
    """Return the names that a table of receipts may have for a submission."""
    return {entrant.id} | {path.name for path, _ in entrant.paths}


def _safe(name: str) -> str:
    """Return `name` if it can name a file everywhere, else one that can, and is its alone."""
    if _SAFE.match(name) and not name.endswith("."):
        return name
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:12]
    return re.sub(r"[^A-Za-z0-9]+", "-", name)[:40].strip("-") + f"-{digest}"


def _choose(
    found: list[Entrant], due: Mapping[str, datetime]
) -> tuple[list[Entrant], list[Superseded]]:
    """Return which submissions count, and which do not: the newest before the deadline does."""
    counting = [each for each in found if not each.student]
    superseded: list[Superseded] = []
    mine: dict[str, list[Entrant]] = {}
    for each in found:
        if each.student:
            mine.setdefault(each.student, []).append(each)
    for student, several in mine.items():
        times = [each.received for each in several]
        if len(several) == 1:
            counting += several
        elif None in times or len(set(times)) < len(times):
            names = ", ".join(each.id for each in several)
            reason = f"several of one student ({names}) and no receipt times that say which counts"
            first, *others = sorted(several, key=lambda each: each.id)
            counting.append(replace(first, rejected=reason))
            superseded += [Superseded(each, "") for each in others]
        else:
            best = max(several, key=lambda each: _rank(each, due.get(student)))
            counting.append(best)
            superseded += [Superseded(each, best.id) for each in several if each is not best]
    return counting, superseded


def _rank(entrant: Entrant, due: datetime | None) -> tuple[bool, datetime]:
    received = entrant.received or datetime.min.replace(tzinfo=UTC)
    return due is None or received <= due, received


def accept(
    entrant: Entrant, masters: Mapping[str, Master], target: Path, boxed: bool = False
) -> Submission:
    """Copy what counts of a submission to the new folder `target`, with fixed modes.

    masters  of the exercises of the assignment, by number
    boxed    notebooks are read in a box
    """
    taken = Submission(entrant.id, entrant.student, {}, entrant.received, entrant.rejected)
    if entrant.rejected:
        return taken
    try:
        files, ignored, notes = accept_files(_entries(entrant), masters, target, boxed)
    except Rejected as error:
        return replace(taken, rejected=str(error))
    return replace(taken, files=files, ignored=ignored, notes=notes)


def _entries(entrant: Entrant) -> Path | list[Entry]:
    """Return the folder of a submission, or its loose files."""
    path, _ = entrant.paths[0]
    if len(entrant.paths) == 1 and _is_folder(path):
        return path
    for each, name in entrant.paths:
        check_plain(each.lstat(), name)
    return [plain_file(each, name) for each, name in entrant.paths]


@dataclass(frozen=True)
class Receipt:
    """When the LMS got a submission, in UTC, and whose it says it is ("" if it does not)."""

    student: str
    received: datetime


def read_receipts(path: Path) -> dict[str, Receipt]:
    """Return the receipts in a CSV `submission,student,received`, by submission.

    raises  FormatError with the line for what is no such table, and for a time without its zone
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if not {"submission", "received"} <= set(rows.fieldnames or ()):
            raise FormatError(f"{path}: the columns are submission,student,received", 1)
        found: dict[str, Receipt] = {}
        for row in rows:
            name = row["submission"]
            if not name or name in found:
                raise FormatError(f"{path}: one line for each submission: {name!r}", rows.line_num)
            received = _time(path, row["received"] or "", rows.line_num)
            found[name] = Receipt((row.get("student") or "").strip(), received)
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
