"""System calls that are stopped half way: done as a whole, or as Linux 6.18 does them.

Most machines here do a call as a whole: one that fails has done nothing, which is easier to think
about and to check. Linux goes from VMA to VMA and stops where it must; what it has done stays. The
machine of a design of today (`Rmap.syscalls`) does the same. It also moves several VMAs with one
mremap (6.17).

source  mm/mprotect.c, mm/madvise.c, mm/mlock.c, mm/mremap.c (v6.18)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from anonlab.errors import BadAddress, SegmentationFault
from anonlab.kernel import fault, mapping, mremap
from anonlab.kernel.arguments import Obstacle, UserRange, hole_in
from anonlab.kernel.fault import populate, reserve_populate
from anonlab.kernel.state import KernelState
from anonlab.kernel.swap.reclaim import reserve
from anonlab.machine.tables import Span
from anonlab.mm import Mm, Process

Mremap = Callable[[KernelState, Process, Mm, int, int, int, int | None, bool], int]


Touch = Callable[[KernelState, UserRange], list[Span]]
HALF_DONE = " is done"
"""How the message of a call ends that has failed and done something."""


class Syscalls(NamedTuple):
    """The calls that machines do differently."""

    mprotect: Callable[[KernelState, UserRange, int], None]
    madvise_dontneed: Callable[[KernelState, UserRange], None]
    mlock: Callable[[KernelState, UserRange], None]
    munlock: Callable[[KernelState, UserRange], None]
    mremap: Mremap
    read_pages: Touch
    write_pages: Touch


def stop_at(obstacle: Obstacle | None, part: UserRange) -> None:
    """Raise the error of `obstacle`, if there is one, once `part` is done."""
    if obstacle is None:
        return
    error, address = obstacle.error, part.mm.geometry.address
    if part.vpns:
        done = f"{address(part.start_vpn)} to {address(part.end_vpn)}"
        error = type(error)(f"{error}; what is mapped in {done}{HALF_DONE}")
    raise error


def before(obstacle: Obstacle | None, pages: UserRange) -> UserRange:
    """Return the part of a range that a call can do."""
    return pages if obstacle is None else pages._replace(end_vpn=obstacle.vpn)


def mprotect(kernel: KernelState, pages: UserRange, prot: int) -> None:
    """Change what a range allows, up to an obstacle (do_mprotect_pkey)."""
    obstacle = mapping.obstacle_to_mprotect(pages, prot)
    part = before(obstacle, pages)
    if part.vpns:
        mapping.mprotect(kernel, part, prot)
    stop_at(obstacle, part)


def madvise_dontneed(kernel: KernelState, pages: UserRange) -> None:
    """Drop the pages of a range. A hole is remembered and passed over, locked memory stops it
    (madvise_walk_vmas)."""
    obstacle = mapping.locked_in(pages)
    part = before(obstacle, pages)
    mapping.drop(kernel, part)
    stop_at(obstacle or hole_in("madvise", pages), part)


def mlock(kernel: KernelState, pages: UserRange) -> None:
    """Lock a range up to a hole. If there is none, fill it up to a page that cannot be touched;
    what is locked stays locked (do_mlock)."""
    hole = hole_in("mlock", pages)
    obstacle = hole or mapping.obstacle_to_populate(pages)
    part = before(obstacle, pages)
    if hole is None:
        reserve_populate(kernel, part)
    if before(hole, pages).vpns:
        mapping.set_locked(kernel, before(hole, pages), locked=True)
    if hole is None:
        populate(kernel, part)
    if obstacle is None:
        kernel.step("mlock", pages.process, pages.vpns)
    stop_at(obstacle, before(hole, pages))


def munlock(kernel: KernelState, pages: UserRange) -> None:
    """Unlock a range up to a hole (apply_vma_lock_flags)."""
    hole = hole_in("munlock", pages)
    part = before(hole, pages)
    if part.vpns:
        mapping.munlock(kernel, part)
    stop_at(hole, part)


def mremap_several(
    kernel: KernelState,
    process: Process,
    mm: Mm,
    start_vpn: int,
    old_npages: int,
    npages: int,
    new_vpn: int | None,
    dontunmap: bool,
) -> int:
    """Do `mremap.mremap`; a move to a fixed address takes all VMAs of the range along, and keeps
    the holes between them (remap_move).

    raises  BadAddress if the range begins with a hole
    """
    if new_vpn is None or npages != old_npages:
        return one_vma(kernel, process, mm, start_vpn, old_npages, npages, new_vpn, dontunmap)
    end_vpn, shift = start_vpn + npages, new_vpn - start_vpn
    mremap.must_not_overlap(kernel, process, new_vpn, npages, start_vpn, end_vpn)
    vmas = mm.overlapping(start_vpn, end_vpn)
    if not vmas or vmas[0].start_vpn > start_vpn:
        where = mm.geometry.address(start_vpn)
        raise BadAddress(f"{process.name}: EFAULT: mremap of {where}: no VMA there")
    parts = [(max(vma.start_vpn, start_vpn), min(vma.end_vpn, end_vpn)) for vma in vmas]
    if len(parts) > 1:
        spans = [kernel.tables.populated(mm.pgd, start, end) for start, end in parts]
        targets = [mremap.target_tables(span, shift) for span in spans]
        limited = kernel.tables.max_rows is not None
        tables = kernel.tables.missing(mm.pgd, np.unique(np.concatenate(targets))) if limited else 0
        keep = zip(vmas, spans, strict=True)
        reserve(kernel, f"{process.name}: ENOMEM: mremap", tables=tables, keep=keep)
    for start, end in parts:
        size = end - start
        mremap.mremap(kernel, process, mm, start, size, size, start + shift, dontunmap)
    return new_vpn


def one_vma(
    kernel: KernelState,
    process: Process,
    mm: Mm,
    start_vpn: int,
    old_npages: int,
    npages: int,
    new_vpn: int | None,
    dontunmap: bool,
) -> int:
    """Do `mremap.mremap`. A copy of a shared mapping onto itself unmaps it before it is looked for
    (mremap_to)."""
    if old_npages == 0 and new_vpn == start_vpn and not dontunmap:
        vma = mremap.source(process, mm, start_vpn, 0)
        mapping.clear(kernel, mm, new_vpn, new_vpn + npages)
        raise BadAddress(
            f"{process.name}: EFAULT: mremap of {vma!r} onto itself: its unmapping{HALF_DONE}"
        )
    args = (start_vpn, old_npages, npages, new_vpn, dontunmap)
    return mremap.mremap(kernel, process, mm, *args)


def read_pages(kernel: KernelState, pages: UserRange) -> list[Span]:
    """Do `fault.read_pages`. A stack grows before anybody asks whether it may be read."""
    try:
        return fault.read_pages(kernel, pages)
    except SegmentationFault as error:
        raise grown(kernel, pages, error) from None


def write_pages(kernel: KernelState, pages: UserRange) -> list[Span]:
    """Do `fault.write_pages`. A stack grows before anybody asks whether it may be written."""
    try:
        return fault.write_pages(kernel, pages)
    except SegmentationFault as error:
        raise grown(kernel, pages, error) from None


def grown(kernel: KernelState, pages: UserRange, error: SegmentationFault) -> SegmentationFault:
    """Let a stack grow to the first page, if there is one that can; return what to raise
    (lock_mm_and_find_vma, then access_error)."""
    process, mm, vpn, _ = pages
    stack = None if mm.find_vma(vpn) else fault.stack_to_grow(kernel, mm, vpn)
    if stack is None:
        return error
    fault.grow_stack(kernel, process, stack, kernel.tables.span(mm.pgd, vpn, stack.start_vpn))
    return SegmentationFault(f"{error}; the growth of the stack{HALF_DONE}")


SYSCALLS = {
    "whole": Syscalls(
        mapping.mprotect,
        mapping.madvise_dontneed,
        mapping.mlock,
        mapping.munlock,
        mremap.mremap,
        fault.read_pages,
        fault.write_pages,
    ),
    "today": Syscalls(
        mprotect, madvise_dontneed, mlock, munlock, mremap_several, read_pages, write_pages
    ),
}
"""The calls of a machine, by what its design says of them."""
