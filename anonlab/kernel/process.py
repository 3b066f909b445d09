"""Processes come, copy themselves, become other programs and go: spawn, fork, execve, exit."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from anonlab.kernel import cow
from anonlab.kernel.arguments import mm_of, whole
from anonlab.kernel.fault import WRITTEN
from anonlab.kernel.mapping import copy_vma, insert_vma, remove_vma
from anonlab.kernel.pages import anon_prepare, anonymous, chosen, map_anon, mapped_pages, zap
from anonlab.kernel.pin import drop_pins
from anonlab.machine import Span
from anonlab.machine.words import (
    PG_EXCLUSIVE,
    PTE_ACCESSED,
    PTE_DIRTY,
    PTE_SHIFT,
    PTE_WRITE,
    SWP_EXCLUSIVE,
    Geometry,
    Ints,
    Pfns,
    Vpns,
    is_swap,
    swp_offset,
)
from anonlab.mm import Mm, Process, Vma, prot_of

if TYPE_CHECKING:
    from anonlab.kernel.kernel import Kernel

HEAP_VPN = {"lesson": 0x10, "x86_32": 0x8050, "x86_64": 0x555555554}
"""Where the heap starts, as if a small program lay below it."""


def heap_vpn(geometry: Geometry) -> int:
    """Return the first page of the heap of a new address space."""
    return HEAP_VPN.get(geometry.name, geometry.task_npages // 16)


def new_mm(kernel: Kernel) -> Mm:
    """Return an empty address space; its top table is reserved by the caller (mm_alloc)."""
    mm = Mm(kernel.next_mm(), int(kernel.tables.alloc(1)[0]), kernel.geometry)
    mm.start_brk = mm.brk = heap_vpn(kernel.geometry)
    kernel.add_mm(mm)
    return mm


def spawn(kernel: Kernel, name: str) -> Mm:
    """Return the address space of a process that comes from nowhere, in a group of its own."""
    kernel.reserve(f"{name}: ENOMEM: spawn", tables=1)
    mm = new_mm(kernel)
    kernel.design.new_mm(mm)
    return mm


def fork(kernel: Kernel, parent: Process, name: str) -> Mm:
    """Return a copy of the parent's address space that shares all private pages (copy_mm).

    raises  OutOfMemory if the child's page tables do not fit; nothing has changed then
    """
    mm = mm_of(parent, "fork")
    spans = [kernel.tables.populated(mm.pgd, vma.start_vpn, vma.end_vpn) for vma in mm.vmas]
    pinned = [cow.copied_at_fork(kernel, mapped_pages(span.words)[1]) for span in spans]
    kernel.reserve(
        f"{parent.name}: ENOMEM: fork",
        frames=sum(int(np.count_nonzero(pages)) for pages in pinned),
        tables=lambda: tables_to_fork(kernel, spans),
        keep=zip(mm.vmas, spans, strict=True),
    )

    child = new_mm(kernel)
    child.start_brk, child.brk = mm.start_brk, mm.brk
    kernel.attach(name, child, parent)
    kernel.step("fork.dup_mm", name)
    kernel.design.fork_mm(child, mm)
    kernel.step("fork.join_group", name)
    copies = [
        copy_vma(kernel, vma, child, vma.start_vpn, vma.end_vpn, vma.pgoff) for vma in mm.vmas
    ]
    for copy, vma in zip(copies, mm.vmas, strict=True):
        copy.locked = False  # memory locks are not inherited (mlock(2))
        kernel.design.fork_vma(copy, vma)
    kernel.step("fork.copy_vmas", name, n=len(copies))
    shared = sum(
        copy_page_range(kernel, copy, span) for copy, span in zip(copies, spans, strict=True)
    )
    kernel.step("fork.share_ptes", name, n=shared)
    return child


def tables_to_fork(kernel: Kernel, spans: list[Span]) -> int:
    """Return how many page tables a child needs for copies of `spans`, the top one included."""
    used = [span.bases for span in spans if span.words.any()]
    return 1 + (kernel.tables.missing(0, np.unique(np.concatenate(used))) if used else 0)


def copy_page_range(kernel: Kernel, copy: Vma, span: Span) -> int:
    """Share the pages of the parent's `span` with the child's VMA `copy`; return how many.

    Private pages become read-only on both sides, swap entries are duplicated, the child's words
    are old. Its tables are reserved.
    source  copy_page_range, copy_one_pte (mm/memory.c, 2.6)
    """
    if not span.words.any():
        return 0
    where, pfns = mapped_pages(span.words)
    pinned = cow.copied_at_fork(kernel, pfns)
    copied = np.flatnonzero(where)[pinned] if pinned.any() else pfns[:0]
    kept = span.words[copied]
    if copied.size:
        where[copied] = False
        pfns = pfns[~pinned]
    add_mappings(kernel, copy, pfns)
    if kernel.swap.nused:
        entries = is_swap(span.words)
        kernel.swap.map[swp_offset(span.words[entries])] += 1
        span.words[entries] &= ~SWP_EXCLUSIVE
    # Otherwise swap entries pass unchanged: their type is 0, and the slot stands above both bits.
    if not copy.shared:
        span.words &= ~PTE_WRITE
        span.words[copied] = kept
        span.store()
    span.words &= ~PTE_ACCESSED
    span.words[copied] = 0
    span.take_to(copy.mm.pgd)
    span.store()
    if kernel.design.wants_dup:
        anon = anonymous(kernel, copy, pfns)
        kernel.design.dup(chosen(pfns, anon), copy, chosen(span.vpns, where)[anon])
    if copied.size:
        copy_pinned(kernel, copy, span, copied, kept >> PTE_SHIFT)
    return pfns.size


def add_mappings(kernel: Kernel, copy: Vma, pfns: Pfns) -> None:
    """The child's VMA maps the distinct pages `pfns` too (page_dup_rmap)."""
    mem = kernel.mem_map
    mem.count[pfns] += 1
    mem.mapcount[pfns] += 1
    if cow.marks(kernel) and not copy.shared:
        mem.flags[pfns] &= ~PG_EXCLUSIVE
    kernel.columns.rss[copy.mm.number] += pfns.size


