"""Addresses, page-table words and swap entries, held against arithmetic on the written digits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from watched import STEADY

from anonlab import GEOMETRIES, LESSON, X86_32, X86_64, Geometry
from anonlab.machine import words

geometries = st.sampled_from([*GEOMETRIES.values(), Geometry(1, 3), Geometry(3, 5)])


def test_in_the_lesson_the_first_two_hex_digits_are_the_two_indices():
    for addr in ("3a000", "00000", "fffff", "0f000", "f0123"):
        vpn = int(addr, 16) >> 12
        assert [LESSON.index(vpn, level) for level in (0, 1)] == [int(d, 16) for d in addr[:2]]


@pytest.mark.parametrize(
    ("geometry", "npages", "slots", "digits", "end"),
    [
        (LESSON, 256, 16, 5, 0x100000),
        (X86_32, 2**20, 1024, 8, 0xC0000000),
        (X86_64, 2**36, 512, 12, 0x7FFFFFFFF000),
        (Geometry(3, 5), 2**15, 32, 7, 2**27),
    ],
)
def test_sizes_of_the_geometries(geometry, npages, slots, digits, end):
    assert (geometry.npages, geometry.slots, geometry.hex_digits) == (npages, slots, digits)
    assert geometry.task_npages * 4096 == end


@given(geometries, st.data())
@STEADY
def test_the_indices_of_all_levels_are_the_page_number_in_base_slots(geometry, data):
    vpn = data.draw(st.integers(0, geometry.npages - 1))
    number = 0
    for level in range(geometry.levels):
        index = geometry.index(vpn, level)
        assert 0 <= index < geometry.slots
        number = number * geometry.slots + index
    assert number == vpn
    assert geometry.index(np.array([vpn, 0]), 0).tolist() == [geometry.index(vpn, 0), 0]


@given(geometries, st.data())
@STEADY
def test_an_address_is_written_in_all_its_digits(geometry, data):
    vpn = data.draw(st.integers(0, geometry.npages - 1))
    text = geometry.address(vpn)
    assert text.startswith("0x")
    assert int(text, 16) == vpn * 4096
    assert len(text) == 2 + geometry.hex_digits


@pytest.mark.parametrize(("levels", "bits"), [(0, 4), (2, 0), (-1, 4), (2, -4), (6, 9), (1, 51)])
def test_a_geometry_that_no_word_can_hold_is_refused(levels, bits):
    sentence = rf"levels >= 1, bits >= 1 and levels \* bits <= 50, got levels={levels}, bits={bits}"
    with pytest.raises(ValueError, match=sentence):
        Geometry(levels, bits)


def test_geometries_are_values():
    assert Geometry(2, 4, "lesson") == LESSON
    assert Geometry(2, 4) != X86_32
    assert len({LESSON, Geometry(2, 4, "lesson")}) == 1


def test_no_two_bits_of_a_word_are_the_same_and_all_lie_below_the_frame_number():
    bits = [bit for bit, _ in words.PTE_LETTERS]
    assert all(bit.bit_count() == 1 for bit in bits)
    assert len(set(bits)) == len(bits)
    assert max(bits) < 1 << words.PTE_SHIFT


@given(st.integers(1, 2**40), st.integers(0, 31))
@STEADY
def test_a_swap_entry_is_never_empty_never_present_and_keeps_its_slot(offset, swap_type):
    word = words.swp_entry(offset, swap_type)
    assert word != 0
    assert not words.is_present(word)
    assert words.is_swap(word)
    assert words.swp_offset(word) == offset
    assert word >> words.SWP_TYPE_SHIFT & words.SWP_TYPE_MASK == swap_type


def test_words_are_told_apart_alone_and_in_arrays():
    column = np.array([0, words.PTE_PRESENT, 7 << 12 | words.PTE_PRESENT, words.swp_entry(3)])
    assert words.is_present(column).tolist() == [False, True, True, False]
    assert words.is_swap(column).tolist() == [False, False, False, True]
    for word, present, swap in zip(
        column.tolist(), [False, True, True, False], [False, False, False, True], strict=True
    ):
        assert (bool(words.is_present(word)), bool(words.is_swap(word))) == (present, swap)


@pytest.mark.parametrize(
    ("word", "letters"),
    [(0x1, "P----"), (0x3, "PW---"), (0x25, "P-UA-"), (0x67, "PWUAD"), (0x5000, "-----")],
)
def test_the_letters_of_a_word(word, letters):
    assert words.pte_letters(word) == letters


def test_the_names_of_page_flags_come_in_bit_order():
    assert words.flag_names(0) == ()
    assert words.flag_names(words.PG_DIRTY | words.PG_ANON) == ("anon", "dirty")
    assert words.flag_names((1 << 7) - 1) == (
        *("anon", "swapcache", "dirty", "referenced", "locked", "reserved", "exclusive"),
    )
