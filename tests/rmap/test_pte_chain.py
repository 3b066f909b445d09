"""pte_chain: golden counts, what fork, exit and reclaim cost, and what people see of it."""

from __future__ import annotations

import functools
import string

import pytest
from watched import PAGE, walked

from anonlab import Kernel, PteChain, Task, check
from anonlab.formats.labels import LABELS

SHARED, MIDDLE, PARENTS, LAST, FIRST, OWN = (0x30000 + n * PAGE for n in range(6))
"""One address for each case of tests/rmap/test_golden_counts.py."""


def blocks(n: int, nrpte: int = 7) -> int:
    return -(-n // nrpte)


# Golden counts


@functools.cache
def family(n: int, nrpte: int = 7) -> tuple[Kernel, Task]:
    """A parent and its children c1 … cn, with every case laid out; nobody has exited."""
    kernel = Kernel(PteChain(nrpte), frames=n * 2 + 32, swap=0)
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
    assert len(mappers) == page.mapcount == probes, "no false candidate"
    return nodes, probes


@pytest.mark.parametrize(
    ("n", "shared"), [(1, (1, 2)), (10, (2, 11)), (100, (15, 101)), (1000, (143, 1001))]
)
def test_the_golden_counts_of_the_pte_chain(n, shared):
    kernel, parent = family(n)
    tasks = kernel.processes
    assert count(kernel, tasks[f"c{(n + 1) // 2}"], MIDDLE) == (0, 1), "A: a page of its own"
    assert count(kernel, parent, PARENTS) == (0, 1), "B: the parent's own page"
    assert count(kernel, parent, SHARED) == shared, "C: shared by all"
    for case, task, addr in (("D", tasks[f"c{n}"], LAST), ("D'", tasks["c1"], FIRST)):
        assert count(kernel, task, addr) in [(1, 1), (0, 1)], case


@pytest.mark.parametrize(("case", "who", "addr"), [("D", "last", LAST), ("D'", "first", FIRST)])
def test_a_page_that_was_shared_costs_a_block_until_page_referenced_has_seen_it(case, who, addr):
    kernel = Kernel(PteChain(), frames=64, swap=0)
    parent = kernel.spawn("parent")
    parent.mmap(6 * PAGE, at=SHARED)
    parent.write_range(SHARED, range(6))
    children = [parent.fork(f"c{number}") for number in range(1, 11)]
    left = children[-1] if who == "last" else children[0]
    for task in (parent, *children):
        if task is not left:
            task.munmap(addr, PAGE)
    assert count(kernel, left, addr) == (1, 1), "removal collapses nothing"
    assert kernel.page_referenced(left.page(addr).pfn) in (True, False)
    assert count(kernel, left, addr) == (0, 1)
    check(kernel)


@pytest.mark.parametrize("n", [1, 10, 100, 1000])
def test_the_own_pages_of_all_children_are_found_with_one_probe_each(n):
    kernel, _ = family(n)
    counts = [count(kernel, kernel.processes[f"c{i}"], OWN) for i in range(1, n + 1)]
    assert counts == [(0, 1)] * n


@pytest.mark.parametrize(("nrpte", "expected"), [(1, 101), (7, 15), (15, 7), (31, 4)])
def test_a_walk_visits_as_many_blocks_as_the_entries_need(nrpte, expected):
    kernel, parent = family(100, nrpte)
    assert count(kernel, parent, SHARED) == (expected, 101)
    check(kernel)


@pytest.mark.parametrize("mappers", [range(1, 11), [10], [1]], ids=["all ten", "c10", "c1"])
def test_a_parent_that_exits_first_leaves_nothing_behind(mappers):
    kernel = Kernel(PteChain())
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=SHARED)
    parent.write(SHARED, 1)
    children = {i: parent.fork(f"c{i}") for i in range(1, 11)}
    parent.exit()
    for i, child in children.items():
        if i not in mappers:
            child.munmap(SHARED, PAGE)
    last = children[mappers[0]]
    assert count(kernel, last, SHARED) == (2 if len(mappers) > 7 else 1, len(mappers))
    check(kernel)
    kernel.page_referenced(last.page(SHARED).pfn)
    assert count(kernel, last, SHARED) == ((2, 10) if len(mappers) > 1 else (0, 1))


