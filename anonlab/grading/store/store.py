"""One file for each result, whole or not at all; killed at any moment, nothing is lost.

STORE/ASSIGNMENT/SUBMISSION.json     the result, under the key of all that decides it
STORE/ASSIGNMENT/regraded/…          results that will replace others, once the changes are told
STORE/ASSIGNMENT/regrades.csv        every change that was published: old -> new
STORE/ASSIGNMENT/.lock               names who is grading

A result with an equal key is not made again; trouble of the grader is never a finished result.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import json
import os
import re
import secrets
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from anonlab.errors import FormatError
from anonlab.grading.store.result import FORMAT, VERSION, Result, TestResult

CHANGES = ("submission", "test", "old", "new")
_TEMPORARY = re.compile(r"\.(?P<id>.+)\.(?:json|csv)\.\d+-[0-9a-f]+\.(?:tmp|running)\Z")


class OtherVersion(FormatError):
    """A result that another version of anonlab has written."""


class StoreTrouble(OSError):
    """The store cannot be written; the message says where and why. What was graded is kept."""


class Locked(ValueError):
    """Somebody else is grading into this store; the message names who."""


@dataclass(frozen=True)
class VerdictChange:
    """How a regrade changes one test of one submission; "" where there was none."""

    submission: str
    test: str
    old: str
    new: str


def result_bytes(result: Result) -> bytes:
    """Return a result as its file has it: the durations are the last line but one, and all that
    may differ when the same thing is graded again."""
    plain = {"format": FORMAT, "version": VERSION, **asdict(result)}
    timing = plain.pop("timing")
    text = json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True, allow_nan=False)
    durations = json.dumps(timing, sort_keys=True, allow_nan=False)
    return f'{text[:-2]},\n "timing": {durations}\n}}\n'.encode("utf-8", "backslashreplace")


def read_result(path: Path) -> Result:
    """Return the result in a file; FormatError if it is none, or of a version that is not ours."""
    try:
        plain = json.loads(path.read_bytes())
        if plain.pop("format") != FORMAT:
            raise FormatError(f"{path} is no result of grading")
        version = plain.pop("version")
        if version != VERSION:
            raise OtherVersion(
                f"{path} has results of version {version}, this anonlab knows version {VERSION}: "
                "grade with the anonlab that wrote them, or into another folder"
            )
        tests = tuple(TestResult(**_shared(test)) for test in plain.pop("tests"))
        ignored, notes = (tuple(plain.pop(name)) for name in ("ignored", "notes"))
        return Result(tests=tests, ignored=ignored, notes=notes, **plain)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is no result of grading ({error})") from None


def _shared(test: dict[str, Any]) -> dict[str, Any]:
    """Return a test's fields, of which those that all submissions have alike are in memory once."""
    for name in ("exercise", "test", "title", "status", "hint"):
        if type(test.get(name)) is str:
            test[name] = sys.intern(test[name])
    return test


