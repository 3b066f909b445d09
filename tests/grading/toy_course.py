"""The toy course, and how one submission to it is graded: for programs that run as somebody who is
not root."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from attacks import ATTACKS, WRONG
from box_attacks import BOX_ATTACKS, with_numbers

from anonlab.course.authoring.masters import read_master
from anonlab.grading.intake.submission import Settings, Submission
from anonlab.grading.judging.grade_submission import grade_one
from anonlab.grading.store.result import Result

TOY = Path(__file__).with_name("toy")
NUMBER, FILE = "90a", "ex90a_toy.py"
SECRET = "CANARY-OF-THE-SECRET"
SETTINGS = Settings(TOY, "toy", {NUMBER: 10}, SECRET, call_seconds=1.5, box_seconds=10)
RIGHT = read_master(TOY / "solutions" / FILE).solution


ALL = {**ATTACKS, **BOX_ATTACKS}


def grade(path: Path, **changes: object) -> Result:
    """Return the result of the file `path`."""
    settings = replace(SETTINGS, **changes)  # type: ignore[arg-type]
    return grade_one(Submission(path.parent.name, "s1", {NUMBER: path}), settings)


def code_of(name: str, others: Path, port: int = 0) -> str:
    """Return the code of an attack; `others` is the folder of all submissions."""
    attack = ALL[name]
    code = RIGHT if attack.whole else f"{WRONG}\n{attack.code}\n"
    return with_numbers(code).replace("OTHERS", str(others)).replace("PORT", str(port))
