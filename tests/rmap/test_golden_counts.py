"""How many mms a walk visits under the anon group, for families of 1 to 1000 children.

One page P at one address; the parent forks `n` children. Cases:

A   child (n + 1) // 2 owns a page that it wrote after the forks
B   the parent's own page, written after the forks
C   a page that all share
D   the parent's page, which only the last child still maps
D'  the same, only the first child
"""

from __future__ import annotations

import functools

import pytest
from watched import PAGE, walked

from anonlab import AnonGroup, Kernel, Task, check

SHARED, MIDDLE, PARENTS, LAST, FIRST, OWN = (0x30000 + n * PAGE for n in range(6))
"""One address for each case, in one VMA, so that one family serves all."""

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
    kernel = Kernel(AnonGroup("count", walk_order, early_stop), frames=n * 2 + 32, swap=0)
    parent = kernel.spawn("parent")
    parent.mmap(6 * PAGE, at=SHARED)
    parent.write_range(SHARED, range(6))
    children = [parent.fork(f"c{number}") for number in range(1, n + 1)]
    children[(n + 1) // 2 - 1].write(MIDDLE, 100)
    parent.write(PARENTS, 101)
    for task in (parent, *children):
        if task is not children[-1]:
            task.munmap(LAST, PAGE)
        if task is not children[0]:
            task.munmap(FIRST, PAGE)
    for child in children:
        child.write(OWN, 200)
    return kernel, parent


def count(kernel: Kernel, task: Task, addr: int) -> tuple[int, int]:
    page = task.page(addr)
    assert page is not None, f"{task.name} maps nothing at {addr:#x}"
    nodes, probes, mappers = walked(kernel, page.pfn)
    assert len(mappers) == page.mapcount
    return nodes, probes


def five(kernel: Kernel, n: int) -> tuple[int, ...]:
    """The counts of the cases A, B, C, D and D'; nodes and probes are the same here."""
    tasks = kernel.processes
    cases = (
        (tasks[f"c{(n + 1) // 2}"], MIDDLE),
        (tasks["parent"], PARENTS),
        (tasks["parent"], SHARED),
        (tasks[f"c{n}"], LAST),
        (tasks["c1"], FIRST),
    )
    counts = [count(kernel, task, addr) for task, addr in cases]
    assert all(nodes == probes for nodes, probes in counts)
    return tuple(nodes for nodes, _ in counts)


@pytest.mark.parametrize("n", GOLDEN)
def test_the_golden_counts_of_the_anon_group(n):
    kernel, _ = family(n)
    assert five(kernel, n) == GOLDEN[n]


@pytest.mark.parametrize("n", GOLDEN)
def test_the_own_pages_of_all_children_sum_up_to_the_golden_value(n):
    kernel, _ = family(n)
    probes = [count(kernel, kernel.processes[f"c{i}"], OWN)[1] for i in range(1, n + 1)]
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
    kernel = Kernel()
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=SHARED)
    parent.write(SHARED, 1)
    children = {i: parent.fork(f"c{i}") for i in range(1, 11)}
    parent.exit()
    for i, child in children.items():
        if i not in mappers:
            child.munmap(SHARED, PAGE)
    check(kernel)
    assert count(kernel, children[mappers[0]], SHARED) == expected


def test_a_chain_of_a_hundred_forks_in_which_each_parent_exits_leaves_a_group_of_one():
    kernel = Kernel()
    task = kernel.spawn("g0")
    task.mmap(PAGE, at=SHARED)
    task.write(SHARED, 1)
    for generation in range(1, 101):
        child = task.fork(f"g{generation}")
        task.exit()
        task = child
    (node,) = [node for node in kernel.snapshot().nodes if node.kind == "group"]
    assert node.facts == (("mms", "1"),)
    assert count(kernel, task, SHARED) == (1, 1)
    check(kernel)


def test_the_counts_of_a_chain_of_a_hundred_forks_that_all_live():
    kernel = Kernel(frames=300)
    generations = [kernel.spawn("g0")]
    shared, only_last, own_last, own_50, from_50 = (SHARED + n * PAGE for n in range(5))
    generations[0].mmap(5 * PAGE, at=SHARED)
    generations[0].write_range(SHARED, range(5))
    for generation in range(1, 101):
        generations.append(generations[-1].fork(f"g{generation}"))
        if generation == 50:
            generations[50].write(from_50, 50)
    for task in generations[:100]:
        task.munmap(only_last, PAGE)
    generations[100].write(own_last, 1)
    generations[50].write(own_50, 1)
    check(kernel)
    last, g50 = generations[100], generations[50]
    assert count(kernel, last, shared) == (101, 101)
    assert count(kernel, last, only_last) == (101, 101)
    assert count(kernel, last, own_last) == (101, 101)
    assert count(kernel, g50, own_50) == (51, 51)
    assert count(kernel, g50, from_50) == (101, 101)
    assert g50.page(from_50).mapcount == 51


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
