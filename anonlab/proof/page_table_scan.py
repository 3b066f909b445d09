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

Entries = tuple[Ints, Words]
"""Words that are not 0 and their places (row * slots + slot), int64[n] each, ascending by place."""


def entries(kernel: Kernel) -> Entries:
    """Return the words that are not 0 of all tables, upper and leaf, in use and free."""
    words = kernel.tables.words.reshape(-1)
    places = (words != 0).nonzero()[0]
    return places, words[places]


@dataclass(frozen=True)
class Scan:
    """Every leaf word of the machine that is not 0, int64[n] each, ascending by (mm, vpn).

    mms    number of the address space · vpns page number · words the leaf word
    rows   int64[k], every table that the scan passed, with repeats if one was reached twice
    filled int64[all tables], how many words of each are not 0
    """

    mms: Ints
    vpns: Vpns
    words: Words
    rows: Rows
    filled: Ints

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


def scan(kernel: Kernel, found: Entries | None = None) -> Scan:
    """Read all page tables, level by level, from the top tables of all live address spaces.

    found  the entries of `kernel` as it is now, if the caller has just read them
    """
    places, all_words = found or entries(kernel)
    bits = kernel.geometry.bits
    filled = np.bincount(places >> bits, minlength=len(kernel.tables.words))
    ends = np.cumsum(filled)  # int64[all tables], where the entries of each end
    live = sorted((mm.number, mm.pgd) for mm in kernel.mms.values())
    mms, rows = np.array(live, dtype=np.int64).reshape(-1, 2).T
    vpns, passed = np.zeros(rows.shape, dtype=np.int64), []
    for _ in range(kernel.geometry.levels):
        passed.append(rows)
        sizes = filled[rows]
        above = np.repeat(np.arange(rows.size), sizes)  # int64[entries], the table of each
        at = np.arange(above.size) + (ends[rows] - np.cumsum(sizes))[above]
        mms, vpns = mms[above], vpns[above] << bits | places[at] & (1 << bits) - 1
        words = all_words[at]
        rows = words >> PTE_SHIFT
    return Scan(mms, vpns, words, np.concatenate(passed), filled)
