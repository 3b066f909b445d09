"""anonmm: golden counts, counts and zombies of the ring, and what its operations cost."""

from __future__ import annotations

import functools

import pytest
from watched import PAGE, walked

from anonlab import AnonMm, Kernel, Task, check

SHARED, MIDDLE, PARENTS, LAST, FIRST, OWN = (0x30000 + n * PAGE for n in range(6))
"""One address for each case of tests/rmap/test_golden_counts.py."""
GOLDEN = {
    1: (1, 1, 2, 2, 2),
    10: (1, 1, 11, 11, 2),
    100: (1, 1, 101, 101, 2),
    1000: (1, 1, 1001, 1001, 2),
}


def count(kernel: Kernel, task: Task, addr: int) -> tuple[int, int]:
    page = task.page(addr)
    assert page is not None, f"{task.name} maps nothing at {addr:#x}"
    nodes, probes, mappers = walked(kernel, page.pfn)
    assert len(mappers) == page.mapcount
    return nodes, probes


def facts(kernel: Kernel) -> dict[str, tuple[str, int, int]]:
    """Every node as a snapshot shows it: kind, count, pages."""
    nodes = [node for node in kernel.snapshot().nodes if node.kind != "mm"]
    return {
        node.id: (node.kind, int(dict(node.facts)["count"]), int(dict(node.facts)["pages"]))
        for node in nodes
    }


# Golden counts


@functools.cache
def family(n: int, early_stop: bool = True) -> tuple[Kernel, Task]:
    """A parent and its children c1 … cn, with every case laid out; nobody has exited."""
    kernel = Kernel(AnonMm(early_stop=early_stop), frames=n * 2 + 32, swap=0)
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
def test_the_golden_counts_of_anonmm(n):
    kernel, _ = family(n)
    assert five(kernel, n) == GOLDEN[n]


@pytest.mark.parametrize("n", GOLDEN)
def test_every_childs_own_page_is_found_at_once(n):
    kernel, _ = family(n)
    counts = [count(kernel, kernel.processes[f"c{i}"], OWN) for i in range(1, n + 1)]
    assert counts == [(1, 1)] * n


@pytest.mark.parametrize("n", [1, 10, 100])
def test_without_early_stop_every_walk_goes_all_round(n):
    kernel, _ = family(n, early_stop=False)
    assert five(kernel, n) == (n + 1,) * 5
    check(kernel)


@pytest.mark.parametrize(
    ("mappers", "expected"),
    [(range(1, 11), (11, 10)), ([10], (11, 10)), ([1], (2, 1))],
    ids=["all ten", "only c10", "only c1"],
)
def test_a_parent_that_exits_first_stays_as_a_node_without_a_probe(mappers, expected):
    kernel = Kernel("anonmm")
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=SHARED)
    parent.write_range(SHARED, [1, 2])
    children = {i: parent.fork(f"c{i}") for i in range(1, 11)}
    parent.exit()
    for i, child in children.items():
        if i not in mappers:
            child.munmap(SHARED, PAGE)
    check(kernel)
    assert count(kernel, children[mappers[0]], SHARED) == expected


def test_an_mm_without_any_page_in_memory_is_a_node_without_a_probe():
    kernel = Kernel("anonmm")
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=SHARED)
    parent.write(SHARED, 1)
    children = [parent.fork() for _ in range(10)]
    for task in (parent, *children[:9]):
        task.munmap(SHARED, PAGE)
    assert count(kernel, children[9], SHARED) == (11, 1), "rss is 0 for all but the last"


def deep(depth: int, keep: bool) -> tuple[Kernel, Task]:
    """A chain of forks in which each parent exits; with `keep` a page of g0 stays mapped."""
    kernel = Kernel("anonmm")
    task = kernel.spawn("g0")
    task.mmap(PAGE, at=SHARED)
    task.write(SHARED, 1)
    for generation in range(1, depth + 1):
        child = task.fork(f"g{generation}")
        task.exit()
        task = child
    if not keep:
        task.munmap(SHARED, PAGE)
    check(kernel)
    return kernel, task


@pytest.mark.parametrize(("keep", "head_count"), [(False, 2), (True, 3)])
def test_after_a_hundred_forks_and_exits_the_ring_has_a_zombie_head_and_the_survivor(
    keep, head_count
):
    kernel, last = deep(100, keep)
    assert facts(kernel) == {
        "anonmm1": ("zombie", head_count, int(keep)),
        "anonmm101": ("anonmm", 1, 0),
    }
    if keep:
        assert count(kernel, last, SHARED) == (2, 1)


def test_the_counts_of_a_chain_of_a_hundred_forks_that_all_live():
    kernel = Kernel("anonmm", frames=300)
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
    assert count(kernel, last, own_last) == (1, 1)
    assert count(kernel, g50, own_50) == (1, 1)
    assert count(kernel, g50, from_50) == (51, 51)


