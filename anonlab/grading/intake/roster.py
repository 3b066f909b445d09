"""The roster: who is in the class, from a CSV of our own or one that a system exported.

Our own has the column `student_id`, and `name` and `email` if you like. Ids are text: leading zeros
stay. A row without an id, and every id that stands there twice, is listed and never guessed at.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from anonlab.errors import FormatError
from anonlab.grading.intake.tables import IDS, Table, folded_header, read_table

NO_STUDENTS = ("points possible", "student, test", "test student")
"""Rows of Canvas that are no students: what each column counts, and who tries things out."""
MUTED = ("muted", "manual posting")
"""Cells of a row of Canvas about its columns."""
NEAR = 3
"""So many near misses are told."""


@dataclass(frozen=True)
class Layout:
    """Where a kind of roster has what. `ids` in order of preference: the first that a row fills is
    the student's id, and all columns of tables.IDS are names that a submission may go by. `telling`
    are columns that only this kind has."""

    kind: str
    telling: tuple[str, ...]
    ids: tuple[str, ...]
    names: tuple[str, ...] = (
        "First name", "Last name", "Surname", "Full name", "Student name", "Name", "Vorname",
        "Nachname", "Vollständiger Name",
    )  # fmt: skip


LAYOUTS = (
    Layout(
        "canvas", ("Student", "ID", "Section"), ("ID", "SIS User ID", "SIS Login ID"), ("Student",)
    ),
    Layout(
        "canvas", ("Student", "ID", "SIS User ID"), ("ID", "SIS User ID", "SIS Login ID"),
        ("Student",),
    ),
    Layout("github", ("github_username",), ("identifier", "github_username", "github_id")),
    Layout("brightspace", ("OrgDefinedId",), ("OrgDefinedId", "Username", "Email")),
    Layout("blackboard", ("Username", "Last name", "First name"), ("Username", "Student ID")),
    Layout("gradescope", ("SID", "Email"), ("SID", "Email")),
    Layout("moodle", ("Email address",), ("ID number", "Email address", "Identifier", "Username")),
    Layout("moodle", ("E-Mail-Adresse",), ("ID-Nummer", "Matrikelnummer", "E-Mail-Adresse", "ID")),
    Layout("own", (), ("student_id", "id", "student", "SID", "OrgDefinedId", "Username", "Email")),
)  # fmt: skip
"""Kinds of rosters; the first one that fits counts."""
EMAILS = ("email", "email address", "e-mail", "mail", "E-Mail-Adresse", "SIS Login ID")


_Key = TypeVar("_Key", str, tuple[str, ...])
PARTICIPANT = re.compile(r"(?:Participant |Teilnehmer/in ?)(?=\d+\Z)")
"""What Moodle's grading sheet writes before the number that its downloads have."""
NUMBERS = {"canvas": ("ID", "canvas_user_id"), "moodle": ("Identifier",)}
"""Columns with the numbers that a system puts into the names of downloads."""


