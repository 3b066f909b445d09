"""Bugs of the reverse-map designs: what history had, and what somebody could make of it."""

from __future__ import annotations

from anonlab.mutants.plant import Mutant
from anonlab.rmap.anongroup import AnonGroup
from anonlab.rmap.base import Rmap

OF_DESIGNS: dict[str, Mutant] = {
    "mremap does not update index": Mutant(
        AnonGroup.moved, "self.mem_map.index[pfns] = vpns", "pass"
    ),
    "mremap moves a shared page without a copy": Mutant(
        AnonGroup.move, "self.mem_map.count[pfns] > 1", "self.mem_map.count[pfns] > 99"
    ),
    "mremap copies what is not shared": Mutant(
        AnonGroup.move, "self.mem_map.count[pfns] > 1", "self.mem_map.count[pfns] > 0"
    ),
    "a page swapped in elsewhere is not copied": Mutant(
        AnonGroup.clash, "index != vpns", "index == -1"
    ),
    "mapping is not cleared when nobody maps the page": Mutant(
        Rmap.forget_unmapped, "mem.mapcount[pfns] == 0", "mem.mapcount[pfns] == -1"
    ),
    "exit stays in the group": Mutant(AnonGroup.drop_mm, "group.leave(mm)", "pass"),
}
