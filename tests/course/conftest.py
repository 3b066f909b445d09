"""A small course to work in."""

from __future__ import annotations

from pathlib import Path

import pytest
from project import ROOT

from anonlab.course.authoring.exercises import Course, build_exercises, find_course
from anonlab.course.authoring.masters import read_masters


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A learner's copy of the course, with nothing done, found from anywhere."""
    build_exercises(read_masters(ROOT / "solutions"), tmp_path / "exercises")
    tests = tmp_path / "tests" / "exercises" / "public"
    tests.mkdir(parents=True)
    for path in (ROOT / "tests" / "exercises" / "public").glob("*.py"):
        (tests / path.name).write_text(path.read_text("utf-8"), "utf-8")
    monkeypatch.setenv("ANONLAB_COURSE", str(tmp_path))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return find_course()


@pytest.fixture
def right() -> dict[str, str]:
    """The solutions by number."""
    return {master.number: master.solution for master in read_masters(ROOT / "solutions")}
