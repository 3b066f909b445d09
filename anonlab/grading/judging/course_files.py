"""What decides what is right, as one digest: the files of a course, and what judges with them.

The same state of a folder is read once, however many submissions are judged.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

from anonlab.course.judging.right_answers import keep_in
from anonlab.grading.judging.engines import installed

_STATES: dict[Path, tuple[str, str]] = {}


def keep_right_answers(course: Path, kept: Path | None) -> None:
    """Let right answers be kept, in the folder `kept` too, under all that decides them: the
    course's tests and solutions, and what is beside them; anonlab's own code, Python, NumPy. If one
    of the course's files has changed, all its tests are loaded anew: one loads another."""
    files = sorted(_files(course / "solutions") + _files(course / "tests" / "exercises"))
    state = repr([(path, *_stat(path)) for path in files])
    if _STATES.get(course, ("", ""))[0] != state:
        found = hashlib.sha256(_code().encode())
        for path in files:
            found.update(f"{os.path.relpath(path, course)} {_digest(path)}\n".encode())
        _STATES[course] = state, found.hexdigest()[:32]
        for name, module in [*sys.modules.items()]:
            if (getattr(module, "__file__", None) or "").startswith(f"{course}/tests/exercises/"):
                del sys.modules[name]
    keep_in(_STATES[course][1], kept)


@cache
def _code() -> str:
    """Return what this process judges with: asked once, as its code is loaded once."""
    return repr(sorted(installed().items()))


def _files(folder: Path) -> list[str]:
    """Return all files below a folder but what Python has compiled."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if each != "__pycache__"]
        found += [f"{place}/{name}" for name in names]
    return found


def _stat(path: str) -> tuple[int, ...]:
    """Return what is another when a file has been written: nobody can set the time of a change."""
    with suppress(OSError):  # it is going just now
        said = os.stat(path)  # noqa: PTH116
        return said.st_ino, said.st_size, said.st_mtime_ns, said.st_ctime_ns
    return ()


def _digest(path: str) -> str:
    with suppress(OSError):
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return ""
