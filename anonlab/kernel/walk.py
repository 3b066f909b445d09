"""The walk: from a page to the page-table words that map it (rmap_walk)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anonlab.formats.words import PG_ANON, PTE_PRESENT, PTE_SHIFT, Ints, Rows, Slots, Vpns
from anonlab.rmap import file_pages

if TYPE_CHECKING:
    from anonlab.kernel.kernel import Kernel


@dataclass(frozen=True)
class Hits:
    """Where a page is mapped, int64[n] each: mm numbers, page numbers, and the words' places.

    `candidates` is how many places the reverse map named.
    """

    mms: Ints
    vpns: Vpns
    rows: Rows
    slots: Slots
    candidates: int = 0

    def first(self, n: int) -> Hits:
        """Return the first `n` hits."""
        return Hits(self.mms[:n], self.vpns[:n], self.rows[:n], self.slots[:n])


def walk(kernel: Kernel, pfn: int) -> Hits:
    """Find the words that map `pfn` through its reverse map, in walking order.

    The design (or the file) names candidates, and one gather probes them all in the page tables; a
    candidate that maps another page, or nothing, is no hit. With early stop only the candidates up
    to the last mapping count as visited.
    """
    mem, design = kernel.mem_map, kernel.design
    nothing = np.zeros(0, dtype=np.int64)
    if mem.mapcount[pfn] == 0:
        return Hits(nothing, nothing, nothing, nothing)
    if mem.flags[pfn] & PG_ANON:
        mms, vpns, nodes = design.candidates(pfn)
        design.cost.locks += 1
    else:
        file = kernel.file_of(int(mem.mapping[pfn]))
        assert file is not None, f"pfn {pfn} is mapped, but belongs to no group and no file"
        mms, vpns, nodes = file_pages.candidates(file, int(mem.index[pfn]), kernel.imap)
    rows, slots = kernel.tables.leaf(kernel.columns.pgd[mms], vpns)
    words = kernel.tables.words[rows, slots]
    hit = np.flatnonzero(words >> PTE_SHIFT == pfn)
    hit = hit[(words[hit] & PTE_PRESENT) != 0]
    probed = visited = mms.size
    if nodes is not None:
        visited = int(nodes[-1])
    if design.early_stop and hit.size == mem.mapcount[pfn]:
        probed = visited = int(hit[-1]) + 1
        visited = probed if nodes is None else int(nodes[probed - 1])
    design.cost.nodes += visited
    design.cost.probes += probed
    design.cost.hits += hit.size
    return Hits(mms[hit], vpns[hit], rows[hit], slots[hit], mms.size)
