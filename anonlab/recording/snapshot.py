"""From the live machine to a snapshot: copies only, nothing that could change later."""

from __future__ import annotations

import numpy as np

from anonlab.formats.snapshot import (
    FRAME_COLUMNS,
    FileFact,
    MmFact,
    ProcessFact,
    Snapshot,
    VmaFact,
)
from anonlab.kernel.state import KernelState
from anonlab.mm import File, Mm, Vma, prot_letters
from anonlab.recording import walks as explain


def snapshot(kernel: KernelState, walks: bool = False) -> Snapshot:
    """Return everything that can be seen of `kernel` now.

    walks  what the reverse map does for every mapped page, too: some 30 µs a page
    """
    mem, swap, tables = kernel.mem_map, kernel.swap, kernel.tables
    pfns = np.flatnonzero(mem.count)
    rows, slots = np.divmod(np.flatnonzero(tables.words != 0), tables.geometry.slots)
    swap_slots = np.flatnonzero(swap.map)
    nodes, edges = kernel.design.graph()
    files = [file for file in kernel.files.values() if not file.shmem or file.vmas]
    of_files = [(file.mapping, f"file {file.name}") for file in files]
    mappings = (*kernel.design.mapping_names(), *of_files)
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
        processes=tuple(
            ProcessFact(p.name, p.pid, p.parent, p.mm.number if p.mm else 0, p.program)
            for p in kernel.processes.values()
        ),
        mms=tuple(_mm_fact(kernel, mm) for mm in kernel.mms.values()),
        files=tuple(_file_fact(file) for file in files),
        mappings=mappings,
        nodes=tuple(nodes),
        edges=tuple(edges),
        cost=kernel.design.cost.items(),
        walks=explain.walks(kernel, dict(mappings)) if walks else (),
    )


def _mm_fact(kernel: KernelState, mm: Mm) -> MmFact:
    names = tuple(p.name for p in kernel.processes.values() if p.mm is mm)
    # Between two sub-steps of fork the design may not know the child yet.
    home = kernel.design.home(mm) if mm.rmap is not None else ""
    return MmFact(mm.number, mm.pgd, names, home, tuple(_vma_fact(vma) for vma in mm.vmas))


def _vma_fact(vma: Vma) -> VmaFact:
    return VmaFact(
        vma.start_vpn,
        vma.end_vpn,
        prot_letters(vma.prot),
        vma.shared,
        vma.file.name if vma.file else "",
        vma.pgoff,
        vma.locked,
        vma.growsdown,
    )


def _file_fact(file: File) -> FileFact:
    pgoffs = np.flatnonzero(file.cache)
    cached = tuple(zip(pgoffs.tolist(), file.cache[pgoffs].tolist(), strict=True))
    return FileFact(file.name, file.mapping, file.npages, file.shmem, cached)
