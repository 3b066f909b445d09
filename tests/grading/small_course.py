"""Courses made of a few lines, and submissions to them, graded by a program that is not root."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ordinary import as_ordinary_user, environment, give, open_folder

HERE = Path(__file__).parent
MASTER = '''"""10a · Small

Write f.
"""

EXERCISE = {{
    "objectives": ["o"], "minutes": 1, "public": {public}, "hidden": {hidden},
    "families": ["lone"], "hints": ["h"], "commentary": "c",
}}


def f(x):
    """Return twice x."""
    # <answer>
    return 2 * x
    # </answer>
'''
SOLUTION = "def f(x):\n    return 2 * x\n"
IMPORTS = """
from pathlib import Path
from anonlab.course.judging.call_answers import Question, Wrong, judge_all
from anonlab.course.judging.marks import needs, one_box
COUNTS = Path(__file__).parents[3] / "counts"
def count(name):
    COUNTS.mkdir(exist_ok=True)
    path = COUNTS / name
    number = int(path.read_text()) + 1 if path.exists() else 1
    path.write_text(str(number))
    return number
"""


class Small:
    """A course in `folder`, of one exercise 10a whose tests are given as Python."""

    def __init__(self, folder: Path, grader: subprocess.Popen[str]) -> None:
        self.folder = folder
        self.grader = grader
        self.jobs: list[dict[str, Any]] = []

    def write(self, public: str, hidden: str, points: dict[str, int] | None = None) -> None:
        """Write the course; every test counts 1 point, or what `points` says."""
        made = {}
        for kind, text in (("public", public), ("hidden", hidden)):
            names = [line[4:].partition("(")[0] for line in text.splitlines()]
            names = [name for name in names if name.startswith("test_")]
            made[kind] = {name: (points or {}).get(name, 1) for name in names}
            suffix = "_hidden" if kind == "hidden" else ""
            path = self.folder / "tests" / "exercises" / kind / f"test_ex10a_small{suffix}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(IMPORTS + text)
        (self.folder / "solutions").mkdir(exist_ok=True)
        (self.folder / "solutions" / "ex10a_small.py").write_text(MASTER.format(**made))

    def submit(self, code: str | bytes | None, student: str = "u1", **settings: Any) -> None:
        """Add a submission; None has no file."""
        path = self.folder / f"in{len(self.jobs)}" / "ex10a_small.py"
        path.parent.mkdir()
        if code is not None:
            path.write_bytes(code.encode() if isinstance(code, str) else code)
        given = {"assignment": "hw", "points": {"10a": 10}, "secret": "s", "call_seconds": 1.0}
        self.jobs.append(
            {
                "course": str(self.folder),
                "files": {"10a": str(path)} if code is not None else {},
                "settings": {**given, **settings},
                "student": student,
            }
        )

    def graded(self, **variables: str) -> list[Any]:
        """Return the results of all submissions."""
        jobs = self.folder / "jobs.json"
        jobs.write_text(json.dumps(self.jobs))
        give(self.folder)
        if not variables:
            return told(self.grader, jobs)
        with grader(variables) as other:
            return told(other, jobs)


def told(grader: subprocess.Popen[str], jobs: Path) -> list[Any]:
    """Return what the program `grader` says to a file of jobs."""
    assert grader.stdin is not None
    assert grader.stdout is not None
    grader.stdin.write(f"{jobs}\n")
    grader.stdin.flush()
    line = grader.stdout.readline()
    assert line, "the grader is gone: see its messages above"
    results: list[Any] = json.loads(line)
    return results


@contextmanager
def grader(variables: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """Start a program that grades, as somebody who is not root."""
    process = subprocess.Popen(
        as_ordinary_user(sys.executable, str(HERE / "judged.py")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(variables),
    )
    with process:
        yield process
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def one_grader() -> Iterator[subprocess.Popen[str]]:
    """One program for all tests of a file, as in a batch."""
    with grader() as process:
        yield process


@pytest.fixture
def small(one_grader: subprocess.Popen[str]) -> Iterator[Small]:
    """A folder for a small course."""
    with open_folder() as folder:
        yield Small(folder, one_grader)


def statuses(result: Any) -> list[str]:
    """The statuses of all tests."""
    return [test["status"] for test in result["tests"]]
