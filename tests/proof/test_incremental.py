"""A check of what an operation changed says what a full check says, and costs less."""

from __future__ import annotations

import numpy as np
import pytest
from broken import CASES, COUNTED, Break, machine
from watched import PAGE, A, B

from anonlab import Kernel, check, scan
from anonlab.histories.run import apply, make_kernel
from anonlab.machine.words import GEOMETRIES, PG_ANON, Geometry
from anonlab.proof.difference import LastSeen
from anonlab.proof.fuzz import history_of
from anonlab.proof.incremental import IncrementalCheck
from anonlab.proof.part import FACTS, everything
from anonlab.rmap import DESIGNS

CAN_HAPPEN = [case for case in CASES if "2 times on the free list" not in case[1]]
"""Whoever frees or takes a frame changes a column, or how many are free."""


def said(kernel: Kernel) -> str:
    """What a full check says about `kernel`."""
    with pytest.raises(AssertionError) as caught:
        check(kernel)
    return str(caught.value).splitlines()[0]


def count(kernel: Kernel, whose: str) -> None:
    """Count a change, as an operation does."""
    objects = {"mm": kernel.mms[1], "file": kernel.files["libc"], "kernel": kernel}
    if whose:
        objects.get(whose, kernel.design).version += 1


@pytest.mark.parametrize("harm", [harm for harm, _ in CAN_HAPPEN], ids=[it for _, it in CAN_HAPPEN])
def test_what_a_full_check_says_an_incremental_one_says(harm: Break):
    kernel = machine()
    incremental = IncrementalCheck(kernel)
    incremental.check()
    harm(kernel)
    count(kernel, COUNTED[harm])
    with pytest.raises(AssertionError) as caught:
        incremental.check()
    assert str(caught.value).splitlines()[0] == said(kernel)


def test_everything_is_checked_now_and_then():
    kernel = machine()
    incremental = IncrementalCheck(kernel, every=3)
    del kernel.mms[1].rmap.mms[1]  # no version counts it
    incremental.check()
    incremental.check()
    with pytest.raises(AssertionError, match="groups have the mms"):
        incremental.check()


@pytest.mark.parametrize("design", DESIGNS)
def test_its_walks_are_those_of_a_full_check_after_every_operation(design: str):
    history = history_of(3, 0)
    kernel = make_kernel(history, design)
    incremental = IncrementalCheck(kernel, every=10**9)
    for op in history.ops:
        apply(kernel, op)
        assert incremental.check() == check(kernel)


def test_a_write_fault_is_looked_at_alone():
    kernel = machine()
    incremental = IncrementalCheck(kernel)
    assert incremental.part.changed == FACTS, "at first it sees everything"
    incremental.check()
    assert incremental.part.changed == frozenset()
    kernel.processes["parent"].write(A, 7)
    incremental.check()
    part = incremental.part
    assert part.changed == {"frames", "tables"}
    assert part.mms == {}
    assert part.files == ()
    old, new = (kernel.processes[who].page(A).pfn for who in ("child", "parent"))
    assert np.flatnonzero(part.pages).tolist() == sorted((old, new))


def test_an_operation_on_one_family_leaves_the_other_out():
    kernel = machine()
    stranger = kernel.spawn("stranger")
    stranger.mmap(0x2000, at=B)
    stranger.write_range(B, [1, 2])
    incremental = IncrementalCheck(kernel)
    incremental.families = {1: 1, 2: 1, stranger.mm.number: 2}
    stranger.munmap(B, 0x1000)
    incremental.check()
    own = everything(kernel, incremental.part.truth).mappings
    pages = set(own[2][own[0] == stranger.mm.number].tolist())
    assert pages <= set(np.flatnonzero(incremental.part.pages).tolist())
    assert not incremental.part.pages[kernel.processes["parent"].page(A).pfn]


