"""The folder of a course, as a student has it, and how it is made from the masters.

exercises/exNNx_topic.py     what students write into: statement, then code
exercises/catalogue.json     titles, minutes, points, hints, and the stubs again, for reset
exercises/conftest.py        lets plain `pytest exercises` run the public tests
tests/exercises/public/      the tests; hidden/ beside it where instructors are
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonlab.course.authoring.masters import Master
from anonlab.errors import FormatError

CATALOGUE_NAME = "catalogue.json"
CATALOGUE_FORMAT = "anonlab-exercises"
CATALOGUE_VERSION = 1
FOLDER_VARIABLE = "ANONLAB_COURSE"
"""An environment variable that names the course's folder, for those who work elsewhere."""

CONFTEST = '''"""Lets `pytest exercises` run the public tests. Generated: `anonlab course build`."""

from anonlab.course.judging.pytest_hooks import (  # noqa: F401
    pytest_addoption,
    pytest_collect_file,
    pytest_pycollect_makemodule,
)
'''


@dataclass(frozen=True)
class Exercise:
    """What a student may know of one exercise; `hidden` is how many points hidden tests give."""

    number: str
    name: str
    title: str
    minutes: int
    objectives: tuple[str, ...]
    public: dict[str, int]
    hidden: int
    families: tuple[str, ...]
    hints: tuple[str, ...]
    header: str
    stub: str

    @property
    def points(self) -> int:
        """Points of all tests, hidden ones included."""
        return sum(self.public.values()) + self.hidden


@dataclass(frozen=True)
class Course:
    """A course in the folder `root`."""

    root: Path
    exercises: dict[str, Exercise]

    def file(self, number: str) -> Path:
        """Return the file that a student writes for exercise `number`."""
        return self.root / "exercises" / f"{self[number].name}.py"

    def tests(self, number: str, kind: str = "public") -> Path:
        """Return the test file of exercise `number`, 'public' or 'hidden'."""
        suffix = "" if kind == "public" else "_hidden"
        name = f"test_{self[number].name}{suffix}.py"
        return self.root / "tests" / "exercises" / kind / name

    def __getitem__(self, number: str) -> Exercise:
        """Return exercise `number`: "04a" or "4a"; ValueError that lists what there is."""
        wanted = str(number).strip().lower().removeprefix("ex").rjust(3, "0")
        if wanted not in self.exercises:
            known = ", ".join(self.exercises) or "none"
            raise ValueError(f"there is no exercise {number!r}; there are {known}")
        return self.exercises[wanted]


def find_course(start: Path | None = None) -> Course:
    """Return the course that `start` (the working folder) lies in.

    raises  FileNotFoundError if there is none, FormatError if its catalogue cannot be read
    """
    named = os.environ.get(FOLDER_VARIABLE)
    begin = Path(named) if named and start is None else (start or Path.cwd())
    begin = begin.resolve()
    for folder in (begin, *begin.parents):
        path = folder / "exercises" / CATALOGUE_NAME
        if path.is_file():
            return Course(folder, read_catalogue(path))
    raise FileNotFoundError(
        f"no exercises/catalogue.json in {begin} or above it: go to the folder of the course, "
        f"name it in {FOLDER_VARIABLE}, or make one with `anonlab start`. If you copied the "
        "notebooks, copy the folder exercises beside them, too"
    )


def read_catalogue(path: Path) -> dict[str, Exercise]:
    """Return the exercises in a catalogue by number; FormatError if it is none."""
    try:
        plain = json.loads(path.read_text("utf-8"))
        if (plain["format"], plain["version"]) != (CATALOGUE_FORMAT, CATALOGUE_VERSION):
            raise FormatError(f"{path}: a catalogue of another version; build the exercises again")
        return {each["number"]: _exercise(each) for each in plain["exercises"]}
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise FormatError(
            f"{path} is no catalogue of exercises ({error}); build it again"
        ) from None


def _exercise(plain: dict[str, Any]) -> Exercise:
    lists = ("objectives", "families", "hints")
    return Exercise(**{**plain, **{name: tuple(plain[name]) for name in lists}})


def student_view(master: Master) -> Exercise:
    """Return what a student may know of `master`."""
    return Exercise(
        number=master.number,
        name=master.name,
        title=master.title,
        minutes=master.minutes,
        objectives=master.objectives,
        public=master.public,
        hidden=sum(master.hidden.values()),
        families=master.families,
        hints=master.hints,
        header=master.header,
        stub=master.stub,
    )


def generated(masters: tuple[Master, ...]) -> dict[str, str]:
    """Return the text of every file of `exercises/`, by name."""
    plain = {
        "format": CATALOGUE_FORMAT,
        "version": CATALOGUE_VERSION,
        "exercises": [vars(student_view(master)) for master in masters],
    }
    files = {f"{each.name}.py": f"{each.header}\n{each.stub}" for each in masters}
    files[CATALOGUE_NAME] = json.dumps(plain, indent=1, ensure_ascii=False) + "\n"
    files["conftest.py"] = CONFTEST
    return files


def build_exercises(masters: tuple[Master, ...], folder: Path) -> tuple[Path, ...]:
    """Write the generated files to `folder`; return those that changed.

    A file that a student has changed is generated anew: this is for the course's own folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in generated(masters).items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8", newline="\n")
            changed.append(path)
    return tuple(changed)


def exercise_drift(masters: tuple[Master, ...], folder: Path) -> tuple[str, ...]:
    """Return one sentence for each file in `folder` that is not what the masters make."""
    wanted = generated(masters)
    found = []
    for name, text in wanted.items():
        path = folder / name
        if not path.exists():
            found.append(f"{path} is missing")
        elif path.read_text("utf-8") != text:
            found.append(f"{path} is not what its master makes")
    for path in sorted(folder.glob("*.py")):
        if path.name not in wanted:
            found.append(f"{path} has no master")
    return tuple(found)
