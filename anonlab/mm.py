"""What the kernel keeps of a process and of a file: VMAs, address spaces, files, processes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from anonlab.machine.words import PTE_PRESENT, PTE_USER, PTE_WRITE, Geometry, Ints, Vpns

VM_READ = 1
VM_WRITE = 2
VM_EXEC = 4
VM_ANY = VM_READ | VM_WRITE | VM_EXEC
_LETTERS = ((VM_READ, "r"), (VM_WRITE, "w"), (VM_EXEC, "x"))


def prot_of(text: str) -> int:
    """Return the VM_ bits of 'r', 'rw', 'rx', … or 'none'; ValueError for anything else."""
    letters = "" if text == "none" else text
    if not isinstance(text, str) or text == "" or letters.strip("rwx-"):
        raise ValueError(f"prot is some of the letters r, w, x, or 'none', got {text!r}")
    return VM_READ * ("r" in letters) | VM_WRITE * ("w" in letters) | VM_EXEC * ("x" in letters)


@cache
def prot_letters(prot: int) -> str:
    """Write VM_ bits as in /proc/PID/maps: 'rw-'."""
    return "".join(letter if prot & bit else "-" for bit, letter in _LETTERS)


@dataclass(eq=False)
class Vma:
    """Pages [start_vpn, end_vpn) of one address space (struct vm_area_struct).

    pgoff   for a file: file offset, in pages, of start_vpn; for anonymous memory what the design
            makes of it (start_vpn when nothing else is wanted)
    shared  MAP_SHARED: writes go to the file's own pages
    accounted   counts against the memory there is (VM_ACCOUNT): private, and writable or once so;
            VMAs that differ in it do not merge
    written may have pages of its own: it has an anon_vma, where the design has such a thing
    rmap    what the reverse-map design keeps here (anon_vma); the kernel only carries it
    number  its name among the VMAs that `mm` has had, from 1
    Two VMAs are the same only if they are the same object.
    """

    mm: Mm
    start_vpn: int
    end_vpn: int
    prot: int
    shared: bool = False
    file: File | None = None
    pgoff: int = 0
    locked: bool = False
    growsdown: bool = False
    accounted: bool = field(init=False)
    written: bool = False
    rmap: Any = None
    number: int = field(init=False)

    def __post_init__(self) -> None:
        self.mm.nvmas += 1
        self.number = self.mm.nvmas
        self.accounted = not self.shared and bool(self.prot & VM_WRITE)

    @property
    def npages(self) -> int:
        """Length in pages."""
        return self.end_vpn - self.start_vpn

    @property
    def writable(self) -> bool:
        """True if the program may write here."""
        return bool(self.prot & VM_WRITE)

    @property
    def page_bits(self) -> int:
        """PTE bits of a page that is mapped here without a write fault (vm_page_prot): private
        pages start write-protected, so that a write is seen first."""
        bits = PTE_PRESENT | (PTE_USER if self.prot else 0)
        return bits | (PTE_WRITE if self.shared and self.writable else 0)

    def pgoffs(self, vpns: Vpns) -> Ints:
        """Return the offsets in the file of the pages at `vpns`, int64[n] (linear_page_index)."""
        return vpns - self.start_vpn + self.pgoff

    def is_mergeable_with(self, upper: Vma) -> bool:
        """Return whether `upper` begins where this VMA ends and has the same file, offsets and
        flags: what can_vma_merge asks of two VMAs, but for access rights and the reverse map."""
        return (
            self.end_vpn == upper.start_vpn
            and self.file is upper.file
            and self.shared == upper.shared
            and self.locked == upper.locked
            and self.growsdown == upper.growsdown
            and self.accounted == upper.accounted
            and self.pgoff + self.npages == upper.pgoff
        )

    def __repr__(self) -> str:
        geometry = self.mm.geometry
        what = f" {self.file.name}+{self.pgoff}" if self.file else ""
        return (
            f"<Vma {geometry.address(self.start_vpn)}-{geometry.address(self.end_vpn)} "
            f"{prot_letters(self.prot)}{'s' if self.shared else 'p'}{what}>"
        )


class Mm:
    """One address space.

    number  its id, from 1, never used twice
    pgd     row of its top page table
    vmas    ascending by address, never overlapping; `starts` are their first pages
    nvmas   VMAs that it has had so far
    users   processes that run in it (mm_users); 0 = gone
    start_brk, brk  bounds of the heap, in pages
    version changes whenever its list of VMAs, or what one of them says, does
    rmap    what the reverse-map design keeps per mm (its group); the kernel only carries it
    """

    def __init__(self, number: int, pgd: int, geometry: Geometry) -> None:
        self.number = number
        self.pgd = pgd
        self.geometry = geometry
        self.vmas: list[Vma] = []
        self.starts: list[int] = []
        self.nvmas = 0
        self.version = 0
        self.users = 1
        self.start_brk = 0
        self.brk = 0
        self.rmap: Any = None

    def find_vma(self, vpn: int) -> Vma | None:
        """Return the VMA that contains page `vpn`, or None."""
        at = bisect_right(self.starts, vpn) - 1
        return self.vmas[at] if at >= 0 and vpn < self.vmas[at].end_vpn else None

    def next_vma(self, vpn: int) -> Vma | None:
        """Return the first VMA that ends above page `vpn` (the kernel's find_vma), or None."""
        at = bisect_right(self.starts, vpn)
        if at and vpn < self.vmas[at - 1].end_vpn:
            return self.vmas[at - 1]
        return self.vmas[at] if at < len(self.vmas) else None

    def overlapping(self, start_vpn: int, end_vpn: int) -> list[Vma]:
        """Return the VMAs that have pages in [start_vpn, end_vpn), ascending."""
        first = bisect_right(self.starts, start_vpn)
        last = bisect_left(self.starts, end_vpn, first)
        if first and self.vmas[first - 1].end_vpn > start_vpn:
            first -= 1
        return self.vmas[first:last]

    def first_hole(self, start_vpn: int, end_vpn: int) -> int | None:
        """Return the first page of [start_vpn, end_vpn) that no VMA covers, or None."""
        vpn = start_vpn
        for vma in self.overlapping(start_vpn, end_vpn):
            if vma.start_vpn > vpn:
                return vpn
            vpn = vma.end_vpn
        return vpn if vpn < end_vpn else None

    def insert(self, vma: Vma) -> None:
        """Put `vma` on the list; its pages are free."""
        at = bisect_right(self.starts, vma.start_vpn)
        self.vmas.insert(at, vma)
        self.starts.insert(at, vma.start_vpn)
        self.version += 1

    def remove(self, vma: Vma) -> None:
        """Take `vma` off the list."""
        at = self.vmas.index(vma)
        del self.vmas[at], self.starts[at]
        self.version += 1

    def __repr__(self) -> str:
        return f"<Mm {self.number}: {len(self.vmas)} VMAs, {self.users} users>"


class File:
    """A file, or the nameless object behind shared anonymous memory (shmem).

    mapping  the number that its pages carry in mem_map.mapping, < 0 (designs use numbers > 0)
    writable its mode: a file that is not can only be mapped privately or read-only
    npages   its length in pages; touching beyond it is SIGBUS
    cache    int64[npages], pfn of each cached page, 0 where the page is not in memory
    store    int64[npages], content tags on disk; a shmem object has no disk
    slots    int64[npages], swap slot of each page of a shmem object that was swapped out, else 0
    vmas     i_mmap: the VMAs that map the file, oldest first
    version  changes whenever `cache`, `slots` or `npages` do
    """

    def __init__(
        self, name: str, mapping: int, npages: int, shmem: bool = False, writable: bool = True
    ) -> None:
        self.name = name
        self.mapping = mapping
        self.npages = npages
        self.shmem = shmem
        self.writable = writable
        self.cache: Ints = np.zeros(npages, dtype=np.int64)
        self.slots: Ints = np.zeros(npages, dtype=np.int64)
        # Every page of a file on disk has contents of its own, so that mixed-up pages show.
        self.store: Ints = np.zeros(npages, dtype=np.int64)
        if not shmem:
            self.store += -mapping << 32 | np.arange(1, npages + 1)
        self.vmas: dict[Vma, None] = {}
        self.version = 0

    def resize(self, npages: int) -> None:
        """Make the file `npages` long; new pages are empty, pages cut off are already forgotten."""
        for name in ("cache", "slots", "store"):
            column = np.zeros(npages, dtype=np.int64)
            kept = getattr(self, name)[:npages]
            column[: kept.size] = kept
            setattr(self, name, column)
        self.npages = npages
        self.version += 1

    def __repr__(self) -> str:
        return f"<File {self.name}: {self.npages} pages>"


class Process:
    """One process. `mm` is None before its birth and once it has exited; execve replaces it, vfork
    and threads share it.

    pid      given at its birth, from 1
    parent   the name of who made it, '' for nobody
    program  what its last execve, or an ancestor's, named; '' if there was none
    """

    def __init__(self, name: str, parent: Process | None = None) -> None:
        self.name = name
        self.pid = 0
        self.parent = parent.name if parent else ""
        self.program: str = parent.program if parent else ""
        self.mm: Mm | None = None

    @property
    def alive(self) -> bool:
        """False once the process has exited."""
        return self.mm is not None

    def __repr__(self) -> str:
        return f"<Process {self.name}, pid {self.pid}{'' if self.alive else ', gone'}>"


class MmTable:
    """Columns int64[n], indexed by the number of an address space; row 0 belongs to none.

    pgd  row of its top page table, 0 once it is gone
    rss  pages of memory that it maps, the zero page left out (mm->rss)
    """

    def __init__(self) -> None:
        self.pgd, self.rss = np.zeros((2, 8), dtype=np.int64)

    def add(self, number: int, pgd: int) -> None:
        """Take up address space `number`."""
        if number >= self.pgd.size:
            for name in ("pgd", "rss"):
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
        self.pgd[number] = pgd

    def drop(self, number: int) -> None:
        """Forget address space `number`, which maps nothing any more."""
        self.pgd[number] = 0
