"""September 2020, "checking against page refcounts rather than mapcounts": one reference at all.

Even the swap cache forces a copy.
"""

from __future__ import annotations

from anonlab.kernel.cow.base import CowRule
from anonlab.machine.words import Ints, Mask, Pfns


class ByRefcountAlone(CowRule):
    """The rule from 2020 to 2022: one reference, whoever holds it."""

    name = "count_only"
    year = 2020

    def can_share(self, pfns: Pfns) -> Mask:
        """One reference, whoever holds it."""
        alone: Mask = self.mem_map.count[pfns] == 1
        return alone

    def holders(self, pfns: Pfns) -> Ints:
        """Who maps the page."""
        return self.mem_map.mapcount[pfns]

    def frees_swap_cache(self, write: bool) -> bool:
        """Also at a write: else the swap cache's reference would force a copy."""
        return write or self.swap.full
