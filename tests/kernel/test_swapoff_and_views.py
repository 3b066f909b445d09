"""swapoff brings everything back; views, mappers and snapshots show what is there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from watched import PAGE, A, B, copies, kept, state, truth

from anonlab import X86_64, Kernel, OutOfMemory, SegmentationFault, Snapshot, Task


def scattered(frames: int = 64) -> tuple[Kernel, Task, Task]:
    """Two pages at A shared by two on swap, moved to B by the child; a shmem page on swap."""
    kernel = Kernel(frames=frames)
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=A)
    parent.mmap(PAGE, at=A + 4 * PAGE, shared=True)
    parent.write_range(A, [1, 2])
    parent.write(A + 4 * PAGE, 3)
    child = parent.fork("child")
    parent.swap_out(A, 2 * PAGE)
    parent.swap_out(A + 4 * PAGE)
    child.mremap(A, 2 * PAGE, new=B)
    return kernel, parent, child


def test_swapoff_brings_every_page_back_and_copies_what_clashes():
    kernel, parent, child = scattered()
    assert kernel.mem_map.nfree == 63
    kernel.swapoff()
    assert kernel.mem_map.nfree == 63 - 5
    assert copies(kernel)["clash"] == 2
    assert kernel.swap.nused == 0
    for task, at in ((parent, A), (child, B)):
        assert [kept(kernel, task, at + page * PAGE) for page in range(2)] == ["page", "page"]
        assert task.page(at).index == at // PAGE
        assert task.read_range(at, 2 * PAGE).tolist() == [1, 2]
        assert task.read(A + 4 * PAGE) == 3
    assert not any("swapcache" in kernel.page(pfn).flags for pfn in range(64))


def test_after_swapoff_nothing_goes_to_swap_any_more():
    kernel, parent, _ = scattered()
    kernel.swapoff()
    with pytest.raises(OutOfMemory, match="swap_out needs 2 swap slots, 0 of 16 are free"):
        parent.swap_out(A, 2 * PAGE)
    assert kernel.reclaim(10) == 0
    kernel.swapoff()


@pytest.mark.parametrize("frames", range(2, 7))
def test_swapoff_without_enough_frames_changes_nothing(frames):
    kernel, parent, _ = scattered()
    hog = kernel.spawn("hog")
    hog.mmap((64 - frames) * PAGE, at=0x90000)
    hog.write_range(0x90000, range(64 - frames))
    free = frames - 1
    if free >= 5:
        kernel.swapoff()
        return
    before = state(kernel)
    with pytest.raises(OutOfMemory, match=f"needs 5 frames, {free} of 64 "):
        kernel.swapoff()
    assert state(kernel) == before
    assert parent.read(A) == 1


@pytest.mark.parametrize("prot", ["none", "r"])
def test_swapoff_gives_no_more_rights_than_the_vma(prot):
    kernel = Kernel()
    task = kernel.spawn("p")
    task.mmap(PAGE, at=A)
    task.write(A, 7)
    task.swap_out(A)
    task.mprotect(A, PAGE, prot)
    kernel.swapoff()
    word = int(kernel.tables.lookup(task.mm.pgd, A // PAGE))
    assert (word & 1, word & 2, word & 4) == (1, 0, 0 if prot == "none" else 4)
    with pytest.raises(SegmentationFault):
        task.write(A, 8)
    task.mprotect(A, PAGE, "rw")
    task.write(A, 8)
    assert task.read(A) == 8


# Views


@pytest.fixture
def family() -> tuple[Kernel, Task, Task]:
    kernel = Kernel()
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=A)
    parent.write_range(A, [7, 8])
    return kernel, parent, parent.fork("child")


def test_a_page_shows_what_mem_map_holds(family):
    kernel, parent, child = family
    page = parent.page(A + 123)
    assert page == child.page(A) == kernel.page(page.pfn)
    assert (page.index, page.mapping, page.count, page.mapcount) == (0x30, "group 1", 2, 2)
    assert (page.data, set(page.flags)) == (7, {"anon", "dirty"})
    assert repr(page) == f"Page(pfn={page.pfn}, index=0x30, mapping=group 1, count=2, mapcount=2)"
    assert repr(kernel.page(60)) == "Page(pfn=60, index=0, mapping=none, count=0, mapcount=0)"


def test_a_page_cannot_be_changed_and_does_not_change(family):
    _, parent, child = family
    page = parent.page(A)
    with pytest.raises(dataclasses.FrozenInstanceError):
        page.count = 5
    child.write(A, 9)
    assert page.mapcount == 2
    assert parent.page(A).mapcount == 1


def test_looking_at_a_page_faults_nothing_in(family):
    kernel, parent, _ = family
    parent.mmap(PAGE, at=B)
    parent.swap_out(A)
    before = state(kernel)
    assert parent.page(B) is None
    assert parent.page(A) is None
    assert parent.page(0x99000) is None
    assert parent.page(1 << 60) is None
    assert state(kernel) == before


def test_mappers_are_processes_and_byte_addresses_as_a_scan_finds_them(family):
    kernel, parent, child = family
    pfn = parent.page(A + PAGE).pfn
    assert kernel.mappers(pfn) == [(parent, A + PAGE), (child, A + PAGE)]
    assert [(task.name, addr) for task, addr in kernel.mappers(pfn)] == truth(kernel, pfn)
    assert kernel.mappers(0) == kernel.mappers(63) == []


def test_a_snapshot_is_immutable_and_does_not_change(family):
    kernel, parent, _ = family
    shot = kernel.snapshot()
    plain = shot.to_json()
    with pytest.raises(ValueError, match="read-only"):
        shot.count[0] = 9
    with pytest.raises(dataclasses.FrozenInstanceError):
        shot.pfn = np.zeros(1)
    parent.write(A, 1)
    parent.exit()
    assert shot.to_json() == plain
    assert Snapshot.from_json(plain) == shot


def test_a_snapshot_names_what_it_numbers(family):
    kernel, parent, _ = family
    parent.mmap(PAGE, at=B, file=kernel.file("libc", 1), prot="r")
    parent.read(B)
    shot = kernel.snapshot()
    assert shot.mappings == ((1, "group 1"), (-1, "file libc"))
    assert {int(number) for number in shot.mapping} == {0, 1, -1}
    assert [process.name for process in shot.processes] == ["parent", "child"]
    assert shot.files[0].cached == ((0, parent.page(B).pfn),)
    assert shot.mms[0].vmas[1][:5] == (B // PAGE, B // PAGE + 1, "r--", False, "libc")


def test_one_access_may_not_name_more_pages_than_arrays_hold():
    task = Kernel(geometry=X86_64).spawn("p")
    at = task.mmap(1 << 40)
    for call in (task.read_range, task.pin, task.unpin, task.swap_out):
        with pytest.raises(ValueError, match="takes at most 16777216 pages at a time"):
            call(at, 1 << 37)
    task.munmap(at, 1 << 40)
