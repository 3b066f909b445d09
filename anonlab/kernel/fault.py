"""Page faults, over ranges: classify, reserve, act (handle_mm_fault).

`classify` says for each page of a range what it needs: a new page, the zero page, a page of the
file, a page from swap, a copy, or only the write bit. It changes nothing. Once frames and tables
are reserved for all of them nothing can fail any more, and `act` does it, in the order of the
story. One fault is a range of one page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from anonlab.errors import BusError, SegmentationFault
from anonlab.kernel.arguments import UserRange
from anonlab.kernel.page_cache import page_in
from anonlab.kernel.pages import anon_prepare, map_again, map_new, take_where, unmap
from anonlab.kernel.state import KernelState
from anonlab.kernel.swap.reclaim import reserve
from anonlab.kernel.swap.swap_in import SwapIn, classify_swapped, do_swap_page
from anonlab.machine.tables import Span
from anonlab.machine.words import (
    PG_ANON,
    PTE_ACCESSED,
    PTE_DIRTY,
    PTE_PRESENT,
    PTE_SHIFT,
    PTE_USER,
    PTE_WRITE,
    SHIFT,
    ZERO_PFN,
    Ints,
    is_swap,
)
from anonlab.mm import VM_ANY, VM_WRITE, File, Mm, Process, Vma

WRITTEN = np.array(PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY, dtype=np.int64)

Positions = Ints | slice
"""Positions in a span's words, ascending; ALL stands for every one of them."""
ALL = slice(None)


class Piece(NamedTuple):
    """Pages [start_vpn, end_vpn) of one VMA that are to be accessed."""

    vma: Vma
    start_vpn: int
    end_vpn: int
    write: bool


@dataclass(slots=True)
class Faults:
    """What the pages of one piece need, by their positions in `span`; None where no page does.

    absent   nothing was there yet: the zero page, a page of the file, or a new one
    swapped  their swap entries become pages
    reuse    write-protected, and nobody else has them: the write bit
    copy     write-protected, and others have them: a copy
    anon     pages of the VMA's own are made or come back
    frames   how many frames all of that takes
    """

    vma: Vma
    span: Span
    write: bool
    absent: Positions | None = None
    swapped: SwapIn | None = None
    reuse: Ints | None = None
    copy: Ints | None = None
    anon: bool = False
    frames: int = 0


# The ways in


def read_pages(kernel: KernelState, pages: UserRange) -> list[Span]:
    """Make `pages` readable; return their words, one span per VMA.

    raises  SegmentationFault, BusError for the first page that may not be accessed, OutOfMemory if
            frames or page tables do not suffice; nothing has changed then
    """
    pieces = pieces_of(kernel, pages, write=False)
    must_be_permitted(pieces, pages, "read of")
    return touch(kernel, pages.process, pieces)


def write_pages(kernel: KernelState, pages: UserRange) -> list[Span]:
    """Make `pages` writable; return and raise as `read_pages`."""
    pieces = pieces_of(kernel, pages, write=True)
    must_be_permitted(pieces, pages, "write to")
    return touch(kernel, pages.process, pieces)


def pin_pages(kernel: KernelState, pages: UserRange) -> list[Span]:
    """Make each of `pages` writable that may be written, the others readable: what a device wants
    (get_user_pages). Return and raise as `read_pages`."""
    pieces = pieces_of(kernel, pages, write=True)
    pieces = [piece._replace(write=piece.vma.writable) for piece in pieces]
    must_be_permitted(pieces, pages, "pin of")
    return touch(kernel, pages.process, pieces)


def populate(kernel: KernelState, pages: UserRange) -> None:
    """Fault in a mapped range, for writing where that is allowed (make_pages_present)."""
    touch(kernel, pages.process, pieces_to_populate(pages))


def reserve_populate(kernel: KernelState, pages: UserRange) -> None:
    """See to it that the next `populate` of this range cannot fail, or raise what it would."""
    faults = [classify(kernel, *piece) for piece in pieces_to_populate(pages)]
    reserve_for(kernel, pages.process, faults)


