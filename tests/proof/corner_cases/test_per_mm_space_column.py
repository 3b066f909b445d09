"""Column A2, one space of offsets per fork group: a tree of VMAs, and many wrong candidates.

The rows in which A2 ends like other columns are in test_columns.py, test_columns_moves.py and
test_columns_homes.py.
"""

from __future__ import annotations

import pytest
from structure import facts, listed, looks_in
from watched import PAGE, A, B, C, copies, walked, written

from anonlab import Kernel, Task


@pytest.fixture
def kernel() -> Kernel:
    return Kernel("per_mm_space")


@pytest.fixture
def parent(kernel: Kernel) -> Task:
    return written(kernel, range(10, 15))


def test_01_mremap_costs_two_operations_on_the_tree_however_much_moves(kernel, parent):
    """Row 1: the offset recorded in the VMA stays."""
    cost = kernel.design.cost
    links, unlinks, allocs = cost.links, cost.unlinks, cost.allocs
    parent.mremap(A, 5 * PAGE, new=B)
    assert (cost.links - links, cost.unlinks - unlinks, cost.allocs - allocs) == (1, 1, 0)


def test_06_a_page_that_is_reused_keeps_space_and_offset(kernel, parent, child):
    """Row 6: as E; there is only one space to name."""
    before = child.page(A)
    parent.exit()
    child.write(A, 80)
    page = child.page(A)
    assert (page.pfn, page.mapping, page.index) == (before.pfn, "space 1", A // PAGE)
    assert walked(kernel, page.pfn) == (1, 1, [("child", A)])


def test_19_a_fork_of_a_fork_of_a_fork_is_in_one_flat_tree(kernel, parent):
    """Row 19."""
    g1 = parent.fork("g1")
    g1.fork("g2").fork("g3")
    order = ["parent", "g1", "g2", "g3"]
    assert listed(kernel) == {"space 1": [(who, A) for who in order]}
    assert facts(kernel, "space 1")["mms"] == "4"


def test_20_the_vmas_of_a_child_that_execs_leave_the_tree_for_a_new_space(kernel, parent, child):
    """Row 20."""
    child.fork("grandchild")
    child.execve("other")
    spaces = listed(kernel)
    assert spaces["space 1"] == [("parent", A), ("grandchild", A)]
    assert [who for who, _ in spaces["space 2"]] == ["child"]
    assert facts(kernel, "space 1")["mms"] == "2"
    assert walked(kernel, parent.page(A).pfn)[:2] == (2, 2)


def test_21_the_space_survives_the_parent_that_founded_it(kernel, parent, child):
    """Row 21: by its count of address spaces, with or without VMAs in the tree."""
    parent.exit()
    assert listed(kernel) == {"space 1": [("child", A)]}
    child.munmap(A, 5 * PAGE)
    assert listed(kernel) == {"space 1": []}
    last = child.fork("grandchild")
    child.exit()
    assert facts(kernel, "space 1") == {"mms": "1", "VMAs": "0"}
    last.mmap(PAGE, at=B)
    last.write(B, 1)
    assert last.page(B).mapping == "space 1"


def test_23_a_page_that_only_the_swap_cache_holds_names_no_space(kernel, parent, child):
    """Row 23."""
    parent.swap_out(A)
    child.read(A)
    pfn = child.page(A).pfn
    child.exit()
    page = kernel.page(pfn)
    assert (page.count, page.mapcount, page.mapping, page.index) == (1, 0, "", 0)
    assert kernel.mem_map.mapping[pfn] == 0


def test_25_forks_without_exec_make_the_childrens_own_pages_cost_more_and_more(kernel, parent):
    """Row 25: Andrea's objection; a page that is private to one child is looked for in all that
    were there before."""
    for n in range(1, 21):
        child = parent.fork(f"c{n}")
        child.write(A, 70)
        assert walked(kernel, child.page(A).pfn)[:2] == (n + 1, n + 1)


def test_30_a_written_page_of_a_private_file_mapping_has_its_address_as_offset(kernel):
    """Row 30: the space has nothing to do with the file."""
    libc = kernel.file("libc", 8)
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=A, file=libc, offset=5 * PAGE)
    parent.write(A + PAGE, 7)
    page = parent.page(A + PAGE)
    assert (page.index, page.mapping) == (A // PAGE + 1, "space 1")
    assert len(libc.vmas) == 1
    assert listed(kernel) == {"space 1": [("parent", A)]}


def test_33_a_hole_is_in_neither_part_of_a_split_vma_and_is_not_visited(kernel, parent, child):
    """Row 33: the tree finds only what overlaps."""
    hole = A + 2 * PAGE
    parent.munmap(hole, PAGE)
    assert listed(kernel) == {"space 1": [("parent", A), ("child", A), ("parent", A + 3 * PAGE)]}
    assert walked(kernel, child.page(hole).pfn) == (1, 1, [("child", hole)])
    upper = child.page(A + 3 * PAGE)
    both = [("child", A + 3 * PAGE), ("parent", A + 3 * PAGE)]
    assert walked(kernel, upper.pfn) == (2, 2, both), "its offset was advanced"


def test_34_new_memory_at_the_same_address_is_a_false_candidate(kernel, parent, child):
    """Row 34: the same tree, the same offset, another pfn."""
    old = child.page(A)
    parent.munmap(A, 5 * PAGE)
    parent.mmap(5 * PAGE, at=A)
    parent.write(A, 70)
    new = parent.page(A)
    assert (new.pfn != old.pfn, new.index, new.mapping) == (True, old.index, old.mapping)
    assert looks_in(kernel, old.pfn) == [("child", A), ("parent", A)]
    assert walked(kernel, new.pfn) == (2, 2, [("parent", A)]), "the child is probed in vain"


def test_34_new_memory_where_a_moved_vma_was_shares_its_offsets(kernel, parent):
    """Row 34 and section 4: two different pages of one mm with one index."""
    parent.mremap(A, 5 * PAGE, new=B)
    parent.mmap(5 * PAGE, at=A)
    parent.write(A, 70)
    old, new = parent.page(B), parent.page(A)
    assert (old.index, old.mapping) == (new.index, new.mapping)
    assert looks_in(kernel, old.pfn) == looks_in(kernel, new.pfn) == [("parent", B), ("parent", A)]
    assert walked(kernel, old.pfn)[2] == [("parent", B)]
    assert walked(kernel, new.pfn)[2] == [("parent", A)]


@pytest.mark.parametrize("who", ["parent", "child"])
def test_35_the_pieces_that_mprotect_makes_cost_no_walk_and_merge_again(kernel, parent, child, who):
    """Row 35: one process in s pieces still costs one node."""
    task = kernel.processes[who]
    before = kernel.snapshot().mms
    task.mprotect(A + PAGE, PAGE, "r")
    task.mprotect(A + 3 * PAGE, PAGE, "none")
    assert len(listed(kernel)["space 1"]) == 6
    assert walked(kernel, task.page(A + PAGE).pfn)[:2] == (2, 2)
    task.mprotect(A, 5 * PAGE, "rw")
    assert kernel.snapshot().mms == before


def test_36_two_written_vmas_merge_if_and_only_if_their_offsets_go_on(kernel):
    """Row 36: there is only one space, so nothing else is asked."""
    alone = kernel.spawn("alone")
    alone.mmap(PAGE, at=A + PAGE)
    alone.write(A + PAGE, 1)
    alone.mremap(A + PAGE, PAGE, new=C)
    alone.mmap(PAGE, at=A)
    alone.write(A, 0)
    alone.mremap(C, PAGE, new=A + PAGE)
    assert [vma.npages for vma in alone.mm.vmas] == [2]
    alone.mmap(PAGE, at=B)
    alone.write(B, 5)
    alone.mremap(B, PAGE, new=A + 2 * PAGE)
    assert [vma.npages for vma in alone.mm.vmas] == [2, 1]
    assert alone.read_range(A, 3 * PAGE).tolist() == [0, 1, 5]
    assert copies(kernel)["mremap"] == 0


def test_36_offsets_in_a_file_that_go_on_are_not_offsets_in_the_space_that_go_on(kernel):
    """Row 36 and row 30: a private file mapping has its address as offset."""
    libc = kernel.file("libc", 2)
    alone = kernel.spawn("alone")
    for page, addr in enumerate((A, C)):
        alone.mmap(PAGE, at=addr, file=libc, offset=page * PAGE)
        alone.write(addr, 70 + page)
    alone.mremap(C, PAGE, new=A + PAGE)
    assert [vma.npages for vma in alone.mm.vmas] == [1, 1]
    assert (alone.page(A).index, alone.page(A + PAGE).index) == (A // PAGE, C // PAGE)
