"""Page tables: every page-table page of the machine is a row of one array, every entry a word."""

from __future__ import annotations

from typing import Any

import numpy as np

from anonlab.errors import OutOfMemory
from anonlab.machine.free_list import FreeList
from anonlab.machine.words import (
    PTE_PRESENT,
    PTE_SHIFT,
    PTE_USER,
    PTE_WRITE,
    Geometry,
    Ints,
    Mask,
    Rows,
    Slots,
    Vpns,
    Words,
)

TABLE_BITS = PTE_PRESENT | PTE_WRITE | PTE_USER
"""Flags of an upper-level word (_PAGE_TABLE): the leaf decides what is allowed."""
NONE = np.zeros(0, dtype=np.int64)
NO_TABLE = "a word was to be stored where no page table is"


def run_starts(values: Ints) -> Mask:
    """Return where a run of equal values begins in the ascending `values`, bool[n]."""
    begins = np.ones(values.shape, dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=begins[1:])
    return begins


class PageTables:
    """All page tables: words int64[rows, slots]; one row is one page-table page.

    Row 0 is the permanently empty table: where a table is missing the word above is 0, so a walk
    goes on in row 0, reads 0 there, and needs no branch. Nothing may write to row 0.
    max_rows  page-table pages that can exist at a time, None for no limit
    """

    def __init__(self, geometry: Geometry, max_rows: int | None = None) -> None:
        if max_rows is not None and max_rows < 1:
            raise ValueError(f"tables must be >= 1 page-table pages, got {max_rows}")
        self.geometry = geometry
        self.max_rows = max_rows
        self.slots = geometry.slots
        self.words = np.zeros((16, self.slots), dtype=np.int64)
        self._free = FreeList(1, 16)
        self._leaf_level = geometry.levels - 1
        # How far a vpn is shifted to give the slot at each level above the leaves, the top first.
        self._shifts = [geometry.bits * (self._leaf_level - n) for n in range(self._leaf_level)]

    @property
    def nused(self) -> int:
        """Page-table pages in use; row 0 does not count."""
        return len(self.words) - 1 - self._free.size

    @property
    def free_rows(self) -> Rows:
        """The free rows, int64[n]."""
        return self._free.numbers

    def room(self) -> int | None:
        """Return how many tables can still be made; None for no limit."""
        return None if self.max_rows is None else self.max_rows - self.nused

    def alloc(self, ntables: int) -> Rows:
        """Return `ntables` empty rows, int64[ntables] (pgd_alloc, pte_alloc_one); OutOfMemory if
        there is no room, nothing has changed then."""
        room = self.room()
        if room is not None and ntables > room:
            raise OutOfMemory(f"ENOMEM: {ntables} page-table pages wanted, {room} are free")
        if ntables > self._free.size:  # more rows, by doubling
            old = len(self.words)
            words = np.zeros((max(2 * old, old + ntables), self.slots), dtype=np.int64)
            words[:old] = self.words
            self.words = words
            self._free.grow(old, len(words))
        return self._free.take(ntables)

    # From addresses to tables

    def below(self, rows: Any, vpns: Any, level: int) -> Any:
        """Return the rows of the tables one level below `rows`, which are at `level`, on the way to
        `vpns`; 0 where there is none: one step of the walk."""
        return self.words[rows, vpns >> self._shifts[level] & self.slots - 1] >> PTE_SHIFT

    def table(self, pgds: Any, vpns: Any) -> Any:
        """Walk: return the rows of the leaf tables that hold `vpns` in the tables at `pgds`.

        It broadcasts, so one vpn in many tables (the question of the reverse map) and many vpns in
        one table (fork, munmap) are the same gather.
        pgds, vpns  int64[n] or int; rows come back 0 where a table is missing (follow_page)
        """
        rows, words, last_slot = pgds, self.words, self.slots - 1
        for shift in self._shifts:
            rows = words[rows, vpns >> shift & last_slot] >> PTE_SHIFT
        return rows

    def leaf(self, pgds: Any, vpns: Any) -> tuple[Rows, Slots]:
        """Return row and slot of the leaf words of `vpns` in the tables at `pgds`."""
        return self.table(pgds, vpns), vpns & self.slots - 1

    def lookup(self, pgds: Any, vpns: Any) -> Words:
        """Return the leaf words of `vpns` in the tables at `pgds`, 0 where there is none."""
        return self.words[self.leaf(pgds, vpns)]

    def missing(self, pgd: int, bases: Vpns) -> int:
        """Return how many tables `ensure(pgd, bases)` would make; pgd 0 means a new mm's, counted
        without its top table."""
        rows, ntables = np.full_like(bases, pgd), 0
        for level in range(self._leaf_level):
            rows = self.below(rows, bases, level)
            ntables += int(np.count_nonzero(run_starts(bases[rows == 0] >> self._shifts[level])))
        return ntables

    def missing_in(self, spans: list[Span]) -> int:
        """Return how many tables the `spans`, all under one top table, lack together."""
        lacking = [np.extract(span.rows == 0, span.bases) for span in spans]
        return self.missing(spans[0].pgd, np.unique(np.concatenate(lacking))) if spans else 0

    def ensure(self, pgd: int, bases: Any) -> Any:
        """Make the tables that lead to the leaf tables at `bases` (pmd_alloc, pte_alloc_map).

        bases   int64[k], first vpns of leaf tables, ascending and distinct; or int, nearly always
        returns the leaf rows, int64[k] or int; the caller has seen to it that there is room
        """
        single = isinstance(bases, int)
        above: Any = pgd if single else np.full_like(bases, pgd)
        for level in range(self._leaf_level):
            rows = self.below(above, bases, level)
            if not (rows if single else rows.all()):
                self._make(above, bases, level, rows == 0)
                rows = self.below(above, bases, level)
            above = rows
        return above

    def _make(self, above: Any, vpns: Any, level: int, absent: Any) -> None:
        """Make the tables one level below `above`, which is at `level`, for the `absent` vpns."""
        slots = vpns >> self._shifts[level]
        if isinstance(vpns, int):
            new: Any = int(self.alloc(1)[0])
        else:  # leaf tables below the same missing table share one new row
            first = np.flatnonzero(absent)[run_starts(slots[absent])]
            above, slots, new = above[first], slots[first], self.alloc(first.size)
        self.words[above, slots & self.slots - 1] = new << PTE_SHIFT | TABLE_BITS

    # From tables to addresses

    def subtree(self, pgd: int, start_vpn: int, end_vpn: int) -> list[tuple[Vpns, Rows]]:
        """Return the tables that hold pages of a range, level by level from the top: first vpns
        and rows, int64[k] each.

        Goes down only where tables are: programs reserve ranges of terabytes and touch a few pages.
        """
        bases, rows = np.zeros(1, dtype=np.int64), np.array([pgd], dtype=np.int64)
        found = [(bases, rows)]
        for shift in self._shifts:
            above, slots = np.nonzero(self.words[rows])
            vpns = bases[above] + (slots << shift)
            inside = (vpns < end_vpn) & (vpns + (1 << shift) > start_vpn)
            bases, rows = vpns[inside], self.words[rows[above], slots][inside] >> PTE_SHIFT
            found.append((bases, rows))
        return found

    def free(self, pgd: int) -> None:
        """Give back the tables under `pgd` and the top table itself (free_pgtables, pgd_free)."""
        for _, rows in self.subtree(pgd, 0, self.geometry.npages):
            self.words[rows] = 0
            self._free.give(rows)

    # Ranges

    def bases(self, vpns: Vpns) -> Vpns:
        """Return the first vpns of the leaf tables that hold the ascending `vpns`, distinct."""
        bases = vpns // self.slots * self.slots
        return bases[run_starts(bases)]

    def span(self, pgd: int, start_vpn: int, end_vpn: int) -> Span:
        """Return the leaf words of [start_vpn, end_vpn) under `pgd`, missing tables as zeros."""
        bases: Any = start_vpn & -self.slots
        if end_vpn > bases + self.slots:
            bases = np.arange(bases, end_vpn, self.slots, dtype=np.int64)
        return Span(self, pgd, start_vpn, end_vpn, bases, self.table(pgd, bases))

    def populated(self, pgd: int, start_vpn: int, end_vpn: int) -> Span:
        """Return like `span`, leaving out the leaf tables that do not exist."""
        bases: Any = start_vpn & -self.slots
        if start_vpn < end_vpn <= bases + self.slots:
            rows = self.table(pgd, bases)
            bases, rows = (bases, rows) if rows else (NONE, NONE)
        else:
            bases, rows = self.subtree(pgd, start_vpn, end_vpn)[-1]
        return Span(self, pgd, start_vpn, end_vpn, bases, rows)


