"""What a walk visits under the designs that keep VMAs or contexts: the golden values.

tests/families.py says what the cases A to D' are. Counts are (nodes, probes).
"""

from __future__ import annotations

import functools
from collections import Counter
from statistics import mean

import numpy as np
import pytest
from families import (
    FROM_50,
    ONLY_LAST,
    OWN_50,
    OWN_LAST,
    SHARED,
    cases,
    count,
    dead_ancestors,
    family,
    generations,
    orphans,
    own_pages,
)
from watched import PAGE, truth, walked

from anonlab import DESIGNS, X86_32, Kernel, Rmap, check
from anonlab.rmap import AnonVma, AnonVmaChain, CowContext, PerMmSpace

A2, E, F, G = NAMES = ("per_mm_space", "anon_vma", "anon_vma_chain", "cow_context")

GOLDEN = {
    # Cases A, B, C, D, D'; nodes and probes are equal in all of them.
    (A2, 1): (2, 1, 2, 2, 2),
    (A2, 10): (6, 1, 11, 11, 2),
    (A2, 100): (51, 1, 101, 101, 2),
    (A2, 1000): (501, 1, 1001, 1001, 2),
    (E, 1): (1, 2, 2, 1, 1),
    (E, 10): (6, 11, 11, 1, 10),
    (E, 100): (51, 101, 101, 1, 100),
    (E, 1000): (501, 1001, 1001, 1, 1000),
    (F, 1): (1, 1, 2, 2, 2),
    (F, 10): (1, 1, 11, 11, 2),
    (F, 100): (1, 1, 101, 101, 2),
    (F, 1000): (1, 1, 1001, 1001, 2),
    (G, 1): (1, 1, 2, 2, 2),
    (G, 10): (1, 1, 11, 2, 11),
    (G, 100): (1, 1, 101, 2, 101),
    (G, 1000): (1, 1, 1001, 2, 1001),
}
SUMS = {
    A2: {1: 2, 10: 65, 100: 5150, 1000: 501_500},
    E: {1: 1, 10: 55, 100: 5050, 1000: 500_500},
    F: {1: 1, 10: 10, 100: 100, 1000: 1000},
    G: {1: 1, 10: 10, 100: 100, 1000: 1000},
}
CLOSED_FORMS = {
    A2: (lambda i, n: i + 1, lambda n: n * (n + 3) // 2),
    E: (lambda i, n: n - i + 1, lambda n: n * (n + 1) // 2),
    F: (lambda i, n: 1, lambda n: n),
    G: (lambda i, n: 1, lambda n: n),
}


def alike(numbers):
    """(nodes, probes) pairs of walks that probe whatever they visit."""
    return tuple((number, number) for number in numbers)


@functools.cache
def relatives(name: str, n: int) -> Kernel:
    return family(DESIGNS[name](), n)[0]


@pytest.mark.parametrize(("name", "n"), GOLDEN)
def test_the_golden_counts_of_families_of_one_to_a_thousand_children(name, n):
    assert cases(relatives(name, n), n) == alike(GOLDEN[name, n])


@pytest.mark.parametrize("n", [1, 10, 100, 1000])
@pytest.mark.parametrize("name", NAMES)
def test_the_own_pages_of_all_children_follow_the_closed_form(name, n):
    """Child i is the (i+1)-th in a tree and the (N-i+1)-th on a list that begins with the newest;
    since 2010 its own page is found at once."""
    counts = own_pages(relatives(name, n), n)
    one, total = CLOSED_FORMS[name]
    assert counts == list(alike(one(i, n) for i in range(1, n + 1)))
    assert sum(probes for _, probes in counts) == SUMS[name][n] == total(n)


@pytest.mark.parametrize("name", NAMES)
def test_the_large_families_are_sound(name):
    check(relatives(name, 100))


@pytest.mark.parametrize("n", [1, 10, 100, 1000])
def test_contexts_that_ask_the_oldest_child_first_find_the_first_child_soonest(n):
    kernel, _ = family(CowContext(walk_order="append"), n)
    assert cases(kernel, n) == alike((1, 1, n + 1, n + 1, 2))


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        (lambda: PerMmSpace("head"), (6, 11, 11, 1, 10)),
        (lambda: AnonVma("append"), (6, 1, 11, 11, 2)),
        (lambda: AnonVmaChain(walk_order="head"), (1, 11, 11, 1, 10)),
    ],
    ids=[A2, E, F],
)
def test_the_other_walk_order_turns_the_counts_round(design, expected):
    kernel, _ = family(design(), 10)
    assert cases(kernel, 10) == alike(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (A2, (11, 11, 11, 11, 11)),
        (E, (11, 11, 11, 11, 11)),
        (F, (1, 11, 11, 11, 11)),
        (G, (1, 11, 11, 11, 11)),
    ],
)
def test_without_early_stop_a_walk_visits_all_that_could_map_the_page(name, expected):
    kernel, _ = family(DESIGNS[name](early_stop=False), 10)
    assert cases(kernel, 10) == alike(expected)


