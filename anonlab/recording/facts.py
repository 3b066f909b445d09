"""What can be seen of processes, address spaces, files and mappings, one fact at a time."""

from __future__ import annotations

import numpy as np

from anonlab.formats.snapshot import FileFact, MmFact, ProcessFact, VmaFact
from anonlab.kernel.state import KernelState
from anonlab.mm import File, Mm, Process, Vma, prot_letters


def process_fact(process: Process) -> ProcessFact:
    """Return what can be seen of a process."""
    number = process.mm.number if process.mm else 0
    return ProcessFact(process.name, process.pid, process.parent, number, process.program)


def users_of(kernel: KernelState, mm: Mm) -> tuple[str, ...]:
    """Return the names of the processes that run in `mm`."""
    return tuple(p.name for p in kernel.processes.values() if p.mm is mm)


def mm_fact(
    kernel: KernelState, mm: Mm, users: tuple[str, ...], vmas: tuple[VmaFact, ...] | None = None
) -> MmFact:
    """Return what can be seen of an address space in which `users` run.

    vmas  what can be seen of its VMAs, if that is known
    """
    # Between two sub-steps of fork the design may not know the child yet.
    home = kernel.design.home(mm) if mm.rmap is not None else ""
    vmas = tuple(map(_vma_fact, mm.vmas)) if vmas is None else vmas
    return MmFact(mm.number, mm.pgd, users, home, vmas)


def listed_files(kernel: KernelState) -> list[File]:
    """Return the files; nameless shared memory is one while it is mapped."""
    return [file for file in kernel.files.values() if not file.shmem or file.vmas]


def mapping_names(kernel: KernelState) -> tuple[tuple[int, str], ...]:
    """Return (number in mem_map.mapping, its name) for the objects of the design and the files."""
    of_files = [(file.mapping, f"file {file.name}") for file in listed_files(kernel)]
    return (*kernel.design.mapping_names(), *of_files)


def _vma_fact(vma: Vma) -> VmaFact:
    return VmaFact(
        vma.start_vpn,
        vma.end_vpn,
        prot_letters(vma.prot),
        vma.shared,
        vma.file.name if vma.file else "",
        vma.pgoff,
        vma.locked,
        vma.growsdown,
    )


def file_fact(file: File) -> FileFact:
    """Return what can be seen of a file."""
    pgoffs = np.flatnonzero(file.cache)
    cached = tuple(zip(pgoffs.tolist(), file.cache[pgoffs].tolist(), strict=True))
    return FileFact(file.name, file.mapping, file.npages, file.shmem, cached)
