"""June 2005: a page is written in place if nobody else maps it or has it on swap.

Pins do not matter: a device that writes to the page writes to the writer's.
"""

from __future__ import annotations

import numpy as np

from anonlab.kernel.cow.base import CowRule
from anonlab.machine.words import PG_SWAPCACHE, Ints, Mask, Pfns


class ByMapcount(CowRule):
    """The rule from 2005 to 2020: one mapping or swap entry."""

    name = "mapcount_swapcount"
    year = 2005

    def can_share(self, pfns: Pfns) -> Mask:
        """One mapping, and no swap entry beside it."""
        mem, swap = self.mem_map, self.swap
        cached = mem.has(pfns, PG_SWAPCACHE)
        entries = np.where(cached, swap.map[mem.private[pfns]] - 1, 0)
        alone: Mask = mem.mapcount[pfns] + entries == 1
        return alone

    def holders(self, pfns: Pfns) -> Ints:
        """Who maps the page; not who only holds it."""
        return self.mem_map.mapcount[pfns]
