"""From a file to lines: plain or compressed, one log or the many of `strace -ff`."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from io import StringIO
from itertools import islice
from pathlib import Path

from anonlab.errors import FormatError
from anonlab.histories.strace import calls
from anonlab.histories.strace.layout import as_written
from anonlab.histories.strace.lines import read_line, split_result
from anonlab.histories.strace.reader import FORKS

RECORD_WITH = "record with: strace -f -e trace=memory,process -o FILE COMMAND"
GZIP = b"\x1f\x8b"
_ARCHIVES = (
    (b"BZh", "packed by bzip2"),
    (b"\xfd7zXZ", "packed by xz"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd"),
    (b"PK\x03\x04", "a zip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
)
PACKED = tuple(magic for magic, _ in _ARCHIVES)
_NOT_WHOLE = (EOFError, gzip.BadGzipFile, zlib.error)
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
PACKED_SIZE, PACKED_TIMES = 1 << 26, 500
"""What unpacks to more characters than this, and to so many times its size, is no log."""
MOST_LINE = 1 << 22
"""Characters of a line: whoever writes more, or packs it, wants our memory."""
_PART = 1 << 16
"""So many characters of a file are read at a time, and the rest of their last line."""
_PID = re.compile(r"\.[0-9]{1,7}\Z")
_HEAD = 8192
"""Bytes at the beginning of a file that show whether it is text."""
_TIME = re.compile(r"(?:(\d\d):(\d\d):)?(\d+(?:\.\d+)?) ")


def log_lines(source: str | Path | Iterable[str]) -> tuple[Callable[[], Iterator[str]], int]:
    """Return what gives the lines of a log, as often as it is asked, and how many characters.

    source  a file; the FILE of `strace -ff -o FILE`, which wrote a FILE.PID for each process; or
            lines
    raises  FormatError if it is binary or not whole, or has a line of more than MOST_LINE
            characters, OSError if it cannot be read
    """
    if not isinstance(source, str | Path):
        lines = _with_line_feeds(list(source))
        return as_written(lambda: iter(lines)), sum(map(len, lines))
    path = Path(source)
    if parts := parts_of(path):
        lines = list(_in_order(parts))
        return lambda: iter(lines), sum(map(len, lines))
    file = _FileLines(path)
    return as_written(file), path.stat().st_size


def blocks(log: Iterable[str], nlines: int) -> Iterator[list[str]]:
    """Yield the lines of a log, so many at a time."""
    rest = iter(log)
    while block := list(islice(rest, nlines)):
        yield block


def parts_of(path: Path) -> dict[int, Path]:
    """Return the files that `strace -ff -o PATH` wrote, by pid; none if PATH itself is there."""
    if path.exists() or not path.parent.is_dir():
        return {}
    found = path.parent.glob(f"{path.name}.*")
    return {int(part.suffix[1:]): part for part in found if _PID.match(part.suffix)}


def head_of(path: Path) -> bytes:
    """Return the beginning of a file, unpacked if it is compressed."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.startswith(GZIP):
        return head
    try:
        with gzip.open(path) as packed:
            return packed.read(_HEAD)
    except _NOT_WHOLE as error:
        raise FormatError(f"{path.name} is no whole gzip file: {error}") from None


def _archive(head: bytes) -> str:
    """Return what packed a file, '' if nothing did or it is read as it is."""
    if head[257:262] == b"ustar":
        return "a tar archive"
    return next((name for magic, name in _ARCHIVES if head.startswith(magic)), "")


