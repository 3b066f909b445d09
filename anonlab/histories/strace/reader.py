"""The lines of a strace log become whole calls, each with the process that made it.

A call may be in two lines, because another process spoke in between (`<unfinished ...>`), because
strace's own message or the output of the program stands inside it, or because somebody broke the
line. On a terminal strace numbers its lines only while it follows more than one process: a line
without a number belongs to the one that is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from anonlab.histories.strace import calls, lines
from anonlab.histories.strace.layout import BROKEN_OFF
from anonlab.histories.strace.pasted import plain

FORKS = ("clone", "clone3", "fork", "vfork")
"""Calls that make a process."""
_ENDS = ("exit", "exit_group", "_exit")
HALF = "first half of a call, joined with the second"
ALONE = "first half of a call that never returned"
CUT = "line cut off"
JOINED = "part of a call, joined with the rest"
NO_RESULT = "call without a result"
NOT_UNDERSTOOD = "line not understood"
_BROKEN_OFF = BROKEN_OFF.rstrip()
_PARTS = 12
"""So many lines may one call be broken into."""


class LogEvent(NamedTuple):
    """What one line of the log said.

    pid, name  the process and its call
    start      line on which the call began
    args, result  of a call that is whole, else ''
    note       the end of a process, a signal, a word of strace itself, else ''
    reason     why the line is neither, else ''
    before     reasons of earlier lines that are now another, as pairs (not so, but so)
    """

    pid: int
    name: str = ""
    start: int = 0
    args: str = ""
    result: str = ""
    note: str = ""
    reason: str = ""
    before: tuple[tuple[str, str], ...] = ()


class LogReader:
    """Reads lines one by one. `first` is the process of the lines that stand before any number;
    `alive` are those that the log named and that have not ended; `above` is the process of a line
    that mail broke behind its number."""

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.number = 0
        self.alive: dict[int, None] = {}  # in the order in which they were named
        self.begun: dict[int, tuple[str, str, int]] = {}
        self.open: tuple[int, str, str, int] | None = None
        self.above = 0

    def usual(self, text: str) -> tuple[int, str, str, str] | None:
        """Take in the next line if it is a usual call; return process, name, arguments and result,
        None if nothing was taken in."""
        call = lines.usual_call(text)
        if call is None:
            return None
        self.number += 1
        self.open = None
        if call[0] in self.alive and not self.above:
            return call
        return self.owner(call[0]), *call[1:]

    def take(self, text: str) -> LogEvent:
        """Take in the next line."""
        self.number += 1
        whole = text.endswith("\n")
        text = text.rstrip()
        if not text:
            return LogEvent(0, reason="blank line")
        if not whole and not lines.is_whole(text):
            return LogEvent(0, reason=CUT)
        if text == _BROKEN_OFF:
            return LogEvent(0, reason=JOINED)
        line = lines.read_line(text)
        if line is None:
            return self.rest(text)
        if line.note is not None and lines.cut_by_message(line.note) == "":
            return self.message(line.note)
        self.open = None
        pid = self.owner(line.pid)
        if line.note is not None:
            return self.noted(pid, line.note)
        if line.start is not None:
            return self.call(pid, line.name, line.start, self.number, ())
        return self.resumed(pid, line.name, line.end or "")

    def births_of(self, log: Iterable[list[str]], all_numbered: bool) -> Iterator[LogEvent]:
        """Yield the calls that make a process; `self.number` is the line on which each returned.

        log           blocks of lines
        all_numbered  other lines need not be read: they do not tell whose a line is
        """
        for block in log:
            if all_numbered and self.open is None and not _may_fork("".join(block)):
                self.number += len(block)
                continue
            for text in block:
                if all_numbered and self.open is None and not _may_fork(text):
                    self.number += 1
                    continue
                event = self.take(text)
                if event.name in FORKS and event.result:
                    yield event

    def owner(self, number: int) -> int:
        """Return the process of a line that has this number, 0 if it has none."""
        pid, self.above = number or self.above, 0
        if pid:
            self.alive[pid] = None
            return pid
        if not self.alive:
            self.alive[self.first] = None
        return next(iter(self.alive))

    def message(self, note: str) -> LogEvent:
        """A word of strace itself, which may stand in the middle of a call."""
        if "detached" in note:
            self.alive.pop(lines.process_of(note), None)
        return LogEvent(0, note=note)

    def noted(self, pid: int, note: str) -> LogEvent:
        """A line that is no call."""
        if note.startswith("+++"):
            by = calls.child_pid(note.rpartition(" in pid ")[2]) if "superseded" in note else 0
            self.alive.pop(by or pid, None)
            if by in self.begun:
                self.begun[pid] = self.begun.pop(by)
            elif not by:
                self.begun.pop(pid, None)
        return LogEvent(pid, note=note)

    def call(
        self, pid: int, name: str, text: str, start: int, before: tuple[tuple[str, str], ...]
    ) -> LogEvent:
        """A call, or all of it that is there so far."""
        if text.endswith(lines.UNFINISHED):
            self.begun[pid] = (name, text.removesuffix(lines.UNFINISHED).rstrip(" "), start)
            return LogEvent(pid, name, start, reason=ALONE, before=before)
        parts = lines.split_result(text)
        if parts is None and name in _ENDS and text.endswith(")"):
            parts = text[:-1], "?"  # so the emulator QEMU writes it
        if parts is not None:
            if name in FORKS and (child := calls.child_pid(parts[1])):
                self.alive[child] = None
            return LogEvent(pid, name, start, *parts, before=before)
        cut = lines.cut_by_message(text)
        self.open = (pid, name, text if cut is None else cut, start)
        return LogEvent(pid, name, start, reason=NO_RESULT, before=before)

    def resumed(self, pid: int, name: str, end: str) -> LogEvent:
        """The second half of a call; of births it tells enough where the first is missing."""
        begun, text, start = self.begun.pop(pid, ("", "", 0))
        if begun == name:
            return self.call(pid, name, f"{text}{end}", start, ((ALONE, HALF),))
        if name in FORKS:
            return self.call(pid, name, end, self.number, ())
        return LogEvent(pid, name, reason="second half of a call without the first")

    def rest(self, text: str) -> LogEvent:
        """A line that does not begin as one: the rest of a call, or somebody else's."""
        text = plain(text)
        if lines.is_stack(text):
            return LogEvent(0, reason="stack of a call (-k)")
        if self.open is None and (number := lines.only_number(text)):
            self.above = number
            return LogEvent(0, reason=JOINED)
        if self.open is None:
            reason = "binary line" if "\0" in text else NOT_UNDERSTOOD
            return LogEvent(0, reason=reason)
        pid, name, so_far, start = self.open
        text = lines.join(so_far, text.lstrip("> "))
        whole = text.endswith(lines.UNFINISHED) or lines.split_result(text) is not None
        if whole:
            self.open = None
            return self.call(pid, name, text, start, ((NO_RESULT, JOINED),))
        if self.number - start < _PARTS:
            self.open = (pid, name, text, start)
        return LogEvent(0, reason=NOT_UNDERSTOOD)


