"""A strace log becomes a history: what a real program asked of the kernel, call by call.

Record with `strace -f -e trace=memory,process -o FILE COMMAND`; with `-y` files have their names.
`docs/LOGS.md` says which other forms of logs are read.

**Every line is accounted for**: it became at least one operation, or it is counted in `skipped`
under the reason. `lines == used + sum(skipped.values())`.

**Touches.** `anonlab record` writes the page faults of the programs into the log where the kernel
tells them; then the history touches what they touched. A fault that may be a read or a write counts
as a write where that is allowed.

**The touch rule.** Any other log shows what a program asks for, not which pages it touches. So the
history touches, and says which of its operations are such touches:

* execve writes two stack pages (the operation itself does: arguments and first frames);
* a new writable anonymous mapping, private or shared, and the pages that brk or mremap add: up to
  8 pages are written, the lowest first, of a stack the highest: programs use at once what they get;
* a new private writable file mapping: one page is written (relocations by the dynamic linker);
* any other new file mapping that is readable: one page is read (its header or first code);
* mprotect that makes private pages writable: one page is written (that is why a program asks);
* fork: the child, then the parent, writes its top stack page (both return from fork).

What a call itself brings into memory (MAP_POPULATE, locks) follows from no rule. How many pages are
shared does, so `shared` has bounds that hold whatever the programs touched.

**Files.** With -y a file is known by its path and named by the last part of it. Else a mapping of
offset 0 that is not MAP_FIXED begins a file, known by the length of that mapping: processes that
load the same library share it. Later mappings of that descriptor belong to it.

**Addresses** are those of the log, except that the stack lies at the top of the address space and
the heap where this kernel puts it. Where programs have addresses from 2**47 on (arm64), bit 47 is
taken off.

**Left out**: the image of a program, which the kernel maps in execve without a call, unless
`anonlab record` has seen it; so an mprotect, munmap, madvise or mlock of pages that no line mapped
is counted as "mapping not in the log".
"""

from __future__ import annotations

import re
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from anonlab.errors import FormatError
from anonlab.formats.history import History, Machine, Op
from anonlab.histories.strace import calls
from anonlab.histories.strace.foreign import first_lines, looks_like, wrote_calls
from anonlab.histories.strace.memory import HANDLERS, LogMemory
from anonlab.histories.strace.opening import RECORD_WITH, blocks, log_lines
from anonlab.histories.strace.reader import (
    ALONE,
    FORKS,
    LogEvent,
    LogReader,
    all_numbered,
    first_process,
)
from anonlab.histories.strace.tasks import LogBirth, LogMoment
from anonlab.machine.words import PAGE_MASK

Progress = Callable[[int, int], None]
_MMAP2 = re.compile(r"mmap2\(.*, (0x[0-9a-f]{1,16}|\d{1,20})\)\s+= ")
_FAULT = " page_fault(0x"
"""Nobody's call: what `anonlab record` writes for a page fault."""
_THREADS = re.compile(r"Process (\d{1,7}) attached with (\d{1,7}) threads")
"""What strace -f -p says of a process that was there before."""
_INJECTED = re.compile(r"\(INJECTED(?:: args, retval)?\)")
"""What strace -e inject=…:retval= writes behind a result: the kernel has not done the call."""
PROGRAMS = ("execve", "execveat")
GONE = "call of a process that is gone"
_EVERY = 4096
"""Lines between two reports of progress."""
_FEW = 64
"""Lines that are passed over as one if none of them tells a birth."""
_FRAMES_MAX = 1 << 22
"""Frames of an imported history's machine, at most: 16 GiB."""


class ImportedLog(NamedTuple):
    """What a log became.

    history     on the x86_64 machine, frames sized to fit
    lines       of the log
    used        lines that became operations
    skipped     the other lines, by reason, most frequent first
    operations  that lines of the log became; `len(history.ops)` is these, the touches and `setup`
    touches     places in `history.ops` of the operations that the touch rule added, or page faults
                of the log, ascending
    recorded    True if they are page faults of the log
    shared      of pages that forks shared, the most at a time: at least and at most so many,
                whatever the programs touched; of the memory that the log maps
    effects     calls with an effect of their own: (calls, pages), by name
    setup       operations that no line gave: the files, and processes that were there at the start
    moments     execs, births and exits, in order
    """

    history: History
    lines: int
    used: int
    skipped: dict[str, int]
    operations: int
    touches: Sequence[int]
    setup: int
    moments: tuple[LogMoment, ...]
    recorded: bool = False
    shared: tuple[int, int] = (0, 0)
    effects: Mapping[str, tuple[int, int]] = MappingProxyType({})


