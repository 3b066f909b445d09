"""What students get as zips: one for each student of a roster, or one for all.

OUT/0042.zip          the folder of `anonlab course release`, with the notebooks of the assignment
                      only, the student's id in README.md and, with variants, exercises/variant.json
OUT/students.csv      student, name, email, file: for a letter to each

Equal contents make equal zips, byte for byte.
"""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from anonlab.course.authoring.exercises import Course, Exercise, read_catalogue
from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.release import Assignment, read_assignment, write_release
from anonlab.course.authoring.variants import SECRET_VARIABLE, check_secret, variant
from anonlab.grading.intake.roster import Person, Roster, read_roster
from anonlab.grading.intake.variants import FILE
from anonlab.grading.reports.cells import csv_text, guarded
from anonlab.grading.reports.write import file_name

LIST = "students.csv"
ALWAYS = "00_start_here"
"""The notebook that everybody gets."""
YOUR_ID, ASKED_ID = "ID is your id", "--student ID`"
"""What README.md says where nobody knows whose it is."""
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]*\Z")
_WHEN = (2004, 3, 13, 0, 0, 0)
"""The time of every file in a zip: a time of today would change its bytes."""
Tick = Callable[[int, int], None]


@dataclass(frozen=True)
class Zips:
    """The files that were written, and sentences for the instructor."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def write_student_zips(
    root: Path,
    assignment: Path,
    out: Path,
    roster: Path | None = None,
    variants: bool = False,
    secret: str = "",
    wheel: Path | None = None,
    tick: Tick | None = None,
) -> Zips:
    """Write one zip for each student of `roster` into the new folder `out`; without a roster one
    for all.

    variants  each student gets a variant of their own, made with `secret`
    wheel     a file that holds anonlab, to go into each
    raises    ValueError, FormatError for what cannot be used, before anything is written
    """
    chosen = read_assignment(assignment, read_masters(root / "solutions"))
    _check(assignment, chosen, out, roster, variants, secret)
    people = read_roster(roster) if roster is not None else None
    files, exercises = _released(root, assignment, wheel)
    out.mkdir(parents=True, exist_ok=True)
    top = re.sub(r"[^\w.+-]+", "-", chosen.name.lower()).strip(".-") or "assignment"
    if people is None:
        return Zips((_write(out / f"{top}.zip", top, files),), ())
    course = Course(out, exercises) if variants else None
    return _each(out, top, people, files, lambda mine: _of(mine, files, course, secret), tick)


def _each(
    out: Path,
    top: str,
    roster: Roster,
    files: Mapping[str, bytes],
    own: Callable[[Person], dict[str, bytes]],
    tick: Tick | None,
) -> Zips:
    """Write a zip for each student, with what is their own beside `files`, and the list of them."""
    written = []
    rows = [["student_id", "name", "email", "file"]]
    for at, person in enumerate(roster.people.values()):
        path = out / f"{file_name(person.id)}.zip"
        written.append(_write(path, top, {**files, **own(person)}))
        rows.append([guarded(each) for each in (person.id, person.name, person.email, path.name)])
        if tick is not None:
            tick(at + 1, len(roster.people))
    (out / LIST).write_text(csv_text(rows), "utf-8", newline="")
    twice = (f"{each!r} stands in the roster more than once: no zip" for each in roster.duplicates)
    without = (f"line {each} of the roster has no id: no zip" for each in roster.without_id)
    return Zips((*written, out / LIST), (*twice, *without))


def _check(
    path: Path,
    chosen: Assignment,
    out: Path,
    roster: Path | None,
    variants: bool,
    secret: str,
) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} is not empty: zips go into a new folder")
    if variants and roster is None:
        raise ValueError("variants are of students: say who they are with --roster")
    if variants and not secret:
        raise ValueError(f"variants are made with the course's secret: set {SECRET_VARIABLE}")
    if variants:
        check_secret(secret, SECRET_VARIABLE)
    if variants and not chosen.grading.variants:
        raise ValueError(
            f"{path} does not say variants = true under [grading]: grading would ask other things "
            "than students were asked"
        )
    if chosen.grading.variants and not variants:
        raise ValueError(f"{path} says variants = true: hand them out with --roster and --variants")


def _released(
    root: Path, assignment: Path, wheel: Path | None
) -> tuple[dict[str, bytes], dict[str, Exercise]]:
    """Return the files of a release by name, with the notebooks that ask for its exercises, and
    these."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "release"
        paths = write_release(root, assignment, out, wheel)
        files = {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}
        exercises = read_catalogue(out / "exercises" / "catalogue.json")
    asks = re.compile(rf"%%exercise\s+({'|'.join(exercises)})\b".encode())
    wanted = {
        name: data
        for name, data in files.items()
        if not name.endswith(".ipynb") or ALWAYS in name or asks.search(data)
    }
    return wanted, exercises


def _of(
    person: Person, files: Mapping[str, bytes], course: Course | None, secret: str
) -> dict[str, bytes]:
    """Return the files that are one student's own; `course` if there are variants."""
    readme = files["README.md"].decode().replace(YOUR_ID, f"your id is {person.id}")
    if _PLAIN.match(person.id):
        readme = readme.replace(ASKED_ID, f"--student {person.id}`")
    mine = {"README.md": readme.encode()}
    if course is not None:
        plain = variant(course, secret, person.id)
        mine[f"exercises/{FILE}"] = (json.dumps(plain, indent=1) + "\n").encode()
    return mine


def _write(path: Path, top: str, files: Mapping[str, bytes]) -> Path:
    """Write a zip with all files below the folder `top`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{top}/{name}", _WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return path
