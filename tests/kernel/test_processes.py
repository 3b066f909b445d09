"""spawn, fork, vfork, clone, execve and exit: who has which memory, and what is left at the end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from watched import PAGE, STEADY, A, B, copies, kept, truth

from anonlab import (
    GEOMETRIES,
    LESSON,
    X86_64,
    Geometry,
    InvalidArgument,
    Kernel,
    OutOfMemory,
    SegmentationFault,
    check,
    scan,
)
from anonlab.machine.words import pte_letters


@pytest.mark.parametrize(
    "geometry", [*GEOMETRIES.values(), Geometry(1, 8), Geometry(3, 4)], ids=repr
)
def test_a_child_has_its_parents_memory_and_each_writes_its_own(geometry):
    kernel = Kernel(geometry=geometry)
    parent = kernel.spawn("parent")
    at = parent.mmap(4 * PAGE)
    parent.write_range(at, [1, 2, 3, 4])
    child = parent.fork("child")
    assert child.read_range(at, 4 * PAGE).tolist() == [1, 2, 3, 4]
    child.write(at, 10)
    parent.write(at + PAGE, 20)
    assert child.read_range(at, 4 * PAGE).tolist() == [10, 2, 3, 4]
    assert parent.read_range(at, 4 * PAGE).tolist() == [1, 20, 3, 4]
    assert copies(kernel)["cow"] == 2


def test_a_childs_pages_are_not_accessed_yet_and_the_parents_stay_so():
    """copy_one_pte: pte_wrprotect and pte_mkold; what is dirty stays dirty on both sides."""
    kernel = Kernel()
    parent = kernel.spawn("parent")
    parent.mmap(3 * PAGE, at=A)
    parent.write_range(A, [1, 2])
    parent.read(A + 2 * PAGE)  # the zero page
    child = parent.fork("child")
    child.read(A + PAGE)
    truth = scan(kernel)
    words = zip(truth.mms.tolist(), map(pte_letters, truth.words.tolist()), strict=True)
    assert list(words) == [
        *((parent.mm.number, letters) for letters in ("P-UAD", "P-UAD", "P-UA-")),
        *((child.mm.number, letters) for letters in ("P-U-D", "P-UAD", "P-U--")),
    ]


def test_a_childs_shared_pages_are_clean_and_the_parents_stay_dirty():
    """copy_one_pte: pte_mkclean where VM_SHARED."""
    kernel = Kernel()
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A, shared=True)
    parent.write(A, 7)
    child = parent.fork("child")
    assert list(map(pte_letters, scan(kernel).words.tolist())) == ["PWUAD", "PWU--"]
    child.write(A, 8)
    assert list(map(pte_letters, scan(kernel).words.tolist())) == ["PWUAD", "PWUAD"]


def test_the_writer_gets_the_copy_and_the_other_keeps_the_page():
    kernel = Kernel()
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=A)
    parent.write_range(A, [1, 2])
    child = parent.fork("child")
    first, second = parent.page(A).pfn, parent.page(A + PAGE).pfn
    child.write(A, 5)
    parent.write(A + PAGE, 6)
    assert (parent.page(A).pfn, child.page(A + PAGE).pfn) == (first, second)
    parent.write(A, 7)
    child.write(A + PAGE, 8)
    assert (parent.page(A).pfn, child.page(A + PAGE).pfn) == (first, second), "both in place"
    assert copies(kernel)["cow"] == 2


def test_fork_write_protects_private_pages_on_both_sides_and_shared_ones_on_none():
    kernel = Kernel()
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.mmap(PAGE, at=B, shared=True)
    parent.write(A, 1)
    parent.write(B, 2)
    child = parent.fork("child")
    for task in (parent, child):
        private, shared = (int(kernel.tables.lookup(task.mm.pgd, at // PAGE)) for at in (A, B))
        assert private & 2 == 0
        assert shared & 2 == 2


def test_a_child_does_not_inherit_locks_and_pins():
    kernel = Kernel()
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.mlock(A, PAGE)
    parent.pin(A)
    child = parent.fork("child")
    assert [vma.locked for vma in parent.mm.vmas] == [True]
    assert [vma.locked for vma in child.mm.vmas] == [False]
    assert {mm for mm, _ in kernel.pins} == {parent.mm.number}


def test_fork_duplicates_swap_entries_and_touches_no_frame():
    kernel = Kernel()
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 1)
    parent.swap_out(A)
    frames = kernel.mem_map.nfree
    child = parent.fork("child")
    assert kernel.mem_map.nfree == frames
    assert kept(kernel, child, A) == "swap"
    assert kernel.swap.map[1] == 2
    assert child.read(A) == parent.read(A) == 1
    assert child.page(A).pfn == parent.page(A).pfn


def test_the_heap_is_inherited_and_grows_apart():
    kernel = Kernel()
    parent = kernel.spawn("parent")
    start = parent.brk()
    parent.brk(start + 100)
    assert parent.brk() == start + PAGE, "whole pages"
    parent.write(start, 1)
    child = parent.fork("child")
    assert child.brk() == parent.brk()
    child.brk(start + 3 * PAGE)
    child.write(start + 2 * PAGE, 2)
    assert parent.brk() == start + PAGE
    with pytest.raises(SegmentationFault):
        parent.read(start + 2 * PAGE)
    child.brk(start)
    with pytest.raises(SegmentationFault):
        child.read(start)
    child.brk(start + PAGE)
    assert child.read(start) == 0
    assert parent.read(start) == 1


def test_a_vfork_child_runs_in_its_parents_memory_until_execve():
    kernel = Kernel()
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    child = parent.vfork("child")
    child.write(A, 5)
    child.mmap(PAGE, at=B)
    assert parent.read(A) == 5
    parent.write(B, 6)
    child.execve("ls")
    assert child.page(A) is None
    assert (parent.read(A), parent.read(B)) == (5, 6)
    assert parent.mm is not child.mm
    assert (parent.mm.users, child.mm.users) == (1, 1)


@pytest.mark.parametrize("first", ["parent", "thread"])
def test_memory_goes_with_its_last_user(first):
    kernel = Kernel()
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 5)
    thread = parent.clone_vm("thread")
    pfn = parent.page(A).pfn
    goes, stays = (parent, thread) if first == "parent" else (thread, parent)
    goes.exit()
    assert stays.read(A) == 5
    assert truth(kernel, pfn) == [(stays.name, A)]
    assert [task.name for task, _ in kernel.mappers(pfn)] == [stays.name]
    stays.exit()
    assert kernel.mem_map.count[pfn] == 0


def test_execve_leaves_nothing_of_the_old_program_but_its_name_and_its_number():
    kernel = Kernel()
    shell = kernel.spawn("shell")
    shell.mmap(4 * PAGE, at=A)
    shell.mmap(PAGE, at=B, shared=True)
    shell.write_range(A, [1, 2, 3, 4])
    shell.write(B, 5)
    shell.swap_out(A, 2 * PAGE)
    shell.pin(A + 2 * PAGE)
    shell.brk(shell.brk() + PAGE)
    pid = shell.pid
    shell.execve("ls", 1)
    assert (shell.name, shell.pid, shell.program) == ("shell", pid, "ls")
    assert shell.brk() == 0x10000
    shot = kernel.snapshot()
    assert shot.pfn.size == 2, "the zero page and the stack"
    assert not shot.swap_slot.size
    assert not shot.files
    assert not kernel.pins
    assert len(shell.mm.vmas) == 1


def test_argument_pages_are_written_and_differ_by_program():
    kernel = Kernel()
    one, two = kernel.spawn("one"), kernel.spawn("two")
    top = LESSON.task_npages * PAGE
    one.execve("ls")
    two.execve("wc")
    tags = [task.read_range(top - 2 * PAGE, 2 * PAGE).tolist() for task in (one, two)]
    assert len({*tags[0], *tags[1], 0}) == 5
    shell = kernel.spawn("three")
    shell.execve("ls")
    assert shell.read_range(top - 2 * PAGE, 2 * PAGE).tolist() == tags[0]


def test_a_failed_execve_leaves_the_old_program_running():
    kernel = Kernel(frames=4, swap=0)
    shell = kernel.spawn("shell")
    shell.mmap(2 * PAGE, at=A)
    shell.write_range(A, [1, 2])
    with pytest.raises(Exception, match="shell: ENOMEM: execve needs 2 frames, 1 of 4 is free"):
        shell.execve("ls", 2)
    assert (shell.program, shell.read(A)) == ("", 1)


def test_the_stack_grows_down_as_far_as_its_limit():
    kernel = Kernel()
    shell = kernel.spawn("shell")
    shell.execve("ls", 2)
    limit = kernel.stack_npages
    top = LESSON.task_npages
    lowest = (top - limit) * PAGE
    shell.write(lowest, 1)
    (stack,) = shell.mm.vmas
    assert (stack.start_vpn, stack.npages) == (top - limit, limit)
    with pytest.raises(SegmentationFault, match="no VMA there"):
        shell.write(lowest - PAGE, 1)
    assert kept(kernel, shell, lowest + PAGE) == "nothing", "only what was touched has a page"


@pytest.mark.parametrize("call", ["read", "write", "pin"])
def test_any_access_below_a_stack_grows_it(call):
    kernel = Kernel()
    task = kernel.spawn("p")
    task.mmap(2 * PAGE, at=A, growsdown=True)
    below = A - 2 * PAGE
    {"read": task.read, "write": lambda at: task.write(at, 1), "pin": task.pin}[call](below)
    assert task.mm.vmas[0].start_vpn == below // PAGE
    assert (task.page(below).pfn == 0) == (call == "read"), "a device wants a page of its own"


@pytest.mark.parametrize(
    ("prot", "growsdown", "grows"),
    [("r", False, 257), ("x", False, 257), ("r", True, 1), ("none", False, 1)],
)
def test_a_stack_leaves_a_guard_gap_above_what_may_be_touched(prot, growsdown, grows):
    """256 pages (stack_guard_gap); a stack below, and what nobody may touch, may be its
    neighbours."""
    kernel = Kernel(geometry=X86_64)
    task = kernel.spawn("p")
    stack, below = A + 1000 * PAGE, A + 400 * PAGE
    task.mmap(PAGE, at=stack, growsdown=True)
    task.mmap(PAGE, at=below, prot=prot, growsdown=growsdown)
    task.write(below + grows * PAGE, 1)
    with pytest.raises(SegmentationFault, match="no VMA there" if grows > 1 else "does not allow"):
        task.write(below + (grows - 1) * PAGE, 1)
    assert [vma.npages for vma in task.mm.vmas] == [1, 601 - grows]


def test_the_guard_gap_of_a_lesson_is_as_large_as_its_stacks_are_small():
    task = Kernel().spawn("p")
    task.mmap(PAGE, at=A, growsdown=True)
    task.mmap(PAGE, at=A - 4 * PAGE, prot="r")
    task.write(A - PAGE, 1)
    with pytest.raises(SegmentationFault, match="0x2e000: no VMA there"):
        task.write(A - 2 * PAGE, 1)


def test_a_stack_that_was_only_read_below_has_its_anon_vma_all_the_same():
    """expand_stack prepares it, so that the VMA's offset can change under a lock."""
    task = Kernel("anon_vma_chain").spawn("p")
    task.mmap(PAGE, at=A, growsdown=True)
    task.read(A - PAGE)
    assert task.mm.vmas[0].rmap is not None


