"""Swap-out, swap-in, swapoff, reclaim: pages leave memory and come back, whoever has them."""

from __future__ import annotations

import pytest
from watched import PAGE, A, B, C, copies, kept, truth

from anonlab import Kernel, OutOfMemory, Task


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def parent(kernel: Kernel) -> Task:
    """Four written pages at A."""
    task = kernel.spawn("parent")
    task.mmap(4 * PAGE, at=A)
    task.write_range(A, [1, 2, 3, 4])
    return task


def where(kernel: Kernel, task: Task, n: int = 4) -> list[str]:
    return [kept(kernel, task, A + page * PAGE) for page in range(n)]


def test_a_page_on_swap_has_no_frame_and_comes_back_with_its_contents(kernel, parent):
    free = kernel.mem_map.nfree
    assert parent.swap_out(A, 4 * PAGE) == 4
    assert kernel.mem_map.nfree == free + 4
    assert where(kernel, parent) == ["swap"] * 4
    assert sorted(kernel.swap.data[1:5].tolist()) == [1, 2, 3, 4]
    assert parent.read_range(A, 4 * PAGE).tolist() == [1, 2, 3, 4]
    assert where(kernel, parent) == ["page"] * 4


def test_a_shared_page_is_taken_from_all_and_comes_back_as_one(kernel, parent):
    child = parent.fork("child")
    other = child.fork("other")
    assert child.swap_out(A) == 1
    assert [kept(kernel, task, A) for task in (parent, child, other)] == ["swap"] * 3
    assert kernel.swap.map[1] == 3
    for task in (parent, child, other):
        assert task.read(A) == 1
    pfn = parent.page(A).pfn
    assert truth(kernel, pfn) == [("parent", A), ("child", A), ("other", A)]
    assert copies(kernel) == {"cow": 0, "mremap": 0, "clash": 0}


def test_a_write_to_a_swapped_page_copies_it_only_where_others_have_it(kernel, parent):
    child = parent.fork("child")
    parent.swap_out(A)
    child.write(A, 10)
    assert copies(kernel)["cow"] == 1
    assert kept(kernel, parent, A) == "swap"
    parent.write(A, 20)
    assert copies(kernel)["cow"] == 1, "the last one keeps the page"
    assert (parent.read(A), child.read(A)) == (20, 10)


def test_a_page_in_the_swap_cache_keeps_its_slot_until_the_last_user_goes(kernel, parent):
    child = parent.fork("child")
    parent.swap_out(A)
    parent.read(A)
    assert "swapcache" in parent.page(A).flags
    assert kernel.swap.map[1] == 2, "the cache, and the child"
    child.munmap(A, PAGE)
    assert kernel.swap.map[1] == 1
    parent.write(A, 7)
    parent.munmap(A, PAGE)
    assert kernel.swap.nused == 0


def test_a_cached_page_that_was_written_goes_out_with_its_new_contents(kernel, parent):
    parent.swap_out(A)
    parent.read(A)
    parent.write(A, 9)
    assert kernel.swap.map[1] == 1, "still in the cache"
    assert parent.swap_out(A) == 1
    assert kernel.swap.data[1] == 9
    assert parent.read(A) == 9


def test_the_zero_page_and_what_is_not_there_are_passed_over(kernel):
    task = kernel.spawn("p")
    task.mmap(2 * PAGE, at=A)
    task.read(A)
    assert task.swap_out(A, 2 * PAGE) == 0
    assert where(kernel, task, 2) == ["page", "nothing"]
    assert kernel.swap.nused == 0


def test_file_pages_go_back_to_their_file_and_take_no_slot(kernel):
    task = kernel.spawn("p")
    libc = kernel.file("libc", 3)
    task.mmap(3 * PAGE, at=A, file=libc, shared=True)
    task.write(A, 70)
    clean = task.read(A + PAGE)
    assert task.swap_out(A, 3 * PAGE) == 2
    assert where(kernel, task, 3) == ["nothing"] * 3
    assert libc.store[0] == 70, "a written page is written back"
    assert kernel.swap.nused == 0
    assert task.read_range(A, 2 * PAGE).tolist() == [70, clean]


def test_shared_memory_goes_to_a_slot_of_its_own_and_its_words_are_empty(kernel):
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A, shared=True)
    parent.write(A, 7)
    child = parent.fork("child")
    child.read(A)
    assert child.swap_out(A) == 1
    assert [kept(kernel, task, A) for task in (parent, child)] == ["nothing"] * 2
    assert kernel.swap.nused == 1
    child.write(A, 8)
    assert kernel.swap.nused == 0
    assert parent.read(A) == 8


