"""What the mail of 13 March 2004 leaves open, as options of the anon memory group.

When mremap takes a page for shared, in which order a walk goes, and Hugh Dickins's improvement
alone: a page remembers the mm that touched it first, and a walk looks there before it goes down
the list.
"""

from __future__ import annotations

import numpy as np

from anonlab.machine.words import Mask, Pfns, Vpns
from anonlab.mm import Mm, Vma
from anonlab.rmap.anongroup import AnonGroup, Group
from anonlab.rmap.base import Candidates, one_of


class AnonGroupOptions(AnonGroup):
    """The anon memory group with other answers.

    mremap_policy  when mremap takes a page for shared: 'count' = page->count > 1, as in the mail;
                   'mapcount' = mapcount > 1, as Hugh Dickins shipped it, which does not copy pages
                   that are only pinned or in the swap cache
    walk_order     'append' (parent first) or 'head' (newest first)
    early_stop     stop a walk once every mapping was found; the mail shows no stop
    owner          'group', as in the mail; 'mm': the mm that touched the page first
    cow_rule, rehome_on_reuse   see Rmap; re-homing needs owner='mm'
    """

    def __init__(
        self,
        mremap_policy: str = "count",
        walk_order: str = "append",
        early_stop: bool = True,
        owner: str = "group",
        *,
        cow_rule: str | None = None,
        rehome_on_reuse: bool | None = None,
    ) -> None:
        super().__init__(cow_rule=cow_rule, early_stop=early_stop, rehome_on_reuse=rehome_on_reuse)
        self.mremap_policy = one_of("mremap_policy", mremap_policy, ("count", "mapcount"))
        self.walk_order = one_of("walk_order", walk_order, ("append", "head"))
        self.owner_mm_first = one_of("owner", owner, ("group", "mm")) == "mm"
        self._numbers: dict[int, int] = {}  # what mem_map.mapping says of pages, by mm number
        self._owners: dict[int, int] = {}  # and back

    def join(self, group: Group, mm: Mm) -> None:
        """The member gets a number of its own for its pages; the first one has the group's."""
        super().join(group, mm)
        if self.owner_mm_first and len(group.mms) > 1:
            self.last_number += 1
            self.groups[self.last_number] = group
        own = self.last_number if self.owner_mm_first else group.number
        self._numbers[mm.number], self._owners[own] = own, mm.number

    def add(self, pfns: Pfns, vma: Vma, vpns: Vpns, exclusive: Mask) -> None:
        """Pages remember who touched them first, if they are to."""
        fresh = pfns[self.mem_map.mapping[pfns] == 0]
        super().add(pfns, vma, vpns, exclusive)
        self.mem_map.mapping[fresh] = self._numbers[vma.mm.number]

    def forget(self, group: Group) -> None:
        """What names an owner that is gone stays as long as the group: its pages may be mapped by
        others. Now it goes."""
        for number in [number for number, each in self.groups.items() if each is group]:
            del self.groups[number]
            self._owners.pop(number, None)

    def reused(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """The writer owns the pages from now on."""
        self.mem_map.mapping[pfns] = self._numbers[vma.mm.number]

    def move(self, pfns: Pfns, old: Vma, vpns: Vpns) -> Mask:
        """Shared is what several map, or what several hold."""
        if self.mremap_policy == "mapcount":
            return self.mem_map.mapcount[pfns] > 1
        return super().move(pfns, old, vpns)

    def candidates(self, pfn: int) -> Candidates:
        """The one address, in every mm of the group: the owner first, the newest first."""
        mms, vpns, nodes = super().candidates(pfn)
        if self.walk_order == "head":
            mms = mms[::-1]
        number = int(self.mem_map.mapping[pfn])
        first = self._owners[number]
        if self.owner_mm_first and first in self.groups[number].mms:
            mms = np.concatenate([[first], mms[mms != first]])
        return Candidates(mms, vpns, nodes)

    def mapping_names(self) -> list[tuple[int, str]]:
        """Groups by number, and what else stands for a group."""
        names = super().mapping_names()
        if self.owner_mm_first:
            names = [(n, f"{name}, home mm {self._owners[n]}") for n, name in names]
        return names
