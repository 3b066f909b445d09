"""A process as people hold it: its system calls and memory accesses, as methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from anonlab.errors import SegmentationFault
from anonlab.kernel import fault, mapping, mremap, pin, process, reclaim
from anonlab.kernel.arguments import content_tags, mm_of, range_of, whole
from anonlab.kernel.views import Page, page_view
from anonlab.machine.words import (
    PAGE_MASK,
    PAGE_SHIFT,
    PAGE_SIZE,
    PG_DIRTY,
    PTE_PRESENT,
    PTE_SHIFT,
    Ints,
)
from anonlab.mm import File, Mm, Process

if TYPE_CHECKING:
    from anonlab.kernel.kernel import Kernel

MOST_PAGES = 1 << 24
"""Pages that one access may name: 64 GiB. More would not fit the arrays that carry it."""


class Task(Process):
    """A process of a running kernel. Addresses and lengths are in bytes.

    Calls fail as on Linux: with an errno of the SimulatedError family, or a signal; with
    ValueError or TypeError where no program could have asked that. A call that fails leaves the
    machine as it was.
    """

    def __init__(
        self, kernel: Kernel, name: str, pid: int, parent: str, mm: Mm, program: str
    ) -> None:
        super().__init__(name, pid, parent, mm, program)
        self.kernel = kernel

    # Memory

    def read(self, address: int) -> int:
        """Return the content tag of the page at byte `address`; fault it in if needed."""
        return int(self.read_range(whole(address, "address") & ~PAGE_MASK, PAGE_SIZE)[0])

    def write(self, address: int, value: int) -> None:
        """Store `value` as the content tag of the page at byte `address`; fault as needed."""
        self.write_range(whole(address, "address") & ~PAGE_MASK, [value])

    def read_range(self, address: int, length: int) -> Ints:
        """Return the content tags of the pages of a page-aligned range, int64[npages]."""
        pages = self.pages_of("read", address, length)
        spans = fault.access(self.kernel, self, *pages, write=False)
        tags = self.kernel.mem_map.data[_pfns(spans)]
        self.kernel.step("read", self, range(*pages))
        return tags

    def write_range(self, address: int, values: Sequence[int] | Ints) -> None:
        """Store `values`, one content tag per page (any int64), from page-aligned `address` on."""
        tags = content_tags(values)
        pages = self.pages_of("write", address, tags.size * PAGE_SIZE)
        spans = fault.access(self.kernel, self, *pages, write=True)
        mem, pfns = self.kernel.mem_map, _pfns(spans)
        mem.data[pfns] = tags
        mem.flags[pfns] |= PG_DIRTY
        self.kernel.step("write", self, range(*pages))

    def pages_of(self, call: str, address: Any, length: Any) -> tuple[int, int]:
        """Return (start_vpn, end_vpn) of a range that `call` would access, or raise what `call`
        raises for a range that can be no memory of this process."""
        mm_of(self, call)
        pages = range_of(self, call, self.kernel.geometry, address, length, SegmentationFault)
        if pages[1] - pages[0] > MOST_PAGES:
            raise ValueError(
                f"{call} takes at most {MOST_PAGES} pages at a time, got {length} bytes"
            )
        return pages

    def page(self, address: int) -> Page | None:
        """Return a view of the page mapped at byte `address`, or None; nothing is faulted in."""
        mm = mm_of(self, "page")
        vpn = whole(address, "address") >> PAGE_SHIFT
        if vpn >= self.kernel.geometry.npages:
            return None
        word = int(self.kernel.tables.lookup(mm.pgd, vpn))
        return page_view(self.kernel, word >> PTE_SHIFT) if word & PTE_PRESENT else None

    # Mappings

    def mmap(
        self,
        length: int,
        at: int | None = None,
        prot: str = "rw",
        shared: bool = False,
        file: File | None = None,
        offset: int = 0,
        fixed: bool = False,
        growsdown: bool = False,
    ) -> int:
        """Map `length` bytes and return their address.

        at        page-aligned address; None lets the kernel choose. Occupied: AddressInUse, unless
                  `fixed`, which replaces what is there (MAP_FIXED)
        prot      some of 'rwx', or 'none'
        shared    MAP_SHARED; without a file: memory shared with later children
        file      a File of this kernel; `offset` is the byte offset in it
        growsdown a stack (MAP_GROWSDOWN)
        """
        if file is not None:
            self.kernel.own_file(file)
        return mapping.mmap(
            self.kernel, self, length, at, prot, shared, file, offset, fixed, growsdown
        )

    def munmap(self, address: int, length: int) -> None:
        """Unmap a range; VMAs are split where needed, holes are fine."""
        mapping.munmap(self.kernel, self, address, length)

    def mprotect(self, address: int, length: int, prot: str) -> None:
        """Change the protection of a range that is mapped throughout."""
        mapping.mprotect(self.kernel, self, address, length, prot)

    def mremap(
        self,
        address: int,
        length: int,
        new_length: int | None = None,
        *,
        new: int | None = None,
        dontunmap: bool = False,
    ) -> int:
        """Shrink, grow or move a range inside one VMA; return its address.

        new        page-aligned destination, replacing what is there (MREMAP_FIXED); None grows in
                   place where possible and else lets the kernel choose
        dontunmap  the old range stays mapped, but empty (MREMAP_DONTUNMAP)
        """
        return mremap.mremap(self.kernel, self, address, length, new_length, new, dontunmap)

    def madvise(self, address: int, length: int, advice: str = "dontneed") -> None:
        """Drop the pages of a range; the next touch finds zeros, or the file."""
        mapping.madvise(self.kernel, self, address, length, advice)

    def brk(self, address: int = 0) -> int:
        """Move the end of the heap to `address`; return where it is. 0 only asks."""
        return mapping.brk(self.kernel, self, address)

    def mlock(self, address: int, length: int) -> None:
        """Fault a range in and keep it in memory."""
        mapping.mlock(self.kernel, self, address, length)

    def munlock(self, address: int, length: int) -> None:
        """Let a range be swapped out again."""
        mapping.munlock(self.kernel, self, address, length)

    def pin(self, address: int, length: int = PAGE_SIZE) -> list[int]:
        """Let a device hold the pages of a range; return their frame numbers."""
        return pin.pin(self.kernel, self, *self.pages_of("pin", address, length))

    def unpin(self, address: int, length: int = PAGE_SIZE) -> None:
        """Let the device drop the pages that were last pinned at a range."""
        pin.unpin(self.kernel, self, *self.pages_of("unpin", address, length))

    def swap_out(self, address: int, length: int = PAGE_SIZE) -> int:
        """Swap the pages of a range out, wherever they are mapped; return the frames freed."""
        return reclaim.swap_out(self.kernel, self, *self.pages_of("swap_out", address, length))

    # Processes

    def fork(self, name: str | None = None) -> Task:
        """Return a child with a copy of this address space; private pages are shared until
        somebody writes."""
        mm_of(self, "fork")
        name = self.kernel._new_name(name)
        process.fork(self.kernel, self, name)
        child = self.kernel.processes[name]
        self.kernel.step("fork", child)
        return child

    def vfork(self, name: str | None = None) -> Task:
        """Return a child that runs in this very address space until it calls execve or exit."""
        return self._borrow("vfork", name)

    def clone_vm(self, name: str | None = None) -> Task:
        """Return a thread: a process that shares this address space for good (CLONE_VM)."""
        return self._borrow("clone_vm", name)

    def _borrow(self, call: str, name: str | None) -> Task:
        mm_of(self, call)
        name = self.kernel._new_name(name)
        child = self.kernel.attach(name, process.borrow(self, call), self)
        self.kernel.step(call, child)
        return child

    def execve(self, program: str, args: int = 2) -> None:
        """Become `program`: an empty address space in a new group, with `args` written pages of
        arguments and stack at its top."""
        if not isinstance(program, str) or not program:
            raise TypeError(f"program is a non-empty text, got {program!r}")
        process.execve(self.kernel, self, program, args)
        self.kernel.step("execve", self, what=program)

    def exit(self) -> None:
        """End this process. A second exit raises NoSuchProcess."""
        process.exit_process(self.kernel, self)
        self.kernel.step("exit", self)


def _pfns(spans: list[Any]) -> Ints:
    """Return the frames that the words of the spans map, int64[n]."""
    if len(spans) == 1:
        pfns: Ints = spans[0].words >> PTE_SHIFT
        return pfns
    return np.concatenate([span.words for span in spans]) >> PTE_SHIFT
