"""Reverse-map designs: one file each, oldest first in DESIGNS."""

from anonlab.rmap.anon_vma import AnonVma
from anonlab.rmap.anon_vma_chain import AnonVmaChain
from anonlab.rmap.anongroup import AnonGroup
from anonlab.rmap.base import Places, Rmap
from anonlab.rmap.cow_context import CowContext
from anonlab.rmap.per_mm_space import PerMmSpace

DESIGNS: dict[str, type[Rmap]] = {
    design.name: design
    for design in (
        PerMmSpace,  # 12 March 2004
        AnonGroup,  # 13 March 2004
        AnonVma,
        AnonVmaChain,
        CowContext,
    )
}

__all__ = [
    "DESIGNS",
    "AnonGroup",
    "AnonVma",
    "AnonVmaChain",
    "CowContext",
    "PerMmSpace",
    "Places",
    "Rmap",
]
