"""VMAs come, go, split and merge: mmap, brk, munmap, mprotect, madvise, mlock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from anonlab.errors import (
    AddressInUse,
    InvalidArgument,
    OutOfMemory,
    PermissionDenied,
    SimulatedError,
)
from anonlab.kernel.arguments import Obstacle, UserRange, hole_in, must_be_clear, must_be_inside
from anonlab.kernel.fault import pieces_to_populate, populate, reserve_populate
from anonlab.kernel.page_cache import drop_pages
from anonlab.kernel.pages import zap
from anonlab.kernel.state import KernelState
from anonlab.machine.words import PAGE_MASK, PAGE_SHIFT, PTE_PRESENT, PTE_USER, PTE_WRITE
from anonlab.mm import VM_WRITE, File, Mm, Process, Vma, prot_letters, prot_of

Part = tuple[int, int]
"""Pages [start_vpn, end_vpn) of one VMA."""

# One VMA


def insert_vma(vma: Vma) -> Vma:
    """Link a new VMA into its mm and its file (vma_link)."""
    vma.mm.insert(vma)
    if vma.file is not None:
        vma.file.vmas[vma] = None
    return vma


def remove_vma(kernel: KernelState, vma: Vma) -> None:
    """Unlink a VMA whose pages are gone, or belong to another one now (remove_vma)."""
    vma.mm.remove(vma)
    if vma.file is not None:
        del vma.file.vmas[vma]
        if vma.file.shmem and not vma.file.vmas:
            drop_pages(kernel, vma.file, 0)
            kernel.drop_file(vma.file)
    kernel.design.unlink_vma(vma)


def copy_vma(
    kernel: KernelState, old: Vma, mm: Mm, start_vpn: int, end_vpn: int, pgoff: int
) -> Vma:
    """Return a new, linked VMA with the rules of `old` (copy_vma, and part of split_vma)."""
    new = Vma(
        mm, start_vpn, end_vpn, old.prot, old.shared, old.file, pgoff, old.locked, old.growsdown
    )
    new.accounted, new.written = old.accounted, old.written
    return insert_vma(new)


def split_vma(kernel: KernelState, vma: Vma, vpn: int) -> Vma:
    """Cut `vma` at page `vpn` strictly inside it; return the new upper part (split_vma)."""
    end_vpn, vma.end_vpn = vma.end_vpn, vpn
    vma.mm.version += 1
    upper = copy_vma(kernel, vma, vma.mm, vpn, end_vpn, vma.pgoff + vpn - vma.start_vpn)
    kernel.design.copy_vma(upper, vma)
    kernel.design.adjust_vma(vma)
    return upper


def cut(kernel: KernelState, mm: Mm, start_vpn: int, end_vpn: int) -> list[Vma]:
    """Split at both ends and return the VMAs that make up [start_vpn, end_vpn), ascending; an
    empty range has no ends and splits nothing."""
    found = mm.overlapping(start_vpn, end_vpn) if start_vpn < end_vpn else []
    if found and found[0].start_vpn < start_vpn:
        found[0] = split_vma(kernel, found[0], start_vpn)
    if found and found[-1].end_vpn > end_vpn:
        split_vma(kernel, found[-1], end_vpn)
    return found


def are_alike(lower: Vma, upper: Vma) -> bool:
    """Return whether nothing but the reverse map can keep two neighbours apart (can_vma_merge)."""
    return lower.prot == upper.prot and lower.is_mergeable_with(upper)


def merge_around(kernel: KernelState, mm: Mm, start_vpn: int, end_vpn: int) -> None:
    """Merge what can be merged at and between the two ends of a range (vma_merge)."""
    around = mm.overlapping(max(start_vpn - 1, 0), end_vpn + 1)
    lower = around[0] if around else None
    for upper in around[1:]:
        assert lower is not None
        if are_alike(lower, upper) and kernel.design.can_merge(lower, upper):
            merge(kernel, lower, upper)
        else:
            lower = upper


def merge(kernel: KernelState, lower: Vma, upper: Vma) -> None:
    """Let `lower` take in its neighbour (vma_expand)."""
    lower.end_vpn = upper.end_vpn
    lower.written |= upper.written
    lower.mm.version += 1
    kernel.design.merge_vma(lower, upper)
    kernel.design.adjust_vma(lower)
    remove_vma(kernel, upper)


def grow_vma(kernel: KernelState, vma: Vma, end_vpn: int) -> None:
    """Let `vma` end at `end_vpn`, and take in the VMA that begins there. One that was never written
    joins whatever grows: no design has to find a page in it (vma_merge_extend)."""
    vma.end_vpn = end_vpn
    vma.mm.version += 1
    kernel.design.adjust_vma(vma)
    for upper in vma.mm.overlapping(end_vpn, end_vpn + 1):
        if are_alike(vma, upper) and (not upper.written or kernel.design.can_merge(vma, upper)):
            merge(kernel, vma, upper)


# Parts of VMAs that change: what is as it shall be stays as it is, and merges with nothing.


def parts(mm: Mm, start_vpn: int, end_vpn: int, changes: Callable[[Vma], bool]) -> list[Part]:
    """Return the parts of the VMAs in a range that a call `changes`, ascending."""
    return [
        (max(vma.start_vpn, start_vpn), min(vma.end_vpn, end_vpn))
        for vma in mm.overlapping(start_vpn, end_vpn)
        if changes(vma)
    ]


def cut_out(kernel: KernelState, mm: Mm, changed: list[Part]) -> list[Vma]:
    """Split VMAs so that each part is one, and return them; they may be changed now."""
    mm.version += len(changed)
    return [vma for start_vpn, end_vpn in changed for vma in cut(kernel, mm, start_vpn, end_vpn)]


def merge_parts(kernel: KernelState, mm: Mm, changed: list[Part]) -> None:
    """Merge each part with its neighbours, where they are alike now (vma_modify)."""
    for start_vpn, end_vpn in changed:
        merge_around(kernel, mm, start_vpn, end_vpn)


# System calls


class Wanted(NamedTuple):
    """What an mmap asks for: `npages` pages of `file`, or of anonymous memory, from `pgoff` on."""

    npages: int
    prot: int
    shared: bool
    file: File | None
    pgoff: int
    growsdown: bool


def unmapped_vpn(kernel: KernelState, process: Process, mm: Mm, call: str, npages: int) -> int:
    """Return the lowest page from TASK_UNMAPPED_BASE, a third of user space, where `npages` fit,
    else from page 1 (arch_get_unmapped_area); ENOMEM if nowhere."""
    limit = kernel.geometry.task_npages
    for start_vpn in (limit // 3, 1):
        vpn = start_vpn
        while vpn + npages <= limit:
            vma = mm.next_vma(vpn)
            if vma is None or vpn + npages <= vma.start_vpn:
                return vpn
            vpn = vma.end_vpn
    raise OutOfMemory(f"{process.name}: ENOMEM: {call}: no {npages} free pages of address space")


def mmap(
    kernel: KernelState,
    process: Process,
    mm: Mm,
    wanted: Wanted,
    start_vpn: int | None,
    fixed: bool,
) -> int:
    """Map what is wanted from `start_vpn`, or where the kernel likes; return the first page
    (do_mmap). No page table, no frame is touched.

    fixed   what is there now goes
    raises  AddressInUse, InvalidArgument, OutOfMemory, PermissionDenied; nothing has changed then
    """
    npages, prot, shared, file, pgoff, growsdown = wanted
    must_be_allowed(process, wanted)
    if start_vpn is None:
        start_vpn = unmapped_vpn(kernel, process, mm, "mmap", npages)
    end_vpn = start_vpn + npages
    must_be_inside(process, "mmap", kernel.geometry, start_vpn, end_vpn, OutOfMemory)
    occupied = mm.overlapping(start_vpn, end_vpn)
    if occupied and not fixed:
        raise AddressInUse(
            f"{process.name}: EEXIST: mmap of {npages} pages at {start_vpn << PAGE_SHIFT:#x}: "
            f"{occupied[0]!r} is there; fixed=True would replace it"
        )
    if occupied:
        clear(kernel, mm, start_vpn, end_vpn)
    if file is None:
        file, pgoff = (kernel.new_shmem(npages), 0) if shared else (None, start_vpn)
    insert_vma(Vma(mm, start_vpn, end_vpn, prot, shared, file, pgoff, growsdown=growsdown))
    merge_around(kernel, mm, start_vpn, end_vpn)
    if kernel.recorder is not None:
        kernel.step("mmap", process, range(start_vpn, end_vpn))
    return start_vpn


def must_be_allowed(process: Process, wanted: Wanted) -> None:
    """Raise InvalidArgument or PermissionDenied for what no mapping may be."""
    if wanted.growsdown and (wanted.shared or wanted.file is not None):
        raise InvalidArgument(f"{process.name}: EINVAL: only private anonymous memory grows down")
    file, may_write = wanted.file, wanted.prot & VM_WRITE
    if file is not None and wanted.shared and may_write and not file.writable:
        raise PermissionDenied(
            f"{process.name}: EACCES: {file.name} is read-only: a shared mapping of it cannot have "
            f"prot {prot_letters(wanted.prot)!r}; 'r' or shared=False is right"
        )


def clear(kernel: KernelState, mm: Mm, start_vpn: int, end_vpn: int) -> int:
    """Unmap [start_vpn, end_vpn): split, zap, unlink; return how many pages were mapped
    (do_munmap). Never fails."""
    gone = 0
    for vma in cut(kernel, mm, start_vpn, end_vpn):
        gone += zap(kernel, vma, vma.start_vpn, vma.end_vpn)
        remove_vma(kernel, vma)
    return gone


def munmap(kernel: KernelState, pages: UserRange) -> None:
    """Unmap a range; holes in it are skipped (do_munmap)."""
    gone = clear(kernel, pages.mm, pages.start_vpn, pages.end_vpn)
    if kernel.recorder is None:  # most programs map and unmap all day, and nobody looks
        return
    if gone:
        kernel.step("munmap.zap", pages.process, pages.vpns, n=gone)
    kernel.step("munmap", pages.process, pages.vpns)


def mprotect(kernel: KernelState, pages: UserRange, prot: int) -> None:
    """Change what a range allows; ENOMEM if part of it is not mapped (mprotect_fixup). Locked
    private memory that becomes writable is filled at once (Linux 4.2)."""
    must_be_clear(obstacle_to_mprotect(pages, prot))
    process, mm, start_vpn, end_vpn = pages
    filled = []
    changed = parts(mm, start_vpn, end_vpn, lambda vma: vma.prot != prot)
    for vma in cut_out(kernel, mm, changed):
        if vma.locked and not vma.shared and prot & VM_WRITE and not vma.writable:
            filled.append(UserRange(process, mm, vma.start_vpn, vma.end_vpn))
        vma.prot = prot
        account(vma)
        change_protection(kernel, vma)
    merge_parts(kernel, mm, changed)
    for each in filled:
        with suppress(SimulatedError):  # what cannot come in now comes in when it is touched
            populate(kernel, each)
    if kernel.recorder is not None:
        kernel.step("mprotect", process, pages.vpns, what=prot_letters(prot))


def obstacle_to_mprotect(pages: UserRange, prot: int) -> Obstacle | None:
    """Return the first page that has no VMA (ENOMEM), or may not be written (EACCES)."""
    process, mm, start_vpn, end_vpn = pages
    hole = hole_in("mprotect", pages)
    for vma in mm.overlapping(start_vpn, end_vpn if hole is None else hole.vpn):
        if vma.shared and vma.file is not None and prot & VM_WRITE and not vma.file.writable:
            error = PermissionDenied(
                f"{process.name}: EACCES: {vma.file.name} is read-only: its shared mapping at "
                f"{mm.geometry.address(vma.start_vpn)} cannot become writable"
            )
            return Obstacle(max(vma.start_vpn, start_vpn), error)
    return hole


def account(vma: Vma) -> None:
    """Count private memory that is writable, and no more what cannot be written and never was
    (mprotect_fixup; the latter since Linux 6.6)."""
    if not vma.shared and vma.writable:
        vma.accounted = True
    elif vma.file is None and not vma.written:
        vma.accounted = False


def change_protection(kernel: KernelState, vma: Vma) -> None:
    """Bring the present words of `vma` in line with its prot: write permission of private pages
    goes at once and comes back only with a write fault (change_protection)."""
    span = kernel.tables.populated(vma.mm.pgd, vma.start_vpn, vma.end_vpn)
    present = (span.words & PTE_PRESENT) != 0
    words = span.words[present] & ~PTE_USER
    if not vma.writable:
        words &= ~PTE_WRITE
    span.words[present] = words | vma.page_bits
    span.store()


def madvise_dontneed(kernel: KernelState, pages: UserRange) -> None:
    """Drop the pages of a range, the VMAs stay (madvise_dontneed); EINVAL for locked memory, also
    behind a hole: the walk passes over that."""
    must_be_clear(locked_in(pages) or hole_in("madvise", pages))
    drop(kernel, pages)


def locked_in(pages: UserRange) -> Obstacle | None:
    """Return the first page of a range that is locked, with EINVAL, as madvise says it."""
    process, mm, start_vpn, end_vpn = pages
    vma = next((vma for vma in mm.overlapping(start_vpn, end_vpn) if vma.locked), None)
    if vma is None:
        return None
    error = InvalidArgument(
        f"{process.name}: EINVAL: madvise dontneed of {vma!r}, which is locked; munlock it first"
    )
    return Obstacle(max(vma.start_vpn, start_vpn), error)


def drop(kernel: KernelState, pages: UserRange) -> None:
    """Drop the pages of what is mapped in a range (madvise_dontneed_single_vma)."""
    process, mm, start_vpn, end_vpn = pages
    gone = sum(
        zap(kernel, vma, max(vma.start_vpn, start_vpn), min(vma.end_vpn, end_vpn))
        for vma in mm.overlapping(start_vpn, end_vpn)
    )
    kernel.step("madvise", process, pages.vpns, n=gone)


def brk(kernel: KernelState, process: Process, mm: Mm, addr: int) -> None:
    """Move the end of the heap to byte `addr`, rounded up to a page; 0 only asks (sys_brk).

    raises  OutOfMemory if other memory, which keeps a free page below it (a stack its guard gap),
            or the end of user space is in the way, InvalidArgument below the start of the heap, or
            if nothing is mapped where it would shrink
    """
    geometry = kernel.geometry
    end_vpn = addr + PAGE_MASK >> PAGE_SHIFT
    if addr == 0:
        kernel.step("brk", process, what=geometry.address(mm.brk))
        return
    call = f"brk to {addr:#x}"
    if addr < mm.start_brk << PAGE_SHIFT:
        raise InvalidArgument(
            f"{process.name}: EINVAL: {call}, below the start of the heap "
            f"{geometry.address(mm.start_brk)}"
        )
    must_be_inside(process, "brk", geometry, mm.brk, end_vpn, OutOfMemory)
    above = mm.next_vma(mm.brk) if end_vpn > mm.brk else None
    gap = kernel.guard_npages if above is not None and above.growsdown else 0
    if above is not None and end_vpn + 1 > above.start_vpn - gap:
        raise OutOfMemory(f"{process.name}: ENOMEM: {call}: {above!r} is in the way")
    if end_vpn < mm.brk and not mm.overlapping(end_vpn, mm.brk):
        raise InvalidArgument(f"{process.name}: EINVAL: {call}: nothing is mapped above that")
    if end_vpn < mm.brk:
        clear(kernel, mm, end_vpn, mm.brk)
    elif end_vpn > mm.brk:
        insert_vma(Vma(mm, mm.brk, end_vpn, prot_of("rw"), pgoff=mm.brk))
        merge_around(kernel, mm, mm.brk, end_vpn)
    mm.brk = end_vpn
    mm.version += 1
    kernel.step("brk", process, what=geometry.address(end_vpn))


def mlock(kernel: KernelState, pages: UserRange) -> None:
    """Keep a range in memory: fault its pages in and never swap them out (do_mlock).

    The VMAs are split first and filled then: what was never touched around the range stays on its
    own, without an anon_vma. ENOMEM if there is a hole, or a page that cannot be touched.
    """
    must_be_clear(hole_in("mlock", pages) or obstacle_to_populate(pages))
    reserve_populate(kernel, pages)
    set_locked(kernel, pages, locked=True)
    populate(kernel, pages)
    kernel.step("mlock", pages.process, pages.vpns)


def obstacle_to_populate(pages: UserRange) -> Obstacle | None:
    """Return the first page of a mapped range that cannot be touched, with ENOMEM, as mlock says
    it: of PROT_NONE, or beyond the end of its file (__mlock_posix_error_return)."""
    process, mm, vpn, end_vpn = pages
    for piece in pieces_to_populate(pages):
        if piece.start_vpn > vpn:
            break
        vpn = piece.end_vpn
    if vpn == end_vpn:
        return None
    what = f"{mm.geometry.address(vpn)} in {mm.find_vma(vpn)!r} cannot be touched"
    return Obstacle(vpn, OutOfMemory(f"{process.name}: ENOMEM: mlock: {what}"))


def munlock(kernel: KernelState, pages: UserRange) -> None:
    """Let a range be swapped out again (do_mlock)."""
    must_be_clear(hole_in("munlock", pages))
    set_locked(kernel, pages, locked=False)
    kernel.step("munlock", pages.process, pages.vpns)


def set_locked(kernel: KernelState, pages: UserRange, locked: bool) -> None:
    """Lock or unlock the VMAs of a range (mlock_fixup)."""
    _, mm, start_vpn, end_vpn = pages
    changed = parts(mm, start_vpn, end_vpn, lambda vma: vma.locked != locked)
    for vma in cut_out(kernel, mm, changed):
        vma.locked = locked
    merge_parts(kernel, mm, changed)
