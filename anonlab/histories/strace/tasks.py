"""The processes of a strace log: births, execs and exits become operations."""

from __future__ import annotations

from array import array
from collections import deque
from typing import NamedTuple

from anonlab.errors import FormatError
from anonlab.formats.packed_ops import PackedOps
from anonlab.histories.places import TOP_VPN
from anonlab.histories.strace import calls
from anonlab.histories.strace.areas import LogArea, LogAreas
from anonlab.machine.words import PAGE_SHIFT

TOUCHED = 8
"""Pages of a new anonymous mapping that the touch rule writes, at most."""
STACK = range(TOP_VPN["x86_64"] - 2, TOP_VPN["x86_64"])
"""The pages that execve writes."""
MAPPINGS_MAX = 2_000_000
"""Areas of living processes that were forked: a machine with more takes more than a gigabyte."""
NOT_UNDERSTOOD = "arguments not understood"


class LogMoment(NamedTuple):
    """A turn in the life of a process.

    operation  place in `history.ops`
    kind       'execve', 'fork', 'vfork', 'clone_vm' or 'exit'
    pid, name  the process: in the log, in the history
    what       the program of an execve, the parent's name of a birth, else ''
    line       of the log
    """

    operation: int
    kind: str
    pid: int
    name: str
    what: str
    line: int


class LogBirth(NamedTuple):
    """A call that made a process: its first and last line, the parent's pid, verb and thread."""

    start: int
    end: int
    parent: int
    kind: str
    thread: bool


class LogTask(NamedTuple):
    """A living process or thread: `group` is the pid of its thread group."""

    name: str
    pid: int
    group: int
    space: LogAreas


