"""Corner cases 1 to 18 under anonmm: mremap and swap, with one address and one home per page.

The other rows are in test_anonmm_column_families.py.
"""

from __future__ import annotations

import pytest
from watched import PAGE, A, B, C, copies, kept, state, walked

from anonlab import Kernel, OutOfMemory, SegmentationFault


@pytest.fixture
def kernel() -> Kernel:
    return Kernel("anonmm")


# mremap


def test_01_memory_that_was_never_forked_moves_with_its_index(kernel):
    """Row 1."""
    alone = kernel.spawn("alone")
    alone.mmap(3 * PAGE, at=A)
    alone.write_range(A, [1, 2, 3])
    pfns = [alone.page(A + n * PAGE).pfn for n in range(3)]
    alone.mremap(A, 3 * PAGE, new=C)
    pages = [alone.page(C + n * PAGE) for n in range(3)]
    assert [(page.pfn, page.index) for page in pages] == [
        (pfn, C + n * PAGE) for n, pfn in enumerate(pfns)
    ]
    assert copies(kernel)["mremap"] == 0


def test_02_a_child_that_moves_a_shared_page_gets_a_copy(pair):
    """Row 2: what the kernel's warning calls one cow."""
    kernel, parent, child = pair
    pfn = parent.page(A).pfn
    child.mremap(A, PAGE, new=B)
    assert child.page(B).pfn != pfn
    assert (child.page(B).index, child.page(B).mapping) == (B, "anonmm 2")
    assert copies(kernel)["mremap"] == 1
    assert (parent.page(A).pfn, parent.page(A).count) == (pfn, 1)


def test_03_a_parent_that_moves_leaves_the_original_at_its_own_node_where_the_walk_fails_first(
    pair,
):
    """Row 3."""
    kernel, parent, child = pair
    pfn = child.page(A).pfn
    parent.mremap(A, PAGE, new=B)
    assert child.page(A).pfn == pfn
    assert child.page(A).mapping == "anonmm head 1", "the parent does not map it any more"
    assert walked(kernel, pfn) == (2, 2, [("child", A)])
    assert walked(kernel, parent.page(B).pfn) == (1, 1, [("parent", B)])


@pytest.mark.parametrize("leave", ["exit", "execve"])
@pytest.mark.parametrize("who", ["parent", "child"])
def test_04_once_the_sharer_has_left_nothing_is_copied_though_the_home_may_be_dead(
    pair, leave, who
):
    """Row 4."""
    kernel, parent, child = pair
    stays, goes = (parent, child) if who == "parent" else (child, parent)
    pfn = stays.page(A).pfn
    goes.exit() if leave == "exit" else goes.execve("other")
    stays.mremap(A, PAGE, new=B)
    assert (stays.page(B).pfn, stays.page(B).index) == (pfn, B)
    zombie = " (zombie)" if who == "child" else ""
    assert stays.page(B).mapping == f"anonmm head 1{zombie}", "index moved, mapping never does"
    assert copies(kernel)["mremap"] == 0
    assert walked(kernel, pfn) == ((2, 1) if zombie else (1, 1)) + ([(stays.name, B)],)


def test_05_after_copy_on_write_both_sides_move_without_copying(pair):
    """Row 5."""
    kernel, parent, child = pair
    child.write(A, 8)
    parent.mremap(A, PAGE, new=B)
    child.mremap(A, PAGE, new=C)
    assert copies(kernel) == {"cow": 1, "mremap": 0, "clash": 0}
    assert (parent.read(B), child.read(C)) == (7, 8)


@pytest.mark.parametrize("leave", ["exit", "execve"])
def test_06_a_write_after_the_sharer_has_left_reuses_the_page_and_its_home_stays(pair, leave):
    """Row 6."""
    kernel, parent, child = pair
    pfn = child.page(A).pfn
    parent.exit() if leave == "exit" else parent.execve("other")
    child.write(A, 8)
    assert (child.page(A).pfn, child.page(A).mapping) == (pfn, "anonmm head 1 (zombie)")
    assert copies(kernel)["cow"] == 0


def test_07_away_and_back_the_index_returns(kernel):
    """Row 7."""
    alone = kernel.spawn("alone")
    alone.mmap(PAGE, at=A)
    alone.write(A, 7)
    page = alone.page(A)
    alone.mremap(A, PAGE, new=B)
    alone.mremap(B, PAGE, new=A)
    assert alone.page(A) == page
    assert copies(kernel)["mremap"] == 0


def test_08_away_and_back_while_shared_copies_once_and_the_sharing_is_lost_for_good(pair):
    """Row 8."""
    kernel, parent, child = pair
    child.mremap(A, PAGE, new=B)
    child.mremap(B, PAGE, new=A)
    assert copies(kernel)["mremap"] == 1
    assert parent.page(A).pfn != child.page(A).pfn


def test_09_a_sibling_with_another_page_at_that_address_is_told_from_it_by_its_pfn(kernel):
    """Row 9."""
    parent = kernel.spawn("parent")
    for at in (A, B, C):
        parent.mmap(PAGE, at=at)
        parent.write(at, 1)
    mover, sibling = parent.fork("mover"), parent.fork("sibling")
    mover.munmap(B, PAGE)
    mover.write(A, 2)
    mover.mremap(A, PAGE, new=B)
    late = mover.fork("late")
    mover.munmap(B, PAGE)
    mine, other = late.page(B).pfn, sibling.page(B).pfn
    assert mine != other
    assert walked(kernel, mine) == (3, 3, [("late", B)]), "mover: nothing; sibling: another pfn"
    assert walked(kernel, other) == (3, 3, [("parent", B), ("sibling", B)])


