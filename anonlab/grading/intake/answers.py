"""The answers in a notebook, read by a process of its own: `%%exercise` cells as plain Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonlab.box.box import Box
from anonlab.box.endings import BoxEnded, Clock
from anonlab.box.wire import arguments
from anonlab.grading.intake import notebook_cells
from anonlab.grading.intake.archives import Rejected, shown
from anonlab.grading.intake.notebook_cells import MOST_BYTES

SECONDS = 20
"""Time for one notebook."""
READER = Path(notebook_cells.__file__)


@dataclass(frozen=True)
class Cell:
    """One `%%exercise` cell. `where` names it; `problem` says why its code is not taken, `note`
    what was left out of it."""

    number: str
    where: str
    code: str
    problem: str
    note: str = ""


def notebook_answers(path: Path, name: str, boxed: bool) -> list[Cell]:
    """Return the answer cells of the notebook in `path`, which its author calls `name`.

    boxed   read it in a box like that of student code; else its reader only bounds itself
    raises  Rejected with a sentence if it cannot be read
    """
    data = path.read_bytes()
    try:
        told = _told_by_box(data) if boxed else _told_by_program(data)
    except TimeoutError:
        raise Rejected(f"{shown(name)} takes too long to be read") from None
    except ValueError:
        raise Rejected(f"{shown(name)} needs too much time or memory to be read") from None
    if "error" in told:
        raise Rejected(f"{shown(name)}: {told['error']}")
    return [
        Cell(
            each["number"],
            f"cell {each['cell']} of {shown(name)}",
            each["code"],
            each["problem"],
            each["note"],
        )
        for each in told["cells"]
    ]


def _told_by_box(data: bytes) -> dict[str, Any]:
    """Let the reader run in a box.

    raises  TimeoutError, or ValueError if nothing sensible comes back
    """
    code = READER.read_bytes()
    try:
        with Box(code, Clock(SECONDS, SECONDS)) as box:
            box.load(code, READER.name)
            told = box.ask("call", fn="told", args=arguments((data[: MOST_BYTES + 1],)))
    except BoxEnded as ended:
        if ended.status == "timeout":
            raise TimeoutError from None
        raise ValueError(str(ended)) from None
    if not isinstance(told, dict):
        raise ValueError(f"the reader of notebooks said {told!r}")
    return told


def _told_by_program(data: bytes) -> dict[str, Any]:
    """Let the reader run in a process of its own, for practice; raises as above."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-B", str(READER)],
            input=data, capture_output=True, timeout=SECONDS, env={"PATH": os.defpath}, cwd="/",
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    told: dict[str, Any] = json.loads(done.stdout)
    return told
