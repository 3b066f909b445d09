"""Swap: slots with use counts (swap_map), contents, and the swap cache, as in 2004."""

from __future__ import annotations

import numpy as np

from anonlab.errors import OutOfMemory
from anonlab.machine.free_list import FreeList
from anonlab.machine.words import Ints, Slots


class Swap:
    """The swap device, columns int64[nslots + 1] indexed by slot; slot 0 is the header, never used.

    map    swap_map: swap PTEs (or a shmem file) that name the slot, + 1 while a page of it is in
           the swap cache; 0 = free
    data   content tag written there
    cache  pfn of the page in the swap cache, else 0
    `columns` is all of them as int64[3, nslots + 1], in this order; `nused` slots are in use.
    `on` is False after swapoff: no slot is handed out any more.
    """

    def __init__(self, nslots: int) -> None:
        if nslots < 0:
            raise ValueError(f"swap must be >= 0 slots, got {nslots}")
        self.nslots = nslots
        self.nused = 0
        self.on = True
        self.columns: Ints = np.zeros((3, nslots + 1), dtype=np.int64)
        columns: list[Ints] = list(self.columns)
        self.map, self.data, self.cache = columns
        self._free = FreeList(1, nslots + 1)

    @property
    def nfree(self) -> int:
        """Slots that can be handed out."""
        return self._free.size if self.on else 0

    @property
    def full(self) -> bool:
        """True when more than half of the slots are used, so the cache lets go (vm_swap_full)."""
        return self.nused * 2 > self.nslots

    @property
    def free_slots(self) -> Slots:
        """The free slots, int64[n]."""
        return self._free.numbers

    def alloc(self, nslots: int) -> Slots:
        """Return `nslots` distinct slots, int64[nslots], each with map 1 (get_swap_page).

        raises  OutOfMemory if fewer are free; nothing has changed then
        """
        if nslots > self.nfree:
            raise OutOfMemory(f"ENOMEM: {nslots} swap slots wanted, {self.nfree} are free")
        slots = self._free.take(nslots)
        self.nused += nslots
        self.map[slots] = 1
        return slots

    def free(self, slots: Slots) -> None:
        """Drop one use of each of the distinct `slots`; free what has none left (swap_free)."""
        left = self.map[slots] - 1
        self.map[slots] = left
        gone = slots[left == 0]
        if gone.size:
            self.data[gone] = 0
            self._free.give(gone)
            self.nused -= gone.size
