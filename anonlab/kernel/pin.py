"""Pages held by a device: get_user_pages and put_page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anonlab.errors import InvalidArgument
from anonlab.kernel import fault
from anonlab.kernel.arguments import mm_of
from anonlab.kernel.pages import release
from anonlab.machine.words import PTE_SHIFT, ZERO_PFN
from anonlab.mm import Mm, Process

if TYPE_CHECKING:
    from anonlab.kernel.kernel import Kernel


def pin(kernel: Kernel, process: Process, start_vpn: int, end_vpn: int) -> list[int]:
    """Fault in a range, for writing where that is allowed, and take one more reference to each
    page; return the pfns. `count` rises, `mapcount` does not (get_user_pages)."""
    mm = mm_of(process, "pin")
    spans = fault.access(kernel, process, start_vpn, end_vpn, write=None)
    pfns = np.concatenate([span.words for span in spans]) >> PTE_SHIFT
    np.add.at(kernel.mem_map.count, pfns[pfns != ZERO_PFN], 1)
    for vpn, pfn in zip(range(start_vpn, end_vpn), pfns.tolist(), strict=True):
        kernel.pins.setdefault((mm.number, vpn), []).append(pfn)
    kernel.step("pin", process, range(start_vpn, end_vpn))
    return [int(pfn) for pfn in pfns]


def unpin(kernel: Kernel, process: Process, start_vpn: int, end_vpn: int) -> None:
    """Drop the newest pin that was taken at each page of a range (put_page)."""
    mm = mm_of(process, "unpin")
    pages = range(start_vpn, end_vpn)
    missing = next((vpn for vpn in pages if (mm.number, vpn) not in kernel.pins), None)
    if missing is not None:
        raise InvalidArgument(
            f"{process.name}: EINVAL: unpin of {kernel.geometry.address(missing)}: "
            f"nothing was pinned there"
        )
    for vpn in pages:
        _unpin_one(kernel, (mm.number, vpn))
    kernel.step("unpin", process, range(start_vpn, end_vpn))


def drop_pins(kernel: Kernel, mm: Mm) -> None:
    """Wait for the devices that hold pages of a dying mm (exit_aio)."""
    for key in [key for key in kernel.pins if key[0] == mm.number]:
        while key in kernel.pins:
            _unpin_one(kernel, key)


def _unpin_one(kernel: Kernel, key: tuple[int, int]) -> None:
    pfns = kernel.pins[key]
    pfn = pfns.pop()
    if not pfns:
        del kernel.pins[key]
    if pfn != ZERO_PFN:
        release(kernel, np.array([pfn], dtype=np.int64))
