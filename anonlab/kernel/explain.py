"""What the reverse map does for a page, probe by probe, without counting as work done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anonlab.formats.snapshot import Probe, WalkFact
from anonlab.formats.words import PG_ANON, ZERO_PFN
from anonlab.kernel.walk import walk
from anonlab.rmap import file_pages

if TYPE_CHECKING:
    from anonlab.kernel.kernel import Kernel


def walks(kernel: Kernel, names: dict[int, str]) -> tuple[WalkFact, ...]:
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


def _walk(kernel: Kernel, pfn: int, names: dict[int, str]) -> WalkFact:
    design = kernel.design
    design.cost = type(design.cost)()
    hits = walk(kernel, pfn)
    cost = design.cost
    found = set(zip(hits.mms.tolist(), hits.vpns.tolist(), strict=True))
    mms, vpns, nodes = _places(kernel, pfn)
    probes = tuple(
        Probe(mm, vpn, (mm, vpn) in found, seen)
        for mm, vpn, seen in zip(mms[: cost.probes], vpns, nodes, strict=False)
    )
    via = names.get(int(kernel.mem_map.mapping[pfn]), "")
    return WalkFact(pfn, via, probes, cost.nodes, cost.locks)


def _places(kernel: Kernel, pfn: int) -> tuple[list[int], list[int], list[int]]:
    """Return the mm, the vpn and the nodes visited so far of every candidate, in order."""
    mem = kernel.mem_map
    found: tuple[Any, ...]
    if mem.flags[pfn] & PG_ANON:
        found = tuple(kernel.design.candidates(pfn))
    else:
        file = kernel.file_of(int(mem.mapping[pfn]))
        assert file is not None, f"pfn {pfn} is mapped, but belongs to no group and no file"
        found = tuple(file_pages.candidates(file, int(mem.index[pfn])))
    mms, vpns = found[0].tolist(), found[1].tolist()
    counted = found[2] if len(found) > 2 else None
    nodes = range(1, len(mms) + 1) if counted is None else counted.tolist()
    return mms, vpns, list(nodes)