def test_the_heap_leaves_a_page_below_its_neighbour_and_a_gap_below_a_stack():
    task = Kernel(geometry=X86_64).spawn("p")
    heap = task.brk()
    task.mmap(PAGE, at=heap + 300 * PAGE, growsdown=True)
    assert task.brk(heap + 43 * PAGE) == heap + 43 * PAGE
    with pytest.raises(OutOfMemory, match="in the way"):
        task.brk(heap + 44 * PAGE)
    task.munmap(heap + 300 * PAGE, PAGE)
    task.mmap(PAGE, at=heap + 300 * PAGE)
    with pytest.raises(OutOfMemory, match="in the way"):
        task.brk(heap + 300 * PAGE)
    assert task.brk(heap + 299 * PAGE) == heap + 299 * PAGE
    task.munmap(heap, 299 * PAGE)
    with pytest.raises(InvalidArgument, match="nothing is mapped above that"):
        task.brk(heap)


def test_processes_that_come_from_nowhere_share_nothing():
    kernel = Kernel()
    one, two = kernel.spawn(), kernel.spawn()
    assert (one.name, two.name) == ("p1", "p2")
    for task, tag in ((one, 1), (two, 2)):
        task.mmap(PAGE, at=A)
        task.write(A, tag)
    assert (one.read(A), two.read(A)) == (1, 2)
    assert one.page(A).mapping != two.page(A).mapping
    assert one.page(A).index == two.page(A).index


