"""What tests of exercises are marked with, and what becomes of one test.

@needs("test_one")     only if that test of the same file has passed
@one_box               at grading, its neighbours may share its box
"""

from __future__ import annotations

import _thread
import inspect
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
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
    elif sys.platform == "emscripten":
        with _look_at_the_clock(seconds):
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


@contextmanager
def _look_at_the_clock(seconds: float) -> Iterator[None]:
    """The time limit where there are no threads either (a browser): the code looks at the clock
    itself, at each call and each turn of a loop.

    Installed packages do not look. An endless one inside of them goes on until the kernel is
    restarted, as a call into C does.
    """
    if sys.version_info < (3, 12):
        yield
        return
    watch, end = sys.monitoring, time.monotonic() + seconds
    ours = next((number for number in (3, 4) if watch.get_tool(number) is None), None)
    if ours is None:
        yield
        return
    installed = ("<frozen", *map(str, (Path(os.__file__).parent, Path(__file__).parents[3])))

    def look(code: CodeType, *_: object) -> object:
        if code.co_filename.startswith(installed):
            return watch.DISABLE
        if time.monotonic() > end:
            raise OutOfTime
        return None

    events = (watch.events.JUMP, watch.events.PY_START, watch.events.PY_RESUME)
    watch.use_tool_id(ours, "anonlab")
    try:
        for each in events:
            watch.register_callback(ours, each, look)
        watch.set_events(ours, events[0] | events[1] | events[2])
        yield
    finally:
        watch.set_events(ours, 0)
        for each in events:
            watch.register_callback(ours, each, None)
        watch.free_tool_id(ours)
