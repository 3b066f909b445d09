"""What the reverse map does for a page, probe by probe, without counting as work done."""

from __future__ import annotations

import numpy as np

from anonlab.formats.snapshot import Probe, WalkFact
from anonlab.kernel.state import KernelState
from anonlab.kernel.walk import places_of, walk
from anonlab.machine.words import ZERO_PFN


def walks(kernel: KernelState, names: dict[int, str]) -> tuple[WalkFact, ...]:
    """Return the walk of every mapped page, ascending by pfn; the zero page has none.

    names  of the numbers in mem_map.mapping
    Every walk is really made, with the design's own early stop; its counters are put back.
    """
    design = kernel.design
    kept = design.cost
    try:
        mapped = np.flatnonzero(kernel.mem_map.mapcount > 0).tolist()
        return tuple(_walk(kernel, pfn, names) for pfn in mapped if pfn != ZERO_PFN)
    finally:
        design.cost = kept


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
