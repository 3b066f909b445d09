"""Two swap areas with many slots, for questions: the simulated machine has one, with few.

A swap entry of the simulated kernel is renamed: its slot gets a high number, one that is also the
number of a frame above bit 12, and its area's number fills bits which mean something in a present
word. No two slots become one, so whatever is true of a machine is true of the renamed one.
"""

from __future__ import annotations

from functools import cache
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
LOW = 64
"""Slots below this one look like the frame numbers of a lesson, from both ends in turn."""


def high_slot(slot: int) -> int:
    """Return the high number of a slot: 1 looks like frame 1, 2 like frame 125, 3 like frame 3, and
    so on. Slot 0 stays the header."""
    if slot >= LOW:
        return STRIDE * (slot + LOW) + 7 * slot % STRIDE
    frame = slot if slot % 2 or not slot else 2 * LOW - 1 - slot
    return STRIDE * frame + 7 * slot % STRIDE


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


def renamed_map(swap_map: list[int]) -> list[int]:
    """Return a swap_map, by slot, as a list by renamed slot."""
    out = [0] * high_slot(max(len(swap_map), LOW))
    for place, uses in zip(_high_slots(len(swap_map)), swap_map, strict=True):
        out[place] = uses
    return out


@cache
def _high_slots(number: int) -> list[int]:
    """Return the high numbers of so many slots: a machine has one number of them."""
    return [high_slot(slot) for slot in range(number)]


def area_of(word: int) -> int:
    """Return the number of the area that a swap entry names."""
    return word >> SWP_TYPE_SHIFT & SWP_TYPE_MASK
