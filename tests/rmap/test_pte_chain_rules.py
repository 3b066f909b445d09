"""The rules of the pte_chain: against the kernel's own code, one page and one PTE at a time, and as
`check` states them."""

from __future__ import annotations

import random

import numpy as np
import pytest
from watched import PAGE

from anonlab import Kernel, PteChain, check
from anonlab.machine.frames import MemMap
from anonlab.machine.words import LESSON
from anonlab.mm import Mm, MmTable, Vma, prot_of
from anonlab.rmap.pte_chain import NRPTE

SHARED = 0x30000


class PlainPage:
    """struct page with its pte union: page_add_rmap, page_remove_rmap and page_referenced of 2.6,
    line by line. `blocks` has the head first, None is a free slot; `visited` counts searches."""

    def __init__(self, nrpte: int) -> None:
        self.nrpte = nrpte
        self.direct: tuple[int, int] | None = None
        self.blocks: list[list[tuple[int, int] | None]] = []
        self.visited = 0

    def add(self, pte: tuple[int, int]) -> None:
        if self.direct is None and not self.blocks:
            self.direct = pte
            return
        if self.direct is not None:
            self.blocks = [[None] * (self.nrpte - 1) + [self.direct]]
            self.direct = None
        free = [at for at, entry in enumerate(self.blocks[0]) if entry is None]
        if free:
            self.blocks[0][free[-1]] = pte
        else:
            self.blocks.insert(0, [None] * (self.nrpte - 1) + [pte])

    def remove(self, pte: tuple[int, int]) -> None:
        if self.direct is not None:
            assert self.direct == pte
            self.direct = None
            return
        head = self.blocks[0]
        victim = next(at for at, entry in enumerate(head) if entry is not None)
        for block in self.blocks:
            self.visited += 1
            if pte in block:
                block[block.index(pte)] = head[victim]
                head[victim] = None
                if victim == self.nrpte - 1:
                    del self.blocks[0]
                return
        raise AssertionError(f"{pte} is not in {self.blocks}")

    def referenced(self) -> None:
        entries = [entry for block in self.blocks for entry in block if entry is not None]
        if len(entries) == 1:
            self.direct, self.blocks = entries[0], []

    @property
    def places(self) -> list[tuple[int, int]]:
        entries = [entry for block in self.blocks for entry in block if entry is not None]
        return entries if self.direct is None else [self.direct]


class Bench:
    """A PteChain without a kernel: frames, address spaces and nothing else."""

    def __init__(self, nrpte: int, nframes: int = 40, nmms: int = 40) -> None:
        self.design = PteChain(nrpte)
        self.design.attach(MemMap(nframes), MmTable(), LESSON)
        self.vmas = [
            Vma(Mm(number, 1, LESSON), 0, 256, prot_of("rw")) for number in range(1, nmms + 1)
        ]
        for vma in self.vmas:
            self.design.new_mm(vma.mm)

    def chain(self, pfn: int) -> list[list[tuple[int, int] | None]]:
        """The blocks of a page's chain, the head first, as the model has them."""
        design, found = self.design, []
        block = -int(design.pte[pfn])
        while block > 0:
            words = design.blocks.slots[block].tolist()
            found.append([(word >> 8, word & 255) if word else None for word in words])
            block = int(design.blocks.next[block])
        return found


def arrays(*columns: list[int]) -> list[np.ndarray]:
    return [np.array(column, dtype=np.int64) for column in columns]


@pytest.mark.slow
@pytest.mark.parametrize("nrpte", NRPTE)
@pytest.mark.parametrize("seed", range(6))
def test_chains_are_those_of_the_kernels_code_slot_by_slot(nrpte, seed):
    """Ranges of pages at once here, one page and one PTE at a time there."""
    bench, rng = Bench(nrpte), random.Random(seed)
    pages = {pfn: PlainPage(nrpte) for pfn in range(1, 40)}
    for _ in range(400):
        vma = rng.choice(bench.vmas)
        mm = vma.mm.number
        here = {pfn: vpn for pfn, page in pages.items() for at, vpn in page.places if at == mm}
        do = rng.choice(("add", "add", "dup", "remove", "moved", "referenced"))
        if do in ("add", "dup"):
            absent = [pfn for pfn in pages if pfn not in here]
            pfns = rng.sample(absent, rng.randint(0, len(absent)))
            vpns = rng.sample(sorted(set(range(256)) - set(here.values())), len(pfns))
            if do == "add":
                alone = np.ones(len(pfns), dtype=np.bool_)
                bench.design.add(*arrays(pfns), vma, *arrays(vpns), alone)
            else:
                bench.design.dup(*arrays(pfns), vma, *arrays(vpns))
            for pfn, vpn in zip(pfns, vpns, strict=True):
                pages[pfn].add((mm, vpn))
        elif do == "referenced":
            pfn = rng.choice(sorted(pages))
            bench.design.referenced(pfn, *arrays([mm for mm, _ in pages[pfn].places]))
            pages[pfn].referenced()
        else:
            pfns = rng.sample(sorted(here), rng.randint(0, len(here)))
            olds = [here[pfn] for pfn in pfns]
            news = rng.sample(sorted(set(range(256)) - set(here.values())), len(pfns))
            if do == "remove":
                bench.design.remove(*arrays(pfns), vma, *arrays(olds))
            else:
                bench.design.moved(*arrays(pfns), vma, *arrays(olds), vma, *arrays(news))
            for pfn, old, new in zip(pfns, olds, news, strict=True):
                pages[pfn].remove((mm, old))
                if do == "moved":
                    pages[pfn].add((mm, new))
        for pfn, page in pages.items():
            assert bench.chain(pfn) == page.blocks, (do, pfn)
            if page.direct is not None:
                assert int(bench.design.pte[pfn]) == page.direct[0] << 8 | page.direct[1]
            mms, vpns, nodes = bench.design.candidates(pfn)
            if page.places:
                assert list(zip(mms.tolist(), vpns.tolist(), strict=True)) == page.places
                assert nodes[-1] == len(page.blocks)
        cost, in_use = bench.design.cost, sum(len(page.blocks) for page in pages.values())
        assert cost.nodes == sum(page.visited for page in pages.values())
        assert cost.allocs - cost.frees == cost.links - cost.unlinks == in_use
        assert (cost.bytes32, cost.bytes64) == (in_use * (nrpte + 1) * 4, in_use * (nrpte + 1) * 8)


