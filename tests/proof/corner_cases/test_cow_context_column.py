"""Column G, cow_context: a tree of contexts, one for each address space, and what they have moved.

The rows in which G ends like other columns are in test_columns.py, test_columns_moves.py and
test_columns_homes.py.
"""

from __future__ import annotations

import pytest
from structure import edges, facts, listed, looks_in
from watched import PAGE, A, B, C, copies, walked, written

from anonlab import Kernel, Task
from anonlab.rmap import CowContext


@pytest.fixture
def kernel() -> Kernel:
    return Kernel("cow_context")


@pytest.fixture
def parent(kernel: Kernel) -> Task:
    return written(kernel, range(10, 15))


def remaps(kernel: Kernel) -> dict[str, int]:
    """Entries in the table of each context."""
    return {name: int(facts(kernel, name)["remaps"]) for name in listed(kernel)}


def test_01_mremap_makes_one_entry_in_the_movers_table_however_much_moves(kernel, parent):
    """Rows 1 to 3: no page is touched."""
    cost = kernel.design.cost
    before = cost.allocs, cost.links, cost.bytes64
    parent.mremap(A, 5 * PAGE, new=B)
    assert (cost.allocs - before[0], cost.links - before[1]) == (1, 0)
    assert cost.bytes64 - before[2] == 32
    assert remaps(kernel) == {"context 1": 1}


@pytest.mark.parametrize("mover", ["parent", "child"])
def test_02_03_the_entry_is_the_movers_alone(kernel, parent, child, mover):
    """Rows 2 and 3."""
    kernel.processes[mover].mremap(A, 5 * PAGE, new=B)
    assert remaps(kernel) == {
        "context 1": int(mover == "parent"),
        "context 2": int(mover == "child"),
    }
    assert sorted(looks_in(kernel, parent.page(B if mover == "parent" else A).pfn)) == sorted(
        [(mover, B), ("child" if mover == "parent" else "parent", A)]
    )


def test_07_the_entry_goes_when_the_vma_is_back_where_it_was(kernel, parent, child):
    """Rows 7 and 8: a displacement of 0 is no entry; a second move changes the entry."""
    for here, there, entries in ((A, B, 1), (B, C, 1), (C, A, 0)):
        child.mremap(here, 5 * PAGE, new=there)
        assert remaps(kernel) == {"context 1": 0, "context 2": entries}
    assert looks_in(kernel, parent.page(A).pfn) == [("parent", A), ("child", A)]


def test_a_fork_hands_the_entries_down(kernel, parent):
    """Section 10: for every displaced VMA the child's table gets an entry."""
    parent.mmap(PAGE, at=C)
    parent.write(C, 1)
    parent.mremap(A, 5 * PAGE, new=B)
    cost = kernel.design.cost
    before = cost.allocs, cost.links
    child = parent.fork("child")
    assert (cost.allocs - before[0], cost.links - before[1]) == (2, 1), "a context and an entry"
    assert remaps(kernel) == {"context 1": 1, "context 2": 1}
    assert walked(kernel, child.page(B).pfn) == (2, 2, [("child", B), ("parent", B)])


@pytest.mark.parametrize("rehome", [True, False])
def test_06_a_page_that_is_reused_moves_to_the_writers_context(rehome):
    """Row 6: from then on a walk visits the writer and its descendants only."""
    kernel = Kernel(CowContext(rehome_on_reuse=rehome))
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    children = [parent.fork(f"c{n}") for n in range(1, 4)]
    for task in (parent, *children[1:]):
        task.write(A, 70)
    first = children[0]
    pfn = first.page(A).pfn
    assert walked(kernel, pfn) == (4, 4, [("c1", A)])
    first.write(A, 80)
    page = first.page(A)
    assert (page.pfn, page.mapping) == (pfn, "context 2" if rehome else "context 1")
    assert walked(kernel, pfn)[:2] == ((1, 1) if rehome else (4, 4))


