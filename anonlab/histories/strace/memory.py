"""Calls of a strace log that fill, lock, give up or share memory, and the effects that this machine
has only in part.

A handler returns "" when its line became an operation, else the reason why it did not.
"""

from __future__ import annotations

from collections.abc import Callable

from anonlab.histories.strace import calls
from anonlab.histories.strace.mappings import NOT_IN_LOG, LogImporter
from anonlab.histories.strace.tasks import NOT_UNDERSTOOD, LogTask
from anonlab.machine.words import PAGE_MASK, PAGE_SHIFT

EFFECTS = {
    "MAP_POPULATE": "modelled: its pages are written, or read where they are shared or read-only",
    "MAP_LOCKED": "modelled: mmap, then mlock",
    "mlockall": "modelled: mlock of all that the log mapped, and with MCL_FUTURE of what comes",
    "MLOCK_ONFAULT": "not modelled: locked pages are in memory at once here",
    "MADV_DONTFORK": "modelled: the child unmaps them after fork, which copied their entries",
    "MADV_WIPEONFORK": "modelled: the child drops them after fork, which copied their entries",
    "MADV_POPULATE": "modelled: the pages are read or written",
    "MADV_DONTNEED_LOCKED": "not modelled: a locked page stays here",
    "MADV_FREE": "not modelled: pages stay; Linux may have dropped those not written since",
    "MADV_REMOVE": "not modelled: the contents of shared memory stay here",
    "MADV_PAGEOUT": "not modelled: the pages stay in memory here",
    "MADV_COLD": "not modelled: nothing is reclaimed here",
    "MADV_HUGEPAGE": "not modelled: all pages are small here",
    "MADV_COLLAPSE": "not modelled: all pages are small here",
    "MADV_GUARD_INSTALL": "modelled in part: pages are dropped, but a touch does not fail here",
    "POSIX shared memory": "modelled: a file that its users map",
    "SysV shared memory": "modelled: a file as long as shmget said; shmat maps, shmdt unmaps it",
}
"""What happens here, by the call or flag."""
_AT_FORK = {
    "MADV_DONTFORK": "munmap",
    "MADV_DOFORK": "",
    "MADV_WIPEONFORK": "madvise",
    "MADV_KEEPONFORK": "",
}
"""What a child does with such pages right after fork."""
_GIVEN_UP = ("MADV_DONTNEED", "MADV_DONTNEED_LOCKED", "MADV_GUARD_INSTALL")
_MAY_GO = ("MADV_FREE", "MADV_REMOVE", "MADV_PAGEOUT")
"""Advice after which Linux may have fewer pages in memory."""
_CHANGED_MAX = 1_000_000
"""Mappings that calls on all memory may lock and unlock, in sum: an operation each."""
_TOO_MANY = "lock of all memory, after a million mappings"
_SHM_SIZE = "shared memory whose size is not in the log"


