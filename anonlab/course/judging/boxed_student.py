"""A student whose code runs in another process, a box: with the methods of student.Student.

A test talks to it as to a module of its own. `File` is what is known of one student's file: that it
cannot be loaded is found out once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonlab.box.both_ends import decode
from anonlab.box.calls import NoBox
from anonlab.box.endings import RIGHT, BoxEnded, Clock, Process
from anonlab.box.plain_data import same
from anonlab.box.steps import MOST
from anonlab.box.wire import Raised, arguments, message, written
from anonlab.course.judging.student import LoadError, Places, Student, StudentError

FIRST_AT_ONCE, MOST_AT_ONCE = 16, 128
"""Calls in one message: in the first one of those whose answers are known, and at most."""


@dataclass
class File:
    """One student's file for one exercise, and what ended its load, once that is known.

    start   makes the process that its code runs in
    code    what is in the file, None: it is read when it is loaded
    places  its lines, for messages to who wrote them; a grader's messages have numbers only
    """

    path: Path
    clock: Clock
    unloadable: LoadError | BoxEnded | NoBox | None = None
    start: Callable[[bytes, Clock], Process] | None = None
    code: bytes | None = None
    places: Places | None = None

    def place(self, line: int, kind: str = "") -> tuple[int, str, str]:
        """Return the number of a line, where it is in words, and the line; '' if that is not
        known. kind: the error there, which has a mark if it is one of syntax."""
        if self.places is None:
            return line, "", ""
        column = self._column(line) if kind == "SyntaxError" else None
        return self.places.of(line, column)

    def _column(self, line: int) -> int | None:
        """Return where in a line the code is no Python, as compile() says it."""
        try:
            compile(self.code or b"", self.path.name, "exec", dont_inherit=True)
        except SyntaxError as error:
            return error.offset if error.lineno == line else None
        except ValueError:  # null bytes
            pass
        return None


class BoxedStudent:
    """The code of one student, loaded in a box of its own.

    raises  LoadError if the file cannot be loaded; BoxEnded, which no `except Exception` catches,
            when the box is gone; NoBox if none could be started
    """

    def __init__(self, file: File) -> None:
        if file.unloadable is not None:
            raise file.unloadable
        self._not_plain = ""
        self._alone = 0  # questions that were worked out for this student
        self._file, self._left = file, file.clock.left
        code = file.path.read_bytes() if file.code is None else file.code
        try:
            self._box = _start(file)(code, file.clock)
        except NoBox as ended:
            file.unloadable = ended
            raise
        try:
            self._value(self._box.load(code, file.path.name))
        except StudentError as error:
            self._box.kill()
            place = file.place(error.line, error.kind)
            file.unloadable = LoadError(error.kind, error.message, *place)
            file.unloadable.printed = self._printed_by_call()
            raise file.unloadable from None
        except BaseException as ended:
            self._box.kill()
            if isinstance(ended, BoxEnded):
                ended.printed = self._printed_by_call()
                file.unloadable = ended
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

    def each(
        self,
        calls: Sequence[tuple[str, tuple[Any, ...]]],
        rights: Sequence[Any] = (),
        asked: list[tuple[bytes, bytes]] | None = None,
    ) -> Iterator[Any]:
        """Yield the result of each call of (function, arguments), or the StudentError that it
        raised. They are asked in messages of several, few first: who stops early has not asked
        much.

        rights, asked  with `asked`: what is right for each call. RIGHT is yielded where that came;
                       `asked` takes each message, and what is right as the worker writes it
        """
        begin, size = 0, 2
        while begin < len(calls):
            end = begin + size
            some = calls[begin:end]
            if any(name.startswith("_") for name, _ in some):
                raise AttributeError("names with a line below are not asked")
            messages = [message("call", fn=name, args=arguments(args)) for name, args in some]
            right = [b""] * len(some) if asked is None else [*map(written, rights[begin:end])]
            pairs = [*zip(messages, right, strict=True)]
            if asked is not None:
                asked += pairs
            self._alone += len(pairs)
            for answer in self._box.ask_known(pairs):
                try:
                    value = self._value(answer)
                except StudentError as error:
                    value = error
                yield value
            begin, size = end, min(2 * size, MOST_AT_ONCE)

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
        self._alone += 1
        if self._file.places is not None:
            self._box.begin_call()
        return self._value(self._box.ask(op, **parts))

    def _value(self, answer: Any) -> Any:
        """Return an answer; raise what the student's code raised."""
        if not isinstance(answer, Raised):
            return answer
        if answer.kind == "MemoryError":
            raise self._end("limit-memory", "the memory of the box is used up")
        if answer.kind == "NotPlain":  # in one process both_ends.py says the same
            self._not_plain = answer.message
            raise StudentError("TypeError", answer.message)
        raise StudentError(answer.kind, answer.message, *self._file.place(answer.line))

    def _printed_by_call(self) -> str:
        return self._box.printed_by_call if self._file.places is not None else ""

    def _broken(self, what: str) -> BoxEnded:
        return self._end("protocol", what)

    def _end(self, status: str, message: str) -> BoxEnded:
        """Kill the box, and remember why."""
        self._box.ended = ended = BoxEnded(status, message)
        self._box.kill()
        return ended


def _start(file: File) -> Callable[[bytes, Clock], Process]:
    """Return what makes the process of a file."""
    if file.start is not None:
        return file.start
    from anonlab.box.box import Box  # late: not every system has what boxes are made of

    return Box


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


Asked = BoxedStudent | Student


def asked_alone(student: Asked) -> int:
    """Return how many questions this student was asked, without those of `known_answers`."""
    return student._alone if isinstance(student, BoxedStudent) else 0


def give_time_back(student: Asked | None) -> None:
    """Let a student's exercise have the time that it had before this student was made."""
    if isinstance(student, BoxedStudent):
        student._file.clock.left = student._left


def known_answers(student: BoxedStudent, calls: list[tuple[bytes, bytes]]) -> Iterator[bool]:
    """Ask what is known, as messages and right answers of wire.py; yield whether each is right.

    raises  BoxEnded if time is over; how else a box may end is an answer that is not right
    """
    box, begin, size = student._box, 0, FIRST_AT_ONCE
    while begin < len(calls):
        some = calls[begin : begin + size]
        begin, size = begin + size, MOST_AT_ONCE
        answers = box.ask_known(some)
        for _, right in some:
            try:
                answer = next(answers)
            except BoxEnded as ended:
                if ended.status == "timeout":
                    raise
                yield False
                return
            yield answer is RIGHT or _is_value(answer, right)


def _is_value(answer: Any, right: bytes) -> bool:
    """Return whether an answer is right that is written in other letters, such as a tuple."""
    if isinstance(answer, Raised):
        return False
    return same(decode(json.loads(right)), answer)


def ending_of(student: Asked | None) -> BoxEnded | None:
    """Return what ended the student's box, whatever the test made of it; None if it stands, or
    there is none."""
    return student._box.ended if isinstance(student, BoxedStudent) else None


def refused_value(student: BoxedStudent) -> str:
    """Return the sentence for the last value that could not be sent, '' if all could."""
    return student._not_plain


def printed_by(student: BoxedStudent) -> str:
    """Return what was printed in the student's box."""
    return student._box.printed


def close(student: Asked) -> None:
    """Kill the student's box, if there is one. The trusted side waits for nobody to leave."""
    if isinstance(student, BoxedStudent):
        student._box.kill()
