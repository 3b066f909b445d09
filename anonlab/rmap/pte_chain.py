"""pte_chain: Rik van Riel's reverse map of 2001, in the kernel since "minimal rmap", July 2002.

Each page keeps the addresses of the page-table entries that map it. One mapping is a direct
pointer in struct page; several stand in a chain of blocks, each a cache line with NRPTE slots and a
pointer to the next block.

The simpler way needs no pointer at all: look into every page table of every process, which takes
as long for one page as for all pages. And the simpler chain, a node of 8 bytes for each mapping,
spends half of it on pointers to the next node: Andrew Morton's blocks of August 2002 save that
half (`nrpte=1` is the time before).

A walk reads the entries, and every one of them maps the page: no later design is as exact. The
price is paid elsewhere. fork adds an entry for every page that it shares, and a block for every
page that was not shared before; whoever unmaps a shared page must search its chain; and all blocks
lie in low memory.

Sources: "minimal rmap", commit c48c43e6ed41 of the history tree, 18 July 2002; Andrew Morton,
"[patch 15/21] multiple pte pointers per pte_chain", 11 August 2002, <3D5614BC.EB0629B6@zip.com.au>;
mm/rmap.c with pte_chains and partial objrmap (-mm, 2003). As in the latter, only anonymous pages
have chains here, and pages of files go through their file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

import numpy as np

from anonlab.formats.catalogue import Catalogue, current
from anonlab.formats.labels import Labels
from anonlab.formats.snapshot import Edge, Node
from anonlab.machine.frames import MemMap
from anonlab.machine.free_list import FreeList
from anonlab.machine.words import PG_ANON, Geometry, Ints, Mask, Pfns, Vpns
from anonlab.mm import Mm, MmTable, Vma
from anonlab.rmap.base import Candidates, Rmap

NRPTE = (1, 7, 15, 31)
"""Slots of a block: one, or what a line of 32, 64 or 128 bytes holds beside the pointer."""


class Blocks:
    """The blocks of all chains (struct pte_chain), by number; 0 is none and stays empty.

    slots   int64[nblocks, nrpte], PTE addresses, 0 = free
    next    int64[nblocks], the block that follows in the chain, 0 = none
    serial  int64[nblocks], what people call a block while it is used: never given twice; 0 = free
    """

    def __init__(self, nrpte: int) -> None:
        self.slots = np.zeros((1, nrpte), dtype=np.int64)
        self.next, self.serial = np.zeros((2, 1), dtype=np.int64)
        self._free = FreeList(1, 1)
        self._last_serial = 0

    def alloc(self, n: int) -> Ints:
        """Return `n` distinct empty blocks, int64[n]."""
        if n > self._free.size:
            self._grow(n - self._free.size)
        blocks = self._free.take(n)
        self.serial[blocks] = np.arange(self._last_serial + 1, self._last_serial + 1 + n)
        self._last_serial += n
        return blocks

    def free(self, blocks: Ints) -> None:
        """Take the distinct `blocks` back."""
        self.slots[blocks] = 0
        self.next[blocks] = self.serial[blocks] = 0
        self._free.give(blocks)

    def _grow(self, n: int) -> None:
        """Make room for `n` more blocks, or for as many again as there are."""
        size, more = len(self.serial), max(n, len(self.serial))
        self.slots = np.pad(self.slots, ((0, more), (0, 0)))
        self.next, self.serial = np.pad(self.next, (0, more)), np.pad(self.serial, (0, more))
        self._free.grow(size, size + more)


@lru_cache(4096)
def chain_words(spoken: Catalogue, pfn: int) -> str:
    """Return what the node of a chain is called."""
    return spoken.say("node.chain", pfn=pfn)


class PteChain(Rmap):
    """A list of page-table entries for every page.

    The address of a PTE leads to its place through the struct page of the page table, which knows
    mm and base address. Here it is one int64 that leads there at once: the number of the mm above
    the page number, so `mm << levels * bits | vpn`, never 0.

    nrpte       slots of a block: 1, 7, 15 or 31; 7 is a line of 32 bytes with 32-bit pointers
    early_stop  as for others, but without effect: a chain has no entry beyond the last mapping
    cow_rule    see Rmap

    Counted: a node is a block, visited by walks and by the search for an entry that goes; links and
    unlinks are blocks that join and leave a chain; each entry that comes or goes takes the page's
    lock once. The entries that swap-out takes away need no search: its walk stands before them.
    """

    name = "pte_chain"
    year = 2002
    lock = "page"
    wants_dup = True
    exact = stays_in_family = True
    sizes: ClassVar = {"pointer": (4, 8)}
    words: ClassVar = Labels("pte_chain")

    def __init__(
        self, nrpte: int = 7, *, cow_rule: str | None = None, early_stop: bool | None = None
    ) -> None:
        super().__init__(cow_rule=cow_rule, early_stop=early_stop)
        if nrpte not in NRPTE:
            raise ValueError(f"nrpte is one of {', '.join(map(str, NRPTE))}; got {nrpte!r}")
        self.nrpte = nrpte
        self.blocks = Blocks(nrpte)
        self.mms: dict[int, None] = {}

    def attach(self, mem_map: MemMap, mm_table: MmTable, geometry: Geometry) -> None:
        """Give every frame its word: `pte` int64[nframes] is 0, the one PTE address of a page that
        has one mapping (PageDirect), or minus the number of the first block of its chain."""
        super().attach(mem_map, mm_table, geometry)
        self.pte = np.zeros(mem_map.nframes, dtype=np.int64)
        self._bits = geometry.levels * geometry.bits

    # Address spaces: only to name them

    def new_mm(self, mm: Mm) -> None:
        """Nothing is kept per mm."""
        self.mms[mm.number] = None
        self.version += 1

    def fork_mm(self, child: Mm, parent: Mm) -> None:
        """Nothing is kept per mm."""
        self.mms[child.number] = None
        self.version += 1

    def drop_mm(self, mm: Mm) -> None:
        """Nothing is kept per mm: its entries went with its pages."""
        del self.mms[mm.number]
        self.version += 1

    # Pages

    def add(self, pfns: Pfns, vma: Vma, vpns: Vpns, exclusive: Mask) -> None:
        """A first mapping is direct, any other joins the chain."""
        self._add(pfns, self._address(vma.mm.number, vpns))

    def dup(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """fork adds an entry for every page that it shares."""
        self._add(pfns, self._address(vma.mm.number, vpns))

    def remove(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """Search each chain for the PTE; a chain of one entry stays a chain."""
        self._remove(pfns, self._address(vma.mm.number, vpns))

    def moved(self, pfns: Pfns, old: Vma, old_vpns: Vpns, new: Vma, vpns: Vpns) -> None:
        """Take the old PTE out and put the new one in: a page may be mapped anywhere."""
        self._remove(pfns, self._address(old.mm.number, old_vpns))
        self._add(pfns, self._address(new.mm.number, vpns))

    def referenced(self, pfn: int, mms: Ints) -> None:
        """Only here a chain of one entry becomes direct again: a process that forks over and over
        does not allocate and free its chains all the time."""
        block = -int(self.pte[pfn])
        if block > 0 and not self.blocks.next[block] and not self.blocks.slots[block, :-1].any():
            self.pte[pfn] = self.blocks.slots[block, -1]
            self._free(np.array([block]))

    def _address(self, number: int, vpns: Vpns) -> Ints:
        """Return the addresses of the PTEs of mm `number` at `vpns`, int64[n]."""
        return number << self._bits | vpns

    def _add(self, pfns: Pfns, ptes: Ints) -> None:
        """Enter one PTE address for each page (page_add_rmap)."""
        self.cost.locks += pfns.size
        here = self.pte[pfns]
        if not here.any():
            self.pte[pfns] = ptes
            return
        self.version += 1
        self.pte[pfns[here == 0]] = ptes[here == 0]
        direct = here > 0
        self._push(pfns[direct], here[direct])
        pfns, ptes = pfns[here != 0], ptes[here != 0]
        heads = -self.pte[pfns]
        used = self.blocks.slots[heads] != 0  # bool[n, nrpte]
        full = used[:, 0]
        self.blocks.slots[heads[~full], used[~full].argmax(axis=1) - 1] = ptes[~full]
        self._push(pfns[full], ptes[full])

    def _push(self, pfns: Pfns, ptes: Ints) -> None:
        """Put a new block with one entry before what each page has of a chain."""
        blocks = self.blocks.alloc(pfns.size)
        self.cost.allocs += pfns.size
        self.cost.links += pfns.size
        self.grew("pointer", pfns.size * (self.nrpte + 1))
        self.blocks.slots[blocks, -1] = ptes
        self.blocks.next[blocks] = np.maximum(-self.pte[pfns], 0)
        self.pte[pfns] = -blocks

    def _remove(self, pfns: Pfns, ptes: Ints) -> None:
        """Take one PTE address away from each page (page_remove_rmap)."""
        self.cost.locks += pfns.size
        here = self.pte[pfns]
        self.pte[pfns[here == ptes]] = 0
        chained = here < 0
        if chained.any():
            self._take(pfns[chained], ptes[chained])

    def _take(self, pfns: Pfns, ptes: Ints) -> None:
        """Take one entry out of each chain; the first one of the head block fills the hole, so
        that free slots stay where the next entry looks for them."""
        slots, heads = self.blocks.slots, -self.pte[pfns]
        self.version += 1
        at, slot = self._find(pfns, ptes)
        first = (slots[heads] != 0).argmax(axis=1)
        slots[at, slot] = slots[heads, first]
        slots[heads, first] = 0
        empty = first == self.nrpte - 1
        self.pte[pfns[empty]] = -self.blocks.next[heads[empty]]
        self._free(heads[empty])

    def _find(self, pfns: Pfns, ptes: Ints) -> tuple[Ints, Ints]:
        """Return where each page's chain has that PTE address: blocks and slots, int64[n] each."""
        at, slot = -self.pte[pfns], np.zeros(pfns.shape, dtype=np.int64)
        left = np.arange(pfns.size)  # positions of pages whose entry is still to be found
        while left.size:
            self.cost.nodes += left.size
            same = self.blocks.slots[at[left]] == ptes[left, None]  # bool[left, nrpte]
            found = same.any(axis=1)
            slot[left[found]] = same[found].argmax(axis=1)
            left = left[~found]
            at[left] = self.blocks.next[at[left]]
            lost = left[at[left] == 0]
            assert not lost.size, f"pfn {pfns[lost[0]]}: {self._place(ptes[lost[0]])} is no entry"
        return at, slot

    def _free(self, blocks: Ints) -> None:
        self.blocks.free(blocks)
        self.cost.frees += blocks.size
        self.cost.unlinks += blocks.size
        self.grew("pointer", -blocks.size * (self.nrpte + 1))

    # The walk

    def candidates(self, pfn: int) -> Candidates:
        """The entries as they stand: block after block, in each from its first used slot on."""
        word = int(self.pte[pfn])
        if word >= 0:
            ptes, nodes = self.pte[[pfn]], np.zeros(2, dtype=np.int64)
        else:
            slots = self.blocks.slots[self._chain(pfn)]
            block, slot = np.nonzero(slots)
            ptes, nodes = slots[block, slot], np.append(block + 1, len(slots))
        return Candidates(ptes >> self._bits, ptes & (1 << self._bits) - 1, nodes)

    def _chain(self, pfn: int) -> list[int]:
        """Return the blocks of the page's chain, the head first; none if it has no chain."""
        chain: list[int] = []
        block = -int(self.pte[pfn])
        while block > 0:
            chain.append(block)
            block = int(self.blocks.next[block])
            assert len(chain) <= len(self.blocks.next), f"pfn {pfn}: its chain has no end"
        return chain

    # For people

    def graph(self) -> tuple[list[Node], list[Edge]]:
        """Every chain with its blocks, and the mms that their entries lead to. A direct pointer
        stands in the page itself and is not drawn."""
        nodes, edges, spoken = [], [], current()
        for pfn in np.flatnonzero(self.pte < 0).tolist():
            tail = f"chain{pfn}"
            facts = (("pfn", str(pfn)), ("mapcount", str(self.mem_map.mapcount[pfn])))
            nodes.append(Node(tail, "chain", chain_words(spoken, pfn), facts))
            for block in self._chain(pfn):
                serial = self.blocks.serial[block]
                slots = self.blocks.slots[block]
                ptes = slots[slots != 0].tolist()
                free = str(self.nrpte - len(ptes))
                facts = (("entries", ", ".join(map(self._place, ptes))), ("free", free))
                nodes.append(Node(f"block{serial}", "block", f"block {serial}", facts))
                edges.append(Edge(tail, f"block{serial}", "next"))
                tail = f"block{serial}"
                edges += [Edge(tail, f"mm{pte >> self._bits}", "pte") for pte in ptes]
        return nodes + [Node(f"mm{mm}", "mm", f"mm {mm}") for mm in self.mms], edges

    def _place(self, pte: int) -> str:
        address = self.geometry.address(int(pte) & (1 << self._bits) - 1)
        return f"mm {int(pte) >> self._bits} {address}"

    def check(self, mms: Mapping[int, Mm], numbers: Ints, vpns: Vpns, pfns: Pfns) -> None:
        """A page has exactly its mappings as entries, each once."""
        truth = set(zip(pfns.tolist(), (numbers << self._bits | vpns).tolist(), strict=True))
        pages = np.unique(pfns)
        words = self.pte[pages]
        direct = words > 0
        entries = set(zip(pages[direct].tolist(), words[direct].tolist(), strict=True))
        sizes = {}
        for pfn in pages[words < 0].tolist():
            slots = self.blocks.slots[self._chain(pfn)]
            ptes = slots[slots != 0].tolist()
            entries |= {(pfn, pte) for pte in ptes}
            sizes[pfn] = len(ptes)
        for pfn, pte in sorted(entries - truth):
            raise AssertionError(f"pfn {pfn}: an entry for {self._place(pte)}, which maps it not")
        for pfn, pte in sorted(truth - entries):
            raise AssertionError(f"pfn {pfn}: {self._place(pte)} maps it, but is no entry")
        mapcount = self.mem_map.mapcount
        for pfn, size in sizes.items():
            assert size == mapcount[pfn], f"pfn {pfn}: {size} entries, mapcount is {mapcount[pfn]}"

    def check_structure(self, mms: Mapping[int, Mm]) -> None:
        """Chains keep their rules: only the head block has free slots, the leading ones; no block
        is empty, lost, or in two chains; and only anonymous pages that are mapped have entries."""
        assert list(self.mms) == list(mms), f"mms {list(self.mms)} are known, alive are {list(mms)}"
        chained, slots = np.flatnonzero(self.pte < 0), self.blocks.slots
        chains = {pfn: self._chain(pfn) for pfn in chained.tolist()}
        for pfn, (head, *others) in chains.items():
            used = slots[head] != 0
            assert used.any(), f"pfn {pfn}: the head block of its chain is empty"
            assert used[used.argmax() :].all(), f"pfn {pfn}: a free slot behind a used one"
            assert slots[others].all(), f"pfn {pfn}: a free slot in a block that is not the head"
        blocks = [block for chain in chains.values() for block in chain]
        used = np.flatnonzero(self.blocks.serial)
        assert sorted(blocks) == used.tolist(), (
            f"blocks {used.tolist()} are in use, chains have {sorted(blocks)}"
        )
        mem = self.mem_map
        strange = (self.pte != 0) & ((mem.mapcount == 0) | ((mem.flags & PG_ANON) == 0))
        for pfn in np.flatnonzero(strange).tolist():
            chain = slots[chains.get(pfn, [])]
            pte = int(self.pte[pfn]) if self.pte[pfn] > 0 else int(chain[chain != 0][0])
            raise AssertionError(f"pfn {pfn}: an entry for {self._place(pte)}, which maps it not")
