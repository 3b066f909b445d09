"""pytest as everybody knows it, on exercises: hooks and fixtures that exercises/conftest.py takes.

The tests of an exercise belong to the learner's file: `exercises/ex04a_fork.py::test_share_page`.
Each gets the verdict that `anonlab check` gives; a file that is missing, has another name or cannot
be read is a failing test.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anonlab.course.authoring.exercises import CATALOGUE_NAME, Course, Exercise, find_course
from anonlab.course.authoring.masters import NAME
from anonlab.course.judging.attempt import seed_of
from anonlab.course.judging.boxed_student import Asked, close
from anonlab.course.judging.call_answers import load_tests
from anonlab.course.judging.marks import Verdict
from anonlab.course.judging.places_to_run import SECONDS, best_place
from anonlab.course.judging.runner import run_tests

OPTION = "--exercise-seconds"
_EXERCISE = re.compile(r"(?:ex)?(\d\d[a-z]|lab\d)")
"""How the name of an exercise's file begins, with its number."""
WARNINGS = pytest.StashKey[dict[str, bool]]()
"""What learners should know of how their code was run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let people say how long a test may take."""
    parser.getgroup("anonlab").addoption(
        OPTION,
        type=float,
        default=SECONDS,
        metavar="N",
        help=f"the longest time for one test of an exercise (default: {SECONDS} seconds)",
    )


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what is not as when graded."""
    said = config.stash.get(WARNINGS, {})
    for text in filter(None, said):
        terminalreporter.write_line(f"anonlab: {text}.")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the public tests of each exercise's file, and those of files that are missing."""
    if file_path.name == CATALOGUE_NAME:
        return MissingFiles.from_parent(parent, path=file_path)
    found = _EXERCISE.match(file_path.name)
    if not found or file_path.suffix != ".py":
        return None
    try:
        course = find_course(file_path.parent)
        exercise = course[found[1]]
    except (ValueError, FileNotFoundError):
        pass  # the catalogue says so
    else:
        if course.file(exercise.number).name == file_path.name:
            made: ExerciseFile = ExerciseFile.from_parent(parent, path=file_path)
            return made.of(course, exercise)
    named = parent.session.isinitpath(file_path)
    return OtherFile.from_parent(parent, path=file_path) if named else None


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    """Keep pytest from importing an exercise that somebody names: it is run with a time limit."""
    if _EXERCISE.match(module_path.name):
        return NothingMore.from_parent(parent, path=module_path)
    return None


class ExerciseFile(pytest.File):
    """An exercise's file, also one that is missing. Its tests are those that the catalogue names;
    `verdicts` are those that are there so far."""

    course: Course
    exercise: Exercise
    verdicts: dict[str, Verdict]

    def of(self, course: Course, exercise: Exercise) -> ExerciseFile:
        """Say whose file this is."""
        self.course, self.exercise, self.verdicts = course, exercise, {}
        return self

    def collect(self) -> Iterator[ExerciseTest]:
        """Yield the tests, in the order of the catalogue."""
        for name in self.exercise.public:
            yield ExerciseTest.from_parent(self, name=name)

    def verdict(self, name: str, seconds: float) -> Verdict:
        """Return what becomes of the test `name`, whatever others have been chosen to run.

        raises  ValueError, FileNotFoundError with a sentence if the file, its tests or its variant
                are not there; what a test raises that is no verdict
        """
        if name not in self.verdicts:
            course, number = self.course, self.exercise.number
            if not self.path.is_file():
                raise FileNotFoundError(_missing(course, number))
            path = course.tests(number)
            chosen = {name, *self.premises(name)}
            points = {each: most for each, most in self.exercise.public.items() if each in chosen}
            code, place = self.path.read_bytes(), best_place()
            students = place.students(code, self.path, seconds=seconds)
            verdicts = run_tests(path, points, students, seed_of(course, number), seconds)
            self.config.stash.setdefault(WARNINGS, {})[place.warning(code)] = True
            self.verdicts |= {each.test: each for each in verdicts}
        return self.verdicts[name]

    def premises(self, name: str) -> set[str]:
        """Return the tests that must pass before the test `name`."""
        module, found = load_tests(self.course.tests(self.exercise.number)), set[str]()
        while (name := getattr(getattr(module, name, None), "needs", "")) and name not in found:
            found.add(name)
        return found


