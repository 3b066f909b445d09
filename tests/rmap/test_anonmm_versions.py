"""anonmm in its other versions: chains of addresses (2003), re-homing; and what `check` states."""

from __future__ import annotations

import string
from itertools import pairwise

import numpy as np
import pytest
from watched import PAGE, copies, kept, truth, walked

from anonlab import AnonMm, Kernel, Task, check
from anonlab.formats.labels import LABELS

A, B, C, D = 0x30000, 0x50000, 0x80000, 0xA0000


def two(design: AnonMm) -> tuple[Kernel, Task, Task]:
    """A parent and a child that share a page at A; both have another one, so that rss is not 0."""
    kernel = Kernel(design)
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    parent.mmap(PAGE, at=D)
    parent.write(D, 8)
    return kernel, parent, parent.fork("child")


# 20 March 2003: "anobjrmap 5/6 rechained"


def test_chained_mremap_copies_nothing_and_the_page_is_found_at_both_addresses():
    kernel, parent, child = two(AnonMm(chained=True))
    pfn = parent.page(A).pfn
    child.mremap(A, PAGE, new=B)
    check(kernel)
    assert copies(kernel)["mremap"] == 0
    assert parent.page(A).pfn == child.page(B).pfn == pfn
    assert kernel.design.chains == {pfn: [A, B]}
    assert sorted(truth(kernel, pfn)) == [("child", B), ("parent", A)]
    # parent: node, block, A hits; B; child: node, block, A, B hits
    assert walked(kernel, pfn) == (4, 4, [("child", B), ("parent", A)])


def test_chained_a_page_that_is_mapped_once_moves_without_a_chain():
    kernel, parent, child = two(AnonMm(chained=True))
    child.write(A, 9)
    child.mremap(A, PAGE, new=B)
    parent.mremap(A, PAGE, new=C)
    check(kernel)
    assert kernel.design.chains == {}
    assert (parent.page(C).index, child.page(B).index) == (C, B)