class Span:
    """The leaf words of a range of pages, as a copy that can be changed and stored.

    bases  int64[k], first vpn of each leaf table, ascending; int if the range lies in one table
    rows   its row, int64[k] or int; 0 where the table is missing
    words  int64[n], the words inside the range
    """

    def __init__(
        self, tables: PageTables, pgd: int, start_vpn: int, end_vpn: int, bases: Any, rows: Any
    ) -> None:
        self.tables = tables
        self.pgd = pgd
        self.start_vpn, self.end_vpn = start_vpn, end_vpn
        self.bases, self.rows = bases, rows
        self._single = isinstance(bases, int)
        if self._single:  # nearly always: then the range is a slice of one table
            self._first, self._last = start_vpn - bases, end_vpn - bases
            self.words: Words = tables.words[rows, self._first : self._last].copy()
            return
        slots, self._first, self._last = tables.slots, 0, tables.slots
        if bases.size:
            self._first = max(start_vpn - bases.item(0), 0)
            self._last = min(end_vpn - bases.item(-1), slots)
        self._block = tables.words[rows]  # int64[k, slots], a copy; `words` is a view of it
        flat = self._block.reshape(-1)
        self.words = flat[self._first : flat.size - slots + self._last]

    @property
    def vpns(self) -> Vpns:
        """The page numbers of `words`, int64[n]."""
        if self._single:
            return np.arange(self.start_vpn, self.end_vpn, dtype=np.int64)
        slots = self.tables.slots
        vpns: Vpns = (self.bases[:, None] + np.arange(slots)).reshape(-1)
        return vpns[self._first : vpns.size - slots + self._last]

    @property
    def complete(self) -> bool:
        """True if no table is missing."""
        return bool(self.rows if self._single else self.rows.all())

    def put(self, vpns: Vpns, words: Words) -> None:
        """Set the words at `vpns`, ascending and inside the range, where tables are."""
        everywhere = vpns.size == self.words.size
        self.words[slice(None) if everywhere else np.searchsorted(self.vpns, vpns)] = words

    def take_to(self, pgd: int) -> None:
        """Belong to the tables under `pgd` from now on, which are made where they are missing:
        `store` puts the same words at the same addresses there."""
        self.pgd = pgd
        self.rows = self.tables.ensure(pgd, self.bases)

    def ensure(self) -> None:
        """Make the page tables that are missing, so that any word can be stored."""
        if not self.complete:
            self.rows = self.tables.ensure(self.pgd, self.bases)

    def store(self) -> None:
        """Write `words` back to the page tables; what lies outside the range stays as it is now."""
        rows, words, first, last = self.rows, self.tables.words, self._first, self._last
        if self._single:
            assert rows or not np.count_nonzero(self.words), NO_TABLE
            if rows:
                words[rows, first:last] = self.words
        elif rows.size:
            if rows[0]:
                self._block[0, :first] = words[rows[0], :first]
            if rows[-1]:
                self._block[-1, last:] = words[rows[-1], last:]
            if self.complete:
                words[rows] = self._block
            else:
                there = rows != 0
                assert not self._block[~there].any(), NO_TABLE
                words[rows[there]] = self._block[there]