def test_the_walk_goes_from_home_to_the_tail_and_on_from_the_head():
    kernel = Kernel(AnonMm(early_stop=False))
    tasks = [kernel.spawn("head")]
    tasks[0].mmap(2 * PAGE, at=SHARED)
    tasks[0].write(SHARED, 1)
    tasks += [tasks[0].fork(f"c{n}") for n in range(1, 5)]
    tasks[2].write(SHARED + PAGE, 2)
    places = kernel.design.candidates(tasks[2].page(SHARED + PAGE).pfn)
    assert places.mms.tolist() == [3, 4, 5, 1, 2]
    assert places.nodes.tolist() == [1, 2, 3, 4, 5, 5]


def test_the_ring_changes_with_every_node_and_mm_that_comes_or_goes():
    kernel = Kernel("anonmm")
    head = kernel.spawn("head")
    head.mmap(PAGE, at=SHARED)
    head.write(SHARED, 1)
    ring, home = head.mm.rmap.ring, head.mm.rmap
    assert ring.mms_from(home).tolist() == [1]
    child = head.fork("child")
    child.write(SHARED, 2)
    late = child.fork("late")
    assert ring.mms_from(home).tolist() == [1, 2, 3]
    child.exit()
    assert ring.mms_from(home).tolist() == [1, 0, 3]
    late.munmap(SHARED, PAGE)
    assert ring.mms_from(home).tolist() == [1, 3]
    late.exit()
    assert ring.mms_from(home).tolist() == [1]


def test_swapoff_asks_for_no_more_frames_than_the_shared_pages_need():
    kernel = Kernel("anonmm", frames=4, swap=4)
    parent = kernel.spawn("parent")
    parent.mmap(3 * PAGE, at=SHARED)
    parent.write_range(SHARED, [1, 2, 3])
    child = parent.fork("child")
    assert parent.swap_out(SHARED, 3 * PAGE) == 3
    kernel.swapoff()
    assert parent.page(SHARED).pfn == child.page(SHARED).pfn


# Counts


def test_the_head_counts_itself_its_mm_the_other_nodes_and_the_pages_homed_there():
    kernel = Kernel("anonmm")
    parent = kernel.spawn("parent")
    assert facts(kernel) == {"anonmm1": ("head", 2, 0)}
    parent.mmap(5 * PAGE, at=SHARED)
    parent.write_range(SHARED, range(5))
    assert facts(kernel) == {"anonmm1": ("head", 2 + 5, 5)}
    children = [parent.fork() for _ in range(3)]
    assert facts(kernel)["anonmm1"] == ("head", 2 + 3 + 5, 5), "2 + n + p"
    children[1].write_range(SHARED, [10, 11])
    assert facts(kernel)["anonmm3"] == ("anonmm", 1 + 2, 2)
    parent.exit()
    assert facts(kernel)["anonmm1"] == ("zombie", 1 + 3 + 5, 5), "1 + n + p"
    for child in children:
        child.exit()
        check(kernel)
    assert facts(kernel) == {}
    cost = kernel.design.cost
    assert (cost.allocs, cost.frees, cost.bytes32, cost.bytes64) == (4, 4, 0, 0)
    assert (cost.links, cost.unlinks) == (3, 3), "the head is the ring: it is never linked to one"


@pytest.mark.parametrize("last", ["head", "child", "grandchild"])
def test_a_ring_goes_with_its_last_mm_whoever_that_is(last):
    kernel = Kernel("anonmm")
    head = kernel.spawn("head")
    head.mmap(2 * PAGE, at=SHARED)
    head.write_range(SHARED, [1, 2])
    child = head.fork("child")
    child.write(SHARED, 3)
    grandchild = child.fork("grandchild")
    tasks = {"head": head, "child": child, "grandchild": grandchild}
    for name, task in tasks.items():
        if name != last:
            task.exit()
            check(kernel)
    assert tasks[last].read(SHARED + PAGE) == 2
    tasks[last].exit()
    check(kernel)
    assert facts(kernel) == {}
    assert not kernel.design.nodes


def test_a_node_of_the_dead_stays_in_its_place_while_pages_name_it():
    kernel = Kernel("anonmm")
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=SHARED)
    child = parent.fork("child")
    child.write_range(SHARED, [1, 2])
    grandchild = child.fork("grandchild")
    child.exit()
    assert facts(kernel)["anonmm2"] == ("zombie", 2, 2)
    assert grandchild.page(SHARED).mapping == "anonmm 2 (zombie)"
    assert count(kernel, grandchild, SHARED) == (2, 1)
    unlinks = kernel.design.cost.unlinks
    grandchild.write(SHARED, 3)
    assert facts(kernel)["anonmm2"] == ("zombie", 2, 2), "a page written in place keeps its home"
    grandchild.munmap(SHARED, PAGE)
    assert facts(kernel)["anonmm2"] == ("zombie", 1, 1)
    assert kernel.design.cost.unlinks == unlinks
    grandchild.munmap(SHARED + PAGE, PAGE)
    assert "anonmm2" not in facts(kernel)
    assert kernel.design.cost.unlinks == unlinks + 1
    assert facts(kernel)["anonmm1"] == ("head", 3, 0)
    check(kernel)


