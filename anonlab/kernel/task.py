"""A process as people hold it: its system calls and memory accesses, as methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from anonlab.errors import InvalidArgument, OutOfMemory, SegmentationFault
from anonlab.formats.templates import short
from anonlab.kernel import exec_exit, mapping, pin
from anonlab.kernel.arguments import (
    UserRange,
    aligned_vpn,
    checked_int,
    content_tags,
    mm_of,
    npages_of,
    range_of,
)
from anonlab.kernel.fork import fork
from anonlab.kernel.state import KernelState
from anonlab.kernel.swap.reclaim import swap_out
from anonlab.kernel.syscalls import SYSCALLS
from anonlab.kernel.views import Page, page_view
from anonlab.machine.tables import Span
from anonlab.machine.words import (
    PAGE_MASK,
    PAGE_SHIFT,
    PAGE_SIZE,
    PG_DIRTY,
    PTE_PRESENT,
    PTE_SHIFT,
    SHIFT,
    Ints,
    Pfns,
)
from anonlab.mm import File, Process, prot_of

_DIRTY = np.array(PG_DIRTY, dtype=np.int64)
MOST_PAGES = 1 << 24
"""Pages that one access may name: 64 GiB. More would not fit the arrays that carry it."""


class Task(Process):
    """A process of a running kernel. Addresses and lengths are in bytes.

    Calls fail as on Linux: with an errno of the SimulatedError family, or a signal; with
    ValueError or TypeError where no program could have asked that. A call that fails leaves the
    machine as it was; under a design of today it may have done a part, which its message says.
    """

    def __init__(self, kernel: KernelState, name: str, parent: Process | None = None) -> None:
        super().__init__(name, parent)
        self.kernel = kernel
        self.syscalls = SYSCALLS[kernel.design.syscalls]

    # Memory

    def read(self, address: int) -> int:
        """Return the content tag of the page at byte `address`; fault it in if needed."""
        return int(self.read_range(checked_int(address, "address") & ~PAGE_MASK, PAGE_SIZE)[0])

    def write(self, address: int, value: int) -> None:
        """Store `value` as the content tag of the page at byte `address`; fault as needed."""
        self.write_range(checked_int(address, "address") & ~PAGE_MASK, [value])

    def read_range(self, address: int, length: int) -> Ints:
        """Return the content tags of the pages of a page-aligned range, int64[npages]."""
        pages = self.pages_of("read", address, length)
        spans = self.syscalls.read_pages(self.kernel, pages)
        tags = self.kernel.mem_map.data[pfns_of(spans)]
        self.kernel.step("read", self, pages.vpns)
        return tags

    def write_range(self, address: int, values: Sequence[int] | Ints) -> None:
        """Store `values`, one content tag per page (any int64), from page-aligned `address` on."""
        tags = content_tags(values)
        pages = self.pages_of("write", address, tags.size * PAGE_SIZE)
        spans = self.syscalls.write_pages(self.kernel, pages)
        mem, pfns = self.kernel.mem_map, pfns_of(spans)
        mem.data[pfns] = tags
        mem.flags[pfns] = mem.flags[pfns] | _DIRTY
        if self.kernel.recorder is not None:  # who looks wants to read what was written
            ends = tags[[0, -1]] if tags.size > 1 else tags
            self.kernel.step(
                "write", self, pages.vpns, what=" and ".join(map(short, ends.tolist()))
            )

    def pages_of(self, call: str, address: Any, length: Any) -> UserRange:
        """Return a range that `call` would access, or raise what `call` raises for a range that can
        be no memory of this process."""
        geometry = self.kernel.geometry
        pages = range_of(self, call, geometry, address, length, SegmentationFault)
        if pages.end_vpn - pages.start_vpn > MOST_PAGES:
            raise ValueError(
                f"{call} takes at most {MOST_PAGES} pages at a time, got {length} bytes"
            )
        return pages

    def page(self, address: int) -> Page | None:
        """Return a view of the page mapped at byte `address`, or None; nothing is faulted in."""
        mm = mm_of(self, "page")
        vpn = checked_int(address, "address") >> PAGE_SHIFT
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
        mm, npages = mm_of(self, "mmap"), npages_of(self, "mmap", length)
        if file is not None:
            self.kernel.own_file(file)
        pgoff = aligned_vpn(self, "mmap", offset, "offset")
        wanted = mapping.Wanted(npages, prot_of(prot), shared, file, pgoff, growsdown)
        start_vpn = None if at is None else aligned_vpn(self, "mmap", at)
        return mapping.mmap(self.kernel, self, mm, wanted, start_vpn, fixed) << PAGE_SHIFT

    def munmap(self, address: int, length: int) -> None:
        """Unmap a range; VMAs are split where needed, holes are fine."""
        geometry = self.kernel.geometry
        pages = range_of(self, "munmap", geometry, address, length, InvalidArgument)
        mapping.munmap(self.kernel, pages)

    def mprotect(self, address: int, length: int, prot: str) -> None:
        """Change the protection of a range that is mapped throughout."""
        bits = prot_of(prot)
        pages = self._some("mprotect", address, length)
        if pages.vpns:
            self.syscalls.mprotect(self.kernel, pages, bits)

    def mremap(
        self,
        address: int,
        length: int,
        new_length: int | None = None,
        *,
        new: int | None = None,
        dontunmap: bool = False,
    ) -> int:
        """Shrink, grow or move a range inside one VMA, or move several; return its address.

        new        page-aligned destination, replacing what is there (MREMAP_FIXED); None grows in
                   place where possible and else lets the kernel choose
        dontunmap  the old range stays mapped, but empty (MREMAP_DONTUNMAP)
        """
        mm, start_vpn = mm_of(self, "mremap"), aligned_vpn(self, "mremap", address)
        empty = checked_int(length, "mremap length") == 0  # of a shared mapping: once more
        old_npages = 0 if empty else npages_of(self, "mremap", length)
        npages = old_npages if new_length is None else npages_of(self, "mremap", new_length)
        if npages == 0:
            raise InvalidArgument(f"{self.name}: EINVAL: mremap to length 0; munmap does that")
        limit = self.kernel.geometry.task_npages
        beyond = start_vpn + old_npages if npages < old_npages else 0  # what shrinking unmaps
        if max(npages, beyond) > limit:
            raise InvalidArgument(
                f"{self.name}: EINVAL: mremap of {old_npages} -> {npages} pages at "
                f"{start_vpn << PAGE_SHIFT:#x} leaves user space, which has {limit}"
            )
        new_vpn = None if new is None else aligned_vpn(self, "mremap", new, "new address")
        vpn = self.syscalls.mremap(
            self.kernel, self, mm, start_vpn, old_npages, npages, new_vpn, dontunmap
        )
        return vpn << PAGE_SHIFT

    def madvise(self, address: int, length: int, advice: str = "dontneed") -> None:
        """Drop the pages of a range; the next touch finds zeros, or the file."""
        mm_of(self, "madvise")
        if advice != "dontneed":
            raise ValueError(f"advice is 'dontneed'; {advice!r} is not part of this machine")
        pages = self._some("madvise", address, length)
        if pages.vpns:
            self.syscalls.madvise_dontneed(self.kernel, pages)

    def brk(self, address: int = 0) -> int:
        """Move the end of the heap to `address`; return where it is. 0 only asks."""
        mm = mm_of(self, "brk")
        mapping.brk(self.kernel, self, mm, checked_int(address, "brk address"))
        return mm.brk << PAGE_SHIFT

    def mlock(self, address: int, length: int) -> None:
        """Fault the pages of a range in and keep them in memory."""
        pages = self._touched("mlock", address, length)
        if pages.vpns:
            self.syscalls.mlock(self.kernel, pages)

    def munlock(self, address: int, length: int) -> None:
        """Let the pages of a range be swapped out again."""
        pages = self._touched("munlock", address, length)
        if pages.vpns:
            self.syscalls.munlock(self.kernel, pages)

    def pin(self, address: int, length: int = PAGE_SIZE) -> list[int]:
        """Let a device hold the pages of a range; return their frame numbers."""
        return pin.pin(self.kernel, self.pages_of("pin", address, length))

    def pin_to_read(self, address: int, length: int = PAGE_SIZE) -> list[int]:
        """Let somebody hold the pages of a range who only reads them; return their frame numbers.
        A page that is shared stays shared: `pin` would copy it first."""
        return pin.pin_to_read(self.kernel, self.pages_of("pin_to_read", address, length))

    def unpin(self, address: int, length: int = PAGE_SIZE) -> None:
        """Let the device drop the pages that were last pinned at a range."""
        pin.unpin(self.kernel, self.pages_of("unpin", address, length))

    def swap_out(self, address: int, length: int = PAGE_SIZE) -> int:
        """Swap the pages of a range out, wherever they are mapped; return the frames freed."""
        return swap_out(self.kernel, self.pages_of("swap_out", address, length))

    def _some(self, call: str, address: Any, length: Any) -> UserRange:
        """Return the range that `call` is about, which may be empty; ENOMEM outside user space."""
        geometry = self.kernel.geometry
        if checked_int(length, f"{call} length") == 0:
            vpn = aligned_vpn(self, call, address)
            return UserRange(self, mm_of(self, call), vpn, vpn)
        return range_of(self, call, geometry, address, length, OutOfMemory)

    def _touched(self, call: str, address: Any, length: Any) -> UserRange:
        """Return the pages that a range of bytes lies in, maybe none (mlock rounds both ends)."""
        first = checked_int(address, f"{call} address")
        nbytes = checked_int(length, f"{call} length") + (first & PAGE_MASK)
        return self._some(call, first & ~PAGE_MASK, nbytes)

    # Processes

    def fork(self, name: str | None = None) -> Task:
        """Return a child with a copy of this address space; private pages are shared until
        somebody writes."""
        mm = mm_of(self, "fork")
        child = Task(self.kernel, self.kernel.new_name(name), self)
        fork(self.kernel, self, mm, child)
        self.kernel.step("fork", child)
        return child

    def vfork(self, name: str | None = None) -> Task:
        """Return a child that runs in this very address space until it calls execve or exit."""
        return self._share_mm("vfork", name)

    def clone_vm(self, name: str | None = None) -> Task:
        """Return a thread: a process that shares this address space for good (CLONE_VM)."""
        return self._share_mm("clone_vm", name)

    def _share_mm(self, call: str, name: str | None) -> Task:
        mm = mm_of(self, call)
        child = Task(self.kernel, self.kernel.new_name(name), self)
        exec_exit.share_mm(self.kernel, mm, child)
        self.kernel.step(call, child)
        return child

    def execve(self, program: str, args: int = 2) -> None:
        """Become `program`: an empty address space in a new group, with `args` written pages of
        arguments and stack at its top."""
        if not isinstance(program, str) or not program:
            raise TypeError(f"program is a non-empty text, got {program!r}")
        mm, npages = mm_of(self, "execve"), checked_int(args, "args", 1)
        most = self.kernel.stack_npages
        if npages > most:
            raise ValueError(f"args must be <= {most} pages, the stack limit, got {npages}")
        exec_exit.execve(self.kernel, self, mm, program, npages)
        self.kernel.step("execve", self, what=program)

    def exit(self) -> None:
        """End this process. A second exit raises NoSuchProcess."""
        exec_exit.exit_process(self.kernel, self, mm_of(self, "exit"))
        self.kernel.step("exit", self)


def pfns_of(spans: list[Span]) -> Pfns:
    """Return the frames that the words of the spans map, int64[n]."""
    words = spans[0].words if len(spans) == 1 else np.concatenate([each.words for each in spans])
    pfns: Pfns = words >> SHIFT
    return pfns