def touch(kernel: KernelState, process: Process, pieces: list[Piece]) -> list[Span]:
    """Classify all pieces, reserve for all, act; return the spans with their final words."""
    faults = [classify(kernel, *piece) for piece in pieces]
    reserve_for(kernel, process, faults)
    spans = []
    for each in faults:
        act(kernel, process, each)
        spans.append(each.span)
    return spans


# Which pages, and may it be?


def pieces_of(kernel: KernelState, pages: UserRange, write: bool) -> list[Piece]:
    """Cut a range into pieces, one for each VMA; a stack that grows for it comes first."""
    _, mm, start_vpn, end_vpn = pages
    pieces = []
    for vma in mm.overlapping(start_vpn, end_vpn):
        start, end = max(vma.start_vpn, start_vpn), min(vma.end_vpn, end_vpn)
        pieces.append(Piece(vma, start, end, write))
    if not pieces or pieces[0].start_vpn > start_vpn:
        stack = stack_to_grow(kernel, mm, start_vpn)
        if stack is not None:
            pieces.insert(0, Piece(stack, start_vpn, min(stack.start_vpn, end_vpn), write))
    return pieces


def stack_to_grow(kernel: KernelState, mm: Mm, vpn: int) -> Vma | None:
    """Return the stack VMA that may grow down to `vpn`, or None (expand_stack)."""
    above = mm.next_vma(vpn)
    if above is None or not above.growsdown or above.start_vpn <= vpn:
        return None
    # A stack that was moved up may keep a small pgoff, and pgoff cannot fall below 0.
    fits = above.end_vpn - vpn <= kernel.stack_npages and above.start_vpn - vpn <= above.pgoff
    near = mm.overlapping(max(0, vpn - kernel.guard_npages), vpn)
    guarded = near and near[-1].prot and not near[-1].growsdown  # stack_guard_gap
    return above if fits and not guarded else None


def pieces_to_populate(pages: UserRange) -> list[Piece]:
    """Return what of a mapped range may be touched at all: not beyond the end of a file."""
    pieces = []
    for vma in pages.mm.overlapping(pages.start_vpn, pages.end_vpn):
        start, end = max(vma.start_vpn, pages.start_vpn), min(vma.end_vpn, pages.end_vpn)
        end = end if vma.file is None else min(end, vma.start_vpn + vma.file.npages - vma.pgoff)
        if vma.prot and start < end:
            pieces.append(Piece(vma, start, end, vma.writable))
    return pieces


def must_be_permitted(pieces: list[Piece], pages: UserRange, access: str) -> None:
    """Raise SegmentationFault or BusError for the first page that may not be accessed."""
    vpn, why = pages.start_vpn, "no VMA there"
    for vma, start_vpn, end_vpn, write in pieces:
        if start_vpn > vpn:
            break
        if not vma.prot & (VM_WRITE if write else VM_ANY):
            why = f"{vma!r} does not allow it"
            break
        if vma.file is not None:
            must_be_inside_file(pages, vma, vma.file, start_vpn, end_vpn)
        vpn = end_vpn
    if vpn < pages.end_vpn:
        what = f"{access} {pages.mm.geometry.address(vpn)}: {why}"
        raise SegmentationFault(f"{pages.process.name}: SIGSEGV: {what}")


def must_be_inside_file(pages: UserRange, vma: Vma, file: File, vpn: int, end_vpn: int) -> None:
    """Raise BusError if pages [vpn, end_vpn) of `vma` lie beyond the end of its file."""
    file_end = vma.start_vpn + file.npages - vma.pgoff
    if end_vpn > file_end:
        raise BusError(
            f"{pages.process.name}: SIGBUS: {vma.mm.geometry.address(max(file_end, vpn))} is "
            f"beyond the end of {file.name}, which has {file.npages} pages"
        )


# Classify


