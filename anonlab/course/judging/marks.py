"""What tests of exercises are marked with, and what becomes of one test.

@needs("test_one")     only if that test of the same file has passed
@one_box               at grading, its neighbours may share its box
"""

from __future__ import annotations

import inspect
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeVar

from anonlab.course.judging.call_answers import Wrong

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


def title_of(test: Any) -> str:
    """Return the title of a test: the first line of its docstring."""
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
