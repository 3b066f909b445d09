"""The page cache: pages of files in memory."""

from __future__ import annotations

import numpy as np

from anonlab.kernel.pages import zap
from anonlab.kernel.state import KernelState
from anonlab.machine.words import PG_DIRTY, Ints, Pfns
from anonlab.mm import File


def page_in(kernel: KernelState, file: File | None, pgoffs: Ints) -> Pfns:
    """Return the page-cache pages of a file at `pgoffs`, reading what is missing; the cache holds
    one reference to each (filemap_nopage, shmem_nopage)."""
    mem, swap = kernel.mem_map, kernel.swap
    assert file is not None, "a page of no file was asked for"
    missing = pgoffs[file.cache[pgoffs] == 0]
    if missing.size:
        new = mem.alloc(missing.size)
        slots = file.slots[missing]
        mem.data[new] = np.where(slots != 0, swap.data[slots], file.store[missing])
        swap.free(slots[slots != 0])
        file.slots[missing] = 0
        mem.mapping[new] = file.mapping
        mem.index[new] = missing
        if file.shmem:
            mem.flags[new] |= PG_DIRTY
        file.cache[missing] = new
        file.version += 1
    return file.cache[pgoffs]


def drop_pages(kernel: KernelState, file: File, first: int) -> None:
    """Forget the pages of a file from page `first` on, in memory and on swap, which nobody maps
    any more (truncate_inode_pages). A page that a device still holds belongs to no
    file from then on."""
    pfns, slots = file.cache[first:], file.slots[first:]
    pfns, slots = pfns[pfns != 0], slots[slots != 0]
    file.cache[first:] = 0
    file.slots[first:] = 0
    file.version += 1
    kernel.mem_map.mapping[pfns] = 0
    kernel.mem_map.index[pfns] = 0
    kernel.mem_map.put(pfns)
    kernel.swap.free(slots)


def truncate(kernel: KernelState, file: File, npages: int) -> None:
    """Make `file` `npages` long; unmap what lies beyond from every process, private copies too
    (vmtruncate, unmap_mapping_range with even_cows). A longer file ends in empty pages."""
    for vma in file.vmas:
        first = max(vma.start_vpn + npages - vma.pgoff, vma.start_vpn)
        if first < vma.end_vpn:
            zap(kernel, vma, first, vma.end_vpn)
    drop_pages(kernel, file, npages)
    file.resize(npages)
    kernel.step("truncate", what=file.name)
