"""How somebody laid out a log on the way here: lines that are numbered, that have the date and the
name of a machine in front, or that are broken at one width.

Each is seen in the first lines, and taken back. As many lines come out as went in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import itemgetter

from anonlab.histories.strace.foreign import first_lines, wrote_calls
from anonlab.histories.strace.lines import UNFINISHED, before_line, is_start, split_result
from anonlab.histories.strace.pasted import plain

Lines = Callable[[], Iterator[str]]
BROKEN_OFF = "\0 the line goes on below\n"
"""Stands for a part of a line whose other parts follow; the last part has all of it."""
_SEEN, _CHARACTERS = 1000, 1 << 20
"""So many lines, or characters, show how a log is laid out."""
_LONGEST = 200
"""Characters in front of a line, at most."""
_NUMBERED = re.compile(r"\s*(\d{1,7})(?:[ \t]+(\S+)|\s*\Z)")
_ADDRESS = re.compile(r"= (?:0x?)?[0-9a-f]*\s*\Z")
_REST = re.compile(r"x?[0-9a-f]+(?: <|\s*\Z)")
_DIGITS = re.compile(r"\d+")
_MONTH = re.compile(r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b")
_FEW, _MANY = 4, 10
"""Lines that count up from 1, and from elsewhere, and are the numbers of lines."""
_WIDTHS = range(40, 251)
"""Columns of terminals and mail at which lines are broken."""


def as_written(source: Lines) -> Lines:
    """Return what gives the lines of `source` without the numbers that somebody put in front, and
    joined where somebody broke them."""
    head = _head(source())
    if wrote_calls(first_lines(head)):
        return source  # and who it was is seen by what stands in front
    if _are_numbered(head):
        return lambda: (_without_number(text) for text in source())
    if pattern := _prefix(head):
        return lambda: (_without_prefix(text, pattern) for text in source())
    width = _width(head)
    return (lambda: _joined(source(), width)) if width else source


def _head(log: Iterable[str]) -> list[str]:
    """Return the first lines, few enough to look at."""
    head: list[str] = []
    length = 0
    for text in islice(log, _SEEN):
        head.append(text)
        length += len(text)
        if length > _CHARACTERS:
            break
    return head


def _are_numbered(head: list[str]) -> bool:
    """True if the lines count up; programs that start one after the other do so, too."""
    found = [_NUMBERED.match(text) for text in head if not text.isspace()]
    matches = [match for match in found if match]
    if not matches or len(matches) < len(found):
        return False
    first = int(matches[0][1])
    if any(int(match[1]) - first != place for place, match in enumerate(matches)):
        return False
    if all((match[2] or "").startswith(("execve(", "+++")) for match in matches):
        return False
    return len(matches) >= (_FEW if first == 1 else _MANY)


def _without_number(text: str) -> str:
    """Return a line without the number in front."""
    match = _NUMBERED.match(text)
    return text if match is None else text[max(match.start(2), match.end(1)) :]


def _prefix(head: list[str]) -> re.Pattern[str] | None:
    """Return what nearly all lines have in front, whatever its numbers; None if nothing."""
    found = [text for text in map(before_line, head) if text is not None]
    shapes = Counter(_DIGITS.sub("0", text) for text in found)
    shape, count = max(shapes.items(), key=itemgetter(1), default=("", 0))
    if not 0 < len(shape.strip()) <= _LONGEST or count < _FEW or count * 5 < len(found) * 4:
        return None
    pattern = re.escape(_MONTH.sub("Jan", shape)).replace("0", r"\d+").replace(r"\ ", " ")
    return re.compile(re.sub(" +", " +", pattern.replace("Jan", "[A-Z][a-z][a-z]")))


def _without_prefix(text: str, prefix: re.Pattern[str]) -> str:
    """Return a line without what stands in front of all, as it is if it has it not."""
    line = plain(text.rstrip("\r\n"))
    match = prefix.match(line)
    return line[match.end() if match else 0 :] + "\n" * text.endswith("\n")


def _width(head: list[str]) -> int:
    """Return at how many characters the lines were broken, 0 if they were not: none is longer, and
    those of that length have no result, or what is below does not begin as a line of strace."""
    lengths = [len(text.rstrip("\r\n")) for text in head]
    width = max(lengths, default=0)
    full = [place for place, length in enumerate(lengths[:-1]) if length == width]
    if width not in _WIDTHS:
        return 0
    whole = [place for place in full if is_start(head[place + 1])]
    odd = sum(not _has_end(head[place]) for place in whole)
    broken = sorted({*full} - {*whole})
    if odd * 10 > len(broken):
        return 0
    sure = any(_is_broken(head[place], head[place + 1]) for place in broken)
    return width if sure and len(broken) > 1 else 0


def _has_end(text: str) -> bool:
    """True if a line has a result, goes on in another, or is no call."""
    text = text.rstrip()
    return split_result(text) is not None or text.endswith((UNFINISHED, "+++", "---"))


def _is_broken(text: str, below: str) -> bool:
    """True if a line without a result, or an address in it, goes on in the line below."""
    return split_result(text) is None or bool(_ADDRESS.search(text) and _REST.match(below))


def _joined(log: Iterable[str], width: int) -> Iterator[str]:
    """Yield the lines, those of a line that was broken as one, behind a BROKEN_OFF for each of the
    others."""
    parts: list[str] = []
    for text in log:
        if parts and is_start(text):
            yield from _whole(parts)
            parts = []
        parts.append(text)
        if len(text.rstrip("\r\n")) != width or len(parts) > _MANY:
            yield from _whole(parts)
            parts = []
    yield from _whole(parts)


def _whole(parts: list[str]) -> Iterator[str]:
    """Yield the parts of a line as one."""
    if parts:
        yield from [BROKEN_OFF] * (len(parts) - 1)
        yield "".join(part.rstrip("\r\n") for part in parts[:-1]) + parts[-1]