@pytest.mark.parametrize("swapped", [False, True])
def test_shared_memory_is_freed_with_its_last_mapping(kernel, swapped):
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=A, shared=True)
    parent.write_range(A, [7, 8])
    child = parent.fork("child")
    parent.mremap(A, PAGE, new=B)
    parent.munmap(A + PAGE, PAGE)
    if swapped:
        child.swap_out(A)
    child.exit()
    assert list(kernel.files) == ["shmem1"]
    assert parent.read(B) == 7
    parent.munmap(B, PAGE)
    assert not kernel.files
    assert kernel.mem_map.nfree == 63
    assert kernel.swap.nused == 0


def test_a_pinned_page_keeps_its_frame_and_finds_it_again(kernel, parent):
    (dma,) = parent.pin(A)
    assert parent.swap_out(A) == 0
    assert kernel.mem_map.count[dma] > 0
    kernel.mem_map.data[dma] = 99  # the device writes
    assert parent.read(A) == 99
    assert parent.page(A).pfn == dma
    parent.unpin(A)
    assert parent.swap_out(A) == 1
    assert parent.read(A) == 99


@pytest.mark.parametrize("end", ["unpin", "exit", "execve"])
def test_a_pin_keeps_a_page_that_nobody_maps_until_it_is_dropped(kernel, parent, end):
    (dma,) = parent.pin(A)
    parent.pin(A)
    parent.munmap(A, PAGE)
    page = kernel.page(dma)
    assert (page.count, page.mapcount, page.data, page.mapping) == (2, 0, 1, "")
    if end == "unpin":
        parent.unpin(A)
        assert kernel.mem_map.count[dma] == 1
        parent.unpin(A)
    else:
        parent.exit() if end == "exit" else parent.execve("ls")
    assert not kernel.pins
    assert kernel.mem_map.nfree == {"unpin": 60, "exit": 63, "execve": 61}[end]


def test_a_pin_raises_count_and_not_mapcount(kernel, parent):
    before = parent.page(A)
    assert parent.pin(A, 2 * PAGE) == [before.pfn, parent.page(A + PAGE).pfn]
    after = parent.page(A)
    assert (after.count, after.mapcount) == (before.count + 1, before.mapcount)


def test_a_pin_writes_where_that_is_allowed_and_reads_elsewhere(kernel):
    task = kernel.spawn("p")
    libc = kernel.file("libc", 2)
    task.mmap(PAGE, at=A, prot="r")
    task.mmap(PAGE, at=A + PAGE)
    task.mmap(2 * PAGE, at=A + 2 * PAGE, file=libc)
    task.mprotect(A + 2 * PAGE, PAGE, "r")
    pfns = task.pin(A, 4 * PAGE)
    assert pfns[0] == 0, "the zero page, for reading"
    kinds = ["anon" in kernel.page(pfn).flags for pfn in pfns]
    assert kinds == [False, True, False, True]
    assert kernel.page(pfns[2]).mapping == "file libc"
    task.unpin(A, 4 * PAGE)
    assert not kernel.pins


@pytest.mark.parametrize("call", ["pin", "mlock"])
@pytest.mark.parametrize("before", ["shared", "of a file", "of a file and read", "on swap"])
def test_breaking_the_sharing_without_a_write_keeps_the_contents(kernel, parent, call, before):
    """A write says what its page holds; a pin for writing and mlock do not."""
    if "file" in before:
        parent.mmap(4 * PAGE, at=A, file=kernel.file("libc", 4), fixed=True)
    if before == "of a file and read":
        parent.read_range(A, 4 * PAGE)
    expected = [(1 << 32) + n for n in range(1, 5)] if "file" in before else [1, 2, 3, 4]
    child = parent.fork("child")
    if before == "on swap":
        parent.swap_out(A, 4 * PAGE)
    getattr(child, call)(A, 4 * PAGE)
    pages = [child.page(A + n * PAGE) for n in range(4)]
    assert [(page.data, page.mapcount, "anon" in page.flags) for page in pages] == [
        (tag, 1, True) for tag in expected
    ]
    assert child.read_range(A, 4 * PAGE).tolist() == expected
    assert parent.read_range(A, 4 * PAGE).tolist() == expected
    assert copies(kernel)["cow"] == 4


def test_unpin_of_a_range_is_all_or_nothing(kernel, parent):
    parent.pin(A, 2 * PAGE)
    with pytest.raises(Exception, match="EINVAL: unpin of 0x32000: nothing was pinned there"):
        parent.unpin(A, 3 * PAGE)
    assert len(kernel.pins) == 2


