"""Corner cases 1 to 9, 13 to 15, 17 and 18: mremap, the one hard case of the anon group."""

from __future__ import annotations

import pytest
from watched import PAGE, A, B, C, copies, kept, state, truth, walked

from anonlab import AnonGroupOptions, Kernel, OutOfMemory, SegmentationFault


@pytest.mark.parametrize("npages", [1, 5, 16])
def test_01_mremap_of_memory_that_was_never_forked_moves_the_pages_and_their_index(either, npages):
    alone = either.spawn("alone")
    alone.mmap(npages * PAGE, at=A)
    alone.write_range(A, range(100, 100 + npages))
    before = [alone.page(A + n * PAGE) for n in range(npages)]
    assert alone.mremap(A, npages * PAGE, new=C) == C
    for n, old in enumerate(before):
        new = alone.page(C + n * PAGE)
        assert (new.pfn, new.index, new.data) == (old.pfn, C // PAGE + n, 100 + n)
        assert kept(either, alone, A + n * PAGE) == "nothing"
    assert copies(either)["mremap"] == 0


def test_02_a_child_that_moves_a_shared_page_gets_a_copy_and_the_parent_is_alone_again(either):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    child = parent.fork("child")
    pfn = parent.page(A).pfn
    child.mremap(A, PAGE, new=B)
    assert child.page(B).pfn != pfn
    assert child.page(B).index == B // PAGE
    assert child.page(B).data == 7
    assert copies(either)["mremap"] == 1
    own = parent.page(A)
    assert (own.pfn, own.index, own.count, own.mapcount) == (pfn, A // PAGE, 1, 1)
    parent.write(A, 8)
    assert parent.page(A).pfn == pfn, "alone again: written in place"
    assert child.read(B) == 7
    assert copies(either)["cow"] == 0


def test_03_a_parent_that_moves_a_shared_page_gets_the_copy_and_the_child_keeps_the_original(
    either,
):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    child = parent.fork("child")
    pfn, group = child.page(A).pfn, child.page(A).mapping
    parent.mremap(A, PAGE, new=B)
    assert child.page(A).pfn == pfn
    assert (child.page(A).mapping, child.page(A).count) == (group, 1)
    assert (parent.page(B).index, parent.page(B).mapping) == (B // PAGE, group)
    assert copies(either)["mremap"] == 1
    assert truth(either, pfn) == [("child", A)]
    assert walked(either, pfn) == (2, 2, [("child", A)]), "the parent is asked first, in vain"


@pytest.mark.parametrize("leave", ["exit", "execve"])
def test_04_once_the_sharer_has_left_mremap_copies_nothing(either, leave):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    child = parent.fork("child")
    pfn = parent.page(A).pfn
    child.exit() if leave == "exit" else child.execve("other")
    parent.mremap(A, PAGE, new=B)
    assert (parent.page(B).pfn, parent.page(B).index) == (pfn, B // PAGE)
    assert copies(either)["mremap"] == 0


def test_05_after_copy_on_write_both_sides_move_without_copying(either):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    child = parent.fork("child")
    child.write(A, 8)
    pfns = parent.page(A).pfn, child.page(A).pfn
    assert copies(either) == {"cow": 1, "mremap": 0, "clash": 0}
    parent.mremap(A, PAGE, new=B)
    child.mremap(A, PAGE, new=C)
    assert (parent.page(B).pfn, child.page(C).pfn) == pfns
    assert copies(either) == {"cow": 1, "mremap": 0, "clash": 0}
    assert (parent.read(B), child.read(C)) == (7, 8)


def test_07_away_and_back_the_index_returns(either):
    alone = either.spawn("alone")
    alone.mmap(PAGE, at=A)
    alone.write(A, 7)
    pfn = alone.page(A).pfn
    alone.mremap(A, PAGE, new=B)
    assert alone.page(B).index == B // PAGE
    alone.mremap(B, PAGE, new=A)
    assert (alone.page(A).pfn, alone.page(A).index) == (pfn, A // PAGE)
    assert copies(either)["mremap"] == 0


def test_08_away_and_back_while_shared_copies_once_and_the_sharing_is_lost_for_good(either):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    child = parent.fork("child")
    child.mremap(A, PAGE, new=B)
    assert copies(either)["mremap"] == 1
    child.mremap(B, PAGE, new=A)
    assert copies(either)["mremap"] == 1
    assert parent.page(A).pfn != child.page(A).pfn
    assert parent.page(A).mapcount == child.page(A).mapcount == 1
    assert parent.read(A) == child.read(A) == 7


def test_09_a_sibling_with_another_page_at_that_address_is_a_false_candidate_and_no_more(either):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.mmap(PAGE, at=B)
    first, second = parent.fork("first"), parent.fork("second")
    first.write(B, 1)
    second.write(A, 2)
    second.munmap(B, PAGE)
    second.mremap(A, PAGE, new=B)
    mine, other = second.page(B).pfn, first.page(B).pfn
    assert mine != other
    assert first.page(B).index == second.page(B).index == B // PAGE
    assert walked(either, mine) == (3, 3, [("second", B)]), "parent: nothing; first: another pfn"
    assert walked(either, other) == (2, 2, [("first", B)])
    assert (first.read(B), second.read(B)) == (1, 2)


def test_13_a_mapper_that_moves_while_the_other_side_is_on_swap(policy):
    """count: the swap cache's reference makes a needless copy. mapcount: the index moves, and the
    other side must be given a copy when it comes back."""
    kernel = Kernel(AnonGroupOptions(mremap_policy=policy))
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    child = parent.fork("child")
    parent.swap_out(A)
    parent.read(A)
    page = parent.page(A)
    assert (page.mapcount, page.count) == (1, 2), "one mapping, and the swap cache"
    assert kept(kernel, child, A) == "swap"

    parent.mremap(A, PAGE, new=B)
    assert copies(kernel)["mremap"] == (policy == "count")
    assert (parent.page(B).pfn == page.pfn) == (policy == "mapcount")
    assert child.read(A) == parent.read(B) == 7
    assert copies(kernel)["clash"] == (policy == "mapcount")
    assert parent.page(B).pfn != child.page(A).pfn
    assert (parent.page(B).index, child.page(A).index) == (B // PAGE, A // PAGE)


def test_14_an_unshared_page_in_the_swap_cache_is_copied_only_where_count_decides(policy):
    kernel = Kernel(AnonGroupOptions(mremap_policy=policy))
    alone = kernel.spawn("alone")
    alone.mmap(PAGE, at=A)
    alone.write(A, 7)
    alone.swap_out(A)
    alone.read(A)
    page = alone.page(A)
    assert (page.count, page.mapcount, "swapcache" in page.flags) == (2, 1, True)
    alone.mremap(A, PAGE, new=B)
    assert copies(kernel)["mremap"] == (policy == "count")
    assert (alone.page(B).pfn == page.pfn) == (policy == "mapcount")
    assert alone.read(B) == 7
    if policy == "count":
        assert kernel.mem_map.count[page.pfn] == 0, "the old page went with its last user"
        assert not kernel.snapshot().swap_slot.size, "and so did its slot"


def test_15_a_pinned_page_that_moves_loses_its_device_only_where_count_decides(policy):
    kernel = Kernel(AnonGroupOptions(mremap_policy=policy))
    alone = kernel.spawn("alone")
    alone.mmap(PAGE, at=A)
    alone.write(A, 7)
    (dma,) = alone.pin(A)
    alone.mremap(A, PAGE, new=B)
    assert copies(kernel)["mremap"] == (policy == "count")
    kernel.mem_map.data[dma] = 99  # the device writes
    assert alone.read(B) == (7 if policy == "count" else 99)
    alone.unpin(A)
    assert (kernel.mem_map.count[dma] == 0) == (policy == "count")


@pytest.mark.parametrize("prot", ["r", "rx", "none"])
def test_17_a_shared_page_is_copied_also_where_it_is_write_protected_and_stays_so(either, prot):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    child = parent.fork("child")
    child.mprotect(A, PAGE, prot)
    child.mremap(A, PAGE, new=B)
    assert copies(either)["mremap"] == 1
    assert child.page(B).pfn != parent.page(A).pfn
    with pytest.raises(SegmentationFault):
        child.write(B, 8)
    word = int(either.tables.lookup(child.mm.pgd, B // PAGE))
    assert word & 2 == 0, "the word at the new address is not writable"
    assert either.mem_map.data[child.page(B).pfn] == 7


@pytest.mark.parametrize("nfree", range(4))
def test_18_out_of_memory_during_the_copy_leaves_everything_as_it_was(policy, nfree):
    kernel = Kernel(AnonGroupOptions(mremap_policy=policy), frames=5 + nfree, swap=0)
    parent = kernel.spawn("parent")
    parent.mmap(4 * PAGE, at=A)
    parent.write_range(A, [1, 2, 3, 4])
    child = parent.fork("child")
    child.mmap(PAGE, at=C)  # the destination is taken: even that must still be there
    before = state(kernel)
    are = "is" if nfree == 1 else "are"
    needs = f"child: ENOMEM: mremap needs 4 frames, {nfree} of {5 + nfree} {are} free"
    with pytest.raises(OutOfMemory, match=needs):
        child.mremap(A, 4 * PAGE, new=C)
    assert state(kernel) == before
    assert child.read_range(A, 4 * PAGE).tolist() == [1, 2, 3, 4]
    assert parent.page(A).pfn == child.page(A).pfn

    parent.exit()
    child.mremap(A, 4 * PAGE, new=C)
    assert child.read_range(C, 4 * PAGE).tolist() == [1, 2, 3, 4]
