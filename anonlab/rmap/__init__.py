"""Reverse-map designs: one file each, oldest first in DESIGNS."""

from anonlab.rmap.anongroup import AnonGroup
from anonlab.rmap.base import Rmap

DESIGNS: dict[str, type[Rmap]] = {design.name: design for design in (AnonGroup,)}

__all__ = ["DESIGNS", "AnonGroup", "Rmap"]
