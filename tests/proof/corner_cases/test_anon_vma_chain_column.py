"""Column F, anon_vma_chain: an anon_vma for every VMA, and links to those of its ancestors.

The rows in which F ends like other columns are in test_columns.py, test_columns_moves.py and
test_columns_homes.py.
"""

from __future__ import annotations

import pytest
from structure import edges, facts, listed, looks_in
from watched import PAGE, A, B, C, copies, walked, written

from anonlab import Kernel, Task
from anonlab.proof.mutants import Mutant, planted
from anonlab.rmap import AnonVmaChain


@pytest.fixture
def kernel() -> Kernel:
    return Kernel("anon_vma_chain")


@pytest.fixture
def parent(kernel: Kernel) -> Task:
    return written(kernel, range(10, 15))


def links(kernel: Kernel) -> int:
    """How many links between VMAs and anon_vmas there are."""
    return sum(len(vmas) for vmas in listed(kernel).values())


@pytest.mark.parametrize(("who", "depth"), [("parent", 0), ("child", 1), ("grandchild", 2)])
def test_01_mremap_costs_as_many_links_as_the_vma_has_ancestors(kernel, parent, who, depth):
    """Row 1: d+1 links for the new VMA, as many unlinks for the old one, and no anon_vma."""
    parent.fork("child").fork("grandchild")
    cost = kernel.design.cost
    before = cost.links, cost.unlinks, cost.allocs, cost.bytes64
    kernel.processes[who].mremap(A, 5 * PAGE, new=B)
    after = cost.links, cost.unlinks, cost.allocs, cost.bytes64
    changes = [b - a for a, b in zip(before, after, strict=True)]
    assert changes == [depth + 1, depth + 1, depth + 1, 0]


