"""What runs in a box: loads one student's code and answers questions, one line of JSON each.

What it says is a claim of the student's: the student's code can change all of it. What is refused
here is refused for the honest, with a sentence; wire.py checks everything again.
"""

from __future__ import annotations

import binascii
import builtins
import errno
import json
import os
import sys

from anonlab.box.both_ends import changed_text, decode, encode, unchanged
from anonlab.box.steps import Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

RESERVE = 8 << 20
"""Bytes that are set free when memory ends, so that this can still be said."""
NO_FILES = "when graded, code cannot open files: it gets its data as arguments"
NO_PROGRAMS = "when graded, code cannot start programs or threads, nor use the network"
NOT_UTF8 = "the file is not UTF-8"
NO_MODULE = "when graded, there are Python's standard library, NumPy and anonlab"


class ArgumentChanged(Exception):
    """The student's code has changed what it was given; the message says which."""


class NoSuchName(Exception):
    """The student's file or class does not have what is asked for; args: kind, message."""


def say(answers: int, message: dict[str, Any]) -> None:
    """Write one line."""
    data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
    while data:
        data = data[os.write(answers, data) :]


# -- the student's code --------------------------------------------------------------------------


class Session:
    """One student's file, and the objects of its classes that tests hold."""

    def __init__(self) -> None:
        self.path = ""
        module = type(sys)("student")  # dataclasses, typing and pickle look it up by name
        self.names: dict[str, Any] = module.__dict__
        sys.modules["student"] = module
        self.objects: list[Any] = []

    def answer(self, question: dict[str, Any]) -> Any:
        """Return what the question asks for, encoded."""
        op = question["op"]
        if op == "load":
            return self.load(binascii.a2b_base64(question["code"]), question["file"])
        args = question.get("args", [])
        if op == "method":
            target, name = self.objects[question["h"]], question["fn"]
            method = getattr(target, name, None)
            if not callable(method):
                raise NoSuchName("AttributeError", f"your class has no method {name!r}")
            return self.call(method, args)
        target = self.named(question["fn"])
        if op == "new":
            self.objects.append(target(*map(decode, args)))
            return len(self.objects) - 1
        if op == "map":
            return [self.call(target, each) for each in args]
        if op == "counted":
            with Steps(self.names) as steps:
                value = self.call(target, args)
            return [value, steps.made]
        return self.call(target, args)

    def load(self, code: bytes, path: str) -> None:
        """Run the student's code, which came as the file `path`."""
        self.path = self.names["__file__"] = path
        check_text(code, path)
        exec(compile(code, path, "exec", dont_inherit=True), self.names)
        if "random" in sys.modules:  # a regrade gives the same
            sys.modules["random"].seed(0)

    def named(self, name: str) -> Any:
        """Return the student's function or class `name`."""
        if not callable(self.names.get(name)):
            raise NoSuchName("NameError", f"your file has no function {name!r}: was it renamed?")
        return self.names[name]

    def call(self, target: Any, args: list[Any]) -> Any:
        """Return the encoded result of one call, which leaves its arguments as they were."""
        sent = [decode(each) for each in args]
        result = encode(target(*sent))
        for at, (wire, value) in enumerate(zip(args, sent)):  # noqa: B905  as long as each other
            if type(wire) in (list, dict) and not unchanged(wire, value):
                raise ArgumentChanged(changed_text(target, at))
        return result

    def line(self, trace: TracebackType | None) -> int:
        """Return the last line of the student's file in a traceback, 0 if there is none."""
        found = 0
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self.path:
                found = trace.tb_lineno
            trace = trace.tb_next
        return found

    def told(self, error: BaseException) -> dict[str, Any]:
        """Return what was raised, as the answer says it."""
        if isinstance(error, NoSuchName):
            return {"err": error.args[0], "msg": error.args[1], "line": 0}
        kind, message = type(error).__name__, said(error)
        line = self.line(error.__traceback__)
        if isinstance(error, SyntaxError) and not line:
            kind, message, line = "SyntaxError", str(error.msg), error.lineno or 0
        message = refusal(error, message)
        return {"err": kind[:80], "msg": message[:500], "line": line}


def check_text(code: bytes, path: str) -> None:
    """Raise SyntaxError for a file `path` that is not UTF-8 and does not say what it is instead:
    compile() lets that pass in comments."""
    if b"coding" in b"".join(code.split(b"\n", 2)[:2]):
        return
    try:
        code.decode()
    except UnicodeDecodeError as error:
        line = code.count(b"\n", 0, error.start) + 1
        raise SyntaxError(NOT_UTF8, (path, line, None, None)) from None


def said(error: BaseException) -> str:
    """Return the text of what was raised."""
    try:
        return str(error).encode("utf-8", "replace").decode()
    except Exception:  # noqa: BLE001  a student's own exception may fail to say anything
        return ""


def refusal(error: BaseException, message: str) -> str:
    """Return `message`, or the sentence for what a box refuses."""
    if isinstance(error, EOFError) and "reading a line" in message:
        return "input() is not available when graded"
    if isinstance(error, ModuleNotFoundError) and "." not in (error.name or "."):
        return f"{message} ({NO_MODULE})"
    if isinstance(error, OSError) and error.errno in (errno.EPERM, errno.EACCES, errno.EMFILE):
        return NO_PROGRAMS if error.filename is None else NO_FILES
    return NO_PROGRAMS if message == "can't start new thread" else message


def serve(session: Session, questions: Any, answers: int) -> None:
    """Answer until nobody asks any more."""
    builtins.__dict__.update(exit=sys.exit, quit=sys.exit)
    reserve = [bytes(RESERVE)]  # address space: no page of it is touched
    printed = sys.stdout, sys.stderr
    for line in questions:
        question = json.loads(line)
        try:
            message = {"ok": session.answer(question)}
        except BaseException as error:  # noqa: BLE001  whatever a student's code does
            if isinstance(error, MemoryError):
                reserve.clear()
            message = session.told(error)
        for stream in printed:
            try:
                stream.flush()
            except (OSError, ValueError):
                continue
        say(answers, {"id": question["id"], **message})
