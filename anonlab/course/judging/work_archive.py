"""A learner's own work as one file to hand in: the exercises and the log of what was done.

    exercises/exNNx_topic.py     every exercise's file, as `anonlab grade` takes it
    exercises/variant.json       which variant it answers, if there is one
    progress.jsonl               predictions, answers, hints and checks

Equal work makes an equal archive, byte for byte.
"""

from __future__ import annotations

import ast
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from warnings import catch_warnings, simplefilter

from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring.exercises import Course
from anonlab.course.authoring.variants import read_variant

MOST_BYTES = 10_000_000
"""Grading takes no more than that, unpacked."""
NAME = "anonlab-work.zip"
ZIP_ERRORS = (
    zipfile.BadZipFile,  # no zip, or a checksum or a name that does not fit
    zlib.error,  # no deflate stream
    EOFError,  # a stream that ends before its time
    struct.error,  # a record that is cut
    ValueError,  # a place before the beginning; a name that is no text
    OverflowError,  # a place that no number of the system holds
    OSError,  # a place that no file has
    RuntimeError,  # a password; NotImplementedError: a way of packing that Python does not know
)
"""All that zipfile raises at a damaged archive."""
_WHEN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class WorkArchive:
    """The archive, how many exercises in it are more than the template, and what a learner should
    know before it is handed in."""

    path: Path
    begun: int
    notes: tuple[str, ...]


def export_work(course: Course, out: Path, force: bool = False) -> WorkArchive:
    """Write the work in `course` to the archive `out`.

    force   write over a file that is there
    raises  ValueError if there is nothing to hand in, too much, or `out` is there already
    """
    files, notes, begun = {}, [], 0
    for number, exercise in course.exercises.items():
        path = course.file(number)
        if not path.is_file():
            notes.append(f'{number}: {path.name} is missing; reset("{number}") brings it back')
            continue
        files[f"exercises/{path.name}"] = path.read_bytes()
        if files[f"exercises/{path.name}"] == f"{exercise.header}\n{exercise.stub}".encode():
            notes.append(f"{number}: {path.name} is still the template")
            continue
        begun += 1
        notes += _readable(number, path)
    log = ProgressLog(course.root)
    for name, path in (
        ("exercises/variant.json", course.root / "exercises" / "variant.json"),
        ("progress.jsonl", log.path),
    ):
        if path.is_file():
            files[name] = path.read_bytes()
    _check(course, files, begun, bool(log.events()))
    if out.exists() and not force:
        raise ValueError(f"{out} is there already: choose another name with --out, or --force")
    _write(out, files)
    return WorkArchive(out, begun, tuple(notes))


def archive_name(course: Course, student: str = "") -> str:
    """Return what an archive is called: after the student, so that it can be told from others.

    student  an id; '' takes that of exercises/variant.json, if there is one
    raises   ValueError for an id that is no part of a file's name
    """
    variant = course.root / "exercises" / "variant.json"
    if not student and variant.is_file():
        try:
            student = read_variant(variant.read_bytes())[0]
        except ValueError as error:
            raise ValueError(f"{variant} cannot be read ({error}): ask for it again") from None
    if student and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@+-]{,99}", student):
        raise ValueError(f"{student!r:.60} makes no name of a file: choose one with --out")
    return f"{student}.zip" if student else NAME


def _readable(number: str, path: Path) -> list[str]:
    """Return a sentence if `path` is not Python, so that no check of it could pass."""
    try:
        with catch_warnings():
            simplefilter("ignore")  # what Python warns of is said when it runs
            ast.parse(path.read_bytes())
    except (RecursionError, MemoryError):
        return [f"{number}: {path.name} cannot be read by Python: it is nested too deep"]
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        return [f"{number}: {path.name}{line} is not Python: {error.args[0]}"]
    return []


def _check(course: Course, files: dict[str, bytes], begun: int, log: bool) -> None:
    if not begun and not log:
        raise ValueError(
            f"there is nothing to hand in: every exercise in {course.root / 'exercises'} is still "
            "the template, and nothing was predicted or answered"
        )
    size = sum(len(content) for content in files.values())
    if size > MOST_BYTES:
        largest = max(files, key=lambda name: len(files[name]))
        raise ValueError(
            f"your work has {size:,} bytes, the limit is {MOST_BYTES:,}: {largest} alone has "
            f"{len(files[largest]):,}"
        )


def _write(out: Path, files: dict[str, bytes]) -> None:
    """Write the archive whole or not at all."""
    half = out.with_name(f".{out.name}.half")
    try:
        with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                info = zipfile.ZipInfo(name, _WHEN)
                info.external_attr = 0o644 << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, content)
        half.replace(out)
    finally:
        half.unlink(missing_ok=True)
