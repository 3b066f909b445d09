"""The anon memory group: Linus Torvalds, 13 March 2004 ("Re: anon_vma RFC2").

Each anonymous page has exactly one virtual address (`page->index`) and belongs to one group
(`page->mapping`); the group lists every mm that was forked since the last execve. To find the
mappers of a page, look that one address up in each mm of its group.

The price: mremap of a shared page must copy it, because two addresses do not fit into one index;
and a walk visits every mm of the group, also those that no longer map the page.

Left open in the mail, and chosen here: new members are appended; the walk stops once it has found
`mapcount` places; a swap-in at another address than that of a page that is still mapped copies it
(taken over from Hugh Dickins's "rmap 11 mremap moves", April 2004).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from anonlab.formats.snapshot import Edge, Node
from anonlab.machine.words import Ints, Mask, Pfns, Vpns
from anonlab.mm import Mm, Vma
from anonlab.rmap.base import Places, Rmap, one_of


class Group:
    """An anon memory group: the mms since one execve, parent first, by number.

    homes  with home='mm': what mem_map.mapping says of pages that each member touched first, by mm
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.mms: dict[int, None] = {}
        self.homes: dict[int, int] = {}
        self._walk: Ints | None = None

    def join(self, mm: Mm) -> None:
        """Append `mm`."""
        self.mms[mm.number] = None
        self._walk = None

    def leave(self, mm: Mm) -> None:
        """Take `mm` off the list."""
        del self.mms[mm.number]
        self._walk = None

    def walk_order(self) -> Ints:
        """Return the members' numbers, int64[n], oldest first; kept until the list changes."""
        if self._walk is None:
            self._walk = np.fromiter(self.mms, dtype=np.int64, count=len(self.mms))
        return self._walk


