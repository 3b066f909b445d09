"""The anon memory group: Linus Torvalds, 13 March 2004 ("Re: anon_vma RFC2").

Each anonymous page has exactly one virtual address (`page->index`) and belongs to one group
(`page->mapping`); the group lists every mm that was forked since the last execve. To find the
mappers of a page, look that one address up in each mm of its group.

The price: mremap of a shared page must copy it, because two addresses do not fit into one index;
and a walk visits every mm of the group, also those that no longer map the page.

This is the mail, in its order. What it leaves open is in `anongroup_options.py`; two answers are
needed here: new members are appended, and a swap-in at another address than that of a page that
is still mapped copies it (from Hugh Dickins's "rmap 11 mremap moves", April 2004).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from anonlab.machine.words import Ints, Mask, Pfns, Vpns
from anonlab.mm import Mm, Vma
from anonlab.rmap.base import Candidates
from anonlab.rmap.groups import Groups


class Group:
    """An anon memory group: the mms since one execve by number, the parent first (anon_mms)."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.mms: dict[int, None] = {}
        self.walk: Ints | None = None
        """The numbers as an array, for walks; made anew when the list has changed."""


class AnonGroup(Groups):
    """One group per execve, one address per page. `cow_rule`, `early_stop`: see Rmap."""

    name, year, lock, owners = "anongroup", 2004, "group", "group"
    copies_on_mremap = stays_in_family = True
    cannot: ClassVar = {
        "KSM": "one page at addresses of unrelated groups: a page has one index and one mapping"
    }
    sizes: ClassVar = {"group": (12, 24), "member": (8, 16)}

    def add(self, pfns: Pfns, vma: Vma, vpns: Vpns, exclusive: Mask) -> None:
        """Pages that nobody mapped before get their one address and their group (mail: "each
        anonymous page is associated with exactly _one_ virtual address")."""
        mem = self.mem_map
        mapping = mem.mapping[pfns]
        if np.count_nonzero(mapping):
            pfns, vpns = pfns[mapping == 0], vpns[mapping == 0]
        mem.mapping[pfns] = vma.mm.rmap.number
        mem.index[pfns] = vpns

    def new_mm(self, mm: Mm) -> None:
        """execve starts a new group (mail: "an execve() creates a new anon memory group")."""
        self.last_number += 1
        group = self.groups[self.last_number] = Group(self.last_number)
        self.made("group")
        self.join(group, mm)

    def fork_mm(self, child: Mm, parent: Mm) -> None:
        """fork adds one mm, whatever it maps (mail: "adds the new mm to the mm list")."""
        self.join(parent.rmap, child)

    def forget(self, group: Group) -> None:
        """`group` is gone, and its number with it."""
        del self.groups[group.number]

    def join(self, group: Group, mm: Mm) -> None:
        """Append `mm` to the list of `group`."""
        group.mms[mm.number], group.walk, mm.rmap = None, None, group
        self.cost.links += 1
        self.cost.locks += 1
        self.grew("member", 1)

    def drop_mm(self, mm: Mm) -> None:
        """exit and execve leave the group; the last member takes it along."""
        group: Group = mm.rmap
        del group.mms[mm.number]
        group.walk = mm.rmap = None
        self.cost.unlinks += 1
        self.cost.locks += 1
        self.grew("member", -1)
        if not group.mms:
            self.forget(group)
            self.freed("group")

    def candidates(self, pfn: int) -> Candidates:
        """The one address, in every mm of the group (mail: "for_each_entry(mm, mmlist->anon_mms,
        anon_mm) look up page in page tables in mm, address")."""
        group = self.groups[int(self.mem_map.mapping[pfn])]
        if group.walk is None:
            group.walk = np.fromiter(group.mms, dtype=np.int64, count=len(group.mms))
        return Candidates(group.walk, np.full(group.walk.shape, self.mem_map.index[pfn]))

    def move(self, pfns: Pfns, old: Vma, vpns: Vpns) -> Mask:
        """mremap copies shared pages (mail: "if (PageAnonymous(page) && page->count > 1) newpage =
        alloc_page()")."""
        return self.mem_map.count[pfns] > 1

    def moved(self, pfns: Pfns, old: Vma, old_vpns: Vpns, new: Vma, vpns: Vpns) -> None:
        """The page follows its PTE (mail: "page->index = address >> PAGE_SHIFT")."""
        self.mem_map.index[pfns] = vpns

    # Not in the mail: pages that go, and pages that come back from swap

    def remove(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """Pages that nobody maps any more are in no group."""
        self.forget_unmapped(pfns)

    def clash(self, index: Ints, vma: Vma, vpns: Vpns) -> Mask:
        """A page that is still mapped has its address; another one needs another page."""
        elsewhere: Mask = index != vpns
        return elsewhere
