"""Corner cases that end alike where a VMA takes its offsets along (columns A2, E, F and G): the
last exit, shared address spaces, files, the stack, reclaim, and what this machine does not have."""

from __future__ import annotations

import pytest
from structure import listed, looks_in
from watched import PAGE, A, B, C, copies, kept, truth, walked, written

from anonlab import BusError, FormatError, Kernel, Task, run

NOTHING = {"cow": 0, "mremap": 0, "clash": 0}
FIRST = {
    "per_mm_space": "space 1",
    "anon_vma": "anon_vma 1",
    "anon_vma_chain": "anon_vma 1",
    "cow_context": "context 1",
}
"""What the first object of each design is called."""


@pytest.fixture
def parent(column: Kernel) -> Task:
    return written(column, [7])


def contents(name_number: int, page: int) -> int:
    """The tag that page `page` of the `name_number`-th file holds on disk."""
    return name_number * 2**32 + page + 1


def word(task: Task, addr: int) -> int:
    return int(task.kernel.tables.lookup(task.mm.pgd, addr // PAGE))


# Families


@pytest.mark.parametrize("forked", [False, True])
def test_22_pages_go_before_the_vmas_and_then_nothing_is_left(column, parent, forked, monkeypatch):
    """A mapped page implies a VMA on the list; an empty list is freed."""
    task = parent.fork("child") if forked else parent
    resident = []
    unlink, drop = column.design.unlink_vma, column.design.drop_mm
    monkeypatch.setattr(
        column.design,
        "unlink_vma",
        lambda vma: (resident.append(column.mm_table.rss[vma.mm.number]), unlink(vma)),
    )
    monkeypatch.setattr(
        column.design,
        "drop_mm",
        lambda mm: (resident.append(len(mm.vmas)), drop(mm)),
    )
    if forked:
        parent.exit()
    task.exit()
    assert resident == [0, 0] * (2 if forked else 1)
    assert (column.design.graph(), list(column.design.mapping_names())) == (([], []), [])
    cost = column.design.cost
    assert (cost.allocs - cost.frees, cost.bytes32, cost.bytes64) == (0, 0, 0)


@pytest.mark.parametrize("call", ["vfork", "clone_vm"])
def test_24_a_vfork_child_and_a_thread_add_nothing(column, parent, call):
    cost = column.design.cost
    before = (cost.links, cost.allocs, cost.bytes64, column.design.graph())
    other = getattr(parent, call)("other")
    assert (cost.links, cost.allocs, cost.bytes64, column.design.graph()) == before
    assert other.mm is parent.mm
    assert parent.page(A).mapcount == 1, "one address space, one word"
    pfn = parent.page(A).pfn
    other.write(A, 8)
    assert (parent.page(A).pfn, parent.read(A)) == (pfn, 8)


# The zero page and files


def test_26_a_read_of_untouched_private_memory_makes_no_object_for_the_vma(column):
    alone = column.spawn("alone")
    allocs = column.design.cost.allocs
    alone.mmap(PAGE, at=A)
    assert alone.read(A) == 0
    zero = alone.page(A)
    assert (zero.pfn, zero.index, zero.mapping, zero.mapcount) == (0, 0, "", 0)
    assert alone.mm.vmas[0].rmap is None
    assert column.design.cost.allocs == allocs
    child = alone.fork("child")
    child.mremap(A, PAGE, new=B)
    assert (child.page(B), child.mm.vmas[0].rmap) == (zero, None)
    assert walked(column, 0) == (0, 0, [])


def test_27_then_a_write_prepares_the_vma_and_makes_a_page_that_names_its_object(column):
    alone = column.spawn("alone")
    alone.mmap(PAGE, at=A)
    alone.read(A)
    alone.write(A, 7)
    page = alone.page(A)
    assert alone.mm.vmas[0].rmap is not None
    assert (page.index, page.mapping, page.count) == (A // PAGE, FIRST[column.design.name], 1)
    assert looks_in(column, page.pfn) == [("alone", A)]


def test_28_shared_anonymous_memory_is_a_file_and_makes_no_object_for_the_vma(column):
    alone = column.spawn("alone")
    allocs = column.design.cost.allocs
    alone.mmap(PAGE, at=A, shared=True)
    alone.write(A, 7)
    assert column.design.cost.allocs == allocs
    child = alone.fork("child")
    child.mremap(A, PAGE, new=B)
    page = child.page(B)
    assert (page.mapping, page.index, page.mapcount) == ("file shmem1", 0, 2)
    assert copies(column) == NOTHING
    assert walked(column, page.pfn) == (2, 2, [("alone", A), ("child", B)])
    assert not any(vma.rmap for task in (alone, child) for vma in task.mm.vmas)


def test_29_a_private_mapping_that_is_only_read_is_on_the_files_list_alone(column):
    libc = column.file("libc", 4)
    one, two = column.spawn("one"), column.spawn("two")
    one.mmap(2 * PAGE, at=A, file=libc, offset=PAGE)
    two.mmap(4 * PAGE, at=B, file=libc, prot="r")
    assert one.read(A + PAGE) == two.read(B + 2 * PAGE) == contents(1, 2)
    page = one.page(A + PAGE)
    assert page == two.page(B + 2 * PAGE), "two processes, one page"
    assert (page.index, page.mapping, page.mapcount) == (2, "file libc", 2)
    assert len(libc.vmas) == 2
    assert not any(vma.rmap for task in (one, two) for vma in task.mm.vmas)


@pytest.mark.parametrize("shared", [False, True])
def test_31_mremap_of_a_private_copy_of_a_file_page_changes_nothing_of_it(column, shared):
    libc = column.file("libc", 4)
    parent = column.spawn("parent")
    parent.mmap(2 * PAGE, at=A, file=libc, offset=PAGE)
    parent.write(A, 7)
    parent.read(A + PAGE)
    if shared:
        parent.fork("child")
    own, cached = parent.page(A), parent.page(A + PAGE)
    parent.mremap(A, 2 * PAGE, new=C)
    assert (parent.page(C), parent.page(C + PAGE)) == (own, cached)
    assert copies(column)["mremap"] == 0
    assert sorted(truth(column, own.pfn)) == walked(column, own.pfn)[2]
    assert len(walked(column, own.pfn)[2]) == 1 + shared


def test_32_truncate_takes_private_copies_too_and_the_next_touch_is_a_bus_error(column):
    libc = column.file("libc", 4)
    parent = column.spawn("parent")
    parent.mmap(4 * PAGE, at=A, file=libc)
    parent.write_range(A, [10, 11, 12, 13])
    child = parent.fork("child")
    parent.swap_out(A + 3 * PAGE)
    column.truncate(libc, 2)
    for task in (parent, child):
        assert [kept(column, task, A + n * PAGE) for n in (2, 3)] == ["nothing", "nothing"]
        assert task.read_range(A, 2 * PAGE).tolist() == [10, 11]
    sentence = f"child: SIGBUS: {A + 2 * PAGE:#x} is beyond the end of libc, which has 2 pages"
    with pytest.raises(BusError, match=sentence):
        child.write(A + 2 * PAGE, 1)
    assert not column.snapshot().swap_slot.size


# The stack, locks, reclaim


@pytest.mark.parametrize("args", [1, 3])
def test_37_the_stack_of_a_new_program_is_prepared_at_its_final_address(column, args):
    shell = column.spawn("shell")
    child = shell.fork("child")
    child.execve("ls", args)
    home = {
        "per_mm_space": "space 2",  # the shell has the first; the child had none of its own
        "anon_vma": "anon_vma 1",
        "anon_vma_chain": "anon_vma 1",
        "cow_context": "context 3",
    }[column.design.name]
    for at in range(0x100000 - args * PAGE, 0x100000, PAGE):
        stack = child.page(at)
        assert (stack.index, stack.mapping, stack.count) == (at // PAGE, home, 1)
        assert walked(column, stack.pfn) == (1, 1, [("child", at)])
    below = 0x100000 - (args + 1) * PAGE
    child.write(below, 9)
    assert (child.page(below).index, child.page(below).mapping) == (below // PAGE, home)
    assert len(child.mm.vmas) == 1


@pytest.mark.parametrize("locker", ["parent", "child", "both"])
def test_38_a_hit_in_a_locked_vma_ends_the_walk_and_the_vma_is_at_hand(
    column, parent, child, locker
):
    """No find_vma is paid for; mappings that the walk met before the locked one are swap entries
    by then."""
    for task in (parent, child):
        task.mprotect(A, PAGE, "r")  # mlock for reading does not break the sharing
        if locker in (task.name, "both"):
            task.mlock(A, PAGE)
    pfn = parent.page(A).pfn
    order = [name for name, _ in looks_in(column, pfn)]
    met = order.index(locker) if locker != "both" else 0
    assert parent.swap_out(A) == 0, "no frame was freed"
    assert [kept(column, column.processes[name], A) for name in order] == (
        ["swap"] * met + ["page"] * (2 - met)
    )
    assert column.design.cost.vma_finds == 0
    assert (parent.read(A), child.read(A)) == (7, 7)
    assert parent.page(A).pfn == child.page(A).pfn == pfn


def test_39_reclaim_spares_a_recently_used_page_once(column):
    parent = column.spawn("parent")
    parent.mmap(3 * PAGE, at=A)
    parent.write_range(A, [1, 2, 3])
    child = parent.fork("child")  # whose words are old
    parent.exit()
    child.read(A)
    assert column.reclaim(1) == 1
    assert [kept(column, child, A + n * PAGE) for n in range(3)] == ["page", "swap", "page"]
    assert column.reclaim(2) == 2, "but only once"
    assert child.read_range(A, 3 * PAGE).tolist() == [1, 2, 3]


def test_39_swap_out_by_name_takes_even_a_page_that_was_just_used(column, parent, child):
    assert word(parent, A) & 0x20, "the parent has just used it"
    assert parent.swap_out(A) == 1
    assert kept(column, parent, A) == kept(column, child, A) == "swap"


def test_47_page_referenced_finds_a_page_whose_first_owner_is_dead_and_moves_no_home(
    column, parent, child
):
    pfn, mapping = parent.page(A).pfn, int(column.mem_map.mapping[parent.page(A).pfn])
    child.read(A)
    parent.exit()
    assert column.page_referenced(pfn)
    assert not column.page_referenced(pfn), "the accessed bits are gone"
    assert column.mem_map.mapping[pfn] == mapping
    assert walked(column, pfn)[2] == [("child", A)]


# Not part of this machine

OUTSIDE = {
    40: ("p mmap 0x30000 4 hugetlb", "'hugetlb'"),
    41: ("p madvise 0x30000 4 mergeable", "'mergeable'"),
    42: ("p remap_file_pages 0x30000 4", "unknown verb 'remap_file_pages'"),
    44: ("p uffdio_move 0x30000 4", "unknown verb 'uffdio_move'"),
    48: ("p trylock 0x30000 4", "unknown verb 'trylock'"),
}


@pytest.mark.parametrize("row", OUTSIDE)
def test_40_41_42_44_48_what_is_not_part_of_this_machine_is_refused_by_name(column, row):
    line, name = OUTSIDE[row]
    with pytest.raises(FormatError, match=f"line 2: {name}"):
        run(f"p = spawn\n{line}\n", type(column.design)())


def test_41_a_design_says_that_it_cannot_represent_a_page_at_many_offsets(column):
    """KSM: one page at addresses that have nothing to do with each other."""
    assert "a page has one index" in column.design.cannot["KSM"]
    assert listed(column) == {}
