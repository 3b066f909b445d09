"""Reverse-map designs: one file each, oldest first in DESIGNS."""

from anonlab.rmap.anongroup import AnonGroup
from anonlab.rmap.anonmm import AnonMm
from anonlab.rmap.base import Rmap
from anonlab.rmap.pte_chain import PteChain

DESIGNS: dict[str, type[Rmap]] = {design.name: design for design in (PteChain, AnonGroup, AnonMm)}

__all__ = ["DESIGNS", "AnonGroup", "AnonMm", "PteChain", "Rmap"]
