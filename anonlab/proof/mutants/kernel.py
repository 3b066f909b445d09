"""Bugs of the kernel that somebody could make; each is looked for under the anon memory group."""

from __future__ import annotations

from anonlab.kernel import (
    cow,
    fault,
    kernel,
    mapping,
    mremap,
    pages,
    pin,
    process,
    reclaim,
    swapin,
    walk,
)
from anonlab.mm import Vma
from anonlab.proof.mutants.plant import Mutant

OF_KERNEL: dict[str, Mutant] = {
    "fork leaves the parent writable": Mutant(
        process.copy_page_range, "if not copy.shared:", "if False:"
    ),
    "fork forgets to store the write protection": Mutant(
        process.copy_page_range,
        "span.words[copied] = kept\n        span.store()",
        "span.words[copied] = kept",
    ),
    "fork copies a swap entry without counting it": Mutant(
        process.copy_page_range,
        "swp_offset(span.words[entries])] += 1",
        "swp_offset(span.words[entries])] += 0",
    ),
    "fork hands memory locks down": Mutant(process.fork, "copy.locked = False", "pass"),
    "fork reserves one table too few": Mutant(process.tables_to_fork, "return 1 + (", "return ("),
    "mremap loses the contents of what it copies": Mutant(
        mremap.copy_shared, "mem.data[copies] = mem.data[pfns]", "pass"
    ),
    "mremap reserves no frames for its copies": Mutant(
        mremap.move_vma, "frames=copied.size", "frames=0"
    ),
    "mremap leaves the old words": Mutant(mremap.move_page_tables, "span.words[:] = 0", "pass"),
    "a clash is seen even if nobody maps the page": Mutant(
        swapin.plan, "cached & (mem.mapcount[pfns] > 0)", "cached"
    ),
    "a swapped-in copy has no contents": Mutant(
        swapin.do_swap_page, "mem.data[copies] = mem.data[pfns[copy]]", "pass"
    ),
    "swap-in keeps the use of its entry": Mutant(
        swapin.do_swap_page, "swap.free(swap_in.slots)", "pass"
    ),
    "a write to a page from swap does not look for others": Mutant(
        cow.others_have, "(cached & (holders > 0)) | (entries > 1)", "cached & (holders > 0)"
    ),
    "swap-out writes no data": Mutant(reclaim.anon_out, "swap.data[slot] = mem.data[page]", "pass"),
    "swap-out unmaps locked pages": Mutant(
        reclaim.unlocked, "vma is not None and vma.locked", "False"
    ),
    "reclaim takes pages of the running operation": Mutant(
        kernel.Kernel._pages_in, "for vma, span in spans:", "for vma, span in ():"
    ),
    "reclaim forgets what the swap cache holds for the operation": Mutant(
        kernel.Kernel._pages_in, "self.swap.cache[swp_offset(words[~present])]", "words[:0]"
    ),
    "execve keeps the old group": Mutant(
        process.execve, "kernel.design.new_mm(process.mm)", "kernel.design.fork_mm(process.mm, old)"
    ),
    "exit leaks references": Mutant(pages.unmap, "release(kernel, pfns)", "pass"),
    "exit leaks pins": Mutant(process.drop_user, "drop_pins(kernel, mm)", "pass"),
    "a pin is not counted": Mutant(pin.pin, "pfns[pfns != ZERO_PFN], 1)", "pfns[:0], 1)"),
    "a page is reused while it is shared": Mutant(
        cow.by_count, "alone: Mask = count == 1", "alone: Mask = count <= 2"
    ),
    "a page is never reused": Mutant(
        cow.by_count, "alone: Mask = count == 1", "alone: Mask = count == 0"
    ),
    "the zero page is written": Mutant(
        cow.can_share, "alone &= (kernel.mem_map.flags[pfns] & PG_ANON) != 0", "pass"
    ),
    "copy on write loses the contents": Mutant(
        fault.wp_copy, "mem.data[new] = mem.data[old]", "pass"
    ),
    "a private page of a file starts empty": Mutant(
        fault.copy_file_pages, "mem.data[new] = mem.data[source]", "pass"
    ),
    "a first touch reserves one frame too few": Mutant(
        fault.plan_absent,
        "elif vma.file is None:\n        plan.frames += at.size",
        "elif vma.file is None:\n        plan.frames += at.size - 1",
    ),
    "a fault reserves no tables": Mutant(
        fault.missing_tables, "kernel.tables.missing(incomplete[0].pgd, bases)", "0"
    ),
    "split does not advance pgoff": Mutant(
        mapping.split_vma, "vma.pgoff + vpn - vma.start_vpn", "vma.pgoff"
    ),
    "merge ignores the offset in the file": Mutant(
        Vma.goes_on_in, "self.pgoff + self.npages == upper.pgoff", "True"
    ),
    "munmap forgets to clear the words": Mutant(pages.zap, "span.store()", "pass"),
    "mprotect leaves pages writable": Mutant(
        mapping.change_protection, "words &= ~PTE_WRITE", "pass"
    ),
    "the walk stops one mapping too early": Mutant(
        walk.walk_each, "slice(begin, end)", "slice(begin, max(begin + 1, end - 1))"
    ),
    "a write to a shared mapping makes a private copy": Mutant(
        fault.plan_absent, "if plan.write and not vma.shared:", "if plan.write:"
    ),
    "a borrowed address space is dropped with its first user": Mutant(
        process.borrow, "mm.users += 1", "pass"
    ),
    "truncate leaves private copies": Mutant(
        reclaim.truncate, "zap(kernel, vma, first, vma.end_vpn)", "pass"
    ),
}
