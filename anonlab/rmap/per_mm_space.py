"""One space per fork group: Rik van Riel's idea of 12 March 2004, the day before Linus's mail.

Each address space points to an object like a file's address_space, which parent and child share
after fork; execve starts a new one. `page->index` is the page's offset in that space, not its
address, and the VMAs are found with the tree that serves files.

Why the simpler way was not enough: with one address per page (as the mail proposed a day later)
mremap of a shared page has to copy it. Here mremap changes only the offset recorded in the VMA.

The price, in Andrea Arcangeli's answer: VMAs of different processes with equal offsets map
different pages, so a query returns many wrong candidates, and a page that is private to one child
may still cost a look into every relative. Nobody wrote the code: what the mails leave open is our
choice. A VMA starts with the offset of its own first page (private file mappings too), joins the
tree with its first page, and merges where offsets go on.

source  linux-kernel, 12 March 2004,
        <Pine.LNX.4.44.0403121217440.6494-100000@chimarrao.boston.redhat.com>; Andrea Arcangeli's
        answer <20040312174429.GE30940@dualathlon.random>
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from anonlab.formats.labels import Labels
from anonlab.formats.snapshot import Edge, Node
from anonlab.machine.words import Ints, Mask, Pfns, Vpns
from anonlab.mm import Mm, Vma
from anonlab.rmap.base import Candidates
from anonlab.rmap.linear import OneListRmap, VmaList, vma_id


class Space(VmaList):
    """What a fork group shares: its number in mem_map.mapping, how many address spaces point to it,
    and the tree of the VMAs that have pages."""

    def __init__(self, number: int) -> None:
        super().__init__(offset)
        self.number = number
        self.mms = 0


@dataclass(frozen=True)
class InTree:
    """What a VMA in the tree keeps: its space, and its displacement, vpn - offset in the space."""

    space: Space
    displacement: int


def displacement(vma: Vma) -> int:
    """Return how far a VMA is from its offset in the space; one without pages is at home."""
    kept: InTree | None = vma.rmap
    return 0 if kept is None else kept.displacement


def offset(vma: Vma) -> int:
    """Return where a VMA begins in the space."""
    return vma.start_vpn - displacement(vma)


class PerMmSpace(OneListRmap):
    """One tree of VMAs per fork group.

    walk_order  order of VMAs with equal offsets: 'append' (oldest first) or 'head'
    early_stop, cow_rule   see Rmap
    """

    name = "per_mm_space"
    year = 2004
    lock = "space"
    stays_in_family = True
    sizes: ClassVar = {"space": (16, 32), "vma": (12, 24)}
    owners = "space"
    words: ClassVar = Labels("per_mm_space")
    cannot: ClassVar = {
        "KSM": "one page at offsets of unrelated spaces: a page has one index and one mapping"
    }

    def __init__(
        self,
        walk_order: str = "append",
        *,
        cow_rule: str | None = None,
        early_stop: bool | None = None,
    ) -> None:
        super().__init__(walk_order, cow_rule=cow_rule, early_stop=early_stop)
        self.spaces: dict[int, Space] = {}
        self._last_number = 0

    def new_mm(self, mm: Mm) -> None:
        """A new space."""
        self._last_number += 1
        space = self.spaces[self._last_number] = Space(self._last_number)
        self.made("space")
        self._share(mm, space)

    def fork_mm(self, child: Mm, parent: Mm) -> None:
        """Share the parent's space."""
        self._share(child, parent.rmap)

    def _share(self, mm: Mm, space: Space) -> None:
        mm.rmap = space
        space.mms += 1
        self.version += 1

    def drop_mm(self, mm: Mm) -> None:
        """The last address space takes the space along."""
        space: Space = mm.rmap
        mm.rmap = None
        space.mms -= 1
        self.version += 1
        if space.mms == 0:
            del self.spaces[space.number]
            self.freed("space")

    def prepare(self, vma: Vma) -> None:
        """A VMA joins the tree with its first page, at its own address."""
        if vma.rmap is None:
            self.link(vma, InTree(vma.mm.rmap, 0))

    def list_of(self, vma: Vma) -> Space:
        """The tree is that of the whole space."""
        kept: InTree = vma.rmap
        return kept.space

    def copy_vma(self, new: Vma, old: Vma) -> None:
        """A part keeps the displacement; what mremap moves is displaced by as much as it moves."""
        if old.rmap is None:
            return
        moved = (new.start_vpn - old.start_vpn) - (new.pgoff - old.pgoff)  # 0 for a part
        self.link(new, InTree(old.rmap.space, old.rmap.displacement + moved))

    def can_merge(self, lower: Vma, upper: Vma) -> bool:
        """There is only one space, so it is enough that the offsets go on."""
        return displacement(lower) == displacement(upper)

    def first_index(self, vma: Vma) -> int:
        """The offset of a VMA in its space."""
        return vma.start_vpn - displacement(vma)

    def add(self, pfns: Pfns, vma: Vma, vpns: Vpns, exclusive: Mask) -> None:
        """New pages name the space."""
        self.set_home(pfns, vma, vpns, vma.mm.rmap.number)

    def remove(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """Pages that nobody maps any more name no space."""
        self.forget_unmapped(pfns)

    def candidates(self, pfn: int) -> Candidates:
        """The VMAs of the whole group that have a page of that offset."""
        space = self.spaces[int(self.mem_map.mapping[pfn])]
        _, mms, vpns = space.at(int(self.mem_map.index[pfn]), self.walk_order == "head")
        return Candidates(mms, vpns)

    def home(self, mm: Mm) -> str:
        """Every mm points to one space."""
        return f"space{mm.rmap.number}"

    def mapping_names(self) -> list[tuple[int, str]]:
        """Spaces by number."""
        return [(number, f"space {number}") for number in self.spaces]

    def graph(self) -> tuple[list[Node], list[Edge]]:
        """Each space with the VMAs in its tree."""
        nodes, edges = [], []
        linked: dict[Vma, None] = {}
        for space in self.spaces.values():
            facts = (("mms", str(space.mms)), ("VMAs", str(len(space.vmas))))
            name = f"space{space.number}"
            nodes.append(Node(name, "space", f"space {space.number}", facts))
            edges += [Edge(name, vma_id(vma), "tree") for vma in space.vmas]
            linked |= space.vmas
        vmas, owners = self.vma_nodes(linked)
        return nodes + vmas, edges + owners

    def check(self, mms: Mapping[int, Mm], numbers: Ints, vpns: Vpns, pfns: Pfns) -> None:
        """I3: a page lies at its offset, in a VMA in the tree of its space."""
        for pfn, named, vma in self.check_index(mms, numbers, vpns, pfns):
            space: Space = vma.mm.rmap
            assert named == space.number, f"pfn {pfn} of space {space.number} names space {named}"
            assert vma in space.vmas, f"pfn {pfn} is mapped in {vma!r}, not in the tree"

    def check_structure(self, mms: Mapping[int, Mm]) -> None:
        """Trees hold the VMAs that have pages; each space counts the mms that point to it."""
        linked = {vma for space in self.spaces.values() for vma in space.vmas}
        live = {vma for mm in mms.values() for vma in mm.vmas if vma.rmap is not None}
        assert linked == live, "VMAs in trees and VMAs with pages differ"
        for space in self.spaces.values():
            users = sum(mm.rmap is space for mm in mms.values())
            assert users == space.mms > 0, f"space {space.number}: {users} mms, not {space.mms}"