# Swap


def test_10_a_swap_entry_moves_as_it_is(swapped):
    """Row 10."""
    kernel, parent, child = swapped
    child.mremap(A, PAGE, new=B)
    assert (kept(kernel, child, B), kept(kernel, parent, A)) == ("swap", "swap")
    assert copies(kernel) == {"cow": 0, "mremap": 0, "clash": 0}
    assert child.read(B) == 7


@pytest.mark.parametrize("first", ["parent", "child"])
@pytest.mark.parametrize("write", [False, True])
def test_11_the_second_swap_in_at_another_address_copies_on_a_read_too(swapped, first, write):
    """Row 11."""
    kernel, parent, child = swapped
    child.mremap(A, PAGE, new=B)
    places = [(parent, A), (child, B)]
    (one, here), (other, there) = places if first == "parent" else reversed(places)
    assert one.read(here) == 7
    assert one.page(here).index == here, "the first one sets the index"
    other.write(there, 8) if write else other.read(there)
    assert copies(kernel)["clash"] == 1
    assert one.page(here).pfn != other.page(there).pfn
    assert (one.read(here), other.read(there)) == (7, 8 if write else 7)


@pytest.mark.parametrize("leave", ["exit", "execve", "munmap"])
def test_12_once_the_first_mapper_has_gone_the_second_swap_in_sets_index_and_home(swapped, leave):
    """Row 12."""
    kernel, parent, child = swapped
    child.mremap(A, PAGE, new=B)
    parent.read(A)
    pfn = parent.page(A).pfn
    {
        "exit": parent.exit,
        "execve": lambda: parent.execve("other"),
        "munmap": lambda: parent.munmap(A, PAGE),
    }[leave]()
    assert child.read(B) == 7
    page = child.page(B)
    assert (page.pfn, page.index, page.mapping) == (pfn, B, "anonmm 2")
    assert copies(kernel) == {"cow": 0, "mremap": 0, "clash": 0}


def test_13_a_mapper_that_moves_keeps_its_page_and_the_other_side_copies_at_swap_in(swapped):
    """Row 13."""
    kernel, parent, child = swapped
    parent.read(A)
    page = parent.page(A)
    assert (page.mapcount, page.count) == (1, 2)
    parent.mremap(A, PAGE, new=B)
    assert (parent.page(B).pfn, parent.page(B).index) == (page.pfn, B)
    assert child.read(A) == 7
    assert copies(kernel) == {"cow": 0, "mremap": 0, "clash": 1}


def test_14_an_unshared_page_in_the_swap_cache_is_not_copied(kernel):
    """Row 14."""
    alone = kernel.spawn("alone")
    alone.mmap(PAGE, at=A)
    alone.write(A, 7)
    alone.swap_out(A)
    alone.read(A)
    page = alone.page(A)
    assert (page.count, page.mapcount, "swapcache" in page.flags) == (2, 1, True)
    alone.mremap(A, PAGE, new=B)
    assert (alone.page(B).pfn, copies(kernel)["mremap"]) == (page.pfn, 0)


def test_15_a_pinned_page_moves_and_its_device_with_it(kernel):
    """Row 15."""
    alone = kernel.spawn("alone")
    alone.mmap(PAGE, at=A)
    alone.write(A, 7)
    (dma,) = alone.pin(A)
    alone.mremap(A, PAGE, new=B)
    assert alone.page(B).pfn == dma
    kernel.mem_map.data[dma] = 99  # the device writes
    assert alone.read(B) == 99
    alone.unpin(A)


def test_16_a_parent_that_writes_a_pinned_page_after_fork_loses_it_to_the_child(kernel):
    """Row 16."""
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    (dma,) = parent.pin(A)
    child = parent.fork("child")
    parent.write(A, 8)
    assert parent.page(A).pfn != dma
    assert child.page(A).pfn == dma
    assert child.page(A).mapping == "anonmm head 1", "its home is the parent still"


@pytest.mark.parametrize("prot", ["r", "none"])
def test_17_a_write_protected_shared_page_is_copied_and_stays_protected(pair, prot):
    """Row 17."""
    kernel, _, child = pair
    child.mprotect(A, PAGE, prot)
    child.mremap(A, PAGE, new=B)
    assert copies(kernel)["mremap"] == 1
    assert int(kernel.tables.lookup(child.mm.pgd, B // PAGE)) & 2 == 0
    with pytest.raises(SegmentationFault):
        child.write(B, 8)


@pytest.mark.parametrize("nfree", range(3))
def test_18_out_of_memory_during_the_copy_ends_with_everything_where_it_was(nfree):
    """Row 18: the kernel moves pages back; here nothing moves before all copies are sure."""
    kernel = Kernel("anonmm", frames=4 + nfree, swap=0)
    parent = kernel.spawn("parent")
    parent.mmap(3 * PAGE, at=A)
    parent.write_range(A, [1, 2, 3])
    child = parent.fork("child")
    before = state(kernel)
    with pytest.raises(OutOfMemory, match=f"child: ENOMEM: mremap needs 3 frames, {nfree} of"):
        child.mremap(A, 3 * PAGE, new=C)
    assert state(kernel) == before
    parent.exit()
    child.mremap(A, 3 * PAGE, new=C)
    assert child.read_range(C, 3 * PAGE).tolist() == [1, 2, 3]
