"""anon_vma_chain: Rik van Riel, 2010, merged in 2.6.34, and in use to this day.

Every VMA gets an anon_vma of its own at fork and stays linked to those of its ancestors; each link
is an anon_vma_chain. A page points to the anon_vma of the process that wrote it, so a walk visits
the VMAs of that process and of its descendants, and no others.

Why anon_vma was not enough: a page that a child wrote itself was still found through the list that
all relatives share. With 1000 children that write 1000 pages each, 10^6 pages hang on one anon_vma
of 1001 VMAs, and every walk may visit them all.

The price: fork makes a link for every ancestor of every VMA, so a chain of forks of depth d costs
d + 1 links each time. A process that forks and exits for ever would grow that chain without end; a
new VMA therefore takes over an ancestor's anon_vma that has no VMA of its own and at most one child
(2015; counted as num_children and num_active_vmas since 2022).

source  Rik van Riel, commit 5beb49305251 ("mm: change anon_vma linking to fix multi-process server
        scalability issue"); reuse: commits 7a3ef208e662 and 2555283eb40d; homes after swap-in:
        commit 5c341ee1dfc8 and LWN 383162, "The case of the overly anonymous anon_vma"
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from anonlab.formats.labels import Labels
from anonlab.formats.snapshot import Edge, Node
from anonlab.machine.words import Ints, Mask, Pfns, Vpns
from anonlab.mm import Mm, Vma
from anonlab.rmap.base import Candidates, one_of
from anonlab.rmap.linear import (
    LinearRmap,
    VmaList,
    mergeable_neighbours,
    vma_id,
)


class Anon(VmaList):
    """An anon_vma: its number in mem_map.mapping and its interval tree of VMAs.

    root, parent       itself, for an anon_vma that a first write made; only the root's lock is used
    num_children       anon_vmas whose parent it is; a root counts itself
    num_active_vmas    VMAs whose own anon_vma it is
    refcount           1, and at a root 1 for every other anon_vma of its family
    """

    def __init__(self, number: int, parent: Anon | None = None) -> None:
        super().__init__()
        self.number = number
        self.parent: Anon = parent or self
        self.root: Anon = parent.root if parent else self
        self.num_children = 0
        self.num_active_vmas = 0
        self.refcount = 1


class Chain:
    """What a VMA with anonymous pages keeps: its links, root first, and its own anon_vma."""

    def __init__(self) -> None:
        self.links: dict[Anon, None] = {}
        self.own: Anon


class AnonVmaChain(LinearRmap):
    """An anon_vma for every VMA, and links to those of its ancestors.

    avc_reuse        fork takes over an ancestor's anon_vma where it can (2015)
    rehome_on_reuse  a page that is written in place moves to the writer's anon_vma
    walk_order       order of VMAs with equal offsets: 'append' (as they were linked) or 'head'
    early_stop, cow_rule   see Rmap
    """

    name = "anon_vma_chain"
    year = 2010
    lock = "root"
    stays_in_family = True
    cow_rule = "exclusive"
    rehome_on_reuse = True
    keeps_mapping = True
    sizes: ClassVar = {"anon_vma": (48, 96), "link": (32, 64), "vma": (12, 24)}
    owners = "anon_vma"
    words: ClassVar = Labels("anon_vma_chain", "vma_by_vma")
    syscalls = "today"
    cannot: ClassVar = {
        "KSM": "one page at offsets that differ from VMA to VMA: a page has one index"
    }

    def __init__(
        self,
        avc_reuse: bool = True,
        walk_order: str = "append",
        *,
        cow_rule: str | None = None,
        early_stop: bool | None = None,
        rehome_on_reuse: bool | None = None,
    ) -> None:
        super().__init__(cow_rule=cow_rule, early_stop=early_stop, rehome_on_reuse=rehome_on_reuse)
        self.avc_reuse = avc_reuse
        self.walk_order = one_of("walk_order", walk_order, ("append", "head"))
        self.anon_vmas: dict[int, Anon] = {}
        self._last_number = 0

    def _new(self, parent: Anon | None) -> Anon:
        """Return a new anon_vma; without a parent it is a root, and its own child
        (anon_vma_alloc)."""
        self._last_number += 1
        anon = self.anon_vmas[self._last_number] = Anon(self._last_number, parent)
        anon.parent.num_children += 1
        if parent is not None:
            anon.root.refcount += 1
        self.made("anon_vma")
        return anon

    def _put(self, anon: Anon) -> None:
        """Drop a reference (put_anon_vma, anon_vma_free)."""
        anon.refcount -= 1
        if anon.refcount:
            return
        del self.anon_vmas[anon.number]
        self.freed("anon_vma")
        if anon.root is not anon:
            self._put(anon.root)

    def _link(self, vma: Vma, chain: Chain, anon: Anon) -> None:
        """Put a link between a VMA and an anon_vma (anon_vma_chain_link)."""
        chain.links[anon] = None
        anon.link(vma)
        self.made("link")
        self.cost.links += 1

    def _start_chain(self, vma: Vma) -> Chain:
        vma.rmap = chain = Chain()
        self.grew("vma", 1)
        self.cost.locks += 1  # the root's, for all links
        return chain

    def prepare(self, vma: Vma) -> None:
        """A VMA that is written first shares a neighbour's anon_vma, if the neighbour has no other,
        or gets a root of its own (__anon_vma_prepare)."""
        if vma.rmap is not None:
            return
        near = (near.rmap for near in mergeable_neighbours(vma) if near.rmap is not None)
        own = next((chain.own for chain in near if len(chain.links) == 1), None) or self._new(None)
        chain = self._start_chain(vma)
        chain.own = own
        own.num_active_vmas += 1
        self._link(vma, chain, own)

    def fork_vma(self, child: Vma, parent: Vma) -> None:
        """Link the child's VMA to every anon_vma of its parent's, oldest first, and give it its
        own: a forsaken one that it meets on the way, or a new one (anon_vma_fork)."""
        if parent.rmap is None:
            return
        chain, own = self._start_chain(child), None
        for anon in parent.rmap.links:
            self._link(child, chain, anon)
            forsaken = anon.num_children < 2 and anon.num_active_vmas == 0
            if own is None and forsaken and self.avc_reuse:
                own = anon
        if own is None:
            own = self._new(parent.rmap.own)
            self._link(child, chain, own)
        chain.own = own
        own.num_active_vmas += 1

    def copy_vma(self, new: Vma, old: Vma) -> None:
        """A part, or the place that mremap moves to, gets the same links and shares the own
        anon_vma (anon_vma_clone)."""
        if old.rmap is None:
            return
        chain = self._start_chain(new)
        for anon in old.rmap.links:
            self._link(new, chain, anon)
        chain.own = old.rmap.own
        chain.own.num_active_vmas += 1

    def can_merge(self, lower: Vma, upper: Vma) -> bool:
        """VMAs with one own anon_vma may merge, and one that was never written with one that has
        not been through a fork (is_mergeable_anon_vma)."""
        if lower.rmap is None or upper.rmap is None:
            chain: Chain | None = lower.rmap or upper.rmap
            return chain is None or len(chain.links) == 1
        return bool(lower.rmap.own is upper.rmap.own)

    def merge_vma(self, keep: Vma, gone: Vma) -> None:
        """Pages of the VMA that goes are found through the links of the one that stays."""
        if keep.rmap is None and gone.rmap is not None:
            self.copy_vma(keep, gone)

    def adjust_vma(self, vma: Vma) -> None:
        """The interval trees know where their VMAs lie."""
        if vma.rmap is not None:
            self.version += 1
            for anon in vma.rmap.links:
                anon.changed()

    def unlink_vma(self, vma: Vma) -> None:
        """Take the links away, newest first; empty anon_vmas go, the root last
        (unlink_anon_vmas)."""
        chain: Chain | None = vma.rmap
        if chain is None:
            return
        vma.rmap = None
        newest_first = list(reversed(chain.links))
        for anon in newest_first:
            anon.unlink(vma)
            if not anon.vmas:
                anon.parent.num_children -= 1
        chain.own.num_active_vmas -= 1
        self.cost.locks += 1
        self.cost.unlinks += len(newest_first)
        self.freed("link", len(newest_first))
        self.grew("vma", -1)
        for anon in newest_first:
            if not anon.vmas:
                self._put(anon)

    def add(self, pfns: Pfns, vma: Vma, vpns: Vpns, exclusive: Mask) -> None:
        """New pages name the VMA's own anon_vma. A page back from swap that others may have there
        names the root: the oldest, which outlives every process that could still bring it in
        (__folio_set_anon). One that was still in the swap cache has kept its home."""
        own: Anon = vma.rmap.own
        self.set_home(pfns, vma, vpns, np.where(exclusive, own.number, own.root.number))

    def reused(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """The writer's own anon_vma is enough from now on (folio_move_anon_rmap)."""
        self.mem_map.mapping[pfns] = vma.rmap.own.number

    def candidates(self, pfn: int) -> Candidates:
        """The VMAs in the page's anon_vma that reach its offset (rmap_walk_anon)."""
        anon = self.anon_vmas[int(self.mem_map.mapping[pfn])]
        _, mms, vpns = anon.at(int(self.mem_map.index[pfn]), self.walk_order == "head")
        return Candidates(mms, vpns)

    def mapping_names(self) -> list[tuple[int, str]]:
        """anon_vmas by number."""
        return [(number, f"anon_vma {number}") for number in self.anon_vmas]

    def graph(self) -> tuple[list[Node], list[Edge]]:
        """Each anon_vma with its parent, and the links to VMAs; a VMA points to its own."""
        nodes, edges = [], []
        linked: dict[Vma, None] = {}
        for anon in self.anon_vmas.values():
            name = f"anon_vma{anon.number}"
            facts = (
                ("children", str(anon.num_children)),
                ("active", str(anon.num_active_vmas)),
                ("refs", str(anon.refcount)),
            )
            kind = "root" if anon.root is anon else "anon_vma"
            nodes.append(Node(name, kind, f"anon_vma {anon.number}", facts))
            if anon.parent is not anon:
                edges.append(Edge(name, f"anon_vma{anon.parent.number}", "parent"))
            edges += [Edge(name, vma_id(vma), "link") for vma in anon.vmas]
            linked |= anon.vmas
        vmas, owners = self.vma_nodes(linked)
        own = [Edge(vma_id(vma), f"anon_vma{vma.rmap.own.number}", "own") for vma in linked]
        return nodes + vmas, edges + owners + own

    def check(self, mms: Mapping[int, Mm], numbers: Ints, vpns: Vpns, pfns: Pfns) -> None:
        """I3: a page lies at its linear offset, in a VMA in its anon_vma's tree."""
        for pfn, mapping, vma in self.check_index(mms, numbers, vpns, pfns):
            anon = self.anon_vmas.get(mapping)
            assert anon is not None, f"pfn {pfn} names an anon_vma that is gone"
            assert vma in anon.vmas, f"pfn {pfn} is mapped in {vma!r}, not in its anon_vma"

    def check_structure(self, mms: Mapping[int, Mm]) -> None:
        """VMAs with one own anon_vma are of one address space and have equal chains (commit
        2555283eb40d); all counts equal a recount."""
        chains = {vma: vma.rmap for mm in mms.values() for vma in mm.vmas if vma.rmap is not None}
        links = {(vma, anon) for vma, chain in chains.items() for anon in chain.links}
        trees = {(vma, anon) for anon in self.anon_vmas.values() for vma in anon.vmas}
        assert links == trees, "chains of VMAs and trees of anon_vmas do not hold the same links"
        equal: dict[Anon, set[Anon]] = {}
        owner: dict[Anon, Mm] = {}
        for vma, chain in chains.items():
            mm, named = owner.setdefault(chain.own, vma.mm), f"anon_vma {chain.own.number}"
            assert mm is vma.mm, f"mm {mm.number} and mm {vma.mm.number} both own {named}"
            same = equal.setdefault(chain.own, set(chain.links)) == set(chain.links)
            assert same, f"{vma!r} shares {named}, but has another chain"
        self._recount(Counter(chain.own for chain in chains.values()))

    def _recount(self, owners: Counter[Anon]) -> None:
        """Compare the counts of all anon_vmas with what they count."""
        known = self.anon_vmas.values()
        children = Counter(anon.parent for anon in known if anon.vmas)
        families = Counter(anon.root for anon in known)
        for anon in known:
            named, family = f"anon_vma {anon.number}", families[anon]
            assert anon.vmas or family > 1, f"{named} has no VMA and was not freed"
            assert children[anon] == anon.num_children, (
                f"{named}: {children[anon]} children are known"
            )
            assert owners[anon] == anon.num_active_vmas, f"{named}: {owners[anon]} own it"
            refs = family if anon.root is anon else 1
            known_not = f"{refs} references are known, not {anon.refcount}"
            assert refs == anon.refcount, f"{named}: {known_not}"
