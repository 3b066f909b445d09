"""anon_vma: Andrea Arcangeli, 2004, as merged in 2.6.7 ("rmap 39" and "rmap 40", 18 May 2004).

A page points to an anon_vma (`page->mapping`), which lists the VMAs that may map it: those that
are related by fork or by a split. `page->index` is the page's linear offset in any of them.

Why the anon memory group was not enough: mremap after fork had to copy, a walk visited address
spaces that never had the page, and it had to take page_table_lock to find the VMA. Here mremap
moves a VMA and touches no page, and only VMAs are visited that descend from the one that was
written first.

The price: 12 bytes per VMA (24 on 64-bit) and as much per anon_vma; VMAs with different anon_vmas
can never merge, because no way leads from an anon_vma to its pages. And a page that a child wrote
itself still names the list that the child shares with all its relatives, so a walk visits them
all: what anon_vma_chain mended in 2010.

source  Hugh Dickins, "[PATCH] rmap 39 add anon_vma rmap", linux-kernel, 18 May 2004,
        <Pine.LNX.4.44.0405182310200.3416-100000@localhost.localdomain>
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from anonlab.formats.labels import Labels
from anonlab.formats.snapshot import Edge, Node
from anonlab.machine.words import Ints, Mask, Pfns, Vpns
from anonlab.mm import Mm, Vma
from anonlab.rmap.base import Candidates
from anonlab.rmap.linear import OneListRmap, VmaList, mergeable_neighbours, vma_id


class Anon(VmaList):
    """An anon_vma: its number in mem_map.mapping, and the VMAs on its list, oldest first."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class AnonVma(OneListRmap):
    """One list of VMAs for every family of VMAs that fork and split have made.

    walk_order  'head' (newest first, as in 2.6.7) or 'append'
    early_stop, cow_rule   see Rmap
    """

    name = "anon_vma"
    year = 2004
    lock = "anon_vma"
    stays_in_family = True
    sizes: ClassVar = {"anon_vma": (12, 24), "vma": (12, 24)}
    owners = "anon_vma"
    words: ClassVar = Labels("anon_vma", "vma_by_vma")
    cannot: ClassVar = {
        "KSM": "one page at offsets that differ from VMA to VMA: a page has one index"
    }

    def __init__(
        self,
        walk_order: str = "head",
        *,
        cow_rule: str | None = None,
        early_stop: bool | None = None,
    ) -> None:
        super().__init__(walk_order, cow_rule=cow_rule, early_stop=early_stop)
        self.anon_vmas: dict[int, Anon] = {}
        self._last_number = 0

    def prepare(self, vma: Vma) -> None:
        """A VMA that is written first shares a neighbour's anon_vma, so that the two can merge, or
        gets one of its own (anon_vma_prepare, find_mergeable_anon_vma)."""
        if vma.rmap is not None:
            return
        shared = (near.rmap for near in mergeable_neighbours(vma) if near.rmap is not None)
        anon = next(shared, None)
        if anon is None:
            self._last_number += 1
            anon = self.anon_vmas[self._last_number] = Anon(self._last_number)
            self.made("anon_vma")
        self.link(vma, anon)

    def list_of(self, vma: Vma) -> Anon:
        """A VMA points to its anon_vma."""
        anon: Anon = vma.rmap
        return anon

    def copy_vma(self, new: Vma, old: Vma) -> None:
        """A part, or the place that mremap moves to, joins the list."""
        if old.rmap is not None:
            self.link(new, old.rmap)

    def can_merge(self, lower: Vma, upper: Vma) -> bool:
        """Two VMAs with different anon_vmas stay two: their pages cannot be told
        (is_mergeable_anon_vma)."""
        return lower.rmap is None or upper.rmap is None or lower.rmap is upper.rmap

    def unlink_vma(self, vma: Vma) -> None:
        """The last VMA takes the anon_vma along (anon_vma_unlink)."""
        anon: Anon | None = vma.rmap
        super().unlink_vma(vma)
        if anon is not None and not anon.vmas:
            del self.anon_vmas[anon.number]
            self.freed("anon_vma")

    def add(self, pfns: Pfns, vma: Vma, vpns: Vpns, exclusive: Mask) -> None:
        """New pages name the VMA's anon_vma (page_add_anon_rmap)."""
        self.set_home(pfns, vma, vpns, vma.rmap.number)

    def remove(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """Pages that nobody maps any more name no anon_vma (page_remove_rmap)."""
        self.forget_unmapped(pfns)

    def candidates(self, pfn: int) -> Candidates:
        """Every VMA on the list is visited; those are probed that reach the offset and whose
        address space has pages at all (page_referenced_anon, try_to_unmap_anon)."""
        anon = self.anon_vmas[int(self.mem_map.mapping[pfn])]
        at, mms, vpns = anon.at(int(self.mem_map.index[pfn]), self.walk_order == "head")
        resident = self.mm_table.rss[mms] > 0
        nodes = np.append(at[resident] + 1, len(anon.vmas))
        return Candidates(mms[resident], vpns[resident], nodes)

    def mapping_names(self) -> list[tuple[int, str]]:
        """anon_vmas by number."""
        return [(number, f"anon_vma {number}") for number in self.anon_vmas]

    def graph(self) -> tuple[list[Node], list[Edge]]:
        """Each anon_vma with the VMAs on its list, oldest first."""
        nodes, edges = [], []
        linked: dict[Vma, None] = {}
        for anon in self.anon_vmas.values():
            facts = (("VMAs", str(len(anon.vmas))),)
            name = f"anon_vma{anon.number}"
            nodes.append(Node(name, "anon_vma", f"anon_vma {anon.number}", facts))
            edges += [Edge(name, vma_id(vma), "link") for vma in anon.vmas]
            linked |= anon.vmas
        vmas, owners = self.vma_nodes(linked)
        return nodes + vmas, edges + owners

    def check(self, mms: Mapping[int, Mm], numbers: Ints, vpns: Vpns, pfns: Pfns) -> None:
        """I3: a page lies at its linear offset, in a VMA on the list of its anon_vma."""
        for pfn, mapping, vma in self.check_index(mms, numbers, vpns, pfns):
            anon = self.anon_vmas.get(mapping)
            assert anon is not None, f"pfn {pfn} names an anon_vma that is gone"
            assert vma in anon.vmas, f"pfn {pfn} is mapped in {vma!r}, not on its list"

    def check_structure(self, mms: Mapping[int, Mm]) -> None:
        """The lists hold the VMAs that have pages, and nothing else."""
        listed = [(vma, anon) for anon in self.anon_vmas.values() for vma in anon.vmas]
        live = {vma for mm in mms.values() for vma in mm.vmas if vma.rmap is not None}
        assert {vma for vma, _ in listed} == live, "VMAs on lists and VMAs with anon_vma differ"
        lost = [vma for vma, anon in listed if vma.rmap is not anon]
        assert not lost, f"{lost[0]!r} is on the list of another anon_vma than its own"
        empty = [anon.number for anon in self.anon_vmas.values() if not anon.vmas]
        assert not empty, f"anon_vma {empty[0]} has no VMA and was not freed"
