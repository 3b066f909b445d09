"""What tests of exercises are marked with, and what becomes of one test.

@needs("test_one")     only if that test of the same file has passed
@one_box               at grading, its neighbours may share its box
"""

from __future__ import annotations

import _thread
import inspect
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeVar

from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.student import OutOfTime

_Test = TypeVar("_Test", bound=Callable[..., None])


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
    """How one test ended. status: pass, fail, stub, skipped, error-import, timeout, or how else
    the process of the student's code has ended; `points` of `most`; `message` for the student;
    `wrong` what a picture can be made of."""

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
def time_limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTime inside the block after `seconds`; only the main thread can be stopped."""
    if threading.current_thread() is not threading.main_thread():
        yield
    elif hasattr(signal, "setitimer"):
        with _alarm(seconds):
            yield
    else:
        with _interrupt(seconds):
            yield


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """The time limit of systems with alarms: it also ends a wait in C."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    old = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


@contextmanager
def _interrupt(seconds: float) -> Iterator[None]:
    """The time limit where there are no alarms (Windows): a thread that stands in for Ctrl-C.

    It ends Python code; a call into C goes on to its end first.
    """
    late, done, turn = False, False, threading.Lock()

    def stop(number: int, frame: FrameType | None) -> None:
        if late:
            signal.signal(signal.SIGINT, before)
            raise OutOfTime
        if callable(before):
            before(number, frame)  # somebody did press Ctrl-C

    def ring() -> None:
        nonlocal late
        with turn:
            if not done:
                late = True
                _thread.interrupt_main()

    before = signal.signal(signal.SIGINT, stop) or signal.SIG_DFL
    timer = threading.Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with turn:
            done = True
        timer.cancel()
        signal.signal(signal.SIGINT, before)
