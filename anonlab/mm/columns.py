"""What walks want to know of many address spaces at once, by number."""

from __future__ import annotations

import numpy as np


class MmColumns:
    """Columns int64[n], indexed by the number of an address space; row 0 belongs to none.

    pgd  row of its top page table, 0 once it is gone
    rss  pages of memory that it maps, the zero page left out (mm->rss)
    """

    def __init__(self) -> None:
        self.pgd, self.rss = np.zeros((2, 8), dtype=np.int64)

    def add(self, number: int, pgd: int) -> None:
        """Take up address space `number`."""
        if number >= self.pgd.size:
            for name in ("pgd", "rss"):
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
        self.pgd[number] = pgd

    def drop(self, number: int) -> None:
        """Forget address space `number`, which maps nothing any more."""
        self.pgd[number] = 0
