"""VMAs come, go, split and merge: mmap, brk, munmap, mprotect, madvise, mlock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from anonlab.errors import AddressInUse, InvalidArgument, OutOfMemory, PermissionDenied
from anonlab.kernel import fault
from anonlab.kernel.arguments import aligned_vpn, inside, mapped, mm_of, npages_of, range_of, whole
from anonlab.kernel.page_cache import drop_pages
from anonlab.kernel.pages import zap
from anonlab.machine.words import PAGE_MASK, PAGE_SHIFT, PTE_PRESENT, PTE_USER, PTE_WRITE
from anonlab.mm import File, Mm, Process, Vma, prot_letters, prot_of
from anonlab.rmap import file_pages

if TYPE_CHECKING:
    from anonlab.kernel.kernel import Kernel


# One VMA


def insert_vma(vma: Vma) -> Vma:
    """Link a new VMA into its mm and its file (vma_link)."""
    vma.mm.insert(vma)
    file_pages.link(vma)
    return vma


def remove_vma(kernel: Kernel, vma: Vma) -> None:
    """Unlink a VMA whose pages are gone, or belong to another one now (remove_vma)."""
    vma.mm.remove(vma)
    file_pages.unlink(vma)
    if vma.file is not None and vma.file.shmem and not vma.file.vmas:
        drop_pages(kernel, vma.file, 0)
        del kernel.files[vma.file.name]
        kernel.version += 1
    kernel.design.unlink_vma(vma)


def copy_vma(kernel: Kernel, old: Vma, mm: Mm, start_vpn: int, end_vpn: int, pgoff: int) -> Vma:
    """Return a new, linked VMA with the rules of `old` (copy_vma, and part of split_vma)."""
    new = Vma(
        mm, start_vpn, end_vpn, old.prot, old.shared, old.file, pgoff, old.locked, old.growsdown
    )
    new.accounted, new.written = old.accounted, old.written
    return insert_vma(new)


def split_vma(kernel: Kernel, vma: Vma, vpn: int) -> Vma:
    """Cut `vma` at page `vpn` strictly inside it; return the new upper part (split_vma)."""
    end_vpn, vma.end_vpn = vma.end_vpn, vpn
    vma.mm.version += 1
    upper = copy_vma(kernel, vma, vma.mm, vpn, end_vpn, vma.pgoff + vpn - vma.start_vpn)
    kernel.design.copy_vma(upper, vma)
    kernel.design.adjust_vma(vma)
    return upper


def cut(kernel: Kernel, mm: Mm, start_vpn: int, end_vpn: int) -> list[Vma]:
    """Split at both ends and return the VMAs that make up [start_vpn, end_vpn), ascending; an
    empty range has no ends and splits nothing."""
    if start_vpn == end_vpn:
        return []
    for vpn in (start_vpn, end_vpn):
        vma = mm.find_vma(vpn)
        if vma is not None and vma.start_vpn < vpn:
            split_vma(kernel, vma, vpn)
    return mm.overlapping(start_vpn, end_vpn)


def can_merge(kernel: Kernel, lower: Vma, upper: Vma) -> bool:
    """Return whether two neighbours may become one VMA (can_vma_merge)."""
    alike = lower.prot == upper.prot and lower.goes_on_in(upper)
    return alike and kernel.design.can_merge(lower, upper)


def merge_around(kernel: Kernel, mm: Mm, start_vpn: int, end_vpn: int) -> None:
    """Merge what can be merged at and between the two ends of a range (vma_merge)."""
    around = mm.overlapping(max(start_vpn - 1, 0), end_vpn + 1)
    lower = around[0] if around else None
    for upper in around[1:]:
        assert lower is not None
        if can_merge(kernel, lower, upper):
            lower.end_vpn = upper.end_vpn
            lower.written |= upper.written
            mm.version += 1
            kernel.design.merge_vma(lower, upper)
            kernel.design.adjust_vma(lower)
            remove_vma(kernel, upper)
        else:
            lower = upper


# System calls


def unmapped_vpn(kernel: Kernel, process: Process, call: str, npages: int) -> int:
    """Return the lowest page from TASK_UNMAPPED_BASE, a third of user space, where `npages` fit,
    else from page 1 (arch_get_unmapped_area); ENOMEM if nowhere."""
    mm = mm_of(process, call)
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
    kernel: Kernel,
    process: Process,
    length: int,
    at: int | None,
    prot: str,
    shared: bool,
    file: File | None,
    offset: int,
    fixed: bool,
    growsdown: bool,
) -> int:
    """Map `length` bytes; return the address (do_mmap). No page table, no frame is touched."""
    mm = mm_of(process, "mmap")
    npages = npages_of(process, "mmap", length)
    bits = prot_of(prot)
    pgoff = aligned_vpn(process, "mmap", offset, "offset")
    if growsdown and (shared or file is not None):
        raise InvalidArgument(f"{process.name}: EINVAL: only private anonymous memory grows down")
    if file is not None and shared and "w" in prot and not file.writable:
        raise PermissionDenied(
            f"{process.name}: EACCES: {file.name} is read-only: a shared mapping of it cannot have "
            f"prot {prot!r}; 'r' or shared=False is right"
        )
    if at is None:
        start_vpn = unmapped_vpn(kernel, process, "mmap", npages)
    else:
        start_vpn = aligned_vpn(process, "mmap", at)
    end_vpn = start_vpn + npages
    inside(process, "mmap", kernel.geometry, start_vpn, end_vpn, OutOfMemory)
    occupied = mm.overlapping(start_vpn, end_vpn)
    if occupied and not fixed:
        raise AddressInUse(
            f"{process.name}: EEXIST: mmap of {npages} pages at {at:#x}: {occupied[0]!r} is there; "
            f"fixed=True would replace it"
        )
    clear(kernel, mm, start_vpn, end_vpn)
    if file is None and shared:
        file, pgoff = kernel.new_shmem(npages), 0
    elif file is None:
        pgoff = start_vpn
    insert_vma(
        Vma(mm, start_vpn, end_vpn, bits, shared, file, pgoff, locked=False, growsdown=growsdown)
    )
    merge_around(kernel, mm, start_vpn, end_vpn)
    kernel.step("mmap", process, range(start_vpn, end_vpn))
    return start_vpn << PAGE_SHIFT


def clear(kernel: Kernel, mm: Mm, start_vpn: int, end_vpn: int) -> int:
    """Unmap [start_vpn, end_vpn): split, zap, unlink; return how many pages were mapped
    (do_munmap). Never fails."""
    gone = 0
    for vma in cut(kernel, mm, start_vpn, end_vpn):
        gone += zap(kernel, vma, vma.start_vpn, vma.end_vpn)
        remove_vma(kernel, vma)
    return gone


def munmap(kernel: Kernel, process: Process, addr: int, length: int) -> None:
    """Unmap a range; holes in it are skipped (do_munmap)."""
    mm = mm_of(process, "munmap")
    start_vpn, end_vpn = range_of(process, "munmap", kernel.geometry, addr, length, InvalidArgument)
    pages = range(start_vpn, end_vpn)
    gone = clear(kernel, mm, start_vpn, end_vpn)
    if gone:
        kernel.step("munmap.zap", process, pages, n=gone)
    kernel.step("munmap", process, pages)


def mprotect(kernel: Kernel, process: Process, addr: int, length: int, prot: str) -> None:
    """Change what a range allows; ENOMEM if part of it is not mapped (mprotect_fixup)."""
    mm = mm_of(process, "mprotect")
    bits = prot_of(prot)
    start_vpn, end_vpn = range_of(process, "mprotect", kernel.geometry, addr, length, OutOfMemory)
    mapped(process, "mprotect", mm, start_vpn, end_vpn)
    for vma in mm.overlapping(start_vpn, end_vpn):
        if vma.shared and vma.file is not None and "w" in prot and not vma.file.writable:
            raise PermissionDenied(
                f"{process.name}: EACCES: {vma.file.name} is read-only: its shared mapping at "
                f"{mm.geometry.address(vma.start_vpn)} cannot become writable"
            )
    for vma in cut(kernel, mm, start_vpn, end_vpn):
        vma.prot = bits
        mm.version += 1
        account(vma)
        change_protection(kernel, vma)
    merge_around(kernel, mm, start_vpn, end_vpn)
    kernel.step("mprotect", process, range(start_vpn, end_vpn), what=prot_letters(bits))


def account(vma: Vma) -> None:
    """Count private memory that is writable, and no more what cannot be written and never was
    (mprotect_fixup; the latter since Linux 6.6)."""
    if not vma.shared and vma.writable:
        vma.accounted = True
    elif vma.file is None and not vma.written:
        vma.accounted = False


def change_protection(kernel: Kernel, vma: Vma) -> None:
    """Bring the present words of `vma` in line with its prot: write permission of private pages
    goes at once and comes back only with a write fault (change_protection)."""
    span = kernel.tables.populated(vma.mm.pgd, vma.start_vpn, vma.end_vpn)
    present = (span.words & PTE_PRESENT) != 0
    words = span.words[present] & ~PTE_USER
    if not vma.writable:
        words &= ~PTE_WRITE
    span.words[present] = words | vma.page_bits
    span.store()


def madvise(kernel: Kernel, process: Process, addr: int, length: int, advice: str) -> None:
    """Drop the pages of a range, the VMAs stay (madvise_dontneed); EINVAL for locked memory."""
    mm = mm_of(process, "madvise")
    if advice != "dontneed":
        raise ValueError(f"advice is 'dontneed'; {advice!r} is not part of this machine")
    start_vpn, end_vpn = range_of(process, "madvise", kernel.geometry, addr, length, OutOfMemory)
    mapped(process, "madvise", mm, start_vpn, end_vpn)
    vmas = mm.overlapping(start_vpn, end_vpn)
    locked = [vma for vma in vmas if vma.locked]
    if locked:
        raise InvalidArgument(
            f"{process.name}: EINVAL: madvise dontneed of {locked[0]!r}, which is locked; "
            f"munlock it first"
        )
    gone = sum(
        zap(kernel, vma, max(vma.start_vpn, start_vpn), min(vma.end_vpn, end_vpn)) for vma in vmas
    )
    kernel.step("madvise", process, range(start_vpn, end_vpn), n=gone)


def brk(kernel: Kernel, process: Process, addr: int) -> int:
    """Move the end of the heap; return where it is in bytes. 0 only asks (sys_brk).

    raises  OutOfMemory if other memory or the end of user space is in the way, InvalidArgument
            below the start of the heap
    """
    mm = mm_of(process, "brk")
    geometry = kernel.geometry
    if whole(addr, "brk address") == 0:
        kernel.step("brk", process, what=geometry.address(mm.brk))
        return mm.brk << PAGE_SHIFT
    new = addr + PAGE_MASK >> PAGE_SHIFT
    if new < mm.start_brk:
        raise InvalidArgument(
            f"{process.name}: EINVAL: brk to {addr:#x}, below the start of the heap "
            f"{geometry.address(mm.start_brk)}"
        )
    inside(process, "brk", geometry, mm.brk, new, OutOfMemory)
    blocking = mm.overlapping(mm.brk, new) if new > mm.brk else []
    if blocking:
        raise OutOfMemory(
            f"{process.name}: ENOMEM: brk to {addr:#x}: {blocking[0]!r} is in the way"
        )
    if new < mm.brk:
        clear(kernel, mm, new, mm.brk)
    elif new > mm.brk:
        insert_vma(Vma(mm, mm.brk, new, prot_of("rw"), pgoff=mm.brk))
        merge_around(kernel, mm, mm.brk, new)
    mm.brk = new
    kernel.step("brk", process, what=geometry.address(new))
    return new << PAGE_SHIFT


def mlock(kernel: Kernel, process: Process, addr: int, length: int) -> None:
    """Keep a range in memory: fault its pages in and never swap them out (do_mlock).

    The VMAs are split first and filled then: what was never touched around the range stays on its
    own, without an anon_vma.
    """
    mm = mm_of(process, "mlock")
    start_vpn, end_vpn = range_of(process, "mlock", kernel.geometry, addr, length, OutOfMemory)
    mapped(process, "mlock", mm, start_vpn, end_vpn)
    fault.reserve_populate(kernel, process, start_vpn, end_vpn)
    _set(kernel, mm, start_vpn, end_vpn, lambda vma: setattr(vma, "locked", True))
    fault.populate(kernel, process, start_vpn, end_vpn)
    kernel.step("mlock", process, range(start_vpn, end_vpn))


def munlock(kernel: Kernel, process: Process, addr: int, length: int) -> None:
    """Let a range be swapped out again (do_mlock)."""
    mm = mm_of(process, "munlock")
    start_vpn, end_vpn = range_of(process, "munlock", kernel.geometry, addr, length, OutOfMemory)
    mapped(process, "munlock", mm, start_vpn, end_vpn)
    _set(kernel, mm, start_vpn, end_vpn, lambda vma: setattr(vma, "locked", False))
    kernel.step("munlock", process, range(start_vpn, end_vpn))


def _set(
    kernel: Kernel, mm: Mm, start_vpn: int, end_vpn: int, change: Callable[[Vma], None]
) -> None:
    for vma in cut(kernel, mm, start_vpn, end_vpn):
        change(vma)
        mm.version += 1
    merge_around(kernel, mm, start_vpn, end_vpn)