def classify(kernel: KernelState, vma: Vma, start_vpn: int, end_vpn: int, write: bool) -> Faults:
    """Say what the pages of one piece need. Changes nothing."""
    span = kernel.tables.span(vma.mm.pgd, start_vpn, end_vpn)
    faults, words = Faults(vma, span, write), span.words
    nused = np.count_nonzero(words)
    if nused < words.size:
        faults.absent = (words == 0).nonzero()[0] if nused else ALL
        classify_absent(faults, faults.absent)
        if not nused:
            return faults
    wanted = PTE_PRESENT | PTE_WRITE if write else PTE_PRESENT
    state = words & wanted
    if np.count_nonzero(state == wanted) == words.size:
        return faults
    if kernel.swap.nused and (swapped := np.flatnonzero(is_swap(words))).size:
        faults.swapped = classify_swapped(kernel, vma, span, swapped, write)
        faults.frames += faults.swapped.frames
        faults.anon = True
    if write and (protected := (state == PTE_PRESENT).nonzero()[0]).size:
        classify_protected(kernel, faults, protected)
    return faults


def classify_absent(faults: Faults, at: Positions) -> None:
    """Count the frames of pages where nothing was yet, at the positions `at`."""
    vma, private_write = faults.vma, faults.write and not faults.vma.shared
    faults.anon = private_write
    if private_write:
        faults.frames += faults.span.words[at].size
    if vma.file is not None:
        pgoffs = vma.pgoffs(faults.span.vpns[at])
        faults.frames += int(np.count_nonzero(vma.file.cache[pgoffs] == 0))


def classify_protected(kernel: KernelState, faults: Faults, at: Ints) -> None:
    """Say which of the present, write-protected pages at the positions `at` are reused, which
    copied."""
    vma, words = faults.vma, faults.span.words
    assert not vma.shared, f"{vma!r} is shared: its pages are writable as soon as it is"
    pfns = words[at] >> SHIFT
    alone = kernel.cow.can_share(pfns)
    alone &= (kernel.mem_map.flags[pfns] & PG_ANON) != 0  # the zero page and a file's: never
    ncopies = pfns.size - int(np.count_nonzero(alone))
    if ncopies == 0:
        faults.reuse = at
        return
    faults.anon = True
    faults.frames += ncopies
    faults.reuse, faults.copy = (None, at) if ncopies == pfns.size else (at[alone], at[~alone])


# Reserve


def reserve_for(kernel: KernelState, process: Process, faults: list[Faults]) -> None:
    """See to it that frames and page tables for all `faults` are there."""
    frames = sum([each.frames for each in faults])
    if frames > kernel.mem_map.free.size or kernel.tables.max_rows is not None:
        reserve(
            kernel,
            f"{process.name}: ENOMEM: a page fault",
            frames=frames,
            tables=kernel.tables.missing_in([each.span for each in faults]),
            keep=[(each.vma, each.span) for each in faults],
        )


# Act


def act(kernel: KernelState, process: Process, faults: Faults) -> None:
    """Do what `faults` says; frames and tables are reserved, so that nothing can fail."""
    vma, span = faults.vma, faults.span
    if span.start_vpn < vma.start_vpn:
        grow_stack(kernel, process, vma, span)
    if faults.anon:
        anon_prepare(kernel, vma)
    if faults.absent is not None:
        span.ensure()
        do_no_page(kernel, process, faults, faults.absent)
        if faults.absent is ALL and faults.anon:
            return  # their words say so already
    if faults.swapped is not None:
        do_swap_page(kernel, process, faults.swapped)
    if faults.reuse is not None:
        wp_reuse(kernel, process, vma, span, faults.reuse)
    if faults.copy is not None:
        wp_copy(kernel, process, vma, span, faults.copy)
    accessed = PTE_ACCESSED | (PTE_DIRTY if faults.write else 0)
    if np.count_nonzero(span.words & accessed != accessed):
        span.words |= accessed
        span.store()


def grow_stack(kernel: KernelState, process: Process, vma: Vma, span: Span) -> None:
    """The stack reaches down to the first page of `span` from now on (expand_downwards)."""
    anon_prepare(kernel, vma)  # first: it does not reach yet what it may become a neighbour of
    vma.pgoff -= vma.start_vpn - span.start_vpn
    vma.start_vpn = vma.mm.starts[vma.mm.vmas.index(vma)] = span.start_vpn
    vma.mm.version += 1
    kernel.design.adjust_vma(vma)
    kernel.step("fault.stack", process, range(span.start_vpn, span.end_vpn))


