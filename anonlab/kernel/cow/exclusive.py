"""2022 to today, wp_can_reuse_anon_folio: a page that is marked exclusive is written at once.

Any other as in 2004, and marked then. fork takes the mark away, unless the page is pinned: then
the child gets a copy at fork, so that the parent and the device keep the page.
"""

from __future__ import annotations

from anonlab.kernel.cow.by_count import ByCount
from anonlab.kernel.swap.cache import leave_swap_cache
from anonlab.machine.words import (
    PG_EXCLUSIVE,
    PG_SWAPCACHE,
    SWP_EXCLUSIVE,
    Mask,
    Pfns,
    Slots,
    Words,
)


class Exclusive(ByCount):
    """The rule of today: the mark, or one reference."""

    name = "exclusive"
    year = 2022
    mark = PG_EXCLUSIVE

    def can_share(self, pfns: Pfns) -> Mask:
        """Marked exclusive; or one reference, the swap cache's left out."""
        return self.mem_map.has(pfns, PG_EXCLUSIVE) | ByCount.can_share(self, pfns)

    def reuse(self, pfns: Pfns) -> Mask:
        """What was not marked lets go of the swap cache and is marked; the rest stays as it is."""
        mem = self.mem_map
        fresh: Mask = ~mem.has(pfns, PG_EXCLUSIVE)
        new = pfns[fresh]
        if self.swap.nused:
            leave_swap_cache(mem, self.swap, new[mem.has(new, PG_SWAPCACHE)])
        mem.flags[new] |= PG_EXCLUSIVE
        return fresh

    def frees_swap_cache(self, write: bool) -> bool:
        """Also at a write: the page is the writer's own then."""
        return write or self.swap.full

    def is_exclusive(self, words: Words, slots: Slots, pfns: Pfns, write: bool) -> Mask:
        """The swap entry must say so, or the page must be about to leave the swap cache with
        nobody else holding it (do_swap_page, 6.x)."""
        marked: Mask = (words & SWP_EXCLUSIVE) != 0
        if self.frees_swap_cache(write):
            alone = ByCount.is_exclusive(self, words, slots, pfns, write)
            marked |= alone & (self.mem_map.count[pfns] == 1)
        return marked

    def is_copied_at_fork(self, pfns: Pfns) -> Mask:
        """Exclusive pages that a device holds (folio_try_dup_anon_rmap_pte, copy_present_page)."""
        mem = self.mem_map
        held: Mask = mem.count[pfns] > mem.mapcount[pfns] + mem.has(pfns, PG_SWAPCACHE)
        held &= mem.has(pfns, PG_EXCLUSIVE)
        return held
