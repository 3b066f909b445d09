"""Replay a file, be it a history or the log of a real program, and say what happened in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from anonlab.errors import FormatError
from anonlab.formats.history import History, Op
from anonlab.formats.history_text import parse
from anonlab.formats.trace import parse_json
from anonlab.histories.run import Outcome, apply, make_kernel
from anonlab.histories.strace.log import read_strace
from anonlab.kernel import Kernel
from anonlab.machine.words import PG_ANON
from anonlab.proof.incremental import IncrementalCheck
from anonlab.proof.invariants import Walks

Progress = Callable[[int, int], None]
WORK, READING = 1000, 100
"""Parts of the work, for progress: all of it, and what reading a log takes of it."""
MOST_CHECKS = 1000
MOST_WALKS = 200
"""A long log is checked so many times, evenly spread, with so many walks each: linear time."""
FULL_EVERY = 100
"""Of so many checks one looks at everything, the others at what can have changed."""

_STRACE_LINE = re.compile(
    r"\s*(\d+\s+)?(\d[\d:.]*\s+)?([a-z_0-9]+\(|\+\+\+ |--- |<\.\.\. |\[ Process PID=)"
)


class Point(NamedTuple):
    """The machine after one operation: `groups` and `mms` that live, `shared` anonymous pages that
    more than one address space maps."""

    operation: int
    groups: int
    mms: int
    shared: int


@dataclass
class Replay:
    """What a replay showed.

    lines       of the file · skipped  lines of a log that became no operation, by reason
    operations  that the lines became, page faults among them; touches of the rule come on top
    failed      operations that ended with an error, by errno
    points      one per operation, empty unless asked for
    violations  broken invariants, as sentences
    """

    history: History
    design: str
    lines: int
    operations: int
    skipped: dict[str, int]
    processes: int = 0
    execs: int = 0
    forks: int = 0
    groups_created: int = 0
    groups_dropped: int = 0
    peak_shared_pages: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    points: list[Point] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return what `anonlab replay --json` prints."""
        return {
            "lines": self.lines,
            "operations": self.operations,
            "skipped": self.skipped,
            "processes": self.processes,
            "execs": self.execs,
            "forks": self.forks,
            "groups_created": self.groups_created,
            "groups_dropped": self.groups_dropped,
            "peak_shared_pages": self.peak_shared_pages,
            "violations": len(self.violations),
        }


def replay(
    path: str | Path,
    design: str = "anongroup",
    progress: Progress | None = None,
    timeline: bool = False,
) -> Replay:
    """Run the history text, history JSON or strace log at `path` under `design`.

    progress  called with (work done, work in all), parts of 1000: first the file is read, then run
    timeline  keep a Point per operation
    raises    FormatError if the file is none of the three, OSError if it cannot be read,
              ValueError for an unknown design
    """
    report = read(Path(path), design, progress and _share(progress, 0, READING))
    running = progress and _share(progress, READING, WORK - READING)
    history = report.history
    kernel = make_kernel(history, design)
    every = max(1, len(history.ops) // MOST_CHECKS)
    checks = IncrementalCheck(kernel, MOST_WALKS, FULL_EVERY)
    for number, op in enumerate(history.ops):
        outcome = apply(kernel, op)
        _count(report, kernel, op, outcome)
        if timeline:
            report.points.append(_point(kernel, number))
        last = number + 1 == len(history.ops)
        if number % every == 0 or last:
            _check(report, checks.check_everything if last else checks.check, number)
            if running is not None:
                running(number + 1, len(history.ops))
        if report.violations:
            break
    report.groups_created = kernel.design.owners_made
    report.groups_dropped = kernel.design.owners_freed
    return report


def _share(progress: Progress, start: int, parts: int) -> Progress:
    """Return what tells `progress` of a task that is `parts` of the whole work, after `start`."""
    return lambda done, of: progress(start + parts * done // max(of, 1), WORK)


def read(path: Path, design: str = "anongroup", progress: Progress | None = None) -> Replay:
    """Return the report of `path` before anything has run: its history and its lines."""
    with path.open("rb") as file:
        head = file.read(8192)
    text = head.decode("utf-8", "replace")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or b"\0" in head or any(_STRACE_LINE.match(line) for line in lines[:20]):
        log = read_strace(path, progress)
        operations = log.operations + len(log.touches) * log.recorded
        return Replay(log.history, design, log.lines, operations, log.skipped)
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path.name} is neither a history nor an strace log: {error}") from None
    if text.lstrip().startswith("{"):
        history = History.from_json(parse_json(text))
    else:
        history = parse(text, path.stem)
    nlines = text.count("\n") + (not text.endswith("\n"))
    return Replay(history, design, nlines, len(history.ops), {})


def shared_pages(kernel: Kernel) -> int:
    """Return how many anonymous pages are mapped by more than one address space."""
    mem = kernel.mem_map
    return int(np.count_nonzero((mem.mapcount > 1) & ((mem.flags & PG_ANON) != 0)))


def _point(kernel: Kernel, number: int) -> Point:
    groups = kernel.design.owners_made - kernel.design.owners_freed
    return Point(number, groups, len(kernel.mms), shared_pages(kernel))


def _count(report: Replay, kernel: Kernel, op: Op, outcome: Outcome) -> None:
    if outcome.error:
        words = outcome.error.split(": ")
        report.failed[words[1] if len(words) > 1 else words[0]] += 1
        return
    if op.verb in ("spawn", "fork", "vfork", "clone_vm"):
        report.processes += 1
        report.forks += op.verb != "spawn"
    report.execs += op.verb == "execve"
    if op.verb == "fork":  # nothing else makes more pages shared, but for swap-in
        report.peak_shared_pages = max(report.peak_shared_pages, shared_pages(kernel))


def _check(report: Replay, check: Callable[[], Walks], number: int) -> None:
    try:
        check()
    except AssertionError as error:
        first = str(error).splitlines()[0]
        report.violations.append(f"after operation {number + 1}: {first}")
