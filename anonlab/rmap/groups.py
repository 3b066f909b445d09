"""What people see of anon memory groups, and what must hold of them: all that is not the mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from anonlab.formats.snapshot import Edge, Node
from anonlab.machine.words import Ints, Pfns, Vpns
from anonlab.mm import Mm
from anonlab.rmap.base import Rmap


class Groups(Rmap):
    """A design whose pages are in groups.

    groups       each with its `number` and its `mms`, by every number that mem_map.mapping may have
                 for it
    last_number  the last number that was given
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.groups: dict[int, Any] = {}
        self.last_number = 0

    def home(self, mm: Mm) -> str:
        """Every mm is in one group."""
        return f"group{mm.rmap.number}"

    def mapping_names(self) -> list[tuple[int, str]]:
        """Groups by number."""
        return [(number, f"group {group.number}") for number, group in self.groups.items()]

    def graph(self) -> tuple[list[Node], list[Edge]]:
        """Each group with its list of mms, in list order."""
        nodes, edges = [], []
        for number, group in self.groups.items():
            if number != group.number:
                continue
            name, facts = f"group{number}", (("mms", str(len(group.mms))),)
            nodes.append(Node(name, "group", f"group {number}", facts))
            for member in group.mms:
                nodes.append(Node(f"mm{member}", "mm", f"mm {member}"))
                edges.append(Edge(name, f"mm{member}", "member"))
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
