"""Costs as numbers: one history under every design, held to the golden counts."""

from __future__ import annotations

import pytest
from watched import PAGE

from anonlab import DESIGNS, AnonGroupOptions, compare, parse
from anonlab.histories.costs import COPIES, WALK
from anonlab.histories.scenarios import SCENARIOS, fork_chain, prefork
from anonlab.rmap.cost import NAMES

# (nodes, probes) of the cases A, B, C, D, D' and the sum over all children's own pages, N = 1000.
GOLDEN = {
    "pte_chain": ((0, 1), (0, 1), (143, 1001), (0, 1), (0, 1), (0, 1000)),
    "per_mm_space": ((501, 501), (1, 1), (1001, 1001), (1001, 1001), (2, 2), (501_500, 501_500)),
    "anongroup": ((501, 501), (1, 1), (1001, 1001), (1001, 1001), (2, 2), (501_500, 501_500)),
    "anonmm": ((1, 1), (1, 1), (1001, 1001), (1001, 1001), (2, 2), (1000, 1000)),
    "anon_vma": ((501, 501), (1001, 1001), (1001, 1001), (1, 1), (1000, 1000), (500_500, 500_500)),
    "anon_vma_chain": ((1, 1), (1, 1), (1001, 1001), (1001, 1001), (2, 2), (1000, 1000)),
    "cow_context": ((1, 1), (1, 1), (1001, 1001), (2, 2), (1001, 1001), (1000, 1000)),
}
SMALL = "p = spawn\np mmap 0x30000 4\np write 0x30000 1 4\nc = fork p\nc write 0x30000 9 2\n"


def test_every_design_has_golden_counts():
    lacking = [name for name in DESIGNS if name not in GOLDEN]
    assert lacking == [], "their counts for a thousand children stand in GOLDEN"


@pytest.mark.parametrize("design", GOLDEN)
def test_a_thousand_children_cost_what_the_specification_says(design):
    comparison = compare(prefork(1000), design)
    walks = [row for row in comparison.rows if row.operation.startswith(WALK)]
    counts = tuple((row.costs["nodes"], row.costs["probes"]) for row in walks)
    assert counts == GOLDEN[design]
    assert comparison.row(design, "fork").times == 1000
    cow = comparison.row(design, "cow")
    assert cow.copies == cow.costs["copies_cow"] == 1 + 1 + 1000 + 1000 + 1000


def test_a_chain_of_a_hundred_forks_leaves_what_the_specification_says():
    objects = {
        row["design"]: sum(number for name, number in row.items() if name != "design")
        for row in compare(fork_chain(100)).table("bytes64")
    }
    sizes = {name: design.sizes for name, design in DESIGNS.items()}
    link, anon, vma = (sizes["anon_vma_chain"][kind][1] for kind in ("link", "anon_vma", "vma"))
    assert objects["anon_vma_chain"] == 3 * anon + 3 * link + vma
    assert objects["cow_context"] == 101 * sizes["cow_context"]["context"][1]
    assert objects["anon_vma"] == sum(size for _, size in sizes["anon_vma"].values())


def test_operations_are_told_apart_and_their_costs_add_up():
    comparison = compare(SMALL, ["anongroup"])
    assert [(row.operation, row.times) for row in comparison.rows] == [
        ("spawn", 1),
        ("mmap", 1),
        ("write", 1),
        ("fork", 1),
        ("cow", 1),
        ("walk: every anonymous page", 6),
    ]
    assert comparison.row("anongroup", "cow").copies == 2
    assert comparison.row("anongroup", "fork").costs["links"] == 1
    assert comparison.row("anongroup", "walk: every anonymous page").costs["hits"] == 8


def test_records_and_tables_are_plain_and_complete():
    comparison = compare(SMALL)
    records = comparison.records()
    assert all(list(row) == ["design", "operation", "times", "copies", *NAMES] for row in records)
    assert all(row["copies"] == sum(row[name] for name in COPIES) for row in records)
    table = comparison.table("probes")
    assert [row["design"] for row in table] == list(DESIGNS)
    assert all(list(row) == ["design", *comparison.operations] for row in table)
    with pytest.raises(ValueError, match="counter is one of times, copies, nodes"):
        comparison.table("luck")


def test_designs_are_named_or_given():
    assert compare(SMALL, "anongroup, anon_vma").designs == ("anongroup", "anon_vma")
    history = parse(SMALL + f"c mremap 0x30000 4 to 0x80000\np write {0x30000 + 2 * PAGE:#x} 7\n")
    copies = [
        compare(history, [AnonGroupOptions(mremap_policy=policy)]).row("anongroup", "mremap").copies
        for policy in ("count", "mapcount")
    ]
    assert copies == [2, 2]
    with pytest.raises(ValueError, match="design is one of"):
        compare(SMALL, "telepathy")


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("size", [0, 10_001])
def test_scenarios_have_a_size_that_makes_sense(name, size):
    with pytest.raises(ValueError, match=f"from 1 to 10000, got {size}"):
        SCENARIOS[name](size)
