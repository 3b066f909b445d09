"""swapoff: every swapped page comes back, and swap is used no more (sys_swapoff, try_to_unuse)."""

from __future__ import annotations

import numpy as np

from anonlab.errors import OutOfMemory
from anonlab.kernel.page_cache import page_in
from anonlab.kernel.pages import anon_prepare
from anonlab.kernel.state import KernelState
from anonlab.kernel.swap.cache import leave_swap_cache
from anonlab.kernel.swap.swap_in import classify_swapped, do_swap_page
from anonlab.machine.tables import Span
from anonlab.machine.words import PG_SWAPCACHE, Ints, is_swap, swp_offset
from anonlab.mm import Vma

Entries = list[tuple[Vma, Span, Ints]]
"""Swap entries by VMA: its words, and where in them the entries are."""


def swapoff(kernel: KernelState) -> None:
    """Bring every swapped page back and use swap no more.

    raises  OutOfMemory if the frames do not suffice; nothing has changed then
    """
    entries: Entries = []
    for vma in (vma for mm in kernel.mms.values() for vma in mm.vmas):
        span = kernel.tables.populated(vma.mm.pgd, vma.start_vpn, vma.end_vpn)
        at = np.flatnonzero(is_swap(span.words))
        if at.size:
            entries.append((vma, span, at))
    needed = frames_to_unuse(kernel, entries) + sum(
        int(np.count_nonzero(file.slots)) for file in kernel.files.values()
    )
    free, nframes = kernel.mem_map.nfree, kernel.mem_map.nframes
    if needed > free:
        what = "swapoff: ENOMEM: bringing every page back"
        raise OutOfMemory.of(what, needed, "frame", free, nframes)
    for vma, span, at in entries:  # unuse_vma
        anon_prepare(kernel, vma)
        swap_in = classify_swapped(kernel, vma, span, at, write=False)
        do_swap_page(kernel, kernel.any_process(vma.mm), swap_in)
    for file in kernel.files.values():  # shmem_unuse
        if (pgoffs := np.flatnonzero(file.slots)).size:
            page_in(kernel, file, pgoffs)
    cached = np.flatnonzero((kernel.mem_map.flags & PG_SWAPCACHE) != 0)
    leave_swap_cache(kernel.mem_map, kernel.swap, cached)
    assert kernel.swap.nused == 0, f"{kernel.swap.nused} swap slots are in use after swapoff"
    kernel.swap.on = False
    kernel.step("swapoff")


def frames_to_unuse(kernel: KernelState, entries: Entries) -> int:
    """Return how many frames it takes to bring all swap `entries` back, in this order.

    One per slot that is not cached, and one per entry that clashes with where the page will be
    mapped by then: where it is now, or else at the first entry's address.
    """
    mem, swap = kernel.mem_map, kernel.swap
    index: dict[int, int | None] = {}
    frames = 0
    for vma, span, at in entries:
        slots, vpns = swp_offset(span.words[at]), span.vpns[at]
        cached = swap.cache[slots]
        for slot, vpn, pfn in zip(slots.tolist(), vpns.tolist(), cached.tolist(), strict=True):
            if slot not in index:
                frames += pfn == 0
                mapped = pfn != 0 and mem.mapcount[pfn] > 0
                index[slot] = int(mem.index[pfn]) if mapped else None
            if index[slot] is None:
                index[slot] = int(kernel.design.index_of(vma, np.array([vpn]))[0])
            else:
                there, here = np.array([index[slot]]), np.array([vpn])
                frames += int(kernel.design.clash(there, vma, here)[0])
    return frames
