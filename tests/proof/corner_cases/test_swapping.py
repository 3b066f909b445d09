"""Corner cases 10 to 12 and 23: swap entries and the swap cache."""

from __future__ import annotations

import pytest
from watched import PAGE, A, B, copies, kept, truth

from anonlab import Kernel


@pytest.fixture
def swapped(either: Kernel):
    """A page that parent and child share, and that is on swap."""
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    child = parent.fork("child")
    assert parent.swap_out(A) == 1
    return either, parent, child


def slot_of(kernel: Kernel, task, addr: int) -> int:
    return int(kernel.tables.lookup(task.mm.pgd, addr // PAGE)) >> 8


def test_10_a_swap_entry_moves_as_it_is_and_there_is_nothing_to_fix(swapped):
    kernel, parent, child = swapped
    slot, pages = slot_of(kernel, child, A), kernel.snapshot().pfn.size
    assert kernel.swap.map[slot] == 2
    child.mremap(A, PAGE, new=B)
    assert kept(kernel, child, A) == "nothing"
    assert kept(kernel, child, B) == "swap"
    assert slot_of(kernel, child, B) == slot_of(kernel, parent, A) == slot
    assert kernel.swap.map[slot] == 2
    assert kernel.snapshot().pfn.size == pages, "no frame was touched"
    assert copies(kernel) == {"cow": 0, "mremap": 0, "clash": 0}
    assert child.read(B) == 7


@pytest.mark.parametrize("first", ["parent", "child"])
@pytest.mark.parametrize("write", [False, True])
def test_11_one_entry_at_two_addresses_is_found_out_at_the_second_swap_in(swapped, first, write):
    kernel, parent, child = swapped
    child.mremap(A, PAGE, new=B)
    places = [(parent, A), (child, B)]
    (one, here), (other, there) = places if first == "parent" else reversed(places)

    assert one.read(here) == 7
    assert one.page(here).index == here // PAGE, "the first to come back sets the index"
    assert copies(kernel)["clash"] == 0
    other.write(there, 8) if write else other.read(there)
    assert copies(kernel)["clash"] == 1, "a copy, on a read too"
    assert one.page(here).pfn != other.page(there).pfn
    assert other.page(there).index == there // PAGE
    assert truth(kernel, one.page(here).pfn) == [(one.name, here)]
    assert (one.read(here), other.read(there)) == (7, 8 if write else 7)


@pytest.mark.parametrize("leave", ["exit", "execve", "munmap"])
def test_12_once_the_first_mapper_has_gone_the_second_swap_in_resets_the_index_and_copies_nothing(
    swapped, leave
):
    kernel, parent, child = swapped
    child.mremap(A, PAGE, new=B)
    parent.read(A)
    pfn = parent.page(A).pfn
    {
        "exit": parent.exit,
        "execve": lambda: parent.execve("other"),
        "munmap": lambda: parent.munmap(A, PAGE),
    }[leave]()
    assert kernel.mem_map.mapcount[pfn] == 0
    assert kernel.mem_map.count[pfn] == 1, "the swap cache alone holds it"
    assert child.read(B) == 7
    assert (child.page(B).pfn, child.page(B).index) == (pfn, B // PAGE)
    assert copies(kernel) == {"cow": 0, "mremap": 0, "clash": 0}


def test_23_a_page_that_only_the_swap_cache_holds_names_no_group(swapped):
    kernel, parent, child = swapped
    child.read(A)
    pfn = child.page(A).pfn
    group = kernel.mem_map.mapping[pfn]
    assert group != 0
    child.exit()
    page = kernel.page(pfn)
    assert "swapcache" in page.flags
    assert (page.count, page.mapcount, page.mapping, page.index) == (1, 0, "", 0)
    parent.exit()
    assert kernel.mem_map.count[pfn] == 0, "the last entry takes the page along"
    assert not kernel.design.mapping_names(), "no group is left"
    assert not kernel.snapshot().swap_slot.size
