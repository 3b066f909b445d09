"""mremap: shrink, grow, move. The one hard case of the anon memory group."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from anonlab.errors import BadAddress, InvalidArgument, SimulatedError
from anonlab.kernel.arguments import UserRange, must_be_inside
from anonlab.kernel.fault import populate
from anonlab.kernel.mapping import (
    clear,
    copy_vma,
    cut,
    grow_vma,
    merge_around,
    remove_vma,
    unmapped_vpn,
)
from anonlab.kernel.pages import anon_pages, map_new, unmap
from anonlab.kernel.state import KernelState
from anonlab.kernel.swap.reclaim import reserve
from anonlab.machine.tables import NONE, Span
from anonlab.machine.words import PAGE_SHIFT, PTE_SHIFT, Ints, Vpns
from anonlab.mm import Mm, Process, Vma


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
    kernel: KernelState,
    process: Process,
    mm: Mm,
    start_vpn: int,
    old_npages: int,
    npages: int,
    new_vpn: int | None,
    dontunmap: bool,
) -> int:
    """Resize or move a mapping; return its first page (do_mremap, with MREMAP_MAYMOVE).

    old_npages  0 maps the same pages of a shared mapping once more
    raises      InvalidArgument, BadAddress, OutOfMemory; nothing has changed then
    """
    if dontunmap and npages != old_npages:
        raise InvalidArgument(
            f"{process.name}: EINVAL: mremap dontunmap keeps the length, "
            f"got {old_npages} -> {npages} pages"
        )
    end_vpn, at_vpn = start_vpn + old_npages, start_vpn
    if new_vpn is not None:
        must_not_overlap(kernel, process, new_vpn, npages, start_vpn, end_vpn)
    in_place = new_vpn is None and not dontunmap
    shrinks = in_place and npages <= old_npages  # what follows is unmapped, what stays as it is
    vma = source(process, mm, start_vpn, 1 if shrinks else min(old_npages, npages))
    if shrinks:
        clear(kernel, mm, start_vpn + npages, end_vpn)
    elif in_place and old_npages and grow_in_place(kernel, mm, vma, end_vpn, start_vpn + npages):
        fill_locked(kernel, process, mm, end_vpn, start_vpn + npages)
    else:
        if new_vpn is None:
            new_vpn = unmapped_vpn(kernel, process, mm, "mremap", npages)
        at_vpn, kept = new_vpn, min(end_vpn, start_vpn + npages)
        move_vma(kernel, process, Move(vma, start_vpn, kept, new_vpn, npages, dontunmap))
        clear(kernel, mm, kept, end_vpn)
        fill_locked(kernel, process, mm, new_vpn + old_npages, new_vpn + npages)
    kernel.step("mremap", process, range(at_vpn, at_vpn + npages))
    return at_vpn


def fill_locked(
    kernel: KernelState, process: Process, mm: Mm, start_vpn: int, end_vpn: int
) -> None:
    """Fault in the pages that a locked mapping has gained (make_pages_present, mm_populate). The
    mapping has grown by now, and stays so if there is no memory for them."""
    vma = mm.find_vma(start_vpn) if start_vpn < end_vpn else None
    if vma is not None and vma.locked:
        with suppress(SimulatedError):
            populate(kernel, UserRange(process, mm, start_vpn, end_vpn))


def source(process: Process, mm: Mm, start_vpn: int, npages: int) -> Vma:
    """Return the VMA that holds the source; EFAULT if none does, EINVAL for 0 private pages."""
    vma = mm.find_vma(start_vpn)
    where = f"{mm.geometry.address(start_vpn)}, {npages} pages"
    if vma is None:
        raise BadAddress(f"{process.name}: EFAULT: mremap of {where}: no VMA there")
    if start_vpn + npages > vma.end_vpn:
        raise BadAddress(
            f"{process.name}: EFAULT: mremap of {where}: {vma!r} ends before that; "
            f"a range inside one VMA is right"
        )
    if npages == 0 and not vma.shared:
        raise InvalidArgument(f"{process.name}: EINVAL: mremap of {where}: {vma!r} is private")
    return vma


def must_not_overlap(
    kernel: KernelState, process: Process, new_vpn: int, npages: int, start_vpn: int, end_vpn: int
) -> None:
    """Raise InvalidArgument for a fixed destination that is unfit."""
    geometry = kernel.geometry
    must_be_inside(process, "mremap", geometry, new_vpn, new_vpn + npages, InvalidArgument)
    # Of an empty source the page it starts at counts: its VMA must outlive the destination's.
    if new_vpn < max(end_vpn, start_vpn + 1) and start_vpn < new_vpn + npages:
        raise InvalidArgument(
            f"{process.name}: EINVAL: mremap from {geometry.address(start_vpn)} to "
            f"{new_vpn << PAGE_SHIFT:#x}: source and destination overlap"
        )


def grow_in_place(kernel: KernelState, mm: Mm, vma: Vma, end_vpn: int, new_end_vpn: int) -> bool:
    """Extend `vma` if the range is its tail and there is room; return whether it was done."""
    if vma.end_vpn != end_vpn or new_end_vpn > kernel.geometry.task_npages:
        return False
    if mm.overlapping(end_vpn, new_end_vpn):
        return False
    grow_vma(kernel, vma, new_end_vpn)
    return True


def move_vma(kernel: KernelState, process: Process, move: Move) -> None:
    """Move VMA and pages to the destination, whatever is there now (mremap_to, move_vma)."""
    mm, new_end = move.vma.mm, move.new_vpn + move.new_npages
    span = kernel.tables.populated(mm.pgd, move.start_vpn, move.end_vpn)
    vpns, shift = span.vpns, move.new_vpn - move.start_vpn
    copied = pages_to_copy(kernel, move.vma, span, vpns)
    targets = target_tables(span, shift)
    limited = kernel.tables.max_rows is not None
    reserve(
        kernel,
        f"{process.name}: ENOMEM: mremap",
        frames=copied.size,
        tables=kernel.tables.missing(mm.pgd, targets) if limited else 0,
        keep=[(move.vma, span)],
    )
    if clear(kernel, mm, move.new_vpn, new_end):
        kernel.step("mremap.unmap", process, range(move.new_vpn, new_end))

    if not move.dontunmap:
        cut(kernel, mm, move.start_vpn, move.end_vpn)
    vma = mm.find_vma(move.start_vpn)  # move.vma, or what clear and cut have left of it here
    assert vma is not None, f"{process.name}: mremap has unmapped its own source"
    new = moved_vma(kernel, vma, move)
    rows = kernel.tables.ensure(mm.pgd, targets)
    target = Span(kernel.tables, mm.pgd, move.new_vpn, move.end_vpn + shift, targets, rows)
    copy_shared(kernel, process, vma, span, copied)
    move_page_tables(kernel, process, vma, new, span, target, vpns + shift)
    if move.dontunmap:
        unlock_source(kernel, vma, move)
    elif move.end_vpn > move.start_vpn:
        remove_vma(kernel, vma)
    merge_around(kernel, mm, move.new_vpn, new_end)


def unlock_source(kernel: KernelState, vma: Vma, move: Move) -> None:
    """The source stays, empty and unlocked: the whole VMA, whatever was moved (dontunmap_complete).
    One that was never written may have become one with its copy by now (vma_merge in copy_vma)."""
    mm = vma.mm
    if not vma.written:
        merge_around(kernel, mm, move.new_vpn, move.new_vpn + move.new_npages)
        vma = mm.find_vma(move.start_vpn) or vma
    vma.locked = False
    mm.version += 1
    if (vma.start_vpn, vma.end_vpn) == (move.start_vpn, move.end_vpn):  # nothing is left in it
        vma.written = False
        kernel.design.unlink_vma(vma)


def moved_vma(kernel: KernelState, vma: Vma, move: Move) -> Vma:
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
    slots = span.tables.slots
    if isinstance(span.bases, int):
        first, last = span.start_vpn + shift, span.end_vpn - 1 + shift
        return np.arange(first // slots, last // slots + 1) * slots
    firsts = np.maximum(span.bases, span.start_vpn) + shift
    lasts = np.minimum(span.bases + slots, span.end_vpn) - 1 + shift
    return span.tables.bases(np.column_stack([firsts, lasts]).reshape(-1))


def pages_to_copy(kernel: KernelState, vma: Vma, span: Span, vpns: Vpns) -> Ints:
    """Return the positions in `span`, whose page numbers are `vpns`, of the pages that cannot move
    but must be copied, int64[n]."""
    where, pfns = anon_pages(kernel, vma, vpns, span.words)
    copy = kernel.design.move(pfns, vma, where)
    return np.searchsorted(vpns, where[copy]) if np.count_nonzero(copy) else NONE


def copy_shared(kernel: KernelState, process: Process, vma: Vma, span: Span, at: Ints) -> None:
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
    map_new(kernel, vma, span.vpns[at], copies)
    kernel.design.cost.copies_mremap += at.size
    kernel.step("mremap.copy", process, span.vpns[at])


def move_page_tables(
    kernel: KernelState,
    process: Process,
    old: Vma,
    new: Vma,
    span: Span,
    target: Span,
    targets: Vpns,
) -> None:
    """Move the words of `span` into the empty `target`, to the page numbers `targets`, int64[n],
    swap entries and zero page included, and tell the design (move_page_tables, move_one_page)."""
    words = span.words.copy()
    nused = np.count_nonzero(words)
    if not nused:
        return
    if nused < words.size:
        targets, words = targets[words != 0], words[words != 0]
    shift = target.start_vpn - span.start_vpn
    span.words[:] = 0
    span.store()
    target.put(targets, words)
    target.store()
    vpns, pfns = anon_pages(kernel, new, targets, words)
    kernel.design.moved(pfns, old, vpns - shift, new, vpns)
    kernel.step("mremap.move", process, targets)
