"""Two swap areas with many slots, for questions: the simulated machine has one, with few.

A swap entry of the simulated kernel is renamed: its slot gets a high number, one that is also the
number of a frame above bit 12, and its area's number fills bits which mean something in a present
word. No two slots become one, so whatever is true of a machine is true of the renamed one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from anonlab.machine.words import (
    PTE_PRESENT,
    SWP_OFFSET_SHIFT,
    SWP_TYPE_MASK,
    SWP_TYPE_SHIFT,
    swp_entry,
    swp_offset,
)

AREAS = (0b10001, 0b00010)
"""The numbers of the two areas: as bits of a word WRITE and ACCESSED, and USER."""
STRIDE = 16
"""Slots that look like one frame number above bit 12."""


def high_slot(slot: Any) -> Any:
    """Return the high number of a slot, or of an array of slots; slot 0 stays the header."""
    return STRIDE * slot + 7 * slot % STRIDE


def renamed(word: int) -> int:
    """Return a word with its swap entry renamed; every other word as it is."""
    if word == 0 or word & PTE_PRESENT:
        return word
    slot, mark = int(swp_offset(word)), word & ((1 << SWP_OFFSET_SHIFT) - 1)
    return int(swp_entry(high_slot(slot), AREAS[slot % len(AREAS)])) | mark


def renamed_words(words: Any) -> Any:
    """Return a copy of an int64 array of words, of any shape, with all swap entries renamed."""
    out = words.copy()
    at = (words != 0) & (words & PTE_PRESENT == 0)
    out[at] = np.array([renamed(word) for word in words[at].tolist()], dtype=np.int64)
    return out


def renamed_map(swap_map: Any) -> list[int]:
    """Return a swap_map, by slot, as a list by renamed slot."""
    out = [0] * (int(high_slot(len(swap_map))) + 1)
    for slot, uses in enumerate(swap_map):
        out[int(high_slot(slot))] = int(uses)
    return out


def area_of(word: int) -> int:
    """Return the number of the area that a swap entry names."""
    return word >> SWP_TYPE_SHIFT & SWP_TYPE_MASK
