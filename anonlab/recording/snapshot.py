"""From the live machine to a snapshot: copies only, nothing that could change later."""

from __future__ import annotations

import numpy as np

from anonlab.formats.snapshot import FRAME_COLUMNS, Snapshot
from anonlab.kernel.state import KernelState
from anonlab.recording.facts import (
    file_fact,
    listed_files,
    mapping_names,
    mm_fact,
    process_fact,
    users_of,
)
from anonlab.recording.walks import walks as every_walk


def snapshot(kernel: KernelState, walks: bool = False) -> Snapshot:
    """Return everything that can be seen of `kernel` now.

    walks  what the reverse map does for every mapped page, too: some 30 µs a page
    """
    mem, swap, tables = kernel.mem_map, kernel.swap, kernel.tables
    pfns = np.flatnonzero(mem.count)
    rows, slots = np.divmod(np.flatnonzero(tables.words != 0), tables.geometry.slots)
    swap_slots = np.flatnonzero(swap.map)
    nodes, edges = kernel.design.graph()
    mappings = mapping_names(kernel)
    return Snapshot(
        design=kernel.design.name,
        nframes=mem.nframes,
        geometry=kernel.geometry,
        nswap=swap.nslots,
        pfn=pfns,
        **{name: getattr(mem, name)[pfns] for name in FRAME_COLUMNS},
        row=rows,
        slot=slots,
        word=tables.words[rows, slots],
        swap_slot=swap_slots,
        swap_count=swap.map[swap_slots],
        swap_data=swap.data[swap_slots],
        swap_pfn=swap.cache[swap_slots],
        processes=tuple(map(process_fact, kernel.processes.values())),
        mms=tuple(mm_fact(kernel, mm, users_of(kernel, mm)) for mm in kernel.mms.values()),
        files=tuple(map(file_fact, listed_files(kernel))),
        mappings=mappings,
        nodes=tuple(nodes),
        edges=tuple(edges),
        cost=kernel.design.cost.items(),
        walks=every_walk(kernel, dict(mappings)) if walks else (),
    )
