"""The roster: who is in the class, from a CSV of our own or one that Canvas or Moodle exported.

Our own has the column `student_id`, and `name` and `email` if you like. Ids are text: leading zeros
stay. A row without an id, and every id that stands there twice, is listed and never guessed at.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from anonlab.errors import FormatError

DELIMITERS = ",;\t"
"""Between cells: a spreadsheet of another country writes semicolons."""
POINTS_POSSIBLE = "points possible"
"""Canvas may say what each column counts in a second row; it is no student."""


@dataclass(frozen=True)
class Layout:
    """Where a kind of roster has what. `ids` in order of preference: the first that a row fills is
    the student's id, and all of them are names that a submission may go by."""

    kind: str
    ids: tuple[str, ...]
    names: tuple[str, ...]
    emails: tuple[str, ...]


LAYOUTS = (
    Layout("canvas", ("ID", "SIS User ID", "SIS Login ID"), ("Student",), ("SIS Login ID",)),
    Layout(
        "moodle",
        ("ID number", "Email address", "Identifier"),
        ("First name", "Last name", "Surname", "Full name"),
        ("Email address",),
    ),
    Layout("own", ("student_id", "id", "student"), ("name",), ("email",)),
)
_TELLING = {
    "canvas": {"Student", "ID"},
    "moodle": {"Email address"},
}
"""Columns that only this kind has; any other with a column of ids is our own."""


@dataclass(frozen=True)
class Person:
    """One student. `row` counts data rows from 0."""

    id: str
    name: str
    email: str
    row: int


@dataclass(frozen=True)
class Roster:
    """All students by id, in the order of the file.

    header, rows    every cell as it is written there
    delimiter       between cells
    duplicates      ids that stand there more than once: nobody has them
    without_id      numbers of lines (the header is 1) that name no student
    """

    kind: str
    people: dict[str, Person]
    duplicates: tuple[str, ...]
    without_id: tuple[int, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str
    _known: dict[str, str] = field(default_factory=dict, repr=False)

    def find(self, name: str) -> str:
        """Return the id of the student who goes by `name` (id, login, e-mail), "" if none does, or
        if more than one might."""
        return self._known.get(_plain(name), "")


def read_roster(path: Path) -> Roster:
    """Return the roster in `path`; FormatError, with the line where one is known, if it is none."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise FormatError(f"{path} is not UTF-8: export it as CSV UTF-8", line) from None
    for delimiter in DELIMITERS:
        header, *rows = _cells(path, text, delimiter) or [()]
        layout = _layout(header)
        if layout:
            return _roster(layout, header, rows, delimiter)
    ids = ", ".join(dict.fromkeys(name for layout in LAYOUTS for name in layout.ids))
    raise FormatError(f"{path} has no column of ids: its first line names one of {ids}", 1)


def _cells(path: Path, text: str, delimiter: str) -> list[tuple[str, ...]]:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return [tuple(row) for row in reader]
    except csv.Error as error:
        raise FormatError(f"{path} is no CSV: {error}") from None


def _layout(header: tuple[str, ...]) -> Layout | None:
    for layout in LAYOUTS:
        if set(layout.ids) & set(header) and set(header) >= _TELLING.get(layout.kind, set()):
            return layout
    return None


def _roster(
    layout: Layout, header: tuple[str, ...], rows: list[tuple[str, ...]], delimiter: str
) -> Roster:
    found, without, known = [], [], []
    for at, row in enumerate(rows):
        cells = dict(zip(header, row, strict=False))
        if not any(cell.strip() for cell in row) or _is_points_possible(layout, cells):
            continue
        ids = [cells[name].strip() for name in layout.ids if cells.get(name, "").strip()]
        if not ids:
            without.append(at + 2)
            continue
        name = " ".join(filter(None, (cells.get(column, "").strip() for column in layout.names)))
        email = next((cells[column] for column in layout.emails if cells.get(column)), "")
        found.append(Person(ids[0], name, email, at))
        # Moodle's grading sheet says "Participant 123", its downloads have 123.
        goes_by = {_plain(each) for each in (*ids, email) if each.strip()}
        known += [(each.removeprefix("Participant "), ids[0]) for each in sorted(goes_by)]
    often = Counter(person.id for person in found)
    names = Counter(name for name, _ in known)
    return Roster(
        layout.kind,
        {person.id: person for person in found if often[person.id] == 1},
        tuple(each for each, times in often.items() if times > 1),
        tuple(without),
        header,
        tuple(rows),
        delimiter,
        {name: id_ for name, id_ in known if names[name] == 1 and often[id_] == 1},
    )


def _is_points_possible(layout: Layout, cells: dict[str, str]) -> bool:
    return layout.kind == "canvas" and cells["Student"].strip().lower() == POINTS_POSSIBLE


def _plain(name: str) -> str:
    """Return a name as it is looked up: file systems may have composed its accents anew."""
    return unicodedata.normalize("NFC", name.strip())


_CANVAS = re.compile(r"[^_]+_(?:LATE_)?(?P<id>\d+)_(?P<attempt>\d+)_(?P<rest>.+)\Z", re.DOTALL)
_MOODLE = re.compile(r"[^_]+_(?P<id>\d+)_assignsubmission_file_?(?P<rest>.*)\Z", re.DOTALL)


@dataclass(frozen=True)
class Owner:
    """Whose a file or folder is, by its name: the student's id, "" if nobody's; what of the name
    is the student's (and the attempt's), and what follows."""

    student: str
    prefix: str
    rest: str


def owner(roster: Roster, name: str) -> Owner:
    """Return whose the submission called `name` is.

    STUDENT, STUDENT.zip, STUDENT_anything and STUDENT-anything, where STUDENT is in the roster; and
    the names that downloads of Canvas and Moodle have. Nobody's, if two students fit.
    """
    for kind, pattern in (("canvas", _CANVAS), ("moodle", _MOODLE)):
        match = pattern.match(name) if roster.kind == kind else None
        if match and roster.find(match["id"]):
            return Owner(roster.find(match["id"]), name[: match.start("rest")], match["rest"])
    cuts = [at for at, char in enumerate(name) if char in "_-. "] + [len(name)]
    fits = {roster.find(name[:at]): at for at in cuts if roster.find(name[:at])}
    if len(fits) != 1:
        return Owner("", "", name)
    ((student, at),) = fits.items()
    return Owner(student, name[:at], name[at + 1 :])
