"""Page faults, over ranges: plan, reserve, act (handle_mm_fault).

A plan says for each page of a range what it needs: a new page, the zero page, a page of the file,
a page from swap, a copy, or only the write bit. It changes nothing. Once the frames and tables of
all plans are reserved nothing can fail any more, and the plans are carried out. One fault is a
range of one page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anonlab.errors import BusError, SegmentationFault
from anonlab.kernel import cow, swapin
from anonlab.kernel.arguments import mm_of
from anonlab.kernel.page_cache import page_in
from anonlab.kernel.pages import anon_prepare, chosen, map_anon, map_file, unmap
from anonlab.machine import Span
from anonlab.machine.words import (
    PTE_ACCESSED,
    PTE_DIRTY,
    PTE_PRESENT,
    PTE_SHIFT,
    PTE_USER,
    PTE_WRITE,
    ZERO_PFN,
    Ints,
    Pfns,
    Vpns,
    is_swap,
)
from anonlab.mm import Mm, Process, Vma

if TYPE_CHECKING:
    from anonlab.kernel.kernel import Kernel

WRITTEN = PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY


@dataclass
class Plan:
    """What a range inside one VMA needs: frames, and actions to run once they are reserved."""

    vma: Vma
    span: Span
    write: bool
    frames: int = 0
    anon: bool = False
    actions: list[Callable[[], None]] = field(default_factory=list)


class Piece(NamedTuple):
    """Pages [start_vpn, end_vpn) of one VMA that are to be accessed."""

    vma: Vma
    start_vpn: int
    end_vpn: int
    write: bool


def access(
    kernel: Kernel, process: Process, start_vpn: int, end_vpn: int, write: bool | None
) -> list[Span]:
    """Make [start_vpn, end_vpn) readable or writable; return its words, one span per VMA.

    write   None makes each page writable that may be written, the others readable: what a device
            wants (get_user_pages)
    raises  SegmentationFault, BusError for the first page that may not be accessed, OutOfMemory if
            frames or page tables do not suffice; nothing has changed then
    """
    mm = mm_of(process, "write" if write else "read")
    grown = stack_to_grow(kernel, mm, start_vpn)
    ranges = [
        (vma, max(vma.start_vpn, start_vpn), min(vma.end_vpn, end_vpn))
        for vma in mm.overlapping(start_vpn, end_vpn)
    ]
    if grown is not None:
        ranges.insert(0, (grown, start_vpn, min(grown.start_vpn, end_vpn)))
    pieces = [Piece(*where, where[0].writable if write is None else write) for where in ranges]
    permitted(kernel, process, pieces, start_vpn, end_vpn, write)
    return touch(kernel, process, pieces)


def populate(kernel: Kernel, process: Process, start_vpn: int, end_vpn: int) -> list[Span]:
    """Fault in a mapped range, for writing where that is allowed (make_pages_present)."""
    return touch(kernel, process, _populated(kernel, process, start_vpn, end_vpn))


def reserve_populate(kernel: Kernel, process: Process, start_vpn: int, end_vpn: int) -> None:
    """See to it that the next `populate` of this range cannot fail, or raise what it would."""
    reserve(kernel, process, _populated(kernel, process, start_vpn, end_vpn))


def _populated(kernel: Kernel, process: Process, start_vpn: int, end_vpn: int) -> list[Piece]:
    pieces = [
        Piece(vma, max(vma.start_vpn, start_vpn), min(vma.end_vpn, end_vpn), vma.writable)
        for vma in mm_of(process, "mlock").overlapping(start_vpn, end_vpn)
        if vma.prot
    ]
    for piece in pieces:
        inside_file(kernel, process, piece)
    return pieces


def stack_to_grow(kernel: Kernel, mm: Mm, vpn: int) -> Vma | None:
    """Return the stack VMA that may grow down to `vpn`, or None (expand_stack)."""
    above = mm.next_vma(vpn)
    if above is None or not above.growsdown or above.start_vpn <= vpn:
        return None
    # A stack that was moved up may keep a small pgoff, and pgoff cannot fall below 0.
    fits = above.end_vpn - vpn <= kernel.stack_npages and above.start_vpn - vpn <= above.pgoff
    return above if fits else None


def permitted(
    kernel: Kernel,
    process: Process,
    pieces: list[Piece],
    start_vpn: int,
    end_vpn: int,
    write: bool | None,
) -> None:
    """Raise SegmentationFault or BusError for the first page that may not be accessed."""
    verb = "pin of" if write is None else "write to" if write else "read of"
    call = f"{process.name}: SIGSEGV: {verb}"
    vpn = start_vpn
    for piece in pieces:
        if piece.start_vpn > vpn:
            break
        vma = piece.vma
        if not (vma.writable if piece.write else vma.prot):
            raise SegmentationFault(
                f"{call} {kernel.geometry.address(vpn)}: {vma!r} does not allow it"
            )
        inside_file(kernel, process, piece)
        vpn = piece.end_vpn
    if vpn < end_vpn:
        raise SegmentationFault(f"{call} {kernel.geometry.address(vpn)}: no VMA there")


def inside_file(kernel: Kernel, process: Process, piece: Piece) -> None:
    """Raise BusError if the piece reaches beyond the end of its file."""
    vma, file = piece.vma, piece.vma.file
    if file is None:
        return
    end_vpn = vma.start_vpn + file.npages - vma.pgoff
    if piece.end_vpn > end_vpn:
        raise BusError(
            f"{process.name}: SIGBUS: {kernel.geometry.address(max(end_vpn, piece.start_vpn))} is "
            f"beyond the end of {file.name}, which has {file.npages} pages"
        )


def touch(kernel: Kernel, process: Process, pieces: list[Piece]) -> list[Span]:
    """Plan all pieces, reserve for all, act; return the spans with their final words."""
    plans = reserve(kernel, process, pieces)
    for plan in plans:
        carry_out(kernel, process, plan)
    return [plan.span for plan in plans]


def reserve(kernel: Kernel, process: Process, pieces: list[Piece]) -> list[Plan]:
    """Plan all pieces, and reserve for all; return the plans."""
    plans = [plan_piece(kernel, process, piece) for piece in pieces]
    spans = [plan.span for plan in plans]
    kernel.reserve(
        f"{process.name}: ENOMEM: a page fault",
        frames=sum(plan.frames for plan in plans),
        tables=lambda: missing_tables(kernel, spans),
        keep=[(plan.vma, plan.span) for plan in plans],
    )
    return plans


def missing_tables(kernel: Kernel, spans: list[Span]) -> int:
    """Return how many page tables the spans, all of one mm, lack together."""
    incomplete = [span for span in spans if not span.rows.all()]
    if not incomplete:
        return 0
    bases = np.unique(np.concatenate([span.bases[span.rows == 0] for span in incomplete]))
    return kernel.tables.missing(incomplete[0].pgd, bases)


def carry_out(kernel: Kernel, process: Process, plan: Plan) -> None:
    """Run the actions of a plan whose frames and tables are reserved."""
    vma, span = plan.vma, plan.span
    if span.start_vpn < vma.start_vpn:
        vma.pgoff -= vma.start_vpn - span.start_vpn
        vma.start_vpn = span.start_vpn
        vma.mm.version += 1
        kernel.design.adjust_vma(vma)
        kernel.step("fault.stack", process, range(span.start_vpn, span.end_vpn))
    span.ensure()
    if plan.anon:
        anon_prepare(kernel, vma)
    for action in plan.actions:
        action()
    accessed = PTE_ACCESSED | (PTE_DIRTY if plan.write else 0)
    if np.count_nonzero(span.words & accessed != accessed):
        span.words |= accessed
        span.store()


def plan_piece(kernel: Kernel, process: Process, piece: Piece) -> Plan:
    """Return what the pages of one piece need. Changes nothing."""
    vma = piece.vma
    span = kernel.tables.span(vma.mm.pgd, piece.start_vpn, piece.end_vpn)
    plan = Plan(vma, span, piece.write)
    words = span.words
    wanted = PTE_PRESENT | PTE_WRITE if piece.write else PTE_PRESENT
    if not np.count_nonzero(words & wanted != wanted):
        return plan
    nabsent = words.size - np.count_nonzero(words)
    if nabsent:
        plan_absent(kernel, process, plan, np.flatnonzero(words == 0))
    if nabsent == words.size:
        return plan
    swapped = np.flatnonzero(is_swap(words)) if kernel.swap.nused else words[:0]
    if swapped.size:
        plan.anon = True
        plan.frames += swapin.plan(kernel, process, vma, span, swapped, piece.write, plan.actions)
    if piece.write:
        blocked = np.flatnonzero(words & (PTE_PRESENT | PTE_WRITE) == PTE_PRESENT)
        if blocked.size:
            plan_write_protected(kernel, process, plan, blocked)
    return plan


def plan_absent(kernel: Kernel, process: Process, plan: Plan, at: Ints) -> None:
    """Pages where nothing was yet (do_no_page): `at` are positions in the span's words."""
    vma, span = plan.vma, plan.span
    if vma.file is None and not plan.write:
        plan.actions.append(lambda: map_zero(kernel, process, span, at))
    elif vma.file is None:
        plan.frames += at.size
        plan.anon = True
        plan.actions.append(lambda: first_touch(kernel, process, vma, span, at))
    else:
        pgoffs = span.vpns[at] - vma.start_vpn + vma.pgoff
        plan.frames += int(np.count_nonzero(vma.file.cache[pgoffs] == 0))
        if plan.write and not vma.shared:
            plan.frames += at.size
            plan.anon = True
            plan.actions.append(lambda: copy_file_pages(kernel, process, vma, span, at, pgoffs))
        else:
            plan.actions.append(lambda: map_file_pages(kernel, process, plan, at, pgoffs))