def do_no_page(kernel: KernelState, process: Process, faults: Faults, at: Positions) -> None:
    """Pages where nothing was yet: of the file, the zero page, or new."""
    vma, span, write = faults.vma, faults.span, faults.write
    if vma.file is None and write:
        first_touch(kernel, process, vma, span, at)
    elif vma.file is None:
        map_zero(kernel, process, span, at)
    elif write and not vma.shared:
        copy_file_pages(kernel, process, vma, span, at)
    else:
        map_file_pages(kernel, process, vma, span, at)


def map_zero(kernel: KernelState, process: Process, span: Span, at: Positions) -> None:
    """Untouched private memory that is read shows the zero page (do_anonymous_page)."""
    span.words[at] = ZERO_PFN << PTE_SHIFT | PTE_PRESENT | PTE_USER | PTE_ACCESSED
    span.store()
    kernel.step("fault.zero", process, span.vpns[at])


def first_touch(kernel: KernelState, process: Process, vma: Vma, span: Span, at: Positions) -> None:
    """New zero-filled pages (do_anonymous_page)."""
    vpns = span.vpns[at]
    pfns = kernel.mem_map.alloc(vpns.size)
    span.words[at] = pfns << SHIFT | WRITTEN
    span.store()
    map_new(kernel, vma, vpns, pfns)
    kernel.step("fault.anon", process, vpns)


def map_file_pages(
    kernel: KernelState, process: Process, vma: Vma, span: Span, at: Positions
) -> None:
    """Map pages of the file itself (do_no_page): read, or written through a shared mapping."""
    pfns = page_in(kernel, vma.file, vma.pgoffs(span.vpns[at]))
    span.words[at] = pfns << PTE_SHIFT | vma.page_bits | PTE_ACCESSED
    span.store()
    map_again(kernel, vma, pfns)
    kernel.step("fault.file", process, span.vpns[at])


def copy_file_pages(
    kernel: KernelState, process: Process, vma: Vma, span: Span, at: Positions
) -> None:
    """First touch of a private file mapping by a write: straight to a private copy (do_no_page)."""
    mem, vpns = kernel.mem_map, span.vpns[at]
    source = page_in(kernel, vma.file, vma.pgoffs(span.vpns[at]))
    new = mem.alloc(vpns.size)
    mem.data[new] = mem.data[source]
    span.words[at] = new << SHIFT | WRITTEN
    span.store()
    map_new(kernel, vma, vpns, new)
    kernel.design.cost.copies_cow += vpns.size
    kernel.step("fault.file_copy", process, vpns)


def wp_reuse(kernel: KernelState, process: Process, vma: Vma, span: Span, at: Ints) -> None:
    """Nobody else uses the pages: only the word changes (do_wp_page, reuse)."""
    vpns = span.vpns[at]
    span.words[at] |= PTE_WRITE | PTE_ACCESSED | PTE_DIRTY
    span.store()
    pfns = span.words[at] >> PTE_SHIFT
    moving = kernel.cow.reuse(pfns)
    if kernel.design.rehome_on_reuse and moving.any():
        kernel.design.reused(take_where(pfns, moving), vma, take_where(vpns, moving))
    kernel.step("fault.wp_reuse", process, vpns)


def wp_copy(kernel: KernelState, process: Process, vma: Vma, span: Span, at: Ints) -> None:
    """The writer gets a copy; the others keep the page (do_wp_page, break_cow)."""
    mem = kernel.mem_map
    old, vpns = span.words[at] >> PTE_SHIFT, span.vpns[at]
    new = mem.alloc(vpns.size)
    mem.data[new] = mem.data[old]
    span.words[at] = new << SHIFT | WRITTEN
    span.store()
    npages = np.count_nonzero(old)
    if npages == old.size:
        unmap(kernel, vma, vpns, old)
    elif npages:  # the zero page is not counted, and may stand here more than once
        unmap(kernel, vma, vpns[old != ZERO_PFN], old[old != ZERO_PFN])
    map_new(kernel, vma, vpns, new)
    kernel.design.cost.copies_cow += vpns.size
    kernel.step("fault.wp_copy", process, vpns)
