"""What students get: chosen exercises with their public tests, and the notebooks; no hidden test,
no solution, no known wrong answer.

The assignment is a TOML file::

    name = "Homework 1"
    exercises = ["04a", "04b"]          # or "all"
    due = 2026-10-01T12:00:00           # optional; on the wall of its zone, or with an offset
    zone = "Europe/Berlin"              # optional: days are counted on the clocks there
    hints = "free"                      # or "none"
    [points]                            # optional: what an exercise counts for, instead of its own
    04a = 20
    [late]                              # optional: what lateness costs; grading/reports/late.py
    percent_per_day = 10
    [grading]                           # optional, with what holds if it is not there
    hidden = "after_published"          # when Gradescope shows hidden tests: or "hidden",
                                        # "visible", "after_due_date"
    secret_env = "ANONLAB_SECRET"       # the environment variable that holds the course's secret
    call_seconds = 3.0                  # for one call of a student's function
    box_seconds = 30.0                  # for all calls of one exercise
    judge_mebibytes = 2048              # memory that judging one submission may take beside its box
    variants = false                    # true: each student got a variant of their own
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from anonlab.course.authoring.exercises import generated, student_view
from anonlab.course.authoring.masters import Master, read_masters
from anonlab.course.authoring.released_files import CONFIGURATION, WHEELS, instructors_files
from anonlab.course.authoring.variants import SECRET_VARIABLE
from anonlab.course.authoring.wall_clock import in_utc, stands_twice, zone_named
from anonlab.version import __version__

_FIELDS = {"name", "exercises", "due", "zone", "hints", "points", "late", "grading"}
HIDDEN_SHOWN = ("after_published", "hidden", "visible", "after_due_date")
"""When Gradescope may show hidden tests, in its own words."""
LONGEST_SECONDS = 3600.0
LEAST_MEBIBYTES, MOST_MEBIBYTES = 256, 1 << 20


@dataclass(frozen=True)
class GradingTerms:
    """How an assignment is graded: when Gradescope shows hidden tests, the environment variable
    that holds the course's secret, wall seconds of one call and of one exercise, memory that
    judging one submission may take, and whether each student got a variant of their own
    (`anonlab course variant`)."""

    hidden: str = "after_published"
    secret_env: str = SECRET_VARIABLE
    call_seconds: float = 3.0
    box_seconds: float = 30.0
    judge_mebibytes: int = 2048
    variants: bool = False


@dataclass(frozen=True)
class Assignment:
    """What is handed out; `points` has an entry for every exercise. `late` is the table as it
    stands: grading knows what it means. `zone` is the name of the clocks that count, "" for UTC."""

    name: str
    numbers: tuple[str, ...]
    due: str
    hints: str
    points: dict[str, int]
    late: dict[str, Any] = field(default_factory=dict)
    grading: GradingTerms = field(default_factory=GradingTerms)
    zone: str = ""

    @property
    def clock(self) -> ZoneInfo | None:
        """The zone that counts, None if none is named."""
        return zone_named(self.zone) if self.zone else None


def read_assignment(path: Path, masters: tuple[Master, ...]) -> Assignment:
    """Return the assignment in `path`; ValueError that names what is wrong with it."""
    text = path.read_text("utf-8")
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from None
    _known(path, text, plain, _FIELDS)
    for name in ("late", "grading", "points"):
        if not isinstance(plain.get(name, {}), dict):
            raise ValueError(f"{path}: {name} is a table: [{name}], and a line for each value")
    known = {master.number: master for master in masters}
    numbers = plain.get("exercises", "all")
    numbers = list(known) if numbers == "all" else numbers
    points = plain.get("points", {})
    for number in [*numbers, *points]:
        if number not in known or number not in numbers:
            raise ValueError(
                f"{path}: there is no exercise {number!r} in it; there are {list(known)}"
            )
    if plain.get("hints", "free") not in ("free", "none"):
        raise ValueError(f"{path}: hints is 'free' or 'none', got {plain['hints']!r}")
    if bad := [value for value in points.values() if type(value) is not int or value < 0]:
        raise ValueError(f"{path}: points are whole numbers, got {bad[0]!r}")
    zone = _zone(path, plain.get("zone", ""))
    return Assignment(
        str(plain.get("name", path.stem)),
        tuple(number for number in known if number in numbers),
        _due(path, plain.get("due"), zone),
        plain.get("hints", "free"),
        {number: points.get(number, known[number].points) for number in numbers},
        plain.get("late", {}),
        _grading(path, text, plain.get("grading", {})),
        zone,
    )


def everything(masters: tuple[Master, ...]) -> Assignment:
    """Return the assignment where none is named: all exercises, for their own points."""
    points = {master.number: master.points for master in masters}
    return Assignment("all exercises", tuple(points), "", "free", points)


def _known(path: Path, text: str, plain: dict[str, Any], fields: set[str]) -> None:
    """Refuse a field that there is not, with the line where it stands."""
    unknown = [name for name in plain if name not in fields]
    if unknown:
        lines = text.splitlines()
        spelt = re.compile(rf"\s*\[*[\"']?{re.escape(unknown[0])}[\"']?\s*[\]=]")
        at = next((f", line {at}" for at, line in enumerate(lines, 1) if spelt.match(line)), "")
        raise ValueError(f"{path}{at}: unknown field {unknown[0]!r}; there are {sorted(fields)}")


def _grading(path: Path, text: str, plain: dict[str, Any]) -> GradingTerms:
    _known(path, text, plain, set(GradingTerms.__dataclass_fields__))
    terms = GradingTerms(**plain)
    if terms.hidden not in HIDDEN_SHOWN:
        shown = ", ".join(map(repr, HIDDEN_SHOWN))
        raise ValueError(f"{path}: hidden is one of {shown}, got {terms.hidden!r}")
    if not isinstance(terms.secret_env, str) or not terms.secret_env:
        raise ValueError(f"{path}: secret_env is the name of an environment variable")
    if type(terms.variants) is not bool:
        raise ValueError(f"{path}: variants is true or false, got {terms.variants!r}")
    most = terms.judge_mebibytes
    if type(most) is not int or not LEAST_MEBIBYTES <= most <= MOST_MEBIBYTES:
        raise ValueError(
            f"{path}: judge_mebibytes is a whole number from {LEAST_MEBIBYTES} to "
            f"{MOST_MEBIBYTES:,}; got {most!r}"
        )
    for name in ("call_seconds", "box_seconds"):
        value = getattr(terms, name)
        if type(value) not in (int, float) or not 0 < value <= LONGEST_SECONDS:
            raise ValueError(
                f"{path}: {name} is a number above 0, {LONGEST_SECONDS:g} at most; got {value!r}"
            )
    return terms


def _zone(path: Path, name: Any) -> str:
    if not isinstance(name, str):
        raise ValueError(f"{path}: zone is the name of a time zone, got {name!r}")
    try:
        return str(zone_named(name)) if name else ""
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _due(path: Path, due: Any, zone: str) -> str:
    """Return the deadline with its offset; a time without one is on the wall of `zone`."""
    if due is None:
        return ""
    if not isinstance(due, datetime) or (due.tzinfo is None and not zone):
        raise ValueError(
            f"{path}: due is a time with its zone, such as 2026-10-01T12:00:00Z, or has "
            'zone = "Europe/Berlin" beside it'
        )
    clock = zone_named(zone) if zone else None
    if due.tzinfo is None and clock is not None and stands_twice(due, clock):
        first, second = (due.replace(tzinfo=clock, fold=fold).isoformat() for fold in (0, 1))
        raise ValueError(f"{path}: due is there twice in {zone}: write {first} or {second}")
    try:
        return in_utc(due, clock).astimezone(clock or due.tzinfo).isoformat()
    except ValueError as error:
        raise ValueError(f"{path}: due: {error}") from None


def write_release(
    root: Path, assignment: Path, out: Path, wheel: Path | None = None
) -> tuple[Path, ...]:
    """Write the student's folder of the course in `root` to `out`; return its files.

    wheel   a file that holds anonlab, for students who get it nowhere else
    raises  ValueError for a wrong assignment, a `wheel` that is of another version or none, or if
            `out` holds something already
    """
    if wheel is not None:
        _check_wheel(wheel)
    masters = read_masters(root / "solutions")
    chosen = read_assignment(assignment, masters)
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} is not empty: a release goes into a new folder")
    given = tuple(master for master in masters if master.number in chosen.numbers)
    if chosen.hints == "none":
        given = tuple(replace(master, hints=()) for master in given)
    for name, text in generated(given).items():
        _write(out / "exercises" / name, text)
    for master in given:
        name = f"test_{master.name}.py"
        source = root / "tests" / "exercises" / "public" / name
        _write(out / "tests" / "exercises" / "public" / name, source.read_text("utf-8"))
    for source in sorted((root / "notebooks").glob("*.ipynb")):
        (out / "notebooks").mkdir(exist_ok=True)
        shutil.copyfile(source, out / "notebooks" / source.name)
    for name in ("glossary.md", "COURSE_MAP.md"):
        if (root / "notebooks" / name).is_file():
            _write(out / "notebooks" / name, (root / "notebooks" / name).read_text("utf-8"))
    for name, text in _beside(chosen, given, wheel).items():
        _write(out / name, text)
    if wheel is not None:
        (out / WHEELS).mkdir()
        shutil.copyfile(wheel, out / WHEELS / wheel.name)
    fields = ("name", "numbers", "due", "zone", "hints", "points", "late")
    plain = {name: getattr(chosen, name) for name in fields}
    _write(out / "assignment.json", json.dumps(plain, indent=1) + "\n")
    return tuple(sorted(path for path in out.rglob("*") if path.is_file()))


def _beside(chosen: Assignment, given: tuple[Master, ...], wheel: Path | None) -> dict[str, str]:
    """Return what a release has beside the course, by the file's name."""
    exercises = tuple(student_view(master) for master in given)
    name = wheel.name if wheel is not None else ""
    files = instructors_files(chosen.name, chosen.due, chosen.points, exercises, name)
    return {**CONFIGURATION, **files}


