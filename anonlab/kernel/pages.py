"""Pages gain and lose mappings: the one writer of `mapcount`, and who drops the last reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anonlab.machine.words import (
    PG_ANON,
    PG_EXCLUSIVE,
    PG_SWAPCACHE,
    PTE_PRESENT,
    PTE_SHIFT,
    ZERO_PFN,
    Ints,
    Mask,
    Pfns,
    Slots,
    Vpns,
    Words,
    is_swap,
    swp_offset,
)
from anonlab.mm import Vma

if TYPE_CHECKING:
    from anonlab.kernel.kernel import Kernel


def anon_prepare(kernel: Kernel, vma: Vma) -> None:
    """Make a VMA ready for pages of its own (anon_vma_prepare)."""
    vma.written = True
    kernel.design.prepare(vma)


def map_anon(
    kernel: Kernel, vma: Vma, vpns: Vpns, pfns: Pfns, exclusive: Mask | None = None
) -> None:
    """The words at `vpns` now name the distinct anonymous pages `pfns` (page_add_anon_rmap).

    The caller holds the reference that the mapping keeps: a new page's own, or one it took.
    exclusive  where nobody else has the page, on swap neither, bool[n]; None for everywhere
    """
    mem = kernel.mem_map
    if exclusive is None:
        exclusive = np.ones(pfns.shape, dtype=np.bool_)
    mem.mapcount[pfns] += 1
    mem.flags[pfns] |= PG_ANON
    if kernel.design.cow_rule == "exclusive":
        mem.flags[chosen(pfns, exclusive)] |= PG_EXCLUSIVE
    kernel.columns.rss[vma.mm.number] += pfns.size
    kernel.design.add(pfns, vma, vpns, exclusive)


def map_file(kernel: Kernel, vma: Vma, pfns: Pfns) -> None:
    """Words now name the distinct file pages `pfns` (page_add_file_rmap)."""
    kernel.mem_map.count[pfns] += 1
    kernel.mem_map.mapcount[pfns] += 1
    kernel.columns.rss[vma.mm.number] += pfns.size


def unmap(kernel: Kernel, vma: Vma, vpns: Vpns, pfns: Pfns) -> None:
    """The words at `vpns` no longer name the distinct `pfns`, none of them the zero page
    (page_remove_rmap)."""
    mem = kernel.mem_map
    left = mem.mapcount[pfns] - 1
    mem.mapcount[pfns] = left
    if kernel.design.cow_rule == "exclusive":
        mem.flags[pfns[left == 0]] &= ~PG_EXCLUSIVE
    kernel.columns.rss[vma.mm.number] -= pfns.size
    if vma.file is None:
        kernel.design.remove(pfns, vma, vpns)
    else:
        anon = anonymous(kernel, vma, pfns)
        kernel.design.remove(pfns[anon], vma, vpns[anon])
    release(kernel, pfns)


def release(kernel: Kernel, pfns: Pfns) -> None:
    """Drop one reference to each of the distinct `pfns` (free_page_and_swap_cache).

    A page that only the swap cache still holds, and that no swap entry names, goes with it.
    """
    kernel.mem_map.put(pfns)
    if kernel.swap.nused:
        drop_lonely(kernel, pfns)


def drop_lonely(kernel: Kernel, pfns: Pfns, holders: int = 0) -> None:
    """Take pages out of the swap cache that no swap entry needs and only `holders` others hold
    (free_swap_cache, and remove_exclusive_swap_page with one holder)."""
    mem, swap = kernel.mem_map, kernel.swap
    cached = pfns[mem.has(pfns, PG_SWAPCACHE)]
    lonely = (mem.count[cached] == 1 + holders) & (swap.map[mem.private[cached]] == 1)
    leave_swap_cache(kernel, cached[lonely])


def enter_swap_cache(kernel: Kernel, pfns: Pfns, slots: Slots) -> None:
    """Connect pages and slots (add_to_swap_cache). The caller has counted the references: each
    page's `count` and each slot's `map` already hold the cache's own."""
    mem = kernel.mem_map
    mem.flags[pfns] |= PG_SWAPCACHE
    mem.private[pfns] = slots
    kernel.swap.cache[slots] = pfns


def leave_swap_cache(kernel: Kernel, pfns: Pfns) -> None:
    """Disconnect pages from their slots, drop the cache's references (delete_from_swap_cache)."""
    mem, swap = kernel.mem_map, kernel.swap
    slots = mem.private[pfns]
    mem.flags[pfns] &= ~PG_SWAPCACHE
    mem.private[pfns] = 0
    swap.cache[slots] = 0
    swap.free(slots)
    mem.put(pfns)


def free_swap_entries(kernel: Kernel, slots: Slots) -> None:
    """Swap PTEs that named `slots` are gone (free_swap_and_cache)."""
    swap = kernel.swap
    cached = swap.cache[slots]
    swap.free(slots)
    cached = cached[cached != 0]
    if cached.size:
        drop_lonely(kernel, cached)


def chosen(values: Ints, where: Mask) -> Ints:
    """Return `values` where `where` holds; themselves, uncopied, if it holds everywhere."""
    return values if np.count_nonzero(where) == where.size else values[where]


def mapped_pages(words: Words) -> tuple[Mask, Pfns]:
    """Return where `words` map a page, bool[n], and which, the zero page left out."""
    where: Mask = (words & PTE_PRESENT) != 0
    pfns = chosen(words, where) >> PTE_SHIFT
    pages = pfns != ZERO_PFN
    if not pages.all():
        where[where] = pages
        pfns = pfns[pages]
    return where, pfns


def anonymous(kernel: Kernel, vma: Vma, pfns: Pfns) -> Mask:
    """Return which of the pages mapped in `vma` are anonymous, bool[n]: all, if it has no file."""
    if vma.file is None:
        return np.ones(pfns.shape, dtype=np.bool_)
    return kernel.mem_map.has(pfns, PG_ANON)


def zap(kernel: Kernel, vma: Vma, start_vpn: int, end_vpn: int) -> int:
    """Clear the words of [start_vpn, end_vpn) in `vma`; return how many mapped a page
    (zap_page_range). Never fails."""
    span = kernel.tables.populated(vma.mm.pgd, start_vpn, end_vpn)
    if not span.words.any():
        return 0
    where, pfns = mapped_pages(span.words)
    vpns = chosen(span.vpns, where)
    slots = swp_offset(span.words[is_swap(span.words)]) if kernel.swap.nused else pfns[:0]
    span.words[:] = 0
    span.store()
    if pfns.size:
        unmap(kernel, vma, vpns, pfns)
    if slots.size:
        free_swap_entries(kernel, slots)
    return int(np.count_nonzero(where))
