"""What all operations share: one machine, its processes, address spaces and files, and the design.

Operations are functions that take this state; `Kernel`, the door, is this state with people's
methods. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from anonlab.kernel.cow import RULES
from anonlab.machine.frames import MemMap
from anonlab.machine.swap import Swap
from anonlab.machine.tables import PageTables
from anonlab.machine.words import Geometry, Vpns
from anonlab.mm import File, Mm, MmTable, Process
from anonlab.rmap import Rmap


class StepRecorder(Protocol):
    """Who hears of each step of an operation."""

    def step(self, label: str, process: str, vpns: Sequence[int] | Vpns, n: int, what: str) -> None:
        """Take note of one step; the machine's structures agree with each other now."""


class KernelState:
    """The state of one simulated machine under one reverse-map design.

    mem_map, tables, swap  the machine
    design, cow            who answers the reverse-map question; when a write goes in place
    processes, mms, files  by name, number, name
    mm_table               what walks ask of many address spaces at once
    pins                   (mm number, vpn) -> pfns that a device holds, oldest first
    stack_npages           how long a stack may be: 8 MiB, if the machine is large enough for it
    guard_npages           what a stack leaves free below it: 256 pages of 2048 (stack_guard_gap)
    file_index             how a file finds its VMAs, see `Kernel`
    version                changes whenever the processes, address spaces or files do, or who runs
                           in which
    """

    def __init__(
        self,
        design: Rmap,
        frames: int,
        swap: int,
        geometry: Geometry,
        tables: int | None,
        file_index: str,
    ) -> None:
        # glibc gives a large freed array back to the system, and its pages fault in again with the
        # next one. Having freed one of almost 32 MiB raises the size it keeps (mallopt(3)).
        np.empty(31 << 17, dtype=np.int64)
        self.geometry = geometry
        self.mem_map = MemMap(frames)
        self.tables = PageTables(geometry, tables)
        self.swap = Swap(swap)
        self.design = design
        self.cow = RULES[design.cow_rule](self.mem_map, self.swap)
        self.file_index = file_index
        self.processes: dict[str, Process] = {}
        self.mms: dict[int, Mm] = {}
        self.mm_table = MmTable()
        self.files: dict[str, File] = {}
        self.pins: dict[tuple[int, int], list[int]] = {}
        self.clock_hand = 0
        self.stack_npages = min(2048, geometry.task_npages // 16)
        self.guard_npages = self.stack_npages // 8
        self.recorder: StepRecorder | None = None
        self.version = 0
        self._last_mm = self._last_shmem = self._last_mapping = 0
        design.attach(self.mem_map, self.mm_table, geometry)

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

    # Processes

    def new_name(self, name: str | None) -> str:
        """Return `name`, or the next one of ours; TypeError or ValueError if it cannot be one."""
        if name is None:
            name = f"p{len(self.processes) + 1}"
        if not isinstance(name, str) or not name:
            raise TypeError(f"a process name is a non-empty text, got {name!r}")
        if name in self.processes:
            raise ValueError(f"there is already a process {name!r}; names are never used twice")
        return name

    def add_process(self, process: Process, mm: Mm) -> None:
        """Let a new process run in `mm`."""
        process.mm, process.pid = mm, len(self.processes) + 1
        self.processes[process.name] = process
        self.version += 1

    def any_process(self, mm: Mm) -> Process:
        """Return the first process that runs in `mm`."""
        return next(process for process in self.processes.values() if process.mm is mm)

    # Address spaces

    def add_mm(self) -> Mm:
        """Return a new, empty address space; its top table is reserved by the caller (mm_alloc)."""
        self._last_mm += 1
        mm = Mm(self._last_mm, int(self.tables.alloc(1)[0]), self.geometry)
        self.mms[mm.number] = mm
        self.mm_table.add(mm.number, mm.pgd)
        self.version += 1
        return mm

    def drop_mm(self, mm: Mm) -> None:
        """Forget an address space that maps nothing any more, and its page tables."""
        self.tables.free(mm.pgd)
        del self.mms[mm.number]
        self.mm_table.drop(mm.number)
        self.version += 1

    # Files

    def add_file(self, name: str, npages: int, **mode: bool) -> File:
        """Return a new file."""
        self._last_mapping -= 1
        file = self.files[name] = File(name, self._last_mapping, npages, **mode)
        self.version += 1
        return file

    def new_shmem(self, npages: int) -> File:
        """Return the nameless object behind shared anonymous memory (shmem_zero_setup)."""
        self._last_shmem += 1
        return self.add_file(f"shmem{self._last_shmem}", npages, shmem=True)

    def own_file(self, file: Any) -> File:
        """Return `file` if it is one of this kernel; TypeError or ValueError if not."""
        if not isinstance(file, File):
            raise TypeError(f"file is a File of this kernel, got {file!r}")
        if self.files.get(file.name) is not file:
            raise ValueError(f"{file!r} is not a file of this kernel")
        return file

    def drop_file(self, file: File) -> None:
        """Forget a file that has no page."""
        del self.files[file.name]
        self.version += 1

    def file_of(self, mapping: int) -> File | None:
        """Return the file whose pages carry `mapping`, or None."""
        return next((file for file in self.files.values() if file.mapping == mapping), None)
