"""Corner cases 26 to 32: the zero page, shared memory, and pages of files."""

from __future__ import annotations

import pytest
from watched import PAGE, A, B, C, copies, kept, truth, walked

from anonlab import BusError, Kernel, SegmentationFault, Task


def contents(name_number: int, page: int) -> int:
    """The tag that page `page` of the `name_number`-th file holds on disk."""
    return name_number * 2**32 + page + 1


def test_26_a_read_of_untouched_private_memory_shows_the_zero_page_which_is_in_no_group(either):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    assert parent.read(A) == 0
    zero = parent.page(A)
    assert (zero.pfn, zero.index, zero.mapping, zero.mapcount) == (0, 0, "", 0)
    assert "anon" not in zero.flags
    child = parent.fork("child")
    assert child.page(A) == zero, "not counted, however many map it"
    child.mremap(A, PAGE, new=B)
    assert child.page(B) == zero
    assert kept(either, child, A) == "nothing"
    assert copies(either) == {"cow": 0, "mremap": 0, "clash": 0}
    assert walked(either, 0) == (0, 0, [])


@pytest.mark.parametrize("address", [A, B])
def test_27_then_a_write_makes_an_anonymous_page_whose_index_is_its_address(either, address):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.read(A)
    if address != A:
        parent.mremap(A, PAGE, new=address)
    parent.write(address, 7)
    page = parent.page(address)
    assert page.pfn != 0
    assert (page.index, page.mapping, page.count) == (address // PAGE, "group 1", 1)
    assert "anon" in page.flags
    assert either.mem_map.data[0] == 0, "the zero page was not written"


def test_28_shared_anonymous_memory_is_a_file_without_copy_on_write_and_moves_for_free(either):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A, shared=True)
    parent.write(A, 7)
    child = parent.fork("child")
    assert child.read(A) == 7
    page = parent.page(A)
    assert (page.mapping, page.index, page.mapcount) == ("file shmem1", 0, 2)
    assert "anon" not in page.flags
    child.write(A, 8)
    assert parent.read(A) == 8
    child.mremap(A, PAGE, new=B)
    assert child.page(B).pfn == parent.page(A).pfn == page.pfn
    assert copies(either) == {"cow": 0, "mremap": 0, "clash": 0}
    assert sorted(truth(either, page.pfn)) == [("child", B), ("parent", A)]
    assert walked(either, page.pfn) == (2, 2, [("child", B), ("parent", A)])


def test_29_a_private_mapping_that_is_read_shows_the_page_of_the_file_at_its_offset(either):
    libc = either.file("libc", 4)
    one, two = either.spawn("one"), either.spawn("two")
    one.mmap(2 * PAGE, at=A, file=libc, offset=PAGE)
    two.mmap(4 * PAGE, at=B, file=libc, prot="r")
    assert one.read(A + PAGE) == contents(1, 2)
    assert two.read(B + 2 * PAGE) == contents(1, 2)
    page = one.page(A + PAGE)
    assert page == two.page(B + 2 * PAGE), "two groups, one page"
    assert (page.index, page.mapping, page.mapcount, page.count) == (2, "file libc", 2, 3)
    assert walked(either, page.pfn)[2] == [("one", A + PAGE), ("two", B + 2 * PAGE)]


@pytest.mark.parametrize("read_first", [False, True])
def test_30_a_written_page_of_a_private_mapping_is_anonymous_and_its_index_is_its_address(
    either, read_first
):
    libc = either.file("libc", 4)
    parent = either.spawn("parent")
    parent.mmap(2 * PAGE, at=A, file=libc, offset=2 * PAGE)
    if read_first:
        parent.read(A)
    parent.write(A, 7)
    page = parent.page(A)
    assert (page.index, page.mapping) == (A // PAGE, "group 1")
    assert (page.count, page.mapcount) == (1, 1)
    assert "anon" in page.flags
    assert libc.store.tolist() == [contents(1, n) for n in range(4)], "the file has not changed"
    other = either.spawn("other")
    other.mmap(PAGE, at=A, file=libc, offset=2 * PAGE)
    assert other.read(A) == contents(1, 2)
    cached = other.page(A).pfn
    assert walked(either, cached) == (2, 2, [("other", A)]), "the private copy is still a candidate"


@pytest.mark.parametrize("shared", [False, True])
def test_31_mremap_treats_such_a_page_like_any_anonymous_page_and_file_pages_stay(either, shared):
    libc = either.file("libc", 4)
    parent = either.spawn("parent")
    parent.mmap(2 * PAGE, at=A, file=libc, offset=PAGE)
    parent.write(A, 7)
    parent.read(A + PAGE)
    if shared:
        parent.fork("child")
    own, cached = parent.page(A), parent.page(A + PAGE)
    parent.mremap(A, 2 * PAGE, new=C)
    assert (parent.page(C).pfn == own.pfn) is not shared
    assert (parent.page(C).index, parent.page(C).data) == (C // PAGE, 7)
    assert copies(either)["mremap"] == shared
    moved = parent.page(C + PAGE)
    assert (moved.pfn, moved.index, moved.mapping) == (cached.pfn, 2, "file libc")


@pytest.fixture
def truncated(either: Kernel) -> tuple[Kernel, Task, Task]:
    """A file of 4 pages, mapped privately at A and shared at B, cut down to 2; page 3 had a private
    copy on swap, and a child shares everything."""
    libc = either.file("libc", 4)
    parent = either.spawn("parent")
    parent.mmap(4 * PAGE, at=A, file=libc)
    parent.mmap(4 * PAGE, at=B, file=libc, shared=True)
    parent.write_range(A, [10, 11, 12, 13])
    parent.read_range(B, 4 * PAGE)
    child = parent.fork("child")
    parent.swap_out(A + 3 * PAGE)
    either.truncate(libc, 2)
    return either, parent, child


def test_32_truncate_unmaps_what_lies_beyond_the_end_private_copies_too(truncated):
    kernel, parent, child = truncated
    for task in (parent, child):
        for page in (2, 3):
            assert kept(kernel, task, A + page * PAGE) == "nothing"
            assert kept(kernel, task, B + page * PAGE) == "nothing"
        assert task.read_range(A, 2 * PAGE).tolist() == [10, 11]
        assert task.read_range(B, 2 * PAGE).tolist() == [contents(1, 0), contents(1, 1)]
    assert not kernel.snapshot().swap_slot.size


@pytest.mark.parametrize("base", [A, B])
def test_32_and_the_next_touch_beyond_the_end_is_a_bus_error(truncated, base):
    _, parent, child = truncated
    at = f"{base + 2 * PAGE:#x}"
    sentence = f"SIGBUS: {at} is beyond the end of libc, which has 2 pages"
    with pytest.raises(BusError, match=f"parent: {sentence}"):
        parent.read(base + 2 * PAGE)
    with pytest.raises(BusError, match=f"child: {sentence}"):
        child.write(base + 2 * PAGE, 1)
    with pytest.raises(BusError, match=f"parent: {sentence}"):
        parent.read_range(base, 4 * PAGE)


def test_32_a_file_that_grows_again_has_empty_pages_there(truncated):
    kernel, parent, child = truncated
    kernel.truncate(kernel.files["libc"], 4)
    assert parent.read_range(A, 4 * PAGE).tolist() == [10, 11, 0, 0]
    child.write(B + 3 * PAGE, 5)
    assert parent.read(A + 3 * PAGE) == 5, "a page that was only read follows the file"
    with pytest.raises(SegmentationFault):
        parent.read(A + 4 * PAGE)
