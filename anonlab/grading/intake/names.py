"""Whose is it? Names of files and folders as learning management systems make them.

canvas        sortablename_LATE_1005_563_ex04a_fork-1.py     the second number is the attachment's
moodle        Jane Doe_12_assignsubmission_file_/ex04a_fork.py, or flat
blackboard    Homework 1_s0042_attempt_2026-10-01-11-58-03_ex04a_fork.py
brightspace   10254-388211 - Jane Doe - Oct 1, 2026 1158 AM/ex04a_fork.py, or flat
github        homework-1-janedoe/, for a roster with the column github_username
plain         STUDENT, STUDENT.zip, STUDENT_anything, STUDENT-anything

A person is found by any id of the roster, exactly before by a beginning; where only a full name is
to be had, by that. Two who fit are nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from anonlab.grading.intake.archives import ARCHIVES, shown
from anonlab.grading.intake.roster import Roster


@dataclass(frozen=True)
class Owner:
    """Whose a file or folder is, by its name.

    student  the id, "" if nobody's
    prefix   what of the name is the student's (and the attempt's); loose files with one prefix are
             one submission
    rest     what follows: what a loose file was called
    attempt  which one it is, for comparing with others of the student; "" if the name does not say
    why      a sentence if it is nobody's
    system   that made the name, "" for a plain one
    late     the name says that it came late, and not when
    """

    student: str
    prefix: str
    rest: str
    attempt: str = ""
    why: str = ""
    system: str = ""
    late: bool = False


@dataclass(frozen=True)
class _System:
    """How a system makes names: `id` is an id there, `name` a full name, `rest` the file."""

    kind: str
    pattern: re.Pattern[str]


def _made(kind: str, pattern: str) -> _System:
    return _System(kind, re.compile(pattern + r"\Z", re.DOTALL | re.IGNORECASE))


SYSTEMS = (
    _made(
        "canvas",
        r"(?P<short>.+?)(?P<late>_LATE)?_(?P<id>\d+)"
        r"(?:_(?:question_\d+_)?\d+_(?P<rest>.+)|_text\.html|_link\.html)",
    ),
    _made(
        "moodle",
        r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<rest>.*)",
    ),
    _made(
        "blackboard",
        r".+?_(?P<id>.+?)_attempt_(?P<attempt>\d{4}(?:-\d\d){5})"
        r"(?:\.txt|_(?P<rest>.+))",
    ),
    _made(
        "brightspace",
        r"(?P<id>\d+)-\d+ - (?P<name>.+?) ?- "
        r"(?P<attempt>[A-Z][a-z]+ \d+, \d{4} \d+ [AP]M)(?: - (?P<rest>.+))?",
    ),
)
_MADE_TIMES = ("%Y-%m-%d-%H-%M-%S", "%b %d, %Y %I%M %p", "%B %d, %Y %I%M %p")


def owner(roster: Roster, name: str, pattern: re.Pattern[str] | None = None) -> Owner:
    """Return whose the submission called `name` is.

    pattern  decides alone if there is one: its group `student` is an id, login or e-mail
    """
    if pattern is not None:
        return _by_pattern(roster, name, pattern)
    stem = _stem(name)
    for exact in (name, stem):
        if student := roster.find(exact):
            return Owner(student, exact, name[len(exact) + 1 :])
    made = [each for system in SYSTEMS if (each := _by_system(roster, name, system)) is not None]
    if sure := [each for each in made if each.student and each.system == roster.kind]:
        return sure[0]
    plain = _by_beginning(roster, name)
    if roster.kind == "github" and not plain.student:
        plain = _by_end(roster, stem, plain)
    fits = {each.student: each for each in (*made, plain) if each.student}
    if len(fits) == 1:
        return next(each for each in (*made, plain) if each.student)
    if len(fits) > 1:
        return Owner("", name, name, why=_both(name, sorted(fits)))
    if made or plain.why:
        return made[0] if made else plain
    return replace(plain, why=_nobody(roster, name))


def _by_pattern(roster: Roster, name: str, pattern: re.Pattern[str]) -> Owner:
    match = pattern.search(name)
    if match is None or match["student"] is None:
        return Owner("", name, name, why=f"--names does not match {shown(name)}")
    student = roster.find(match["student"])
    why = "" if student else roster.why_not(shown(match["student"]))
    rest = match.groupdict().get("file") or name[match.end() :].lstrip("_-. ")
    return Owner(student, name[: match.end("student")], rest, why=why)


def _by_system(roster: Roster, name: str, system: _System) -> Owner | None:
    match = system.pattern.match(name)
    if match is None:
        return None
    parts = match.groupdict()
    student = _person(roster, system.kind, parts)
    why = ""
    if not student:
        told = parts.get("name") or parts["id"]
        why = f"{roster.why_not(shown(told))} (a name of {system.kind.capitalize()})"
    rest = parts.get("rest") or ""
    if system.kind == "canvas":
        prefix = f"{parts['short']}_{parts['id']}"
    else:
        prefix = name[: match.end("id" if system.kind == "moodle" else "attempt")]
    attempt = _sortable(parts.get("attempt") or "")
    return Owner(student, prefix, rest, attempt, why, system.kind, bool(parts.get("late")))


def _person(roster: Roster, kind: str, parts: dict[str, str | None]) -> str:
    """Return whom the number of a system names, or else its full name.

    These numbers are the system's own. Only in a roster with their column are they sure; in another
    somebody else's id may be the same number, so the names must agree.
    """
    student, name = roster.find(parts["id"] or ""), parts.get("name") or ""
    if kind == "blackboard":  # the name of an assignment may have the same strokes as a login
        words = (parts["id"] or "").split("_")
        fits = {roster.find("_".join(words[at:])) for at in range(len(words))} - {""}
        return fits.pop() if len(fits) == 1 else ""
    if student and roster.has_numbers_of(kind):
        return student
    theirs = roster.people[student].name if student else ""
    if student and (not theirs or _letters(theirs) == _letters(name or parts.get("short") or "")):
        return student
    return roster.by_name(name) if name else ""


def _letters(name: str) -> list[str]:
    """Return the letters of a name, sorted: Zhao, Li is zhaoli and Li Zhao."""
    return sorted(each for each in name.casefold() if each.isalnum())


def _sortable(attempt: str) -> str:
    """Return a time in a name so that later ones sort later; it has no zone: no receipt."""
    for form in _MADE_TIMES:
        try:
            return datetime.strptime(attempt, form).isoformat()
        except ValueError:
            continue
    return attempt


def _by_beginning(roster: Roster, name: str) -> Owner:
    cuts = [at for at, char in enumerate(name) if char in "_-. "] + [len(name)]
    fits = {roster.find(name[:at]): at for at in cuts if roster.find(name[:at])}
    if len(fits) == 1:
        ((student, at),) = fits.items()
        return Owner(student, name[:at], name[at + 1 :])
    if fits:
        return Owner("", name, name, why=_both(name, sorted(fits)))
    return Owner("", name, name)


def _nobody(roster: Roster, name: str) -> str:
    cuts = [at for at, char in enumerate(name) if char in "_-. "] + [len(name)]
    near = next((each for at in cuts if (each := roster.near(name[:at]))), [])
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"nobody in the roster goes by the name of {shown(name)}{hint}"


def _by_end(roster: Roster, stem: str, otherwise: Owner) -> Owner:
    """GitHub Classroom puts the login at the end of a repository's name."""
    ends = [stem[at + 1 :] for at, char in enumerate(stem) if char == "-"]
    fits = sorted({student for end in ends if (student := roster.find(end))})
    if len(fits) > 1:
        return Owner("", stem, stem, why=_both(stem, fits))
    return Owner(fits[0], stem, "", system="github") if fits else otherwise


def _both(name: str, students: list[str]) -> str:
    return f"{shown(name)} may be of {' or of '.join(students)}: rename it, or say --names"


def _stem(name: str) -> str:
    """Return a name without the ending of an archive, a notebook or a Python file."""
    lower = name.casefold()
    endings = (".tar.gz", ".tar.bz2", ".tar.xz", *ARCHIVES, ".ipynb", ".py", ".txt")
    return next((name[: -len(each)] for each in endings if lower.endswith(each)), name)
