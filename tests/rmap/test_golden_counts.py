"""How many mms a walk visits under the anon group, for families of 1 to 1000 children.

tests/families.py says what the cases A to D' are.
"""

from __future__ import annotations

import functools

import families
import pytest
from families import (
    FIRST,
    FROM_50,
    LAST,
    MIDDLE,
    ONLY_LAST,
    OWN,
    OWN_50,
    OWN_LAST,
    PARENTS,
    SHARED,
    count,
)
from watched import PAGE

from anonlab import AnonGroup, AnonGroupOptions, Kernel, Task, check

__all__ = [
    "FIRST",
    "GOLDEN",
    "LAST",
    "MIDDLE",
    "OWN",
    "PARENTS",
    "SHARED",
    "SUMS",
    "count",
    "family",
    "five",
]

GOLDEN = {
    1: (2, 1, 2, 2, 2),
    10: (6, 1, 11, 11, 2),
    100: (51, 1, 101, 101, 2),
    1000: (501, 1, 1001, 1001, 2),
}
SUMS = {1: 2, 10: 65, 100: 5150, 1000: 501_500}


@functools.cache
def family(n: int, walk_order: str = "append", early_stop: bool = True) -> tuple[Kernel, Task]:
    """A parent and its children c1 … cn, with every case laid out; nobody has exited."""
    return families.family(AnonGroupOptions("count", walk_order, early_stop), n)


def five(kernel: Kernel, n: int) -> tuple[int, ...]:
    """The counts of the cases A, B, C, D and D'; nodes and probes are the same here."""
    counts = families.cases(kernel, n)
    assert all(nodes == probes for nodes, probes in counts)
    return tuple(nodes for nodes, _ in counts)


@pytest.mark.parametrize("n", GOLDEN)
def test_the_golden_counts_of_the_anon_group(n):
    kernel, _ = family(n)
    assert five(kernel, n) == GOLDEN[n]


@pytest.mark.parametrize("n", GOLDEN)
def test_the_own_pages_of_all_children_sum_up_to_the_golden_value(n):
    kernel, _ = family(n)
    probes = [probes for _, probes in families.own_pages(kernel, n)]
    assert probes == list(range(2, n + 2)), "child i is the (i+1)-th on the list"
    assert sum(probes) == SUMS[n] == n * (n + 3) // 2


@pytest.mark.parametrize("n", [1, 10, 100])
def test_newest_first_turns_the_counts_round(n):
    kernel, _ = family(n, walk_order="head")
    middle = (n + 1) // 2
    assert five(kernel, n) == (n - middle + 1, n + 1, n + 1, 1, n)


@pytest.mark.parametrize("n", [1, 10, 100])
@pytest.mark.parametrize("walk_order", ["append", "head"])
def test_without_early_stop_every_walk_visits_every_mm(n, walk_order):
    kernel, _ = family(n, walk_order, early_stop=False)
    assert five(kernel, n) == (n + 1,) * 5


@pytest.mark.parametrize("n", [10, 100])
def test_the_large_families_are_sound(n):
    kernel, _ = family(n)
    check(kernel)


@pytest.mark.parametrize(
    ("mappers", "expected"),
    [(range(1, 11), (10, 10)), ([10], (10, 10)), ([1], (1, 1))],
    ids=["all ten", "only c10", "only c1"],
)
def test_a_parent_that_exits_first_is_asked_no_more(mappers, expected):
    kernel = families.orphans(AnonGroup(), 10, mappers)
    check(kernel)
    assert count(kernel, kernel.processes[f"c{mappers[0]}"], SHARED) == expected


def test_a_chain_of_a_hundred_forks_in_which_each_parent_exits_leaves_a_group_of_one():
    kernel, task = families.dead_ancestors(AnonGroup())
    (node,) = [node for node in kernel.snapshot().nodes if node.kind == "group"]
    assert node.facts == (("mms", "1"),)
    assert count(kernel, task, SHARED) == (1, 1)
    check(kernel)


def test_the_counts_of_a_chain_of_a_hundred_forks_that_all_live():
    kernel, tasks = families.generations(AnonGroup())
    check(kernel)
    last, g50 = tasks[100], tasks[50]
    assert count(kernel, last, SHARED) == (101, 101)
    assert count(kernel, last, ONLY_LAST) == (101, 101)
    assert count(kernel, last, OWN_LAST) == (101, 101)
    assert count(kernel, g50, OWN_50) == (51, 51)
    assert count(kernel, g50, FROM_50) == (101, 101)
    assert g50.page(FROM_50).mapcount == 51


def test_fork_costs_one_link_however_much_is_mapped():
    kernel = Kernel(frames=300)
    parent = kernel.spawn("parent")
    cost = kernel.design.cost
    for npages in (1, 100):
        parent.mmap(npages * PAGE, at=0x30000, fixed=True)
        parent.write_range(0x30000, range(npages))
        links, allocs = cost.links, cost.allocs
        parent.fork()
        assert (cost.links - links, cost.allocs - allocs) == (1, 0)


def test_exec_costs_one_group_and_leaves_the_old_one():
    kernel = Kernel()
    child = kernel.spawn("shell").fork("child")
    cost = kernel.design.cost
    before = (cost.allocs, cost.links, cost.unlinks, cost.frees)
    child.execve("ls")
    after = (cost.allocs, cost.links, cost.unlinks, cost.frees)
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1, 0]
    child.execve("wc")
    assert cost.frees == before[3] + 1, "the last member takes the group along"
