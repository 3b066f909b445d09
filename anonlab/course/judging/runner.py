"""Run the tests of one exercise on one student's code: the same functions that pytest runs.

Students need no pytest: after `make lab` they have none. `needs` on a test names another that must
pass first; without it the test is skipped, with the reason.
"""

from __future__ import annotations

import inspect
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from anonlab.course.judging.call_answers import Wrong, load_tests
from anonlab.course.judging.student import LoadError, Student, StudentError

SECONDS = 60
"""Longest time for one test on a laptop."""
_Test = TypeVar("_Test", bound=Callable[..., None])


class OutOfTime(BaseException):
    """The student's code did not return in time. No `except Exception` catches it."""


def needs(name: str) -> Callable[[_Test], _Test]:
    """Mark a test that makes sense only if the test `name` of the same file passes."""

    def mark(test: _Test) -> _Test:
        test.needs = name  # type: ignore[attr-defined]
        return test

    return mark


def one_box(test: _Test) -> _Test:
    """Mark a test that may share one box at grading with its neighbours of the same file that are
    marked too: for many cheap tests of code that keeps nothing from call to call."""
    test.one_box = True  # type: ignore[attr-defined]
    return test


@dataclass(frozen=True)
class Verdict:
    """How one test ended. status: pass, fail, stub, skipped, error-import, timeout; `points` of
    `most`; `message` for the student; `wrong` what a picture can be made of."""

    test: str
    title: str
    status: str
    points: int
    most: int
    message: str = ""
    wrong: Wrong | None = None


@dataclass(frozen=True)
class ExerciseReport:
    """The verdicts of one run. `hidden` is how many points hidden tests give at grading."""

    number: str
    title: str
    verdicts: tuple[Verdict, ...]
    hidden: int = 0

    @property
    def passed(self) -> int:
        """How many tests passed."""
        return sum(each.status == "pass" for each in self.verdicts)

    @property
    def ok(self) -> bool:
        """True if every test that was run passed."""
        return self.passed == len(self.verdicts)

    @property
    def points(self) -> int:
        """Points of the tests that passed."""
        return sum(each.points for each in self.verdicts)

    @property
    def most(self) -> int:
        """Points that these tests give."""
        return sum(each.most for each in self.verdicts)

    @property
    def summary(self) -> str:
        """The line under every report."""
        what = f"Public checks: {self.passed} of {len(self.verdicts)} passed"
        if self.ok:
            what = "Public checks passed; hidden ones run at grading"
        rest = f", {self.hidden} more at grading" if self.hidden else ""
        return f"{what} ({self.points} of {self.most} points{rest})."

    def __str__(self) -> str:
        """The report as text: every title, and the first failure in full."""
        lines = [f"{self.number} · {self.title}"]
        lines += [f"  {each.status:8} {each.title}" for each in self.verdicts]
        for each in self.verdicts:
            if each.message:
                lines += ["", f"{each.title}", each.message]
                break
        return "\n".join([*lines, "", self.summary])


def run_tests(
    path: Path,
    points: dict[str, int],
    student: Callable[[], Student],
    seed: int = 0,
    seconds: int = SECONDS,
) -> tuple[Verdict, ...]:
    """Run the tests of the file `path` that `points` names, each with a fresh `student()`.

    raises  FileNotFoundError if there are no tests, AssertionError if a named test is not there
    """
    module = load_tests(path)
    verdicts: dict[str, Verdict] = {}
    for name, most in points.items():
        test = getattr(module, name, None)
        assert test is not None, f"{path.name} has no test {name!r}, which the master names"
        needed = getattr(test, "needs", "")
        before = verdicts.get(needed)
        if before is not None and before.status != "pass":
            reason = f"needs “{before.title}”, which has not passed"
            verdicts[name] = Verdict(name, _title(test), "skipped", 0, most, reason)
        else:
            verdicts[name] = _run(test, most, student, seed, seconds)
    return tuple(verdicts.values())


def _run(test: Any, most: int, student: Callable[[], Student], seed: int, seconds: int) -> Verdict:
    title = _title(test)
    try:
        with time_limit(seconds):
            test(student(), seed)
    except Wrong as wrong:
        return Verdict(test.__name__, title, "fail", 0, most, str(wrong), wrong)
    except StudentError as error:
        return Verdict(test.__name__, title, _status(error), 0, most, _sentence(error))
    except OutOfTime:
        text = f"no answer after {seconds} s: is there a loop that never ends?"
        return Verdict(test.__name__, title, "timeout", 0, most, text)
    return Verdict(test.__name__, title, "pass", most, most)


def _status(error: StudentError) -> str:
    if error.is_stub:
        return "stub"
    return "error-import" if isinstance(error, LoadError) else "fail"


def _sentence(error: StudentError) -> str:
    if error.is_stub:
        where = f", line {error.line} of your file" if error.line else ""
        return f"Not written yet{where}: {error.message or 'your code goes here'}."
    return f"Your code raised {error}."


def _title(test: Any) -> str:
    return (inspect.getdoc(test) or test.__name__).splitlines()[0].rstrip(".")


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raise OutOfTime inside the block after `seconds`, where the system can do that."""
    can = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if not can:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    old = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