def read_strace(
    path_or_lines: str | Path | Iterable[str], progress: Progress | None = None
) -> ImportedLog:
    """Return the history of a strace log.

    path_or_lines  the file, or its lines
    progress       called with (bytes done, bytes in all) now and then, and at the end
    raises         FormatError if the log is empty, binary, or no strace log, or was recorded on a
                   machine of another kind; OSError if the file cannot be read
    """
    source, total = log_lines(path_or_lines)
    first, traits = first_process(source()), _traits(source())
    births = _births(source(), first, traits.numbered)
    reader = _Reader(births, traits.recorded, first)
    reader.importer.offsets_in_pages = traits.offsets_in_pages
    done = 0
    for block in blocks(source(), _EVERY):
        for text in block:
            done += len(text)
            reader.read(text)
        if progress:
            progress(min(done, total), total)
    if progress:
        progress(total, total)
    return reader.finish(source())


class _Traits(NamedTuple):
    """What must be known of a log before its first line is read.

    recorded          it has page faults
    numbered          each line seems to begin with the number of its process
    offsets_in_pages  it gives the offsets of mmap2 in pages
    """

    recorded: bool
    numbered: bool
    offsets_in_pages: bool


def _traits(log: Iterable[str]) -> _Traits:
    """Look at a log, many lines at a time."""
    recorded, numbered, in_pages = False, True, False
    for block in blocks(log, _EVERY):
        text = "".join(block)
        recorded = recorded or _FAULT in text
        numbered = numbered and all_numbered(block)
        in_pages = in_pages or ("mmap2(" in text and any(map(_in_pages, block)))
    return _Traits(recorded, numbered, in_pages)


def _in_pages(text: str) -> bool:
    """True if a line has an offset of mmap2 that would not be whole pages."""
    match = _MMAP2.match(text, text.find("mmap2(")) if "mmap2(" in text else None
    return match is not None and bool((calls.integer(match[1]) or 0) & PAGE_MASK)


def _births(log: Iterable[str], first: int, numbered: bool) -> dict[int, deque[LogBirth]]:
    """Find every call that made a process, by the child's pid.

    A child's first line often stands before the line on which its parent's call returns, so births
    are looked up before anything is imported.
    """
    births: dict[int, deque[LogBirth]] = defaultdict(deque)
    reader = LogReader(first)
    for event in reader.births_of(blocks(log, _FEW), numbered):
        if child := calls.child_pid(event.result):
            kind = calls.fork_kind(event.name, event.args)
            births[child].append(LogBirth(event.start, reader.number, event.pid, *kind))
    return births


