"""Walks in pictures, text and facts are what the reverse map really does."""

from __future__ import annotations

import pytest

from anonlab import DESIGNS, Kernel, record
from anonlab.histories import library
from anonlab.histories.generate import generate
from anonlab.histories.run import apply, make_kernel
from anonlab.kernel.walk import walk
from anonlab.machine.words import PG_ANON
from anonlab.proof.invariants import check
from anonlab.recording.snapshot import snapshot
from anonlab.view.story.reading import read


@pytest.mark.parametrize("design", DESIGNS)
def test_a_recorded_walk_is_the_walk_of_the_kernel(design: str) -> None:
    """Probe by probe: the hits are those of the walk, and so are the counters at its end."""
    history = generate(7, 120, frames=24, swap=12)
    kernel = make_kernel(history, design)
    for op in history.ops:
        apply(kernel, op)
        for fact in snapshot(kernel, walks=True).walks:
            before = kernel.design.cost
            kernel.design.cost = type(before)()
            hits = walk(kernel, fact.pfn)
            cost, kernel.design.cost = kernel.design.cost, before
            found = [(probe.mm, probe.vpn) for probe in fact.probes if probe.hit]
            assert found == list(zip(hits.mms.tolist(), hits.vpns.tolist(), strict=True))
            assert (fact.nodes, fact.locks, len(fact.probes)) == (
                cost.nodes, cost.locks, cost.probes
            )  # fmt: skip
            counted = [probe.nodes for probe in fact.probes]
            assert counted == sorted(counted)
            assert counted[-1] <= fact.nodes
    check(kernel)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_hits_of_a_walk_are_what_brute_force_finds(design: str) -> None:
    for step in record(library.load("swap_and_back"), design).steps:
        reading = read(step.snapshot)
        for fact in step.snapshot.walks:
            hits = sorted(probe.mm for probe in fact.probes if probe.hit)
            assert hits == sorted(reading.owners[fact.pfn])


@pytest.mark.parametrize("design", DESIGNS)
def test_looking_changes_nothing(design: str) -> None:
    kernel = make_kernel(library.load("prefork"), design)
    for op in library.load("prefork").ops:
        apply(kernel, op)
        before = kernel.snapshot()
        snapshot(kernel, walks=True)
        assert kernel.snapshot() == before
        check(kernel)


def test_large_machines_have_no_walks_unless_asked_for() -> None:
    text = "machine x86_64 frames 64\na = spawn\na mmap 0x30000 1\na write 0x30000 1\n"
    assert record(text).steps[-1].snapshot.walks == ()
    assert len(record(text, walks=True).steps[-1].snapshot.walks) == 1
    assert len(record(text.replace("x86_64", "lesson")).steps[-1].snapshot.walks) == 1
    assert record(text.replace("x86_64", "lesson"), walks=False).steps[-1].snapshot.walks == ()


def test_every_mapped_page_but_the_zero_page_has_a_walk() -> None:
    kernel = Kernel()
    shell = kernel.spawn("shell")
    heap = shell.mmap(3 * 4096, at=0x30000)
    shell.write(heap, 1)
    shell.read(heap + 4096)
    file = kernel.file("f", 1)
    shell.read(shell.mmap(4096, file=file))
    taken = snapshot(kernel, walks=True)
    anon = {f.pfn: bool(int(kernel.mem_map.flags[f.pfn]) & PG_ANON) for f in taken.walks}
    assert sorted(anon.values()) == [False, True]
    assert 0 not in anon
