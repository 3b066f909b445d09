"""The tests of exercises, run by pytest: here on the solutions. The known wrong answers are for
`anonlab course check` and tests/course."""

from __future__ import annotations

import pytest
from project import ROOT

from anonlab.course.authoring.masters import NAME, read_master
from anonlab.course.judging.student import Student


@pytest.fixture
def student(request: pytest.FixtureRequest) -> Student:
    """The solution of the exercise that the test file belongs to."""
    name = request.path.stem.removeprefix("test_").removesuffix("_hidden")
    assert NAME.match(name), name
    return Student(read_master(ROOT / "solutions" / f"{name}.py").solution)


@pytest.fixture
def seed() -> int:
    """Self-study."""
    return 0