def test_chained_fork_only_counts_and_the_walk_tries_every_address_in_every_mm():
    kernel, parent, child = two(AnonMm(chained=True, early_stop=False))
    child.mremap(A, PAGE, new=B)
    pfn = parent.page(A).pfn
    before = (kernel.design.cost.allocs, kernel.design.cost.bytes32)
    tasks = [child.fork("g1"), parent.fork("g2")]
    after = (kernel.design.cost.allocs, kernel.design.cost.bytes32)
    assert after == (before[0] + 2, before[1] + 2 * 28), "two nodes, no word for a chain"
    check(kernel)
    assert kernel.design.chains == {pfn: [A, B]}
    assert [task.page(at).pfn for task, at in zip(tasks, (B, A), strict=True)] == [pfn, pfn]
    places = kernel.design.candidates(pfn)
    expected = [(mm, vpn) for mm in (1, 2, 3, 4) for vpn in (A // PAGE, B // PAGE)]
    assert list(zip(places.mms.tolist(), places.vpns.tolist(), strict=True)) == expected
    assert walked(kernel, pfn)[:2] == (4 + 4, 8), "four nodes, and a block for each"


def test_chained_stale_addresses_pile_up_until_nobody_maps_the_page():
    kernel, parent, child = two(AnonMm(chained=True))
    pfn, cost = parent.page(A).pfn, kernel.design.cost
    allocs = cost.allocs
    places = [A, *(B + n * PAGE for n in range(14))]
    for n, (old, new) in enumerate(pairwise(places), 2):
        child.mremap(old, PAGE, new=new)
        check(kernel)
        blocks = 1 if n <= 6 else 2 if n <= 13 else 3
        assert cost.allocs - allocs == blocks, f"{n} addresses and the mapcount"
    assert kernel.design.chains == {pfn: places}
    child.mremap(places[-1], PAGE, new=B)
    assert kernel.design.chains == {pfn: places}, "an address stands in a chain once"
    assert (cost.bytes32, cost.bytes64) == (2 * 28 + 3 * 32, 2 * 48 + 3 * 64)
    parent.munmap(A, PAGE)
    child.mremap(B, PAGE, new=C)
    assert kernel.design.chains == {pfn: [*places, C]}, "it stays a chain when it is mapped once"
    nodes, probes, mappers = walked(kernel, pfn)
    assert (nodes, probes, mappers) == (2 + 3 + 3, 16 + 16, [("child", C)])
    frees = cost.frees
    child.munmap(C, PAGE)
    check(kernel)
    assert kernel.design.chains == {}
    assert cost.frees - frees == 3


def test_chained_nodes_count_blocks_as_far_as_the_walk_has_read_them():
    kernel, parent, child = two(AnonMm(chained=True))
    places = [A, *(B + n * PAGE for n in range(7))]
    for old, new in pairwise(places):
        child.mremap(old, PAGE, new=new)
    parent.munmap(A, PAGE)
    pfn = child.page(places[-1]).pfn
    found = kernel.design.candidates(pfn).nodes.tolist()
    assert found == [2] * 6 + [3] * 2 + [5] * 6 + [6] * 2 + [6]
    assert walked(kernel, pfn)[:2] == (6, 16)


def test_chained_a_page_that_comes_back_from_swap_at_two_addresses_stays_one_page():
    kernel, parent, child = two(AnonMm(chained=True))
    parent.swap_out(A)
    child.mremap(A, PAGE, new=B)
    assert kept(kernel, child, B) == "swap"
    assert child.read(B) == 7
    assert parent.read(A) == 7
    check(kernel)
    assert copies(kernel)["clash"] == 0
    assert parent.page(A).pfn == child.page(B).pfn
    assert kernel.design.chains == {child.page(B).pfn: [B, A]}
    parent.swap_out(A)
    check(kernel)
    assert kernel.design.chains == {}


def test_chained_a_write_takes_the_writer_out_of_the_chain():
    kernel, parent, child = two(AnonMm(chained=True))
    child.mremap(A, PAGE, new=B)
    child.write(B, 9)
    check(kernel)
    assert (child.page(B).index, child.page(B).mapping) == (B, "anonmm 2")
    assert truth(kernel, parent.page(A).pfn) == [("parent", A)]
    assert (parent.read(A), child.read(B)) == (7, 9)


# 18 March 2004: re-homing on mremap, and other re-homing


@pytest.mark.parametrize("rehome", [False, True])
def test_a_page_that_moves_goes_to_its_movers_node_only_in_the_version_of_march(rehome):
    kernel, parent, child = two(AnonMm(rehome_on_mremap=rehome))
    pfn = child.page(A).pfn
    parent.munmap(A, PAGE)
    child.mremap(A, PAGE, new=B)
    check(kernel)
    page = child.page(B)
    assert (page.pfn, page.index) == (pfn, B)
    assert page.mapping == ("anonmm 2" if rehome else "anonmm head 1")
    assert walked(kernel, pfn)[:2] == ((1, 1) if rehome else (2, 2))


@pytest.mark.parametrize("rehome", [False, True])
def test_re_homing_on_mremap_lets_the_dead_go(rehome):
    kernel = Kernel(AnonMm(rehome_on_mremap=rehome))
    head = kernel.spawn("head")
    child = head.fork("child")
    child.mmap(2 * PAGE, at=A)
    child.write_range(A, [1, 2])
    grandchild = child.fork("grandchild")
    child.exit()
    grandchild.mremap(A, 2 * PAGE, new=B)
    check(kernel)
    assert (2 in kernel.design.nodes) == (not rehome)
    assert grandchild.read_range(B, 2 * PAGE).tolist() == [1, 2]


@pytest.mark.parametrize("rehome", [False, True])
def test_a_page_that_is_written_in_place_changes_its_home_only_if_told_so(rehome):
    kernel, parent, child = two(AnonMm(rehome_on_reuse=rehome))
    parent.exit()
    child.write(A, 9)
    check(kernel)
    assert copies(kernel)["cow"] == 0
    assert child.page(A).mapping == ("anonmm 2" if rehome else "anonmm head 1 (zombie)")


def test_page_referenced_gives_the_pages_of_the_dead_to_the_first_mm_that_maps_them():
    kernel, parent, child = two(AnonMm())
    other = parent.fork("other")
    pfn = child.page(A).pfn
    kernel.page_referenced(pfn)
    assert child.page(A).mapping == "anonmm head 1", "its home lives"
    parent.exit()
    assert walked(kernel, pfn)[:2] == (3, 2)
    kernel.page_referenced(pfn)
    check(kernel)
    assert child.page(A).mapping == "anonmm 2"
    assert walked(kernel, pfn)[:2] == (2, 2)
    assert kernel.page_referenced(pfn) is False
    assert other.page(A).mapping == "anonmm 2"


def test_page_referenced_leaves_a_page_whose_home_lives_there_though_the_home_has_lost_it():
    kernel, parent, child = two(AnonMm())
    parent.munmap(A, PAGE)
    kernel.page_referenced(child.page(A).pfn)
    assert child.page(A).mapping == "anonmm head 1"


def test_page_referenced_lets_a_zombie_go_with_its_last_page():
    kernel, _, child = two(AnonMm())
    grandchild = child.fork("grandchild")
    child.write_range(A, [1])
    late = child.fork("late")
    grandchild.exit()
    child.exit()
    assert 2 in kernel.design.nodes
    kernel.page_referenced(late.page(A).pfn)
    check(kernel)
    assert 2 not in kernel.design.nodes
    assert late.page(A).mapping == "anonmm 4"


@pytest.mark.parametrize("policy", ["mapcount", "count"])
def test_the_test_for_sharing_is_mapcount_as_posted_or_count_as_in_the_sketch(policy):
    kernel, parent, child = two(AnonMm(mremap_policy=policy))
    child.write(A, 9)
    child.pin(A)
    child.mremap(A, PAGE, new=B)
    check(kernel)
    assert copies(kernel)["mremap"] == (policy == "count")
    assert (parent.read(A), child.read(B)) == (7, 9)


# Options and words


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_its_words_fit_the_steps_and_speak_of_no_group():
    for label, words in AnonMm.words.items():
        assert placeholders(words.sentence) == placeholders(LABELS[label].sentence), label
    for label, default in LABELS.items():
        title, sentence, source = AnonMm.words.get(label, default)
        assert "group" not in title + sentence, label
        assert "13 March 2004" not in source, label


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mremap_policy": "never"}, "mremap_policy is one of mapcount, count; got 'never'"),
        ({"cow_rule": "never"}, "cow_rule is one of count, .*; got 'never'"),
    ],
)
def test_options_that_make_no_design_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        AnonMm(**options)


