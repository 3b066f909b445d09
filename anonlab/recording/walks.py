"""What the reverse map does for a page, probe by probe, without counting as work done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from anonlab.formats.deltas import Splice, splices
from anonlab.formats.snapshot import Probe, WalkFact
from anonlab.kernel.state import KernelState
from anonlab.kernel.walk import Hits, places_of, walk_each
from anonlab.machine.words import PTE_PRESENT, PTE_SHIFT, ZERO_PFN, Ints
from anonlab.recording.facts import mapping_names
from anonlab.rmap import Candidates


def walks(kernel: KernelState, names: dict[int, str]) -> tuple[WalkFact, ...]:
    """Return the walk of every mapped page, ascending by pfn; the zero page has none.

    names  of the numbers in mem_map.mapping
    Every walk is really made, with the design's own early stop; the counters are put back.
    """
    mapped = (kernel.mem_map.mapcount > 0).nonzero()[0].tolist()
    return tuple(_walks_of(kernel, mapped, names))


def _walks_of(kernel: KernelState, pfns: Iterable[int], names: dict[int, str]) -> list[WalkFact]:
    """Return the walks of the mapped frames `pfns`, the zero page left out."""
    design, pages = kernel.design, [pfn for pfn in pfns if pfn != ZERO_PFN]
    if not pages:
        return []
    kept, design.cost = design.cost, type(design.cost)()
    try:
        found, out = walk_each(kernel, pages).each(), []
        for pfn, hits in zip(pages, found, strict=True):
            before = design.cost.locks
            places = places_of(kernel, pfn)
            via = names.get(int(kernel.mem_map.mapping[pfn]), "")
            probes, nodes = _probes(kernel, pfn, places, hits)
            out.append(WalkFact(pfn, via, probes, nodes, design.cost.locks - before))
        return out
    finally:
        design.cost = kept


def _probes(
    kernel: KernelState, pfn: int, places: Candidates, hits: Hits
) -> tuple[tuple[Probe, ...], int]:
    """Return what a walk that found `hits` among `places` looked at, up to where it stopped, and
    how many elements it visited, as `walk_each` counts them."""
    mms, vpns = places.mms.tolist(), places.vpns.tolist()
    nodes = range(1, len(mms) + 1) if places.nodes is None else places.nodes.tolist()
    there = set(zip(hits.mms.tolist(), hits.vpns.tolist(), strict=True))
    probes = [
        Probe(mm, vpn, (mm, vpn) in there, seen)
        for mm, vpn, seen in zip(mms, vpns, nodes, strict=False)
    ]
    if kernel.design.early_stop and len(there) == kernel.mem_map.mapcount[pfn]:
        while not probes[-1].hit:
            probes.pop()
        return tuple(probes), probes[-1].nodes
    return tuple(probes), len(mms) if places.nodes is None else nodes[-1]


class RecordedWalks:
    """The walks of one kernel's pages as they were last.

    What a walk finds depends on the places that the reverse map names, and on the page itself: its
    row in mem_map and the words that map it. The places depend on the structure of the design, on
    VMAs and files, and on which address spaces have pages at all: only if one of these has changed
    they are asked for again, and only where they are others the walk is made again.
    """

    def __init__(self, kernel: KernelState) -> None:
        self.kernel = kernel
        self._last: dict[int, WalkFact] = {}
        self._places: dict[int, tuple[Any, ...]] = {}
        self._resident = b""
        self._probes: dict[Probe, Probe] = {}  # equal ones are kept once

    def changed(self, anew: bool, touched: tuple[Ints | None, ...]) -> list[Splice]:
        """Return the splices of the list of walks.

        anew     the places of any page may be others
        touched  pfns whose row in mem_map changed; the page-table words that changed, as they were
                 and as they are; None where nothing did
        """
        kernel = self.kernel
        resident = (kernel.mm_table.rss > 0).tobytes()
        anew = anew or resident != self._resident
        self._resident = resident
        if not anew and touched[0] is None and touched[1] is None:
            return []
        mapped = set((kernel.mem_map.mapcount > 0).nonzero()[0].tolist()) - {ZERO_PFN}
        old = list(self._last.values())
        self._last = {pfn: fact for pfn, fact in self._last.items() if pfn in mapped}
        pages = _pages(touched) & mapped
        names = dict(mapping_names(kernel))
        if anew:
            pages |= self._elsewhere(mapped, names)
        share = self._probes.setdefault
        for fact in _walks_of(kernel, pages, names):
            probes = tuple([share(probe, probe) for probe in fact.probes])
            self._last[fact.pfn] = fact._replace(probes=probes)
        self._last = dict(sorted(self._last.items()))
        return splices("walks", old, list(self._last.values()))

    def _elsewhere(self, mapped: set[int], names: dict[int, str]) -> set[int]:
        """Return those of the frames `mapped` whose places are not what they were."""
        kept, design = self._places, self.kernel.design
        cost, design.cost = design.cost, type(design.cost)()  # asking is not work done
        try:
            self._places = {pfn: self._places_of(pfn, names) for pfn in mapped}
        finally:
            design.cost = cost
        return {pfn for pfn, places in self._places.items() if kept.get(pfn) != places}

    def _places_of(self, pfn: int, names: dict[int, str]) -> tuple[Any, ...]:
        mms, vpns, nodes = places_of(self.kernel, pfn)
        via = names.get(int(self.kernel.mem_map.mapping[pfn]))
        return via, mms.tobytes(), vpns.tobytes(), None if nodes is None else nodes.tobytes()


def _pages(touched: tuple[Ints | None, ...]) -> set[int]:
    """Return the pfns in `touched`, and numbers of page tables, which upper levels name."""
    pfns, *words = touched
    found = set() if pfns is None else set(pfns.tolist())
    for changed in words:
        if changed is not None:
            found.update((changed[changed & PTE_PRESENT != 0] >> PTE_SHIFT).tolist())
    return found
