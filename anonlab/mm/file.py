"""A file as the kernel keeps it: its page cache and the VMAs that map it (struct address_space)."""

from __future__ import annotations

import numpy as np

from anonlab.formats.words import Ints
from anonlab.mm.vma import Vma


class File:
    """A file, or the nameless object behind shared anonymous memory (shmem).

    mapping  the number that its pages carry in mem_map.mapping, < 0 (designs use numbers > 0)
    writable its mode: a file that is not can only be mapped privately or read-only
    npages   its length in pages; touching beyond it is SIGBUS
    cache    int64[npages], pfn of each cached page, 0 where the page is not in memory
    store    int64[npages], content tags on disk; a shmem object has no disk
    slots    int64[npages], swap slot of each page of a shmem object that was swapped out, else 0
    vmas     i_mmap: the VMAs that map the file, oldest first
    """

    def __init__(
        self, name: str, mapping: int, npages: int, shmem: bool = False, writable: bool = True
    ) -> None:
        self.name = name
        self.mapping = mapping
        self.npages = npages
        self.shmem = shmem
        self.writable = writable
        self.cache: Ints = np.zeros(npages, dtype=np.int64)
        self.slots: Ints = np.zeros(npages, dtype=np.int64)
        # Every page of a file on disk has contents of its own, so that mixed-up pages show.
        self.store: Ints = np.zeros(npages, dtype=np.int64)
        if not shmem:
            self.store += -mapping << 32 | np.arange(1, npages + 1)
        self.vmas: dict[Vma, None] = {}

    def resize(self, npages: int) -> None:
        """Make the file `npages` long; new pages are empty, pages cut off are already forgotten."""
        for name in ("cache", "slots", "store"):
            column = np.zeros(npages, dtype=np.int64)
            kept = getattr(self, name)[:npages]
            column[: kept.size] = kept
            setattr(self, name, column)
        self.npages = npages

    def __repr__(self) -> str:
        return f"<File {self.name}: {self.npages} pages>"
