"""mem_map and swap: what is handed out, counted, given back and forgotten."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from watched import STEADY

from anonlab import OutOfMemory
from anonlab.machine.frames import MemMap
from anonlab.machine.swap import Swap
from anonlab.machine.words import PG_ANON, PG_RESERVED, POISON

COLUMNS = ("count", "mapcount", "index", "mapping", "flags", "private")


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def test_lessons_count_up_and_frame_0_is_the_zero_page():
    mem = MemMap(5)
    assert mem.alloc(2).tolist() == [1, 2]
    assert mem.alloc(2).tolist() == [3, 4]
    assert (mem.count[0], mem.data[0], mem.flags[0]) == (1, 0, PG_RESERVED)
    assert mem.nfree == 0


def test_a_new_frame_is_zero_filled_counted_once_and_nobodys():
    mem = MemMap(4)
    mem.data[1:] = 99
    for pfn in mem.alloc(3).tolist():
        assert mem.data[pfn] == 0
        assert [int(getattr(mem, name)[pfn]) for name in COLUMNS] == [1, 0, 0, 0, 0, 0]


def test_a_frame_that_nobody_holds_is_poisoned_and_forgotten_and_the_next_to_be_handed_out():
    mem = MemMap(6)
    mem.alloc(4)
    for name in ("index", "mapping", "flags", "private"):
        getattr(mem, name)[2] = 7
    mem.data[2] = 5
    mem.count[2] += 1
    mem.put(rows(2, 3))
    assert mem.count[2] == 1, "still held once"
    assert mem.data[2] == 5
    assert mem.nfree == 2
    mem.put(rows(2))
    assert mem.data[2] == POISON
    assert [int(getattr(mem, name)[2]) for name in COLUMNS] == [0] * 6
    assert mem.alloc(1).tolist() == [2], "a use after free meets the new owner at once"


def test_asking_for_too_many_frames_takes_none():
    mem = MemMap(4)
    mem.alloc(1)
    free = mem.free_pfns.tolist()
    with pytest.raises(OutOfMemory, match="3 frames wanted, 2 are free"):
        mem.alloc(3)
    assert mem.free_pfns.tolist() == free
    assert mem.alloc(0).tolist() == []
    assert mem.count.tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("nframes", [1, 0, -3])
def test_a_machine_has_at_least_one_frame_beside_the_zero_page(nframes):
    with pytest.raises(ValueError, match=rf"frames must be >= 2 .*zero page.*got {nframes}"):
        MemMap(nframes)


def test_flags_are_looked_up_per_page():
    mem = MemMap(4)
    mem.flags[2] = PG_ANON
    assert mem.has(rows(1, 2, 3), PG_ANON).tolist() == [False, True, False]


def test_the_list_of_free_frames_is_a_copy():
    mem = MemMap(4)
    mem.free_pfns[:] = 0
    assert mem.alloc(3).tolist() == [1, 2, 3]


def test_slots_start_at_1_and_are_counted_once():
    swap = Swap(3)
    assert swap.alloc(2).tolist() == [1, 2]
    assert swap.map.tolist() == [0, 1, 1, 0]
    assert (swap.nused, swap.nfree) == (2, 1)
    with pytest.raises(OutOfMemory, match="2 swap slots wanted, 1 are free"):
        swap.alloc(2)
    assert (swap.nused, swap.nfree) == (2, 1)


def test_a_slot_that_nobody_names_is_forgotten_and_the_next_to_be_handed_out():
    swap = Swap(3)
    swap.alloc(2)
    swap.data[1] = 5
    swap.map[1] += 1
    swap.free(rows(1))
    assert (swap.map[1], swap.data[1], swap.nused) == (1, 5, 2)
    swap.free(rows(1))
    assert (swap.map[1], swap.data[1], swap.nused) == (0, 0, 1)
    assert swap.alloc(1).tolist() == [1]


def test_after_swapoff_no_slot_is_handed_out_but_those_in_use_are_known():
    swap = Swap(3)
    swap.alloc(1)
    swap.on = False
    assert (swap.nfree, swap.nused) == (0, 1)
    with pytest.raises(OutOfMemory, match="1 swap slots wanted, 0 are free"):
        swap.alloc(1)
    swap.free(rows(1))
    assert swap.nused == 0


@pytest.mark.parametrize(("used", "full"), [(0, False), (2, False), (3, True), (4, True)])
def test_swap_is_full_when_more_than_half_is_used(used, full):
    swap = Swap(4)
    swap.alloc(used)
    assert swap.full is full


def test_a_machine_may_have_no_swap_but_not_less():
    swap = Swap(0)
    assert (swap.nfree, swap.full, swap.free_slots.tolist()) == (0, False, [])
    with pytest.raises(ValueError, match="swap must be >= 0 slots, got -1"):
        Swap(-1)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=40))
@STEADY
def test_allocators_agree_with_a_plain_count_per_number(steps):
    """Frames and slots, side by side with a dictionary number -> references."""
    mem, swap = MemMap(12), Swap(11)
    held: dict[int, int] = {}
    for more, n in steps:
        if more and n <= 11 - len(held):
            pfns, slots = mem.alloc(n).tolist(), swap.alloc(n).tolist()
            assert pfns == slots
            assert not set(pfns) & set(held)
            assert len(set(pfns)) == n
            held |= dict.fromkeys(pfns, 1)
        elif more:
            for allocator in (mem, swap):
                with pytest.raises(OutOfMemory):
                    allocator.alloc(n)
        elif n in held:
            mem.put(rows(n))
            swap.free(rows(n))
            held[n] -= 1
            if not held[n]:
                del held[n]
        elif held:
            some = min(held)
            held[some] += 1
            mem.count[some] += 1
            swap.map[some] += 1
        assert {pfn: int(mem.count[pfn]) for pfn in range(1, 12) if mem.count[pfn]} == held
        assert {slot: int(swap.map[slot]) for slot in range(12) if swap.map[slot]} == held
        free = set(range(1, 12)) - set(held)
        assert set(mem.free_pfns.tolist()) == set(swap.free_slots.tolist()) == free