class LogMemory(LogImporter):
    """Operations so far, and what is known of memory that calls fill, lock or share."""

    # -- advice -----------------------------------------------------------------------------------

    def madvise(self, task: LogTask, args: str, result: str) -> str:
        """A range is given up or filled, or a child is not to get it; other advice changes nothing
        here."""
        found = calls.range_args(args)
        vpns = self.vpns(task.space, *found[:2]) if found else None
        if found is None or vpns is None:
            return NOT_UNDERSTOOD
        advice = calls.advice(found[2])
        if advice.startswith("MADV_POPULATE"):
            return self.prefault(task, vpns, advice)
        if advice in EFFECTS:
            self.effect(advice, len(vpns))
        if advice in _GIVEN_UP:
            return self.give_up(task, vpns)
        if advice in _AT_FORK:
            return self.advise(task, vpns, at_fork=_AT_FORK[advice])
        if advice in _MAY_GO:
            self.advise(task, vpns, full=False)
        return f"madvise {advice}"

    def give_up(self, task: LogTask, vpns: range) -> str:
        """Drop the contents of a range."""
        if self.advise(task, vpns, full=False) == NOT_IN_LOG:
            return NOT_IN_LOG
        return self.ranged("madvise", task, vpns, advice="dontneed")

    def advise(self, task: LogTask, vpns: range, **facts: bool | str) -> str:
        """Note facts of the areas of a range."""
        old = task.space.covered(vpns.start, vpns.stop)
        if not old:
            return NOT_IN_LOG
        pieces = [area.piece(max(area.start, vpns.start), min(area.end, vpns.stop)) for area in old]
        new = [area._replace(**facts) for area in pieces]  # type: ignore[arg-type]
        self.replace(task.space, vpns.start, vpns.stop, new)
        return "madvise that takes effect at fork"

    def prefault(self, task: LogTask, vpns: range, advice: str) -> str:
        """Fill a range, as if the program touched it."""
        if not task.space.covered(vpns.start, vpns.stop):
            return NOT_IN_LOG
        self.effect("MADV_POPULATE", len(vpns))
        if advice == "MADV_POPULATE_READ":
            self.filled += len(vpns)
            self.access(task, vpns, "read")
        else:
            self.populate(task, vpns)
        return ""

    # -- locks ------------------------------------------------------------------------------------

    def mlock(self, task: LogTask, args: str, result: str) -> str:
        """A range is locked, so all its pages come into memory."""
        found = calls.range_args(args)
        vpns = self.vpns(task.space, *found[:2]) if found else None
        if found is None or vpns is None:
            return NOT_UNDERSTOOD
        if not task.space.covered(vpns.start, vpns.stop):
            return NOT_IN_LOG
        if "ONFAULT" in found[2] or found[2] in ("1", "0x1"):
            self.effect("MLOCK_ONFAULT", len(vpns))
        self.lock(task, vpns)
        return ""

    def munlock(self, task: LogTask, args: str, result: str) -> str:
        """A range is no longer locked."""
        found = calls.range_args(args)
        return self.on_covered("munlock", task, found) if found else NOT_UNDERSTOOD

    def mlockall(self, task: LogTask, args: str, result: str) -> str:
        """All memory is locked, or all that is mapped later."""
        flags = calls.named(args, calls.MCL)
        if "MCL_" not in flags:
            return NOT_UNDERSTOOD
        task.space.locks = "MCL_FUTURE" in flags
        if self.too_many(task):
            return _TOO_MANY
        areas = [area for area in task.space.areas if area.prot != "none"]
        npages = sum(area.end - area.start for area in areas)
        self.effect("mlockall", npages if "MCL_CURRENT" in flags else 0)
        if "MCL_ONFAULT" in flags:
            self.effect("MLOCK_ONFAULT", npages)
        for area in areas if "MCL_CURRENT" in flags else ():
            self.lock(task, range(area.start, area.end))
        return "" if areas and "MCL_CURRENT" in flags else "mlockall of later mappings"

    def munlockall(self, task: LogTask, args: str, result: str) -> str:
        """No memory is locked any more."""
        task.space.locks = False
        if self.too_many(task):
            return _TOO_MANY
        for area in task.space.areas:
            self.ranged("munlock", task, range(area.start, area.end))
        return "" if task.space.areas else NOT_IN_LOG

    def too_many(self, task: LogTask) -> bool:
        """Count the mappings that a call on all memory changes: True if such calls of the log
        changed too many."""
        self.changed += len(task.space.areas)
        return self.changed > _CHANGED_MAX

    # -- SysV shared memory -----------------------------------------------------------------------

    def shmget(self, task: LogTask, args: str, result: str) -> str:
        """A segment is made or found."""
        words = [word.strip() for word in args.split(",")]
        number = result.split()[0] if result else ""
        size = calls.integer(words[1]) if len(words) > 2 else None
        if size is None or calls.integer(number) is None:
            return NOT_UNDERSTOOD
        if size:
            self.segments[number] = size
        return "size of shared memory"

    def shmat(self, task: LogTask, args: str, result: str) -> str:
        """A segment is mapped: a file that all its users share."""
        words = [word.strip() for word in args.split(",")]
        addr = calls.address(result, self.line)
        if addr is None or addr & PAGE_MASK or len(words) < 3:
            return NOT_UNDERSTOOD
        size = self.segments.get(words[0], 0)
        if not 0 < size <= calls.LENGTH_MAX:
            return _SHM_SIZE
        prot = "r" if "SHM_RDONLY" in calls.named(words[2], calls.SHM) else "rw"
        path = f"/SYSV/sysv-{words[0]}"
        call = calls.Mmap(size, prot, "MAP_SHARED", 0, path, 0)
        self.effect("SysV shared memory", calls.pages(size))
        return self.mapped(task, call, result)

    def shmdt(self, task: LogTask, args: str, result: str) -> str:
        """A segment is unmapped."""
        addr = calls.address(args, self.line)
        start = -1 if addr is None else addr >> PAGE_SHIFT
        area = next((a for a in task.space.overlapping(start, start + 1)), None)
        if area is None or area.start != start or not area.file.startswith("sysv-"):
            return NOT_IN_LOG
        self.replace(task.space, area.start, area.end, [])
        return self.ranged("munmap", task, range(area.start, area.end))


HANDLERS: dict[str, Callable[[LogMemory, LogTask, str, str], str]] = {
    "execve": LogMemory.execve,
    "execveat": LogMemory.execve,
    "mmap": LogMemory.mmap,
    "mmap2": LogMemory.mmap2,
    "old_mmap": LogMemory.mmap,
    "munmap": LogMemory.munmap,
    "mprotect": LogMemory.mprotect,
    "pkey_mprotect": LogMemory.mprotect,
    "mremap": LogMemory.mremap,
    "brk": LogMemory.brk,
    "madvise": LogMemory.madvise,
    "mlock": LogMemory.mlock,
    "mlock2": LogMemory.mlock,
    "munlock": LogMemory.munlock,
    "mlockall": LogMemory.mlockall,
    "munlockall": LogMemory.munlockall,
    "shmget": LogMemory.shmget,
    "shmat": LogMemory.shmat,
    "shmdt": LogMemory.shmdt,
    "stack": LogMemory.stack,
    "page_fault": LogMemory.page_fault,
}
