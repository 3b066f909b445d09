"""The kernel: one machine, its processes and files, and the reverse-map design behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from anonlab.errors import OutOfMemory
from anonlab.formats.snapshot import Snapshot
from anonlab.kernel import process as processes
from anonlab.kernel import reclaim
from anonlab.kernel.arguments import file_npages, whole
from anonlab.kernel.task import Task
from anonlab.kernel.views import Page, page_view
from anonlab.kernel.walk import walk
from anonlab.machine import Machine, Span
from anonlab.machine.words import (
    LESSON,
    PAGE_SHIFT,
    PTE_PRESENT,
    PTE_SHIFT,
    Geometry,
    Pfns,
    Vpns,
    swp_offset,
)
from anonlab.mm import File, Mm, MmColumns, Process, Vma
from anonlab.rmap import DESIGNS, Rmap
from anonlab.rmap.base import one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Recorder(Protocol):
    """Who is told about each step of an operation."""

    def step(self, label: str, process: str, vpns: Sequence[int] | Vpns, n: int, what: str) -> None:
        """Take note of one step; the machine's structures agree with each other now."""


class Kernel:
    """One simulated machine under one reverse-map design.

    design    a design's name (see anonlab.DESIGNS) or an instance of one
    frames    page frames, the zero page included
    swap      swap slots
    geometry  LESSON, X86_32, X86_64 or another Geometry
    tables    page-table pages that can exist at a time; None for no limit
    imap      how a file keeps its VMAs: 'tree' finds those that reach an offset (the prio_tree of
              2.6.7), 'list' visits them all (2003)
    raises    ValueError for an unknown design or sizes that make no machine
    """

    snapshot: ClassVar[Callable[..., Snapshot]]
    """kernel.snapshot(): everything that can be seen now, as immutable plain data. `import anonlab`
    puts `recording.snapshot` here: the kernel knows nothing of those who look at it."""

    def __init__(
        self,
        design: str | Rmap = "anongroup",
        frames: int = 64,
        swap: int = 16,
        geometry: Geometry = LESSON,
        tables: int | None = None,
        imap: str = "tree",
    ) -> None:
        if isinstance(design, str):
            if design not in DESIGNS:
                raise ValueError(f"design is one of {', '.join(DESIGNS)}; got {design!r}")
            design = DESIGNS[design]()
        if not isinstance(design, Rmap):
            raise TypeError(f"design is a name or an Rmap such as AnonGroup(), got {design!r}")
        if not isinstance(geometry, Geometry):
            raise TypeError(f"geometry is a Geometry such as LESSON or X86_64, got {geometry!r}")
        limit = None if tables is None else whole(tables, "tables", 1)
        self.machine = Machine(geometry, whole(frames, "frames", 2), whole(swap, "swap"), limit)
        self.geometry = geometry
        self.mem_map = self.machine.mem_map
        self.tables = self.machine.tables
        self.swap = self.machine.swap
        self.design = design
        self.imap = one_of("imap", imap, ("list", "tree"))
        self.processes: dict[str, Task] = {}
        self.mms: dict[int, Mm] = {}
        self.columns = MmColumns()
        self.files: dict[str, File] = {}
        self.pins: dict[tuple[int, int], list[int]] = {}  # (mm number, vpn) -> pfns, oldest first
        self.clock_hand = 0
        self.version = 0
        """Changes whenever the processes, address spaces or files do, or who runs in which."""
        self.stack_npages = min(2048, geometry.task_npages // 16)
        self.recorder: Recorder | None = None
        self._last_mm = self._last_shmem = self._last_mapping = 0
        design.attach(self.machine, self.columns)

    # What people do

    def spawn(self, name: str | None = None) -> Task:
        """Start a process with an empty address space, in a group of its own."""
        name = self._new_name(name)
        task = self.attach(name, processes.spawn(self, name), None)
        self.step("spawn", task)
        return task

    def file(self, name: str, npages: int, writable: bool = True) -> File:
        """Make a file of `npages` pages; `writable` is its mode."""
        if not isinstance(name, str) or not name or name in self.files:
            raise ValueError(f"a file needs a name that no other file has, got {name!r}")
        if name.startswith("shmem") and name[5:].isdecimal():
            raise ValueError(
                f"{name!r} is how shared anonymous memory is called; take another name"
            )
        file = self._add_file(name, file_npages(npages), writable=writable)
        self.step("file", n=npages, what=name)
        return file

    def truncate(self, file: File, npages: int) -> None:
        """Make `file` `npages` pages long; what lay beyond is gone, private copies included."""
        reclaim.truncate(self, self.own_file(file), file_npages(npages))

    def reclaim(self, nframes: int) -> int:
        """Free up to `nframes` frames as if memory were short; return how many were freed."""
        return reclaim.reclaim(self, whole(nframes, "nframes"))

    def page_referenced(self, pfn: int) -> bool:
        """Walk frame `pfn` and return whether it was used since the last time; designs put their
        things in order on the way (the chain of one entry, the page of a zombie)."""
        return reclaim.referenced(self, self._pfn(pfn))

    def swapoff(self) -> None:
        """Bring every swapped page back and stop using swap; OutOfMemory if that does not fit."""
        reclaim.swapoff(self)

    def mappers(self, pfn: int) -> list[tuple[Task, int]]:
        """Return (process, byte address) of every mapping of frame `pfn`, found through the
        reverse map. An address space that several processes share names its first one."""
        hits = walk(self, self._pfn(pfn))
        newest_first = reversed(self.processes.values())
        first = {task.mm.number: task for task in newest_first if task.mm is not None}
        return [
            (first[mm], vpn << PAGE_SHIFT)
            for mm, vpn in zip(hits.mms.tolist(), hits.vpns.tolist(), strict=True)
        ]

    def page(self, pfn: int) -> Page:
        """Return a read-only view of frame `pfn`."""
        return page_view(self, self._pfn(pfn))

    def own_file(self, file: Any) -> File:
        """Return `file` if it is one of this kernel; TypeError or ValueError if not."""
        if not isinstance(file, File):
            raise TypeError(f"file is a File of this kernel, got {file!r}")
        if self.files.get(file.name) is not file:
            raise ValueError(f"{file!r} is not a file of this kernel")
        return file

    def _pfn(self, pfn: Any) -> int:
        number = whole(pfn, "pfn")
        if number >= self.mem_map.nframes:
            raise ValueError(f"pfn must be < {self.mem_map.nframes}, got {number}")
        return number

    def _new_name(self, name: str | None) -> str:
        if name is None:
            name = f"p{len(self.processes) + 1}"
        if not isinstance(name, str) or not name:
            raise TypeError(f"a process name is a non-empty text, got {name!r}")
        if name in self.processes:
            raise ValueError(f"there is already a process {name!r}; names are never used twice")
        return name

    # What the operations need

    def step(
        self,
        label: str,
        process: Process | str = "",
        vpns: Sequence[int] | Vpns = (),
        n: int | None = None,
        what: str = "",
    ) -> None:
        """Tell the recorder, if there is one, that a step is done and all structures agree."""
        if self.recorder is not None:
            who = process if isinstance(process, str) else process.name
            self.recorder.step(label, who, vpns, len(vpns) if n is None else n, what)

    def reserve(
        self,
        what: str,
        frames: int = 0,
        tables: int | Callable[[], int] = 0,
        slots: int = 0,
        keep: Iterable[tuple[Vma, Span]] = (),
    ) -> None:
        """See to it that so many frames, page tables and swap slots are free, reclaiming frames
        where needed, but never pages in the spans `keep`.

        raises  OutOfMemory, its message starting with `what`; nothing has changed then
        """
        room = self.tables.room()
        ntables = 0 if room is None else tables() if callable(tables) else tables
        if room is not None and ntables > room:
            raise OutOfMemory.of(what, ntables, "page-table page", room, self.tables.max_rows or 0)
        if slots > self.swap.nfree:
            raise OutOfMemory.of(what, slots, "swap slot", self.swap.nfree, self.swap.nslots)
        short = frames - self.mem_map.nfree
        if short > 0 and not reclaim.make_room(self, short, self._pages_in(keep)):
            free, nframes = self.mem_map.nfree, self.mem_map.nframes
            error = OutOfMemory.of(what, frames, "frame", free, nframes)
            raise OutOfMemory(f"{error}, and reclaim cannot free {short} more")

    def _pages_in(self, spans: Iterable[tuple[Vma, Span]]) -> Pfns:
        """Return every frame that an operation over `spans` relies on, mapped or cached."""
        found = [np.zeros(0, dtype=np.int64)]
        for vma, span in spans:
            words = span.words
            present = (words & PTE_PRESENT) != 0
            found.append(words[present] >> PTE_SHIFT)
            found.append(self.swap.cache[swp_offset(words[~present])])
            if vma.file is not None and span.vpns.size:
                first = vma.pgoff + span.start_vpn - vma.start_vpn
                found.append(vma.file.cache[first : first + span.end_vpn - span.start_vpn])
        pfns: Pfns = np.unique(np.concatenate(found))
        return np.asarray(pfns[pfns != 0])

    def attach(self, name: str, mm: Mm, parent: Process | None) -> Task:
        """Return a new process called `name` that runs in `mm`."""
        who = parent.name if parent else ""
        program = parent.program if parent else ""
        task = Task(self, name, len(self.processes) + 1, who, mm, program)
        self.processes[name] = task
        self.version += 1
        return task

    def next_mm(self) -> int:
        """Return a number that no address space has had."""
        self._last_mm += 1
        return self._last_mm

    def add_mm(self, mm: Mm) -> None:
        """Take a new address space on the list."""
        self.mms[mm.number] = mm
        self.version += 1
        self.columns.add(mm.number, mm.pgd)

    def drop_mm(self, mm: Mm) -> None:
        """Forget an address space whose tables are gone."""
        del self.mms[mm.number]
        self.version += 1
        self.columns.drop(mm.number)

    def any_process(self, mm: Mm) -> Task:
        """Return the first process that runs in `mm`."""
        return next(task for task in self.processes.values() if task.mm is mm)

    def new_shmem(self, npages: int) -> File:
        """Return the nameless object behind shared anonymous memory (shmem_zero_setup)."""
        self._last_shmem += 1
        return self._add_file(f"shmem{self._last_shmem}", npages, shmem=True)

    def _add_file(self, name: str, npages: int, **mode: bool) -> File:
        self._last_mapping -= 1
        file = File(name, self._last_mapping, npages, **mode)
        self.files[name] = file
        self.version += 1
        return file

    def file_of(self, mapping: int) -> File | None:
        """Return the file whose pages carry `mapping`, or None."""
        return next((file for file in self.files.values() if file.mapping == mapping), None)
