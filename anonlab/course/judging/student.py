"""A student's file, and how tests talk to it: functions by name, arguments and results as plain
data. At grading another object with the same methods stands before a sandboxed process."""

from __future__ import annotations

import builtins
import io
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from anonlab.box.both_ends import NotPlain, changed_text, decode, encode, unchanged
from anonlab.box.printed import Printed, Writer
from anonlab.box.steps import Steps
from anonlab.box.worker import NOT_UTF8, check_text, refusal, said

MODULE = "student"
"""What the module of a student's file is called."""
NO_INPUT = "input() is not available when graded"
TO_DO = {NOT_UTF8: "save it as UTF-8", NO_INPUT: "leave it out, or ask below `if __name__`"}
"""What to do about a file that cannot be loaded, by what a box says of it."""
CHANGED = "ArgumentChanged"
"""The kind of error when the student's code has changed what it was given."""


class StudentError(Exception):
    """The student's code raised, or does not have what was asked for.

    kind, message  the type and text of what was raised
    line           where in the student's file, 0 if unknown
    place, code    the same in words, and the line itself; '' if unknown
    printed        what was printed while the file was loaded, if that is what has failed
    """

    printed = ""

    def __init__(
        self, kind: str, message: str, line: int = 0, place: str = "", code: str = ""
    ) -> None:
        self.kind = kind
        self.message = message
        self.line = line
        self.place = place or (f"line {line} of your file" if line else "")
        self.code = code
        super().__init__(f"{kind}: {message}" + (f" ({self.place})" if self.place else ""))

    @property
    def changed_argument(self) -> bool:
        """True if the code has changed what it was given."""
        return self.kind == CHANGED

    @property
    def is_stub(self) -> bool:
        """True if the code is not written yet."""
        return self.kind == "NotImplementedError"


class LoadError(StudentError):
    """The student's file itself cannot be loaded. What a box says of it is told with what to do:
    the sentence is the same on a laptop and at grading."""

    def __init__(
        self, kind: str, message: str, line: int = 0, place: str = "", code: str = ""
    ) -> None:
        said = f"{message}: {TO_DO[message]}" if message in TO_DO else message
        super().__init__(kind, said, line, place, code)


@dataclass(frozen=True)
class Places:
    """Says in words where a line of a student's file is.

    above  the code is a cell's, in which line `above` + 1 has number 1; None: it is a file's
    """

    lines: list[str]
    above: int | None = None

    @classmethod
    def of_code(cls, code: str | bytes, above: int | None = None) -> Places:
        """Return the places of a file."""
        text = code if isinstance(code, str) else code.decode("utf-8", "replace")
        return cls(re.split(r"\r\n?|\n", text), above)

    def of(self, line: int | None, column: int | None = None) -> tuple[int, str, str]:
        """Return a line's number, the same in words, and the line, with a mark below `column`."""
        if not line:
            return 0, "", ""
        in_cell = self.above is not None and line > self.above
        seen = line - self.above if in_cell and self.above is not None else line
        place = f"line {seen} of the cell" if in_cell else f"line {line} of your file"
        if line > len(self.lines):
            return line, place, ""
        code = f"{seen:6} | {self.lines[line - 1].rstrip()}"
        return line, place, code + (f"\n{'^':>{8 + column + 1}}" if column else "")


class OutOfTime(BaseException):
    """The student's code did not return in time. No `except Exception` catches it."""


NOT_THEIRS = (KeyboardInterrupt, OutOfTime)
"""What ends a student's code from outside."""