@pytest.mark.parametrize("name", GEOMETRIES)
def test_when_all_have_exited_the_machine_is_as_empty_as_a_new_one(name):
    kernel = Kernel(geometry=GEOMETRIES[name])
    new = kernel.snapshot()
    tasks = [kernel.spawn("p")]
    at = tasks[0].mmap(6 * PAGE)
    tasks[0].mmap(2 * PAGE, at=A, shared=True)
    tasks[0].write(A, 3)
    tasks[0].write_range(at, [1, 2, 3])
    tasks += [tasks[0].fork("a"), tasks[0].vfork("b")]
    tasks.append(tasks[1].fork("c"))
    tasks[3].write_range(at, [7] * 6)
    tasks[1].swap_out(at, 3 * PAGE)
    tasks[3].mremap(at, 6 * PAGE)
    tasks[1].read(at)
    tasks[1].pin(at)
    tasks[3].execve("ls")
    for task in tasks:
        task.exit()
    end = kernel.snapshot()
    for column in ("pfn", "count", "flags", "row", "word", "swap_slot", "mms", "nodes", "files"):
        assert list(getattr(end, column)) == list(getattr(new, column)), column
    assert kernel.tables.nused == 0
    assert kernel.mem_map.nfree == 63
    assert not kernel.mm_table.pgd.any()
    assert not kernel.mm_table.rss.any()
    assert not kernel.pins


