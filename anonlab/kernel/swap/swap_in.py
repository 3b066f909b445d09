"""Pages come back from swap, by a fault or because swap ends (do_swap_page)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anonlab.kernel.pages import map_anon, map_new
from anonlab.kernel.state import KernelState
from anonlab.kernel.swap.cache import enter_swap_cache, free_unused_swap_cache
from anonlab.machine.tables import Span
from anonlab.machine.words import (
    PTE_ACCESSED,
    PTE_DIRTY,
    PTE_SHIFT,
    PTE_WRITE,
    Ints,
    Mask,
    Pfns,
    Slots,
    swp_offset,
)
from anonlab.mm import Process, Vma


@dataclass(frozen=True)
class SwapIn:
    """Swap entries that become pages: all arrays are int64[n] or bool[n], one row per entry.

    at      positions in the span's words
    slots   the swap slots they name, distinct: one mm never holds an entry twice
    clash   the page is mapped at an address from which this one cannot be found: copy
    copy    the entry gets a copy of the page: a clash, or a write to a page that others use
    frames  how many frames that takes
    """

    vma: Vma
    span: Span
    at: Ints
    slots: Slots
    clash: Mask
    copy: Mask
    frames: int
    write: bool


def classify_swapped(kernel: KernelState, vma: Vma, span: Span, at: Ints, write: bool) -> SwapIn:
    """Say what the swap entries at the positions `at` of `span` need. Changes nothing."""
    mem = kernel.mem_map
    slots = swp_offset(span.words[at])
    pfns = kernel.swap.cache[slots]  # int64[n], 0 where the page is only on swap
    cached = pfns != 0
    clash = cached & (mem.mapcount[pfns] > 0)
    clash &= kernel.design.clash(mem.index[pfns], vma, span.vpns[at])
    copy = clash | kernel.cow.is_shared(pfns, slots) if write else clash
    frames = int(np.count_nonzero(~cached) + np.count_nonzero(copy))
    return SwapIn(vma, span, at, slots, clash, copy, frames, write)


def read_swap_cache(kernel: KernelState, slots: Slots) -> Pfns:
    """Return the pages of distinct `slots`, reading those that are not in the swap cache
    (read_swap_cache_async). The cache holds one reference to each."""
    mem, swap = kernel.mem_map, kernel.swap
    pfns = swap.cache[slots]
    cold = pfns == 0
    if cold.any():
        new = mem.alloc(int(np.count_nonzero(cold)))
        mem.data[new] = swap.data[slots[cold]]
        swap.map[slots[cold]] += 1
        enter_swap_cache(mem, swap, new, slots[cold])
        pfns[cold] = new
    return pfns


def do_swap_page(kernel: KernelState, process: Process, swap_in: SwapIn) -> None:
    """Turn swap entries into mapped pages, or into copies of them (do_swap_page)."""
    mem, swap, cow = kernel.mem_map, kernel.swap, kernel.cow
    span, vma, at, copy = swap_in.span, swap_in.vma, swap_in.at, swap_in.copy
    vpns, keep = span.vpns[at], ~copy
    pfns = read_swap_cache(kernel, swap_in.slots)
    swap.free(swap_in.slots)  # the cache's own use is left, so no slot goes here
    exclusive = cow.is_exclusive(span.words[at], swap_in.slots, pfns, swap_in.write)

    copies = mem.alloc(int(np.count_nonzero(copy)))
    mem.data[copies] = mem.data[pfns[copy]]
    mem.count[pfns[keep]] += 1
    mapped = pfns.copy()
    mapped[copy] = copies
    # page_bits: swapoff also brings back pages that their VMA forbids to touch.
    written = PTE_WRITE | PTE_DIRTY if swap_in.write else 0
    bits: int | Ints = vma.page_bits | PTE_ACCESSED | written
    if cow.mark and vma.writable:  # what is exclusive needs no fault to be written
        bits = np.where(exclusive | copy, bits | PTE_WRITE, bits)
    span.words[at] = mapped << PTE_SHIFT | bits
    span.store()
    map_anon(kernel, vma, vpns[keep], pfns[keep], exclusive[keep])
    map_new(kernel, vma, vpns[copy], copies)
    count_copies(kernel, process, swap_in)

    free_unused_swap_cache(mem, swap, pfns[copy])
    if cow.frees_swap_cache(swap_in.write):
        free_unused_swap_cache(mem, swap, pfns[keep], holders=1)
    kernel.step("fault.swap_in", process, vpns)


def count_copies(kernel: KernelState, process: Process, swap_in: SwapIn) -> None:
    """Count the copies and tell the recorder about clashes."""
    clashes = int(np.count_nonzero(swap_in.clash))
    cost = kernel.design.cost
    cost.copies_swapin_clash += clashes
    cost.copies_cow += int(np.count_nonzero(swap_in.copy)) - clashes
    if clashes:
        vpns = swap_in.span.vpns[swap_in.at[swap_in.clash]]
        kernel.step("fault.swap_in_clash", process, vpns)
