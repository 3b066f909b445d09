"""What the designs share that find a page by its offset: a VMA keeps its pgoff when it moves.

A page's index is linear in its VMA: `index = pgoff + (vpn - start_vpn)`. mremap leaves pgoff as it
is once the VMA has pages, so index stays true, no page is touched, and nothing is copied; the
price is that a moved VMA seldom fits its new neighbours. How far a VMA is from home is its
displacement, `start_vpn - pgoff`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from anonlab.formats.catalogue import Catalogue, current
from anonlab.formats.snapshot import Edge, Node
from anonlab.machine.words import Ints, Pfns, Vpns
from anonlab.mm import Mm, Vma
from anonlab.rmap.base import Rmap, one_of


@lru_cache(4096)
def vma_words(spoken: Catalogue, address: str, npages: int) -> str:
    """Return what the node of a VMA is called."""
    return spoken.say("node.vma", address=address, n=npages)


def pgoff_of(vma: Vma) -> int:
    """Return the index of the first page of `vma`."""
    return vma.pgoff


class VmaList:
    """VMAs in the order they were linked, and columns of them for walks.

    first_index  says which index the first page of a VMA has
    """

    def __init__(self, first_index: Callable[[Vma], int] = pgoff_of) -> None:
        self.vmas: dict[Vma, None] = {}
        self._first_index = first_index
        self._columns: Ints | None = None

    def link(self, vma: Vma) -> None:
        """Append `vma`."""
        self.vmas[vma] = None
        self._columns = None

    def unlink(self, vma: Vma) -> None:
        """Take `vma` off the list."""
        del self.vmas[vma]
        self._columns = None

    def replace(self, gone: Vma, new: Vma) -> None:
        """Put `new` where `gone` is."""
        self.vmas = {new if vma is gone else vma: None for vma in self.vmas}
        self._columns = None

    def changed(self) -> None:
        """A VMA of the list begins or ends elsewhere now."""
        self._columns = None

    def columns(self) -> Ints:
        """Return int64[4, n], oldest first: number of the mm, first index, index after the last,
        displacement (vpn - index). Kept until something changes."""
        if self._columns is None:
            rows = [
                (vma.mm.number, first, first + vma.npages, vma.start_vpn - first)
                for vma in self.vmas
                for first in (self._first_index(vma),)
            ]
            self._columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
        return self._columns

    def at(self, index: int, newest_first: bool) -> tuple[Ints, Ints, Vpns]:
        """Return the VMAs that have a page of `index`: their positions in walking order, the
        numbers of their mms, and the page numbers, int64[n] each."""
        mms, first, end, displacement = self.columns()[:, :: -1 if newest_first else 1]
        where = np.flatnonzero((first <= index) & (index < end))
        return where, mms[where], index + displacement[where]


class LinearRmap(Rmap):
    """Designs whose pages keep their index when mremap moves their VMA.

    A design keeps None in `vma.rmap` as long as the VMA has no anonymous page.
    """

    knows_vmas = True

    def first_index(self, vma: Vma) -> int:
        """Return the index of the first page of `vma`."""
        return vma.pgoff

    def index_of(self, vma: Vma, vpns: Vpns) -> Ints:
        """Linear in the VMA (linear_page_index)."""
        return vpns - vma.start_vpn + self.first_index(vma)

    def moved_pgoff(self, vma: Vma, start_vpn: int) -> int:
        """A VMA that was never written starts anew; any other keeps what its pages rely on."""
        return start_vpn if vma.rmap is None else vma.pgoff

    def set_home(self, pfns: Pfns, vma: Vma, vpns: Vpns, mapping: int | Ints) -> None:
        """Pages that nobody maps yet get `mapping` and their index. Others have both, and must
        agree: the kernel asserts it (page_add_anon_rmap, 2.6.7)."""
        mem = self.mem_map
        index = self.index_of(vma, vpns)
        fresh = mem.mapping[pfns] == 0
        mem.mapping[pfns] = np.where(fresh, mapping, mem.mapping[pfns])
        mem.index[pfns] = np.where(fresh, index, mem.index[pfns])
        bad = np.flatnonzero(mem.index[pfns] != index)
        assert not bad.size, (
            f"pfn {pfns[bad[0]]} has index {mem.index[pfns[bad[0]]]:#x} and was mapped where the "
            f"index is {index[bad[0]]:#x}"
        )

    def check_index(
        self, mms: Mapping[int, Mm], numbers: Ints, vpns: Vpns, pfns: Pfns
    ) -> Iterator[tuple[int, int, Vma]]:
        """I3, first half: every page lies where its index says. Yield (pfn, mapping, vma) once for
        each pair of VMA and object that maps and is named, for the second half: that the object
        knows the VMA."""
        mem, seen, last = self.mem_map, set(), 0
        vma: Vma | None = None
        columns = (numbers, vpns, pfns, mem.index[pfns], mem.mapping[pfns])
        for number, vpn, pfn, found, mapping in zip(*map(np.ndarray.tolist, columns), strict=True):
            if vma is None or number != last or not vma.start_vpn <= vpn < vma.end_vpn:
                vma, last = mms[number].find_vma(vpn), number
                assert vma is not None, (
                    f"mm {number} maps pfn {pfn} at vpn {vpn:#x}, outside any VMA"
                )
                displacement = vma.start_vpn - self.first_index(vma)
            index = vpn - displacement
            assert found == index, (
                f"pfn {pfn} has index {found:#x}, but {vma!r} maps it where the index is {index:#x}"
            )
            if (vma, mapping) not in seen:
                seen.add((vma, mapping))
                yield pfn, mapping, vma

    def vma_nodes(self, vmas: dict[Vma, None]) -> tuple[list[Node], list[Edge]]:
        """Return `vmas` and their address spaces as nodes, each VMA pointing to its mm."""
        nodes, edges, spoken = {}, [], current()
        for vma in vmas:
            where = vma_words(spoken, vma.mm.geometry.address(vma.start_vpn), vma.npages)
            facts = (("index", f"{self.first_index(vma):#x}"),)
            name, owner = vma_id(vma), f"mm{vma.mm.number}"
            nodes[name] = Node(name, "vma", where, facts)
            if owner not in nodes:
                nodes[owner] = Node(owner, "mm", f"mm {vma.mm.number}")
            edges.append(Edge(name, owner, "mm"))
        return list(nodes.values()), edges


class OneListRmap(LinearRmap):
    """Designs in which a VMA that has pages is on one list.

    walk_order  'append' (oldest first) or 'head' (newest first)
    early_stop, cow_rule   see Rmap
    """

    def __init__(self, walk_order: str, *, cow_rule: str | None, early_stop: bool | None) -> None:
        super().__init__(cow_rule=cow_rule, early_stop=early_stop)
        self.walk_order = one_of("walk_order", walk_order, ("append", "head"))

    def list_of(self, vma: Vma) -> VmaList:
        """Return the list that `vma`, which has pages, is on."""
        raise NotImplementedError

    def link(self, vma: Vma, kept: Any) -> None:
        """Put `vma` on the list that `kept`, its rmap from now on, names."""
        vma.rmap = kept
        self.list_of(vma).link(vma)
        self.cost.links += 1
        self.cost.locks += 1
        self.grew("vma", 1)

    def fork_vma(self, child: Vma, parent: Vma) -> None:
        """The child's VMA joins the list of its parent's (anon_vma_link in dup_mmap)."""
        if parent.rmap is not None:
            self.link(child, parent.rmap)

    def merge_vma(self, keep: Vma, gone: Vma) -> None:
        """If only the VMA that goes has pages, the other one takes its place (anon_vma_merge)."""
        if keep.rmap is None and gone.rmap is not None:
            keep.rmap, gone.rmap = gone.rmap, None
            self.list_of(keep).replace(gone, keep)
            self.version += 1

    def adjust_vma(self, vma: Vma) -> None:
        """The list knows where its VMAs lie."""
        if vma.rmap is not None:
            self.list_of(vma).changed()
            self.version += 1

    def unlink_vma(self, vma: Vma) -> None:
        """The VMA leaves its list (anon_vma_unlink)."""
        if vma.rmap is not None:
            self.list_of(vma).unlink(vma)
            vma.rmap = None
            self.cost.unlinks += 1
            self.cost.locks += 1
            self.grew("vma", -1)


def vma_id(vma: Vma) -> str:
    """Return the graph node id of a VMA."""
    return f"vma{vma.mm.number}.{vma.number}"


def mergeable_neighbours(vma: Vma) -> Iterator[Vma]:
    """Yield the next and then the previous VMA, if `vma` could be one with it but for access rights
    and the reverse map (find_mergeable_anon_vma)."""
    above, below = vma.mm.find_vma(vma.end_vpn), vma.mm.find_vma(vma.start_vpn - 1)
    if above is not None and vma.is_mergeable_with(above):
        yield above
    if below is not None and below.is_mergeable_with(vma):
        yield below
