"""What a reverse-map design costs, as counts."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass
class Cost:
    """Counters since the kernel started; the same for all designs.

    nodes    elements of the design's own structure visited in walks
    probes   page-table walks at one (mm, va), successful or not
    hits     probes that found the page
    allocs, frees    objects of the reverse map made and given back
    links, unlinks   list insertions and removals
    locks    lock acquisitions
    vma_finds        find_vma calls made only because the design has no VMA at hand
    copies_cow, copies_mremap, copies_swapin_clash   pages copied, by cause
    """

    nodes: int = 0
    probes: int = 0
    hits: int = 0
    allocs: int = 0
    frees: int = 0
    links: int = 0
    unlinks: int = 0
    locks: int = 0
    vma_finds: int = 0
    copies_cow: int = 0
    copies_mremap: int = 0
    copies_swapin_clash: int = 0

    def items(self) -> tuple[tuple[str, int], ...]:
        """Return (name, count) pairs in the order above."""
        return tuple((entry.name, getattr(self, entry.name)) for entry in fields(self))
