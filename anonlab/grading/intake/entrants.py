"""Which names in a folder are one submission, and which of a student's submissions counts."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from anonlab.course.authoring.masters import Master
from anonlab.course.authoring.wall_clock import in_utc
from anonlab.grading.intake.archives import is_archive
from anonlab.grading.intake.groups import Groups
from anonlab.grading.intake.names import Owner, owner
from anonlab.grading.intake.receipts import Receipts
from anonlab.grading.intake.roster import Roster

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,79}\Z")


@dataclass(frozen=True)
class Entrant:
    """One submission as it lies in the folder; nothing of it has been opened.

    paths     folders, archives and loose files, each with the name that it has for the student
    partners  who share it, and its grade
    attempt   which one it is by its name, "" if that does not say
    system    that made its name, "" for a plain one
    late      its name says that it came late, and not when
    """

    id: str
    student: str
    paths: tuple[tuple[Path, str], ...]
    received: datetime | None = None
    rejected: str = ""
    partners: tuple[str, ...] = ()
    attempt: str = ""
    system: str = ""
    late: bool = False


@dataclass(frozen=True)
class Superseded:
    """A submission that does not count, because `by` of the same student does; "" if nobody can
    say which of them does."""

    entrant: Entrant
    by: str


@dataclass(frozen=True)
class Naming:
    """How a name in a folder becomes a person.

    pattern  of --names: it decides alone, by its group `student`
    known    whose each name is, where an export says so
    zone     of times that stand in names
    """

    roster: Roster
    masters: Mapping[str, Master]
    receipts: Receipts
    groups: Groups
    pattern: re.Pattern[str] | None = None
    known: Mapping[str, tuple[str, ...]] | None = None
    zone: tzinfo | None = None

    def owner(self, name: str) -> Owner:
        """Return whose the file or folder called `name` is."""
        if self.known is not None and name in self.known:
            student = next(iter(self.known[name]), "")
            why = "" if student else f"nobody in the roster is among those who handed in {name}"
            return Owner(student, name, "", why=why, system="gradescope")
        whose = owner(self.roster, name, self.pattern)
        if not whose.student and (team := self.groups.called(name, whose.prefix)):
            whose = replace(whose, student=team[0], why="")
        said = self.receipts.get(name)
        if said is not None and said.student:
            named = self.roster.find(said.student)
            why = "" if named else self.roster.why_not(said.student)
            whose = replace(whose, student=named, why=why)
        return whose

    def partners(self, student: str, name: str) -> tuple[str, ...]:
        """Return who shares a submission of `student`."""
        team = (*(self.known or {}).get(name, ()), *self.groups.of(student))
        return tuple(dict.fromkeys(each for each in team if each and each != student))


def find_entrants(paths: list[Path], naming: Naming) -> list[Entrant]:
    """Return the submissions among `paths`; what one student handed in at once is one."""
    grouped: dict[tuple[str, str], list[tuple[Path, str]]] = {}
    owners: dict[tuple[str, str], Owner] = {}
    late: dict[tuple[str, str], bool] = {}
    for path in paths:
        whose = naming.owner(path.name)
        loose = whose.student and not is_archive(path.name) and not is_folder(path)
        together = loose or whose.system in ("canvas", "moodle", "blackboard", "brightspace")
        key = ("files of", whose.prefix.rstrip("_-. ")) if together else ("", path.name)
        grouped.setdefault(key, []).append((path, _called(path, whose, naming.masters)))
        owners.setdefault(key, whose)
        late[key] = late.get(key, False) or whose.late
    return [
        replace(_entrant(key[1], files, owners[key], naming), late=late[key])
        for key, files in grouped.items()
    ]


def is_folder(path: Path) -> bool:
    """Return whether `path` is a folder itself, and no link to one."""
    return stat.S_ISDIR(path.lstat().st_mode)


def _called(path: Path, whose: Owner, masters: Mapping[str, Master]) -> str:
    """Return what a loose file is called without its student: ex04a_fork.py."""
    if "." not in whose.rest:  # STUDENT.zip, STUDENT.py
        only = len(masters) == 1 and whose.rest == "py"
        return f"{next(iter(masters.values())).name}.py" if only else path.name
    return whose.rest


def _entrant(name: str, paths: list[tuple[Path, str]], whose: Owner, naming: Naming) -> Entrant:
    single = paths[0][0].name if len(paths) == 1 else f"{name}.files"
    student = whose.student
    entrant = Entrant(
        _safe(single), student, tuple(paths), rejected="" if student else whose.why,
        partners=naming.partners(student, paths[0][0].name) if student else (),
        attempt=whose.attempt, system=whose.system,
    )  # fmt: skip
    receipts = naming.receipts
    times = [receipts[each].received for each in names_of(entrant) if each in receipts]
    return replace(entrant, received=max(times, default=_said_by(whose, naming.zone)))


def _said_by(whose: Owner, zone: tzinfo | None) -> datetime | None:
    """Return the time in a name of Blackboard or Brightspace, which is on the wall of `zone`."""
    try:
        made = datetime.fromisoformat(whose.attempt)
        return None if zone is None else in_utc(made, zone)
    except ValueError:
        return None


def with_times(found: list[Entrant], receipts: Receipts) -> list[Entrant]:
    """Return submissions with the times that receipts have for students: it is the time of the
    only one, or of the last attempt if names say which that is."""
    said = receipts.by_student
    if not said:
        return found
    several: dict[str, list[Entrant]] = {}
    for each in found:
        several.setdefault(each.student, []).append(each)
    timed = []
    for each in found:
        mine = several[each.student]
        last = max(mine, key=lambda other: other.attempt)
        sure = len(mine) == 1 or [other.attempt for other in mine].count(last.attempt) == 1
        times = [said[student] for student in (each.student, *each.partners) if student in said]
        if each.received is None and times and each is last and sure:
            each = replace(each, received=max(times))
        timed.append(each)
    return timed


def names_of(entrant: Entrant) -> set[str]:
    """Return the names that a table of receipts may have for a submission."""
    return {entrant.id} | {path.name for path, _ in entrant.paths}


def _safe(name: str) -> str:
    """Return `name` if it can name a file everywhere, else one that can, and is its alone."""
    if _SAFE.match(name) and not name.endswith("."):
        return name
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:12]
    return re.sub(r"[^A-Za-z0-9]+", "-", name)[:40].strip("-") + f"-{digest}"


def choose(
    found: list[Entrant], due: Mapping[str, datetime]
) -> tuple[list[Entrant], list[Superseded]]:
    """Return which submissions count, and which do not: the newest before the deadline does.

    Without times the last attempt does, if names say which that is.
    """
    counting = [each for each in found if not each.student]
    superseded: list[Superseded] = []
    mine: dict[tuple[str, ...], list[Entrant]] = {}
    for each in found:
        if each.student:
            team = tuple(sorted((each.student, *each.partners)))
            mine.setdefault(team, []).append(each)
    for several in mine.values():
        times = [each.received for each in several]
        attempts = {each.attempt for each in several}
        if len(several) == 1:
            counting += several
            continue
        if None not in times and len(set(times)) == len(times):
            best = max(several, key=lambda each: _rank(each, due.get(each.student)))
        elif len(attempts - {""}) == len(several):
            best = max(several, key=lambda each: each.attempt)
        else:
            names = ", ".join(each.id for each in several)
            whose = "student" if len({each.student for each in several}) == 1 else "group"
            reason = f"several of one {whose} ({names}) and no receipt times that say which counts"
            first, *others = sorted(several, key=lambda each: each.id)
            counting.append(replace(first, rejected=reason))
            superseded += [Superseded(each, "") for each in others]
            continue
        counting.append(best)
        superseded += [Superseded(each, best.id) for each in several if each is not best]
    return counting, superseded


def _rank(entrant: Entrant, due: datetime | None) -> tuple[bool, datetime]:
    received = entrant.received or datetime.min.replace(tzinfo=UTC)
    return due is None or received <= due, received
