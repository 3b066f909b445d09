"""A strace log becomes a history: what a real program asked of the kernel, call by call.

Record with `strace -f -e trace=memory,process -o FILE COMMAND`; with `-y` files have their names.

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

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from anonlab.errors import FormatError
from anonlab.formats.history import History, Machine, Op
from anonlab.histories.strace import calls
from anonlab.histories.strace.mappings import HANDLERS, LogImporter
from anonlab.histories.strace.tasks import FORKS, LogBirth, LogMoment

Progress = Callable[[int, int], None]
HALF = "first half of a call, joined with the second"
ALONE = "first half of a call that never returned"
CUT = "line cut off"
_FAULT = " page_fault(0x"
"""Nobody's call: what `anonlab record` writes for a page fault."""
_EVERY = 4096
"""Lines between two reports of progress."""
_FRAMES_MAX = 1 << 22
"""Frames of an imported history's machine, at most: 16 GiB."""
_HEAD = 8192
"""Bytes at the beginning of a file that show whether it is text."""


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
    setup       operations that no line gave: the files, and processes that were there at the start
    moments     execs, births and exits, in order
    """

    history: History
    lines: int
    used: int
    skipped: dict[str, int]
    operations: int
    touches: tuple[int, ...]
    setup: int
    moments: tuple[LogMoment, ...]
    recorded: bool = False


def read_strace(
    path_or_lines: str | Path | Iterable[str], progress: Progress | None = None
) -> ImportedLog:
    """Return the history of a strace log.

    path_or_lines  the file, or its lines
    progress       called with (bytes done, bytes in all) now and then, and at the end
    raises         FormatError if the log is empty, binary, or no strace log, or was recorded on a
                   machine of another kind; OSError if the file cannot be read
    """
    if isinstance(path_or_lines, str | Path):
        source: Callable[[], Iterator[str]] = _FileLines(Path(path_or_lines))
        total = Path(path_or_lines).stat().st_size
    else:
        lines = _with_line_feeds(list(path_or_lines))
        source, total = lambda: iter(lines), sum(map(len, lines))
    recorded = any(_FAULT in text for text in source())
    reader = _Reader(_births(source()), recorded)
    done = 0
    for text in source():
        done += len(text)
        reader.read(text)
        if progress and not reader.lines % _EVERY:
            progress(done, total)
    if progress:
        progress(total, total)
    return reader.finish()


class _FileLines:
    """The lines of a file, one character per byte, as often as they are asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            if b"\0" in file.read(_HEAD):
                raise FormatError(f"{path.name} is a binary file, not a log; {calls.RECORD_WITH}")

    def __call__(self) -> Iterator[str]:
        with self.path.open(encoding="latin-1", newline="\n") as file:
            yield from file


def _with_line_feeds(lines: list[str]) -> list[str]:
    """Return the lines with the line feeds that a caller may have taken off."""
    if not lines or lines[0].endswith("\n"):
        return lines
    return [line + "\n" for line in lines]


def _births(lines: Iterator[str]) -> dict[int, deque[LogBirth]]:
    """Find every call that made a process, by the child's pid.

    A child's first line often stands before the line on which its parent's call returns, so births
    are looked up before anything is imported.
    """
    births: dict[int, deque[LogBirth]] = defaultdict(deque)
    begun: dict[int, tuple[int, str]] = {}
    for number, text in enumerate(lines, 1):
        if "clone" not in text and "fork" not in text:
            continue
        line = calls.read_line(text.rstrip())
        if line is None or line.name not in FORKS:
            continue
        start, before = begun.pop(line.pid, (number, "")) if line.end is not None else (number, "")
        whole = before + (line.end if line.end is not None else line.start or "")
        if whole.endswith(calls.UNFINISHED):
            begun[line.pid] = (number, whole.removesuffix(calls.UNFINISHED))
            continue
        parts = calls.split_result(whole)
        child = calls.child_pid(parts[1]) if parts else 0
        if parts and child:
            birth = LogBirth(start, number, line.pid, *calls.fork_kind(line.name, parts[0]))
            births[child].append(birth)
    return births


