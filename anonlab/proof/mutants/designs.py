"""Bugs of the reverse-map designs: what history had, and what somebody could make of it."""

from __future__ import annotations

from anonlab.kernel import fork
from anonlab.kernel.cow import Exclusive
from anonlab.proof.mutants.plant import Mutant
from anonlab.rmap.anon_vma import AnonVma
from anonlab.rmap.anon_vma_chain import AnonVmaChain
from anonlab.rmap.anongroup import AnonGroup
from anonlab.rmap.anonmm import AnonMm, Ring
from anonlab.rmap.base import Rmap
from anonlab.rmap.cow_context import Context, CowContext
from anonlab.rmap.linear import LinearRmap, OneListRmap
from anonlab.rmap.per_mm_space import PerMmSpace
from anonlab.rmap.pte_chain import Blocks, PteChain

OF_DESIGNS: dict[str, Mutant] = {
    "mremap does not update index": Mutant(
        AnonGroup.moved, "self.mem_map.index[pfns] = vpns", "pass"
    ),
    "mremap moves a shared page without a copy": Mutant(
        AnonGroup.move, "self.mem_map.count[pfns] > 1", "self.mem_map.count[pfns] > 99"
    ),
    "mremap copies what is not shared": Mutant(
        AnonGroup.move, "self.mem_map.count[pfns] > 1", "self.mem_map.count[pfns] > 0"
    ),
    "a page swapped in elsewhere is not copied": Mutant(
        AnonGroup.clash, "index != vpns", "index == -1"
    ),
    "mapping is not cleared when nobody maps the page": Mutant(
        Rmap.forget_unmapped, "mem.mapping[pfns] = 0", "pass"
    ),
    "exit stays in the group": Mutant(AnonGroup.drop_mm, "del group.mms[mm.number]", "pass"),
    "anon_vma: mremap of a written VMA starts its pgoff anew": Mutant(
        LinearRmap.moved_pgoff,
        "start_vpn if vma.rmap is None else vma.pgoff",
        "start_vpn",
        "anon_vma",
    ),
    "anon_vma: a part that is split off joins no list": Mutant(
        AnonVma.copy_vma, "if old.rmap is not None:", "if False:", "anon_vma"
    ),
    "anon_vma: VMAs with different anon_vmas merge": Mutant(
        AnonVma.can_merge,
        "lower.rmap is None or upper.rmap is None or lower.rmap is upper.rmap",
        "True",
        "anon_vma",
    ),
    "anon_vma: a merge loses the list of the VMA that goes": Mutant(
        AnonVma.merge_vma,
        "self.list_of(keep).replace(gone, keep)",
        "self.list_of(keep).unlink(gone)",
        "anon_vma",
    ),
    "anon_vma: fork does not link the VMA of the child": Mutant(
        AnonVma.fork_vma, "self.link(child, parent.rmap)", "child.rmap = parent.rmap", "anon_vma"
    ),
    "anon_vma: the list does not hear where its VMAs end": Mutant(
        AnonVma.adjust_vma, "self.list_of(vma).changed()", "pass", "anon_vma"
    ),
    "anon_vma: exit leaves the VMA on the list": Mutant(
        OneListRmap.unlink_vma, "self.list_of(vma).unlink(vma)", "pass", "anon_vma"
    ),
    "anon_vma: an address space with one page is passed over": Mutant(
        AnonVma.candidates, "rss[mms] > 0", "rss[mms] > 1", "anon_vma"
    ),
    "anon_vma_chain: fork does not link the ancestors": Mutant(
        AnonVmaChain.fork_vma, "for anon in parent.rmap.links:", "for anon in ():", "anon_vma_chain"
    ),
    "anon_vma_chain: a shared page from swap gets the child as home (2010)": Mutant(
        AnonVmaChain.add,
        "np.where(exclusive, own.number, own.root.number)",
        "own.number",
        "anon_vma_chain",
    ),
    "anon_vma_chain: an anon_vma in use is taken over": Mutant(
        AnonVmaChain.fork_vma,
        "anon.num_children < 2 and anon.num_active_vmas == 0",
        "anon.num_children < 2",
        "anon_vma_chain",
    ),
    "anon_vma_chain: no anon_vma is ever taken over (before 2015)": Mutant(
        AnonVmaChain.fork_vma,
        "own is None and forsaken and self.avc_reuse",
        "False",
        "anon_vma_chain",
    ),
    "anon_vma_chain: an anon_vma with a child is not taken over": Mutant(
        AnonVmaChain.fork_vma, "anon.num_children < 2", "anon.num_children < 1", "anon_vma_chain"
    ),
    "anon_vma_chain: a clone is not counted as a user": Mutant(
        AnonVmaChain.copy_vma, "chain.own.num_active_vmas += 1", "pass", "anon_vma_chain"
    ),
    "anon_vma_chain: a merge loses the chain of the VMA that goes": Mutant(
        AnonVmaChain.merge_vma,
        "self.copy_vma(keep, gone)",
        "keep.rmap, gone.rmap = gone.rmap, None",
        "anon_vma_chain",
    ),
    "anon_vma_chain: a neighbour that was forked shares its anon_vma": Mutant(
        AnonVmaChain.prepare, "if len(chain.links) == 1", "if chain", "anon_vma_chain"
    ),
    "anon_vma_chain: a parent keeps a child that is gone": Mutant(
        AnonVmaChain.unlink_vma, "anon.parent.num_children -= 1", "pass", "anon_vma_chain"
    ),
    "anon_vma_chain: a shared page is handed to the writer": Mutant(
        Exclusive.can_share,
        "self.mem_map.has(pfns, PG_EXCLUSIVE) | ByCount.can_share(self, pfns)",
        "self.mem_map.mapcount[pfns] < 3",
        "anon_vma_chain",
    ),
    "anon_vma_chain: fork leaves the mark of an exclusive page": Mutant(
        fork.copy_page_range,
        "kernel.mem_map.flags[pfns] &= ~kernel.cow.mark",
        "pass",
        "anon_vma_chain",
    ),
    "anon_vma_chain: fork leaves the mark of a swap entry": Mutant(
        fork.duplicate_swap_entries, "words[entries] &= ~SWP_EXCLUSIVE", "pass", "anon_vma_chain"
    ),
    "anon_vma_chain: fork shares a page that a device holds": Mutant(
        Exclusive.is_copied_at_fork, "return held", "return held & False", "anon_vma_chain"
    ),
    "anon_vma_chain: a page from swap is marked though others have it": Mutant(
        Exclusive.is_exclusive, "return marked", "return marked | True", "anon_vma_chain"
    ),
    "per_mm_space: mremap does not record how far": Mutant(
        PerMmSpace.copy_vma,
        "old.rmap.displacement + moved",
        "old.rmap.displacement",
        "per_mm_space",
    ),
    "per_mm_space: a part counts as moved": Mutant(
        PerMmSpace.copy_vma, " - (new.pgoff - old.pgoff)", "", "per_mm_space"
    ),
    "per_mm_space: fork leaves VMAs of the child out of the tree": Mutant(
        PerMmSpace.fork_vma,
        "self.link(child, parent.rmap)",
        "child.rmap = parent.rmap",
        "per_mm_space",
    ),
    "per_mm_space: the space goes while others share it": Mutant(
        PerMmSpace.drop_mm, "space.mms == 0", "space.mms <= 1", "per_mm_space"
    ),
    "cow_context: the early stop of the draft": Mutant(
        CowContext.candidates,
        "(index < end))",
        "(index < end))[: 1 if self.mem_map.mapcount[pfn] == 1 else None]",
        "cow_context",
    ),
    "cow_context: a context goes with its address space": Mutant(
        CowContext._put, "if context.refcnt:", "if context.mm:", "cow_context"
    ),
    "cow_context: a shared page from swap gets the child as home": Mutant(
        CowContext.add,
        "np.where(exclusive, context.number, context.root.number)",
        "context.number",
        "cow_context",
    ),
    "cow_context: fork does not hand the table down": Mutant(
        CowContext.fork_vma, "self._enter(child)", "child.rmap = child.mm.rmap", "cow_context"
    ),
    "cow_context: mremap enters nothing in the table": Mutant(
        CowContext.copy_vma, "self._enter(new)", "new.rmap = new.mm.rmap", "cow_context"
    ),
    "cow_context: a walk leaves out grandchildren": Mutant(
        CowContext._columns,
        'home.walk_order(self.walk_order == "head")',
        "[home, *home.children]",
        "cow_context",
    ),
    "anon_vma_chain: a page that is written in place stays at its old home": Mutant(
        AnonVmaChain.reused,
        "self.mem_map.mapping[pfns] = vma.rmap.own.number",
        "pass",
        "anon_vma_chain",
    ),
    "cow_context: a page that is written in place stays at its old home": Mutant(
        CowContext.reused, "self.mem_map.mapping[pfns] = vma.mm.rmap.number", "pass", "cow_context"
    ),
    "cow_context: the oldest child is asked first": Mutant(
        Context._heirs, "if newest_first", "if not newest_first", "cow_context"
    ),
    "anon_vma: the oldest VMA is asked first": Mutant(
        AnonVma.candidates, 'self.walk_order == "head"', 'self.walk_order != "head"', "anon_vma"
    ),
    "anongroup: the newest mm is asked first": Mutant(
        AnonGroup.candidates, "Candidates(group.walk,", "Candidates(group.walk[::-1],"
    ),
    "anonmm: a zombie is freed while pages name it": Mutant(
        AnonMm._put, "if node.count == 0:", "if node.count == 0 or not node.mm:", "anonmm"
    ),
    "anonmm: the walk round the ring stops at the head": Mutant(
        Ring.mms_from, "np.concatenate([mms[at:], mms[:at]])", "mms[at:]", "anonmm"
    ),
    "anonmm: the walk ends at home": Mutant(
        Ring.mms_from, "np.concatenate([mms[at:], mms[:at]])", "mms[at : at + 1]", "anonmm"
    ),
    "anonmm: a home is kept when nobody maps the page": Mutant(
        AnonMm.remove, "mem.mapcount[pfns] == 0", "mem.mapcount[pfns] == -1", "anonmm"
    ),
    "pte_chain: removal leaves the entry in the chain": Mutant(
        PteChain._remove, "self._take(pfns[chained], ptes[chained])", "pass", "pte_chain"
    ),
    "pte_chain: removal fills the hole and keeps the entry that filled it": Mutant(
        PteChain._take, "slots[heads, first] = 0", "pass", "pte_chain"
    ),
    "pte_chain: removal clears the slot and leaves a hole": Mutant(
        PteChain._take,
        "slots[at, slot] = slots[heads, first]\n    slots[heads, first] = 0",
        "slots[at, slot] = 0",
        "pte_chain",
    ),
    "anonmm: mremap does not update index": Mutant(
        AnonMm.moved, "mem.index[pfns] = addrs", "pass", "anonmm"
    ),
    "anonmm: mremap moves a shared page without a copy": Mutant(
        AnonMm.move, "users[pfns] > 1", "users[pfns] > 99", "anonmm"
    ),
    "anonmm: mremap copies what is not shared": Mutant(
        AnonMm.move, "users[pfns] > 1", "users[pfns] > 0", "anonmm"
    ),
    "anonmm: a page swapped in elsewhere is not copied": Mutant(
        AnonMm.clash, "index != vpns << PAGE_SHIFT", "index == -1", "anonmm"
    ),
    "anonmm: fork starts a ring of its own": Mutant(
        AnonMm.fork_mm, "parent.rmap.ring).ring", "Ring()).ring", "anonmm"
    ),
    "anonmm: fork does not count the new node at the head": Mutant(
        AnonMm.fork_mm, ".ring.head.count += 1", ".ring.head.count += 0", "anonmm"
    ),
    "anonmm: a page is not counted at its home": Mutant(
        AnonMm.add, "node.count += pfns.size", "pass", "anonmm"
    ),
    "anonmm: swap-in takes the home away from who has it": Mutant(
        AnonMm.add, "mem.mapcount[pfns] == 1", "mem.mapcount[pfns] >= 1", "anonmm"
    ),
    "anonmm: pages that leave a home together are counted once": Mutant(
        AnonMm._leave,
        "self._put(self.nodes[number], n)",
        "self._put(self.nodes[number], 1)",
        "anonmm",
    ),
    "anonmm: a zombie goes, but stays in the ring": Mutant(
        AnonMm._put,
        "del self.nodes[node.number], node.ring.nodes[node.number]",
        "del self.nodes[node.number]",
        "anonmm",
    ),
    "anonmm: the head goes while other nodes are there": Mutant(
        AnonMm.drop_mm, "head.count == 1", "head.count <= 2", "anonmm"
    ),
    "anonmm: the ring does not hear of a new member": Mutant(
        AnonMm._new_node, "ring.changed()", "pass", "anonmm"
    ),
    "anonmm: a walk skips the home": Mutant(
        Ring.mms_from, "mms[at:], mms[:at]", "mms[at + 1 :], mms[:at]", "anonmm"
    ),
    "anonmm: re-homing forgets the old home": Mutant(
        AnonMm._rehome, "self._leave(homes)", "pass", "anonmm"
    ),
    "pte_chain: fork enters no PTE": Mutant(
        PteChain.dup, "self._add(pfns, self._address(vma.mm.number, vpns))", "pass", "pte_chain"
    ),
    "pte_chain: mremap keeps the old PTE": Mutant(
        PteChain.moved,
        "self._remove(pfns, self._address(old.mm.number, old_vpns))",
        "pass",
        "pte_chain",
    ),
    "pte_chain: the second mapping replaces the direct pointer": Mutant(
        PteChain._add,
        "self._push(pfns[direct], here[direct])",
        "self.pte[pfns[direct]] = 0",
        "pte_chain",
    ),
    "pte_chain: a new entry takes the first free slot": Mutant(
        PteChain._add,
        "used[~full].argmax(axis=1) - 1",
        "0 * used[~full].argmax(axis=1)",
        "pte_chain",
    ),
    "pte_chain: an emptied head stays": Mutant(
        PteChain._take,
        "empty = first == self.nrpte - 1",
        "empty = first == self.nrpte",
        "pte_chain",
    ),
    "pte_chain: page_referenced makes a chain of two direct": Mutant(
        PteChain.referenced, " and not self.blocks.slots[block, :-1].any()", "", "pte_chain"
    ),
    "pte_chain: blocks are given out twice": Mutant(
        Blocks.alloc,
        "blocks = self._free.take(n)",
        "blocks = self._free.take(n)\n    self._free.size += n > 1",
        "pte_chain",
    ),
    "anon_vma: mremap copies what is shared, as the anon group does": Mutant(
        Rmap.move,
        "np.zeros(pfns.shape, dtype=np.bool_)",
        "self.mem_map.mapcount[pfns] > 1",
        "anon_vma",
    ),
    "anon_vma_chain: one degree counts children and owners (2015 to 2022)": Mutant(
        AnonVmaChain.fork_vma,
        "anon.num_children < 2 and anon.num_active_vmas == 0",
        "anon is not parent.rmap.own and anon.num_children + anon.num_active_vmas < 2",
        "anon_vma_chain",
    ),
    "cow_context: children of a dead context are not visited": Mutant(
        Context.walk_order,
        "stack.append(iter(child._heirs(newest_first)))",
        "stack.append(iter(child._heirs(newest_first) if child.mm else []))",
        "cow_context",
    ),
    "anon_vma_chain: a split does not clone the links": Mutant(
        AnonVmaChain.copy_vma,
        "if old.rmap is None:",
        "if old.rmap is None or new.start_vpn == old.end_vpn:",
        "anon_vma_chain",
    ),
}
