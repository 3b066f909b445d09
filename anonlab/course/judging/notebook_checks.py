"""Checks in the cells of a notebook that nbgrader grades: each cell is one test of one exercise.

The tests are those of the course, run by pytest in the notebook's own kernel, on the names that its
cells have left. Whoever writes the cells can change the outcome: `anonlab grade` is what cannot be
forged.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from anonlab.course.judging.marks import Verdict
from anonlab.course.judging.runner import run_tests
from anonlab.course.judging.student import Student

PUBLIC = Path("tests") / "exercises" / "public"
"""Beside the notebook."""


def check_names(name: str, test: str, names: dict[str, Any]) -> None:
    """Run the public test `test` of the exercise `name` on `names`, a notebook's globals().

    raises  AssertionError with what is wrong; FileNotFoundError if the tests are not there
    """
    verdict = _verdict(PUBLIC / f"test_{name}.py", test, names, 0)
    if verdict.status != "pass":
        raise AssertionError(f"{verdict.title}: {verdict.message or verdict.status}")


def check_hidden(name: str, test: str, names: dict[str, Any], seed: int, source: str) -> None:
    """Run the hidden test `test`, whose file's text is `source`, on `names`.

    raises  AssertionError that tells no input and no value: students read it
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hidden" / f"test_{name}_hidden.py"
        path.parent.mkdir()
        path.write_text(source, "utf-8")
        shutil.copytree(PUBLIC, Path(folder) / "public")
        verdict = _verdict(path, test, names, seed)
    if verdict.status != "pass":
        guess = verdict.wrong.guess if verdict.wrong is not None else ""
        raise AssertionError(f"{verdict.title}: {guess or verdict.status}") from None


def _verdict(path: Path, test: str, names: dict[str, Any], seed: int) -> Verdict:
    (verdict,) = run_tests(path, {test: 1}, lambda: Student.of_names(names), seed)
    return verdict
