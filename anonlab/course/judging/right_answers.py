"""What is right, kept: all questions of a test for one seed, and the answers, as they are written.

A grader asks hundreds of students the same. Who answers every question of a test to the letter has
passed it, and no history was run for that. At the first other answer everything is worked out anew,
in a box of its own (StartAgain): so what is kept changes no verdict and no word, only the time.

Kept is only what no student had a part in: a call of `judge` before which the test has asked its
student nothing by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anonlab.box.both_ends import encode
from anonlab.box.wire import message, written
from anonlab.course.judging.boxed_student import BoxedStudent, asked_alone, known_answers

MOST_BYTES = 64 << 20
"""Of questions and answers that one process keeps at hand."""
Known = list[tuple[bytes, bytes]]
"""Messages, and the answers that are right."""


class StartAgain(BaseException):
    """An answer is not the right one to the letter. No `except Exception` of a test catches it."""


class RightAnswers:
    """What is kept: in memory, and in `folder` if there is one."""

    def __init__(self) -> None:
        self.digest = ""
        self.folder: Path | None = None
        self._kept: OrderedDict[str, list[Known]] = OrderedDict()
        self._bytes = 0
        self._test: _Test | None = None

    def forget(self) -> None:
        """Keep nothing of before."""
        self._kept.clear()
        self._bytes = 0

    @contextmanager
    def of_test(self, name: str) -> Iterator[None]:
        """Inside the block runs the test with this name, which says all that decides what is right;
        if it passes, what was asked in it is kept. '' keeps nothing."""
        if not self.digest or not name:
            yield
            return
        known = self._find(name)
        test = self._test = _Test(known)
        try:
            yield
            if known is None and test.found:
                self._keep(name, test.found)
        finally:
            self._test = None

    def ask(self, student: Any) -> int:
        """Ask what the next call of `judge` in this test would ask; return how many questions there
        are, 0 if that is not known.

        raises  StartAgain if it must be worked out
        """
        test = self._test
        if test is None or not _only_judged(student):
            self._test = None  # what comes from here on may depend on what the student said
            return 0
        if test.known is None or test.at >= len(test.known):
            return 0
        calls = test.known[test.at]
        test.at += 1
        if not all(known_answers(student, calls)):
            raise StartAgain
        return len(calls)

    def note(self, questions: Iterable[Any]) -> None:
        """Take note of what a call of `judge` has asked, if that is to be kept."""
        if self._test is not None and self._test.known is None:
            self._test.found.append(
                [
                    (message("call", fn=each.function, args=[*map(encode, each.args)]),
                     written(each.right))
                    for each in questions
                ]
            )  # fmt: skip

    def _find(self, name: str) -> list[Known] | None:
        if name not in self._kept:
            found = _read(self._path(name))
            if found is None:
                return None
            self._remember(name, found)
        self._kept.move_to_end(name)
        return self._kept[name]

    def _keep(self, name: str, found: list[Known]) -> None:
        self._remember(name, found)
        path = self._path(name)
        if path is None:
            return
        plain = [[[one.decode(), other.decode()] for one, other in calls] for calls in found]
        half = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            half.write_bytes(zlib.compress(json.dumps(plain).encode(), 1))
            half.replace(path)
        except OSError:  # a full disk costs time, and no grade
            half.unlink(missing_ok=True)

    def _remember(self, name: str, found: list[Known]) -> None:
        self._kept[name] = found
        self._bytes += _size(found)
        while self._bytes > MOST_BYTES and len(self._kept) > 1:
            self._bytes -= _size(self._kept.popitem(last=False)[1])

    def _path(self, name: str) -> Path | None:
        if self.folder is None:
            return None
        return self.folder / hashlib.sha256(name.encode()).hexdigest()[:32]


class _Test:
    """A test that runs: what is known of it, at which call of `judge` it is, and what was found."""

    def __init__(self, known: list[Known] | None) -> None:
        self.known = known
        self.at = 0
        self.found: list[Known] = []


def _only_judged(student: Any) -> bool:
    return isinstance(student, BoxedStudent) and not asked_alone(student)


def _size(calls: Sequence[Known]) -> int:
    return sum(len(asked) + len(right) for each in calls for asked, right in each)


def _read(path: Path | None) -> list[Known] | None:
    """Return what a file keeps; None if there is none, or it is damaged."""
    if path is None:
        return None
    try:
        plain = json.loads(zlib.decompress(path.read_bytes()))
        return [[(one.encode(), other.encode()) for one, other in calls] for calls in plain]
    except (OSError, ValueError, zlib.error, TypeError, AttributeError):
        return None


def keep_in(digest: str, folder: Path | None) -> None:
    """Keep right answers from here on, in `folder` too.

    digest  of all that decides what is right, but for the test and its seed: what is kept under
            another one is of no use any more
    """
    kept, own = RIGHT_ANSWERS, folder / digest if folder is not None else None
    if kept.digest != digest:
        kept.forget()
    if own is not None and own != kept.folder and not own.exists():
        for other in own.parent.glob("*"):
            shutil.rmtree(other, ignore_errors=True)
    kept.digest, kept.folder = digest, own


RIGHT_ANSWERS = RightAnswers()