@pytest.mark.parametrize("prot", ["rw", "r"])
def test_mlock_faults_everything_in_and_keeps_it(kernel, prot):
    task = kernel.spawn("p")
    task.mmap(2 * PAGE, at=A, prot=prot)
    task.mlock(A, 2 * PAGE)
    assert where(kernel, task, 2) == ["page"] * 2
    assert task.swap_out(A, 2 * PAGE) == 0
    assert kernel.reclaim(10) == 0
    task.munlock(A, 2 * PAGE)
    assert kernel.reclaim(10) == (2 if prot == "rw" else 0), "and lets it go again"


def test_mlock_brings_pages_back_from_swap(kernel, parent):
    parent.swap_out(A, 2 * PAGE)
    parent.mlock(A, 2 * PAGE)
    assert where(kernel, parent) == ["page"] * 4
    assert kernel.reclaim(4) == 2
    assert where(kernel, parent) == ["page", "page", "swap", "swap"]


# Reclaim


def age(kernel: Kernel, parent: Task) -> Task:
    """A child whose words are old, and alone with the pages."""
    child = parent.fork("child")
    parent.exit()
    return child


def test_reclaim_takes_pages_not_used_lately_first_and_used_ones_in_the_second_round(
    kernel, parent
):
    task = age(kernel, parent)
    task.read(A)
    task.read(A + 2 * PAGE)
    assert kernel.reclaim(2) == 2
    assert where(kernel, task) == ["page", "swap", "page", "swap"]
    task.read(A)
    assert kernel.reclaim(1) == 1
    assert where(kernel, task) == ["page", "swap", "swap", "swap"], "it was not used again"
    assert kernel.reclaim(1) == 1
    assert where(kernel, task) == ["swap"] * 4


def test_the_hand_goes_on_where_it_stopped(kernel, parent):
    task = age(kernel, parent)
    task.read(A)
    assert kernel.reclaim(1) == 1
    assert where(kernel, task) == ["page", "swap", "page", "page"]
    assert kernel.reclaim(1) == 1
    assert where(kernel, task) == ["page", "swap", "swap", "page"], "not back to the first, now old"


def test_reclaim_goes_round_until_nothing_is_left(kernel, parent):
    task = age(kernel, parent)
    for step in range(4):
        assert kernel.reclaim(1) == 1
        assert where(kernel, task) == ["swap"] * (step + 1) + ["page"] * (3 - step)
    task.read_range(A, 4 * PAGE)
    assert kernel.reclaim(99) == 4
    assert kernel.reclaim(1) == 0


def test_use_by_any_mapper_counts(kernel, parent):
    first, second = parent.fork("first"), parent.fork("second")
    parent.exit()
    second.read(A)
    assert kernel.reclaim(1) == 1
    assert [kept(kernel, task, A) for task in (first, second)] == ["page"] * 2


def test_memory_pressure_takes_pages_of_others_and_nothing_is_lost():
    kernel = Kernel(frames=9, swap=16)
    tasks = [kernel.spawn(f"p{n}") for n in range(3)]
    for n, task in enumerate(tasks):
        task.mmap(5 * PAGE, at=A)
        task.write_range(A, [10 * n + page for page in range(5)])
    for n, task in enumerate(tasks):
        assert task.read_range(A, 5 * PAGE).tolist() == [10 * n + page for page in range(5)]


def test_reclaim_never_takes_what_the_fault_itself_needs():
    """Eight frames, six of them shared and about to be copied, and not one more to be had."""
    kernel = Kernel(frames=9, swap=16)
    parent = kernel.spawn("parent")
    parent.mmap(6 * PAGE, at=A)
    parent.write_range(A, range(6))
    child = parent.fork("child")
    with pytest.raises(OutOfMemory, match="needs 6 frames, 2 of 9 are free, and reclaim cannot"):
        child.write_range(A, range(10, 16))
    for page in range(6):
        child.write(A + page * PAGE, 10 + page)
    assert child.read_range(A, 6 * PAGE).tolist() == list(range(10, 16))
    assert parent.read_range(A, 6 * PAGE).tolist() == list(range(6))


def test_without_swap_only_file_pages_can_go():
    kernel = Kernel(frames=6, swap=0)
    task = kernel.spawn("p")
    task.mmap(3 * PAGE, at=A, file=kernel.file("libc", 3))
    task.mmap(5 * PAGE, at=C)
    tags = task.read_range(A, 3 * PAGE).tolist()
    task.write_range(C, [1, 2, 3, 4])
    assert where(kernel, task, 3).count("page") == 1
    task.write(C + 4 * PAGE, 5)
    assert where(kernel, task, 3).count("page") == 0
    with pytest.raises(OutOfMemory, match="needs 1 frames?, 0 of 6 are free, and reclaim cannot"):
        task.read(A)
    task.munmap(C, 2 * PAGE)
    assert task.read_range(A, 2 * PAGE).tolist() == tags[:2]
