"""Address spaces come and go: spawn, execve, exit. An execve starts a new group."""

from __future__ import annotations

import zlib

import numpy as np

from anonlab.formats.history import HEAP_VPN
from anonlab.kernel.fault import WRITTEN
from anonlab.kernel.mapping import insert_vma, remove_vma
from anonlab.kernel.pages import anon_prepare, map_new, zap
from anonlab.kernel.pin import drop_pins
from anonlab.kernel.state import KernelState
from anonlab.kernel.swap.reclaim import reserve
from anonlab.machine.words import PTE_SHIFT, Geometry, Vpns
from anonlab.mm import Mm, Process, Vma, prot_of


def heap_vpn(geometry: Geometry) -> int:
    """Return the first page of the heap of a new address space."""
    return HEAP_VPN.get(geometry.name, geometry.task_npages // 16)


def new_mm(kernel: KernelState) -> Mm:
    """Return an empty address space; its top table is reserved by the caller (mm_alloc)."""
    mm = kernel.add_mm()
    mm.start_brk = mm.brk = heap_vpn(kernel.geometry)
    return mm


def spawn(kernel: KernelState, process: Process) -> None:
    """Let `process` come from nowhere: an empty address space in a group of its own."""
    reserve(kernel, f"{process.name}: ENOMEM: spawn", tables=1)
    mm = new_mm(kernel)
    kernel.design.new_mm(mm)
    kernel.add_process(process, mm)


def share_mm(kernel: KernelState, mm: Mm, child: Process) -> None:
    """Let `child` run in `mm`, which has one more user (CLONE_VM in copy_mm)."""
    mm.users += 1
    kernel.add_process(child, mm)


def execve(kernel: KernelState, process: Process, old: Mm, program: str, npages: int) -> None:
    """Replace the address space `old` by an empty one with `npages` written pages of arguments and
    stack at its top, in a new group (exec_mmap, setup_arg_pages).

    raises  OutOfMemory if frames or tables do not suffice; the old program runs on then
    """
    top = kernel.geometry.task_npages
    vpns = np.arange(top - npages, top, dtype=np.int64)
    ntables = 1 + kernel.tables.missing(0, kernel.tables.bases(vpns))
    reserve(kernel, f"{process.name}: ENOMEM: execve", frames=npages, tables=ntables)
    process.mm = mm = new_mm(kernel)
    kernel.design.new_mm(mm)
    process.program = program
    kernel.version += 1
    kernel.step("execve.new_mm", process)
    put_stack(kernel, mm, vpns, program)
    kernel.step("execve.stack", process, vpns, what=program)
    drop_user(kernel, process, old, "execve.drop_mm")


def put_stack(kernel: KernelState, mm: Mm, vpns: Vpns, program: str) -> None:
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
    map_new(kernel, vma, vpns, pfns)


def exit_process(kernel: KernelState, process: Process, mm: Mm) -> None:
    """End a process; its address space goes with its last user (do_exit)."""
    process.mm = None
    kernel.version += 1
    drop_user(kernel, process, mm, "exit.drop_mm")


def drop_user(kernel: KernelState, process: Process, mm: Mm, label: str) -> None:
    """One user of `mm` less; with the last one pages, VMAs, group and tables go, in this order
    (mmput, exit_mmap): a mapped page implies a live mm implies a live group."""
    mm.users -= 1
    if mm.users == 0:
        gone = 0
        for vma in mm.vmas.copy():
            gone += zap(kernel, vma, vma.start_vpn, vma.end_vpn)
            remove_vma(kernel, vma)
        if kernel.pins:
            drop_pins(kernel, mm)
        if gone:
            kernel.step("exit.unmap", process, n=gone)
        kernel.design.drop_mm(mm)
        kernel.drop_mm(mm)
    kernel.step(label, process)
