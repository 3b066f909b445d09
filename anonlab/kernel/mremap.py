"""mremap: shrink, grow, move. The one hard case of the anon memory group."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anonlab.errors import BadAddress, InvalidArgument, SimulatedError
from anonlab.kernel import fault
from anonlab.kernel.arguments import aligned_vpn, inside, mm_of, npages_of, whole
from anonlab.kernel.mapping import (
    clear,
    copy_vma,
    cut,
    merge_around,
    remove_vma,
    unmapped_vpn,
)
from anonlab.kernel.pages import anonymous, chosen, map_anon, mapped_pages, unmap
from anonlab.machine import Span
from anonlab.machine.words import PAGE_SHIFT, PTE_SHIFT, Ints, Vpns
from anonlab.mm import Mm, Process, Vma

if TYPE_CHECKING:
    from anonlab.kernel.kernel import Kernel


@dataclass(frozen=True)
class Move:
    """A move of [start_vpn, end_vpn) of `vma` to new_vpn, where it has new_npages pages."""

    vma: Vma
    start_vpn: int
    end_vpn: int
    new_vpn: int
    new_npages: int
    dontunmap: bool


def mremap(
    kernel: Kernel,
    process: Process,
    addr: int,
    length: int,
    new_length: int | None,
    new: int | None,
    dontunmap: bool,
) -> int:
    """Resize or move a mapping; return its address (do_mremap, with MREMAP_MAYMOVE).

    raises  InvalidArgument, BadAddress, OutOfMemory; nothing has changed then
    """
    mm = mm_of(process, "mremap")
    start_vpn = aligned_vpn(process, "mremap", addr)
    old_npages = npages_of(process, "mremap", length) if whole(length, "mremap length") else 0
    npages = old_npages if new_length is None else npages_of(process, "mremap", new_length)
    if npages == 0:
        raise InvalidArgument(f"{process.name}: EINVAL: mremap to length 0; munmap does that")
    vma = source(process, mm, start_vpn, min(old_npages, npages))  # the rest is just unmapped
    if dontunmap and (npages != old_npages or vma.file is not None):
        raise InvalidArgument(
            f"{process.name}: EINVAL: mremap dontunmap keeps the length and takes private "
            f"anonymous memory only, got {old_npages} -> {npages} pages of {vma!r}"
        )
    end_vpn = start_vpn + old_npages
    if new is not None:
        new_vpn = destination(kernel, process, new, npages, start_vpn, end_vpn)
    elif npages <= old_npages and not dontunmap:
        clear(kernel, mm, start_vpn + npages, end_vpn)
        return done(kernel, process, start_vpn, npages)
    elif (
        not dontunmap and old_npages and grow_in_place(kernel, mm, vma, end_vpn, start_vpn + npages)
    ):
        fill_locked(kernel, process, mm, start_vpn + old_npages, start_vpn + npages)
        return done(kernel, process, start_vpn, npages)
    else:
        new_vpn = unmapped_vpn(kernel, process, "mremap", npages)
    kept = min(end_vpn, start_vpn + npages)
    move_vma(kernel, process, Move(vma, start_vpn, kept, new_vpn, npages, dontunmap))
    if kept < end_vpn:
        clear(kernel, mm, kept, end_vpn)
    fill_locked(kernel, process, mm, new_vpn + old_npages, new_vpn + npages)
    return done(kernel, process, new_vpn, npages)


def fill_locked(kernel: Kernel, process: Process, mm: Mm, start_vpn: int, end_vpn: int) -> None:
    """Fault in the pages that a locked mapping has gained (make_pages_present, mm_populate). The
    mapping has grown by now, and stays so if there is no memory for them."""
    vma = mm.find_vma(start_vpn) if start_vpn < end_vpn else None
    if vma is not None and vma.locked:
        with suppress(SimulatedError):
            fault.populate(kernel, process, start_vpn, end_vpn)


def done(kernel: Kernel, process: Process, vpn: int, npages: int) -> int:
    """Tell the recorder; return the address in bytes."""
    kernel.step("mremap", process, range(vpn, vpn + npages))
    return vpn << PAGE_SHIFT


def source(process: Process, mm: Mm, start_vpn: int, npages: int) -> Vma:
    """Return the one VMA that holds the source range; EFAULT if there is none."""
    vma = mm.find_vma(start_vpn)
    where = f"{mm.geometry.address(start_vpn)}, {npages} pages"
    if vma is None:
        raise BadAddress(f"{process.name}: EFAULT: mremap of {where}: no VMA there")
    if start_vpn + npages > vma.end_vpn:
        raise BadAddress(
            f"{process.name}: EFAULT: mremap of {where}: {vma!r} ends before that; "
            f"a range inside one VMA is right"
        )
    return vma


def destination(
    kernel: Kernel, process: Process, new: int, npages: int, start_vpn: int, end_vpn: int
) -> int:
    """Return the page number of a fixed destination; EINVAL if it is unfit."""
    new_vpn = aligned_vpn(process, "mremap", new, "new address")
    inside(process, "mremap", kernel.geometry, new_vpn, new_vpn + npages, InvalidArgument)
    # Of an empty source the page it starts at counts: its VMA must outlive the destination's.
    if new_vpn < max(end_vpn, start_vpn + 1) and start_vpn < new_vpn + npages:
        raise InvalidArgument(
            f"{process.name}: EINVAL: mremap from {kernel.geometry.address(start_vpn)} to "
            f"{new:#x}: source and destination overlap"
        )
    return new_vpn


def grow_in_place(kernel: Kernel, mm: Mm, vma: Vma, end_vpn: int, new_end_vpn: int) -> bool:
    """Extend `vma` if the range is its tail and there is room; return whether it was done."""
    if vma.end_vpn != end_vpn or new_end_vpn > kernel.geometry.task_npages:
        return False
    if mm.overlapping(end_vpn, new_end_vpn):
        return False
    vma.end_vpn = new_end_vpn
    mm.version += 1
    kernel.design.adjust_vma(vma)
    merge_around(kernel, mm, vma.start_vpn, vma.end_vpn)
    return True


def move_vma(kernel: Kernel, process: Process, move: Move) -> None:
    """Move VMA and pages to the destination, whatever is there now (mremap_to, move_vma)."""
    mm, new_end = move.vma.mm, move.new_vpn + move.new_npages
    span = kernel.tables.populated(mm.pgd, move.start_vpn, move.end_vpn)
    vpns, shift = span.vpns, move.new_vpn - move.start_vpn
    copied = shared_pages(kernel, move.vma, span, vpns)
    targets = target_tables(span, shift)
    kernel.reserve(
        f"{process.name}: ENOMEM: mremap",
        frames=copied.size,
        tables=lambda: kernel.tables.missing(mm.pgd, targets),
        keep=[(move.vma, span)],
    )
    if clear(kernel, mm, move.new_vpn, new_end):
        kernel.step("mremap.unmap", process, range(move.new_vpn, new_end))

    nvmas = mm.nvmas
    old = cut(kernel, mm, move.start_vpn, move.end_vpn)
    whole_vma = mm.nvmas == nvmas
    vma = mm.find_vma(move.start_vpn)  # move.vma, or what clear and cut have left of it here
    assert vma is not None, f"{process.name}: mremap has unmapped its own source"
    new = moved_vma(kernel, vma, move)
    rows = kernel.tables.ensure(mm.pgd, targets)
    target = Span(kernel.tables, mm.pgd, move.new_vpn, move.end_vpn + shift, targets, rows)
    copy_shared(kernel, process, vma, span, copied)
    move_page_tables(kernel, process, vma, new, span, target, vpns + shift)
    if old and not move.dontunmap:
        remove_vma(kernel, vma)
    elif old:
        vma.locked = False
        mm.version += 1
        if whole_vma:  # nothing is left in it; a part becomes one with the rest again
            vma.written = False
            kernel.design.unlink_vma(vma)
    merge_around(kernel, mm, move.new_vpn, new_end)
    merge_around(kernel, mm, move.start_vpn, move.end_vpn)


def moved_vma(kernel: Kernel, vma: Vma, move: Move) -> Vma:
    """Return the new VMA at the destination (copy_vma)."""
    mm, end_vpn = vma.mm, move.new_vpn + move.new_npages
    skipped = move.start_vpn - vma.start_vpn  # 0, but for an empty source inside its VMA
    pgoff = vma.pgoff
    if vma.file is None:
        pgoff = kernel.design.moved_pgoff(vma, move.new_vpn - skipped)
    new = copy_vma(kernel, vma, mm, move.new_vpn, end_vpn, pgoff + skipped)
    kernel.design.copy_vma(new, vma)
    return new


def target_tables(span: Span, shift: int) -> Vpns:
    """Return the first vpns of the leaf tables that take the words of `span` after a move by
    `shift` pages, ascending: at most two for each source table (alloc_new_pmd)."""
    tables = span.tables
    first = np.maximum(span.bases, span.start_vpn) + shift
    last = np.minimum(span.bases + tables.geometry.slots, span.end_vpn) - 1 + shift
    return tables.bases(np.column_stack([first, last]).reshape(-1))


def shared_pages(kernel: Kernel, vma: Vma, span: Span, vpns: Vpns) -> Ints:
    """Return the positions in `span`, whose page numbers are `vpns`, of the pages that cannot move
    but must be copied, int64[n]."""
    where, pfns = mapped_pages(span.words)
    anon = anonymous(kernel, vma, pfns)
    copy = kernel.design.move(chosen(pfns, anon), vma, chosen(chosen(vpns, where), anon))
    return np.flatnonzero(where)[anon][copy] if copy.any() else np.zeros(0, dtype=np.int64)


def copy_shared(kernel: Kernel, process: Process, vma: Vma, span: Span, at: Ints) -> None:
    """Copy the pages at positions `at`; the copies stand in the span, to be moved with the rest.

    mail: "newpage = alloc_page(); copy_page(page, newpage)". The word keeps its protection.
    """
    if not at.size:
        return
    mem = kernel.mem_map
    pfns = span.words[at] >> PTE_SHIFT
    copies = mem.alloc(at.size)
    mem.data[copies] = mem.data[pfns]
    bits = span.words[at] & (1 << PTE_SHIFT) - 1
    span.words[at] = copies << PTE_SHIFT | bits
    span.store()
    unmap(kernel, vma, span.vpns[at], pfns)
    map_anon(kernel, vma, span.vpns[at], copies)
    kernel.design.cost.copies_mremap += at.size
    kernel.step("mremap.copy", process, span.vpns[at])


def move_page_tables(
    kernel: Kernel, process: Process, old: Vma, new: Vma, span: Span, target: Span, targets: Vpns
) -> None:
    """Move the words of `span` into the empty `target`, to the page numbers `targets`, int64[n],
    swap entries and zero page included, and tell the design (move_page_tables, move_one_page)."""
    used = span.words != 0
    if not used.any():
        return
    vpns, words = chosen(targets, used), chosen(span.words, used).copy()
    shift = target.start_vpn - span.start_vpn
    span.words[:] = 0
    span.store()
    target.put(vpns, words)
    target.store()
    where, pfns = mapped_pages(words)
    anon = anonymous(kernel, new, pfns)
    moved = chosen(chosen(vpns, where), anon)
    kernel.design.moved(chosen(pfns, anon), old, moved - shift, new, moved)
    kernel.step("mremap.move", process, vpns)
