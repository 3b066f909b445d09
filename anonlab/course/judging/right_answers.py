"""What is right, kept: all questions of a test for one seed, and the answers, as they are written.

A grader asks hundreds of students the same. Who answers every question of a test to the letter has
passed it, and no history was run for that. At the first other answer everything is worked out anew,
in a box of its own (StartAgain): so what is kept changes no verdict and no word, only the time. Who
is right only then has had two tries, and has not passed; unless what was kept is not right.

Kept is only what no student had a part in: calls of `judge` before which the test has asked its
student nothing by itself, and caught nothing. A file is written whole or not at all, has its digest
before it and says what it is of. One that is damaged is worked out again, and `troubles` says so.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

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
        self._test: RunTest | None = None
        self._troubles: dict[str, None] = {}

    def forget(self) -> None:
        """Keep nothing of before."""
        self._kept.clear()
        self._bytes = 0

    def troubles(self) -> tuple[str, ...]:
        """Return a sentence for each trouble with what is kept, since this was asked last."""
        found, self._troubles = tuple(self._troubles), {}
        return found

    @contextmanager
    def of_test(self, name: str, again: bool = False) -> Iterator[RunTest]:
        """Inside the block runs the test with this name, which says all that decides what is right;
        if it passes, what was asked in it is kept. '' keeps nothing.

        again  what is kept is not used: an answer was another. It is compared, if the test passes
        """
        if not self.digest or not name:
            yield RunTest()
            return
        known = None if again else self._find(name)
        test = self._test = RunTest(known)
        try:
            yield test
            test.as_kept = again and self._kept.get(name) == test.found
            if again and not test.as_kept:
                self._troubles[f"what is right in {name} was not what was kept: it is now"] = None
            if known is None and test.found and not test.as_kept:
                self._keep(name, test.found)
        finally:
            self._test = None

    def ask(self, student: Any) -> int:
        """Ask what the next call of `judge` in this test would ask; return how many questions there
        are, 0 if that is not known.

        raises  StartAgain if it must be worked out
        """
        test = self._test
        if test is None or not test.goes_on(student):
            self._test = None  # what comes from here on may depend on what the student said
            return 0
        test.begun += 1
        if test.known is None or test.ended >= len(test.known):
            return 0
        calls = test.known[test.ended]
        if not all(known_answers(student, calls)):
            raise StartAgain
        test.ended += bool(calls)
        return len(calls)

    def note(self, student: Any, asked: Known) -> None:
        """Take note of what a call of `judge` has asked, with what is right, if that is to be kept:
        all of it came from a box, and was right."""
        test = self._test
        if test is None:
            return
        test.ended, test.asked = test.ended + 1, asked_alone(student)
        if test.known is None:
            test.found.append(asked)

    def _find(self, name: str) -> list[Known] | None:
        if name not in self._kept:
            found = self._read(name)
            if found is None:
                return None
            self._remember(name, found)
        self._kept.move_to_end(name)
        return self._kept[name]

    def _read(self, name: str) -> list[Known] | None:
        """Return what the file of a test keeps; None if there is none, or it is damaged."""
        path = self._path(name)
        if path is None:
            return None
        try:
            return _of_file(path.read_bytes(), name)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, zlib.error) as error:
            why = error.strerror if isinstance(error, OSError) else error
            self._troubles[f"{path}: {why}; what is right was worked out again"] = None
            return None

    def _keep(self, name: str, found: list[Known]) -> None:
        self._forget(name)
        self._remember(name, found)
        path = self._path(name)
        if path is None:
            return
        half = ""
        try:
            for folder in (path.parent.parent, path.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
            handle, half = tempfile.mkstemp(prefix=".", dir=path.parent)  # for its owner only
            with open(handle, "wb") as file:  # noqa: PTH123
                file.write(_as_file(found, name))
            Path(half).replace(path)
        except OSError as error:  # a full disk costs time, and no grade
            self._troubles[f"{self.folder}: what is right cannot be kept: {error.strerror}"] = None
            with suppress(OSError):
                Path(half).unlink()

    def _remember(self, name: str, found: list[Known]) -> None:
        self._kept[name] = found
        self._bytes += _size(found)
        while self._bytes > MOST_BYTES and len(self._kept) > 1:
            self._bytes -= _size(self._kept.popitem(last=False)[1])

    def _forget(self, name: str) -> None:
        self._bytes -= _size(self._kept.pop(name, []))

    def _path(self, name: str) -> Path | None:
        if self.folder is None:
            return None
        return self.folder / hashlib.sha256(name.encode()).hexdigest()[:32]


class RunTest:
    """A test that runs: what is known of it, and what was found.

    begun, ended  calls of `judge`: one that has begun and not ended was caught
    asked         questions that those have asked the student
    as_kept       it has passed, and what it asked is what was kept
    """

    def __init__(self, known: list[Known] | None = None) -> None:
        self.known = known
        self.begun = self.ended = self.asked = 0
        self.found: list[Known] = []
        self.as_kept = False

    def goes_on(self, student: Any) -> bool:
        """Return whether the test has done nothing but judge this student."""
        boxed = isinstance(student, BoxedStudent) and asked_alone(student) == self.asked
        return boxed and self.begun == self.ended


def _size(calls: Sequence[Known]) -> int:
    return sum(len(asked) + len(right) for each in calls for asked, right in each)


def _as_file(found: list[Known], name: str) -> bytes:
    """Return what is kept of a test as the bytes of a file, its digest first."""
    calls = [[[one.decode(), other.decode()] for one, other in each] for each in found]
    body = zlib.compress(json.dumps({"of": name, "calls": calls}).encode(), 1)
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _of_file(data: bytes, name: str) -> list[Known]:
    """Return what a file keeps; ValueError if it is damaged, or of another test."""
    digest, _, body = data.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("the file is damaged")
    plain = json.loads(zlib.decompress(body))
    if plain["of"] != name:
        raise ValueError(f"the file is of {plain['of']}")
    return [[(one.encode(), other.encode()) for one, other in each] for each in plain["calls"]]


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
