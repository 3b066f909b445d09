"""What a reverse-map design costs, as counts."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass
class Cost:
    """Counters since the kernel started; the same for all designs.

    nodes    elements of the design's own structure visited: by walks, and by the searches of
             pte_chain when a mapping goes; steps inside a balanced tree do not count
    probes   page-table walks at one (mm, va), successful or not
    hits     probes that found the page
    allocs, frees    objects of the reverse map made and given back
    bytes32, bytes64 what the design's objects take now, on a 32-bit and on a 64-bit machine: a
             level, not a sum, so it falls again
    links, unlinks   list and tree insertions and removals
    locks    acquisitions of the design's own locks (see Rmap.lock)
    vma_finds        find_vma calls made only because the design has no VMA at hand
    copies_cow, copies_mremap, copies_swapin_clash, copies_fork_pin   pages copied, by cause
    """

    nodes: int = 0
    probes: int = 0
    hits: int = 0
    allocs: int = 0
    frees: int = 0
    bytes32: int = 0
    bytes64: int = 0
    links: int = 0
    unlinks: int = 0
    locks: int = 0
    vma_finds: int = 0
    copies_cow: int = 0
    copies_mremap: int = 0
    copies_swapin_clash: int = 0
    copies_fork_pin: int = 0

    def items(self) -> tuple[tuple[str, int], ...]:
        """Return (name, count) pairs in the order above."""
        return tuple((name, getattr(self, name)) for name in NAMES)


NAMES = tuple(entry.name for entry in fields(Cost))
"""The counters by name, in order."""