def copy_pinned(kernel: Kernel, copy: Vma, span: Span, at: Ints, pfns: Pfns) -> None:
    """Give the child copies of the pages `pfns`, which a device holds for the parent, at the
    positions `at` of its `span` (copy_present_page, 2020)."""
    mem = kernel.mem_map
    new = mem.alloc(at.size)
    mem.data[new] = mem.data[pfns]
    bits = copy.page_bits | PTE_DIRTY | (PTE_WRITE if copy.writable else 0)
    span.words[at] = new << PTE_SHIFT | bits
    span.store()
    map_anon(kernel, copy, span.vpns[at], new)
    kernel.design.cost.copies_fork_pin += at.size


def borrow(parent: Process, call: str) -> Mm:
    """Return the parent's own address space with one more user (CLONE_VM in copy_mm)."""
    mm = mm_of(parent, call)
    mm.users += 1
    return mm


def execve(kernel: Kernel, process: Process, program: str, args: int) -> None:
    """Replace the address space by an empty one with `args` written pages of arguments and stack
    at its top, in a new group (exec_mmap, setup_arg_pages).

    raises  OutOfMemory if frames or tables do not suffice; the old program runs on then
    """
    mm_of(process, "execve")
    npages = whole(args, "args", 1)
    if npages > kernel.stack_npages:
        raise ValueError(
            f"args must be <= {kernel.stack_npages} pages, the stack limit, got {npages}"
        )
    top = kernel.geometry.task_npages
    vpns = np.arange(top - npages, top, dtype=np.int64)
    ntables = 1 + kernel.tables.missing(0, kernel.tables.bases(vpns))
    kernel.reserve(f"{process.name}: ENOMEM: execve", frames=npages, tables=ntables)
    old, process.mm = process.mm, new_mm(kernel)
    kernel.design.new_mm(process.mm)
    process.program = program
    kernel.version += 1
    kernel.step("execve.new_mm", process)
    put_stack(kernel, process.mm, vpns, program)
    kernel.step("execve.stack", process, vpns, what=program)
    assert old is not None
    drop_user(kernel, process, old, "execve.drop_mm")


def put_stack(kernel: Kernel, mm: Mm, vpns: Vpns, program: str) -> None:
    """Put written pages at `vpns` into a new stack VMA (put_dirty_page)."""
    first, end = int(vpns[0]), int(vpns[-1]) + 1
    vma = insert_vma(Vma(mm, first, end, prot_of("rw"), pgoff=first, growsdown=True))
    anon_prepare(kernel, vma)
    span = kernel.tables.span(mm.pgd, first, end)
    span.ensure()
    pfns = kernel.mem_map.alloc(vpns.size)
    kernel.mem_map.data[pfns] = zlib.crc32(program.encode()) + np.arange(vpns.size)
    span.words[:] = pfns << PTE_SHIFT | WRITTEN
    span.store()
    map_anon(kernel, vma, vpns, pfns)


def exit_process(kernel: Kernel, process: Process) -> None:
    """End a process; its address space goes with its last user (do_exit)."""
    mm = mm_of(process, "exit")
    process.mm = None
    kernel.version += 1
    drop_user(kernel, process, mm, "exit.drop_mm")


def drop_user(kernel: Kernel, process: Process, mm: Mm, label: str) -> None:
    """One user of `mm` less; with the last one pages, VMAs, group and tables go, in this order
    (mmput, exit_mmap): a mapped page implies a live mm implies a live group."""
    mm.users -= 1
    if mm.users == 0:
        gone = 0
        for vma in mm.vmas.copy():
            gone += zap(kernel, vma, vma.start_vpn, vma.end_vpn)
            remove_vma(kernel, vma)
        drop_pins(kernel, mm)
        if gone:
            kernel.step("exit.unmap", process, n=gone)
        kernel.design.drop_mm(mm)
        kernel.tables.free(mm.pgd)
        kernel.drop_mm(mm)
    kernel.step(label, process)