# The parent exits first

ORPHANS = {
    # Still mapped by all ten children, only by c10, only by c1.
    A2: ((10, 10), (10, 10), (1, 1)),
    E: ((10, 10), (1, 1), (10, 10)),
    F: ((10, 10), (10, 10), (1, 1)),
    G: ((11, 10), (2, 1), (11, 10)),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mappers", [range(1, 11), [10], [1]], ids=["all ten", "c10", "c1"])
def test_a_parent_that_exits_first_is_at_most_a_node_without_a_probe(name, mappers):
    kernel = orphans(DESIGNS[name](), 10, mappers)
    check(kernel)
    row = [10, 1].index(mappers[0]) + 1 if len(mappers) == 1 else 0
    assert count(kernel, kernel.processes[f"c{mappers[0]}"], SHARED) == ORPHANS[name][row]


# A chain of a hundred forks


def kinds(design: Rmap) -> Counter[str]:
    """How many nodes and edges of each kind the design's graph has."""
    nodes, edges = design.graph()
    return Counter([node.kind for node in nodes] + [edge.kind for edge in edges])


def chains(design: Rmap) -> Counter[str]:
    """How many anon_vmas each VMA is linked to."""
    return Counter(edge.head for edge in design.graph()[1] if edge.kind == "link")


@pytest.mark.parametrize(
    ("avc_reuse", "anon_vmas"), [(False, 101), (True, 3)], ids=["no reuse", "reuse"]
)
def test_a_process_that_forks_and_exits_for_ever_needs_the_rule_of_2015(avc_reuse, anon_vmas):
    kernel, last = dead_ancestors(AnonVmaChain(avc_reuse))
    found = kinds(kernel.design)
    assert found["root"] + found["anon_vma"] == anon_vmas
    assert list(chains(kernel.design).values()) == [anon_vmas], "one VMA, with so many links"
    assert count(kernel, last, SHARED) == (1, 1)
    check(kernel)


def test_a_list_of_vmas_does_not_grow_with_dead_generations():
    kernel, last = dead_ancestors(AnonVma())
    found = kinds(kernel.design)
    assert (found["anon_vma"], found["vma"], found["link"]) == (1, 1, 1)
    assert count(kernel, last, SHARED) == (1, 1)


def test_a_space_does_not_grow_with_dead_generations():
    kernel, last = dead_ancestors(PerMmSpace())
    found = kinds(kernel.design)
    assert (found["space"], found["tree"]) == (1, 1)
    assert count(kernel, last, SHARED) == (1, 1)


def test_contexts_of_dead_generations_all_stay():
    kernel, last = dead_ancestors(CowContext())
    found = kinds(kernel.design)
    assert (found["context"], found["dead"]) == (1, 100)
    assert count(kernel, last, SHARED) == (2, 1), "the home is dead: a node; then the deepest first"
    check(kernel)


@pytest.mark.parametrize("avc_reuse", [False, True])
def test_a_hundred_and_one_live_generations_have_5151_links(avc_reuse):
    kernel, _ = generations(AnonVmaChain(avc_reuse))
    found = kinds(kernel.design)
    assert found["root"] + found["anon_vma"] == 101
    assert found["link"] == 5151 == sum(depth + 1 for depth in range(101))
    assert max(chains(kernel.design).values()) == 101


LIVE = {
    # g0's page shared by all; only g100 maps it; own pages of g100, g50; one that g50 hands down.
    A2: (101, 101, 101, 51, 101),
    E: (101, 1, 1, 51, 51),
    F: (101, 101, 1, 1, 51),
    G: (101, 2, 1, 1, 51),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_counts_of_a_chain_of_a_hundred_forks_that_all_live(name):
    kernel, tasks = generations(DESIGNS[name]())
    check(kernel)
    last, g50 = tasks[100], tasks[50]
    places = (
        (last, SHARED),
        (last, ONLY_LAST),
        (last, OWN_LAST),
        (g50, OWN_50),
        (g50, FROM_50),
    )
    assert tuple(count(kernel, task, addr) for task, addr in places) == alike(LIVE[name])
    assert g50.page(FROM_50).mapcount == 51
    assert last.page(ONLY_LAST).mapcount == 1


# The worked example, as a real kernel (Linux 6.18) shows it


@pytest.fixture(scope="module")
def worked():
    """p0 writes 4 pages and forks p1; p1 writes page 1 and forks p2; p2 moves the four pages by
    +16 and writes the page at +18."""
    kernel = Kernel(AnonVmaChain())
    p0 = kernel.spawn("p0")
    base = p0.mmap(4 * PAGE, at=0x30000)
    p0.write_range(base, [10, 11, 12, 13])
    p1 = p0.fork("p1")
    p1.write(base + PAGE, 21)
    p2 = p1.fork("p2")
    p2.mremap(base, 4 * PAGE, new=base + 16 * PAGE)
    p2.write(base + 18 * PAGE, 32)
    check(kernel)
    return kernel, base // PAGE


def test_the_worked_example_has_the_anon_vmas_of_the_real_kernel(worked):
    """anon_vma: parent, children, active, VMAs in its tree by process, first page and pgoff."""
    kernel, base = worked
    nodes, edges = kernel.design.graph()
    names = {f"mm{mm.mm}": mm.processes[0] for mm in kernel.snapshot().mms}
    owner = {edge.tail: names[edge.head] for edge in edges if edge.kind == "mm"}
    facts = {node.id: dict(node.facts) for node in nodes}
    parent = {edge.tail: edge.head for edge in edges if edge.kind == "parent"}
    assert all(facts[vma]["index"] == f"{base:#x}" for vma in owner), "all with pgoff +0"
    table = {
        av: (
            parent.get(av, av),
            facts[av]["children"],
            facts[av]["active"],
            [owner[edge.head] for edge in edges if edge.kind == "link" and edge.tail == av],
        )
        for av in ("anon_vma1", "anon_vma2", "anon_vma3")
    }
    assert table == {
        "anon_vma1": ("anon_vma1", "2", "1", ["p0", "p1", "p2"]),
        "anon_vma2": ("anon_vma1", "1", "1", ["p1", "p2"]),
        "anon_vma3": ("anon_vma2", "0", "1", ["p2"]),
    }
    assert sum(node.kind in ("root", "anon_vma") for node in nodes) == 3


def test_the_worked_example_has_the_vmas_and_chains_of_the_real_kernel(worked):
    kernel, base = worked
    _, edges = kernel.design.graph()
    names = {f"mm{mm.mm}": mm.processes[0] for mm in kernel.snapshot().mms}
    owner = {edge.tail: names[edge.head] for edge in edges if edge.kind == "mm"}
    links = {(owner[edge.head], edge.tail) for edge in edges if edge.kind == "link"}
    assert {who: sorted(av[-1] for name, av in links if name == who) for who, _ in links} == {
        "p0": ["1"],
        "p1": ["1", "2"],
        "p2": ["1", "2", "3"],
    }
    own = {owner[edge.tail]: edge.head for edge in edges if edge.kind == "own"}
    assert own == {"p0": "anon_vma1", "p1": "anon_vma2", "p2": "anon_vma3"}
    at = {
        mm.processes[0]: [(vma.start_vpn - base, vma.end_vpn - base) for vma in mm.vmas]
        for mm in kernel.snapshot().mms
    }
    assert at == {"p0": [(0, 4)], "p1": [(0, 4)], "p2": [(16, 20)]}


def test_the_worked_example_has_the_homes_and_mapcounts_of_the_real_kernel(worked):
    kernel, base = worked
    homes = {
        (who, page): kernel.processes[who].page((base + (16 if who == "p2" else 0) + page) * PAGE)
        for who in ("p0", "p1", "p2")
        for page in range(4)
    }
    seen = {
        place: (page.mapping, page.index - base, page.mapcount) for place, page in homes.items()
    }
    assert seen == {
        **{(who, page): ("anon_vma 1", page, 3) for who in ("p0", "p1", "p2") for page in (0, 3)},
        ("p0", 1): ("anon_vma 1", 1, 1),
        ("p1", 1): ("anon_vma 2", 1, 2),
        ("p2", 1): ("anon_vma 2", 1, 2),
        ("p0", 2): ("anon_vma 1", 2, 2),
        ("p1", 2): ("anon_vma 1", 2, 2),
        ("p2", 2): ("anon_vma 3", 2, 1),  # although its address is +18
    }
    for page in homes.values():
        assert walked(kernel, page.pfn)[2] == sorted(truth(kernel, page.pfn))


# The workload that ended anon_vma

CHILDREN, PAGES = 1000, 1000


def a_million_pages(design: Rmap) -> Kernel:
    """A parent with 1000 pages forks 1000 children, and each writes all of them."""
    kernel = Kernel(design, frames=(CHILDREN + 1) * PAGES + 1, swap=0, geometry=X86_32)
    parent = kernel.spawn("parent")
    addr = parent.mmap(PAGES * PAGE, at=0x400000)
    parent.write_range(addr, range(PAGES))
    children = [parent.fork(f"c{i}") for i in range(1, CHILDREN + 1)]
    for child in children:
        child.write_range(addr, range(PAGES))
    return kernel


def lengths(kernel: Kernel) -> list[int]:
    """How many VMAs a walk visits for each child's first page; its last page must need as many."""
    found = []
    for i in range(1, CHILDREN + 1):
        child = kernel.processes[f"c{i}"]
        first = count(kernel, child, 0x400000)
        assert first == count(kernel, child, 0x400000 + (PAGES - 1) * PAGE)
        assert first[0] == first[1]
        found.append(first[0])
    return found


def homes(kernel: Kernel) -> list[int]:
    """How many pages each object of the design is the home of."""
    mapping = kernel.mem_map.mapping
    return np.unique(mapping[mapping != 0], return_counts=True)[1].tolist()


@pytest.mark.slow
def test_under_anon_vma_a_million_pages_hang_on_one_list_of_a_thousand_vmas():
    kernel = a_million_pages(AnonVma())
    assert homes(kernel) == [CHILDREN * PAGES + PAGES], "10^6 pages of children, the parent's too"
    assert kinds(kernel.design)["link"] == CHILDREN + 1
    walks = lengths(kernel)
    assert sorted(walks) == list(range(1, CHILDREN + 1))
    assert mean(walks) == (CHILDREN + 1) / 2 == 500.5


@pytest.mark.slow
def test_under_anon_vma_chain_each_of_them_is_found_at_once():
    kernel = a_million_pages(AnonVmaChain())
    assert homes(kernel) == [PAGES] * (CHILDREN + 1), "each process is the home of its own"
    assert lengths(kernel) == [1] * CHILDREN