def test_a_hundred_forks_one_from_the_other_cost_what_the_mappings_need():
    kernel = Kernel(PteChain(), frames=300)
    generations = [kernel.spawn("g0")]
    generations[0].mmap(2 * PAGE, at=SHARED)
    generations[0].write_range(SHARED, range(2))
    for generation in range(1, 101):
        generations.append(generations[-1].fork(f"g{generation}"))
    assert count(kernel, generations[100], SHARED) == (15, 101)
    generations[100].write(SHARED, 9)
    assert count(kernel, generations[100], SHARED) == (0, 1)
    for task in generations[:100]:
        task.exit()
    assert count(kernel, generations[100], SHARED + PAGE) == (1, 1)
    check(kernel)


# What it costs


def test_fork_costs_an_entry_for_each_page_and_a_block_for_each_that_was_not_shared():
    kernel = Kernel(PteChain(), frames=200)
    parent = kernel.spawn("parent")
    parent.mmap(100 * PAGE, at=SHARED)
    parent.write_range(SHARED, range(100))
    cost = kernel.design.cost
    made = []
    for n in range(15):
        locks, allocs = cost.locks, cost.allocs
        parent.fork()
        assert cost.locks - locks == 100, "page_add_rmap for every present PTE"
        made.append(cost.allocs - allocs)
        assert kernel.design.cost.bytes32 == 100 * 32 * blocks(n + 2)
    assert made == [100, *[0] * 5, 100, *[0] * 6, 100, 0], "a block for every seventh entry"


@pytest.mark.parametrize(("nrpte", "size"), [(1, 8), (7, 32), (15, 64), (31, 128)])
def test_a_shared_page_takes_a_cache_line_for_every_nrpte_mappings_and_another_page_nothing(
    nrpte, size
):
    kernel = Kernel(PteChain(nrpte), frames=200)
    parent = kernel.spawn("parent")
    parent.mmap(100 * PAGE, at=SHARED)
    parent.write_range(SHARED, range(100))
    cost = kernel.design.cost
    assert (cost.bytes32, cost.bytes64, cost.allocs) == (0, 0, 0)
    parent.fork("child")
    assert (cost.bytes32, cost.bytes64) == (100 * size * blocks(2, nrpte), cost.bytes32 * 2)
    kernel.processes["child"].exit()
    parent.exit()
    assert (cost.bytes32, cost.bytes64) == (0, 0)
    assert cost.allocs == cost.frees == cost.links == cost.unlinks


@pytest.mark.parametrize(("leaver", "visited"), [("c14", 1), ("c7", 2), ("parent", 3)])
def test_whoever_unmaps_a_page_searches_its_chain_from_the_newest_block_on(leaver, visited):
    kernel = Kernel(PteChain())
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=SHARED)
    parent.write(SHARED, 1)
    for n in range(1, 15):
        parent.fork(f"c{n}")
    assert count(kernel, parent, SHARED) == (3, 15), "blocks of 1, 7 and 7 entries"
    nodes = kernel.design.cost.nodes
    kernel.processes[leaver].exit()
    assert kernel.design.cost.nodes - nodes == visited
    check(kernel)


def test_a_direct_page_is_unmapped_without_a_search():
    kernel = Kernel(PteChain())
    parent = kernel.spawn("parent")
    parent.mmap(5 * PAGE, at=SHARED)
    parent.write_range(SHARED, range(5))
    parent.munmap(SHARED, 5 * PAGE)
    assert kernel.design.cost.nodes == 0


@pytest.mark.parametrize("n", [0, 1, 6, 7, 20])
def test_swap_out_reads_every_entry_once_and_searches_for_none(n):
    kernel = Kernel(PteChain())
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=SHARED)
    parent.write(SHARED, 1)
    for _ in range(n):
        parent.fork()
    cost = kernel.design.cost
    before = (cost.nodes, cost.probes, cost.hits, cost.vma_finds, cost.locks)
    parent.swap_out(SHARED)
    after = (cost.nodes, cost.probes, cost.hits, cost.vma_finds, cost.locks)
    spent = tuple(b - a for a, b in zip(before, after, strict=True))
    assert spent == (blocks(n + 1) if n else 0, n + 1, n + 1, n + 1, 1)
    assert cost.bytes32 == 0
    check(kernel)


def test_a_process_that_forks_over_and_over_allocates_its_blocks_once():
    kernel = Kernel(PteChain(), frames=200)
    shell = kernel.spawn("shell")
    shell.mmap(50 * PAGE, at=SHARED)
    shell.write_range(SHARED, range(50))
    for n in range(10):
        shell.fork(f"c{n}").execve("ls", 1)
        kernel.processes[f"c{n}"].exit()
    assert (kernel.design.cost.allocs, kernel.design.cost.frees) == (50, 0)
    kernel.reclaim(0)
    assert kernel.design.cost.frees == 0
    for page in range(50):
        kernel.page_referenced(shell.page(SHARED + page * PAGE).pfn)
    assert kernel.design.cost.frees == 50, "reclaim looks at the pages, and finds one entry each"
    shell.fork("again")
    assert kernel.design.cost.allocs == 100


