"""What the reverse map does for a page, probe by probe, without counting as work done."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from anonlab.formats.deltas import Splice, splices
from anonlab.formats.snapshot import Probe, WalkFact
from anonlab.kernel.state import KernelState
from anonlab.kernel.walk import places_of, walk
from anonlab.machine.words import PTE_PRESENT, PTE_SHIFT, ZERO_PFN, Ints
from anonlab.recording.facts import mapping_names


def walks(kernel: KernelState, names: dict[int, str]) -> tuple[WalkFact, ...]:
    """Return the walk of every mapped page, ascending by pfn; the zero page has none.

    names  of the numbers in mem_map.mapping
    Every walk is really made, with the design's own early stop; its counters are put back.
    """
    mapped = (kernel.mem_map.mapcount > 0).nonzero()[0].tolist()
    return tuple(_walks_of(kernel, mapped, names))


def _walks_of(kernel: KernelState, pfns: Iterable[int], names: dict[int, str]) -> list[WalkFact]:
    """Return the walks of the mapped frames `pfns`, the zero page left out."""
    design = kernel.design
    kept = design.cost
    try:
        return [_walk(kernel, pfn, names) for pfn in pfns if pfn != ZERO_PFN]
    finally:
        design.cost = kept


class RecordedWalks:
    """The walks of one kernel's pages as they were last.

    What a walk finds depends on the structure of the design, the VMAs and files, on which address
    spaces have pages at all, and on the page itself: its row in mem_map and the words that map it.
    If only pages changed, only theirs are made again.
    """

    def __init__(self, kernel: KernelState) -> None:
        self.kernel = kernel
        self._last: dict[int, WalkFact] = {}
        self._resident = b""

    def changed(self, anew: bool, touched: tuple[Ints | None, ...]) -> list[Splice]:
        """Return the splices of the list of walks.

        anew     everything may be different
        touched  pfns whose row in mem_map changed; the page-table words that changed, as they were
                 and as they are; None where nothing did
        """
        kernel, mem = self.kernel, self.kernel.mem_map
        resident = (kernel.mm_table.rss > 0).tobytes()
        anew = anew or resident != self._resident
        self._resident = resident
        pfns, *words = touched
        if not anew and pfns is None and words[0] is None:
            return []
        names = dict(mapping_names(kernel))
        old = list(self._last.values())
        if anew:
            found = walks(kernel, names)
            self._last = {fact.pfn: fact for fact in found}
            return splices("walks", old, found)
        some = [np.zeros(0, np.int64) if pfns is None else pfns]
        some += [part[part & PTE_PRESENT != 0] >> PTE_SHIFT for part in words if part is not None]
        pages = np.unique(np.concatenate(some))
        pages = pages[pages < mem.nframes]  # words of upper levels name tables, not frames
        mapped = mem.mapcount[pages] > 0
        for pfn in pages[~mapped].tolist():
            self._last.pop(pfn, None)
        fresh = _walks_of(kernel, pages[mapped].tolist(), names)
        self._last |= {fact.pfn: fact for fact in fresh}
        self._last = dict(sorted(self._last.items()))
        return splices("walks", old, list(self._last.values()))


def _walk(kernel: KernelState, pfn: int, names: dict[int, str]) -> WalkFact:
    design = kernel.design
    design.cost = type(design.cost)()  # what asking for the places costs is not the walk's
    places = places_of(kernel, pfn)
    design.cost = cost = type(design.cost)()
    hits = walk(kernel, pfn)
    found = set(zip(hits.mms.tolist(), hits.vpns.tolist(), strict=True))
    nodes = np.arange(1, places.mms.size + 1) if places.nodes is None else places.nodes
    rows = zip(places.mms.tolist(), places.vpns.tolist(), nodes.tolist(), strict=False)
    probes = tuple(Probe(mm, vpn, (mm, vpn) in found, seen) for mm, vpn, seen in rows)
    via = names.get(int(kernel.mem_map.mapping[pfn]), "")
    return WalkFact(pfn, via, probes[: cost.probes], cost.nodes, cost.locks)
