"""Page tables against a plain dictionary of (table, page number) -> word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from watched import STEADY

from anonlab import GEOMETRIES, LESSON, X86_32, X86_64, Geometry, OutOfMemory
from anonlab.machine.tables import PageTables

SMALL = [LESSON, Geometry(3, 2), Geometry(1, 5), Geometry(4, 2)]
PRESENT = 1
Naive = dict[tuple[int, int], int]


def fill(tables: PageTables, pgd: int, vpns: list[int], seed: int) -> Naive:
    """Make tables for `vpns` and store a distinct word at each; return what should be there."""
    wanted = np.array(sorted(set(vpns)), dtype=np.int64)
    tables.ensure(pgd, tables.bases(wanted))
    rows, slots = tables.leaf(pgd, wanted)
    words = (wanted + seed * 1000 + 1) << 12 | PRESENT
    tables.words[rows, slots] = words
    return {(pgd, vpn): word for vpn, word in zip(wanted.tolist(), words.tolist(), strict=True)}


@given(st.sampled_from(SMALL), st.data())
@STEADY
def test_the_walk_finds_what_a_dictionary_holds_and_zero_elsewhere(geometry, data):
    tables = PageTables(geometry)
    pages = st.integers(0, geometry.npages - 1)
    truth: Naive = {}
    pgds = []
    for seed in range(3):
        pgd = int(tables.alloc(1)[0])
        pgds.append(pgd)
        truth |= fill(tables, pgd, data.draw(st.lists(pages, max_size=12)), seed)
    every = np.arange(geometry.npages)
    for pgd in pgds:
        expected = [truth.get((pgd, vpn), 0) for vpn in every.tolist()]
        assert tables.lookup(pgd, every).tolist() == expected
        assert [int(tables.lookup(pgd, vpn)) for vpn in every.tolist()[:9]] == expected[:9]
    vpn = data.draw(pages)
    in_all = tables.lookup(np.array(pgds), vpn).tolist()
    assert in_all == [truth.get((pgd, vpn), 0) for pgd in pgds], "one page in many tables"
    assert not tables.words[0].any()


@pytest.mark.parametrize("geometry", [X86_32, X86_64])
def test_the_walk_of_real_geometries_is_the_chain_of_indices(geometry):
    tables = PageTables(geometry)
    pgd = int(tables.alloc(1)[0])
    rng = np.random.default_rng(4)
    vpns = rng.integers(0, geometry.npages, 300).tolist()
    truth = fill(tables, pgd, vpns, 1)
    for vpn in vpns:
        row = pgd
        for level in range(geometry.levels - 1):
            shift = geometry.bits * (geometry.levels - 1 - level)
            row = int(tables.words[row, vpn >> shift & geometry.slots - 1]) >> 12
        assert int(tables.words[row, vpn & geometry.slots - 1]) == truth[pgd, vpn]
    absent = [vpn for vpn in rng.integers(0, geometry.npages, 300).tolist() if vpn not in vpns]
    assert not tables.lookup(pgd, np.array(absent)).any()


@given(st.sampled_from(SMALL), st.data())
@STEADY
def test_ensure_makes_as_many_tables_as_missing_said(geometry, data):
    tables = PageTables(geometry)
    pgd = int(tables.alloc(1)[0])
    for _ in range(3):
        pages = data.draw(st.lists(st.integers(0, geometry.npages - 1), min_size=1, max_size=9))
        bases = tables.bases(np.array(sorted(pages)))
        said, of_a_new_mm = tables.missing(pgd, bases), tables.missing(0, bases)
        used = tables.nused
        rows = tables.ensure(pgd, bases)
        assert tables.nused - used == said
        assert tables.missing(pgd, bases) == 0
        assert rows.tolist() == np.broadcast_to(tables.leaf(pgd, bases)[0], bases.shape).tolist()
        prefixes = {
            (level, int(base) >> geometry.bits * (geometry.levels - level))
            for base in bases
            for level in range(1, geometry.levels)
        }
        assert of_a_new_mm == len(prefixes), "one table for each prefix of each length"


@given(st.sampled_from(SMALL), st.data())
@STEADY
def test_bases_are_the_first_pages_of_the_leaf_tables(geometry, data):
    pages = data.draw(st.lists(st.integers(0, geometry.npages - 1), max_size=12))
    bases = PageTables(geometry).bases(np.array(sorted(pages), dtype=np.int64))
    assert bases.tolist() == sorted({page // geometry.slots * geometry.slots for page in pages})


@given(st.sampled_from(SMALL), st.data())
@STEADY
def test_a_span_reads_and_stores_its_range_and_nothing_else(geometry, data):
    tables = PageTables(geometry)
    pgd = int(tables.alloc(1)[0])
    pages = st.integers(0, geometry.npages - 1)
    truth = fill(tables, pgd, data.draw(st.lists(pages, max_size=20)), 1)
    start = data.draw(pages)
    end = data.draw(st.integers(start + 1, geometry.npages))

    span = tables.span(pgd, start, end)
    assert span.vpns.tolist() == list(range(start, end))
    assert span.words.tolist() == [truth.get((pgd, vpn), 0) for vpn in range(start, end)]
    assert tables.missing_in([span]) == tables.missing(pgd, np.extract(span.rows == 0, span.bases))

    outside = [vpn for vpn in range(geometry.npages) if not start <= vpn < end]
    if outside:
        late = data.draw(st.lists(st.sampled_from(outside), max_size=5))
        truth |= fill(tables, pgd, late, 2)  # somebody else stores meanwhile
    span.ensure()
    span.words[:] = np.arange(start, end) + 7
    span.store()
    truth |= {(pgd, vpn): vpn + 7 for vpn in range(start, end)}
    every = np.arange(geometry.npages)
    assert tables.lookup(pgd, every).tolist() == [truth.get((pgd, int(v)), 0) for v in every]
    assert not tables.words[0].any()


@given(st.sampled_from(SMALL), st.data())
@STEADY
def test_populated_leaves_out_missing_tables_and_no_word(geometry, data):
    tables = PageTables(geometry)
    pgd = int(tables.alloc(1)[0])
    pages = st.integers(0, geometry.npages - 1)
    truth = fill(tables, pgd, data.draw(st.lists(pages, max_size=8)), 1)
    start = data.draw(pages)
    end = data.draw(st.integers(start, geometry.npages))
    span = tables.populated(pgd, start, end)
    there = dict(zip(span.vpns.tolist(), span.words.tolist(), strict=True))
    assert {vpn: word for vpn, word in there.items() if word} == {
        vpn: word for (_, vpn), word in truth.items() if start <= vpn < end
    }
    assert all(start <= vpn < end for vpn in there)
    if geometry.levels > 1:
        assert all(
            base < end and base + geometry.slots > start
            for base in np.atleast_1d(span.bases).tolist()
        )
    assert np.all(span.rows != 0)
    span.words[:] = 0
    span.store()
    assert not tables.lookup(pgd, np.arange(start, end)).any()


def test_populated_looks_only_where_tables_are_however_large_the_range():
    tables = PageTables(X86_64)
    pgd = int(tables.alloc(1)[0])
    vpns = [5, 600, 1 << 30, (1 << 30) + 511, (1 << 36) - 1]
    truth = fill(tables, pgd, vpns, 1)
    span = tables.populated(pgd, 5, (1 << 36) - 1)
    assert span.bases.tolist() == [0, 512, 1 << 30, (1 << 36) - 512]
    assert span.words.size == 4 * 512 - 5 - 1
    at = span.words.nonzero()[0]
    assert dict(zip(span.vpns[at].tolist(), span.words[at].tolist(), strict=True)) == {
        vpn: truth[pgd, vpn] for vpn in vpns[:-1]
    }


def test_a_word_cannot_be_stored_where_no_table_is():
    tables = PageTables(LESSON)
    span = tables.span(int(tables.alloc(1)[0]), 0x30, 0x34)
    span.words[2] = 5
    with pytest.raises(AssertionError, match="a word was to be stored where no page table is"):
        span.store()
    assert not tables.words[0].any()


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=list(GEOMETRIES))
def test_all_rows_return_when_the_tables_are_freed(geometry):
    tables = PageTables(geometry)
    first, second = (int(row) for row in tables.alloc(2))
    vpns = [n * geometry.npages // 13 for n in range(13)]
    fill(tables, first, vpns, 1)
    kept = fill(tables, second, vpns, 2)
    of_second = (tables.nused - 2) // 2 + 1
    tables.free(first)
    assert tables.nused == of_second
    assert len(set(tables.free_rows.tolist())) == tables.free_rows.size
    assert not tables.words[tables.free_rows].any()
    for (pgd, vpn), word in kept.items():
        assert int(tables.lookup(pgd, vpn)) == word
    tables.free(second)
    assert tables.nused == 0
    assert not tables.words.any()


def test_rows_are_handed_out_empty_distinct_and_never_row_0_however_many():
    tables = PageTables(LESSON)
    rows = np.concatenate([tables.alloc(n) for n in (1, 7, 30, 100, 1)])
    assert len(set(rows.tolist())) == 139 == tables.nused
    assert 0 not in rows
    assert not tables.words[rows].any()
    assert tables.room() is None


def test_growing_keeps_every_word():
    tables = PageTables(LESSON)
    pgds = [int(tables.alloc(1)[0]) for _ in range(3)]
    truth: Naive = {}
    for pgd in pgds:
        truth |= fill(tables, pgd, list(range(0, 256, 9)), pgd)
    tables.alloc(500)
    for (pgd, vpn), word in truth.items():
        assert int(tables.lookup(pgd, vpn)) == word


def test_a_limit_of_tables_is_kept_to_the_last_one():
    tables = PageTables(LESSON, max_rows=3)
    assert tables.room() == 3
    tables.alloc(2)
    with pytest.raises(OutOfMemory, match="2 page-table pages wanted, 1 are free"):
        tables.alloc(2)
    assert tables.room() == 1
    assert tables.alloc(1).size == 1
    assert tables.room() == 0


@pytest.mark.parametrize("limit", [0, -1])
def test_a_machine_has_at_least_one_table(limit):
    with pytest.raises(ValueError, match=f"tables must be >= 1 page-table pages, got {limit}"):
        PageTables(LESSON, limit)
