"""What addresses and words look like: geometry, page-table entries, swap entries, page flags.

The one place for bits. The machine works with these words and snapshots show them, so they
belong to neither. All words, page numbers and frame numbers are int64.

A page-table entry is one word::

    bit   0  PTE_PRESENT    1  PTE_WRITE    2  PTE_USER    5  PTE_ACCESSED    6  PTE_DIRTY
    bit  12  and up: the page frame number, or in an upper level the row of the next table

A swapped-out page leaves a word that is not present: bits 1 to 5 hold the swap type, bits 8 and
up the offset of the slot (include/asm-i386/pgtable.h, 2.6). Bit 7 says that nobody else had the
page (pte_swp_exclusive, 2022; only where the COW rule is that of today). Offset 0 is the swap
header and never handed out, so a swap entry is never 0; 0 means that nothing was ever there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
"""int64[n]; the aliases below say what the integers count."""
Vpns = Ints
Pfns = Ints
Words = Ints
Rows = Ints
Slots = Ints
Mask = npt.NDArray[np.bool_]

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT
PAGE_MASK = PAGE_SIZE - 1
"""Bits of an address inside its page: addr & PAGE_MASK == 0 means aligned."""

PTE_PRESENT = 1 << 0
PTE_WRITE = 1 << 1
PTE_USER = 1 << 2
PTE_ACCESSED = 1 << 5
PTE_DIRTY = 1 << 6
PTE_SHIFT = 12
ONE, SHIFT = (np.array(number, dtype=np.int64) for number in (1, PTE_SHIFT))
"""1 and PTE_SHIFT as arrays without axes: NumPy would convert a number each time."""
PTE_LETTERS = (
    (PTE_PRESENT, "P"),
    (PTE_WRITE, "W"),
    (PTE_USER, "U"),
    (PTE_ACCESSED, "A"),
    (PTE_DIRTY, "D"),
)

SWP_TYPE_SHIFT = 1
SWP_TYPE_MASK = 0x1F
SWP_EXCLUSIVE = 1 << 7
SWP_OFFSET_SHIFT = 8

PG_ANON = 1 << 0
PG_SWAPCACHE = 1 << 1
PG_DIRTY = 1 << 2
PG_REFERENCED = 1 << 3
PG_LOCKED = 1 << 4
PG_RESERVED = 1 << 5
PG_EXCLUSIVE = 1 << 6
PAGE_FLAGS = (
    (PG_ANON, "anon"),
    (PG_SWAPCACHE, "swapcache"),
    (PG_DIRTY, "dirty"),
    (PG_REFERENCED, "referenced"),
    (PG_LOCKED, "locked"),
    (PG_RESERVED, "reserved"),
    (PG_EXCLUSIVE, "exclusive"),
)

ZERO_PFN = 0
POISON = 0x6B6B6B6B6B6B6B6B
"""Content tag of a freed frame (POISON_FREE of mm/slab.c): reading it is a use after free."""
TASK_NPAGES = {"x86_32": 0xC0000, "x86_64": 0x7FFFFFFFF}
"""Pages that a process may use where the kernel takes a share of the addresses."""


@dataclass(frozen=True)
class Geometry:
    """The shape of page tables: how many levels, and how many index bits each level takes.

    levels  number of tables that a walk passes, >= 1
    bits    index bits per level, so that a table has 2**bits entries
    name    what a history or a snapshot calls it
    """

    levels: int
    bits: int
    name: str = ""

    def __post_init__(self) -> None:
        if self.levels < 1 or self.bits < 1 or self.levels * self.bits > 50:
            raise ValueError(
                f"a geometry needs levels >= 1, bits >= 1 and levels * bits <= 50, "
                f"got levels={self.levels}, bits={self.bits}"
            )

    @cached_property
    def slots(self) -> int:
        """Entries of one table."""
        return 1 << self.bits

    @cached_property
    def npages(self) -> int:
        """Pages of one address space; the highest vpn is npages - 1."""
        return 1 << self.levels * self.bits

    @cached_property
    def task_npages(self) -> int:
        """Pages that a process may use (TASK_SIZE): all of them where the kernel takes no share."""
        return TASK_NPAGES.get(self.name, self.npages)

    @cached_property
    def hex_digits(self) -> int:
        """Hex digits that write any address of this geometry."""
        return -(-(self.levels * self.bits + PAGE_SHIFT) // 4)

    def index(self, vpns: Any, level: int) -> Any:
        """Return the slot that `vpns` choose in the table at `level`; level 0 is the top."""
        return vpns >> self.bits * (self.levels - 1 - level) & self.slots - 1

    def address(self, vpn: int) -> str:
        """Write page number `vpn` as the hex address of its first byte."""
        return f"0x{vpn << PAGE_SHIFT:0{self.hex_digits}x}"


LESSON = Geometry(2, 4, "lesson")
"""Small enough to draw whole: in 0x3a000, digit 3 indexes the top table, digit a the next."""
X86_32 = Geometry(2, 10, "x86_32")
"""The machine of 2004."""
X86_64 = Geometry(4, 9, "x86_64")
"""For real programs."""
GEOMETRIES = {geometry.name: geometry for geometry in (LESSON, X86_32, X86_64)}


def swp_entry(offsets: Any, swap_type: int = 0) -> Any:
    """Return the not-present words that name swap slots `offsets` (>= 1)."""
    return offsets << SWP_OFFSET_SHIFT | swap_type << SWP_TYPE_SHIFT


def swp_offset(words: Any) -> Any:
    """Return the swap slots that the not-present, non-zero `words` name."""
    return words >> SWP_OFFSET_SHIFT


def is_present(words: Any) -> Any:
    """True where a word maps a frame (or, in an upper level, a table)."""
    return words & PTE_PRESENT != 0


def is_swap(words: Any) -> Any:
    """True where a word names a swap slot."""
    return (words != 0) & (words & PTE_PRESENT == 0)


def pte_letters(word: int) -> str:
    """Write the flags of a present word as letters, '-' where a bit is clear: 'PW-A-'."""
    return "".join(letter if word & bit else "-" for bit, letter in PTE_LETTERS)


def flag_names(flags: int) -> tuple[str, ...]:
    """Return the names of the page flags that are set, in bit order."""
    return tuple(name for bit, name in PAGE_FLAGS if flags & bit)
