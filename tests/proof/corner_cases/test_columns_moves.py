"""Corner cases 1 to 5, 7 to 15, 17 and 18 where a VMA takes its offsets along: mremap touches no
page, so sharing survives it (columns A2, E, F and G)."""

from __future__ import annotations

import pytest
from structure import looks_in
from watched import PAGE, A, B, C, copies, kept, state, truth, walked, written

from anonlab import DESIGNS, Kernel, OutOfMemory, SegmentationFault, Task

NOTHING = {"cow": 0, "mremap": 0, "clash": 0}


@pytest.fixture
def parent(column: Kernel) -> Task:
    return written(column, [7])


def vma_at(task: Task, addr: int):
    vma = task.mm.find_vma(addr // PAGE)
    assert vma is not None, f"{task.name} has nothing at {addr:#x}"
    return vma


@pytest.mark.parametrize("npages", [1, 5, 16])
def test_01_mremap_of_memory_that_was_never_forked_moves_the_vma_with_its_offsets(column, npages):
    alone = column.spawn("alone")
    alone.mmap(npages * PAGE, at=A)
    alone.write_range(A, range(100, 100 + npages))
    before = [alone.page(A + n * PAGE) for n in range(npages)]
    assert alone.mremap(A, npages * PAGE, new=C) == C
    assert [alone.page(C + n * PAGE) for n in range(npages)] == before, "index and all"
    assert vma_at(alone, C).pgoff == A // PAGE
    assert copies(column) == NOTHING
    assert walked(column, before[-1].pfn) == (1, 1, [("alone", C + (npages - 1) * PAGE)])


def test_01_memory_that_was_never_written_starts_anew_where_it_is_moved(column):
    """E: pgoff := new address >> 12, so that it stays mergeable; A2: off := new start_vpn."""
    alone = column.spawn("alone")
    alone.mmap(PAGE, at=A)
    alone.read(A)
    alone.mremap(A, PAGE, new=C)
    alone.mmap(PAGE, at=C + PAGE)
    assert len(alone.mm.vmas) == 1, "it merges with its new neighbour"
    alone.write(C, 7)
    assert alone.page(C).index == C // PAGE


@pytest.mark.parametrize("mover", ["parent", "child"])
def test_02_03_whoever_moves_a_shared_page_it_stays_shared(column, parent, child, mover):
    task, other = (parent, child) if mover == "parent" else (child, parent)
    before = parent.page(A)
    task.mremap(A, PAGE, new=B)
    assert task.page(B) == before
    assert (before.mapcount, before.index) == (2, A // PAGE)
    assert vma_at(task, B).pgoff == A // PAGE
    assert copies(column) == NOTHING
    expected = sorted([(mover, B), (other.name, A)])
    assert walked(column, before.pfn) == (2, 2, expected)
    task.write(B, 8)
    assert copies(column)["cow"] == 1
    assert (task.read(B), other.read(A)) == (8, 7)


@pytest.mark.parametrize("leave", ["exit", "execve"])
def test_04_after_the_sharer_has_left_mremap_touches_no_page_either(column, parent, child, leave):
    before = parent.page(A)
    child.exit() if leave == "exit" else child.execve("other")
    parent.mremap(A, PAGE, new=B)
    after = parent.page(B)
    assert (after.pfn, after.index, after.mapping) == (before.pfn, before.index, before.mapping)
    assert copies(column) == NOTHING


def test_05_after_copy_on_write_both_sides_move_without_copying(column, parent, child):
    child.write(A, 8)
    pages = parent.page(A), child.page(A)
    parent.mremap(A, PAGE, new=B)
    child.mremap(A, PAGE, new=C)
    assert (parent.page(B), child.page(C)) == pages
    assert copies(column) == {"cow": 1, "mremap": 0, "clash": 0}
    assert walked(column, pages[0].pfn)[2] == [("parent", B)]
    assert walked(column, pages[1].pfn)[2] == [("child", C)]


@pytest.mark.parametrize("forked", [False, True])
def test_07_away_and_back_the_vma_merges_with_what_it_was_cut_from(column, forked):
    task = column.spawn("parent")
    task.mmap(3 * PAGE, at=A)
    task.write_range(A, [10, 11, 12])
    if forked:
        task = task.fork("child")
    cost = column.design.cost
    pages, size = [task.page(A + n * PAGE) for n in range(3)], cost.bytes64
    task.mremap(A + PAGE, PAGE, new=B)
    assert [vma.npages for vma in task.mm.vmas] == [1, 1, 1]
    task.mremap(B, PAGE, new=A + PAGE)
    assert [vma.npages for vma in task.mm.vmas] == [3]
    assert vma_at(task, A).pgoff == A // PAGE
    assert [task.page(A + n * PAGE) for n in range(3)] == pages
    assert cost.bytes64 == size, "nothing is left of the way"


def test_08_away_and_back_while_shared_it_is_shared_all_along(column, parent, child):
    pfn = parent.page(A).pfn
    for here, there in ((A, B), (B, A)):
        child.mremap(here, PAGE, new=there)
        assert parent.page(A).pfn == child.page(there).pfn == pfn
        assert sorted(truth(column, pfn)) == [("child", there), ("parent", A)]
    assert vma_at(child, A).pgoff == A // PAGE
    assert copies(column) == NOTHING


def test_09_a_siblings_other_page_at_that_address_has_another_offset_and_is_not_probed(column):
    parent = column.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.mmap(PAGE, at=B)
    parent.write(A, 3)
    parent.write(B, 4)
    first, second = parent.fork("first"), parent.fork("second")
    first.write(B, 1)
    second.write(A, 2)
    second.munmap(B, PAGE)
    second.mremap(A, PAGE, new=B)
    mine, other = second.page(B), first.page(B)
    assert (mine.pfn == other.pfn, mine.index, other.index) == (False, A // PAGE, B // PAGE)
    assert ("first", B) not in looks_in(column, mine.pfn)
    assert ("second", B) not in looks_in(column, other.pfn)
    assert walked(column, mine.pfn)[2] == [("second", B)]
    assert walked(column, other.pfn)[2] == [("first", B)]
    assert (first.read(B), second.read(B)) == (1, 2)


# Swap


@pytest.fixture
def swapped(parent: Task, child: Task) -> tuple[Task, Task]:
    """The page is on swap, for both."""
    assert parent.swap_out(A) == 1
    return parent, child


def test_10_a_swap_entry_moves_as_it_is(column, swapped):
    _, child = swapped
    frames = column.snapshot().pfn.size
    child.mremap(A, PAGE, new=B)
    assert (kept(column, child, A), kept(column, child, B)) == ("nothing", "swap")
    assert column.snapshot().swap_count.tolist() == [2]
    assert column.snapshot().pfn.size == frames, "no frame was touched"
    assert child.read(B) == 7
    assert copies(column) == NOTHING


@pytest.mark.parametrize("first", ["parent", "child"])
@pytest.mark.parametrize("write", [False, True])
def test_11_one_entry_at_two_addresses_has_one_offset_and_comes_back_as_one_page(
    column, swapped, first, write
):
    parent, child = swapped
    child.mremap(A, PAGE, new=B)
    places = [(parent, A), (child, B)]
    (one, here), (other, there) = places if first == "parent" else reversed(places)
    assert one.read(here) == 7
    assert one.page(here).index == A // PAGE
    assert other.read(there) == 7
    page = one.page(here)
    assert other.page(there) == page, "shared as before"
    assert page.mapcount == 2
    assert walked(column, page.pfn)[2] == sorted([(parent.name, A), (child.name, B)])
    if write:
        other.write(there, 8)
    assert copies(column) == {"cow": int(write), "mremap": 0, "clash": 0}
    assert (one.read(here), other.read(there)) == (7, 8 if write else 7)


@pytest.mark.parametrize("leave", ["exit", "execve", "munmap"])
def test_12_after_the_first_mapper_has_gone_the_second_finds_the_page_in_the_swap_cache(
    column, swapped, leave
):
    parent, child = swapped
    child.mremap(A, PAGE, new=B)
    parent.read(A)
    pfn = parent.page(A).pfn
    {
        "exit": parent.exit,
        "execve": lambda: parent.execve("other"),
        "munmap": lambda: parent.munmap(A, PAGE),
    }[leave]()
    assert (column.page(pfn).count, column.page(pfn).mapcount) == (1, 0)
    assert child.read(B) == 7
    assert (child.page(B).pfn, child.page(B).index) == (pfn, A // PAGE)
    assert walked(column, pfn)[2] == [("child", B)]
    assert copies(column) == NOTHING


def test_13_a_mapper_may_move_while_the_other_side_is_on_swap(column, swapped):
    parent, child = swapped
    parent.read(A)
    before = parent.page(A)
    assert (before.mapcount, before.count) == (1, 2), "one mapping, and the swap cache"
    parent.mremap(A, PAGE, new=B)
    assert parent.page(B) == before
    assert child.read(A) == 7
    assert child.page(A).pfn == before.pfn
    assert copies(column) == NOTHING


def test_14_an_unshared_page_in_the_swap_cache_moves_without_a_copy(column, swapped):
    parent, child = swapped
    parent.read(A)
    child.munmap(A, PAGE)
    before = parent.page(A)
    assert (before.count, before.mapcount, "swapcache" in before.flags) == (2, 1, True)
    parent.mremap(A, PAGE, new=B)
    assert parent.page(B) == before
    assert copies(column) == NOTHING


def test_15_a_pinned_page_moves_and_the_pin_follows(column, parent):
    (dma,) = parent.pin(A)
    parent.mremap(A, PAGE, new=B)
    assert parent.page(B).pfn == dma
    column.mem_map.data[dma] = 99  # the device writes
    assert parent.read(B) == 99
    assert copies(column) == NOTHING
    parent.unpin(A)
    assert column.page(dma).count == 1


@pytest.mark.parametrize("prot", ["r", "rx", "none"])
def test_17_a_write_protected_shared_page_moves_too_and_stays_protected(
    column, parent, child, prot
):
    child.mprotect(A, PAGE, prot)
    child.mremap(A, PAGE, new=B)
    assert child.page(B) == parent.page(A)
    assert copies(column) == NOTHING
    with pytest.raises(SegmentationFault):
        child.write(B, 8)
    assert int(column.tables.lookup(child.mm.pgd, B // PAGE)) & 2 == 0, "not writable"


def two_with_four_pages(kernel: Kernel) -> tuple[Task, Task]:
    parent = kernel.spawn("parent")
    parent.mmap(4 * PAGE, at=A)
    parent.write_range(A, [1, 2, 3, 4])
    return parent, parent.fork("child")


def test_18_without_a_free_frame_shared_pages_still_move(column):
    """Only a VMA and its links are allocated, and those are not made of frames here."""
    kernel = Kernel(type(column.design)(), frames=5, swap=0)
    parent, child = two_with_four_pages(kernel)
    assert kernel.mem_map.nfree == 0
    child.mremap(A, 4 * PAGE, new=C)
    assert child.read_range(C, 4 * PAGE).tolist() == [1, 2, 3, 4]
    assert child.page(C).pfn == parent.page(A).pfn


def test_18_out_of_page_tables_mremap_fails_and_leaves_everything_as_it_was(column):
    kernel = Kernel(DESIGNS[column.design.name](), frames=5, swap=0, tables=4)
    parent, child = two_with_four_pages(kernel)
    child.mmap(PAGE, at=C)  # the destination is taken: even that must still be there
    before = state(kernel)
    with pytest.raises(OutOfMemory, match="child: ENOMEM: mremap needs 1 page-table page, 0 of 4"):
        child.mremap(A, 4 * PAGE, new=C)
    assert state(kernel) == before
    assert parent.page(A).pfn == child.page(A).pfn