@pytest.mark.parametrize("rehome", [True, False])
def test_06_a_page_that_is_reused_moves_to_the_writers_own_anon_vma(rehome):
    """Row 6: from then on a walk visits the writer and its descendants only."""
    kernel = Kernel(AnonVmaChain(rehome_on_reuse=rehome))
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    children = [parent.fork(f"c{n}") for n in range(1, 4)]
    for task in (parent, *children[:2]):
        task.write(A, 70)
    last = children[2]
    pfn = last.page(A).pfn
    assert walked(kernel, pfn) == (4, 4, [("c3", A)])
    last.write(A, 80)
    page = last.page(A)
    assert (page.pfn, page.index) == (pfn, A // PAGE)
    assert page.mapping == ("anon_vma 4" if rehome else "anon_vma 1")
    assert walked(kernel, pfn)[:2] == ((1, 1) if rehome else (4, 4))


def test_06_a_page_that_is_exclusive_already_is_not_moved(kernel, parent, child):
    """Row 6: folio_move_anon_rmap belongs to the test, not to the write."""
    parent.write(A, 70)
    child.write(A, 80)
    home = child.page(A).mapping
    child.mprotect(A, PAGE, "r")
    child.mprotect(A, PAGE, "rw")
    child.write(A, 81)
    assert child.page(A).mapping == home == "anon_vma 2"


def test_19_a_fork_of_a_fork_of_a_fork_is_a_tree_of_depth_three(kernel, parent):
    """Row 19."""
    g1 = parent.fork("g1")
    g2 = g1.fork("g2")
    g2.fork("g3")
    assert edges(kernel, "parent") == [
        ("anon_vma 2", "anon_vma 1"),
        ("anon_vma 3", "anon_vma 2"),
        ("anon_vma 4", "anon_vma 3"),
    ]
    assert listed(kernel) == {
        "anon_vma 1": [("parent", A), ("g1", A), ("g2", A), ("g3", A)],
        "anon_vma 2": [("g1", A), ("g2", A), ("g3", A)],
        "anon_vma 3": [("g2", A), ("g3", A)],
        "anon_vma 4": [("g3", A)],
    }
    assert facts(kernel, "anon_vma 1") == {"children": "2", "active": "1", "refs": "4"}


def test_20_the_vmas_of_a_child_that_execs_are_unlinked(kernel, parent, child):
    """Row 20: its anon_vma stays while the grandchild is linked to it."""
    child.fork("grandchild")
    child.execve("other")
    trees = listed(kernel)
    assert trees["anon_vma 1"] == [("parent", A), ("grandchild", A)]
    assert trees["anon_vma 2"] == [("grandchild", A)]
    assert facts(kernel, "anon_vma 2")["active"] == "0"
    assert walked(kernel, parent.page(A).pfn)[:2] == (2, 2)


def test_21_the_root_survives_the_parent_that_made_it(kernel, parent, child):
    """Row 21: by its references; no VMA owns it any more."""
    child.write(A, 70)
    parent.exit()
    assert listed(kernel) == {"anon_vma 1": [("child", A)], "anon_vma 2": [("child", A)]}
    assert facts(kernel, "anon_vma 1") == {"children": "2", "active": "0", "refs": "2"}
    assert child.page(A + PAGE).mapping == "anon_vma 1"
    assert walked(kernel, child.page(A + PAGE).pfn) == (1, 1, [("child", A + PAGE)])


def test_21_the_next_fork_takes_over_an_anon_vma_that_nobody_owns(kernel, parent, child):
    """Row 21 and section 9: fewer than two children and no VMA of its own; never the root."""
    grandchild = child.fork("grandchild")
    parent.exit()
    child.exit()
    assert sorted(listed(kernel)) == ["anon_vma 1", "anon_vma 2", "anon_vma 3"]
    cost = kernel.design.cost
    allocs = cost.allocs
    grandchild.fork("next")
    assert cost.allocs - allocs == 3, "three links, and no anon_vma"
    assert facts(kernel, "anon_vma 2") == {"children": "1", "active": "1", "refs": "1"}
    assert sorted(listed(kernel)) == ["anon_vma 1", "anon_vma 2", "anon_vma 3"]


def test_21_an_anon_vma_with_two_children_is_not_taken_over(kernel, parent, child):
    """Row 21: it would be the own anon_vma of one and an ancestor of two."""
    first, second = child.fork("first"), child.fork("second")
    parent.exit()
    child.exit()
    assert facts(kernel, "anon_vma 2") == {"children": "2", "active": "0", "refs": "1"}
    first.fork("next")
    assert facts(kernel, "anon_vma 2")["active"] == "0"
    second.exit()
    assert facts(kernel, "anon_vma 2")["children"] == "1"
    first.fork("after")
    assert facts(kernel, "anon_vma 2")["active"] == "1"


def test_21_an_anon_vma_that_a_part_still_owns_is_not_taken_over(kernel, parent, child):
    """Row 21 and commit 2555283eb40d: one child, but a VMA of its own."""
    grandchild = child.fork("grandchild")
    grandchild.fork("next")
    assert facts(kernel, "anon_vma 2") == {"children": "1", "active": "1", "refs": "1"}
    assert len(listed(kernel)) == 4


def test_21_of_two_that_nobody_owns_the_older_one_is_taken_over(kernel, parent, child):
    """Row 21: "the first old one met", and links are cloned oldest first."""
    last = child.fork("grandchild").fork("last")
    for name in ("parent", "child", "grandchild"):
        kernel.processes[name].exit()
    last.fork("next")
    owned = [facts(kernel, f"anon_vma {number}")["active"] for number in (1, 2, 3, 4)]
    assert owned == ["0", "1", "0", "1"]


def test_23_a_page_in_the_swap_cache_keeps_its_home_and_nobody_follows_it(kernel, parent, child):
    """Row 23: validity is tested by "is it still mapped"."""
    parent.swap_out(A)
    child.read(A)
    pfn = child.page(A).pfn
    home = int(kernel.mem_map.mapping[pfn])
    child.exit()
    page = kernel.page(pfn)
    assert (page.count, page.mapcount) == (1, 0)
    assert kernel.mem_map.mapping[pfn] == home != 0
    assert walked(kernel, pfn) == (0, 0, [])
    assert parent.read(A) == 10
    assert (parent.page(A).pfn, parent.page(A).mapping) == (pfn, f"anon_vma {home}")


def test_25_forks_without_exec_cost_two_links_a_vma_and_own_pages_cost_nothing(kernel, parent):
    """Row 25: V·(d+1) links, V anon_vmas; inherited pages still cost all."""
    cost = kernel.design.cost
    for n in range(1, 21):
        before = cost.links, cost.allocs
        child = parent.fork(f"c{n}")
        assert (cost.links - before[0], cost.allocs - before[1]) == (2, 3)
        child.write(A, 70)
        assert walked(kernel, child.page(A).pfn)[:2] == (1, 1)
        assert walked(kernel, child.page(A + PAGE).pfn)[:2] == (n + 1, n + 1)


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


def test_33_a_split_clones_the_links_and_the_hole_is_not_visited(kernel, parent, child):
    """Row 33: d+1 links more."""
    grandchild = child.fork("grandchild")
    hole = A + 2 * PAGE
    before = links(kernel)
    grandchild.munmap(hole, PAGE)
    assert links(kernel) == before + 3
    pfn = parent.page(hole).pfn
    assert looks_in(kernel, pfn) == [("parent", hole), ("child", hole)]
    assert walked(kernel, pfn)[:2] == (2, 2)
    assert facts(kernel, "anon_vma 3")["active"] == "2"


@pytest.mark.parametrize(("who", "shares"), [("parent", True), ("child", False)])
def test_34_new_memory_beside_a_vma_shares_its_anon_vma_only_if_it_was_never_inherited(
    kernel, parent, child, who, shares
):
    """Row 34: a VMA that came by fork has more than one link and lends none of them."""
    task, other = (parent, child) if who == "parent" else (child, parent)
    old = other.page(A).pfn
    task.munmap(A, PAGE)
    task.mmap(PAGE, at=A)
    task.write(A, 70)
    assert task.page(A).mapping == ("anon_vma 1" if shares else "anon_vma 3")
    assert ((task.name, A) in looks_in(kernel, old)) == shares
    assert walked(kernel, old)[2] == [(other.name, A)]
    assert walked(kernel, task.page(A).pfn)[2] == [(task.name, A)]


@pytest.mark.parametrize("who", ["parent", "child"])
def test_35_the_pieces_that_mprotect_makes_have_equal_chains_and_merge_again(
    kernel, parent, child, who
):
    """Row 35: they own one anon_vma together. One process in s pieces still costs one node."""
    task = kernel.processes[who]
    before, nlinks = kernel.snapshot().mms, links(kernel)
    task.mprotect(A + PAGE, PAGE, "r")
    task.mprotect(A + 3 * PAGE, PAGE, "none")
    assert len(task.mm.vmas) == 5
    assert walked(kernel, task.page(A).pfn)[:2] == (2, 2)
    task.mprotect(A, 5 * PAGE, "rw")
    assert kernel.snapshot().mms == before
    assert links(kernel) == nlinks


@pytest.mark.parametrize(("who", "merges"), [("parent", True), ("child", False)])
def test_35_untouched_memory_merges_only_with_a_vma_of_a_single_link(
    kernel, parent, child, who, merges
):
    """Row 35, merging: a VMA that came by fork stays alone, below and above."""
    task = kernel.processes[who]
    task.mmap(PAGE, at=A + 5 * PAGE)
    task.mmap(PAGE, at=A - PAGE)
    assert len(task.mm.vmas) == (1 if merges else 3)
    task.write(A - PAGE, 70)
    assert task.page(A - PAGE).mapping == ("anon_vma 1" if merges else "anon_vma 3")
    assert len(task.mm.vmas) == (1 if merges else 3)


def test_36_two_written_vmas_that_mremap_brings_together_do_not_merge(kernel):
    """Row 36: unless their pages were visited (MREMAP_RELOCATE_ANON, not part of this machine)."""
    alone = kernel.spawn("alone")
    alone.mmap(PAGE, at=A + PAGE)
    alone.write(A + PAGE, 1)
    alone.mremap(A + PAGE, PAGE, new=C)
    alone.mmap(PAGE, at=A)
    alone.write(A, 0)
    alone.mremap(C, PAGE, new=A + PAGE)
    assert [vma.npages for vma in alone.mm.vmas] == [1, 1], "although the offsets go on"
    assert len(listed(kernel)) == 2
    assert copies(kernel)["mremap"] == 0


def test_an_anon_vma_that_a_vma_owns_must_not_be_taken_over_by_another_mm(parent):
    """Row 21 and row 17 of the mutants: all relatives would end up on one list, as before 2010, and
    no count would tell."""
    rule = "anon.num_children < 2 and anon.num_active_vmas == 0"
    mutant = Mutant(AnonVmaChain.fork_vma, rule, "anon.num_children < 2")
    with (
        planted(mutant),
        pytest.raises(AssertionError, match="mm 1 and mm 2 both own anon_vma 1"),
    ):
        parent.fork("child")
