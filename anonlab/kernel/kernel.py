"""The kernel as people hold it: the door to one machine under one reverse-map design."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from anonlab.formats.snapshot import Snapshot
from anonlab.kernel.arguments import checked_int, file_npages
from anonlab.kernel.exec_exit import spawn
from anonlab.kernel.page_cache import truncate
from anonlab.kernel.state import KernelState
from anonlab.kernel.swap.reclaim import referenced, shrink
from anonlab.kernel.swap.swapoff import swapoff
from anonlab.kernel.task import Task
from anonlab.kernel.views import Page, page_view
from anonlab.kernel.walk import walk
from anonlab.machine.words import LESSON, PAGE_SHIFT, Geometry
from anonlab.mm import File
from anonlab.rmap import DESIGNS, Rmap
from anonlab.rmap.base import one_of


class Kernel(KernelState):
    """One simulated machine under one reverse-map design.

    design      a design's name (see anonlab.DESIGNS) or an instance of one
    frames      page frames, the zero page included
    swap        swap slots
    geometry    LESSON, X86_32, X86_64 or another Geometry
    tables      page-table pages that can exist at a time; None for no limit
    file_index  how a file keeps its VMAs: 'tree' finds those that reach an offset (the prio_tree of
                2.6.7), 'list' visits them all (2003)
    raises      ValueError for an unknown design or sizes that make no machine
    """

    processes: dict[str, Task]  # type: ignore[assignment]  # all that come in here are tasks
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
        file_index: str = "tree",
    ) -> None:
        if isinstance(design, str):
            if design not in DESIGNS:
                raise ValueError(f"design is one of {', '.join(DESIGNS)}; got {design!r}")
            design = DESIGNS[design]()
        if not isinstance(design, Rmap):
            raise TypeError(f"design is a name or an Rmap such as AnonGroup(), got {design!r}")
        if not isinstance(geometry, Geometry):
            raise TypeError(f"geometry is a Geometry such as LESSON or X86_64, got {geometry!r}")
        super().__init__(
            design,
            checked_int(frames, "frames", 2),
            checked_int(swap, "swap"),
            geometry,
            None if tables is None else checked_int(tables, "tables", 1),
            one_of("file_index", file_index, ("list", "tree")),
        )

    def spawn(self, name: str | None = None) -> Task:
        """Start a process with an empty address space, in a group of its own."""
        task = Task(self, self.new_name(name))
        spawn(self, task)
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
        file = self.add_file(name, file_npages(npages), writable=writable)
        self.step("file", n=npages, what=name)
        return file

    def truncate(self, file: File, npages: int) -> None:
        """Make `file` `npages` pages long; what lay beyond is gone, private copies included."""
        truncate(self, self.own_file(file), file_npages(npages))

    def reclaim(self, nframes: int) -> int:
        """Free up to `nframes` frames as if memory were short; return how many were freed
        (try_to_free_pages)."""
        freed = shrink(self, checked_int(nframes, "nframes"))
        self.step("reclaim", n=freed)
        return freed

    def page_referenced(self, pfn: int) -> bool:
        """Walk frame `pfn` and return whether it was used since the last time; designs put their
        things in order on the way (the chain of one entry, the page of a zombie)."""
        return referenced(self, self.checked_pfn(pfn))

    def swapoff(self) -> None:
        """Bring every swapped page back and stop using swap; OutOfMemory if that does not fit."""
        swapoff(self)

    def mappers(self, pfn: int) -> list[tuple[Task, int]]:
        """Return (process, byte address) of every mapping of frame `pfn`, found through the
        reverse map. An address space that several processes share names its first one."""
        hits = walk(self, self.checked_pfn(pfn))
        newest_first = reversed(self.processes.values())
        first = {task.mm.number: task for task in newest_first if task.mm is not None}
        return [
            (first[mm], vpn << PAGE_SHIFT)
            for mm, vpn in zip(hits.mms.tolist(), hits.vpns.tolist(), strict=True)
        ]

    def page(self, pfn: int) -> Page:
        """Return a read-only view of frame `pfn`."""
        return page_view(self, self.checked_pfn(pfn))

    def checked_pfn(self, pfn: Any) -> int:
        """Return `pfn` if there is such a frame; TypeError or ValueError if not."""
        number = checked_int(pfn, "pfn")
        if number >= self.mem_map.nframes:
            raise ValueError(f"pfn must be < {self.mem_map.nframes}, got {number}")
        return number
