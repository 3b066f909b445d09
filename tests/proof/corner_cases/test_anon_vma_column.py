"""Column E, anon_vma of 2.6.7: one list of VMAs for every family that fork and split have made.

The rows in which E ends like other columns are in test_columns.py, test_columns_moves.py and
test_columns_homes.py.
"""

from __future__ import annotations

import pytest
from structure import listed, looks_in
from watched import PAGE, A, B, C, copies, walked, written

from anonlab import Kernel, Task


@pytest.fixture
def kernel() -> Kernel:
    return Kernel("anon_vma")


@pytest.fixture
def parent(kernel: Kernel) -> Task:
    return written(kernel, range(10, 15))


def test_01_mremap_costs_one_link_and_one_unlink_however_much_moves(kernel, parent):
    """Row 1: nothing is done to pages."""
    cost = kernel.design.cost
    links, unlinks, allocs = cost.links, cost.unlinks, cost.allocs
    parent.mremap(A, 5 * PAGE, new=B)
    assert (cost.links - links, cost.unlinks - unlinks, cost.allocs - allocs) == (1, 1, 0)


@pytest.mark.parametrize("leave", ["exit", "execve"])
def test_06_a_page_that_is_reused_stays_on_the_list(kernel, parent, leave):
    """Row 6: its home is not updated, so a walk goes on visiting all relatives."""
    children = [parent.fork(f"c{n}") for n in range(1, 4)]
    for task in (parent, children[1], children[2]):
        task.exit() if leave == "exit" and task is parent else task.write(A, 70)
    if leave == "execve":
        parent.execve("other")
    pfn = children[0].page(A).pfn
    children[0].write(A, 80)
    page = children[0].page(A)
    assert (page.pfn, page.mapping, page.data) == (pfn, "anon_vma 1", 80)
    assert walked(kernel, pfn) == (3, 3, [("c1", A)]), "c3 and c2 first"


def test_19_a_fork_of_a_fork_of_a_fork_is_on_one_flat_list(kernel, parent):
    """Row 19."""
    g1 = parent.fork("g1")
    g3 = g1.fork("g2").fork("g3")
    parent.fork("late")
    order = ["parent", "g1", "g2", "g3", "late"]
    assert listed(kernel) == {"anon_vma 1": [(who, A) for who in order]}
    pfn = g3.page(A).pfn
    assert looks_in(kernel, pfn) == [(who, A) for who in reversed(order)], "newest first"
    assert walked(kernel, pfn)[:2] == (5, 5)


def test_20_the_vmas_of_a_child_that_execs_leave_the_list(kernel, parent, child):
    """Row 20."""
    child.fork("grandchild")
    child.execve("other")
    assert listed(kernel)["anon_vma 1"] == [("parent", A), ("grandchild", A)]
    assert walked(kernel, parent.page(A).pfn)[:2] == (2, 2)


def test_21_the_list_goes_on_without_the_vmas_of_a_parent_that_died(kernel, parent, child):
    """Row 21."""
    other = parent.fork("other")
    parent.exit()
    assert listed(kernel) == {"anon_vma 1": [("child", A), ("other", A)]}
    assert walked(kernel, other.page(A).pfn) == (2, 2, [("child", A), ("other", A)])


def test_23_a_page_that_only_the_swap_cache_holds_names_no_anon_vma(kernel, parent, child):
    """Row 23."""
    parent.swap_out(A)
    child.read(A)
    pfn = child.page(A).pfn
    child.exit()
    page = kernel.page(pfn)
    assert (page.count, page.mapcount, page.mapping, page.index) == (1, 0, "", 0)
    assert kernel.mem_map.mapping[pfn] == 0
    parent.exit()
    assert kernel.mem_map.count[pfn] == 0
    assert listed(kernel) == {}


def test_25_forks_without_exec_make_the_childrens_own_pages_cost_more_and_more(kernel, parent):
    """Row 25: an own page is looked for in all relatives that are younger."""
    children = [parent.fork(f"c{n}") for n in range(1, 21)]
    for age, child in enumerate(reversed(children), 1):
        child.write(A, 70)
        assert walked(kernel, child.page(A).pfn)[:2] == (age, age)
    parent.write(A, 71)
    assert walked(kernel, parent.page(A).pfn)[:2] == (21, 21), "and the parent's in all"


def test_30_a_written_page_of_a_private_file_mapping_has_the_index_of_the_file(kernel):
    """Row 30: the VMA is on both lists."""
    libc = kernel.file("libc", 8)
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=A, file=libc, offset=5 * PAGE)
    parent.write(A + PAGE, 7)
    page = parent.page(A + PAGE)
    assert (page.index, page.mapping) == (6, "anon_vma 1")
    assert len(libc.vmas) == 1
    assert listed(kernel) == {"anon_vma 1": [("parent", A)]}
    assert walked(kernel, page.pfn) == (1, 1, [("parent", A + PAGE)])


