"""A student's own design inside the simulated kernel: hooks as plain data, one page at a time.

The student's class `Design` has one method for each event; all arguments are whole numbers. Pages
are frame numbers, address spaces and VMAs are numbers, `vpn` is a page number.

    new_mm(mm) · fork_mm(child, parent) · drop_mm(mm)
    add(pfn, mm, vpn)            a new page was mapped, or one came back from swap
    dup(pfn, mm, vpn)            fork mapped a page once more
    remove(pfn, mm, vpn)         a page lost one mapping
    must_copy(pfn, mm, vpn)      mremap wants to move it: True = it must be copied instead
    moved(pfn, mm, old, new)     mremap moved it
    clash(pfn, mm, vpn)          it is mapped elsewhere and comes back from swap here as well:
                                 True = this process must get a copy
    candidates(pfn) -> [(mm, vpn), …]   where it may be mapped, in walking order
"""

from __future__ import annotations

from typing import Any

import numpy as np

from anonlab.box.plain_data import without_sequence_types
from anonlab.machine.words import Ints, Mask, Pfns, Vpns
from anonlab.mm import Mm, Vma
from anonlab.rmap import Candidates, Rmap


class PlainDesign(Rmap):
    """A design that asks `answers`, an object of a student's class, about everything."""

    name = "yours"
    wants_dup = True
    copies_on_mremap = True  # a student may: what is copied is asked of must_copy

    def __init__(self, answers: Any, **options: Any) -> None:
        super().__init__(**options)
        self.answers = answers

    def new_mm(self, mm: Mm) -> None:
        """Pass it on."""
        self.answers.new_mm(mm.number)

    def fork_mm(self, child: Mm, parent: Mm) -> None:
        """Pass it on."""
        self.answers.fork_mm(child.number, parent.number)

    def drop_mm(self, mm: Mm) -> None:
        """Pass it on."""
        self.answers.drop_mm(mm.number)

    def add(self, pfns: Pfns, vma: Vma, vpns: Vpns, exclusive: Mask) -> None:
        """Page by page; `index` only says which page a later clash is about."""
        for pfn, vpn in zip(pfns.tolist(), vpns.tolist(), strict=True):
            if self.mem_map.mapcount[pfn] == 1:
                self.mem_map.index[pfn] = pfn
            self.answers.add(pfn, vma.mm.number, vpn)

    def dup(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """Page by page."""
        for pfn, vpn in zip(pfns.tolist(), vpns.tolist(), strict=True):
            self.answers.dup(pfn, vma.mm.number, vpn)

    def remove(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """Page by page."""
        for pfn, vpn in zip(pfns.tolist(), vpns.tolist(), strict=True):
            self.answers.remove(pfn, vma.mm.number, vpn)
        self.forget_unmapped(pfns)

    def move(self, pfns: Pfns, old: Vma, vpns: Vpns) -> Mask:
        """Ask for each page."""
        pages = zip(pfns.tolist(), vpns.tolist(), strict=True)
        copies = [bool(self.answers.must_copy(pfn, old.mm.number, vpn)) for pfn, vpn in pages]
        return np.array(copies, dtype=np.bool_)

    def moved(self, pfns: Pfns, old: Vma, old_vpns: Vpns, new: Vma, vpns: Vpns) -> None:
        """Page by page."""
        for pfn, before, after in zip(pfns.tolist(), old_vpns.tolist(), vpns.tolist(), strict=True):
            self.answers.moved(pfn, new.mm.number, before, after)

    def clash(self, index: Ints, vma: Vma, vpns: Vpns) -> Mask:
        """Ask for each page that is still mapped; its `index` is its frame here."""
        mm, mapcount = vma.mm.number, self.mem_map.mapcount
        copies = [
            bool(pfn and mapcount[pfn] and self.answers.clash(pfn, mm, vpn))
            for pfn, vpn in zip(index.tolist(), vpns.tolist(), strict=True)
        ]
        return np.array(copies, dtype=np.bool_)

    def candidates(self, pfn: int) -> Candidates:
        """Ask, and hold the answer to its form: AssertionError that says what is wrong."""
        answer = without_sequence_types(self.answers.candidates(pfn))
        answer = sorted(answer, key=repr) if isinstance(answer, set | frozenset) else answer
        assert isinstance(answer, list), f"candidates returns a list, yours {type(answer).__name__}"
        for place in answer:
            ok = isinstance(place, list | tuple) and len(place) == 2
            ok = ok and all(type(part) is int for part in place)
            assert ok, f"candidates returns (mm, vpn) pairs, yours has {place!r:.60}"
        live = self.mm_table.pgd
        dead = [mm for mm, _ in answer if not 0 < mm < live.size or not live[mm]]
        assert not dead, f"candidates of pfn {pfn} names address space {dead[0]}, which is gone"
        places = np.array(answer, dtype=np.int64).reshape(-1, 2)
        return Candidates(places[:, 0], places[:, 1])