class _Reader:
    """Takes the lines of a log one by one and keeps account of every line."""

    def __init__(
        self, births: dict[int, deque[LogBirth]], recorded: bool = False, first: int = 0
    ) -> None:
        self.importer = LogMemory(births, recorded)
        self.reader = LogReader(first)
        self.lines = 0
        self.used = 0
        self.understood = False
        self.skipped: Counter[str] = Counter()

    def read(self, text: str) -> None:
        """Take one line into account: as operations, or under the reason why not."""
        self.lines += 1
        importer = self.importer
        importer.line = self.lines
        call = self.reader.usual(text)
        if call is None:
            reason = self.other(text)
        else:
            pid, name, args, result = call
            self.understood = True
            task = importer.task(pid)
            reason = GONE if task is None else HANDLERS[name](importer, task, args, result)
        if reason:
            self.skipped[reason] += 1
        else:
            self.used += 1

    def other(self, text: str) -> str:
        """A line that is no usual call; returns as `event`."""
        event = self.reader.take(text)
        for wrong, right in event.before:
            self.skipped[wrong] -= 1
            self.skipped[right] += 1
        return self.event(event)

    def event(self, event: LogEvent) -> str:
        """Return "" if the line became operations, else the reason why not."""
        self.understood = self.understood or bool(event.name or event.note)
        if event.note:
            return self.note(event.pid, event.note)
        if event.reason:
            if event.reason == ALONE:
                self.importer.task(event.pid)
            return event.reason
        return self.returned(event.pid, event.name, event.args, event.result)

    def returned(self, pid: int, name: str, args: str, result: str) -> str:
        """A call with its result."""
        importer = self.importer
        task = importer.task(pid)
        if task is None and name in PROGRAMS and result.startswith("0"):
            task = importer.spawn(pid)  # a second log in the same file
        if task is None:
            return GONE
        if name == "exit":
            return importer.exit(task)
        if name in ("exit_group", "_exit"):
            return importer.exit_group(task)
        if result.startswith("?"):
            return "call that never returned"
        if result.startswith("-"):
            return f"failed: {name} {''.join(result.split()[1:2])[:20]}".rstrip()
        if "(INJ" in result and _INJECTED.search(result):
            return "result that strace injected"
        if name in FORKS:
            return importer.forked(pid, result)
        handler = HANDLERS.get(name)
        return f"call {name}" if handler is None else handler(importer, task, args, result)

    def note(self, pid: int, note: str) -> str:
        """A line that is no call: the end of a process, a signal, a word of strace itself."""
        if note.startswith("---"):
            return "signal"
        if not note.startswith("+++"):
            if found := _THREADS.search(note):
                self.importer.attached[int(found[1])] = int(found[2]) - 1
            return "word of strace itself"
        if note.startswith("+++ superseded by execve in pid "):
            return self.importer.superseded(pid, calls.child_pid(note.rpartition(" in pid ")[2]))
        gone = pid in self.importer.gone and pid not in self.importer.tasks
        task = None if gone else self.importer.task(pid)
        return "end of a process that had exited" if task is None else self.importer.exit(task)

    # -- the end --------------------------------------------------------------------------------

    def finish(self, log: Iterable[str]) -> ImportedLog:
        """Return the history and the account; raises FormatError if nothing in `log` says what a
        program did to its memory or that processes came to be."""
        importer = self.importer
        if self.skipped["blank line"] == self.lines:
            raise FormatError(f"empty log; {RECORD_WITH}")
        nothing = all(op.verb in ("spawn", "exit") for op in importer.ops)
        head = first_lines(log)
        if other := wrote_calls(head) or (looks_like(head) if nothing else ""):
            raise FormatError(f"this looks like {other}, not like strace; {RECORD_WITH}")
        if nothing:
            if not self.understood:
                raise FormatError(f"none of the {self.lines} lines is of strace; {RECORD_WITH}")
            why = ", ".join(f"{reason}: {n}" for reason, n in self.skipped.most_common(2))
            raise FormatError(
                f"none of the {self.lines} lines is a call that changes memory or processes that "
                f"the log has ({why}); {RECORD_WITH}"
            )
        files = [Op("file", name, {"pages": pages}) for name, pages in importer.files.items()]
        setup = len(files) + importer.spawned
        ops = importer.ops.after(files)
        touches = array("q", (place + len(files) for place in importer.touches))
        moments = tuple(
            moment._replace(operation=moment.operation + len(files)) for moment in importer.moments
        )
        frames = _frames(importer) + len(importer.cached) + 128
        machine = Machine("x86_64", min(frames + -frames % 64, _FRAMES_MAX), 64)
        history = History(ops, machine, f"strace of {importer.program or 'a running program'}")
        operations = len(ops) - setup - len(touches)
        skipped = dict(sorted((+self.skipped).items(), key=lambda item: (-item[1], item[0])))
        return ImportedLog(
            *(history, self.lines, self.used, skipped, operations, touches, setup, moments),
            *(importer.recorded, (importer.least, importer.most), importer.effects),
        )


def _frames(importer: LogMemory) -> int:
    """Return how many frames the processes need at most, but for pages that mmap reads."""
    if not importer.recorded:
        return min(importer.peak, importer.written) + importer.filled
    programs = sum(moment.kind == "execve" for moment in importer.moments)
    return 2 * importer.faults + 2 * programs + importer.written + importer.filled
