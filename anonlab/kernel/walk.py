"""The walk: from a page to the page-table words that map it (rmap_walk)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from anonlab.kernel.state import KernelState
from anonlab.machine.words import PG_ANON, PTE_PRESENT, PTE_SHIFT, Ints, Rows, Slots, Vpns
from anonlab.rmap import Candidates, file_pages

NOWHERE = Candidates(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


class Hits(NamedTuple):
    """Where a page is mapped, or many, one after the other, in walking order.

    mms, vpns, rows, slots  int64[n] each: mm numbers, page numbers, and the words' places
    ends, candidates        for each page: where its hits end, how many places the reverse map named
    """

    mms: Ints
    vpns: Vpns
    rows: Rows
    slots: Slots
    ends: Sequence[int] = ()
    candidates: Sequence[int] = ()

    def part(self, start: int, end: int) -> Hits:
        """Return the hits from `start` up to `end`."""
        mms, vpns, rows, slots = self[:4]
        return Hits(mms[start:end], vpns[start:end], rows[start:end], slots[start:end])

    def each(self) -> list[Hits]:
        """Return the hits of each page."""
        return [self.part(*ends) for ends in pairwise((0, *self.ends))]


def walk(kernel: KernelState, pfn: int) -> Hits:
    """Find the words that map `pfn` through its reverse map, in walking order."""
    return walk_each(kernel, [pfn])


def walk_each(kernel: KernelState, pfns: list[int]) -> Hits:
    """Walk from each of `pfns`, one or more.

    The design (or the file) names candidates, and one gather probes those of all pages in the page
    tables; a candidate that maps another page, or nothing, is no hit. With early stop only the
    candidates up to the last mapping count as visited.
    """
    places = [places_of(kernel, pfn) for pfn in pfns]
    sizes = [each.mms.size for each in places]
    mms = np.concatenate([each.mms for each in places])
    vpns = np.concatenate([each.vpns for each in places])
    rows, slots = kernel.tables.leaf(kernel.mm_table.pgd[mms], vpns)
    words = kernel.tables.words[rows, slots]
    hit = np.flatnonzero(words >> PTE_SHIFT == np.repeat(np.array(pfns), sizes))
    hit = hit[(words[hit] & PTE_PRESENT) != 0]
    design, mapcount = kernel.design, kernel.mem_map.mapcount
    ends = np.searchsorted(hit, np.cumsum(sizes)).tolist()
    start = begin = 0
    for pfn, size, end, each in zip(pfns, sizes, ends, places, strict=True):
        stops = design.early_stop and end - begin == mapcount[pfn] > 0
        probed = int(hit[end - 1]) + 1 - start if stops else size
        design.cost.nodes += (
            probed if each.nodes is None else int(each.nodes[probed - 1 if stops else size])
        )
        design.cost.probes += probed
        start, begin = start + size, end
    design.cost.hits += hit.size
    return Hits(mms[hit], vpns[hit], rows[hit], slots[hit], ends, sizes)


def places_of(kernel: KernelState, pfn: int) -> Candidates:
    """Return where the design, or the file, says that `pfn` may be mapped."""
    mem, design = kernel.mem_map, kernel.design
    if mem.mapcount[pfn] == 0:
        return NOWHERE
    if mem.flags[pfn] & PG_ANON:
        design.cost.locks += 1
        return design.candidates(pfn)
    file = kernel.file_of(int(mem.mapping[pfn]))
    assert file is not None, f"pfn {pfn} is mapped, but belongs to no group and no file"
    return file_pages.candidates(file, int(mem.index[pfn]), kernel.file_index)