def test_page_referenced_leaves_a_chain_of_two_and_a_direct_page_as_they_are():
    kernel = Kernel(PteChain())
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=SHARED)
    parent.write(SHARED, 1)
    parent.fork("child")
    parent.write(SHARED + PAGE, 2)
    before = kernel.design.pte.copy()
    assert kernel.page_referenced(parent.page(SHARED).pfn)
    assert kernel.page_referenced(parent.page(SHARED + PAGE).pfn)
    assert (kernel.design.pte == before).all()
    assert kernel.page_referenced(0) is False


def test_early_stop_makes_no_difference_because_nothing_stands_behind_the_last_mapping():
    for early_stop in (True, False):
        kernel = Kernel(PteChain(early_stop=early_stop))
        parent = kernel.spawn("parent")
        parent.mmap(PAGE, at=SHARED)
        parent.write(SHARED, 1)
        parent.fork("child")
        assert count(kernel, parent, SHARED) == (1, 2)


# What people see


def test_the_graph_shows_chains_of_blocks_whose_entries_lead_to_mms():
    kernel = Kernel(PteChain(nrpte=1))
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=SHARED)
    parent.write_range(SHARED, [1, 2])
    assert [node.id for node in kernel.snapshot().nodes] == ["mm1"], "direct pages have no node"
    child = parent.fork("child")
    child.write(SHARED + PAGE, 3)
    pfn, other = parent.page(SHARED).pfn, parent.page(SHARED + PAGE).pfn
    shot = kernel.snapshot()
    by_kind = {kind: [n.id for n in shot.nodes if n.kind == kind] for kind in ("chain", "mm")}
    assert by_kind == {"chain": [f"chain{pfn}", f"chain{other}"], "mm": ["mm1", "mm2"]}
    chain = next(node for node in shot.nodes if node.id == f"chain{pfn}")
    assert chain.facts == (("pfn", str(pfn)), ("mapcount", "2"))
    next_of = {edge.tail: edge.head for edge in shot.edges if edge.kind == "next"}
    first = next_of[f"chain{pfn}"]
    second = next_of[first]
    ptes = {(edge.tail, edge.head) for edge in shot.edges if edge.kind == "pte"}
    assert {(first, "mm2"), (second, "mm1")} <= ptes
    block = next(node for node in shot.nodes if node.id == first)
    assert block.facts == (("entries", "mm 2 0x30000"), ("free", "0"))
    ends = {end for edge in shot.edges for end in (edge.tail, edge.head)}
    assert ends <= {node.id for node in shot.nodes}
    assert all(mm.home == "" for mm in shot.mms), "nothing is kept per mm"


def test_a_block_keeps_its_name_and_no_later_block_gets_it():
    kernel = Kernel(PteChain())
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=SHARED)
    parent.write(SHARED, 1)
    names = []
    for _ in range(3):
        child = parent.fork()
        names += [node.id for node in kernel.snapshot().nodes if node.kind == "block"]
        child.exit()
        kernel.page_referenced(parent.page(SHARED).pfn)
    assert names == ["block1", "block2", "block3"]


def test_anonymous_pages_have_no_mapping_and_no_index():
    kernel = Kernel("pte_chain")
    task = kernel.spawn("p")
    task.mmap(PAGE, at=SHARED)
    task.write(SHARED, 1)
    page = task.page(SHARED)
    assert (page.mapping, page.index) == ("", 0)
    assert kernel.snapshot().mappings == ()


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_its_words_fit_the_steps_and_speak_of_no_group():
    for label, words in PteChain.words.items():
        assert placeholders(words.sentence) == placeholders(LABELS[label].sentence), label
        assert "group" not in words.sentence + words.source, label
    rest = {label: text for label, text in LABELS.items() if label not in PteChain.words}
    silent = {"mremap.copy", "fault.swap_in_clash"}  # no step of this design
    for label, (title, sentence, source) in rest.items():
        if label not in silent:
            assert "group" not in title + sentence, label
            assert "13 March 2004" not in source, label


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"nrpte": 8}, "nrpte is one of 1, 7, 15, 31; got 8"),
        ({"nrpte": 0}, "nrpte is one of 1, 7, 15, 31; got 0"),
        ({"cow_rule": "never"}, "cow_rule is one of count, .*; got 'never'"),
    ],
)
def test_options_that_make_no_design_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        PteChain(**options)