def _may_fork(text: str) -> bool:
    """True if `text` may tell a birth."""
    return "clone" in text or "fork" in text


def all_numbered(log: Iterable[str]) -> bool:
    """True if each line seems to begin with the number of its process."""
    return all(text[:1].isdigit() or text.startswith("[pid ") for text in log)


def first_process(log: Iterable[str]) -> int:
    """Return the number of the process whose lines have none, 0 if the log does not tell.

    It is the first that is numbered without having been born in the log, if there are lines of
    calls without a number before; else the one that `strace -p` attached to.
    """
    born: set[int] = set()
    unnumbered = False
    attached = 0
    for text in log:
        if not unnumbered and "(" not in text and "attached" not in text:
            continue
        text = plain(text.rstrip())
        line = lines.read_line(text)
        if line is None:
            continue
        if line.pid == 0:
            unnumbered = unnumbered or line.start is not None
            if not unnumbered and not attached and line.note:  # strace -p
                attached = next(iter(_children(line, text)), 0)
                continue
        elif line.pid not in born:
            return line.pid if unnumbered else 0
        if "attached" in text or line.name in FORKS:
            born |= _children(line, text)
    return attached if unnumbered else 0


def _children(line: lines.LogLine, text: str) -> set[int]:
    """Return the processes that a line tells the birth of."""
    found = {calls.child_pid(text.rpartition(" = ")[2])} if line.name in FORKS else set()
    if "attached" in text:
        found.add(lines.process_of(text))
    return found - {0}