def plan_write_protected(kernel: Kernel, process: Process, plan: Plan, at: Ints) -> None:
    """Present pages that are write-protected (do_wp_page): reuse or copy."""
    vma, span = plan.vma, plan.span
    assert not vma.shared, f"{vma!r} is shared: its pages are writable as soon as it is"
    pfns = span.words[at] >> PTE_SHIFT
    alone = cow.can_share(kernel, pfns)
    reuse, copy = at[alone], at[~alone]
    if reuse.size:
        plan.actions.append(lambda: wp_reuse(kernel, process, vma, span, reuse))
    if copy.size:
        plan.frames += copy.size
        plan.anon = True
        plan.actions.append(lambda: wp_copy(kernel, process, vma, span, copy))


def map_zero(kernel: Kernel, process: Process, span: Span, at: Ints) -> None:
    """Untouched private memory that is read shows the zero page (do_anonymous_page)."""
    span.words[at] = ZERO_PFN << PTE_SHIFT | PTE_PRESENT | PTE_USER | PTE_ACCESSED
    span.store()
    kernel.step("fault.zero", process, span.vpns[at])


def first_touch(kernel: Kernel, process: Process, vma: Vma, span: Span, at: Ints) -> None:
    """New zero-filled pages (do_anonymous_page)."""
    vpns = span.vpns[at]
    pfns = kernel.mem_map.alloc(at.size)
    span.words[at] = pfns << PTE_SHIFT | WRITTEN
    span.store()
    map_anon(kernel, vma, vpns, pfns)
    kernel.step("fault.anon", process, vpns)


