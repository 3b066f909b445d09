"""Bugs of the kernel that somebody could make; each is looked for under the anon memory group."""

from __future__ import annotations

from anonlab.kernel import exec_exit, fault, fork, mapping, mremap, page_cache, pages, pin, walk
from anonlab.kernel.cow import ByCount, CowRule
from anonlab.kernel.swap import reclaim, swap_in
from anonlab.machine.tables import PageTables
from anonlab.mm import Vma
from anonlab.proof.mutants.plant import Mutant

OF_KERNEL: dict[str, Mutant] = {
    "fork leaves the parent writable": Mutant(
        fork.copy_page_range, "if not copy.shared:", "if False:"
    ),
    "fork forgets to store the write protection": Mutant(
        fork.copy_page_range,
        "put_back(words, pinned, kept, entries)\n        span.store()",
        "put_back(words, pinned, kept, entries)",
    ),
    "fork leaves the words of the child accessed": Mutant(
        fork.copy_page_range, "if copy.shared else ~PTE_ACCESSED", "if copy.shared else ~0"
    ),
    "fork leaves shared words of the child dirty": Mutant(
        fork.copy_page_range, "| PTE_DIRTY) if", ") if"
    ),
    "fork takes the accessed bits of the parent": Mutant(
        fork.copy_page_range, "words &= ~PTE_WRITE", "words &= ~PTE_WRITE & ~PTE_ACCESSED"
    ),
    "fork copies a pinned page and calls it clean": Mutant(
        fork.copy_pinned, " | PTE_DIRTY", "", "cow_context"
    ),
    "a write fault forgets that the page is dirty": Mutant(
        fault.act, "(PTE_DIRTY if faults.write else 0)", "0"
    ),
    "a page that was read from swap is dirty": Mutant(
        swap_in.do_swap_page, "PTE_WRITE | PTE_DIRTY if swap_in.write else 0", "PTE_DIRTY"
    ),
    "mprotect forgets that pages were written": Mutant(
        mapping.change_protection, "& ~PTE_USER", "& ~PTE_USER & ~64"
    ),
    "mprotect does not let the program in again": Mutant(
        mapping.change_protection, "| vma.page_bits", "| vma.page_bits & ~PTE_USER"
    ),
    "mremap forgets that a copied page was accessed": Mutant(
        mremap.copy_shared, "PTE_SHIFT | bits", "PTE_SHIFT | bits & ~32"
    ),
    "execve keeps the name of the program": Mutant(
        exec_exit.execve, "process.program = program", "pass"
    ),
    "fork copies a swap entry without counting it": Mutant(
        fork.duplicate_swap_entries,
        "swp_offset(words[entries])] += 1",
        "swp_offset(words[entries])] += 0",
    ),
    "fork hands memory locks down": Mutant(fork.fork, "copy.locked = False", "pass"),
    "fork reserves one table too few": Mutant(fork.tables_to_fork, "return 1 + k", "return k"),
    "mremap loses the contents of what it copies": Mutant(
        mremap.copy_shared, "mem.data[copies] = mem.data[pfns]", "pass"
    ),
    "mremap reserves no frames for its copies": Mutant(
        mremap.move_vma, "frames=copied.size", "frames=0"
    ),
    "mremap leaves the old words": Mutant(mremap.move_page_tables, "span.words[:] = 0", "pass"),
    "a clash is seen even if nobody maps the page": Mutant(
        swap_in.classify_swapped, "cached & (mem.mapcount[pfns] > 0)", "cached"
    ),
    "a swapped-in copy has no contents": Mutant(
        swap_in.do_swap_page, "mem.data[copies] = mem.data[pfns[copy]]", "pass"
    ),
    "swap-in keeps the use of its entry": Mutant(
        swap_in.do_swap_page, "swap.free(swap_in.slots)", "pass"
    ),
    "a write to a page from swap does not look for others": Mutant(
        CowRule.is_shared,
        "(cached & (self.holders(pfns) > 0)) | (entries > 1)",
        "cached & (self.holders(pfns) > 0)",
    ),
    "swap-out writes no data": Mutant(reclaim.anon_out, "swap.data[slot] = mem.data[page]", "pass"),
    "swap-out unmaps locked pages": Mutant(
        reclaim.before_locked, "vma is not None and vma.locked", "False"
    ),
    "reclaim takes pages of the running operation": Mutant(
        reclaim.pages_in, "for vma, span in spans:", "for vma, span in ():"
    ),
    "reclaim forgets what the swap cache holds for the operation": Mutant(
        reclaim.pages_in, "kernel.swap.cache[swp_offset(words[~present])]", "words[:0]"
    ),
    "execve keeps the old group": Mutant(
        exec_exit.execve, "kernel.design.new_mm(mm)", "kernel.design.fork_mm(mm, old)"
    ),
    "exit leaks references": Mutant(pages.unmap, "release(kernel, pfns)", "pass"),
    "exit leaks pins": Mutant(exec_exit.drop_user, "drop_pins(kernel, mm)", "pass"),
    "a pin is not counted": Mutant(pin.hold, "pfns[pfns != ZERO_PFN], 1)", "pfns[:0], 1)"),
    "a page is reused while it is shared": Mutant(
        ByCount.can_share, "alone: Mask = count == 1", "alone: Mask = count <= 2"
    ),
    "a page is never reused": Mutant(
        ByCount.can_share, "alone: Mask = count == 1", "alone: Mask = count == 0"
    ),
    "the zero page is written": Mutant(
        fault.classify_protected, "alone &= (kernel.mem_map.flags[pfns] & PG_ANON) != 0", "pass"
    ),
    "copy on write loses the contents": Mutant(
        fault.wp_copy, "mem.data[new] = mem.data[old]", "pass"
    ),
    "a private page of a file starts empty": Mutant(
        fault.copy_file_pages, "mem.data[new] = mem.data[source]", "pass"
    ),
    "a first touch reserves one frame too few": Mutant(
        fault.classify_absent,
        "faults.frames += faults.span.words[at].size",
        "faults.frames += faults.span.words[at].size - (vma.file is None)",
    ),
    "a fault reserves no tables": Mutant(
        PageTables.missing_in, "self.missing(spans[0].pgd, ", "0 * self.missing(spans[0].pgd, "
    ),
    "split does not advance pgoff": Mutant(
        mapping.split_vma, "vma.pgoff + vpn - vma.start_vpn", "vma.pgoff"
    ),
    "merge ignores the offset in the file": Mutant(
        Vma.is_mergeable_with, "self.pgoff + self.npages == upper.pgoff", "True"
    ),
    "munmap forgets to clear the words": Mutant(pages.zap, "span.store()", "pass"),
    "mprotect leaves pages writable": Mutant(
        mapping.change_protection, "words &= ~PTE_WRITE", "pass"
    ),
    "the walk stops one mapping too early": Mutant(
        walk.walk_each,
        "ends = np",
        "ends = np.searchsorted(hit, np.cumsum(sizes)).tolist()\n"
        "    hit = hit[[at for start, end in zip([0, *ends], ends)"
        " for at in range(start, end - (end - start > 1))]]\n"
        "    ends = np",
    ),
    "a write to a shared mapping makes a private copy": Mutant(
        fault.do_no_page, "elif write and not vma.shared:", "elif write:"
    ),
    "a borrowed address space is dropped with its first user": Mutant(
        exec_exit.share_mm, "mm.users += 1", "pass"
    ),
    "truncate leaves private copies": Mutant(
        page_cache.truncate, "zap(kernel, vma, first, vma.end_vpn)", "pass"
    ),
}
