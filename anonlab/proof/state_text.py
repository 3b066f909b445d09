"""The state of a machine as text, for the message of a broken invariant."""

from __future__ import annotations

import numpy as np

from anonlab.kernel import Kernel
from anonlab.machine.words import PTE_PRESENT, PTE_SHIFT, pte_letters
from anonlab.proof.page_table_scan import Scan


def state_text(kernel: Kernel, truth: Scan) -> str:
    """Return the mappings of `truth`, a scan of `kernel`, and its frames in use."""
    lines = [f"design {kernel.design.name}; mappings (mm, address, word):"]
    for mm, vpn, word in np.array([truth.mms, truth.vpns, truth.words]).T.tolist():
        what = f"swap {word:#x}"
        if word & PTE_PRESENT:
            what = f"pfn {word >> PTE_SHIFT} {pte_letters(word)}"
        lines.append(f"  mm {mm} {kernel.geometry.address(vpn)} {what}")
    lines.append("frames (pfn, count, mapcount, index, mapping, flags):")
    mem = kernel.mem_map
    for pfn in np.flatnonzero(mem.count).tolist():
        lines.append(f"  {pfn}: " + " ".join(map(str, mem.columns[:5, pfn].tolist())))
    return "\n".join(lines)
