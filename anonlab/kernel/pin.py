"""Pages held by a device: get_user_pages and put_page."""

from __future__ import annotations

import numpy as np

from anonlab.errors import InvalidArgument
from anonlab.kernel.arguments import UserRange
from anonlab.kernel.fault import pin_pages, read_pages
from anonlab.kernel.pages import int64_array, release
from anonlab.kernel.state import KernelState
from anonlab.machine.tables import Span
from anonlab.machine.words import PTE_SHIFT, ZERO_PFN
from anonlab.mm import Mm


def pin(kernel: KernelState, pages: UserRange) -> list[int]:
    """Fault in a range, for writing where that is allowed, and take one more reference to each
    page; return the pfns. `count` rises, `mapcount` does not (get_user_pages)."""
    return hold(kernel, pages, pin_pages(kernel, pages))


def pin_to_read(kernel: KernelState, pages: UserRange) -> list[int]:
    """As `pin`, for somebody who only reads: nothing is copied first, so a shared page is held as
    it is (get_user_pages without FOLL_WRITE, as vmsplice calls it)."""
    return hold(kernel, pages, read_pages(kernel, pages))


def hold(kernel: KernelState, pages: UserRange, spans: list[Span]) -> list[int]:
    """Take one more reference to each page that `spans` map, the zero page left out."""
    pfns = np.concatenate([span.words for span in spans]) >> PTE_SHIFT
    np.add.at(kernel.mem_map.count, pfns[pfns != ZERO_PFN], 1)
    for vpn, pfn in zip(pages.vpns, pfns.tolist(), strict=True):
        kernel.pins.setdefault((pages.mm.number, vpn), []).append(pfn)
    kernel.step("pin", pages.process, pages.vpns)
    return [int(pfn) for pfn in pfns]


def unpin(kernel: KernelState, pages: UserRange) -> None:
    """Drop the newest pin that was taken at each page of a range (put_page)."""
    process, number = pages.process, pages.mm.number
    missing = next((vpn for vpn in pages.vpns if (number, vpn) not in kernel.pins), None)
    if missing is not None:
        raise InvalidArgument(
            f"{process.name}: EINVAL: unpin of {kernel.geometry.address(missing)}: "
            f"nothing was pinned there"
        )
    for vpn in pages.vpns:
        _unpin_one(kernel, (number, vpn))
    kernel.step("unpin", process, pages.vpns)


def drop_pins(kernel: KernelState, mm: Mm) -> None:
    """Wait for the devices that hold pages of a dying mm (exit_aio)."""
    for key in [key for key in kernel.pins if key[0] == mm.number]:
        while key in kernel.pins:
            _unpin_one(kernel, key)


def _unpin_one(kernel: KernelState, key: tuple[int, int]) -> None:
    pfns = kernel.pins[key]
    pfn = pfns.pop()
    if not pfns:
        del kernel.pins[key]
    if pfn != ZERO_PFN:
        release(kernel, int64_array(pfn))
