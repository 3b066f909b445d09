"""fork: a copy of an address space that shares all private pages until somebody writes."""

from __future__ import annotations

import numpy as np

from anonlab.kernel.mapping import copy_vma
from anonlab.kernel.pages import anon_pages, map_again, map_new, mapped_pages
from anonlab.kernel.state import KernelState
from anonlab.kernel.swap.reclaim import reserve
from anonlab.machine.tables import NONE, Span
from anonlab.machine.words import (
    PTE_ACCESSED,
    PTE_DIRTY,
    PTE_SHIFT,
    PTE_WRITE,
    SWP_EXCLUSIVE,
    Ints,
    Mask,
    Pfns,
    Words,
    is_swap,
    swp_offset,
)
from anonlab.mm import Mm, Process, Vma


def fork(kernel: KernelState, parent: Process, mm: Mm, child: Process) -> None:
    """Let `child` run in a copy of the parent's address space `mm` that shares all private pages
    (copy_mm).

    raises  OutOfMemory if the child's page tables do not fit; nothing has changed then
    """
    spans = [kernel.tables.populated(mm.pgd, vma.start_vpn, vma.end_vpn) for vma in mm.vmas]
    reserve(
        kernel,
        f"{parent.name}: ENOMEM: fork",
        frames=frames_to_fork(kernel, spans),
        tables=tables_to_fork(kernel, spans),
        keep=zip(mm.vmas, spans, strict=True),
    )
    new = kernel.add_mm()
    new.start_brk, new.brk = mm.start_brk, mm.brk
    kernel.add_process(child, new)
    kernel.step("fork.dup_mm", child)
    kernel.design.fork_mm(new, mm)
    kernel.step("fork.join_group", child)
    copies = [copy_vma(kernel, vma, new, vma.start_vpn, vma.end_vpn, vma.pgoff) for vma in mm.vmas]
    for copy, vma in zip(copies, mm.vmas, strict=True):
        copy.locked = False  # memory locks are not inherited (mlock(2))
        kernel.design.fork_vma(copy, vma)
    kernel.step("fork.copy_vmas", child, n=len(copies))
    shared = 0
    for copy, span in zip(copies, spans, strict=True):
        shared += copy_page_range(kernel, copy, span)
    kernel.step("fork.share_ptes", child, n=shared)


def frames_to_fork(kernel: KernelState, spans: list[Span]) -> int:
    """Return how many pages fork copies at once, because a device holds them."""
    if not kernel.pins:
        return 0
    pinned = [kernel.cow.is_copied_at_fork(mapped_pages(span.words)[1]) for span in spans]
    return sum(int(np.count_nonzero(pages)) for pages in pinned)


def tables_to_fork(kernel: KernelState, spans: list[Span]) -> int:
    """Return how many page tables a child needs for copies of `spans`, the top one included; 1 if
    there is no limit."""
    if kernel.tables.max_rows is None:
        return 1
    used = [span.bases for span in spans if span.words.any()]
    return 1 + kernel.tables.missing(
        0, np.unique(np.concatenate([NONE, *map(np.atleast_1d, used)]))
    )


def copy_page_range(kernel: KernelState, copy: Vma, span: Span) -> int:
    """Share the pages of the parent's `span` with the child's VMA `copy`; return how many.

    Private pages become read-only on both sides, swap entries are duplicated, the child's words
    are old, and clean where memory is shared. Its tables are reserved.
    source  copy_page_range, copy_one_pte (mm/memory.c, 2.6)
    """
    words = span.words
    if not np.count_nonzero(words):
        return 0
    where, pfns = mapped_pages(words)
    pinned = copied_at_once(kernel, where, pfns)
    kept = words[pinned]
    if pinned.size:
        where[pinned] = False
        pfns = words[where] >> PTE_SHIFT
    map_again(kernel, copy, pfns)
    if kernel.cow.mark and not copy.shared:
        kernel.mem_map.flags[pfns] &= ~kernel.cow.mark
    entries = duplicate_swap_entries(kernel, words) if kernel.swap.nused else None
    if not copy.shared:
        words &= ~PTE_WRITE
        put_back(words, pinned, kept, entries)
        span.store()
    words &= ~(PTE_ACCESSED | PTE_DIRTY) if copy.shared else ~PTE_ACCESSED
    put_back(words, pinned, 0, entries)
    span.take_to(copy.mm.pgd)
    span.store()
    if kernel.design.wants_dup:
        vpns, anon_pfns = anon_pages(kernel, copy, span.vpns, words)
        kernel.design.dup(anon_pfns, copy, vpns)
    if pinned.size:
        copy_pinned(kernel, copy, span, pinned, kept >> PTE_SHIFT)
    return pfns.size


def copied_at_once(kernel: KernelState, where: Mask, pfns: Pfns) -> Ints:
    """Return the positions of the pages that the child gets as copies, int64[n]; `pfns` are mapped
    `where`, bool[words]."""
    if not kernel.pins:
        return NONE
    return np.flatnonzero(where)[kernel.cow.is_copied_at_fork(pfns)]


def duplicate_swap_entries(kernel: KernelState, words: Words) -> tuple[Mask, Words]:
    """Count the swap entries among `words` once more (swap_duplicate); none is its slot's only one
    any more. Return where they are, bool[n], and what they are."""
    entries = is_swap(words)
    kernel.swap.map[swp_offset(words[entries])] += 1
    words[entries] &= ~SWP_EXCLUSIVE
    return entries, words[entries]


def put_back(
    words: Words, pinned: Ints, kept: Words | int, entries: tuple[Mask, Words] | None
) -> None:
    """Set what a change of all `words` was not meant for: pinned pages, and swap entries, whose
    bits say something else."""
    if pinned.size:
        words[pinned] = kept
    if entries is not None:
        words[entries[0]] = entries[1]


def copy_pinned(kernel: KernelState, copy: Vma, span: Span, at: Ints, pfns: Pfns) -> None:
    """Give the child copies of the pages `pfns`, which a device holds for the parent, at the
    positions `at` of its `span` (copy_present_page, 2020)."""
    mem = kernel.mem_map
    new = mem.alloc(at.size)
    mem.data[new] = mem.data[pfns]
    bits = copy.page_bits | PTE_DIRTY | (PTE_WRITE if copy.writable else 0)
    span.words[at] = new << PTE_SHIFT | bits
    span.store()
    map_new(kernel, copy, span.vpns[at], new)
    kernel.design.cost.copies_fork_pin += at.size
