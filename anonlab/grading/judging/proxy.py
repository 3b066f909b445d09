"""The fixture `student` at grading: the interface of course.student.Student, before a box.

A test talks to it as to a module on a laptop. `File` is what is known of one student's file: that
it cannot be loaded is found out once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonlab.box.box import Box, BoxEnded, Clock
from anonlab.box.calls import NoBox
from anonlab.box.steps import MOST
from anonlab.box.wire import Raised, arguments
from anonlab.course.judging.student import LoadError, StudentError

MOST_AT_ONCE = 128
"""Calls in one message."""


@dataclass
class File:
    """One student's file for one exercise, and what ended its load, once that is known."""

    path: Path
    clock: Clock
    unloadable: LoadError | BoxEnded | NoBox | None = None


class BoxedStudent:
    """The code of one student, loaded in a box of its own.

    raises  LoadError if the file cannot be loaded; BoxEnded, which no `except Exception` catches,
            when the box is gone; NoBox if none could be started
    """

    def __init__(self, file: File) -> None:
        if file.unloadable is not None:
            raise file.unloadable
        self._not_plain = ""
        code = file.path.read_bytes()
        try:
            self._box = Box(code, file.clock)
        except NoBox as ended:
            file.unloadable = ended
            raise
        try:
            self._value(self._box.load(code, file.path.name))
        except StudentError as error:
            self._box.kill()
            file.unloadable = LoadError(error.kind, error.message, error.line)
            raise file.unloadable from None
        except BaseException as ended:
            self._box.kill()
            file.unloadable = ended if isinstance(ended, BoxEnded) else None
            raise

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name[0].isupper():
            return lambda *args: self._new(name, args)
        return lambda *args: self._ask("call", fn=name, args=arguments(args))

    def map(self, name: str, calls: list[tuple[Any, ...]]) -> list[Any]:
        """Return the results of many calls of one function, asked in one message."""
        if name.startswith("_"):
            raise AttributeError(name)
        answers = self._ask("map", fn=name, args=[arguments(args) for args in calls])
        if type(answers) is not list or len(answers) != len(calls):
            raise self._broken("as many answers as calls are expected")
        return answers

    def each(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> Iterator[Any]:
        """Yield the result of each call of (function, arguments), or the StudentError that it
        raised. They are asked in messages of several, few first: who stops early has not asked
        much."""
        begin, size = 0, 2
        while begin < len(calls):
            some = calls[begin : begin + size]
            begin, size = begin + size, min(2 * size, MOST_AT_ONCE)
            if any(name.startswith("_") for name, _ in some):
                raise AttributeError("names with a line below are not asked")
            parts = [{"fn": name, "args": arguments(args)} for name, args in some]
            for answer in self._box.ask_each("call", parts):
                try:
                    value = self._value(answer)
                except StudentError as error:
                    value = error
                yield value

    def counted(self, name: str, args: tuple[Any, ...]) -> tuple[Any, int]:
        """Return the result of one call, and how many steps the box says that it made."""
        if name.startswith("_"):
            raise AttributeError(name)
        answer = self._ask("counted", fn=name, args=arguments(args))
        good = type(answer) is list and [type(part) for part in answer[1:]] == [int]
        if not good or not 0 <= answer[1] <= MOST:
            raise self._broken("an answer and a number of steps are expected")
        return answer[0], answer[1]

    def _new(self, name: str, args: tuple[Any, ...]) -> BoxedHandle:
        number = self._ask("new", fn=name, args=arguments(args))
        if type(number) is not int:
            raise self._broken("a new object has a number")
        return BoxedHandle(self, number)

    def _ask(self, op: str, **parts: Any) -> Any:
        """Ask the box, and return the value of its answer."""
        return self._value(self._box.ask(op, **parts))

    def _value(self, answer: Any) -> Any:
        """Return an answer; raise what the student's code raised."""
        if not isinstance(answer, Raised):
            return answer
        if answer.kind == "MemoryError":
            raise self._end("limit-memory", "the memory of the box is used up")
        if answer.kind == "NotPlain":  # on a laptop plain.py says the same
            self._not_plain = answer.message
            raise StudentError("TypeError", answer.message)
        raise StudentError(answer.kind, answer.message, answer.line)

    def _broken(self, what: str) -> BoxEnded:
        return self._end("protocol", what)

    def _end(self, status: str, message: str) -> BoxEnded:
        """Kill the box, and remember why."""
        self._box.ended = ended = BoxEnded(status, message)
        self._box.kill()
        return ended


class BoxedHandle:
    """An object of a student's class, in the box."""

    def __init__(self, student: BoxedStudent, number: int) -> None:
        self._student = student
        self._number = number

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args: self._student._ask(
            "method", h=self._number, fn=name, args=arguments(args)
        )


def ending_of(student: BoxedStudent) -> BoxEnded | None:
    """Return what ended the student's box, whatever the test made of it; None if it stands."""
    return student._box.ended


def refused_value(student: BoxedStudent) -> str:
    """Return the sentence for the last value that could not be sent, '' if all could."""
    return student._not_plain


def printed_by(student: BoxedStudent) -> str:
    """Return what was printed in the student's box."""
    return student._box.printed


def close(student: BoxedStudent) -> None:
    """Kill the student's box, if it has one. The trusted side waits for nobody to leave."""
    student._box.kill()
