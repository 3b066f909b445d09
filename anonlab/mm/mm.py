"""An address space: page tables and the ordered list of its VMAs (struct mm_struct)."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import Any

from anonlab.formats.words import Geometry
from anonlab.mm.vma import Vma


def _start(vma: Vma) -> int:
    return vma.start_vpn


class Mm:
    """One address space.

    number  its id, from 1, never used twice
    pgd     row of its top page table
    vmas    ascending by address, never overlapping
    nvmas   VMAs that it has had so far
    users   processes that run in it (mm_users); 0 = gone
    start_brk, brk  bounds of the heap, in pages
    rmap    what the reverse-map design keeps per mm (its group); the kernel only carries it
    """

    def __init__(self, number: int, pgd: int, geometry: Geometry) -> None:
        self.number = number
        self.pgd = pgd
        self.geometry = geometry
        self.vmas: list[Vma] = []
        self.nvmas = 0
        self.users = 1
        self.start_brk = 0
        self.brk = 0
        self.rmap: Any = None

    def find_vma(self, vpn: int) -> Vma | None:
        """Return the VMA that contains page `vpn`, or None."""
        at = bisect_right(self.vmas, vpn, key=_start) - 1
        return self.vmas[at] if at >= 0 and vpn < self.vmas[at].end_vpn else None

    def next_vma(self, vpn: int) -> Vma | None:
        """Return the first VMA that ends above page `vpn` (the kernel's find_vma), or None."""
        at = bisect_right(self.vmas, vpn, key=_start)
        if at and vpn < self.vmas[at - 1].end_vpn:
            return self.vmas[at - 1]
        return self.vmas[at] if at < len(self.vmas) else None

    def overlapping(self, start_vpn: int, end_vpn: int) -> list[Vma]:
        """Return the VMAs that have pages in [start_vpn, end_vpn), ascending."""
        first = bisect_right(self.vmas, start_vpn, key=_start)
        if first and self.vmas[first - 1].end_vpn > start_vpn:
            first -= 1
        last = first
        while last < len(self.vmas) and self.vmas[last].start_vpn < end_vpn:
            last += 1
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
        insort(self.vmas, vma, key=_start)

    def remove(self, vma: Vma) -> None:
        """Take `vma` off the list."""
        self.vmas.remove(vma)

    def __repr__(self) -> str:
        return f"<Mm {self.number}: {len(self.vmas)} VMAs, {self.users} users>"
