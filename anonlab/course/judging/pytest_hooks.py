"""Plain `pytest exercises -k 04a`: hooks and fixtures that exercises/conftest.py takes over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anonlab.course.authoring.exercises import Course, find_course
from anonlab.course.authoring.masters import NAME
from anonlab.course.judging.attempt import seed_of
from anonlab.course.judging.student import Student


def _course(path: Path) -> tuple[Course, str]:
    """Return the course and the number of the exercise whose test file is `path`."""
    found = NAME.match(path.stem.removeprefix("test_"))
    if not found:
        raise ValueError(f"{path} is not the test file of an exercise")
    return find_course(path.parent), found[1]


def pytest_collect_file(file_path: Path, parent: Any) -> Any:
    """Collect the public tests of each exercise's file."""
    found = NAME.match(file_path.stem)
    if not found or file_path.suffix != ".py":
        return None
    course = find_course(file_path.parent)
    tests = course.tests(found[1])
    return pytest.Module.from_parent(parent, path=tests) if tests.is_file() else None


@pytest.fixture
def student(request: pytest.FixtureRequest) -> Student:
    """The code in the exercise's file."""
    course, number = _course(request.path)
    return Student.load(course.file(number))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of the learner's variant."""
    return seed_of(*_course(request.path))
