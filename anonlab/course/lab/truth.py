"""The small machine of the lab as it is right: the simulated kernel behind the lab's interface.

A student writes a class with these methods; here the kernel answers them. All memory is private and
anonymous, nothing is swapped, pages are named by their numbers. The reverse map is the anon group
of the mail; copy on write and pinned pages follow the rule of today (cow/exclusive.py), so that
fork can fail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from anonlab.errors import BadAddress, SimulatedError
from anonlab.kernel import Kernel, Task
from anonlab.kernel.walk import walk
from anonlab.machine.words import LESSON, PAGE_SHIFT, PTE_PRESENT, PTE_SHIFT, PTE_WRITE
from anonlab.proof.page_table_scan import scan
from anonlab.rmap import AnonGroup

FRAMES = 64
"""Frames of a machine where nobody says another number; the zero page is one of them."""
EXEC_VPN = LESSON.task_npages - 3
"""Where execve puts the page of arguments."""
Words = dict[str, dict[int, int]]


class LabState(NamedTuple):
    """What a machine shows of itself.

    words   every page-table word that is not 0, by process and page number; of its bits only
            PRESENT and WRITE are asked
    pages   (group, index) of every frame that some word maps, the zero page left out
    groups  the processes of every group, by its number
    free    how many frames are free
    """

    words: Words
    pages: dict[int, tuple[int, int]]
    groups: dict[int, list[str]]
    free: int

    def places(self) -> dict[int, list[tuple[str, int]]]:
        """Return who maps each frame but the zero page, by brute force: (process, vpn), sorted."""
        found: dict[int, list[tuple[str, int]]] = {}
        for who, words in sorted(self.words.items()):
            for vpn, word in sorted(words.items()):
                if word >> PTE_SHIFT:
                    found.setdefault(word >> PTE_SHIFT, []).append((who, vpn))
        return found

    def candidates(self, pfn: int) -> list[tuple[str, int]]:
        """Return where the walk for a frame looks, in order; none if it is in no group."""
        group, index = self.pages.get(pfn, (0, 0))
        return [(who, index) for who in self.groups.get(group, ())]


class KernelMachine:
    """The lab's machine, answered by the simulated kernel. Calls return None, what was read, or
    the name of the error."""

    def __init__(self, nframes: int = FRAMES) -> None:
        self.kernel = Kernel(AnonGroup(cow_rule="exclusive"), nframes, 0, LESSON)

    def _task(self, who: str) -> Task:
        return self.kernel.processes[who]

    def alive(self) -> dict[str, int]:
        """Return the processes that are there, and the numbers of their address spaces."""
        tasks = self.kernel.processes.values()
        return {task.name: task.mm.number for task in tasks if task.mm is not None}

    def spawn(self, who: str) -> None:
        """A process without memory, in a group of its own."""
        self.kernel.spawn(who)

    def mmap(self, who: str, vpn: int, npages: int) -> Any:
        """Readable, writable memory; what was there goes."""
        at, length = vpn << PAGE_SHIFT, npages << PAGE_SHIFT
        return _result(lambda: self._task(who).mmap(length, at, fixed=True) and None)

    def munmap(self, who: str, vpn: int, npages: int) -> Any:
        """The pages go; holes are fine."""
        at, length = vpn << PAGE_SHIFT, npages << PAGE_SHIFT
        return _result(lambda: self._task(who).munmap(at, length))

    def read(self, who: str, vpn: int, npages: int) -> Any:
        """The numbers in the pages, or SIGSEGV."""
        at, length = vpn << PAGE_SHIFT, npages << PAGE_SHIFT
        return _result(lambda: self._task(who).read_range(at, length).tolist())

    def write(self, who: str, vpn: int, npages: int, value: int) -> Any:
        """`value` to the first page, one more to the next, and so on; or SIGSEGV, ENOMEM."""
        values = list(range(value, value + npages))
        return _result(lambda: self._task(who).write_range(vpn << PAGE_SHIFT, values))

    def fork(self, who: str, child: str) -> Any:
        """A child that shares what no device holds; or ENOMEM."""
        return _result(lambda: self._task(who).fork(child) and None)

    def exit(self, who: str) -> None:
        """The process ends."""
        self._task(who).exit()

    def execve(self, who: str, vpn: int, value: int) -> Any:
        """New memory in a new group: one page, with `value`; or ENOMEM, and nothing has changed.

        The kernel's page of arguments has its own place, and its VMA grows: it gives way.
        """

        def call() -> None:
            task = self._task(who)
            task.execve("program", 1)
            task.munmap(LESSON.task_npages - 1 << PAGE_SHIFT, 1 << PAGE_SHIFT)
            task.mmap(1 << PAGE_SHIFT, vpn << PAGE_SHIFT)
            task.write(vpn << PAGE_SHIFT, value)

        return _result(call)

    def mremap(self, who: str, vpn: int, npages: int, new: int) -> Any:
        """The pages move to page `new`; or EFAULT, EINVAL, ENOMEM."""
        at, to, length = vpn << PAGE_SHIFT, new << PAGE_SHIFT, npages << PAGE_SHIFT
        mm = self._task(who).mm
        assert mm is not None
        if not all(mm.find_vma(page) for page in range(vpn, vpn + npages)):
            return BadAddress.errno  # the kernel may ask in another order, or move what is there
        return _result(lambda: self._task(who).mremap(at, length, new=to) and None)

    def pin(self, who: str, vpn: int) -> Any:
        """A device holds the page; or SIGSEGV, ENOMEM."""
        return _result(lambda: self._task(who).pin(vpn << PAGE_SHIFT) and None)

    def unpin(self, who: str, vpn: int) -> Any:
        """It lets go of what it took last at this page; or EINVAL."""
        return _result(lambda: self._task(who).unpin(vpn << PAGE_SHIFT))

    def state(self) -> LabState:
        """What the machine shows of itself."""
        kernel, found = self.kernel, scan(self.kernel)
        names = {number: name for name, number in self.alive().items()}
        words: Words = {name: {} for name in names.values()}
        for mm, vpn, word in zip(
            found.mms.tolist(), found.vpns.tolist(), found.words.tolist(), strict=True
        ):
            bits = word & (PTE_PRESENT | PTE_WRITE)
            words[names[mm]][vpn] = word >> PTE_SHIFT << PTE_SHIFT | bits
        mem, design = kernel.mem_map, kernel.design
        assert isinstance(design, AnonGroup), design
        pages = {
            pfn: (int(mem.mapping[pfn]), int(mem.index[pfn]))
            for pfn in sorted(set(found.pfns[found.mapped].tolist()))
        }
        groups = {
            number: [names[mm] for mm in group.mms] for number, group in design.groups.items()
        }
        return LabState(words, pages, groups, kernel.mem_map.free.size)

    # What a student's own tests may ask beside the calls

    def free(self) -> int:
        """How many frames are free."""
        return int(self.kernel.mem_map.free.size)

    def mappers(self, who: str, vpn: int) -> list[tuple[str, int]]:
        """Who maps the page at `vpn` of `who`, found by the walk: (process, vpn), sorted."""
        pfn = self._pfn(who, vpn)
        if not pfn:
            return []
        names = {number: name for name, number in self.alive().items()}
        hits = walk(self.kernel, pfn)
        found = zip(hits.mms.tolist(), hits.vpns.tolist(), strict=True)
        return sorted((names[mm], at) for mm, at in found)

    def looks(self, who: str, vpn: int) -> int:
        """At how many places the walk for the page at `vpn` of `who` looks at most."""
        pfn = self._pfn(who, vpn)
        return int(self.kernel.design.candidates(pfn).mms.size) if pfn else 0

    def _pfn(self, who: str, vpn: int) -> int:
        mm = self._task(who).mm
        assert mm is not None
        return int(self.kernel.tables.lookup(mm.pgd, vpn)) >> PTE_SHIFT


def _result(call: Callable[[], object]) -> Any:
    """Return what a call returns, or the name of its error."""
    try:
        return call()
    except SimulatedError as error:
        return error.errno