def test_a_reservation_of_terabytes_costs_what_was_touched_of_it():
    """As sanitizers and garbage collectors make them; with one page in use at either end."""
    kernel = Kernel(geometry=GEOMETRIES["x86_64"])
    parent = kernel.spawn("parent")
    size = 1 << 45
    at = parent.mmap(size)
    ends = at, at + size - PAGE
    for end in ends:
        parent.write(end, 7)
    child = parent.fork("child")
    child.mprotect(at, size // 2, "r")
    new = child.mremap(at + size // 2, size // 2, new=at + 2 * size)
    assert child.read(new + size // 2 - PAGE) == child.read(at) == 7
    parent.swap_out(at)
    child.madvise(at, size // 2)
    assert kernel.reclaim(1) == 1
    kernel.swapoff()
    assert [parent.read(end) for end in ends] == [7, 7]
    parent.munmap(at, size)
    child.exit()
    assert kernel.mem_map.nfree == 63


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(1, 99)), max_size=25))
@settings(STEADY, max_examples=60)
def test_no_process_ever_sees_what_another_wrote(steps):
    """Forks and writes in any order, against one plain list per process."""
    kernel = Kernel(frames=200)
    tasks = [kernel.spawn("first")]
    tasks[0].mmap(4 * PAGE, at=A)
    memory = [[0] * 4]
    for who, page, tag in steps:
        who %= len(tasks)
        if tag % 4 == 0 and len(tasks) < 6:
            tasks.append(tasks[who].fork())
            memory.append(memory[who].copy())
        else:
            tasks[who].write(A + page * PAGE, tag)
            memory[who][page] = tag
    check(kernel)
    for task, tags in zip(tasks, memory, strict=True):
        assert task.read_range(A, 4 * PAGE).tolist() == tags