class LogTasks:
    """Operations so far, and what is known of processes.

    births   by pid of the child, in the order of the log
    peak     at most so many pages were in memory at a time if every fork copied everything
    written  pages written so far: no more frames can ever have been taken
    shared   at most so many pages are shared now that forks made shared; `least` and `most` are the
             bounds of what it ever was, whatever the programs touched
    filled   pages that a call brought into memory, beside those that are written
    threads  pids of living threads, by thread group, in the order in which they came
    mappings  so many areas have living processes that were forked
    attached  threads that are not named yet, by the process that strace attached to
    recorded  True if the log has the page faults of the programs, so that no rule has to touch
    faults   page faults so far
    """

    def __init__(self, births: dict[int, deque[LogBirth]], recorded: bool = False) -> None:
        self.births = births
        self.recorded = recorded
        self.faults = 0
        self.born_early: set[int] = set()
        self.ops = PackedOps()
        self.touches = array("q")
        self.spawned = 0
        self.moments: list[LogMoment] = []
        self.tasks: dict[int, LogTask] = {}
        self.threads: dict[int, dict[int, None]] = {}
        self.mappings = 0
        self.attached: dict[int, int] = {}
        self.gone: set[int] = set()
        self.pids: dict[int, int] = {}
        self.resident = 0
        self.peak = 0
        self.written = 0
        self.filled = 0
        self.shared = self.least = self.most = 0
        self.tag = 0
        self.program = ""
        self.line = 0

    def emit(self, verb: str, who: str, args: dict[str, int | str | bool]) -> str:
        """Add one operation; returns ""."""
        self.ops.add(verb, who, args, self.line)
        return ""

    # -- processes ------------------------------------------------------------------------------

    def task(self, pid: int) -> LogTask | None:
        """Return the process `pid`, made now if the log names it first here; None if it is gone."""
        task = self.tasks.get(pid)
        if task is not None:
            return task
        waiting = self.births.get(pid)
        if waiting and (waiting[0].start <= self.line or pid not in self.pids):
            # Or it speaks for the first time, and `strace -z` left out that the call had begun.
            self.born_early.add(waiting[0].end)
            return self.born(pid, waiting.popleft())
        return None if pid in self.gone else self.spawn(pid)

    def spawn(self, pid: int) -> LogTask:
        """Start a process that was there before the log began."""
        self.spawned += 1
        leader = self.leader(pid)
        if leader is None:
            task = self.add(LogTask(self.process_name(pid), pid, pid, LogAreas()))
            self.emit("spawn", task.name, {})
            return task
        task = self.add(LogTask(self.process_name(pid), pid, leader.group, leader.space))
        leader.space.users += 1
        self.moment("clone_vm", task, leader.name)
        self.emit("clone_vm", task.name, {"parent": leader.name})
        return task

    def leader(self, pid: int) -> LogTask | None:
        """Return the process that `pid` is a thread of, if strace attached to that one with more
        threads than are known so far, and to no other."""
        waiting = [leader for leader, left in self.attached.items() if left > 0]
        if len(waiting) != 1 or pid in self.attached or waiting[0] in self.gone:
            return None
        self.attached[waiting[0]] -= 1
        return self.tasks.get(waiting[0]) or self.spawn(waiting[0])

    def add(self, task: LogTask) -> LogTask:
        """Take in a process or thread that lives from now on."""
        if task.pid in self.tasks:
            self.remove(self.tasks[task.pid])
        self.tasks[task.pid] = task
        self.threads.setdefault(task.group, {})[task.pid] = None
        return task

    def remove(self, task: LogTask) -> None:
        """Take out a process or thread that lives no more."""
        del self.tasks[task.pid]
        group = self.threads[task.group]
        del group[task.pid]
        if not group:
            del self.threads[task.group]

    def process_name(self, pid: int) -> str:
        """Return a name for `pid`, which a log may use again for another process."""
        self.pids[pid] = number = self.pids.get(pid, 0) + 1
        self.gone.discard(pid)
        return f"p{pid}" if number == 1 else f"p{pid}.{number}"

    def born(self, pid: int, birth: LogBirth) -> LogTask:
        """Add a fork, vfork or clone_vm, then what the touch rule says of a fork."""
        parent = self.tasks.get(birth.parent) or self.spawn(birth.parent)
        space = self.copied(parent.space) if birth.kind == "fork" else parent.space
        group = parent.group if birth.thread else pid
        task = self.add(LogTask(self.process_name(pid), pid, group, space))
        self.moment(birth.kind, task, parent.name)
        self.emit(birth.kind, task.name, {"parent": parent.name})
        if birth.kind != "fork":
            space.users += 1
            return task
        self.count(space.resident)
        self.share(parent.space, task)
        top = STACK[-1]
        if space.overlapping(top, top + 1):
            self.touch(task, range(top, top + 1))
            self.touch(parent, range(top, top + 1))
        return task

    def copied(self, old: LogAreas) -> LogAreas:
        """Return the areas of a child; raises FormatError if living processes have too many."""
        space = old.copy()
        space.copied = len(space.areas)
        self.mappings += space.copied
        if self.mappings > MAPPINGS_MAX:
            raise FormatError(
                f"the living processes have more than {MAPPINGS_MAX:,} mappings: the simulated "
                f"machine cannot hold them; replay a part of the log",
                self.line,
            )
        return space

    def share(self, old: LogAreas, child: LogTask) -> None:
        """Count what a fork shares, and take from the child what it does not get."""
        least, child.space.inherited = old.shareable()
        self.shared += child.space.inherited
        self.least = max(self.least, least)
        self.most = max(self.most, self.shared)
        for area in [area for area in child.space.areas if area.at_fork]:
            op: dict[str, int | str | bool] = {"addr": area.start << PAGE_SHIFT}
            op["pages"] = area.end - area.start
            kept: list[LogArea] = []
            if area.at_fork == "madvise":
                op["advice"] = "dontneed"
                kept = [area._replace(touched=0, full=False)]
            before = child.space.resident
            child.space.replace(area.start, area.end, kept)
            self.count(child.space.resident - before)
            self.emit(area.at_fork, child.name, op)

    def forked(self, pid: int, result: str) -> str:
        """A call that makes a process returned in the parent."""
        child = calls.child_pid(result)
        if self.line in self.born_early:
            self.born_early.remove(self.line)
            return ""
        waiting = self.births.get(child)
        if not waiting or waiting[0].end != self.line:
            return NOT_UNDERSTOOD
        if child in self.tasks:
            # The pid is used again, so its last owner went without a word.
            self.leave(self.tasks[child])
        self.born(child, waiting.popleft())
        return ""

    def execve(self, task: LogTask, args: str, result: str) -> str:
        """A program starts: new address space, two stack pages."""
        if not result.startswith("0"):
            return NOT_UNDERSTOOD
        program = calls.program_name(args)
        self.program = self.program or program
        self.drop(task.space)
        space = LogAreas()
        stack = LogArea(STACK.start, STACK.stop, "rw", "", False, len(STACK), own=True, full=True)
        space.replace(STACK.start, STACK.stop, [stack])
        self.count(space.resident)
        self.written += space.resident
        self.tasks[task.pid] = task._replace(space=space)
        self.moment("execve", task, program)
        return self.emit("execve", task.name, {"program": program})

    def exit(self, task: LogTask) -> str:
        """A thread exits."""
        self.leave(task)
        return ""

    def exit_group(self, task: LogTask) -> str:
        """A process exits with all its threads."""
        for pid in list(self.threads[task.group]):
            self.leave(self.tasks[pid])
        return ""

    def superseded(self, pid: int, by: int) -> str:
        """The thread `by` runs execve and takes the pid of its leader: one of the two is gone."""
        thread, leader = self.tasks.get(by), self.tasks.get(pid)
        if thread is None:
            return "execve of a thread that is gone"
        if leader is not None:
            return self.exit(thread)
        self.remove(thread)
        self.add(thread._replace(pid=pid))
        self.gone.add(by)
        return "thread that takes the pid of its leader"

    def leave(self, task: LogTask) -> None:
        """Add the exit of one process."""
        self.moment("exit", task, "")
        self.emit("exit", task.name, {})
        self.drop(task.space)
        self.remove(task)
        self.gone.add(task.pid)

    def drop(self, space: LogAreas) -> None:
        """Take one user from an address space; without users its pages are gone."""
        space.users -= 1
        if not space.users:
            self.resident -= space.resident
            self.shared -= space.inherited
            self.mappings -= space.copied

    def moment(self, kind: str, task: LogTask, what: str) -> None:
        """Note that the next operation is a turn in the life of `task`."""
        moment = LogMoment(len(self.ops), kind, task.pid, task.name, what, self.line)
        self.moments.append(moment)

    # -- pages in memory ---------------------------------------------------------------------------

    def count(self, pages: int) -> None:
        """Count `pages` more (or fewer) that may be in memory."""
        self.resident += pages
        if self.resident > self.peak:
            self.peak = self.resident

    def touch(self, task: LogTask, vpns: range, verb: str = "write") -> None:
        """Add a touch of `vpns` by the rule, unless the log has the touches themselves."""
        if vpns and not self.recorded:
            self.touched(task, vpns, verb)

    def touched(self, task: LogTask, vpns: range, verb: str) -> None:
        """Add a touch of `vpns`."""
        self.touches.append(len(self.ops))
        self.access(task, vpns, verb)

    def access(self, task: LogTask, vpns: range, verb: str) -> None:
        """Add a read or a write of `vpns`."""
        npages, value = len(vpns), None
        if verb == "write":
            self.written += npages
            self.tag = value = self.tag + TOUCHED
        self.ops.add_touch(verb, task.name, self.line, vpns.start << PAGE_SHIFT, npages, value)
