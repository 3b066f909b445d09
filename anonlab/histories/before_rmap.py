"""Before there was a reverse map: how 2.4 looked for a page to swap out.

There was no way from a page to its entries. `swap_out` went round all page tables. An entry that
was used since the last time loses its accessed bit; any other one becomes a swap entry. A page is
free when all its entries have been met like that, in whatever order.

source  swap_out and try_to_swap_out in mm/vmscan.c, 2.4. Here the scan begins with the first
        process, and of all pages only the one that is asked about is ever swapped out.
"""

from __future__ import annotations

from anonlab.formats.history_text import parse
from anonlab.histories.run import make_kernel, run_on
from anonlab.kernel import Kernel
from anonlab.machine.words import PTE_ACCESSED, PTE_PRESENT, PTE_SHIFT

ROUNDS = 300
"""After so many rounds through all page tables the scan is given up."""


def shared_by(processes: int, entries: int) -> Kernel:
    """Return a machine on which `processes` share one page, the first of each, and each has
    `entries` entries, all just used.

    raises  ValueError unless there are 1 to 100 processes with 1 to 1000 entries
    """
    for what, number, most in (("processes", processes, 100), ("entries", entries, 1000)):
        if not 1 <= number <= most:
            raise ValueError(f"{what} must be from 1 to {most}, got {number}")
    names = [f"p{number}" for number in range(processes)]
    lines = [f"machine x86_32 frames {processes * entries + 2} swap {processes}", "p0 = spawn"]
    lines += [f"p0 mmap 0x30000 {entries}", "p0 write 0x30000 1"]
    lines += [f"{name} = fork p0" for name in names[1:]]
    if entries > 1:
        lines += [f"{name} write 0x31000 2 {entries - 1}" for name in names]
    lines += [f"{name} read 0x30000" for name in names]
    history = parse("\n".join(lines) + "\n")
    kernel = make_kernel(history)
    run_on(kernel, history)
    return kernel


def scanned_until_free(kernel: Kernel, pfn: int, touched_every: int = 0) -> int | None:
    """Return at how many present entries the scan of 2.4 looks until nobody maps frame `pfn`; None
    if ROUNDS rounds are not enough. The machine stays as it is.

    touched_every  all who had the page use it again each time so many entries were looked at; 0:
                   nobody ever does
    """
    entries = [
        [word >> PTE_SHIFT == pfn, bool(word & PTE_ACCESSED), True]
        for mm in kernel.mms.values()
        for vma in mm.vmas
        for word in kernel.tables.span(mm.pgd, vma.start_vpn, vma.end_vpn).words.tolist()
        if word & PTE_PRESENT
    ]  # [is it the page's, was it used, is it present]
    mine = [entry for entry in entries if entry[0]]
    left, looked = len(mine), 0
    for entry in entries * ROUNDS:
        if left == 0:
            return looked
        if not entry[2]:
            continue
        looked += 1
        if entry[1]:
            entry[1] = False
        elif entry[0]:
            entry[2] = False
            left -= 1
        if left and touched_every and looked % touched_every == 0:
            for each in mine:
                each[1:] = True, True
            left = len(mine)
    return None


def walked_until_free(kernel: Kernel, pfn: int) -> int:
    """Return at how many entries a kernel with a reverse map looks: it asks whether the page was
    used, and then unmaps it. The page of the first process is swapped out."""
    before = kernel.design.cost.probes
    kernel.page_referenced(pfn)
    kernel.processes["p0"].swap_out(0x30000)
    return kernel.design.cost.probes - before