def test_19_a_fork_of_a_fork_of_a_fork_is_a_tree_of_depth_three(kernel, parent):
    """Row 19; the walk goes through it depth first, each child's subtree before the child."""
    g1 = parent.fork("g1")
    g1.fork("g2")
    g1.fork("g3")
    parent.fork("late")
    assert edges(kernel, "child") == [
        ("context 1", "context 2"),
        ("context 1", "context 5"),
        ("context 2", "context 3"),
        ("context 2", "context 4"),
    ]
    order = ["parent", "late", "g3", "g2", "g1"]
    assert looks_in(kernel, parent.page(A).pfn) == [(who, A) for who in order]


def test_20_a_child_that_execs_gets_a_context_without_parent(kernel, parent, child):
    """Row 20: the old one survives while it has children, and is visited without a probe."""
    grandchild = child.fork("grandchild")
    child.execve("other")
    assert edges(kernel, "child") == [("context 1", "context 2"), ("context 2", "context 3")]
    assert facts(kernel, "context 2")["refs"] == "1"
    assert edges(kernel, "mm") == [
        ("context 1", "mm 1"),
        ("context 3", "mm 3"),
        ("context 4", "mm 4"),
    ]
    assert walked(kernel, parent.page(A).pfn)[:2] == (2, 2), "the grandchild before its parent"
    grandchild.exit()
    assert sorted(listed(kernel)) == ["context 1", "context 4"]


def test_21_the_parents_context_survives_without_an_address_space(kernel, parent, child):
    """Row 21."""
    parent.exit()
    assert edges(kernel, "mm") == [("context 2", "mm 2")]
    assert facts(kernel, "context 1") == {"refs": "1", "remaps": "0"}
    assert walked(kernel, child.page(A).pfn) == (2, 1, [("child", A)])


def test_22_the_last_child_takes_its_dead_ancestors_along(kernel, parent, child):
    """Row 22: freeing cascades to the parents."""
    grandchild = child.fork("grandchild")
    child.exit()
    parent.exit()
    assert len(listed(kernel)) == 3
    grandchild.exit()
    assert listed(kernel) == {}
    assert kernel.design.cost.frees == kernel.design.cost.allocs == 3


def test_23_a_page_that_only_the_swap_cache_holds_names_no_context(kernel, parent, child):
    """Row 23; the draft says nothing of it, so I4 holds as for most designs."""
    parent.swap_out(A)
    child.read(A)
    pfn = child.page(A).pfn
    child.exit()
    assert (kernel.page(pfn).count, kernel.page(pfn).mapcount) == (1, 0)
    assert kernel.mem_map.mapping[pfn] == 0
    assert parent.read(A) == 10


def test_25_forks_without_exec_cost_one_context_and_own_pages_cost_nothing(kernel, parent):
    """Row 25: one allocation and one link, whatever is mapped."""
    parent.mmap(20 * PAGE, at=C)
    parent.write_range(C, range(20))
    cost = kernel.design.cost
    for n in range(1, 21):
        before = cost.links, cost.allocs
        child = parent.fork(f"c{n}")
        assert (cost.links - before[0], cost.allocs - before[1]) == (1, 1)
        child.write(A, 70)
        assert walked(kernel, child.page(A).pfn)[:2] == (1, 1)


