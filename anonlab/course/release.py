"""What students get: chosen exercises with their public tests, and the notebooks; no hidden test,
no solution, no known wrong answer.

The assignment is a TOML file::

    name = "Homework 1"
    exercises = ["04a", "04b"]          # or "all"
    due = 2026-10-01T12:00:00Z          # optional
    hints = "free"                      # or "none"
    [points]                            # optional: what an exercise counts for, instead of its own
    04a = 20
"""

from __future__ import annotations

import json
import shutil
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from anonlab.course.exercises import generated
from anonlab.course.masters import Master, read_masters

_FIELDS = {"name", "exercises", "due", "hints", "points"}


@dataclass(frozen=True)
class Assignment:
    """What is handed out; `points` has an entry for every exercise."""

    name: str
    numbers: tuple[str, ...]
    due: str
    hints: str
    points: dict[str, int]


def read_assignment(path: Path, masters: tuple[Master, ...]) -> Assignment:
    """Return the assignment in `path`; ValueError that names what is wrong with it."""
    try:
        plain = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from None
    if unknown := set(plain) - _FIELDS:
        raise ValueError(
            f"{path}: unknown field {sorted(unknown)[0]!r}; there are {sorted(_FIELDS)}"
        )
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
    return Assignment(
        str(plain.get("name", path.stem)),
        tuple(number for number in known if number in numbers),
        _due(path, plain.get("due")),
        plain.get("hints", "free"),
        {number: points.get(number, known[number].points) for number in numbers},
    )


def _due(path: Path, due: Any) -> str:
    if due is None:
        return ""
    if not isinstance(due, datetime) or due.tzinfo is None:
        raise ValueError(f"{path}: due is a time with its zone, such as 2026-10-01T12:00:00Z")
    return due.isoformat()


def release(root: Path, assignment: Path, out: Path) -> tuple[Path, ...]:
    """Write the student's folder of the course in `root` to `out`; return its files.

    raises  ValueError for a wrong assignment, or if `out` holds something already
    """
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
    _write(out / "assignment.json", json.dumps(vars(chosen), indent=1) + "\n")
    return tuple(sorted(path for path in out.rglob("*") if path.is_file()))


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
        told = {number for piece, number in secret.items() if piece in text}
        found += [f"{path} holds a piece of the solution of {number}" for number in sorted(told)]
    return found


def _pieces(answer: str) -> list[str]:
    """Return every two neighbouring lines of an answer as one, or its only line."""
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    return [" ".join(pair) for pair in pairwise(lines)] or lines


def _one_line(text: str) -> str:
    """Return a text without line breaks, those that JSON has escaped included."""
    return " ".join(text.replace("\\n", " ").split())