# The check


@pytest.fixture
def shared() -> tuple[Kernel, int]:
    """A page with nine entries, in blocks of two and seven, and a direct one."""
    kernel = Kernel(PteChain())
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=SHARED)
    parent.write(SHARED, 1)
    for _ in range(8):
        parent.fork()
    parent.write(SHARED + PAGE, 2)
    check(kernel)
    return kernel, parent.page(SHARED).pfn


def test_check_sees_a_stale_entry(shared):
    kernel, pfn = shared
    head = -kernel.design.pte[pfn]
    kernel.design.blocks.slots[head, -3] = 7 << 8 | 0x31
    with pytest.raises(AssertionError, match=f"pfn {pfn}: an entry for mm 7 0x31000, which maps"):
        check(kernel)


def test_check_sees_an_entry_twice(shared):
    kernel, pfn = shared
    head = -kernel.design.pte[pfn]
    kernel.design.blocks.slots[head, -3] = kernel.design.blocks.slots[head, -1]
    with pytest.raises(AssertionError, match=f"pfn {pfn} finds|pfn {pfn}: 10 entries, mapcount"):
        check(kernel)


def test_check_sees_a_missing_entry(shared):
    kernel, pfn = shared
    head = -kernel.design.pte[pfn]
    kernel.design.blocks.slots[head, -2] = 0
    with pytest.raises(AssertionError, match=rf"pfn {pfn}: mm \d 0x30000 maps it, but is no entry"):
        check(kernel)


def test_check_sees_a_hole_behind_a_used_slot(shared):
    kernel, pfn = shared
    head = -kernel.design.pte[pfn]
    kernel.design.blocks.slots[head, [0, -2]] = kernel.design.blocks.slots[head, [-2, 0]]
    with pytest.raises(AssertionError, match=f"pfn {pfn}: a free slot behind a used one"):
        check(kernel)


def test_check_sees_a_free_slot_in_a_block_that_is_not_the_head(shared):
    kernel, pfn = shared
    slots, head = kernel.design.blocks.slots, -kernel.design.pte[pfn]
    second = kernel.design.blocks.next[head]
    slots[head, -3], slots[second, 0] = slots[second, 0], 0
    with pytest.raises(AssertionError, match=f"pfn {pfn}: a free slot in a block that is not the"):
        check(kernel)


def test_check_sees_an_empty_head_and_a_lost_block(shared):
    kernel, pfn = shared
    design = kernel.design
    (block,) = design.blocks.alloc(1)
    with pytest.raises(AssertionError, match=r"blocks \[.*\] are in use, chains have"):
        check(kernel)
    design.blocks.next[block] = -design.pte[pfn]
    design.pte[pfn] = -block
    with pytest.raises(AssertionError, match=f"pfn {pfn}: the head block of its chain is empty"):
        check(kernel)


def test_check_sees_a_chain_without_an_end(shared):
    kernel, pfn = shared
    head = -kernel.design.pte[pfn]
    kernel.design.blocks.next[kernel.design.blocks.next[head]] = head
    with pytest.raises(AssertionError, match=f"pfn {pfn}: its chain has no end"):
        check(kernel)


def test_check_sees_an_address_space_that_was_forgotten(shared):
    kernel, _ = shared
    del kernel.design.mms[3]
    with pytest.raises(AssertionError, match=r"mms \[1, 2, 4, .*\] are known, alive are"):
        check(kernel)


def test_a_mapping_that_is_no_entry_cannot_be_removed(shared):
    kernel, pfn = shared
    vma = kernel.mms[1].vmas[0]
    with pytest.raises(AssertionError, match=f"pfn {pfn}: mm 1 0x3f000 is no entry"):
        kernel.design.remove(np.array([pfn]), vma, np.array([0x3F]))
