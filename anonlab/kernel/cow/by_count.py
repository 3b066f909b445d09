"""Up to 2.6.12, can_share_swap_page: a page is written in place if nobody else holds a reference.

A pin, or a page in a per-cpu batch, forces a copy, and the device keeps the old page.
"""

from __future__ import annotations

from anonlab.kernel.cow.base import CowRule
from anonlab.machine.words import PG_SWAPCACHE, Mask, Pfns


class ByCount(CowRule):
    """The rule of 2004: one reference."""

    name = "count"
    year = 2004

    def can_share(self, pfns: Pfns) -> Mask:
        """One reference; or two, the second held by the swap cache for a slot that no entry
        names."""
        mem, swap = self.mem_map, self.swap
        count = mem.count[pfns]
        alone: Mask = count == 1
        if swap.nused:
            cached = (count == 2) & mem.has(pfns, PG_SWAPCACHE)
            alone |= cached & (swap.map[mem.private[pfns]] == 1)
        return alone