@pytest.mark.parametrize("design", DESIGNS)
def test_a_design_has_nothing_against_the_mappings_of_one_page(design: str):
    history = history_of(3, 0)
    kernel = make_kernel(history, design)
    npages = 0
    for op in history.ops[:120]:
        apply(kernel, op)
    mms, vpns, pfns = everything(kernel, scan(kernel)).mappings
    for pfn in np.unique(pfns[kernel.mem_map.has(pfns, PG_ANON)]).tolist():
        mine = pfns == pfn
        kernel.design.check(kernel.mms, mms[mine], vpns[mine], pfns[mine])
        npages += 1
    assert npages > 3
    kernel.design.check(kernel.mms, mms[:0], vpns[:0], pfns[:0])
    kernel.design.check_structure(kernel.mms)


def test_a_heap_that_shrinks_to_where_it_is_mapped_already_is_a_change():
    kernel = Kernel()
    task = kernel.spawn("p1")
    task.brk(task.brk() + 2 * PAGE)
    task.munmap(task.brk() - PAGE, PAGE)
    incremental = IncrementalCheck(kernel)
    task.brk(task.brk() - 2 * PAGE)
    incremental.check()
    assert list(incremental.part.mms) == [1]


@pytest.mark.parametrize("design", ["anongroup", "anon_vma_chain"])
def test_the_words_that_differ_are_those_of_a_comparison_word_by_word(design: str):
    history = history_of(5, 0)
    kernel = make_kernel(history, design)
    last, before = LastSeen(kernel), kernel.tables.words.copy()
    seen = kernel.mem_map.columns.copy()
    for number, op in enumerate(history.ops):
        apply(kernel, op)
        if number % 3:  # several operations lie between two looks, too
            continue
        now = kernel.tables.words.copy()
        before.resize(now.shape)  # a table that was not there was empty
        words = (*before[now != before].tolist(), *now[now != before].tolist())
        named = {word >> 12 for word in words if word & 1}
        found = last.renew()
        frames = set(np.flatnonzero(found.frames).tolist())
        assert {pfn for pfn in named if pfn < found.frames.size} <= frames
        assert ("tables" in found.facts) >= bool((now != before).any())
        columns = np.flatnonzero((kernel.mem_map.columns != seen).any(axis=0)).tolist()
        assert frames <= named | set(columns)
        before, seen = now, kernel.mem_map.columns.copy()


def walked_by_hand(kernel: Kernel) -> tuple[list[tuple[int, int, int]], list[int]]:
    """Every leaf word as (mm, vpn, word), and every table on the way, one word after the other."""
    leaves, rows = [], []

    def go_down(mm: int, row: int, level: int, vpn: int) -> None:
        rows.append(row)
        for slot, word in enumerate(kernel.tables.words[row].tolist()):
            below = vpn << kernel.geometry.bits | slot
            if word and level == kernel.geometry.levels - 1:
                leaves.append((mm, below, word))
            elif word:
                go_down(mm, word >> 12, level + 1, below)

    for number, mm in kernel.mms.items():
        go_down(number, mm.pgd, 0, 0)
    return leaves, rows


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=list(GEOMETRIES))
def test_the_scan_reads_what_a_walk_by_hand_reads(geometry: Geometry):
    kernel = Kernel(frames=128, geometry=geometry)
    parent = kernel.spawn("parent")
    for page in (0x20, 0x2F, 0x50, 0x70):
        parent.mmap(2 * PAGE, at=page * PAGE)
        parent.write(page * PAGE, page)
    kernel.spawn("stranger").execve("sh")
    parent.fork("child").write(0x50 * PAGE, 1)
    parent.swap_out(0x20 * PAGE)
    leaves, rows = walked_by_hand(kernel)
    truth = scan(kernel)
    assert np.array([truth.mms, truth.vpns, truth.words]).T.tolist() == list(map(list, leaves))
    assert sorted(truth.rows.tolist()) == sorted(rows)
    assert truth.filled.tolist() == np.count_nonzero(kernel.tables.words, axis=1).tolist()
