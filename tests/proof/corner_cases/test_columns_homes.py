"""Corner cases 16, 45 and 46: pages that a device holds, and pages that come back from swap to
another process than they left (columns A2, E, F and G)."""

from __future__ import annotations

import pytest
from watched import PAGE, A, copies, kept, walked, written

from anonlab import Kernel, Task

MARKS_PAGES = ("anon_vma_chain", "cow_context")
"""Columns with the COW rule of today; the others have that of 2004."""


@pytest.fixture
def parent(column: Kernel) -> Task:
    return written(column, [7])


def test_16_after_a_fork_the_device_writes_to_the_parent_only_under_todays_rule(column, parent):
    """Row 16: in A2 and E the parent is given the copy when it writes (the historic bug); in F and
    G the child got one at fork."""
    today = column.design.name in MARKS_PAGES
    (dma,) = parent.pin(A)
    child = parent.fork("child")
    assert (child.page(A).pfn == dma) is not today
    assert column.design.cost.copies_fork_pin == today
    parent.write(A, 8)
    assert (parent.page(A).pfn == dma) is today
    column.mem_map.data[dma] = 99  # the device writes
    assert (parent.read(A), child.read(A)) == ((99, 7) if today else (8, 99))
    assert copies(column)["cow"] == (not today)


def test_16_the_childs_copy_is_its_own_page_in_every_way(column, parent):
    """Row 16, F and G: only the pinned page is copied, the others are shared as ever."""
    parent.mmap(2 * PAGE, at=A + PAGE)
    parent.write_range(A + PAGE, [8, 9])
    parent.pin(A + PAGE)
    child = parent.fork("child")
    same = [child.page(A + n * PAGE).pfn == parent.page(A + n * PAGE).pfn for n in range(3)]
    assert same == [True, column.design.name not in MARKS_PAGES, True]
    assert child.read_range(A, 3 * PAGE).tolist() == [7, 8, 9]
    if column.design.name in MARKS_PAGES:
        copy = child.page(A + PAGE)
        assert (copy.count, copy.mapcount, "exclusive" in copy.flags) == (1, 1, True)
        assert walked(column, copy.pfn) == (1, 1, [("child", A + PAGE)])
        frames = column.mem_map.nfree
        child.write(A + PAGE, 80)
        parent.write(A + PAGE, 81)
        assert column.mem_map.nfree == frames, "both write in place"


def test_16_a_pinned_page_that_is_shared_already_is_shared_once_more(column, parent):
    """Row 16: pinned before the mark was lost, or for reading: not exclusive, no copy at fork."""
    parent.fork("first")
    parent.mprotect(A, PAGE, "r")
    (dma,) = parent.pin(A)  # for reading: the sharing is not broken
    child = parent.fork("child")
    assert child.page(A).pfn == dma
    assert column.design.cost.copies_fork_pin == 0


FOUNDERS = {
    "per_mm_space": "space 1",
    "anon_vma": "anon_vma 1",
    "anon_vma_chain": "anon_vma 1",
    "cow_context": "context 1",
}
"""The oldest object of the family, whatever it is called."""


@pytest.fixture(params=["on swap", "in the swap cache"])
def waiting(request: pytest.FixtureRequest, parent: Task) -> Task:
    """`middle`, a child of `parent`, has written a page of its own, which nobody maps now; it is
    on swap, or in the swap cache because a process that is gone has read it there."""
    middle = parent.fork("middle")
    middle.write(A, 70)
    if request.param == "in the swap cache":
        reader = middle.fork("reader")
        middle.swap_out(A)
        reader.read(A)
        reader.exit()
    else:
        middle.swap_out(A)
    return middle


def test_45_fork_of_a_page_that_nobody_maps_counts_one_more_user_of_its_slot(column, waiting):
    """Row 45."""
    before = column.snapshot()
    child = waiting.fork("child")
    after = column.snapshot()
    assert (after.swap_count - before.swap_count).tolist() == [1]
    assert (after.pfn.tolist(), after.count.tolist(), after.mapcount.tolist()) == (
        before.pfn.tolist(),
        before.count.tolist(),
        before.mapcount.tolist(),
    )
    assert kept(column, child, A) == kept(column, waiting, A) == "swap"


def test_45_46_whoever_brings_it_back_it_gets_a_home_that_outlives_him(column, waiting):
    """Rows 45 and 46: E: on the list that all share; A2: the one space; F: the root, or what it
    kept in the swap cache; G: the oldest context. A home of the first faulter's own was the oops of
    April 2010."""
    child = waiting.fork("child")
    assert child.read(A) == 70
    page = child.page(A)
    kept_home = int(column.mem_map.mapping[page.pfn])
    assert page.mapping == FOUNDERS[column.design.name]
    child.exit()
    assert waiting.read(A) == 70
    again = waiting.page(A)
    assert (again.pfn, again.index) == (page.pfn, page.index)
    assert column.mem_map.mapping[again.pfn] == kept_home
    assert walked(column, again.pfn)[2] == [("middle", A)]


def test_46_both_at_last_find_the_page_when_the_second_comes_while_the_first_is_there(
    column, waiting
):
    """Row 46, without the exit: the same page, found for both."""
    child = waiting.fork("child")
    child.read(A)
    waiting.read(A)
    page = child.page(A)
    assert (waiting.page(A).pfn, page.mapcount) == (page.pfn, 2)
    assert walked(column, page.pfn)[2] == [("child", A), ("middle", A)]


def test_46_a_page_that_comes_back_to_its_only_owner_is_his_own_again(column, parent):
    """Row 46: exclusive, so F and G home it at the owner's object, not at the founder's."""
    child = parent.fork("child")
    child.write(A, 70)
    own = child.page(A).mapping
    child.swap_out(A)
    assert child.read(A) == 70
    page = child.page(A)
    assert page.mapping == own
    assert (page.mapping != FOUNDERS[column.design.name]) == (column.design.name in MARKS_PAGES)
    assert walked(column, page.pfn)[2] == [("child", A)]
