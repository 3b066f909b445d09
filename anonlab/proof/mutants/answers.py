"""Bugs in what a kernel answers and in where VMAs begin and end. Most of them no program notices,
so no shadow memory does; a kernel that shows its VMAs tells (anonlab/live)."""

from __future__ import annotations

from anonlab.kernel import fault, mapping, mremap, syscalls
from anonlab.kernel.task import Task
from anonlab.proof.mutants.plant import Mutant

TODAY = "anon_vma_chain"
OF_ANSWERS: dict[str, Mutant] = {
    "a mapping merges with nothing": Mutant(
        mapping.mmap, "merge_around(kernel, mm, start_vpn, end_vpn)", "pass", TODAY
    ),
    "mprotect merges nothing": Mutant(
        mapping.mprotect, "merge_parts(kernel, mm, changed)", "pass", TODAY
    ),
    "mprotect to what is there merges": Mutant(
        mapping.mprotect, "lambda vma: vma.prot != prot", "lambda vma: True", TODAY
    ),
    "mlock merges nothing": Mutant(
        mapping.set_locked, "merge_parts(kernel, mm, changed)", "pass", TODAY
    ),
    "munlock of what is not locked merges": Mutant(
        mapping.set_locked, "lambda vma: vma.locked != locked", "lambda vma: True", TODAY
    ),
    "mremap in place merges with what lies below": Mutant(
        mapping.grow_vma,
        "for upper in vma.mm.overlapping(end_vpn, end_vpn + 1):",
        "merge_around(kernel, vma.mm, vma.start_vpn, end_vpn)\n    for upper in ():",
        TODAY,
    ),
    "mremap dontunmap splits its source": Mutant(
        mremap.move_vma, "if not move.dontunmap:", "if True:", TODAY
    ),
    "mremap dontunmap leaves its source locked": Mutant(
        mremap.unlock_source, "vma.locked = False", "pass", TODAY
    ),
    "mremap doubles private memory": Mutant(
        mremap.source, "npages == 0 and not vma.shared", "False", TODAY
    ),
    "mremap in place wants one VMA": Mutant(
        mremap.mremap, "1 if shrinks else min(old_npages, npages)", "min(old_npages, npages)", TODAY
    ),
    "mremap of several VMAs leaves the last": Mutant(
        syscalls.mremap_several, "for start, end in parts:", "for start, end in parts[:1]:", TODAY
    ),
    "mremap of several VMAs may begin with a hole": Mutant(
        syscalls.mremap_several, " or vmas[0].start_vpn > start_vpn", "", TODAY
    ),
    "mprotect does nothing before a hole": Mutant(
        syscalls.mprotect, "if part.vpns:", "if obstacle is None:", TODAY
    ),
    "mlock locks nothing before a hole": Mutant(
        syscalls.mlock, "if before(hole, pages).vpns:", "if hole is None:", TODAY
    ),
    "mlock locks up to what nobody may touch": Mutant(
        syscalls.mlock,
        "mapping.set_locked(kernel, before(hole, pages), locked=True)",
        "mapping.set_locked(kernel, part, locked=True)",
        TODAY,
    ),
    "munlock unlocks nothing before a hole": Mutant(
        syscalls.munlock, "if part.vpns:", "if hole is None:", TODAY
    ),
    "madvise stops at a hole": Mutant(
        syscalls.madvise_dontneed,
        "mapping.locked_in(pages)",
        "hole_in('madvise', pages) or mapping.locked_in(pages)",
        TODAY,
    ),
    "a stack grows into its guard gap": Mutant(
        fault.stack_to_grow, "if fits and not guarded", "if fits", TODAY
    ),
    "a stack keeps off a stack": Mutant(
        fault.stack_to_grow, " and not near[-1].growsdown", "", TODAY
    ),
    "a stack keeps off what nobody may touch": Mutant(
        fault.stack_to_grow, "near and near[-1].prot and", "near and", TODAY
    ),
    "a stack does not grow for what it forbids": Mutant(
        syscalls.grown, "if stack is None:", "if True:", TODAY
    ),
    "the heap grows up to its neighbour": Mutant(mapping.brk, "end_vpn + 1 >", "end_vpn >", TODAY),
    "the heap grows into the guard gap of a stack": Mutant(
        mapping.brk, "kernel.guard_npages if above", "0 if above", TODAY
    ),
    "the heap shrinks where nothing is mapped": Mutant(
        mapping.brk, "and not mm.overlapping(end_vpn, mm.brk)", "and False", TODAY
    ),
    "length 0 is an error for all": Mutant(
        Task._some, 'checked_int(length, f"{call} length") == 0', "False", TODAY
    ),
    "mlock wants an aligned address": Mutant(
        Task._touched, "first & ~PAGE_MASK, nbytes", "first, nbytes", TODAY
    ),
}