class AnonGroup(Rmap):
    """One group per execve, one address per page.

    mremap_policy  when mremap takes a page for shared: 'count' = page->count > 1, as in the mail;
                   'mapcount' = mapcount > 1, as Hugh Dickins shipped it, which does not copy pages
                   that are only pinned or in the swap cache
    walk_order     'append' (parent first) or 'head' (newest first)
    home           'group', as in the mail; with 'mm' a page remembers the mm that touched it first,
                   and a walk looks there before it goes down the list: Hugh's improvement alone
    early_stop     stop a walk once every mapping was found; the mail shows no stop
    cow_rule, rehome_on_reuse   see Rmap; re-homing needs home='mm'
    """

    name = "anongroup"
    year = 2004
    lock = "group"
    copies_on_mremap = True
    cannot: ClassVar = {
        "KSM": "one page at addresses of unrelated groups: a page has one index and one mapping"
    }
    sizes: ClassVar = {"group": (12, 24), "member": (8, 16)}
    homes = "group"

    def __init__(
        self,
        mremap_policy: str = "count",
        walk_order: str = "append",
        early_stop: bool = True,
        home: str = "group",
        *,
        cow_rule: str | None = None,
        rehome_on_reuse: bool | None = None,
    ) -> None:
        super().__init__(cow_rule=cow_rule, early_stop=early_stop, rehome_on_reuse=rehome_on_reuse)
        self.mremap_policy = one_of("mremap_policy", mremap_policy, ("count", "mapcount"))
        self.walk_order = one_of("walk_order", walk_order, ("append", "head"))
        self.home_first = one_of("home", home, ("group", "mm")) == "mm"
        self.groups: dict[int, Group] = {}
        self._home_mms: dict[int, int] = {}
        self._next_number = 1

    def new_mm(self, mm: Mm) -> None:
        """execve starts a new group (mail: "an execve() creates a new anon memory group")."""
        group = Group(self._next_number)
        self._next_number += 1
        self.groups[group.number] = mm.rmap = group
        self.made("group")
        self._join(group, mm)

    def fork_mm(self, child: Mm, parent: Mm) -> None:
        """fork adds one mm, whatever it maps (mail: "adds the new mm to the mm list")."""
        child.rmap = parent.rmap
        self._join(parent.rmap, child)

    def _join(self, group: Group, mm: Mm) -> None:
        group.join(mm)
        self.cost.links += 1
        self.cost.locks += 1
        self.grew("member", 1)
        group.homes[mm.number] = group.number
        if self.home_first and len(group.mms) > 1:
            group.homes[mm.number] = self._next_number
            self.groups[self._next_number] = group
            self._next_number += 1
        self._home_mms[group.homes[mm.number]] = mm.number

    def drop_mm(self, mm: Mm) -> None:
        """exit and execve leave the group; the last member takes it along. What names a home that
        is gone stays as long as the group: its pages may be mapped by others."""
        group: Group = mm.rmap
        group.leave(mm)
        mm.rmap = None
        self.cost.unlinks += 1
        self.cost.locks += 1
        self.grew("member", -1)
        if not group.mms:
            for number in {group.number, *group.homes.values()}:
                del self.groups[number]
                self._home_mms.pop(number, None)
            self.freed("group")

    def add(self, pfns: Pfns, vma: Vma, vpns: Vpns, exclusive: Mask) -> None:
        """Give pages that nobody mapped before their one address and their group."""
        mem = self.mem_map
        fresh = mem.mapping[pfns] == 0
        if np.count_nonzero(fresh) < fresh.size:
            pfns, vpns = pfns[fresh], vpns[fresh]
        mem.mapping[pfns] = self._mapping(vma.mm)
        mem.index[pfns] = vpns

    def _mapping(self, mm: Mm) -> int:
        group: Group = mm.rmap
        return group.homes[mm.number] if self.home_first else group.number

    def remove(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """Pages that nobody maps any more are in no group."""
        self.forget_unmapped(pfns)

    def reused(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """The writer is the home from now on, if pages have one."""
        self.mem_map.mapping[pfns] = self._mapping(vma.mm)

    def move(self, pfns: Pfns, old: Vma, vpns: Vpns) -> Mask:
        """Shared pages are copied (mail: "if (PageAnonymous(page) && page->count > 1)")."""
        if self.mremap_policy == "count":
            return self.mem_map.count[pfns] > 1
        return self.mem_map.mapcount[pfns] > 1

    def moved(self, pfns: Pfns, old: Vma, old_vpns: Vpns, new: Vma, vpns: Vpns) -> None:
        """The page follows its PTE (mail: "page->index = address >> PAGE_SHIFT")."""
        self.mem_map.index[pfns] = vpns

    def clash(self, index: Ints, vma: Vma, vpns: Vpns) -> Mask:
        """A page that is still mapped has its address; another one needs another page."""
        elsewhere: Mask = index != vpns
        return elsewhere

    def candidates(self, pfn: int) -> Places:
        """The one address, in every mm of the group."""
        home = int(self.mem_map.mapping[pfn])
        group = self.groups[home]
        mms = group.walk_order()
        if self.walk_order == "head":
            mms = mms[::-1]
        if self.home_first and self._home_mms[home] in group.mms:
            first = self._home_mms[home]
            mms = np.concatenate([[first], mms[mms != first]])
        return Places(mms, np.full(mms.shape, self.mem_map.index[pfn]))

    def home(self, mm: Mm) -> str:
        """Every mm is in one group."""
        return f"group{mm.rmap.number}"

    def mapping_names(self) -> list[tuple[int, str]]:
        """Groups by number, and what else stands for a group."""
        names = {number: f"group {group.number}" for number, group in self.groups.items()}
        if self.home_first:
            names = {n: f"{name}, home mm {self._home_mms[n]}" for n, name in names.items()}
        return list(names.items())

    def graph(self) -> tuple[list[Node], list[Edge]]:
        """Each group with its list of mms, in list order."""
        nodes, edges = [], []
        for number, group in self.groups.items():
            if number != group.number:
                continue
            facts = (("mms", str(len(group.mms))),)
            nodes.append(Node(f"group{group.number}", "group", f"group {group.number}", facts))
            for member in group.mms:
                nodes.append(Node(f"mm{member}", "mm", f"mm {member}"))
                edges.append(Edge(f"group{group.number}", f"mm{member}", "member"))
        return nodes, edges

    def check(self, mms: Mapping[int, Mm], numbers: Ints, vpns: Vpns, pfns: Pfns) -> None:
        """I2: a page is mapped at its index and nowhere else, by members of its group."""
        mem = self.mem_map
        bad = np.flatnonzero(mem.index[pfns] != vpns)
        assert not bad.size, (
            f"pfn {pfns[bad[0]]} is mapped at vpn {vpns[bad[0]]:#x}, its index is "
            f"{mem.index[pfns[bad[0]]]:#x}"
        )
        # One look for each pair of address space and group is enough.
        pairs, first = np.unique(numbers << 32 | mem.mapping[pfns], return_index=True)
        for pair, pfn in zip(pairs.tolist(), pfns[first].tolist(), strict=True):
            number, mapping = pair >> 32, pair & 0xFFFFFFFF
            assert self.groups.get(mapping) is mms[number].rmap, (
                f"mm {number} maps pfn {pfn} of group {mapping}"
            )

    def check_structure(self, mms: Mapping[int, Mm]) -> None:
        """Every live mm is in the one group that it joined, and no group is empty."""
        groups = {id(group): group for group in self.groups.values()}.values()
        members = [number for group in groups for number in group.mms]
        assert sorted(members) == sorted(mms), (
            f"groups have the mms {members}, alive are {list(mms)}"
        )
        empty = [group.number for group in groups if not group.mms]
        assert not empty, f"group {empty[0]} has no member and was not freed"