class Student:
    """The code of one student, in this process: a fresh module for each object.

    Functions are called as methods: `student.share_page(0x3067)`. A name with a capital is a class:
    `design = student.Design()` gives a handle, on which methods are called. `student.map(name,
    [arguments, …])` is many calls at once. What a function is given must be as before when it
    returns.

    explains  a wrong answer is made short and explained; without it, it is only wrong
    above     the code is a cell's, in which line `above` + 1 has number 1; None: it is a file's
    raises    LoadError if the file cannot be loaded
    """

    def __init__(
        self,
        code: str | bytes,
        path: str = "your file",
        explains: bool = True,
        above: int | None = None,
    ) -> None:
        self._path = path
        self._places = Places.of_code(code, above)
        self._printed = Printed()
        self._explains = explains
        self._module = ModuleType(MODULE)
        self._names = self._module.__dict__
        self._names["__file__"] = path
        try:
            if isinstance(code, bytes):
                check_text(code, path)
            with self._imported():
                exec(compile(code, path, "exec", dont_inherit=True), self._names)
        except NOT_THEIRS:
            raise
        except BaseException as error:  # noqa: BLE001  whatever a student's file does
            failure = self._student_error(error)
            place = (failure.line, failure.place, failure.code)
            unloadable = LoadError(failure.kind, failure.message, *place)
            unloadable.printed = self._printed.of_call
            raise unloadable from None

    @classmethod
    def load(cls, path: Path) -> Student:
        """Return the student whose code is in `path`; FileNotFoundError if there is none."""
        return cls(path.read_bytes(), str(path))

    @classmethod
    def of_names(cls, names: dict[str, Any]) -> Student:
        """Return the student whose code has run already and left `names`, as a notebook's does."""
        made = cls("", "the notebook")
        made._names = names
        return made

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._names or not callable(self._names[name]):
            raise StudentError("NameError", f"your file has no function {name!r}: was it renamed?")
        target = self._names[name]
        if name[0].isupper():
            return lambda *args: Handle(self, self._call(target, args, plain=False))
        return lambda *args: self._call(target, args)

    def map(self, name: str, calls: list[tuple[Any, ...]]) -> list[Any]:
        """Return the results of many calls of one function."""
        call = getattr(self, name)
        return [call(*args) for args in calls]

    def each(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> Iterator[Any]:
        """Yield the result of each call of (function, arguments), or the StudentError that it
        raised."""
        for name, args in calls:
            try:
                value = getattr(self, name)(*args)
            except StudentError as error:
                value = error
            yield value

    def counted(self, name: str, args: tuple[Any, ...]) -> tuple[Any, int]:
        """Return the result of one call, and how many steps of the student's it took."""
        call = getattr(self, name)
        try:
            with Steps(self._names) as steps:
                answer = call(*args)
        except RuntimeError as error:
            raise StudentError("RuntimeError", str(error)) from None
        return answer, steps.made

    def _call(self, target: Any, args: tuple[Any, ...], plain: bool = True) -> Any:
        __tracebackhide__ = True  # pytest shows the student's line, not ours
        wires = [encode(arg) for arg in args]
        sent = [decode(wire) for wire in wires]
        try:
            with self._imported():
                result = target(*sent)
        except NOT_THEIRS:
            raise
        except BaseException as error:  # noqa: BLE001  whatever a student's code does
            raise self._student_error(error) from None
        try:
            answer = decode(encode(result)) if plain else result
        except NotPlain as error:
            raise StudentError("TypeError", str(error)) from None
        for at, (wire, value) in enumerate(zip(wires, sent, strict=True)):
            if type(wire) in (list, dict) and not unchanged(wire, value):
                raise StudentError(CHANGED, changed_text(target, at))
        return answer

    @contextmanager
    def _imported(self) -> Iterator[None]:
        """Inside the block the student's file is the module `student`, as if it were imported:
        dataclasses, typing and pickle look it up by name. Nobody sits at its keyboard, and what it
        prints is kept."""
        before = sys.modules.get(MODULE)
        asking, printing = (sys.stdin, builtins.input), (sys.stdout, sys.stderr)
        sys.modules[MODULE] = self._module
        self._printed.begin_call()
        sys.stdin, builtins.input = io.StringIO(), _no_input
        sys.stdout = sys.stderr = Writer(self._printed)
        try:
            yield
        finally:
            sys.stdin, builtins.input = asking
            sys.stdout, sys.stderr = printing
            if before is None:
                sys.modules.pop(MODULE, None)
            else:
                sys.modules[MODULE] = before

    def _printed_by_call(self) -> str:
        return self._printed.of_call

    def _student_error(self, error: BaseException) -> StudentError:
        kind, text = type(error).__name__, refusal(error, said(error))
        if isinstance(error, SyntaxError) and error.filename == self._path:
            return StudentError(kind, error.msg, *self._places.of(error.lineno, error.offset))
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == self._path]
        return StudentError(kind, text, *self._places.of(lines[-1] if lines else 0))


def _no_input(prompt: object = "", /) -> str:
    raise EOFError(NO_INPUT)


def printed_by_call(student: object) -> str:
    """Return what the last call of a learner's code has printed: few lines, and how many more there
    are. '' at grading, where printed text goes another way."""
    told = getattr(type(student), "_printed_by_call", None)
    return str(told(student)) if told is not None else ""


def explains(student: object) -> bool:
    """Return whether a wrong answer of `student` is to be explained. Who asks about thousands of
    wrong ones, as mutation does, only wants to know that they are."""
    return not isinstance(student, Student) or student._explains


class Handle:
    """An object of a student's class, which stays on the student's side."""

    def __init__(self, student: Student, target: Any) -> None:
        self._student = student
        self._target = target

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        method = getattr(self._target, name, None)
        if not callable(method):
            raise StudentError("AttributeError", f"your class has no method {name!r}")
        return lambda *args: self._student._call(method, args)