class ExerciseTest(pytest.Item):
    """One public test of one exercise; `told` is what its verdict says."""

    told = ""

    def runtest(self) -> None:
        """Pass, skip or fail as the verdict says; `points`, `most` and `title` are properties."""
        file = self.parent
        assert isinstance(file, ExerciseFile)
        try:
            verdict = file.verdict(self.name, self.config.getoption(OPTION, SECONDS))
        except (ValueError, FileNotFoundError) as error:
            most = file.exercise.public[self.name]
            verdict = Verdict(self.name, self.name, "missing", 0, most, str(error))
        self.told = verdict.message
        for name in ("points", "most", "title"):
            self.user_properties.append((name, getattr(verdict, name)))
        if verdict.status == "skipped" and self._premise_is_asked():
            raise pytest.skip.Exception(verdict.message, _use_item_location=True)
        if verdict.status == "fail":
            pytest.fail(f"{verdict.title}\n{verdict.message}", pytrace=False)
        if verdict.status != "pass":
            pytest.fail(verdict.message, pytrace=False)

    def _premise_is_asked(self) -> bool:
        """Return whether a test that this one needs is among those to run: it fails for both."""
        asked = {item.name for item in self.session.items if item.parent is self.parent}
        assert isinstance(self.parent, ExerciseFile)
        return bool(asked & self.parent.premises(self.name))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *rest: Any) -> Any:
        """Return the message; the summary, where CI shows all of it, has its first line."""
        told = super().repr_failure(excinfo, *rest)
        place = getattr(told, "reprcrash", None)
        if place is not None and excinfo.errisinstance(pytest.fail.Exception):
            place.path, place.lineno = str(self.path), 1
            place.message = self.told.partition("\n")[0]
        return told

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the exercise's file, and what stands over a failure."""
        file = self.parent
        assert isinstance(file, ExerciseFile)
        return self.path, 0, f"{file.exercise.number} {self.name}"


class MissingFiles(pytest.File):
    """The catalogue: it has the tests of each exercise whose file is not there."""

    def collect(self) -> Iterator[pytest.Collector]:
        """Yield the files that should be there."""
        try:
            course = find_course(self.path.parent)
        except (ValueError, FileNotFoundError) as error:
            raise self.CollectError(str(error)) from None
        for number, exercise in course.exercises.items():
            path = course.file(number)
            if path.parent == self.path.parent and not path.exists():
                nodeid = self.nodeid.removesuffix(CATALOGUE_NAME) + path.name
                made: ExerciseFile = ExerciseFile.from_parent(self, path=path, nodeid=nodeid)
                yield made.of(course, exercise)


class NothingMore(pytest.File):
    """An exercise's file as a module with tests: it has none."""

    def collect(self) -> tuple[pytest.Item, ...]:
        """Yield nothing."""
        return ()


class OtherFile(pytest.File):
    """A file that somebody names, and that is called like an exercise but is none."""

    def collect(self) -> Iterator[pytest.Item]:
        """Say which name is meant."""
        try:
            course = find_course(self.path.parent)
            found = _EXERCISE.match(self.path.name)
            right = course.file(found[1] if found else "").name
        except (ValueError, FileNotFoundError) as error:
            raise self.CollectError(f"{self.path.name} is no exercise: {error}") from None
        raise self.CollectError(
            f"{self.path.name} is not graded: the file of this exercise is {right}"
        )


def _missing(course: Course, number: str) -> str:
    """Say that the file of an exercise is missing, and which other file it may be."""
    path = course.file(number)
    known = {"conftest.py", *(course.file(each).name for each in course.exercises)}
    others = sorted({each.name for each in path.parent.glob("*.py")} - known)
    begin = path.name.partition("_")[0]
    like = [name for name in others if name.lower().startswith(begin)]
    like = like or difflib.get_close_matches(path.name, others, 1, 0.7)
    renamed = f" There is {like[0]}: was it renamed?" if like else ""
    return (
        f"{path.parent.name}/{path.name} is missing.{renamed} "
        f"`anonlab reset {number}` writes the template."
    )


def _course(path: Path) -> tuple[Course, str]:
    """Return the course and the number of the exercise whose test file is `path`."""
    found = NAME.match(path.stem.removeprefix("test_"))
    if not found:
        raise ValueError(f"{path} is not the test file of an exercise")
    return find_course(path.parent), found[1]


@pytest.fixture
def student(request: pytest.FixtureRequest) -> Iterator[Asked]:
    """For who runs a file of tests/exercises/public itself: the code in the exercise's file."""
    course, number = _course(request.path)
    path = course.file(number)
    made = best_place().students(path.read_bytes(), path)()
    yield made
    close(made)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of the learner's variant."""
    return seed_of(*_course(request.path))