@pytest.mark.parametrize(("offset", "entries"), [(5, 1), (A // PAGE, 0)])
def test_30_a_private_file_mapping_with_pages_of_its_own_counts_as_moved(offset, entries):
    """Row 30: its offsets are those of the file, unless they happen to be its addresses."""
    kernel = Kernel("cow_context")
    libc = kernel.file("libc", offset + 2)
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=A, file=libc, offset=offset * PAGE)
    parent.read(A)
    assert remaps(kernel) == {"context 1": 0}, "only if it has pages of its own"
    parent.write(A + PAGE, 7)
    page = parent.page(A + PAGE)
    assert (page.index, page.mapping) == (offset + 1, "context 1")
    assert remaps(kernel) == {"context 1": entries}
    parent.fork("child")
    assert remaps(kernel) == {"context 1": entries, "context 2": entries}
    assert walked(kernel, page.pfn)[:2] == (2, 2)


def test_33_a_hole_is_not_probed_and_a_split_rewrites_the_entries(kernel, parent, child):
    """Row 33."""
    child.mremap(A, 5 * PAGE, new=B)
    child.munmap(B + 2 * PAGE, PAGE)
    assert remaps(kernel) == {"context 1": 0, "context 2": 2}
    assert walked(kernel, parent.page(A + 2 * PAGE).pfn) == (1, 1, [("parent", A + 2 * PAGE)])
    assert looks_in(kernel, parent.page(A + 2 * PAGE).pfn) == [("parent", A + 2 * PAGE)]
    child.munmap(B, 5 * PAGE)
    assert remaps(kernel) == {"context 1": 0, "context 2": 0}


def test_34_new_memory_at_the_same_address_is_probed_and_has_another_pfn(kernel, parent, child):
    """Row 34."""
    old = child.page(A)
    parent.munmap(A, 5 * PAGE)
    parent.mmap(5 * PAGE, at=A)
    parent.write(A, 70)
    new = parent.page(A)
    assert (new.pfn != old.pfn, new.index, new.mapping) == (True, old.index, old.mapping)
    assert walked(kernel, old.pfn) == (2, 2, [("child", A)]), "the parent is probed in vain"
    assert walked(kernel, new.pfn) == (1, 1, [("parent", A)])


def test_34_in_one_context_displacement_0_is_tried_before_what_was_moved(kernel, parent):
    """Row 34 and section 10."""
    parent.mremap(A, 5 * PAGE, new=B)
    parent.mmap(5 * PAGE, at=A)
    parent.write(A, 70)
    assert looks_in(kernel, parent.page(B).pfn) == [("parent", A), ("parent", B)]
    assert walked(kernel, parent.page(B).pfn) == (1, 2, [("parent", B)]), "one context, two VMAs"


@pytest.mark.parametrize("who", ["parent", "child"])
def test_35_the_pieces_that_mprotect_makes_cost_no_walk_and_merge_again(kernel, parent, child, who):
    """Row 35; moved pieces have an entry each while they are apart."""
    task = kernel.processes[who]
    task.mremap(A, 5 * PAGE, new=B)
    before, entries = kernel.snapshot().mms, remaps(kernel)
    task.mprotect(B + PAGE, PAGE, "r")
    task.mprotect(B + 3 * PAGE, PAGE, "none")
    assert sum(remaps(kernel).values()) == 5
    assert walked(kernel, task.page(B).pfn)[:2] == (2, 2)
    task.mprotect(B, 5 * PAGE, "rw")
    assert (kernel.snapshot().mms, remaps(kernel)) == (before, entries)


def test_36_two_written_vmas_merge_where_their_offsets_go_on(kernel):
    """Row 36: nothing else keeps them apart, which is the aim of the draft."""
    alone = kernel.spawn("alone")
    alone.mmap(PAGE, at=A + PAGE)
    alone.write(A + PAGE, 1)
    alone.mremap(A + PAGE, PAGE, new=C)
    alone.mmap(PAGE, at=A)
    alone.write(A, 0)
    alone.mremap(C, PAGE, new=A + PAGE)
    assert [vma.npages for vma in alone.mm.vmas] == [2]
    assert remaps(kernel) == {"context 1": 0}
    alone.mmap(PAGE, at=B)
    alone.write(B, 5)
    alone.mremap(B, PAGE, new=A + 2 * PAGE)
    assert [vma.npages for vma in alone.mm.vmas] == [2, 1], "pgoff still decides"
    assert alone.read_range(A, 3 * PAGE).tolist() == [0, 1, 5]
    assert copies(kernel)["mremap"] == 0
