"""Where a learner's code runs while it is checked: as when graded, as far as the system can.

box           one process without files, programs and network, by the kernel: as when graded
child         a process of its own, in which Python refuses the same, as far as Python notices
in-process    this process: there are no others, as in a browser
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from anonlab.box.calls import NoBox
from anonlab.box.endings import Clock, Process
from anonlab.box.worker import NO_FILES, NO_PROGRAMS
from anonlab.course.judging.boxed_student import Asked, BoxedStudent, File
from anonlab.course.judging.student import Places, Student

CALL_SECONDS = 10
"""Longest time for one call on a laptop."""
SECONDS = 60
"""Longest time for one test there, with all that the test does itself."""
SECONDS_IN_PROCESS = 15
"""The same where the learner's code runs in this process: nothing else goes on there meanwhile."""
NO_WALLS = "this system cannot refuse your code all that is refused when it is graded"
WARNED = {
    "open": NO_FILES,
    **dict.fromkeys(("threading", "subprocess", "multiprocessing", "socket"), NO_PROGRAMS),
}
"""What is said of code with these names, where nobody refuses it."""


@dataclass(frozen=True)
class PlaceToRun:
    """One such place. start: makes a process for a file's code, None: there is none;
    why: the reason that it is not as when graded, '' if it is."""

    name: str
    start: Callable[[bytes, Clock], Process] | None
    why: str = ""

    @property
    def seconds(self) -> float:
        """The longest time for one test here."""
        return SECONDS if self.start is not None else SECONDS_IN_PROCESS

    def students(
        self, code: bytes, path: Path, above: int | None = None, seconds: float = SECONDS
    ) -> Callable[[], Asked]:
        """Return what makes a student of a file's code, as often as it is called.

        above    the file is what a cell wrote, in which line `above` + 1 has number 1
        seconds  what one student's calls may take together
        """
        if self.start is None:
            return lambda: Student(code, str(path), above=above)
        clock = Clock(min(CALL_SECONDS, seconds), seconds)
        places = Places.of_code(code, above)
        file = File(path, clock, start=self.start, code=code, places=places)

        def student() -> BoxedStudent:
            file.clock = replace(clock)
            return BoxedStudent(file)

        return student

    def warning(self, code: bytes) -> str:
        """Return what the learner should know of `code`, '' if it is as when graded."""
        if not self.why:
            return ""
        said = dict.fromkeys(WARNED[name] for name in _names(code) if name in WARNED)
        return "\n".join([f"{NO_WALLS} ({self.why})", *said])


def _names(code: bytes) -> list[str]:
    """Return the names that code uses or imports, in order."""
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = [node.id for node in nodes if isinstance(node, ast.Name)]
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [each.name.partition(".")[0] for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.module or "").partition(".")[0])
    return found


def the_child(why: str) -> PlaceToRun:
    """Return the place that every system has which has processes."""
    from anonlab.box.child import Child  # late: only who has no box needs it

    return PlaceToRun("child", Child, why)


def in_process(why: str) -> PlaceToRun:
    """Return the place that is always there."""
    return PlaceToRun("in-process", None, why)


@cache
def best_place() -> PlaceToRun:
    """Return the first of the three that works here; it is found out once."""
    if sys.platform == "emscripten":
        return in_process("there are no processes in a browser")
    why = f"it is {sys.platform}, not Linux"
    if sys.platform == "linux":
        from anonlab.box.box import Box  # late: not every system has what boxes are made of

        try:
            Box(b"", Clock(1, 1)).kill()
        except (NoBox, OSError) as error:
            why = str(error)
        else:
            return PlaceToRun("box", Box)
    place = the_child(why)
    try:
        place.students(b"", Path("nothing.py"))()
    except (NoBox, OSError) as error:
        return in_process(str(error))
    return place
