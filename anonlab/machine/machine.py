"""The machine: frames, page tables and swap slots of one geometry."""

from __future__ import annotations

import numpy as np

from anonlab.machine.frames import MemMap
from anonlab.machine.swap import Swap
from anonlab.machine.tables import PageTables
from anonlab.machine.words import Geometry


class Machine:
    """Frames, page tables and swap of one machine.

    frames  page frames, the zero page included, >= 2
    swap    swap slots that can be used, >= 0
    tables  page-table pages that can exist at a time; None for as many as are wanted
    """

    def __init__(
        self, geometry: Geometry, frames: int = 64, swap: int = 16, tables: int | None = None
    ) -> None:
        # glibc gives a large freed array back to the system, and its pages fault in again with the
        # next one. Having freed one of almost 32 MiB raises the size it keeps (mallopt(3)).
        np.empty(31 << 17, dtype=np.int64)
        self.geometry = geometry
        self.mem_map = MemMap(frames)
        self.tables = PageTables(geometry, tables)
        self.swap = Swap(swap)
