"""The log of a program with its page faults merged in, each where it happened between two calls.

A fault is a line like a call: `PID TIME page_fault(ADDR, KIND) = 0`, KIND read, write or touch. A
touch is a read or a write: the event does not say. If the page faults again before a call changes
what is mapped there, the first was a read, which left the page write-protected.

What execve maps without a call, the program, its interpreter and its stack, stands behind it as
lines of mmap and of `stack(ADDR, LENGTH)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from anonlab.linux.page_faults import FaultEvent, MappingEvent
from anonlab.machine.words import PAGE_SHIFT

_LINE = re.compile(r"(\d+)\s+(\d+)\.(\d{9}) (.*)")
_EXEC = re.compile(r"execve(at)?\(")
_EXEC_DONE = re.compile(r"(execve(at)?\(|<\.\.\. execve(at)? resumed>).* = 0$")
_CHANGES = re.compile(r"(<\.\.\. )?(clone3?|v?fork|munmap|mremap|madvise|mmap|execve)\b")
_PROT = ((1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC"))
MAP_SHARED = 1
ANONYMOUS = ("//anon", "[heap]")
NS = 1_000_000_000


def merge_page_faults(
    lines: Iterable[str], events: Iterable[FaultEvent | MappingEvent]
) -> list[str]:
    """Return the lines of a log of `strace -f --absolute-timestamps=unix,ns` with `events` in it,
    those of the log's own processes."""
    lines = list(lines)
    merger = _Merger({pid for pid, _, _ in map(_parts, lines) if pid})
    waiting = iter(sorted(events))
    event = next(waiting, None)
    for number, line in enumerate(lines):
        pid, time_ns, text = _parts(line)
        while event is not None and event.time_ns < time_ns:
            if number:  # before that, it is strace itself
                merger.take(event)
            event = next(waiting, None)
        merger.line(pid, text, line)
    return merger.lines


def _parts(line: str) -> tuple[int, int, str]:
    """Return pid, time in ns and text of a line; zeros if it has none."""
    match = _LINE.match(line)
    if match is None:
        return 0, 0, line
    pid, seconds, ns, text = match.groups()
    return int(pid), int(seconds) * NS + int(ns), text


class _Merger:
    """The lines so far. Of threads: `pids`, all that the log has; `begun`, those whose execve has
    not returned, with the events that belong behind it; `fresh`, those that have just become a
    program. `last` is where each page faulted last: number of the line, of which fault."""

    def __init__(self, pids: set[int]) -> None:
        self.lines: list[str] = []
        self.pids = pids
        self.begun: dict[int, list[FaultEvent | MappingEvent]] = {}
        self.fresh: set[int] = set()
        self.last: dict[int, dict[int, tuple[int, FaultEvent]]] = {}
        self.groups: dict[int, int] = {}

    def line(self, pid: int, text: str, line: str) -> None:
        """Add a line of strace."""
        self.lines.append(line)
        self.fresh.discard(pid)
        if _CHANGES.match(text):
            self.last.pop(self.groups.get(pid, pid), None)
        if _EXEC_DONE.match(text):
            self.fresh.add(pid)
        elif _EXEC.match(text):
            self.begun[pid] = []
            return
        for event in self.begun.pop(pid, []):
            self.take(event)

    def take(self, event: FaultEvent | MappingEvent) -> None:
        """Add an event."""
        if event.tid not in self.pids:
            return
        if event.tid in self.begun:
            self.begun[event.tid].append(event)
        elif isinstance(event, FaultEvent):
            self.fault(event)
        elif event.tid in self.fresh:
            self.lines += _mapping(event)

    def fault(self, event: FaultEvent) -> None:
        """Add a fault; an earlier one of the same page was a read."""
        self.groups[event.tid] = event.pid
        pages = self.last.setdefault(event.pid, {})
        page = event.addr >> PAGE_SHIFT
        number, before = pages.get(page, (0, event._replace(kind="")))
        if before.kind == "touch":
            self.lines[number] = _fault(before._replace(kind="read"))
        pages[page] = (len(self.lines), event)
        self.lines.append(_fault(event))


def _fault(event: FaultEvent) -> str:
    return f"{_head(event)} page_fault({event.addr:#x}, {event.kind}) = 0"


def _mapping(event: MappingEvent) -> Iterator[str]:
    """Yield the line of a mapping, none for what is the kernel's own (vdso)."""
    if event.name == "[stack]":
        yield f"{_head(event)} stack({event.addr:#x}, {event.length}) = 0"
    elif event.name in ANONYMOUS or event.name.startswith("/"):
        prot = "|".join(word for bit, word in _PROT if event.prot & bit) or "PROT_NONE"
        anonymous = event.name in ANONYMOUS
        kind = "MAP_SHARED" if event.flags & MAP_SHARED else "MAP_PRIVATE"
        flags = f"{kind}|MAP_FIXED" + ("|MAP_ANONYMOUS" if anonymous else "")
        file = "-1, 0" if anonymous else f"3<{event.name}>, {event.offset:#x}"
        where = f"{event.addr:#x}, {event.length}, {prot}, {flags}, {file}"
        yield f"{_head(event)} mmap({where}) = {event.addr:#x}"


def _head(event: FaultEvent | MappingEvent) -> str:
    return f"{event.tid} {event.time_ns // NS}.{event.time_ns % NS:09d}"
