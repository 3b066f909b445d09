"""Page tables: every page-table page of the machine is a row of one array, every entry a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from anonlab.errors import OutOfMemory
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
        self.words = np.zeros((16, geometry.slots), dtype=np.int64)
        self._free = np.arange(15, 0, -1, dtype=np.int64)
        self._nfree = 15
        self._columns = np.arange(geometry.slots, dtype=np.int64)
        self._shifts = range(geometry.bits * (geometry.levels - 1), 0, -geometry.bits)

    @property
    def nused(self) -> int:
        """Page-table pages in use; row 0 does not count."""
        return len(self.words) - 1 - self._nfree

    @property
    def free_rows(self) -> Rows:
        """The free rows, int64[n]."""
        return self._free[: self._nfree].copy()

    def room(self) -> int | None:
        """Return how many tables can still be made; None for no limit."""
        return None if self.max_rows is None else self.max_rows - self.nused

    def alloc(self, ntables: int) -> Rows:
        """Return `ntables` empty rows, int64[ntables] (pgd_alloc, pte_alloc_one); OutOfMemory if
        there is no room, nothing has changed then."""
        room = self.room()
        if room is not None and ntables > room:
            raise OutOfMemory(f"ENOMEM: {ntables} page-table pages wanted, {room} are free")
        if ntables > self._nfree:
            self._grow(ntables)
        top = self._nfree
        self._nfree = top - ntables
        return self._free[self._nfree : top][::-1].copy()

    def _grow(self, ntables: int) -> None:
        """Make at least `ntables` free rows, by doubling."""
        old = len(self.words)
        new = max(2 * old, old + ntables)
        words = np.zeros((new, self.geometry.slots), dtype=np.int64)
        words[:old] = self.words
        free = np.zeros(new, dtype=np.int64)
        free[: new - old] = np.arange(new - 1, old - 1, -1)
        free[new - old : new - old + self._nfree] = self._free[: self._nfree]
        self.words, self._free, self._nfree = words, free, self._nfree + new - old

    def bases(self, vpns: Vpns) -> Vpns:
        """Return the first vpns of the leaf tables that hold the ascending `vpns`, distinct."""
        bases = vpns >> self.geometry.bits << self.geometry.bits
        return bases[run_starts(bases)]

    def leaf(self, pgds: Any, vpns: Any) -> tuple[Rows, Slots]:
        """Walk: return row and slot of the leaf words of `vpns` in the tables at `pgds`.

        One function for every walk: it broadcasts, so one vpn in many tables (the question of the
        reverse map) and many vpns in one table (fork, munmap) are the same gather.
        pgds, vpns  int64[n] or int; rows come back 0 where a table is missing (follow_page)
        """
        words, last_slot = self.words, self.geometry.slots - 1
        rows = pgds
        for shift in self._shifts:
            rows = words[rows, vpns >> shift & last_slot] >> PTE_SHIFT
        return rows, vpns & last_slot

    def lookup(self, pgds: Any, vpns: Any) -> Words:
        """Return the leaf words of `vpns` in the tables at `pgds`, 0 where there is none."""
        return self.words[self.leaf(pgds, vpns)]

    def span(self, pgd: int, start_vpn: int, end_vpn: int) -> Span:
        """Return the leaf words of [start_vpn, end_vpn) under `pgd`, missing tables as zeros."""
        slots = self.geometry.slots
        bases = np.arange(start_vpn // slots * slots, end_vpn, slots, dtype=np.int64)
        rows = self.leaf(pgd, bases)[0] if self.geometry.levels > 1 else np.full_like(bases, pgd)
        return Span(self, pgd, start_vpn, end_vpn, bases, rows)

    def populated(self, pgd: int, start_vpn: int, end_vpn: int) -> Span:
        """Return like `span`, leaving out the leaf tables that do not exist."""
        bases, rows = self.leaf_tables(pgd, start_vpn, end_vpn)
        return Span(self, pgd, start_vpn, end_vpn, bases, rows)

    def leaf_tables(self, pgd: int, start_vpn: int, end_vpn: int) -> tuple[Vpns, Rows]:
        """Return the leaf tables that hold pages of a range: first vpns and rows, int64[k] each.

        Goes down only where tables are: programs reserve ranges of terabytes and touch a few pages.
        """
        bases, rows = np.zeros(1, dtype=np.int64), np.array([pgd], dtype=np.int64)
        for level in range(self.geometry.levels - 1):
            shift = self.geometry.bits * (self.geometry.levels - 1 - level)  # pages below a slot
            at, slots = np.nonzero(self.words[rows])
            below = bases[at] + (slots << shift)
            inside = (below < end_vpn) & (below + (1 << shift) > start_vpn)
            bases, rows = below[inside], self.words[rows[at], slots][inside] >> PTE_SHIFT
        return bases, rows

    def missing(self, pgd: int, bases: Vpns) -> int:
        """Return how many tables `ensure(pgd, bases)` would make; pgd 0 means a new mm's, counted
        without its top table."""
        return self._descend(pgd, bases, make=False)[1]

    def ensure(self, pgd: int, bases: Vpns) -> Rows:
        """Make the tables that lead to the leaf tables at `bases` (pmd_alloc, pte_alloc_map).

        bases   int64[k], first vpns of leaf tables, ascending and distinct
        returns the leaf rows, int64[k]; the caller has seen to it that there is room
        """
        return self._descend(pgd, bases, make=True)[0]

    def _descend(self, pgd: int, bases: Vpns, make: bool) -> tuple[Rows, int]:
        geometry = self.geometry
        rows = np.full(bases.shape, pgd, dtype=np.int64)
        ntables = 0
        for level in range(geometry.levels - 1):
            slots = geometry.index(bases, level)
            below = self.words[rows, slots] >> PTE_SHIFT
            absent = np.flatnonzero(below == 0)
            if absent.size:
                # Leaf tables under the same missing table share one new row.
                prefixes = bases[absent] >> geometry.bits * (geometry.levels - 1 - level)
                begins = run_starts(prefixes)
                first, owner = np.flatnonzero(begins), np.cumsum(begins) - 1
                ntables += first.size
                if make:
                    new = self.alloc(first.size)
                    at = absent[first]
                    self.words[rows[at], slots[at]] = new << PTE_SHIFT | TABLE_BITS
                    below[absent] = new[owner]
            rows = below
        return rows, ntables

    def free(self, pgd: int) -> None:
        """Give back the tables under `pgd` and the top table itself (free_pgtables, pgd_free)."""
        rows = np.array([pgd], dtype=np.int64)
        for level in range(self.geometry.levels):
            words = self.words[rows]
            self.words[rows] = 0
            self._free[self._nfree : self._nfree + rows.size] = rows
            self._nfree += rows.size
            if level < self.geometry.levels - 1:
                rows = words[words != 0] >> PTE_SHIFT


@dataclass
class Span:
    """The leaf words of a range of pages, as a copy that can be changed and stored.

    bases  int64[k], first vpn of each leaf table, ascending
    rows   int64[k], its row; 0 where the table is missing
    words  int64[n], the words inside the range, a view of the copy
    """

    tables: PageTables
    pgd: int
    start_vpn: int
    end_vpn: int
    bases: Vpns
    rows: Rows

    def __post_init__(self) -> None:
        self._block = self.tables.words[self.rows]  # int64[k, slots], a copy
        slots = self._block.shape[1]
        flat = self._block.reshape(-1)
        self._first, self._last = 0, slots
        if self.bases.size:
            self._first = max(self.start_vpn - int(self.bases[0]), 0)
            self._last = min(self.end_vpn - int(self.bases[-1]), slots)
        self._inside = slice(self._first, flat.size - slots + self._last)
        self.words: Words = flat[self._inside]

    @property
    def vpns(self) -> Vpns:
        """The page numbers of `words`, int64[n]."""
        vpns = self.bases[:, None] + self.tables._columns  # int64[k, slots]
        return vpns.reshape(-1)[self._inside]

    def put(self, vpns: Vpns, words: Words) -> None:
        """Set the words at `vpns`, ascending and inside the range, where tables are."""
        everywhere = vpns.size == self.words.size
        self.words[slice(None) if everywhere else np.searchsorted(self.vpns, vpns)] = words

    def take_to(self, pgd: int) -> None:
        """Belong to the tables under `pgd` from now on, which are made where they are missing:
        `store` puts the same words at the same addresses there."""
        self.pgd = pgd
        self.rows = self.tables.ensure(pgd, self.bases)

    def missing(self) -> int:
        """Return how many page tables `ensure` would make."""
        return self.tables.missing(self.pgd, self.bases[self.rows == 0])

    def ensure(self) -> None:
        """Make the page tables that are missing, so that any word can be stored."""
        if np.count_nonzero(self.rows) < self.rows.size:
            self.rows = self.tables.ensure(self.pgd, self.bases)

    def store(self) -> None:
        """Write `words` back to the page tables; what lies outside the range stays as it is now."""
        if not self.rows.size:
            return
        rows, words = self.rows, self.tables.words
        if rows.size == 1 and rows[0]:
            words[rows[0], self._first : self._last] = self.words
            return
        there = rows != 0
        if there[0]:
            self._block[0, : self._first] = words[rows[0], : self._first]
        if there[-1]:
            self._block[-1, self._last :] = words[rows[-1], self._last :]
        if there.all():
            words[rows] = self._block
            return
        assert not self._block[~there].any(), "a word was to be stored where no page table is"
        words[rows[there]] = self._block[there]
