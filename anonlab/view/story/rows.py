"""Which page each page-table word is for, kept up from step to step.

A delta names a word by its place: row of a table and slot. A picture wants address space and page
number. `PageWords` knows which address space each row belongs to, and at which level, so a step
costs what it changed; no table is walked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from anonlab.machine.words import PTE_SHIFT, Geometry

Page = tuple[int, int]
"""(mm, vpn)."""
Table = tuple[int, int, int]
"""(mm, level, prefix): the table at `level`, 0 is the top, for the pages whose numbers begin with
`prefix`."""


class RowChanges(NamedTuple):
    """What one step changed: `pages` {page: word, 0 if gone}, `tables` {table: row, 0 if gone}."""

    pages: dict[Page, int]
    tables: dict[Table, int]


class PageWords:
    """The words of all page tables of one machine, by row, and whose row it is."""

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self._words: dict[int, dict[int, int]] = {}  # row: {slot: word}
        self._tables: dict[int, Table] = {}  # row: whose it is
        self._tops: dict[int, int] = {}  # mm: row of its top table

    def change(
        self, cells: Iterable[tuple[int, int]], tops: Mapping[int, int] | None
    ) -> RowChanges:
        """Write the words of one step and return what it changed.

        cells  (row * slots + slot, word) of every word that changed
        tops   {mm: row of its top table} if an address space came or went, else None
        """
        was = self._write(cells)
        leaf = self.geometry.levels - 1
        before = self._tables
        upper = any(row not in before or before[row][1] < leaf for row in was)
        if tops is not None:
            self._tops = dict(tops)
        if tops is not None or upper:
            self._tables = dict(self._owned())
        moved = {row for row in before.keys() | self._tables.keys()
                 if before.get(row) != self._tables.get(row)}  # fmt: skip
        gone, new = self._leaves(was, moved, before)
        tables = {before[row]: 0 for row in moved if row in before and before[row][1]}
        tables |= {self._tables[row]: row for row in moved
                   if row in self._tables and self._tables[row][1]}  # fmt: skip
        return RowChanges(dict.fromkeys(gone, 0) | new, tables)

    def _write(self, cells: Iterable[tuple[int, int]]) -> dict[int, dict[int, int]]:
        """Write `cells`; return {row: {slot: the word that stood there}}."""
        was: dict[int, dict[int, int]] = {}
        for place, word in cells:
            row, slot = divmod(place, self.geometry.slots)
            words = self._words.setdefault(row, {})
            was.setdefault(row, {})[slot] = words.get(slot, 0)
            if word:
                words[slot] = word
            else:
                words.pop(slot, None)
        return was

    def _owned(self) -> Iterator[tuple[int, Table]]:
        """Yield every row with its table, from the top tables down."""
        rows = [(top, (mm, 0, 0)) for mm, top in self._tops.items()]
        for level in range(self.geometry.levels):
            yield from rows
            if level < self.geometry.levels - 1:
                rows = [
                    (word >> PTE_SHIFT, (mm, level + 1, prefix << self.geometry.bits | slot))
                    for row, (mm, _, prefix) in rows
                    for slot, word in self._words.get(row, {}).items()
                ]

    def _leaves(
        self, was: dict[int, dict[int, int]], moved: set[int], before: dict[int, Table]
    ) -> tuple[list[Page], dict[Page, int]]:
        """Return the pages that had words in rows that changed, and {page: word} of those now."""
        gone: list[Page] = []
        new: dict[Page, int] = {}
        for row in was.keys() | moved:
            words, changed = self._words.get(row, {}), was.get(row, {})
            if row in moved:
                old = (words | changed) if row in before else {}
                gone += self._pages(before.get(row), (slot for slot, word in old.items() if word))
                now = words
            else:
                gone += self._pages(before.get(row), changed)
                now = {slot: words[slot] for slot in changed if slot in words}
            pages = self._pages(self._tables.get(row), now)
            new.update(zip(pages, now.values(), strict=False))
        return gone, new

    def _pages(self, table: Table | None, slots: Iterable[int]) -> list[Page]:
        """Return the pages of `slots` of a leaf table; none if the row is no leaf table."""
        if table is None or table[1] != self.geometry.levels - 1:
            return []
        mm, _, prefix = table
        return [(mm, prefix << self.geometry.bits | slot) for slot in slots]
