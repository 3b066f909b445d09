"""Renamed swap entries: no two slots become one, and nothing else changes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anonlab.course.judging.swap_areas import (
    AREAS,
    area_of,
    high_slot,
    renamed,
    renamed_map,
    renamed_words,
)
from anonlab.machine.words import SWP_EXCLUSIVE, swp_entry, swp_offset


def test_no_two_slots_become_one_and_both_areas_are_used() -> None:
    entries = [renamed(int(swp_entry(slot))) for slot in range(1, 4097)]
    assert len(set(entries)) == len({swp_offset(entry) for entry in entries}) == 4096
    assert {area_of(entry) for entry in entries} == {*AREAS}
    assert not any(entry & 1 for entry in entries)


def test_slots_look_like_frames_and_are_beyond_a_byte_at_once() -> None:
    assert [high_slot(slot) >> 4 for slot in range(5)] == [0, 1, 125, 3, 123]
    assert high_slot(2) > 255


@given(st.integers(0, 2**20).map(lambda word: 2 * word + 1) | st.just(0))
def test_every_other_word_stays(word: int) -> None:
    assert renamed(word) == word


def test_marks_stay_and_arrays_are_renamed_word_by_word() -> None:
    words = [[0, 0x1067], [0x100 | SWP_EXCLUSIVE, 0x200]]
    array = np.array(words)
    assert renamed_words(array).tolist() == [[renamed(word) for word in row] for row in words]
    assert renamed(words[1][0]) & SWP_EXCLUSIVE
    assert array.tolist() == words


@given(st.lists(st.integers(0, 9), min_size=1, max_size=200))
def test_a_swap_map_keeps_every_use_under_the_new_number(uses: list[int]) -> None:
    made = renamed_map(uses)
    assert [made[high_slot(slot)] for slot in range(len(uses))] == uses
    assert sum(made) == sum(uses)
