"""Where generated histories put things, by geometry."""

from __future__ import annotations

from anonlab.kernel.exec_exit import heap_vpn
from anonlab.machine.words import GEOMETRIES

FRAMES = {"lesson": (40, 64), "x86_32": (56, 64), "x86_64": (56, 64)}
"""Frames and swap slots by geometry, where the caller names none: few, so memory runs short."""
HEAP_VPN = {name: heap_vpn(geometry) for name, geometry in GEOMETRIES.items()}
"""First page of the heap."""
TOP_VPN = {name: geometry.task_npages for name, geometry in GEOMETRIES.items()}
"""The page after the last page of a stack."""
WINDOWS = {
    "lesson": (range(0x28, 0x58),),
    "x86_32": (range(0x800F0, 0x80110), range(0x80400 - 16, 0x80400 + 16)),
    "x86_64": (range((1 << 27) - 24, (1 << 27) + 24), range(0x12345E00 - 16, 0x12345E00 + 16)),
}
"""Where mappings go; the first window of x86_64 lies across a boundary of every upper level."""