class _Reader:
    """Reads a log line by line and keeps account of every line."""

    def __init__(self, births: dict[int, deque[LogBirth]], recorded: bool = False) -> None:
        self.importer = LogImporter(births, recorded)
        self.lines = 0
        self.used = 0
        self.understood = 0
        self.skipped: Counter[str] = Counter()
        self.begun: dict[int, tuple[str, str]] = {}

    def read(self, text: str) -> None:
        """Take one line into account: as operations, or under the reason why not."""
        self.lines += 1
        self.importer.line = self.lines
        if reason := self.line(text):
            self.skipped[reason] += 1
        else:
            self.used += 1

    def line(self, text: str) -> str:
        """Return "" if the line became operations, else the reason why not."""
        whole = text.endswith("\n")
        text = text.rstrip()
        if not text:
            return "blank line"
        if not whole and not calls.is_whole(text):
            return CUT
        line = calls.read_line(text)
        if line is None:
            return "binary line" if "\0" in text else "line not understood"
        self.understood += 1
        if line.note is not None:
            return self.note(line.pid, line.note)
        if line.start is not None:
            return self.call(line.pid, line.name, line.start)
        name, before = self.begun.pop(line.pid, ("", ""))
        if name != line.name:
            return "second half of a call without the first"
        self.skipped[ALONE] -= 1
        self.skipped[HALF] += 1
        return self.call(line.pid, name, before + (line.end or ""))

    def call(self, pid: int, name: str, text: str) -> str:
        """A call, or all of it that is there so far."""
        if text.endswith(calls.UNFINISHED):
            self.begun[pid] = (name, text.removesuffix(calls.UNFINISHED).rstrip(" "))
            self.importer.task(pid)
            return ALONE
        parts = calls.split_result(text)
        if parts is None:
            return "call without a result"
        return self.returned(pid, name, *parts)

    def returned(self, pid: int, name: str, args: str, result: str) -> str:
        """A call with its result."""
        importer = self.importer
        task = importer.task(pid)
        if task is None:
            return "call of a process that is gone"
        if name == "exit":
            return importer.exit(task)
        if name == "exit_group":
            return importer.exit_group(task)
        if result.startswith("?"):
            return "call that never returned"
        if result.startswith("-1 "):
            return f"failed: {name} {result.split()[1][:20]}"
        if name in FORKS:
            return importer.forked(pid, result)
        handler = HANDLERS.get(name)
        return f"call {name}" if handler is None else handler(importer, task, args, result)

    def note(self, pid: int, note: str) -> str:
        """A line that is no call: the end of a process, a signal, a word of strace itself."""
        if note.startswith("---"):
            return "signal"
        if not note.startswith("+++"):
            return "word of strace itself"
        if note.startswith("+++ superseded by execve in pid "):
            return self.superseded(pid, note)
        gone = pid in self.importer.gone and pid not in self.importer.tasks
        self.begun.pop(pid, None)
        task = None if gone else self.importer.task(pid)
        return "end of a process that had exited" if task is None else self.importer.exit(task)

    def superseded(self, pid: int, note: str) -> str:
        """A thread's execve goes on under the pid of the leader."""
        by = calls.child_pid(note.rpartition(" in pid ")[2])
        if by in self.begun:
            self.begun[pid] = self.begun.pop(by)
        return self.importer.superseded(pid, by)

    # -- the end --------------------------------------------------------------------------------

    def finish(self) -> ImportedLog:
        """Return the history and the account; raises FormatError if there is nothing in it."""
        importer = self.importer
        if self.skipped["blank line"] == self.lines:
            raise FormatError(f"empty log; {calls.RECORD_WITH}")
        if not self.understood:
            raise FormatError(f"none of the {self.lines} lines is of strace; {calls.RECORD_WITH}")
        if not self.used:
            raise FormatError(
                f"none of the {self.lines} lines is a call that changes memory or processes; "
                f"{calls.RECORD_WITH}"
            )
        files = [Op("file", name, {"pages": pages}) for name, pages in importer.files.items()]
        setup = len(files) + importer.spawned
        ops = (*files, *importer.ops)
        touches = tuple(place + len(files) for place in importer.touches)
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
            importer.recorded,
        )


def _frames(importer: LogImporter) -> int:
    """Return how many frames the processes need at most, but for pages that mmap reads."""
    if not importer.recorded:
        return min(importer.peak, importer.written)
    programs = sum(moment.kind == "execve" for moment in importer.moments)
    return 2 * importer.faults + 2 * programs + importer.written