class Store:
    """The results of one assignment below `folder`. Any number of processes may put results."""

    def __init__(self, folder: Path, assignment: str) -> None:
        name = re.sub(r"[^\w.+-]+", "-", assignment).strip(".-")[:60]
        if not name or name != assignment:  # no two assignments share a folder
            name += f"-{hashlib.sha256(assignment.encode()).hexdigest()[:8]}"
        self.folder = folder / name
        self.regraded = self.folder / "regraded"

    def path(self, submission: str) -> Path:
        """Return the file of a result."""
        return self.folder / f"{submission}.json"

    def get(self, submission: str) -> Result | None:
        """Return the published result of a submission, None if there is none that can be read.

        raises  FormatError for one of another version
        """
        return _read(self.path(submission))

    def finished(self, submission: str, key: str) -> Result | None:
        """Return the finished result with this key, published or not yet."""
        found = self.under(submission, key)
        return None if found is None or found.status == "infra" else found

    def under(self, submission: str, key: str) -> Result | None:
        """Return the result with this key, if there is one: a finished one before trouble."""
        paths = (self.path(submission), self.regraded / f"{submission}.json")
        found = [each for path in paths if (each := _read(path)) is not None and each.key == key]
        return min(found, key=lambda each: each.status == "infra", default=None)

    def put(self, result: Result) -> None:
        """Keep a result: beside a finished one of another key, in place of all others.

        raises  StoreTrouble if it cannot be written; the store is as it was then
        """
        old = self.get(result.submission)
        beside = old is not None and old.status != "infra" and not _same(old, result)
        folder = self.regraded if beside else self.folder
        _write(folder / f"{result.submission}.json", result_bytes(result))

    def changes(self, keys: Mapping[str, str]) -> list[VerdictChange]:
        """Return what publish(keys) will change."""
        found: list[VerdictChange] = []
        for submission, _, new in self._waiting(keys):
            found += _changes(submission, self.get(submission), new)
        return found

    def publish(self, keys: Mapping[str, str]) -> None:
        """Put regraded results in place of the old ones; every change is written down first.

        keys  by submission: what this batch has graded. Results under other keys are forgotten
        raises  StoreTrouble
        """
        changes = self.changes(keys)
        if changes:
            path = self.folder / "regrades.csv"
            out = io.StringIO(newline="")
            rows = csv.writer(out, lineterminator="\n")
            if not path.exists():
                rows.writerow(CHANGES)
            rows.writerows((each.submission, each.test, each.old, each.new) for each in changes)
            with _store_trouble(path):
                _write(
                    path, (path.read_bytes() if path.exists() else b"") + out.getvalue().encode()
                )
        for submission, path, _ in self._waiting(keys):
            with _store_trouble(path):
                path.replace(self.path(submission))

    def _waiting(self, keys: Mapping[str, str]) -> Iterator[tuple[str, Path, Result]]:
        for name in sorted(path.stem for path in self.regraded.glob("*.json")):
            path = self.regraded / f"{name}.json"
            found = _read(path) if name in keys else None
            if found is not None and found.key == keys[name] and found.status != "infra":
                yield name, path, found

    @contextmanager
    def locked(self, shared: bool, mine: Callable[[str], bool]) -> Iterator[None]:
        """Hold the store while grading, and remove what a killed grader left half written.

        shared  True for one of several shards: they have no submission in common
        mine    whether a submission is in this shard
        raises  Locked if somebody else has it, StoreTrouble if it cannot be written
        """
        with _store_trouble(self.folder):
            self.regraded.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / ".lock").open("a+", encoding="utf-8")
        with lock:
            try:
                fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                owner = lock.read().strip() or "another grader"
                raise Locked(
                    f"{self.folder} is in use by {owner}: wait for it, or end it"
                ) from None
            with _store_trouble(self.folder):
                now = datetime.now(UTC).isoformat(timespec="seconds")
                lock.truncate(0)
                lock.write(f"process {os.getpid()} on {socket.gethostname()}, since {now}")
                lock.flush()
                self._sweep(mine)
            yield

    def _sweep(self, mine: Callable[[str], bool]) -> None:
        for folder in (self.folder, self.regraded):
            for path in list(folder.iterdir()):
                match = _TEMPORARY.match(path.name)
                if match and mine(match["id"]):
                    path.unlink(missing_ok=True)

    @contextmanager
    def running(self, submission: str) -> Iterator[None]:
        """Mark a submission as being graded: the mark stays if the process is killed at it."""
        path = self.folder / _sibling(f"{submission}.json", "running")
        with _store_trouble(path):
            path.touch()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

    def suspects(self, submissions: set[str]) -> set[str]:
        """Return which of `submissions` were being graded when their process was killed; their
        marks are gone then."""
        found = set()
        for path in list(self.folder.glob(".*.running")):
            match = _TEMPORARY.match(path.name)
            if match and match["id"] in submissions:
                found.add(match["id"])
                path.unlink(missing_ok=True)
        return found


def _read(path: Path) -> Result | None:
    try:
        return read_result(path)
    except OtherVersion:
        raise
    except (FileNotFoundError, FormatError):
        return None  # not ours, or the disk's fault: it is graded again


def _same(old: Result, new: Result) -> bool:
    """True if two results differ in nothing that a regrade would have to tell."""
    return replace(old, timing={}) == replace(new, timing={})


def _changes(submission: str, old: Result | None, new: Result) -> list[VerdictChange]:
    before = {} if old is None else {f"{each.exercise} {each.test}": each for each in old.tests}
    after = {f"{each.exercise} {each.test}": each for each in new.tests}
    found = []
    if old is None or old.status != new.status:
        found.append(VerdictChange(submission, "", "" if old is None else old.status, new.status))
    for name in {**before, **after}:
        one, other = (_verdict(tests.get(name)) for tests in (before, after))
        if one != other:
            found.append(VerdictChange(submission, name, one, other))
    return found


def _verdict(test: TestResult | None) -> str:
    if test is None:
        return ""
    points = "no points" if test.points is None else f"{test.points:g} of {test.most:g}"
    return f"{test.status}, {points}"


def _sibling(name: str, suffix: str) -> str:
    return f".{name}.{os.getpid()}-{secrets.token_hex(4)}.{suffix}"


@contextmanager
def _store_trouble(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, StoreTrouble):
            raise
        raise StoreTrouble(
            f"{path} cannot be written ({error.strerror}); what was graded is kept"
        ) from None


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and have it on the disk before anybody reads it."""
    half = path.with_name(_sibling(path.name, "tmp"))
    with _store_trouble(path):
        try:
            with half.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
        except BaseException:
            with suppress(OSError):
                half.unlink()
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def plain_result(result: Result) -> dict[str, Any]:
    """Return a result as plain data, as its file has it."""
    found: dict[str, Any] = json.loads(result_bytes(result))
    return found