class _FileLines:
    """The lines of a file, one character per byte, as often as they are asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            start = file.read(2)
        self.packed = start == GZIP
        self.most = max(PACKED_SIZE, PACKED_TIMES * path.stat().st_size)
        self.encoding = "utf-16" if start in UTF_16 else "latin-1"
        head = head_of(path)
        self.newline = "\r" if b"\r" in head and b"\n" not in head else "\n"
        if other := _archive(head):
            raise FormatError(f"{path.name} is {other}: unpack it, then replay the log in it")
        if self.encoding == "latin-1" and b"\0" in head:
            raise FormatError(f"{path.name} is a binary file, not a log; {RECORD_WITH}")

    def __call__(self) -> Iterator[str]:
        lines = self._lines()
        return self._checked(lines) if self.packed or self.newline != "\n" else lines

    def _lines(self) -> Iterator[str]:
        opened = gzip.open if self.packed else open
        try:
            with opened(self.path, "rt", encoding=self.encoding, newline=self.newline) as file:
                number = 0
                while text := file.read(_PART):
                    # Whole lines: only the last of them can be longer than the part.
                    part = list(StringIO(text + file.readline(MOST_LINE + 1), self.newline))
                    number += len(part)
                    if len(part[-1]) > MOST_LINE:
                        long = f"{self.path.name} has a line of more than {MOST_LINE:,} characters"
                        raise FormatError(f"{long}: it is no log; {RECORD_WITH}", number)
                    yield from part
        except _NOT_WHOLE as error:
            raise FormatError(f"{self.path.name} is no whole gzip file: {error}") from None
        except UnicodeDecodeError as error:
            raise FormatError(f"{self.path.name} is a binary file: {error}") from None

    def _checked(self, lines: Iterator[str]) -> Iterator[str]:
        """Yield lines with line feeds; raises FormatError if a small file unpacks to very many."""
        done = 0
        for number, line in enumerate(lines, 1):
            done += len(line)
            if self.packed and done > self.most:
                much = f"{self.path.name} unpacks to more than {PACKED_TIMES} times its size"
                raise FormatError(f"{much}: it is no log; {RECORD_WITH}", number)
            yield line if self.newline == "\n" else line.replace("\r", "\n")


def _with_line_feeds(lines: list[str]) -> list[str]:
    """Return the lines with the line feeds that a caller may have taken off."""
    if not lines or lines[0].endswith("\n"):
        return lines
    return [line + "\n" for line in lines]


# -- the files of -ff -----------------------------------------------------------------------------


def _in_order(parts: dict[int, Path]) -> Iterator[str]:
    """Yield the lines of all files, each with its pid: by their times, or if there are none, each
    process right after its birth, as if its parent waited for it."""
    logs = {pid: [f"{pid} {text}" for text in _FileLines(path)()] for pid, path in parts.items()}
    if all(_time(text) is not None for log in logs.values() for text in log[:1]):
        for _, text in merge(*map(_timed, logs.values()), key=lambda pair: pair[0]):
            yield text
        return
    children = {pid: [child for _, child in _births(log)] for pid, log in logs.items()}
    born = {child for found in children.values() for child in found}
    for pid in sorted(logs):
        if pid not in born:
            yield from _with_children(pid, logs, set())


def _with_children(pid: int, logs: dict[int, list[str]], seen: set[int]) -> Iterator[str]:
    """Yield the lines of a process; those of a child follow the line of its birth, and so on, in
    families of any depth."""
    seen.add(pid)
    births = {pid: dict(_births(logs[pid]))}
    below = [(pid, enumerate(logs[pid]))]
    while below:
        pid, lines = below[-1]
        for number, text in lines:
            yield text
            child = births[pid].get(number, 0)
            if child in logs and child not in seen:
                seen.add(child)
                births[child] = dict(_births(logs[child]))
                below.append((child, enumerate(logs[child])))
                break
        else:
            below.pop()


def _births(log: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the place of each line that tells a birth, and the child."""
    for number, text in enumerate(log):
        line = read_line(text.rstrip()) if "clone" in text or "fork" in text else None
        parts = split_result(line.start) if line and line.start and line.name in FORKS else None
        if parts and (child := calls.child_pid(parts[1])):
            yield number, child


def _time(text: str) -> float | None:
    """Return the time of a line with a pid, None if it has none."""
    match = _TIME.match(text.partition(" ")[2])
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds)


def _timed(log: list[str]) -> Iterator[tuple[float, str]]:
    """Yield the lines with their times; a line without one has that of the line before."""
    last = 0.0
    for text in log:
        time = _time(text)
        last = last if time is None else time
        yield last, text