# The check


def broken(kernel: Kernel, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check(kernel)


def test_check_sees_an_index_that_is_not_the_address():
    kernel, parent, _ = two(AnonMm())
    pfn = parent.page(A).pfn
    kernel.mem_map.index[pfn] = B
    with pytest.raises(AssertionError, match=f"pfn {pfn} is mapped at 0x30000, its index is 0x500"):
        kernel.design.check(kernel.mms, *_mapping(1, A, pfn))


def _mapping(*row: int):
    mm, addr, pfn = row
    return np.array([mm]), np.array([addr // PAGE]), np.array([pfn])


def test_check_sees_a_home_that_is_gone_and_a_home_of_another_family():
    kernel, parent, child = two(AnonMm())
    pfn = parent.page(A).pfn
    stranger = kernel.spawn("stranger")
    kernel.mem_map.mapping[pfn] = kernel.design._last_number + 1
    with pytest.raises(AssertionError, match=f"pfn {pfn}: its home, node 4, is gone"):
        kernel.design.check(kernel.mms, *_mapping(1, A, pfn))
    kernel.mem_map.mapping[pfn] = stranger.mm.rmap.number
    with pytest.raises(AssertionError, match=f"mm 2 maps pfn {pfn}, whose home anonmm head 3 is"):
        kernel.design.check(kernel.mms, *_mapping(child.mm.number, A, pfn))


def test_check_sees_a_wrong_count():
    kernel, *_ = two(AnonMm())
    kernel.design.nodes[1].count += 1
    broken(kernel, "anonmm head 1: count 6, recounted 5: 2 pages")
    kernel.design.nodes[1].count -= 1
    kernel.design.nodes[2].count -= 1
    broken(kernel, "anonmm 2: count 0, recounted 1: 0 pages")


def test_check_sees_a_node_that_serves_nobody():
    kernel, parent, child = two(AnonMm())
    node = child.mm.rmap
    child.exit()
    kernel.design.nodes[2] = parent.mm.rmap.ring.nodes[2] = node
    parent.mm.rmap.count += 1
    broken(kernel, r"anonmm 2 \(zombie\) serves nobody and was not freed")
    del kernel.design.nodes[2]
    broken(kernel, "node 2 is in a ring, but was freed")


def test_check_sees_a_node_that_is_in_no_ring_and_an_mm_without_a_node():
    kernel, parent, child = two(AnonMm())
    del parent.mm.rmap.ring.nodes[2]
    broken(kernel, "anonmm 2 is not in its ring")
    parent.mm.rmap.ring.nodes[2] = child.mm.rmap
    child.mm.rmap.mm = 0
    broken(kernel, r"nodes of mms \[1\], alive are \[1, 2\]")


def test_check_sees_a_chain_of_a_page_that_nobody_maps():
    kernel, *_ = two(AnonMm(chained=True))
    kernel.design.chains[9] = [A, B]
    broken(kernel, "pfn 9 is mapped nowhere, but has a chain")
