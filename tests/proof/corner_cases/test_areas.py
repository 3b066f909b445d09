"""Corner cases 33 to 35 and 37 to 39: VMAs come and go, the group does not notice."""

from __future__ import annotations

import pytest
from watched import PAGE, A, copies, kept, truth, walked

from anonlab import GEOMETRIES, AnonGroupOptions, Kernel


@pytest.fixture
def shared(either: Kernel):
    """Five pages that parent and child share."""
    parent = either.spawn("parent")
    parent.mmap(5 * PAGE, at=A)
    parent.write_range(A, range(5))
    return either, parent, parent.fork("child")


def test_33_after_munmap_of_the_middle_the_mm_is_still_asked_and_has_nothing_there(shared):
    kernel, parent, child = shared
    hole = A + 2 * PAGE
    pfn = parent.page(hole).pfn
    parent.munmap(hole, PAGE)
    assert len(parent.mm.vmas) == 2
    page = child.page(hole)
    assert (page.pfn, page.count, page.mapcount) == (pfn, 1, 1)
    assert walked(kernel, pfn) == (2, 2, [("child", hole)]), "the parent is probed in vain"
    assert walked(kernel, child.page(A).pfn) == (2, 2, [("child", A), ("parent", A)])


def test_34_a_new_page_at_the_same_address_is_probed_and_has_another_pfn(shared):
    kernel, parent, child = shared
    old = parent.page(A).pfn
    parent.munmap(A, PAGE)
    parent.mmap(PAGE, at=A)
    parent.write(A, 70)
    new = parent.page(A).pfn
    assert new != old
    assert parent.page(A).index == child.page(A).index
    assert walked(kernel, old) == (2, 2, [("child", A)])
    assert walked(kernel, new) == (1, 1, [("parent", A)])
    assert (parent.read(A), child.read(A)) == (70, 0)


def test_35_mprotect_into_pieces_and_back_has_no_effect(shared):
    kernel, parent, child = shared
    before = kernel.snapshot()
    parent.mprotect(A + PAGE, PAGE, "r")
    parent.mprotect(A + 3 * PAGE, PAGE, "none")
    assert [vma.npages for vma in parent.mm.vmas] == [1, 1, 1, 1, 1]
    for page in range(5):
        pfn = child.page(A + page * PAGE).pfn
        both = [("child", A + page * PAGE), ("parent", A + page * PAGE)]
        assert walked(kernel, pfn) == (2, 2, both)
    parent.mprotect(A, 5 * PAGE, "rw")
    assert len(parent.mm.vmas) == 1
    after = kernel.snapshot()
    assert after.mms == before.mms
    assert (after.word == before.word).all()
    assert (after.mapping == before.mapping).all()
    assert after.edges == before.edges


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("args", [1, 2, 5])
def test_37_the_stack_of_a_new_program_is_put_at_its_final_address_in_the_new_group(name, args):
    kernel = Kernel(geometry=GEOMETRIES[name])
    top = {"lesson": 0x100000, "x86_32": 0xC0000000, "x86_64": 0x7FFFFFFFF000}[name]
    shell = kernel.spawn("shell")
    child = shell.fork("child")
    child.execve("ls", args)
    (vma,) = child.mm.vmas
    assert (vma.start_vpn, vma.end_vpn, vma.growsdown) == (top // PAGE - args, top // PAGE, True)
    for page in range(args):
        at = top - (page + 1) * PAGE
        stack = child.page(at)
        assert (stack.index, stack.mapping, stack.count) == (at // PAGE, "group 2", 1)
        assert walked(kernel, stack.pfn) == (1, 1, [("child", at)])
    below = top - (args + 1) * PAGE
    child.write(below, 9)
    assert (vma.start_vpn, child.page(below).index) == (below // PAGE, below // PAGE)


@pytest.mark.parametrize("locker", ["parent", "child", "both"])
@pytest.mark.parametrize("walk_order", ["append", "head"])
def test_38_a_hit_in_a_locked_mapping_needs_find_vma_fails_and_stops_the_walk(locker, walk_order):
    """The group knows no VMAs, so each hit costs a find_vma; mappings that stand before the locked
    one in the list are gone by then and stay swap entries."""
    kernel = Kernel(AnonGroupOptions(walk_order=walk_order))
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    parent.mmap(PAGE, at=A + PAGE, prot="r")
    child = parent.fork("child")
    parent.mprotect(A, PAGE, "r")
    child.mprotect(A, PAGE, "r")  # mlock for reading does not break the sharing
    for task in (parent, child):
        if locker in (task.name, "both"):
            task.mlock(A, PAGE)
    pfn = parent.page(A).pfn
    order = [parent, child] if walk_order == "append" else [child, parent]
    finds = kernel.design.cost.vma_finds

    assert parent.swap_out(A) == 0, "no frame was freed"
    assert kernel.design.cost.vma_finds > finds
    expected = {task.name: "page" for task in order}
    for task in order:
        if locker in (task.name, "both"):
            break
        expected[task.name] = "swap"
    assert {task.name: kept(kernel, task, A) for task in order} == expected
    mapped = sorted((name, A) for name, what in expected.items() if what == "page")
    assert sorted(truth(kernel, pfn)) == mapped
    assert kernel.mem_map.mapcount[pfn] == len(mapped)
    assert (parent.read(A), child.read(A)) == (7, 7)
    assert parent.page(A).pfn == child.page(A).pfn == pfn
    assert copies(kernel) == {"cow": 0, "mremap": 0, "clash": 0}


def test_39_unmapping_takes_a_recently_used_page_like_any_other(either):
    """Column A has nothing to say here: the group's walk does not look at the accessed bit."""
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 1)
    child = parent.fork("child")
    word = int(either.tables.lookup(parent.mm.pgd, A // PAGE))
    assert word & 0x20, "the parent has just used it"
    assert parent.swap_out(A) == 1
    assert kept(either, parent, A) == kept(either, child, A) == "swap"
    assert child.read(A) == 1


def test_39_only_reclaim_spares_a_recently_used_page_once(either):
    parent = either.spawn("parent")
    parent.mmap(3 * PAGE, at=A)
    parent.write_range(A, [1, 2, 3])
    child = parent.fork("child")  # whose words are old
    parent.exit()
    child.read(A)
    assert either.reclaim(1) == 1
    assert [kept(either, child, A + n * PAGE) for n in range(3)] == ["page", "swap", "page"]
    assert either.reclaim(2) == 2, "but only once"
    assert child.read_range(A, 3 * PAGE).tolist() == [1, 2, 3]
