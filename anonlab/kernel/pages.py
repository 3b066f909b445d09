"""Pages gain and lose mappings: the one writer of `mapcount`, and who drops the last reference."""

from __future__ import annotations

import numpy as np

from anonlab.kernel.state import KernelState
from anonlab.kernel.swap.cache import free_swap_entries, free_unused_swap_cache
from anonlab.machine.tables import NONE
from anonlab.machine.words import (
    ONE,
    PG_ANON,
    PTE_PRESENT,
    SHIFT,
    ZERO_PFN,
    Ints,
    Mask,
    Pfns,
    Vpns,
    Words,
    is_swap,
    swp_offset,
)
from anonlab.mm import Vma

_TRUE = np.ones(1 << 10, dtype=np.bool_)
_TRUE.setflags(write=False)


def all_true(n: int) -> Mask:
    """Return bool[n], all True, to be read only."""
    return _TRUE[:n] if n <= _TRUE.size else np.ones(n, dtype=np.bool_)


def take_where(values: Ints, where: Mask) -> Ints:
    """Return `values` where `where` holds; themselves, uncopied, if it holds everywhere."""
    return values if np.count_nonzero(where) == where.size else values[where]


def mapped_pages(words: Words) -> tuple[Mask, Pfns]:
    """Return where `words` map a page, bool[n], and which, the zero page left out."""
    where: Mask = (words & PTE_PRESENT).astype(np.bool_)
    pfns = take_where(words, where) >> SHIFT
    if np.count_nonzero(pfns) < pfns.size:
        pages = pfns != ZERO_PFN
        where[where] = pages
        pfns = pfns[pages]
    return where, pfns


def int64_array(number: int) -> Ints:
    """Return `number` as int64[1]: one page is a range of one."""
    return np.array([number], dtype=np.int64)


def anon_pages(kernel: KernelState, vma: Vma, vpns: Vpns, words: Words) -> tuple[Vpns, Pfns]:
    """Return where the `words` of `vma` at `vpns` map anonymous pages, and which, int64[n]."""
    where, pfns = mapped_pages(words)
    vpns = take_where(vpns, where)
    if vma.file is None:
        return vpns, pfns
    anon = kernel.mem_map.has(pfns, PG_ANON)
    return vpns[anon], pfns[anon]


# Mappings come


def anon_prepare(kernel: KernelState, vma: Vma) -> None:
    """Make a VMA ready for pages of its own (anon_vma_prepare)."""
    vma.written = True
    kernel.design.prepare(vma)


def map_new(kernel: KernelState, vma: Vma, vpns: Vpns, pfns: Pfns) -> None:
    """The words at `vpns` now name the pages `pfns`, straight from the allocator, whose reference
    the mapping keeps (page_add_new_anon_rmap)."""
    mem = kernel.mem_map
    mem.mapcount[pfns] = 1
    mem.flags[pfns] = PG_ANON | kernel.cow.mark
    kernel.mm_table.rss[vma.mm.number] += pfns.size
    kernel.design.add(pfns, vma, vpns, all_true(pfns.size))


def map_anon(kernel: KernelState, vma: Vma, vpns: Vpns, pfns: Pfns, exclusive: Mask) -> None:
    """The words at `vpns` now name the distinct anonymous pages `pfns` (page_add_anon_rmap).

    The caller holds the reference that the mapping keeps.
    exclusive  where nobody else has the page, on swap neither, bool[n]
    """
    mem = kernel.mem_map
    mem.mapcount[pfns] = mem.mapcount[pfns] + 1
    mem.flags[pfns] |= PG_ANON
    if kernel.cow.mark:
        mem.flags[pfns[exclusive]] |= kernel.cow.mark
    kernel.mm_table.rss[vma.mm.number] += pfns.size
    kernel.design.add(pfns, vma, vpns, exclusive)


def map_again(kernel: KernelState, vma: Vma, pfns: Pfns) -> None:
    """Words in `vma` now name the distinct `pfns` too: pages of a file, or a parent's at fork
    (page_add_file_rmap, page_dup_rmap)."""
    mem = kernel.mem_map
    mem.count[pfns] = mem.count[pfns] + ONE
    mem.mapcount[pfns] = mem.mapcount[pfns] + ONE
    kernel.mm_table.rss[vma.mm.number] += pfns.size


# Mappings go


def unmap(kernel: KernelState, vma: Vma, vpns: Vpns, pfns: Pfns) -> None:
    """The words at `vpns` no longer name the distinct `pfns`, none of them the zero page
    (page_remove_rmap)."""
    mem = kernel.mem_map
    left = mem.mapcount[pfns] - ONE
    mem.mapcount[pfns] = left
    if kernel.cow.mark:
        mem.flags[pfns[left == 0]] &= ~kernel.cow.mark
    kernel.mm_table.rss[vma.mm.number] -= pfns.size
    if vma.file is None:
        kernel.design.remove(pfns, vma, vpns)
    else:
        anon = mem.has(pfns, PG_ANON)
        kernel.design.remove(pfns[anon], vma, vpns[anon])
    release(kernel, pfns)


def unmap_everywhere(kernel: KernelState, pfn: int, mms: Ints, vpns: Vpns, anon: bool) -> None:
    """The words of address spaces `mms` at `vpns` no longer name page `pfn`, which its holder
    keeps (try_to_unmap_one). The walk that found them stands there, its lock held: what the
    design visits now costs nothing more."""
    mem, design = kernel.mem_map, kernel.design
    mem.mapcount[pfn] -= mms.size
    np.subtract.at(kernel.mm_table.rss, mms, 1)
    if anon:
        nodes, locks, page = design.cost.nodes, design.cost.locks, int64_array(pfn)
        for mm, vpn in zip(mms.tolist(), vpns.tolist(), strict=True):
            vma = kernel.mms[mm].find_vma(vpn)
            assert vma is not None, f"mm {mm} maps pfn {pfn} at vpn {vpn:#x}, outside any VMA"
            design.remove(page, vma, int64_array(vpn))
        design.cost.nodes, design.cost.locks = nodes, locks
    mem.count[pfn] -= mms.size


def release(kernel: KernelState, pfns: Pfns) -> None:
    """Drop one reference to each of the distinct `pfns` (free_page_and_swap_cache).

    A page that only the swap cache still holds, and that no swap entry names, goes with it.
    """
    kernel.mem_map.put(pfns)
    if kernel.swap.nused:
        free_unused_swap_cache(kernel.mem_map, kernel.swap, pfns)


def zap(kernel: KernelState, vma: Vma, start_vpn: int, end_vpn: int) -> int:
    """Clear the words of [start_vpn, end_vpn) in `vma`; return how many mapped a page
    (zap_page_range). Never fails."""
    span = kernel.tables.populated(vma.mm.pgd, start_vpn, end_vpn)
    nused = np.count_nonzero(span.words)
    if not nused:
        return 0
    vpns, words = span.vpns, span.words
    if nused < words.size:
        used = words.nonzero()[0]
        vpns, words = vpns[used], words[used]
    slots = NONE
    if kernel.swap.nused:
        swapped = is_swap(words)
        slots, vpns, words = swp_offset(words[swapped]), vpns[~swapped], words[~swapped]
    pfns = words >> SHIFT
    if np.count_nonzero(pfns) < pfns.size:
        vpns, pfns = vpns[pfns != ZERO_PFN], pfns[pfns != ZERO_PFN]
    span.words.fill(0)
    span.store()
    if pfns.size:
        unmap(kernel, vma, vpns, pfns)
    if slots.size:
        free_swap_entries(kernel.mem_map, kernel.swap, slots)
    return pfns.size
