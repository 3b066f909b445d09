"""What the hardware sees: frames, page tables, swap slots. It knows no process."""

from anonlab.machine.frames import MemMap
from anonlab.machine.machine import Machine
from anonlab.machine.swap import Swap
from anonlab.machine.tables import PageTables, Span

__all__ = ["Machine", "MemMap", "PageTables", "Span", "Swap"]
