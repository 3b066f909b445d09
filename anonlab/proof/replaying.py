"""Replay a file, be it a history or the log of a real program, and say what happened in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from anonlab.errors import FormatError, SimulatedError
from anonlab.formats.history import History, Op
from anonlab.formats.history_text import parse
from anonlab.histories.run import make_kernel, perform
from anonlab.histories.runs import runs, touched_as_one
from anonlab.histories.strace.foreign import first_lines, looks_like
from anonlab.histories.strace.lines import read_line
from anonlab.histories.strace.log import read_strace
from anonlab.histories.strace.memory import EFFECTS
from anonlab.histories.strace.opening import PACKED, RECORD_WITH, head_of, parts_of
from anonlab.histories.strace.pasted import JSON_LOG, json_message
from anonlab.kernel import Kernel
from anonlab.machine.words import PG_ANON
from anonlab.proof.incremental import IncrementalCheck
from anonlab.proof.invariants import Walks

Progress = Callable[[int, int], None]
WORK, READING = 1000, 100
"""Parts of the work, for progress: all of it, and what reading a log takes of it."""
TURNS = frozenset(("spawn", "fork", "vfork", "clone_vm", "execve"))
"""Births, and what makes a process another one."""
LOSSES = ("munmap", "madvise")
_JSON = re.compile(r"\{\s*(?:[\"}]|\Z)")
"""So an object of JSON begins, and no other line: trackers of bugs put {code} around a log."""
MOST_CHECKS = 1000
MOST_WALKS = 200
"""A long log is checked so many times, evenly spread, with so many walks each: linear time."""
FULL_EVERY = 100
"""Of so many checks one looks at everything, the others at what can have changed."""

_LINES_SEEN = 400
"""So many lines show whether a file is a log; words of people may stand before the calls."""


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
    forks       births of processes with their own memory; vforks and threads share their parent's
    touches     "recorded" if the log has the page faults of the programs, "rule" if the stated rule
                touches, "history" if the file is one and says itself what is touched
    by_rule     operations that the rule added
    bounds      what peak_shared_pages is at least and at most whatever the programs touched, of the
                memory that the log maps; None if it does not follow from a rule
    effects     calls of a log with an effect of their own, by name: (calls, pages)
    failed      operations that ended with an error, by errno; `refused` tells verbs too: what the
                kernel of a log did and this machine did not
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
    vforks: int = 0
    threads: int = 0
    touches: str = "history"
    by_rule: int = 0
    bounds: tuple[int, int] | None = None
    effects: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
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
            "vforks": self.vforks,
            "threads": self.threads,
            "groups_created": self.groups_created,
            "groups_dropped": self.groups_dropped,
            "peak_shared_pages": self.peak_shared_pages,
            "violations": len(self.violations),
            "touches": self.touches,
            "refused": dict(sorted(self.refused.items())),
            "effects": {
                name: {"calls": ncalls, "pages": npages, "here": EFFECTS[name]}
                for name, (ncalls, npages) in self.effects.items()
            },
            **({"by_rule": self._by_rule(*self.bounds)} if self.bounds else {}),
        }

    def _by_rule(self, least: int, most: int) -> dict[str, Any]:
        """Return what follows from the touch rule, with the bounds that hold without it."""
        return {
            "operations": self.by_rule,
            "peak_shared_pages_at_least": least,
            "peak_shared_pages_at_most": most,
        }


def replay(
    path: str | Path,
    design: str = "anongroup",
    progress: Progress | None = None,
    timeline: bool = False,
    grouped: bool = True,
) -> Replay:
    """Run the history text, history JSON or strace log at `path` under `design`.

    progress  called with (work done, work in all), parts of 1000: first the file is read, then run
    timeline  keep a Point per operation
    grouped   touches that follow each other upwards are one range, as far as no check is due in
              between, and unless there is a timeline
    raises    FormatError if the file is none of the three, OSError if it cannot be read,
              ValueError for an unknown design
    """
    report = read(Path(path), design, progress and _share(progress, 0, READING))
    running = progress and _share(progress, READING, WORK - READING)
    kernel, nops = make_kernel(report.history, design), len(report.history.ops)
    every = max(1, nops // MOST_CHECKS)
    checks = IncrementalCheck(kernel, MOST_WALKS, FULL_EVERY)
    longest = every if grouped and not timeline else 1
    doing, due = _Doing(report, kernel), 0
    for place, ops in runs(report.history.ops, longest):
        doing.do(ops)
        if timeline:
            report.points.append(_point(kernel, place))
        end = place + len(ops)
        if end > due or end == nops:
            due = end + -end % every
            last = end == nops
            _check(report, checks.check_everything if last else checks.check, end - 1)
            if running is not None:
                running(end, nops)
            if report.violations:
                break
    doing.look()
    report.groups_created = kernel.design.owners_made
    report.groups_dropped = kernel.design.owners_freed
    return report


class _Doing:
    """Does operations and counts them. Nothing but fork makes more pages shared, but for swap-in:
    they are counted after it, when the child has lost what it was not to get (MADV_DONTFORK).

    forked  the line of a fork whose pages are not counted yet, None if there is none
    """

    def __init__(self, report: Replay, kernel: Kernel) -> None:
        self.report = report
        self.kernel = kernel
        self.forked: int | None = None

    def do(self, ops: list[Op]) -> None:
        """Do a run of operations."""
        if self.forked is not None:
            loses = ops[0].verb in LOSSES and ops[0].line == self.forked > 0
            if not loses:
                self.look()
        if len(ops) > 1 and touched_as_one(self.kernel, ops):
            return
        for op in ops:
            try:
                perform(self.kernel, op)
            except SimulatedError as error:
                _count_error(self.report, op, str(error))
                continue
            if op.verb in TURNS:
                _count_turn(self.report, op.verb)
                if op.verb == "fork":
                    self.forked = op.line

    def look(self) -> None:
        """Count the pages that the last fork shared, if that is still to be done."""
        if self.forked is not None:
            self.forked = None
            report = self.report
            report.peak_shared_pages = max(report.peak_shared_pages, shared_pages(self.kernel))


def _share(progress: Progress, start: int, parts: int) -> Progress:
    """Return what tells `progress` of a task that is `parts` of the whole work, after `start`."""
    return lambda done, of: progress(start + parts * done // max(of, 1), WORK)


def read(path: Path, design: str = "anongroup", progress: Progress | None = None) -> Replay:
    """Return the report of `path` before anything has run: its history and its lines."""
    if parts_of(path) or _is_log(path):
        log = read_strace(path, progress)
        operations = log.operations + len(log.touches) * log.recorded
        report = Replay(log.history, design, log.lines, operations, log.skipped)
        report.touches = "recorded" if log.recorded else "rule"
        report.effects = log.effects
        if not log.recorded:
            report.by_rule, report.bounds = len(log.touches), log.shared
        return report
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path.name} is neither a history nor an strace log: {error}") from None
    is_json = text.lstrip().startswith("{")
    history = History.loads(text) if is_json else _history(text, path)
    nlines = text.count("\n") + (not text.endswith("\n"))
    return Replay(history, design, nlines, len(history.ops), {})


def _history(text: str, path: Path) -> History:
    """Return the history that a text is.

    raises  FormatError, which says what to do for a log, too, if the first line is of no history
    """
    try:
        history = parse(text, path.stem)
    except FormatError as error:
        before = text.splitlines()[: error.line - 1]
        if any(line.partition("#")[0].strip() for line in before):
            raise
        wrong = f"{path.name} is neither a history nor an strace log: {error}"
        raise FormatError(f"{wrong}; for a log of a program {RECORD_WITH}") from None
    if not history.ops:
        raise FormatError(
            f"{path.name} has no operation in it; for a log of a program {RECORD_WITH}"
        )
    return history


def _is_log(path: Path) -> bool:
    """True unless a file is a history: what is empty, packed or binary, or has calls in it."""
    head = head_of(path)
    if not head.strip() or b"\0" in head or head.startswith(PACKED):
        return True
    lines = head.decode("utf-8", "replace").splitlines()
    start = lines[0].lstrip("\ufeff \t")
    if _JSON.match(start) and not start.startswith(JSON_LOG) and not json_message(start):
        return False
    # Comments of a history may show a call.
    found = (read_line(line.partition("# ")[0]) for line in islice(lines, _LINES_SEEN))
    return any(line is not None for line in found) or bool(looks_like(first_lines(lines)))


def shared_pages(kernel: Kernel) -> int:
    """Return how many anonymous pages are mapped by more than one address space."""
    mem = kernel.mem_map
    return int(np.count_nonzero((mem.mapcount > 1) & ((mem.flags & PG_ANON) != 0)))


def _point(kernel: Kernel, number: int) -> Point:
    groups = kernel.design.owners_made - kernel.design.owners_freed
    return Point(number, groups, len(kernel.mms), shared_pages(kernel))


def _count_error(report: Replay, op: Op, message: str) -> None:
    words = message.split(": ")
    error = words[1] if len(words) > 1 else words[0]
    report.failed[error] += 1
    report.refused[f"{op.verb} {error}"] += 1


def _count_turn(report: Replay, verb: str) -> None:
    report.processes += verb != "execve"
    report.forks += verb == "fork"
    report.vforks += verb == "vfork"
    report.threads += verb == "clone_vm"
    report.execs += verb == "execve"


def _check(report: Replay, check: Callable[[], Walks], number: int) -> None:
    try:
        check()
    except AssertionError as error:
        first = str(error).splitlines()[0]
        report.violations.append(f"after operation {number + 1}: {first}")
