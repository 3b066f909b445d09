"""Copy on write: who may write to a page in place, as the answer changed over the years.

count               up to 2.6.12, can_share_swap_page: nobody else holds a reference. A pin, or a
                    page in a per-cpu batch, forces a copy, and the device keeps the old page
mapcount_swapcount  June 2005: nobody else maps the page or has it on swap; pins do not matter
count_only          September 2020, "checking against page refcounts rather than mapcounts": even
                    the swap cache forces a copy
exclusive           2022 to today, wp_can_reuse_anon_folio: a page that is marked exclusive is
                    written at once; any other as under `count`, and marked then. fork takes the
                    mark away, unless the page is pinned: then the child gets a copy at fork
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from anonlab.kernel.pages import chosen, leave_swap_cache
from anonlab.machine.words import PG_ANON, PG_EXCLUSIVE, PG_SWAPCACHE, Ints, Mask, Pfns, Slots

if TYPE_CHECKING:
    from anonlab.kernel.kernel import Kernel


def can_share(kernel: Kernel, pfns: Pfns) -> Mask:
    """Return where a write may go to the page itself, bool[n] (can_share_swap_page,
    wp_can_reuse_anon_folio). Only anonymous pages can; the zero page cannot."""
    alone = RULES[kernel.design.cow_rule](kernel, pfns)
    alone &= (kernel.mem_map.flags[pfns] & PG_ANON) != 0
    return alone


def by_count(kernel: Kernel, pfns: Pfns) -> Mask:
    """One reference; or two, the second held by the swap cache for a slot that no entry names."""
    mem, swap = kernel.mem_map, kernel.swap
    count = mem.count[pfns]
    alone: Mask = count == 1
    if swap.nused:
        cached = (count == 2) & mem.has(pfns, PG_SWAPCACHE)
        alone |= cached & (swap.map[mem.private[pfns]] == 1)
    return alone


def by_mapcount_and_swapcount(kernel: Kernel, pfns: Pfns) -> Mask:
    """One mapping, and no swap entry beside it."""
    mem, swap = kernel.mem_map, kernel.swap
    cached = mem.has(pfns, PG_SWAPCACHE)
    entries = np.where(cached, swap.map[mem.private[pfns]] - 1, 0)
    alone: Mask = mem.mapcount[pfns] + entries == 1
    return alone


def by_count_only(kernel: Kernel, pfns: Pfns) -> Mask:
    """One reference, whoever holds it."""
    alone: Mask = kernel.mem_map.count[pfns] == 1
    return alone


def by_mark(kernel: Kernel, pfns: Pfns) -> Mask:
    """Marked exclusive; or one reference, the swap cache's left out."""
    return kernel.mem_map.has(pfns, PG_EXCLUSIVE) | by_count(kernel, pfns)


RULES: dict[str, Callable[[Kernel, Pfns], Mask]] = {
    "count": by_count,
    "mapcount_swapcount": by_mapcount_and_swapcount,
    "count_only": by_count_only,
    "exclusive": by_mark,
}


def marks(kernel: Kernel) -> bool:
    """True where pages are marked exclusive."""
    return kernel.design.cow_rule == "exclusive"


def reuse(kernel: Kernel, pfns: Pfns) -> Mask:
    """The distinct `pfns` are written in place; return which may move to the writer's object,
    bool[n].

    Today's rule lets go of the swap cache and marks the page exclusive; a page that was marked
    already stays as it is (wp_page_reuse, folio_move_anon_rmap).
    """
    mem = kernel.mem_map
    fresh = ~mem.has(pfns, PG_EXCLUSIVE)
    if marks(kernel):
        new = chosen(pfns, fresh)
        if kernel.swap.nused:
            leave_swap_cache(kernel, new[mem.has(new, PG_SWAPCACHE)])
        mem.flags[new] |= PG_EXCLUSIVE
    return fresh


def others_have(kernel: Kernel, pfns: Pfns, slots: Slots) -> Mask:
    """Return where somebody else has the page behind a swap entry, so that a write to it copies,
    bool[n]: another swap entry, or, for pages in the swap cache (`pfns` is 0 for the others),
    another holder. What a holder is depends on the rule: a reference, or a mapping."""
    mem, swap = kernel.mem_map, kernel.swap
    cached = pfns != 0
    counts_pins = kernel.design.cow_rule in ("count", "exclusive")
    holders = mem.count[pfns] - 1 if counts_pins else mem.mapcount[pfns]
    entries: Ints = swap.map[slots] - cached
    elsewhere: Mask = (cached & (holders > 0)) | (entries > 1)
    return elsewhere


def lets_go_of_swap_cache(kernel: Kernel, write: bool) -> bool:
    """Return whether a page that was swapped in leaves the swap cache if nobody else wants it there
    (remove_exclusive_swap_page, should_try_to_free_swap)."""
    at_write = kernel.design.cow_rule in ("count_only", "exclusive")
    return kernel.swap.full or (write and at_write)


def copied_at_fork(kernel: Kernel, pfns: Pfns) -> Mask:
    """Return which pages a child gets as a copy at once, bool[n]: exclusive ones that a device
    holds, so that the parent keeps them (folio_try_dup_anon_rmap_pte, copy_present_page)."""
    mem = kernel.mem_map
    if not marks(kernel) or not kernel.pins:
        return np.zeros(pfns.shape, dtype=np.bool_)
    held: Mask = mem.count[pfns] > mem.mapcount[pfns] + mem.has(pfns, PG_SWAPCACHE)
    held &= mem.has(pfns, PG_EXCLUSIVE)
    return held
