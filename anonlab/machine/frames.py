"""mem_map: one row per page frame, as parallel arrays, and the allocator of frames."""

from __future__ import annotations

import numpy as np

from anonlab.errors import OutOfMemory
from anonlab.machine.free_list import FreeList
from anonlab.machine.words import ONE, PG_RESERVED, POISON, ZERO_PFN, Ints, Mask, Pfns


class MemMap:
    """The page frames (struct page, mem_map), all columns int64[nframes] indexed by pfn.

    count     references: mappings, page cache, swap cache, pins; 0 = free
    mapcount  page-table entries that map the frame; stays 0 for the zero page
    index     vpn of an anonymous page (or what its design keeps there), page offset of a file page
    mapping   number of the design's object or of the file; 0 = none
    flags     PG_… bits
    data      one content tag that stands for the page's 4096 bytes
    private   swap slot of a page in the swap cache, else 0

    `columns` is all of them, int64[7, nframes], in this order, but `data` is the last.
    `free` is the free list.

    Frame 0 is the zero page: reserved, never freed, shown wherever memory was only read. A free
    frame has every column 0 but `data`, which is POISON.
    """

    def __init__(self, nframes: int) -> None:
        if nframes < 2:
            raise ValueError(f"frames must be >= 2 (one is the zero page), got {nframes}")
        self.nframes = nframes
        self.columns: Ints = np.zeros((7, nframes), dtype=np.int64)
        columns: list[Ints] = list(self.columns)
        self.count, self.mapcount, self.index, self.mapping, self.flags, self.private = columns[:6]
        self.data = columns[6]
        self.data[:] = POISON
        self.count[ZERO_PFN] = 1
        self.flags[ZERO_PFN] = PG_RESERVED
        self.data[ZERO_PFN] = 0
        self.free = FreeList(ZERO_PFN + 1, nframes)

    @property
    def free_pfns(self) -> Pfns:
        """The free frames, int64[nfree]; the next one to be handed out is the last."""
        return self.free.numbers

    @property
    def nfree(self) -> int:
        """Frames that can be handed out."""
        return self.free.size

    @property
    def high_pfn(self) -> int:
        """From this frame on none was ever handed out."""
        return self.nframes - self.free.least

    def alloc(self, npages: int) -> Pfns:
        """Return `npages` distinct zero-filled frames, int64[npages], of count 1 (alloc_page).

        raises  OutOfMemory if fewer are free; nothing has changed then
        """
        if npages > self.free.size:
            raise OutOfMemory(f"ENOMEM: {npages} frames wanted, {self.free.size} are free")
        pfns = self.free.take(npages)
        self.count[pfns] = 1
        self.data[pfns] = 0
        return pfns

    def put(self, pfns: Pfns) -> None:
        """Drop one reference to each of the distinct `pfns`; free what has none left (put_page)."""
        left = self.count[pfns] - ONE
        self.count[pfns] = left
        nheld = np.count_nonzero(left)
        if nheld < left.size:
            self._poison(pfns[left == 0] if nheld else pfns)

    def _poison(self, pfns: Pfns) -> None:
        """Give the frames `pfns` back (free_page): forget everything, poison the contents."""
        for column in (self.index, self.mapping, self.flags, self.private):
            column[pfns] = 0
        self.data[pfns] = POISON
        self.free.give(pfns)

    def has(self, pfns: Pfns, flag: int) -> Mask:
        """Return where the page flag `flag` is set, bool[n]."""
        there: Mask = (self.flags[pfns] & flag) != 0
        return there
