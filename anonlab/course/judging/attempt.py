"""One run of an exercise's public tests, and what a learner's file may be overwritten with."""

from __future__ import annotations

import difflib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring.exercises import Course
from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.variants import read_variant
from anonlab.course.judging.places_to_run import PlaceToRun, best_place
from anonlab.course.judging.runner import ExerciseReport, run_tests
from anonlab.version import __version__

OTHER_CELLS = "JPY_SESSION_NAME"
"""Where Jupyter tells a kernel which notebook it belongs to."""


def check_exercise(
    course: Course,
    number: str,
    because: str = "",
    above: int | None = None,
    place: PlaceToRun | None = None,
) -> ExerciseReport:
    """Run the public tests of exercise `number` on the learner's file, and keep the result.

    because  what the learner thinks is wrong, kept too
    above    the file is what a cell wrote, in which line `above` + 1 has number 1
    place    where the code runs, None: as when graded, as far as this system can
    raises   ValueError for an unknown exercise, FileNotFoundError if its file or tests are missing
    """
    exercise = course[number]
    path = course.file(exercise.number)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; get the template back with reset")
    code, place = path.read_bytes(), place or best_place()
    verdicts = run_tests(
        course.tests(exercise.number),
        exercise.public,
        place.students(code, path, above),
        seed_of(course, exercise.number),
        place.seconds,
    )
    warning = place.warning(code)
    report = ExerciseReport(exercise.number, exercise.title, verdicts, exercise.hidden, warning)
    ProgressLog(course.root).add(
        "check",
        exercise=exercise.number,
        ok=report.ok,
        points=report.points,
        most=report.most,
        tests={each.test: each.status for each in verdicts},
        digest=digest(_text(path)),
        **({"because": because} if because else {}),
    )
    return report


def check_everything(
    course: Course, number: str, because: str = "", place: PlaceToRun | None = None
) -> ExerciseReport:
    """Run the public tests of exercise `number`, and the hidden ones where they are; keep both.

    raises  as check_exercise; FileNotFoundError that says how to get the hidden tests, if they are
            not in this folder
    """
    exercise = course[number]
    hidden = course.tests(exercise.number, "hidden")
    if not hidden.is_file():
        raise FileNotFoundError(no_hidden(course, exercise.number))
    place = place or best_place()
    public = check_exercise(course, number, because, place=place)
    path = course.file(exercise.number)
    code = path.read_bytes()
    points = {each.number: each.hidden for each in read_masters(course.root / "solutions")}
    verdicts = run_tests(
        hidden,
        points[exercise.number],
        place.students(code, path),
        seed_of(course, exercise.number),
        place.seconds,
    )
    report = ExerciseReport(
        exercise.number,
        exercise.title,
        public.verdicts + verdicts,
        warning=public.warning,
        everything=True,
    )
    ProgressLog(course.root).add(
        "check_all",
        exercise=exercise.number,
        ok=report.ok,
        points=report.points,
        most=report.most,
        digest=digest(_text(path)),
    )
    return report


def no_hidden(course: Course, number: str) -> str:
    """Return why the hidden checks of an exercise cannot be run here, and how to get them."""
    name = course.file(number).name
    return (
        f"the hidden checks of {number} are not in this folder. They come with the source of "
        f"anonlab {__version__}, the folder that has solutions/ and tests/. If you have it, copy "
        f"your exercises/{name} into its exercises/ and run there: anonlab check --all {number}. "
        "In a class they run at grading; else ask who gave you the course"
    )


def seed_of(course: Course, number: str) -> int:
    """Return the seed of the learner's own variant, 0 for self-study.

    raises  ValueError if exercises/variant.json cannot be read
    """
    path = course.root / "exercises" / "variant.json"
    if not path.is_file():
        return 0
    try:
        return read_variant(path.read_bytes())[1].get(number, 0)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read ({error}): ask for it again") from None


def digest(text: str) -> str:
    """Return a short name for a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _text(path: Path) -> str:
    """Return the text of a learner's file; what is not UTF-8 in it stays as it is, when written."""
    return path.read_text("utf-8", "surrogateescape")


@dataclass(frozen=True)
class CellOutcome:
    """What became of a cell. how: 'written', 'same', 'template' (the cell is still the template,
    and the file has more), 'kept both' (the file has work that the cell has not)."""

    how: str
    path: Path
    beside: Path | None = None
    difference: str = ""


def write_cell(course: Course, number: str, cell: str, take_cell: bool = False) -> CellOutcome:
    """Write `cell` to the file of exercise `number`, but never over newer work.

    The file may be overwritten if it is still the template, or what a cell of this notebook wrote
    last. Otherwise the cell is kept beside it; with `take_cell` the file is.
    """
    exercise = course[number]
    path, progress = course.file(exercise.number), ProgressLog(course.root)
    new = f"{exercise.header}\n{cell.strip()}\n"
    template = f"{exercise.header}\n{exercise.stub}"
    old = _text(path) if path.is_file() else template
    source = os.environ.get(OTHER_CELLS, "")
    if old == new and path.is_file():
        return CellOutcome("same", path)
    if cell.strip() == exercise.stub.strip() and old != template:
        return CellOutcome("template", path)
    own = progress.events("write", exercise=exercise.number, source=source)[-1:]
    if old == template or (own and own[0]["digest"] == digest(old)):
        _put(path, new)
    elif take_cell:
        beside = set_aside(path, _bytes(old))
        _put(path, new)
        progress.add("write", exercise=exercise.number, source=source, digest=digest(new))
        return CellOutcome("written", path, beside)
    else:
        beside = path.with_suffix(".from_cell.py")
        _put(beside, new)
        return CellOutcome("kept both", path, beside, _difference(old, new, path, beside))
    progress.add("write", exercise=exercise.number, source=source, digest=digest(new))
    return CellOutcome("written", path)


def reset_exercise(course: Course, number: str) -> tuple[Path, Path | None]:
    """Put the template back; return the file, and where the old one is now (None if there was
    none, or it was the template)."""
    exercise = course[number]
    path = course.file(exercise.number)
    template = f"{exercise.header}\n{exercise.stub}"
    old = _text(path) if path.is_file() else template
    beside = set_aside(path, _bytes(old)) if old != template else None
    _put(path, template)
    ProgressLog(course.root).add("reset", exercise=exercise.number)
    return path, beside


def set_aside(path: Path, content: bytes) -> Path:
    """Write `content` beside `path` under a name that is free; return it."""
    number = 1
    while (beside := path.with_suffix(f".old{number}{path.suffix}")).exists():
        number += 1
    write_whole(beside, content)
    return beside


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_bytes(content)
    half.replace(path)


def _put(path: Path, text: str) -> None:
    write_whole(path, _bytes(text))


def _bytes(text: str) -> bytes:
    """Return the bytes of a learner's text, those that are no UTF-8 as they were."""
    return text.encode("utf-8", "surrogateescape")


def _difference(old: str, new: str, path: Path, beside: Path) -> str:
    old = old.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), path.name, beside.name, lineterm=""
    )
    return "\n".join(lines)
