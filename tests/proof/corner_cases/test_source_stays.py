"""Corner case 43: mremap that keeps its source, MREMAP_DONTUNMAP and old_size 0, where a VMA takes
its offsets along. Linux 6.18 was asked what becomes of the VMAs."""

from __future__ import annotations

import pytest
from watched import PAGE, A, B, copies, kept, truth, walked

from anonlab import InvalidArgument, Kernel, Task


@pytest.fixture
def kernel(column: Kernel) -> Kernel:
    return column


@pytest.fixture
def parent(kernel: Kernel) -> Task:
    """Three written pages at A."""
    task = kernel.spawn("parent")
    task.mmap(3 * PAGE, at=A)
    task.write_range(A, [10, 11, 12])
    return task


def areas(task: Task) -> list[tuple[int, int]]:
    """(address, pages) of each VMA."""
    return [(vma.start_vpn * PAGE, vma.npages) for vma in task.mm.vmas]


def test_43_the_source_loses_its_pages_which_stay_shared_at_their_new_place(kernel, parent):
    child = parent.fork("child")
    pfns = [parent.page(A + n * PAGE).pfn for n in range(3)]
    child.mremap(A, 3 * PAGE, new=B, dontunmap=True)
    assert [child.page(B + n * PAGE).pfn for n in range(3)] == pfns
    assert [kept(kernel, child, A + n * PAGE) for n in range(3)] == ["nothing"] * 3
    assert areas(child) == [(A, 3), (B, 3)]
    assert walked(kernel, pfns[1])[2] == [("child", B + PAGE), ("parent", A + PAGE)]
    assert copies(kernel) == {"cow": 0, "mremap": 0, "clash": 0}


def test_43_new_pages_in_the_source_are_other_pages_with_the_same_index(kernel, parent):
    child = parent.fork("child")
    old = child.page(A + PAGE)
    child.mremap(A, 3 * PAGE, new=B, dontunmap=True)
    assert child.read(A + PAGE) == 0
    child.write(A + PAGE, 70)
    new = child.page(A + PAGE)
    assert (new.pfn != old.pfn, new.index) == (True, old.index)
    assert walked(kernel, new.pfn)[2] == [("child", A + PAGE)]
    assert walked(kernel, old.pfn)[2] == sorted(truth(kernel, old.pfn))
    assert (child.read(B + PAGE), parent.read(A + PAGE)) == (11, 11)


@pytest.mark.parametrize("who", ["parent", "child"])
def test_43_a_vma_that_loses_pages_in_its_middle_stays_one(kernel, parent, who):
    """A VMA keeps its anon_vmas unless all of it was moved, so nothing keeps its parts apart."""
    parent.fork("child")
    task = kernel.processes[who]
    task.mremap(A + PAGE, PAGE, new=B, dontunmap=True)
    assert areas(task) == [(A, 3), (B, 1)]
    task.write(A + PAGE, 70)
    assert task.read_range(A, 3 * PAGE).tolist() == [10, 70, 12]
    assert task.read(B) == 11


@pytest.mark.parametrize("written", [False, True])
def test_43_of_private_memory_there_is_no_second_mapping(kernel, parent, written):
    """old_size 0 made an empty map in 2.6, and is EINVAL since 4.14: no page at two addresses."""
    task = parent if written else kernel.spawn("alone")
    task.mmap(3 * PAGE, at=A, fixed=True)
    with pytest.raises(InvalidArgument, match="is private"):
        task.mremap(A + PAGE, 0, PAGE, new=B)
    assert areas(task) == [(A, 3)]