def test_many_pages_of_several_homes_leave_at_once():
    kernel = Kernel("anonmm", frames=256)
    g0 = kernel.spawn("g0")
    g0.mmap(90 * PAGE, at=SHARED)
    g0.write_range(SHARED, range(90))
    g1 = g0.fork("g1")
    g1.write_range(SHARED, range(60))
    g2 = g1.fork("g2")
    g2.write_range(SHARED, range(30))
    g0.exit()
    g1.exit()
    assert {name: pages for name, (_, _, pages) in facts(kernel).items()} == {
        "anonmm1": 30,
        "anonmm2": 30,
        "anonmm3": 30,
    }
    g2.munmap(SHARED, 90 * PAGE)
    assert facts(kernel) == {"anonmm1": ("zombie", 2, 0), "anonmm3": ("anonmm", 1, 0)}
    check(kernel)


# Costs


def test_fork_costs_one_node_and_one_link_however_much_is_mapped():
    kernel = Kernel("anonmm", frames=300)
    parent = kernel.spawn("parent")
    cost = kernel.design.cost
    for npages in (1, 100):
        parent.mmap(npages * PAGE, at=SHARED, fixed=True)
        parent.write_range(SHARED, range(npages))
        before = (cost.allocs, cost.links, cost.locks)
        parent.fork()
        assert (cost.allocs, cost.links, cost.locks) == tuple(number + 1 for number in before)


def test_exec_costs_one_node_and_leaves_the_old_one():
    kernel = Kernel("anonmm")
    child = kernel.spawn("shell").fork("child")
    cost = kernel.design.cost
    before = (cost.allocs, cost.links, cost.unlinks, cost.frees, cost.locks)
    child.execve("ls")
    after = (cost.allocs, cost.links, cost.unlinks, cost.frees, cost.locks)
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 0, 1, 1, 1]


def test_a_node_takes_24_or_40_bytes_and_a_pointer_in_its_mm():
    kernel = Kernel("anonmm")
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=SHARED)
    parent.write(SHARED, 1)
    cost = kernel.design.cost
    assert (cost.bytes32, cost.bytes64) == (24 + 4, 40 + 8)
    child = parent.fork("child")
    assert (cost.bytes32, cost.bytes64) == (2 * 28, 2 * 48)
    parent.exit()
    assert (cost.bytes32, cost.bytes64) == (28 + 24, 48 + 40), "a zombie has no mm"
    child.exit()
    assert (cost.bytes32, cost.bytes64) == (0, 0)


def test_swap_out_takes_the_lock_of_the_ring_once_and_finds_vmas_for_hits_only():
    kernel = Kernel("anonmm")
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=SHARED)
    parent.write_range(SHARED, [1, 2])
    children = [parent.fork() for _ in range(4)]
    children[1].munmap(SHARED, PAGE)
    cost = kernel.design.cost
    before = (cost.nodes, cost.probes, cost.hits, cost.vma_finds, cost.locks)
    parent.swap_out(SHARED)
    after = (cost.nodes, cost.probes, cost.hits, cost.vma_finds, cost.locks)
    assert [b - a for a, b in zip(before, after, strict=True)] == [5, 5, 4, 4, 1]


# What people see


def test_the_graph_shows_each_ring_with_its_mms():
    kernel = Kernel("anonmm")
    shell = kernel.spawn("shell")
    first, second = shell.fork("first"), shell.fork("second")
    first.execve("ls")
    shot = kernel.snapshot()
    kinds = {node.id: node.kind for node in shot.nodes}
    assert kinds == {
        **{"anonmm1": "head", "mm1": "mm", "anonmm3": "anonmm", "mm3": "mm"},
        **{"anonmm4": "head", "mm4": "mm"},
    }
    assert {(e.tail, e.head) for e in shot.edges if e.kind == "ring"} == {
        ("anonmm1", "anonmm3"),
        ("anonmm3", "anonmm1"),
    }
    assert {(e.tail, e.head) for e in shot.edges if e.kind == "mm"} == {
        (f"anonmm{number}", f"mm{number}") for number in (1, 3, 4)
    }
    homes = {mm.processes: mm.home for mm in shot.mms}
    assert homes == {("shell",): "anonmm1", ("second",): "anonmm3", ("first",): "anonmm4"}
    second.mmap(PAGE, at=SHARED)
    second.write(SHARED, 1)
    assert second.page(SHARED).mapping == "anonmm 3"


def test_index_is_the_address_in_bytes():
    kernel = Kernel("anonmm")
    task = kernel.spawn("p")
    task.mmap(PAGE, at=SHARED)
    task.write(SHARED, 1)
    page = task.page(SHARED)
    assert (page.index, page.mapping) == (SHARED, "anonmm head 1")
