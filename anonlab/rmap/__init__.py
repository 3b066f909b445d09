"""Reverse-map designs: one file each. DESIGNS has them in the order in which each was in a kernel
or in the debate: anonmm was posted in March 2003, and its code stood in a test tree in April 2004.
"""

from anonlab.rmap.anon_vma import AnonVma
from anonlab.rmap.anon_vma_chain import AnonVmaChain
from anonlab.rmap.anongroup import AnonGroup
from anonlab.rmap.anongroup_options import AnonGroupOptions
from anonlab.rmap.anonmm import AnonMm
from anonlab.rmap.base import Candidates, Rmap
from anonlab.rmap.cow_context import CowContext
from anonlab.rmap.per_mm_space import PerMmSpace
from anonlab.rmap.pte_chain import PteChain

DESIGNS: dict[str, type[Rmap]] = {
    design.name: design
    for design in (
        PteChain,
        PerMmSpace,  # 12 March 2004
        AnonGroup,  # 13 March 2004
        AnonMm,  # posted in March 2003, in -mm in April 2004
        AnonVma,  # May 2004
        AnonVmaChain,
        CowContext,
    )
}

__all__ = [
    "DESIGNS",
    "AnonGroup",
    "AnonGroupOptions",
    "AnonMm",
    "AnonVma",
    "AnonVmaChain",
    "Candidates",
    "CowContext",
    "PerMmSpace",
    "PteChain",
    "Rmap",
]
