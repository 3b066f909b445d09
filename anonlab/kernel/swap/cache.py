"""The swap cache: pages that are in memory and have a slot on swap as well."""

from __future__ import annotations

from anonlab.machine.frames import MemMap
from anonlab.machine.swap import Swap
from anonlab.machine.words import PG_SWAPCACHE, Pfns, Slots


def enter_swap_cache(mem: MemMap, swap: Swap, pfns: Pfns, slots: Slots) -> None:
    """Connect pages and slots (add_to_swap_cache). The caller has counted the references: each
    page's `count` and each slot's `map` already hold the cache's own."""
    mem.flags[pfns] |= PG_SWAPCACHE
    mem.private[pfns] = slots
    swap.cache[slots] = pfns


def leave_swap_cache(mem: MemMap, swap: Swap, pfns: Pfns) -> None:
    """Disconnect pages from their slots, drop the cache's references (delete_from_swap_cache)."""
    slots = mem.private[pfns]
    mem.flags[pfns] &= ~PG_SWAPCACHE
    mem.private[pfns] = 0
    swap.cache[slots] = 0
    swap.free(slots)
    mem.put(pfns)


def free_unused_swap_cache(mem: MemMap, swap: Swap, pfns: Pfns, holders: int = 0) -> None:
    """Take pages out of the swap cache that no swap entry needs and only `holders` others hold
    (free_swap_cache, and remove_exclusive_swap_page with one holder)."""
    cached = pfns[mem.has(pfns, PG_SWAPCACHE)]
    unused = (mem.count[cached] == 1 + holders) & (swap.map[mem.private[cached]] == 1)
    leave_swap_cache(mem, swap, cached[unused])


def free_swap_entries(mem: MemMap, swap: Swap, slots: Slots) -> None:
    """Swap PTEs that named `slots` are gone (free_swap_and_cache)."""
    cached = swap.cache[slots]
    swap.free(slots)
    cached = cached[cached != 0]
    if cached.size:
        free_unused_swap_cache(mem, swap, cached)
