"""A brute-force scan of all page tables: what is mapped, whoever thinks otherwise.

It starts at every live address space's top table and reads every word below it. It shares no code
with the kernel's walk, keeps no count and trusts none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from anonlab.kernel import Kernel
from anonlab.machine.words import (
    PTE_PRESENT,
    PTE_SHIFT,
    ZERO_PFN,
    Ints,
    Mask,
    Pfns,
    Rows,
    Vpns,
    Words,
)


@dataclass(frozen=True)
class Scan:
    """Every page-table word of the machine that is not 0, int64[n] each, ascending by (mm, vpn).

    mms    number of the address space · vpns page number · words the leaf word
    rows   int64[k], every table that the scan passed, with repeats if one was reached twice
    """

    mms: Ints
    vpns: Vpns
    words: Words
    rows: Rows

    @cached_property
    def present(self) -> Mask:
        """Words that map a frame."""
        return np.asarray((self.words & PTE_PRESENT) != 0)

    @cached_property
    def mapped(self) -> Mask:
        """Words that map a frame other than the zero page."""
        return np.asarray(self.present & (self.pfns != ZERO_PFN))

    def inside(self, mms: Iterable[int]) -> Mask:
        """Return which words are those of the address spaces `mms`, bool[n]."""
        if not self.mms.size:
            return np.zeros(0, dtype=np.bool_)
        wanted = np.zeros(int(self.mms[-1]) + 1, dtype=np.bool_)
        wanted[[number for number in mms if number < wanted.size]] = True
        return np.asarray(wanted[self.mms])

    @cached_property
    def pfns(self) -> Pfns:
        """The frames of all words, meaningful where `present`."""
        return self.words >> PTE_SHIFT


def scan(kernel: Kernel) -> Scan:
    """Read all page tables, level by level, from the top tables of all live address spaces."""
    tables, bits = kernel.tables.words, kernel.geometry.bits
    live = sorted(kernel.mms.values(), key=lambda mm: mm.number)
    mms = np.array([mm.number for mm in live], dtype=np.int64)
    rows = np.array([mm.pgd for mm in live], dtype=np.int64)
    vpns = np.zeros(rows.shape, dtype=np.int64)
    passed, used = [rows], tables != 0  # bool[rows, slots], every entry of every table
    for level in range(kernel.geometry.levels):
        at = used[rows].reshape(-1).nonzero()[0]
        above, slots = at >> bits, at & (1 << bits) - 1
        words = tables[rows[above], slots]
        mms, vpns = mms[above], vpns[above] << bits | slots
        if level < kernel.geometry.levels - 1:
            rows = words >> PTE_SHIFT
            passed.append(rows)
    return Scan(mms, vpns, words, np.concatenate(passed))
