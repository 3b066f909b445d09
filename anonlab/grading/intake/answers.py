"""The answers in a notebook, read by a process of its own: `%%exercise` cells as plain Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from anonlab.box.box import program_command
from anonlab.grading.intake import notebook_cells
from anonlab.grading.intake.archives import Rejected, shown

SECONDS = 20
"""Wall time for one notebook; its reader's limit on processor time is tighter."""
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
    bare = [sys.executable, "-I", "-S", "-B", str(READER)]
    with path.open("rb") as notebook:
        try:
            done = subprocess.run(
                program_command(path, READER) if boxed else bare,
                stdin=notebook,
                capture_output=True,
                timeout=SECONDS,
                env={"PATH": os.defpath},
                cwd="/",
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Rejected(f"{shown(name)} takes too long to be read") from None
    try:
        told = json.loads(done.stdout)
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