@dataclass(frozen=True)
class Person:
    """One student. `row` counts data rows from 0; `ids` are all that the student goes by."""

    id: str
    name: str
    email: str
    row: int
    ids: tuple[str, ...] = ()


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
        if more than one might. Case does not matter where no other student's name differs in it."""
        exact = PARTICIPANT.sub("", _plain(name))
        if exact in self._known:
            return self._known[exact]
        return self._folded.get(exact.casefold(), "")

    def by_name(self, name: str) -> str:
        """Return the id of the only student with this full name, its words in any order; "" if
        there is none, or more than one."""
        return self._named.get(_words(name), "")

    def has_numbers_of(self, kind: str) -> bool:
        """Return whether there is a column with the numbers that this system puts into names."""
        mine = {folded_header(each) for each in self.header}
        if kind == "moodle" and self._has_participants:
            return True
        return bool(mine & {folded_header(each) for each in NUMBERS.get(kind, ())}) and (
            kind != "canvas" or self.kind == kind or "canvasuserid" in mine
        )

    def near(self, name: str) -> list[str]:
        """Return ids and names of students that differ from `name` in zeros or one character."""
        own = _skeleton(name)
        found = self._near.get(own.lstrip("0"), []) or self._near.get(own, [])
        for each in () if found else _shorter(own):
            found = [*found, *(other for other in self._near.get(each, ())
                               if _skeleton(other) == each)]  # fmt: skip
        return list(dict.fromkeys(found))[:NEAR]

    def why_not(self, name: str) -> str:
        """Return the sentence that `name` is nobody's, with whose it might be."""
        folded = _plain(name).casefold()
        if folded in self._folded or _plain(name) in self._known:
            return f"more than one student goes by the name of {name!r}"
        near = self.near(name)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        return f"nobody in the roster goes by the name of {name!r}{hint}"

    @cached_property
    def _has_participants(self) -> bool:
        people = self.people.values()
        return any(PARTICIPANT.match(each) for person in people for each in person.ids)

    @cached_property
    def _folded(self) -> dict[str, str]:
        return _only((name.casefold(), student) for name, student in self._known.items())

    @cached_property
    def _named(self) -> dict[tuple[str, ...], str]:
        return _only((_words(each.name), each.id) for each in self.people.values() if each.name)

    @cached_property
    def _near(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self._known:
            own = _skeleton(name)
            for each in dict.fromkeys((own, own.lstrip("0"), *_shorter(own))):
                found.setdefault(each, []).append(name)
        return found


def _only(pairs: Iterable[tuple[_Key, str]]) -> dict[_Key, str]:
    """Return whose each name is; "" for a name of two."""
    found: dict[_Key, str] = {}
    for name, student in pairs:
        found[name] = student if found.get(name, student) == student else ""
    return found


def _skeleton(name: str) -> str:
    return re.sub(r"[\W_]+", "", _plain(name).casefold())


def _shorter(skeleton: str) -> list[str]:
    """Return a name with one character left out, at each place; too short a name says nothing."""
    if not 4 <= len(skeleton) <= 64:
        return []
    return [skeleton[:at] + skeleton[at + 1 :] for at in range(len(skeleton))]


def _words(name: str) -> tuple[str, ...]:
    return tuple(sorted(re.findall(r"[^\s,_]+", _plain(name).casefold())))


def read_roster(path: Path) -> Roster:
    """Return the roster in `path`; FormatError, with the line where one is known, if it is none."""
    table = read_table(path)
    for layout in LAYOUTS:
        telling = all(table.column((each,)) is not None for each in layout.telling)
        if telling and table.column(layout.ids) is not None:
            return _roster(layout, table)
    ids = ", ".join(dict.fromkeys(name for layout in LAYOUTS for name in layout.ids))
    raise FormatError(f"{path} has no column of ids: its first line names one of {ids}", 1)


def _roster(layout: Layout, table: Table) -> Roster:
    found, without, known = [], [], []
    first = [at for name in layout.ids for at in table.columns((name,))]
    named = [at for name in layout.names for at in table.columns((name,))]
    every = [*first, *(at for at in table.columns(IDS) if at not in (*first, *named))]
    emails = table.columns(EMAILS)
    for at, (line, row) in enumerate(zip(table.lines, table.rows, strict=True)):
        cells = [cell.strip() for cell in (*row, *[""] * (len(table.header) - len(row)))]
        if not any(cells) or (layout.kind == "canvas" and _no_student(table, cells)):
            continue
        # Brightspace writes #0042, so that spreadsheets keep the zeros.
        ids = [_id(cells[column]) for column in first if _id(cells[column])]
        if not ids:
            without.append(line)
            continue
        name = " ".join(filter(None, (cells[column] for column in named)))
        email = next((cells[column] for column in emails if "@" in cells[column]), "")
        goes_by = dict.fromkeys(
            _plain(_id(cells[column])) for column in every if _id(cells[column])
        )
        found.append(Person(ids[0], name, email, at, tuple(goes_by)))
        known += [(PARTICIPANT.sub("", each), ids[0]) for each in goes_by]
    often = Counter(person.id for person in found)
    names = Counter(name for name, _ in known)
    return Roster(
        layout.kind,
        {person.id: person for person in found if often[person.id] == 1},
        tuple(each for each, times in often.items() if times > 1),
        tuple(without),
        table.header,
        table.rows,
        table.delimiter,
        {name: id_ if names[name] == 1 and often[id_] == 1 else "" for name, id_ in known},
    )


def _no_student(table: Table, cells: list[str]) -> bool:
    """Return whether a row of Canvas is none of a student: such have no id of the school."""
    ids = table.columns(("SIS User ID",))
    about = {cell.casefold() for cell in cells} & set(MUTED)
    name = cells[table.columns(("Student",))[0]].casefold()
    return not any(cells[at] for at in ids) and (name in NO_STUDENTS or (not name and bool(about)))


def _id(cell: str) -> str:
    return cell.removeprefix("#").strip()


def _plain(name: str) -> str:
    """Return a name as it is looked up: file systems may have composed its accents anew."""
    return unicodedata.normalize("NFC", name.strip())
