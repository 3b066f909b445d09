"""Pages come back from swap: by a fault, and by swapoff (do_swap_page, try_to_unuse)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anonlab.kernel import cow
from anonlab.kernel.page_cache import page_in
from anonlab.kernel.pages import anon_prepare, drop_lonely, enter_swap_cache, map_anon
from anonlab.machine import Span
from anonlab.machine.words import (
    PTE_ACCESSED,
    PTE_DIRTY,
    PTE_SHIFT,
    PTE_WRITE,
    SWP_EXCLUSIVE,
    Ints,
    Mask,
    Pfns,
    Slots,
    swp_offset,
)
from anonlab.mm import File, Process, Vma

if TYPE_CHECKING:
    from anonlab.kernel.kernel import Kernel


@dataclass(frozen=True)
class SwapIn:
    """Swap entries that become pages: all arrays are int64[n] or bool[n], one row per entry.

    at     positions in the span's words
    slots  the swap slots they name, distinct: one mm never holds an entry twice
    clash  the page is mapped at an address from which this one cannot be found: copy
    copy   the entry gets a copy of the page: a clash, or a write to a page that others use
    """

    process: Process
    vma: Vma
    span: Span
    at: Ints
    slots: Slots
    clash: Mask
    copy: Mask
    write: bool


def plan(
    kernel: Kernel,
    process: Process,
    vma: Vma,
    span: Span,
    at: Ints,
    write: bool,
    actions: list[Callable[[], None]],
) -> int:
    """Append the swap-in of the entries `at` to `actions`; return how many frames it needs."""
    mem, swap = kernel.mem_map, kernel.swap
    slots = swp_offset(span.words[at])
    pfns = swap.cache[slots]  # int64[n], 0 where the page is only on swap
    cached = pfns != 0
    clash = cached & (mem.mapcount[pfns] > 0)
    clash &= kernel.design.clash(mem.index[pfns], vma, span.vpns[at])
    copy = clash
    if write:
        copy = clash | cow.others_have(kernel, pfns, slots)
    swap_in = SwapIn(process, vma, span, at, slots, clash, copy, write)
    actions.append(lambda: do_swap_page(kernel, swap_in))
    return int(np.count_nonzero(~cached) + np.count_nonzero(copy))


def read_swap_cache(kernel: Kernel, slots: Slots) -> Pfns:
    """Return the pages of distinct `slots`, reading those that are not in the swap cache
    (read_swap_cache_async). The cache holds one reference to each."""
    mem, swap = kernel.mem_map, kernel.swap
    pfns = swap.cache[slots]
    cold = pfns == 0
    if cold.any():
        new = mem.alloc(int(np.count_nonzero(cold)))
        mem.data[new] = swap.data[slots[cold]]
        swap.map[slots[cold]] += 1
        enter_swap_cache(kernel, new, slots[cold])
        pfns[cold] = new
    return pfns


def do_swap_page(kernel: Kernel, swap_in: SwapIn) -> None:
    """Turn swap entries into mapped pages, or into copies of them (do_swap_page)."""
    mem, swap = kernel.mem_map, kernel.swap
    span, vma, at, copy = swap_in.span, swap_in.vma, swap_in.at, swap_in.copy
    vpns = span.vpns[at]
    pfns = read_swap_cache(kernel, swap_in.slots)
    swap.free(swap_in.slots)  # the cache's own use is left, so no slot goes here

    keep = ~copy
    alone = nobody_else(kernel, swap_in, pfns)
    # page_bits: swapoff also brings back pages that their VMA forbids to touch.
    bits: int | Ints = (
        vma.page_bits | PTE_ACCESSED | (PTE_WRITE | PTE_DIRTY if swap_in.write else 0)
    )
    if cow.marks(kernel) and vma.writable:
        bits = np.where(alone | copy, bits | PTE_WRITE, bits)
    mapped = pfns.copy()
    copies = mem.alloc(int(np.count_nonzero(copy)))
    mem.data[copies] = mem.data[pfns[copy]]
    mapped[copy] = copies
    mem.count[pfns[keep]] += 1
    span.words[at] = mapped << PTE_SHIFT | bits
    span.store()
    map_anon(kernel, vma, vpns[keep], pfns[keep], alone[keep])
    map_anon(kernel, vma, vpns[copy], copies)
    _account(kernel, swap_in)

    drop_lonely(kernel, pfns[copy])
    if cow.lets_go_of_swap_cache(kernel, swap_in.write):
        drop_lonely(kernel, pfns[keep], holders=1)
    kernel.step("fault.swap_in", swap_in.process, vpns)


def nobody_else(kernel: Kernel, swap_in: SwapIn, pfns: Pfns) -> Mask:
    """Return which of the swap-cache pages `pfns`, about to be mapped, nobody else has, bool[n]: no
    mapper and no other swap entry. Where pages are marked, the swap entry must say so, or the page
    must be about to leave the swap cache with nobody else holding it (do_swap_page, 6.x)."""
    mem, swap = kernel.mem_map, kernel.swap
    alone: Mask = (mem.mapcount[pfns] == 0) & (swap.map[swap_in.slots] == 1)
    if not cow.marks(kernel):
        return alone
    marked: Mask = (swap_in.span.words[swap_in.at] & SWP_EXCLUSIVE) != 0
    if cow.lets_go_of_swap_cache(kernel, swap_in.write):
        marked |= alone & (mem.count[pfns] == 1)
    return marked


def _account(kernel: Kernel, swap_in: SwapIn) -> None:
    """Count the copies and tell the recorder about clashes."""
    clashes = int(np.count_nonzero(swap_in.clash))
    cost = kernel.design.cost
    cost.copies_swapin_clash += clashes
    cost.copies_cow += int(np.count_nonzero(swap_in.copy)) - clashes
    if clashes:
        vpns = swap_in.span.vpns[swap_in.at[swap_in.clash]]
        kernel.step("fault.swap_in_clash", swap_in.process, vpns)


# swapoff


def frames_to_unuse(kernel: Kernel, entries: list[tuple[Vma, Span, Ints]]) -> int:
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
                home, here = np.array([index[slot]]), np.array([vpn])
                frames += int(kernel.design.clash(home, vma, here)[0])
    return frames


def unuse(kernel: Kernel, vma: Vma, span: Span, at: Ints) -> None:
    """Bring the entries `at` of one VMA back; the frames are reserved (unuse_vma)."""
    actions: list[Callable[[], None]] = []
    process = kernel.any_process(vma.mm)
    anon_prepare(kernel, vma)
    plan(kernel, process, vma, span, at, False, actions)
    for action in actions:
        action()


def unuse_shmem(kernel: Kernel, file: File) -> None:
    """Bring the swapped pages of a shmem object back into the page cache (shmem_unuse)."""
    pgoffs = np.flatnonzero(file.slots)
    if pgoffs.size:
        page_in(kernel, file, pgoffs)
