"""Corner cases 1 to 18 under pte_chain: a page may be mapped anywhere, and the chain says where.

The other rows are in test_pte_chain_column_families.py.
"""

from __future__ import annotations

import pytest
from structure import found, is_direct
from watched import PAGE, A, B, C, copies, kept, walked

from anonlab import Kernel, PteChain, SegmentationFault

NOTHING = {"cow": 0, "mremap": 0, "clash": 0}


@pytest.fixture(params=[1, 7])
def kernel(request: pytest.FixtureRequest) -> Kernel:
    """With nodes of one entry, as at first, and with blocks of seven."""
    return Kernel(PteChain(request.param))


# mremap


def test_01_memory_that_was_never_forked_moves_and_its_pointer_with_it(kernel):
    """Row 1."""
    alone = kernel.spawn("alone")
    alone.mmap(3 * PAGE, at=A)
    alone.write_range(A, [1, 2, 3])
    pfns = [alone.page(A + n * PAGE).pfn for n in range(3)]
    alone.mremap(A, 3 * PAGE, new=C)
    assert [alone.page(C + n * PAGE).pfn for n in range(3)] == pfns
    assert [found(kernel, pfn) for pfn in pfns] == [[("alone", C + n * PAGE)] for n in range(3)]
    assert all(is_direct(kernel, alone, C + n * PAGE) for n in range(3))
    assert copies(kernel) == NOTHING


@pytest.mark.parametrize("mover", ["parent", "child"])
def test_02_and_03_a_shared_page_that_one_side_moves_stays_shared(pair, mover):
    """Rows 2 and 3."""
    kernel, *tasks = pair
    moves, stays = sorted(tasks, key=lambda task: task.name != mover)
    pfn = stays.page(A).pfn
    moves.mremap(A, PAGE, new=B)
    assert moves.page(B).pfn == stays.page(A).pfn == pfn
    assert found(kernel, pfn) == sorted([(moves.name, B), (stays.name, A)])
    assert copies(kernel) == NOTHING
    moves.write(B, 8)
    assert (moves.read(B), stays.read(A)) == (8, 7)


@pytest.mark.parametrize("leave", ["exit", "execve", "write"])
def test_04_and_05_no_page_is_ever_copied_by_mremap(pair, leave):
    """Rows 4 and 5."""
    kernel, parent, child = pair
    {
        "exit": child.exit,
        "execve": lambda: child.execve("other"),
        "write": lambda: child.write(A, 8),
    }[leave]()
    pfn = parent.page(A).pfn
    parent.mremap(A, PAGE, new=B)
    assert found(kernel, pfn) == [("parent", B)]
    assert copies(kernel)["mremap"] == 0


@pytest.mark.parametrize("leave", ["exit", "execve"])
@pytest.mark.parametrize("who", ["parent", "child"])
def test_06_a_page_whose_sharer_has_left_is_reused_and_direct_again_after_reclaim(pair, leave, who):
    """Row 6."""
    kernel, parent, child = pair
    stays, goes = (parent, child) if who == "parent" else (child, parent)
    goes.exit() if leave == "exit" else goes.execve("other")
    pfn = stays.page(A).pfn
    stays.write(A, 8)
    assert (stays.page(A).pfn, copies(kernel)["cow"]) == (pfn, 0)
    assert not is_direct(kernel, stays, A)
    assert walked(kernel, pfn)[:2] == (1, 1)
    kernel.page_referenced(pfn)
    assert is_direct(kernel, stays, A)
    assert walked(kernel, pfn)[:2] == (0, 1)


def test_07_and_08_away_and_back_it_is_shared_all_along(pair):
    """Rows 7 and 8."""
    kernel, parent, child = pair
    pfn = parent.page(A).pfn
    for old, new in ((A, B), (B, A)):
        child.mremap(old, PAGE, new=new)
        assert child.page(new).pfn == parent.page(A).pfn == pfn
        assert found(kernel, pfn) == [("child", new), ("parent", A)]
    assert copies(kernel) == NOTHING