def test_33_a_hole_is_in_neither_part_of_a_split_vma_and_is_not_probed(kernel, parent, child):
    """Row 33: two nodes on the list, no probe."""
    hole = A + 2 * PAGE
    parent.munmap(hole, PAGE)
    assert listed(kernel) == {"anon_vma 1": [("parent", A), ("child", A), ("parent", A + 3 * PAGE)]}
    page = child.page(hole)
    assert (page.count, page.mapcount) == (1, 1)
    assert looks_in(kernel, page.pfn) == [("child", hole)]
    assert walked(kernel, page.pfn) == (2, 1, [("child", hole)]), "the upper part is a node"


@pytest.mark.parametrize("npages", [5, 1])
def test_34_new_memory_at_the_same_address_shares_a_list_only_with_a_neighbour(
    kernel, parent, child, npages
):
    """Row 34: all five pages are replaced, or only the first, which then has a neighbour."""
    old = child.page(A).pfn
    parent.munmap(A, npages * PAGE)
    parent.mmap(npages * PAGE, at=A)
    parent.write(A, 70)
    new = parent.page(A)
    alone = npages == 5
    assert new.mapping == ("anon_vma 2" if alone else "anon_vma 1")
    places = sorted(looks_in(kernel, old))
    assert places == ([("child", A)] if alone else [("child", A), ("parent", A)])
    assert walked(kernel, old)[2] == [("child", A)]
    assert walked(kernel, new.pfn)[2] == [("parent", A)]
    assert (parent.read(A), child.read(A)) == (70, 10)


@pytest.mark.parametrize("who", ["parent", "child"])
def test_35_the_pieces_that_mprotect_makes_share_one_list_and_merge_again(
    kernel, parent, child, who
):
    """Row 35: one process in s pieces costs at most s nodes and one probe."""
    task = kernel.processes[who]
    before = kernel.snapshot()
    task.mprotect(A + PAGE, PAGE, "r")
    task.mprotect(A + 3 * PAGE, PAGE, "none")
    assert [len(vmas) for vmas in listed(kernel).values()] == [6]
    nodes, probes, _ = walked(kernel, task.page(A).pfn)
    assert (nodes <= 6, probes) == (True, 2)
    task.mprotect(A, 5 * PAGE, "rw")
    after = kernel.snapshot()
    assert after.mms == before.mms
    assert (after.word == before.word).all()
    assert listed(kernel) == {"anon_vma 1": [("parent", A), ("child", A)]}


@pytest.mark.parametrize("who", ["parent", "child"])
def test_35_untouched_memory_beside_a_written_vma_merges_with_it_and_takes_its_list(
    kernel, parent, child, who
):
    """Row 35, merging: "either anon_vma is none", also for a VMA that came by fork."""
    task = kernel.processes[who]
    task.mmap(PAGE, at=A + 5 * PAGE)
    assert len(task.mm.vmas) == 1
    task.mmap(PAGE, at=A - PAGE)
    assert len(task.mm.vmas) == 1
    task.write(A - PAGE, 70)
    assert task.page(A - PAGE).mapping == "anon_vma 1"


@pytest.mark.parametrize("prot", ["r", "rx"])
@pytest.mark.parametrize("side", ["below", "above"])
def test_35_a_neighbour_with_other_rights_lends_its_anon_vma_so_that_both_can_merge_later(
    kernel, parent, prot, side
):
    """Row 35: find_mergeable_anon_vma ignores read, write and exec; merging does not."""
    edge, new = (A, A - PAGE) if side == "below" else (A + 4 * PAGE, A + 5 * PAGE)
    parent.mprotect(edge, PAGE, prot)
    parent.mmap(PAGE, at=new)
    parent.write(new, 70)
    assert len(parent.mm.vmas) == 3
    assert [len(vmas) for vmas in listed(kernel).values()] == [3]
    parent.mprotect(edge, PAGE, "rw")
    assert [vma.npages for vma in parent.mm.vmas] == [6]


def test_35_of_two_neighbours_the_next_one_is_asked_first(kernel):
    """Row 35 and section 8."""
    alone = kernel.spawn("alone")
    for page, prot in ((0, "rx"), (2, "r")):
        alone.mmap(PAGE, at=A + page * PAGE)
        alone.write(A + page * PAGE, 7)
        alone.mprotect(A + page * PAGE, PAGE, prot)
    alone.mmap(PAGE, at=A + PAGE)
    alone.write(A + PAGE, 70)
    assert alone.page(A + PAGE).mapping == alone.page(A + 2 * PAGE).mapping == "anon_vma 2"


def test_36_two_written_vmas_that_mremap_brings_together_do_not_merge(kernel):
    """Row 36: pages of one list cannot be told from those of another."""
    alone = kernel.spawn("alone")
    alone.mmap(PAGE, at=A + PAGE)
    alone.write(A + PAGE, 1)
    alone.mremap(A + PAGE, PAGE, new=C)
    alone.mmap(PAGE, at=A)
    alone.write(A, 0)
    alone.mremap(C, PAGE, new=A + PAGE)
    assert [(vma.pgoff, vma.npages) for vma in alone.mm.vmas] == [
        (A // PAGE, 1),
        (A // PAGE + 1, 1),
    ], "although the offsets go on"
    assert len(listed(kernel)) == 2
    assert copies(kernel)["mremap"] == 0
