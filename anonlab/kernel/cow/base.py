"""What a rule of copy on write answers; what most eras have in common."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from anonlab.machine.frames import MemMap
from anonlab.machine.swap import Swap
from anonlab.machine.words import Ints, Mask, Pfns, Slots, Words


class CowRule:
    """When a write fault may write in place, in one era of Linux.

    name  what designs call it · year when it came
    mark  PG_EXCLUSIVE where pages are marked exclusive (PageAnonExclusive), else 0
    """

    name: ClassVar[str]
    year: ClassVar[int]
    mark: ClassVar[int] = 0

    def __init__(self, mem_map: MemMap, swap: Swap) -> None:
        self.mem_map = mem_map
        self.swap = swap

    def can_share(self, pfns: Pfns) -> Mask:
        """Return where a write may go to the anonymous page itself, bool[n] (can_share_swap_page,
        wp_can_reuse_anon_folio)."""
        raise NotImplementedError

    def reuse(self, pfns: Pfns) -> Mask:
        """The distinct `pfns` are written in place; return which may move to the writer's object,
        bool[n] (wp_page_reuse, folio_move_anon_rmap)."""
        return np.ones(pfns.shape, dtype=np.bool_)

    def holders(self, pfns: Pfns) -> Ints:
        """Return how many beside the swap cache hold each page, int64[n]: references, pins too."""
        return self.mem_map.count[pfns] - 1

    def is_shared(self, pfns: Pfns, slots: Slots) -> Mask:
        """Return where somebody else has the page behind a swap entry, so that a write to it
        copies, bool[n]: another swap entry, or, for pages in the swap cache (`pfns` is 0 for the
        others), another holder."""
        cached = pfns != 0
        entries: Ints = self.swap.map[slots] - cached
        elsewhere: Mask = (cached & (self.holders(pfns) > 0)) | (entries > 1)
        return elsewhere

    def frees_swap_cache(self, write: bool) -> bool:
        """Return whether a page that was swapped in leaves the swap cache if nobody else wants it
        there (remove_exclusive_swap_page, should_try_to_free_swap)."""
        return self.swap.full

    def is_exclusive(self, words: Words, slots: Slots, pfns: Pfns, write: bool) -> Mask:
        """Return which of the swap-cache pages `pfns`, about to be mapped for the swap entries
        `words` of `slots`, nobody else has, bool[n]: no mapper and no other swap entry."""
        alone: Mask = (self.mem_map.mapcount[pfns] == 0) & (self.swap.map[slots] == 1)
        return alone

    def is_copied_at_fork(self, pfns: Pfns) -> Mask:
        """Return which pages a child gets as a copy at once, bool[n]."""
        return np.zeros(pfns.shape, dtype=np.bool_)