def _check_wheel(wheel: Path) -> None:
    right = f"anonlab-{__version__}-"
    if not wheel.is_file() or wheel.suffix != ".whl" or not wheel.name.startswith(right):
        raise ValueError(f"{wheel} is not the file {right}….whl, which `make wheel` makes in dist/")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")


SHORTEST = 30
"""Shorter pieces of a solution may stand anywhere. A single line may too: the last hint of a ladder
is almost the line."""


def leaks(files: tuple[Path, ...], masters: tuple[Master, ...]) -> list[str]:
    """Return one sentence for each file that holds a piece of a solution, or is a hidden test."""
    secret = {
        piece: master.number
        for master in masters
        for answer in master.answers
        for piece in _pieces(answer)
        if len(piece) > SHORTEST and piece not in _one_line(master.stub)
    }
    found = []
    for path in files:
        if {"hidden", "wrong", "solutions"} & set(path.parts):
            found.append(f"{path} is not for students")
        text = _one_line(path.read_bytes().decode("utf-8", "replace"))
        numbers = {number for piece, number in secret.items() if piece in text}
        found += [f"{path} holds a piece of the solution of {number}" for number in sorted(numbers)]
    return found


def _pieces(answer: str) -> list[str]:
    """Return every two neighbouring lines of an answer as one, or its only line."""
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    return [" ".join(pair) for pair in pairwise(lines)] or lines


def _one_line(text: str) -> str:
    """Return a text without line breaks, those that JSON has escaped included."""
    return " ".join(text.replace("\\n", " ").split())