def test_09_a_sibling_with_another_page_at_that_address_is_not_even_asked(pair):
    """Row 9."""
    kernel, parent, child = pair
    parent.mmap(PAGE, at=B)
    parent.write(B, 1)
    parent.fork("sibling")
    child.mremap(A, PAGE, new=B)
    assert found(kernel, child.page(B).pfn) == [("child", B), ("parent", A), ("sibling", A)]
    assert found(kernel, parent.page(B).pfn) == [("parent", B), ("sibling", B)]


# Swap


def test_10_a_swap_entry_moves_as_it_is(swapped):
    """Row 10."""
    kernel, parent, child = swapped
    assert not kernel.design.pte.any(), "a page that is not mapped has no entry"
    child.mremap(A, PAGE, new=B)
    assert (kept(kernel, child, B), kept(kernel, parent, A)) == ("swap", "swap")
    assert child.read(B) == 7


@pytest.mark.parametrize("first", ["parent", "child"])
def test_11_an_entry_at_two_addresses_comes_back_as_one_page(swapped, first):
    """Row 11."""
    kernel, parent, child = swapped
    child.mremap(A, PAGE, new=B)
    places = [(parent, A), (child, B)]
    for task, addr in places if first == "parent" else reversed(places):
        assert task.read(addr) == 7
    pfn = parent.page(A).pfn
    assert child.page(B).pfn == pfn
    assert found(kernel, pfn) == [("child", B), ("parent", A)]
    assert copies(kernel) == NOTHING


@pytest.mark.parametrize("leave", ["exit", "execve", "munmap"])
def test_12_nothing_is_copied_either_once_the_first_mapper_has_gone(swapped, leave):
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
    assert found(kernel, pfn) == [("child", B)]
    assert copies(kernel) == NOTHING


def test_13_a_mapper_that_moves_while_the_other_side_is_on_swap_still_shares(swapped):
    """Row 13."""
    kernel, parent, child = swapped
    parent.read(A)
    parent.mremap(A, PAGE, new=B)
    assert child.read(A) == 7
    assert parent.page(B).pfn == child.page(A).pfn
    assert copies(kernel) == NOTHING


@pytest.mark.parametrize("holder", ["swap cache", "device"])
def test_14_and_15_a_page_that_something_else_holds_moves_like_any_other(kernel, holder):
    """Rows 14 and 15."""
    alone = kernel.spawn("alone")
    alone.mmap(PAGE, at=A)
    alone.write(A, 7)
    if holder == "device":
        alone.pin(A)
    else:
        alone.swap_out(A)
        alone.read(A)
    page = alone.page(A)
    assert (page.count, page.mapcount) == (2, 1)
    alone.mremap(A, PAGE, new=B)
    assert alone.page(B).pfn == page.pfn
    assert found(kernel, page.pfn) == [("alone", B)]
    assert copies(kernel) == NOTHING


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
    assert is_direct(kernel, parent, A), "the copy is a new page"
    assert found(kernel, dma) == [("child", A)]


@pytest.mark.parametrize("prot", ["r", "none"])
def test_17_a_write_protected_shared_page_moves_as_it_is(pair, prot):
    """Row 17."""
    kernel, parent, child = pair
    child.mprotect(A, PAGE, prot)
    child.mremap(A, PAGE, new=B)
    assert child.page(B).pfn == parent.page(A).pfn
    with pytest.raises(SegmentationFault):
        child.write(B, 8)
    assert copies(kernel) == NOTHING


def test_18_a_move_of_shared_pages_needs_no_frame():
    """Row 18: only a chain block could be missing, and this machine has enough of those."""
    kernel = Kernel(PteChain(), frames=4, swap=0)
    parent = kernel.spawn("parent")
    parent.mmap(3 * PAGE, at=A)
    parent.write_range(A, [1, 2, 3])
    child = parent.fork("child")
    child.mremap(A, 3 * PAGE, new=C)
    assert kernel.mem_map.nfree == 0
    assert child.read_range(C, 3 * PAGE).tolist() == [1, 2, 3]