def map_file_pages(kernel: Kernel, process: Process, plan: Plan, at: Ints, pgoffs: Ints) -> None:
    """Map pages of the file itself (do_no_page): read, or written through a shared mapping."""
    vma, span = plan.vma, plan.span
    pfns = page_in(kernel, vma.file, pgoffs)
    span.words[at] = pfns << PTE_SHIFT | vma.page_bits | PTE_ACCESSED
    span.store()
    map_file(kernel, vma, pfns)
    kernel.step("fault.file", process, span.vpns[at])


def copy_file_pages(
    kernel: Kernel, process: Process, vma: Vma, span: Span, at: Ints, pgoffs: Ints
) -> None:
    """First touch of a private file mapping by a write: straight to a private copy (do_no_page)."""
    mem = kernel.mem_map
    source, vpns = page_in(kernel, vma.file, pgoffs), span.vpns[at]
    new = mem.alloc(at.size)
    mem.data[new] = mem.data[source]
    span.words[at] = new << PTE_SHIFT | WRITTEN
    span.store()
    _map_copies(kernel, vma, vpns, new)
    kernel.step("fault.file_copy", process, vpns)


def wp_reuse(kernel: Kernel, process: Process, vma: Vma, span: Span, at: Ints) -> None:
    """Nobody else uses the pages: only the word changes (do_wp_page, reuse)."""
    vpns = span.vpns[at]
    span.words[at] |= PTE_WRITE | PTE_ACCESSED | PTE_DIRTY
    span.store()
    pfns = span.words[at] >> PTE_SHIFT
    moving = cow.reuse(kernel, pfns)
    if kernel.design.rehome_on_reuse and moving.any():
        kernel.design.reused(chosen(pfns, moving), vma, chosen(vpns, moving))
    kernel.step("fault.wp_reuse", process, vpns)


def wp_copy(kernel: Kernel, process: Process, vma: Vma, span: Span, at: Ints) -> None:
    """The writer gets a copy; the others keep the page (do_wp_page, break_cow)."""
    mem = kernel.mem_map
    old, vpns = span.words[at] >> PTE_SHIFT, span.vpns[at]
    new = mem.alloc(at.size)
    mem.data[new] = mem.data[old]
    pages = old != ZERO_PFN  # the zero page is not counted, and may stand here more than once
    span.words[at] = new << PTE_SHIFT | WRITTEN
    span.store()
    if np.count_nonzero(pages):
        unmap(kernel, vma, chosen(vpns, pages), chosen(old, pages))
    _map_copies(kernel, vma, vpns, new)
    kernel.step("fault.wp_copy", process, vpns)


def _map_copies(kernel: Kernel, vma: Vma, vpns: Vpns, new: Pfns) -> None:
    """The words at `vpns` now name the copies `new`."""
    map_anon(kernel, vma, vpns, new)
    kernel.design.cost.copies_cow += new.size
