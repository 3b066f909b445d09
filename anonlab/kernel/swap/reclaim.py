"""Frames are taken back: swap-out of a page, reclaim under memory pressure, and room for all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from anonlab.errors import BadAddress, OutOfMemory
from anonlab.kernel.arguments import UserRange
from anonlab.kernel.pages import int64_array, mapped_pages, unmap_everywhere
from anonlab.kernel.state import KernelState
from anonlab.kernel.swap.cache import enter_swap_cache, leave_swap_cache
from anonlab.kernel.walk import Hits, walk
from anonlab.machine.tables import Span
from anonlab.machine.words import (
    PG_ANON,
    PG_DIRTY,
    PG_EXCLUSIVE,
    PG_LOCKED,
    PG_RESERVED,
    PG_SWAPCACHE,
    PTE_ACCESSED,
    PTE_PRESENT,
    PTE_SHIFT,
    SWP_EXCLUSIVE,
    Mask,
    Pfns,
    swp_entry,
    swp_offset,
)
from anonlab.mm import Vma


def swap_out(kernel: KernelState, pages: UserRange) -> int:
    """Take the pages at a range out of memory, from every process that maps them; return how many
    frames that freed (shrink_list for these pages).

    Pages that are locked or pinned stay; the zero page and what is not there are passed over.
    raises  OutOfMemory if there are not enough swap slots; nothing has changed then
    """
    process, mm, start_vpn, end_vpn = pages
    hole = mm.first_hole(start_vpn, end_vpn)
    if hole is not None:
        raise BadAddress(
            f"{process.name}: EFAULT: swap_out of {kernel.geometry.address(hole)}: no VMA there"
        )
    _, pfns = mapped_pages(kernel.tables.populated(mm.pgd, start_vpn, end_vpn).words)
    pfns = pfns[np.sort(np.unique(pfns, return_index=True)[1])]
    slots = int(np.count_nonzero(wants_slot(kernel, pfns)))
    reserve(kernel, f"{process.name}: ENOMEM: swap_out", slots=slots)
    freed = sum(page_out(kernel, int(pfn)) for pfn in pfns)
    kernel.step("swap_out", process, pages.vpns, n=freed)
    return freed


def wants_slot(kernel: KernelState, pfns: Pfns) -> Mask:
    """Return which pages need a new swap slot to leave memory, bool[n]: anonymous ones that have
    none yet, and those of shmem objects."""
    flags = kernel.mem_map.flags[pfns]
    shmem = [file.mapping for file in kernel.files.values() if file.shmem]
    fresh = ((flags & PG_ANON) != 0) & ((flags & PG_SWAPCACHE) == 0)
    wanted: Mask = fresh | np.isin(kernel.mem_map.mapping[pfns], shmem)
    return wanted


def page_out(kernel: KernelState, pfn: int) -> bool:
    """Unmap a page everywhere and free its frame, if nothing else holds it; return whether the
    frame is free now. Its slot is reserved."""
    if kernel.mem_map.flags[pfn] & (PG_ANON | PG_SWAPCACHE):
        return anon_out(kernel, pfn)
    return file_out(kernel, pfn)


def anon_out(kernel: KernelState, pfn: int) -> bool:
    """Swap out an anonymous page (add_to_swap, try_to_unmap, pageout)."""
    mem, swap, page = kernel.mem_map, kernel.swap, int64_array(pfn)
    if kernel.pins and kernel.cow.is_copied_at_fork(page)[0]:
        return False  # a device holds it: today it stays mapped (folio_try_share_anon_rmap_pte)
    if not mem.flags[pfn] & PG_SWAPCACHE:
        slot = swap.alloc(1)
        mem.count[pfn] += 1
        enter_swap_cache(mem, swap, page, slot)
        kernel.step("swap_out.add")
    slot = mem.private[page]
    mark = SWP_EXCLUSIVE if mem.flags[pfn] & PG_EXCLUSIVE else 0
    mem.flags[pfn] &= ~PG_EXCLUSIVE
    try_to_unmap(kernel, pfn, int(swp_entry(slot[0])) | mark)
    if mark and mem.mapcount[pfn]:
        mem.flags[pfn] |= PG_EXCLUSIVE  # it stays with the one process that maps it
    if mem.mapcount[pfn] == 0 and mem.count[pfn] == 1:
        swap.data[slot] = mem.data[page]
        leave_swap_cache(mem, swap, page)
        kernel.step("swap_out.write", n=1)
        return True
    if swap.map[slot[0]] == 1 and mem.mapcount[pfn]:
        leave_swap_cache(mem, swap, page)  # nothing was unmapped: the slot serves nobody
    return False


def file_out(kernel: KernelState, pfn: int) -> bool:
    """Write back and drop a page of the page cache (try_to_unmap_file, remove_mapping)."""
    mem = kernel.mem_map
    file = kernel.file_of(int(mem.mapping[pfn]))
    if file is None:
        return False  # truncated while a device still holds it
    try_to_unmap(kernel, pfn, 0)
    if mem.mapcount[pfn] or mem.count[pfn] != 1:
        return False
    pgoff = int(mem.index[pfn])
    if file.shmem:
        file.slots[pgoff] = kernel.swap.alloc(1)[0]
        kernel.swap.data[file.slots[pgoff]] = mem.data[pfn]
    elif mem.flags[pfn] & PG_DIRTY:
        file.store[pgoff] = mem.data[pfn]
    file.cache[pgoff] = 0
    file.version += 1
    mem.put(int64_array(pfn))
    return True


def try_to_unmap(kernel: KernelState, pfn: int, word: int) -> None:
    """Replace every word that maps `pfn` by `word`: a swap entry, or 0 for a file page.

    A hit in a locked VMA ends the walk; what was unmapped before it stays so (SWAP_FAIL).
    """
    hits = before_locked(kernel, walk(kernel, pfn))
    nhits = hits.mms.size
    if not nhits:
        return
    kernel.tables.words[hits.rows, hits.slots] = word
    if word:
        kernel.swap.map[swp_offset(word)] += nhits
    unmap_everywhere(kernel, pfn, hits.mms, hits.vpns, anon=word != 0)
    kernel.step("swap_out.unmap", vpns=np.unique(hits.vpns), n=nhits)


def before_locked(kernel: KernelState, hits: Hits) -> Hits:
    """Return the hits before the first one in a locked VMA. A design that knows mms, not VMAs, pays
    a find_vma for each hit."""
    if not kernel.design.knows_vmas:
        kernel.design.cost.vma_finds += hits.mms.size
    for at, (mm, vpn) in enumerate(zip(hits.mms.tolist(), hits.vpns.tolist(), strict=True)):
        vma = kernel.mms[mm].find_vma(vpn)
        if vma is not None and vma.locked:
            return hits.part(0, at)
    return hits


# Memory pressure


def reclaimable(kernel: KernelState) -> Pfns:
    """Return the frames that reclaim can take, int64[n], slots permitting: used, not reserved,
    pinned or locked, and in no locked VMA."""
    mem = kernel.mem_map
    cached = ((mem.flags & PG_SWAPCACHE) != 0).astype(np.int64)
    cached += (mem.mapping < 0) & ((mem.flags & PG_ANON) == 0)  # the page cache's own reference
    free = (mem.count > 0) & (mem.flags & (PG_RESERVED | PG_LOCKED) == 0)
    free &= mem.count == mem.mapcount + cached
    for mm in kernel.mms.values():
        for vma in mm.vmas:
            if vma.locked:
                span = kernel.tables.populated(mm.pgd, vma.start_vpn, vma.end_vpn)
                _, pfns = mapped_pages(span.words)
                free[pfns] = False
    return np.flatnonzero(free)


def capacity(kernel: KernelState, pfns: Pfns) -> int:
    """Return how many of `pfns` reclaim can free with the swap slots there are."""
    wanting = int(np.count_nonzero(wants_slot(kernel, pfns)))
    return pfns.size - wanting + min(wanting, kernel.swap.nfree)


def make_room(kernel: KernelState, nframes: int, keep: Pfns) -> bool:
    """Free at least `nframes` frames without touching the pages `keep`; return False, and change
    nothing, if that is impossible."""
    mem = kernel.mem_map
    keep = keep[(mem.flags[keep] & PG_LOCKED) == 0]
    mem.flags[keep] |= PG_LOCKED
    try:
        if capacity(kernel, reclaimable(kernel)) < nframes:
            return False
        shrink(kernel, nframes)
    finally:
        mem.flags[keep] &= ~PG_LOCKED
    return True


def shrink(kernel: KernelState, nframes: int) -> int:
    """Free up to `nframes` frames, pages not used lately first; return how many (shrink_zone).

    Two rounds of a clock: the first takes away the accessed bit of a page and spares it, the
    second spares nobody.
    """
    freed = 0
    for spare in (True, False):
        pfns = reclaimable(kernel)
        after = np.searchsorted(pfns, kernel.clock_hand)
        for pfn in np.roll(pfns, -int(after)).tolist():
            if freed >= nframes:
                return freed
            kernel.clock_hand = pfn + 1
            page = int64_array(pfn)
            if spare and referenced(kernel, pfn):
                continue
            if wants_slot(kernel, page).any() and not kernel.swap.nfree:
                continue
            freed += page_out(kernel, pfn)
    return freed


def referenced(kernel: KernelState, pfn: int) -> bool:
    """Take the accessed bit from every word that maps `pfn`; return whether one had it
    (page_referenced)."""
    hits = walk(kernel, pfn)
    if kernel.mem_map.flags[pfn] & PG_ANON:
        kernel.design.referenced(pfn, hits.mms)
    words = kernel.tables.words[hits.rows, hits.slots]
    kernel.tables.words[hits.rows, hits.slots] = words & ~PTE_ACCESSED
    return bool((words & PTE_ACCESSED).any())


# Room for an operation


def reserve(
    kernel: KernelState,
    what: str,
    frames: int = 0,
    tables: int = 0,
    slots: int = 0,
    keep: Iterable[tuple[Vma, Span]] = (),
) -> None:
    """See to it that so many frames, page tables and swap slots are free, reclaiming frames where
    needed, but never pages in the spans `keep`.

    raises  OutOfMemory, its message starting with `what`; nothing has changed then
    """
    room = kernel.tables.room() if tables else None
    if room is not None and tables > room:
        most = kernel.tables.max_rows or 0
        raise OutOfMemory.of(what, tables, "page-table page", room, most)
    if slots and slots > kernel.swap.nfree:
        raise OutOfMemory.of(what, slots, "swap slot", kernel.swap.nfree, kernel.swap.nslots)
    short = frames - kernel.mem_map.free.size
    if short > 0 and not make_room(kernel, short, pages_in(kernel, keep)):
        free, nframes = kernel.mem_map.nfree, kernel.mem_map.nframes
        error = OutOfMemory.of(what, frames, "frame", free, nframes)
        raise OutOfMemory(f"{error}, and reclaim cannot free {short} more")


def pages_in(kernel: KernelState, spans: Iterable[tuple[Vma, Span]]) -> Pfns:
    """Return every frame that an operation over `spans` relies on, mapped or cached."""
    found = [np.zeros(0, dtype=np.int64)]
    for vma, span in spans:
        words = span.words
        present = (words & PTE_PRESENT) != 0
        found.append(words[present] >> PTE_SHIFT)
        found.append(kernel.swap.cache[swp_offset(words[~present])])
        if vma.file is not None and span.vpns.size:
            first = vma.pgoff + span.start_vpn - vma.start_vpn
            found.append(vma.file.cache[first : first + span.end_vpn - span.start_vpn])
    pfns: Pfns = np.unique(np.concatenate(found))
    return np.asarray(pfns[pfns != 0])
