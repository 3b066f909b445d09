"""The judge on hand-made data: what it sees, and each rule that takes a difference out."""

from __future__ import annotations

import pytest

from anonlab.formats.history import Op
from anonlab.formats.observation import (
    ALONE,
    PAGE,
    SHARED,
    SWAP,
    ZERO,
    AreaSeen,
    PageNames,
    PageSeen,
    without_names,
)
from anonlab.formats.recording import WEAK, OpEffect
from anonlab.live.compare import KernelComparer, pageouts
from anonlab.live.copies import GroupCopies

FORK = Op("fork", "b", {"parent": "a"})
WRITE = Op("write", "a", {"addr": 0x1000, "value": 7})
MOVE = Op("mremap", "a", {"addr": 0x1000, "pages": 1, "to": 0x5000})
LOCK = Op("mlock", "a", {"addr": 0x1000, "pages": 1})
A, B = ("a", 1), ("b", 1)


def page(name, mapcount=1, exclusive=True, value=7):
    return PageSeen(PAGE, name, mapcount, exclusive, value)


def effects(observation=None, error="", values=()):
    return OpEffect(error, values, observation or {})


def both(name, **rest):
    return {A: page(name, 2, False, **rest), B: page(name, 2, False, **rest)}


def test_equal_sights_are_equal_whatever_the_names() -> None:
    comparer = KernelComparer()
    assert comparer.compare(WRITE, effects({A: page(5)}), effects({A: page(1)})) == ""
    assert comparer.compare(FORK, effects(both(5)), effects(both(1))) == ""
    assert not +comparer.explained


@pytest.mark.parametrize(
    ("ours", "real", "complaint"),
    [
        ({}, {A: page(1)}, "is nothing here, page there"),
        ({A: page(1, 2)}, {A: page(1)}, "has mapcount 2 here, 1 there"),
        ({A: page(1, exclusive=False)}, {A: page(1)}, "has exclusive False here, True there"),
        ({A: page(1, value=8)}, {A: page(1)}, "has value 8 here, 7 there"),
        ({A: PageSeen(SWAP, 1)}, {A: page(1)}, "is swap here, page there"),
    ],
)
def test_a_difference_is_told_with_its_place(ours, real, complaint) -> None:
    told = KernelComparer().compare(WRITE, effects(ours), effects(real))
    assert told == f"a write 0x1000 7: a at 0x1000 {complaint}"


def test_who_got_the_copy_is_seen_over_time_only() -> None:
    """The same sharing pattern on both sides; here the copy went to the other party."""
    comparer = KernelComparer()
    assert comparer.compare(FORK, effects(both(1)), effects(both(1))) == ""
    ours = {A: page(1), B: page(2, exclusive=False)}
    real = {A: page(2), B: page(1, exclusive=False)}
    assert "another one" in comparer.compare(WRITE, effects(ours), effects(real))


def test_a_needless_copy_here_is_not_excused() -> None:
    comparer = KernelComparer()
    before = {A: page(1, exclusive=False)}
    assert comparer.compare(FORK, effects(before), effects(before)) == ""
    told = comparer.compare(WRITE, effects({A: page(2)}), effects({A: page(1)}))
    assert told == "a write 0x1000 7: a at 0x1000 is a new page here, page 1, another one there"


def test_outcomes_and_values_are_compared() -> None:
    assert "ends with SIGSEGV here, success" in KernelComparer().compare(
        WRITE, effects(error="SIGSEGV"), effects()
    )
    read = Op("read", "a", {"addr": 0x1000})
    assert "reads [1] here, [2]" in KernelComparer().compare(
        read, effects(values=(1,)), effects(values=(2,))
    )


def test_rule_zero_page_counts_once_however_long_it_lasts() -> None:
    comparer = KernelComparer()
    ours, real = {A: PageSeen(ZERO), B: PageSeen(ZERO)}, {A: PageSeen(ZERO)}
    assert comparer.compare(FORK, effects(ours), effects(real)) == ""
    assert comparer.compare(WRITE, effects(ours), effects(real)) == ""
    assert +comparer.explained == {"zero_page": 1}


@pytest.mark.parametrize("verb", ["write", "pin"])
def test_rule_lru_batch_takes_the_copy_for_the_page(verb: str) -> None:
    comparer, op = KernelComparer(), Op(verb, "a", WRITE.args)
    before = {A: page(1, exclusive=False)}
    assert comparer.compare(LOCK, effects(before), effects(before)) == ""
    assert comparer.compare(op, effects({A: page(1)}), effects({A: page(2)})) == ""
    assert comparer.compare(op, effects({A: page(1)}), effects({A: page(2)})) == ""
    assert +comparer.explained == {"lru_batch": 1}
    read, comparer = Op("read", "a", {"addr": A[1] << 12}), KernelComparer()
    assert comparer.compare(LOCK, effects(before), effects(before)) == ""
    assert comparer.compare(read, effects({A: page(1)}), effects({A: page(2)})) != ""


def test_rule_lru_batch_does_not_excuse_a_copy_of_a_marked_page_or_without_mlock() -> None:
    for op, marked in ((LOCK, True), (FORK, False)):
        comparer, before = KernelComparer(), {A: page(1, exclusive=marked)}
        assert comparer.compare(op, effects(before), effects(before)) == ""
        assert comparer.compare(WRITE, effects({A: page(1)}), effects({A: page(2)})) != ""


def test_rule_skipped_pageout_leaves_out_what_others_map() -> None:
    observation = {("a", 1): page(1, 2, False), ("a", 2): page(2), ("a", 3): PageSeen(ZERO)}
    asked = Op("swap_out", "a", {"addr": 0x1000, "pages": 4})
    assert pageouts(asked, observation) == ([Op("swap_out", "a", {"addr": 0x2000})], 1)


def test_rule_direct_swapin_is_for_what_was_on_swap() -> None:
    read = Op("read", "a", {"addr": 0x1000})
    comparer, ours, real = KernelComparer(), {A: page(9, exclusive=False)}, {A: page(9)}
    swapped = {A: PageSeen(SWAP, 3)}
    assert comparer.compare(FORK, effects(swapped), effects(swapped)) == ""
    assert comparer.compare(read, effects(ours), effects(real)) == ""
    assert comparer.compare(read, effects(ours), effects(real)) == ""
    assert +comparer.explained == {"direct_swapin": 1}
    assert "has exclusive False here, True there" in KernelComparer().compare(
        read, effects(ours), effects(real)
    )
    other_way = KernelComparer()
    assert other_way.compare(FORK, effects(swapped), effects(swapped)) == ""
    assert "has exclusive True here" in other_way.compare(read, effects(real), effects(ours))


def test_what_a_kernel_does_and_the_model_refuses_has_no_reason() -> None:
    wrong = KernelComparer().compare(MOVE, effects(error="EFAULT"), effects({A: page(1)}))
    assert "ends with EFAULT here, success on the kernel" in wrong


def seen(*areas: AreaSeen, error: str = "") -> OpEffect:
    return OpEffect(error, (), {}, {"a": areas} if areas else {})


AREA = AreaSeen(0x30, 0x34, "rw-", file="lib", pgoff=2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("start_vpn", 0x31), ("end_vpn", 0x35), ("prot", "r--"), ("shared", True)),
        *(("file", "libm"), ("pgoff", 3), ("locked", True), ("growsdown", True)),
    ],
)
def test_vmas_that_differ_in_anything_have_no_reason(name, value) -> None:
    other = AREA._replace(**{name: value})
    assert KernelComparer().compare(MOVE, seen(AREA), seen(AREA)) == ""
    assert "a: the VMA 0x3" in KernelComparer().compare(MOVE, seen(AREA), seen(other))
    assert "here only" in KernelComparer().compare(MOVE, seen(AREA), seen())
    failed = KernelComparer().compare(MOVE, seen(error="EINVAL"), seen(AREA, error="EINVAL"))
    assert failed.endswith("the VMA 0x30000-0x34000 rw-p lib+2 is on the kernel only")
    assert KernelComparer().compare(MOVE, seen(AREA), OpEffect("", (), {})) == "", "nobody looked"


def test_an_efault_on_the_kernel_alone_has_no_reason() -> None:
    assert "ends with success here, EFAULT" in KernelComparer().compare(
        MOVE, effects(), effects(error="EFAULT")
    )


def test_rule_chosen_address_ends_the_comparison() -> None:
    comparer = KernelComparer()
    grow = Op("mremap", "a", {"addr": 0x1000, "pages": 1, "new_pages": 2})
    assert comparer.compare(grow, effects({A: page(1)}), effects(error="ENOMEM")) == ""
    assert comparer.ended_by == "chosen_address"


def test_rules_of_the_group_end_its_comparison() -> None:
    hole = Op("madvise", "a", {"addr": 0x1000, "pages": 2, "advice": "dontneed"})
    for op, ours, real, rule in (
        (MOVE, "", "EFAULT", "merged_vmas"),
        (MOVE, "EFAULT", "", "several_vmas"),
        (hole, "ENOMEM", "ENOMEM", "half_range"),
    ):
        copies = GroupCopies()
        assert copies.follow(op, effects(error=ours), effects(error=real), 0) == ""
        assert copies.ended_by == rule
    grown = GroupCopies()
    assert grown.follow(WRITE, effects(error="SIGSEGV"), seen(AREA, error="SIGSEGV"), 0) == ""
    assert grown.ended_by == "half_range"


def test_a_frame_may_be_taken_again_by_a_move_that_grows_only_where_it_was_freed() -> None:
    grow = Op("mremap", "a", {"addr": 0x9000, "pages": 1, "to": 0x1000, "new_pages": 2})
    before, there = {A: page(1), ("a", 5): page(2)}, ("a", 5)
    for ours, complaint in (({A: page(3), there: page(2)}, ""), ({A: page(2)}, "another one")):
        comparer = KernelComparer()
        assert comparer.compare(WRITE, effects(before), effects(before)) == ""
        assert complaint in comparer.compare(grow, effects(ours), effects(before | {A: page(1)}))


def test_the_weak_view_sees_sharing_and_contents_but_no_identity() -> None:
    weak = without_names(both(1))
    assert weak == {A: PageSeen(SHARED, value=7), B: PageSeen(SHARED, value=7)}
    comparer = KernelComparer(WEAK)
    assert comparer.compare(FORK, effects(both(1)), effects(weak)) == ""
    swapped = {A: page(1), B: page(2)}
    assert (
        comparer.compare(WRITE, effects(swapped), effects({A: PageSeen(ALONE), B: PageSeen(ALONE)}))
        == ""
    )
    assert "is alone here, shared there" in comparer.compare(WRITE, effects(swapped), effects(weak))


def test_names_last_as_long_as_the_page_is_somewhere() -> None:
    names = PageNames()
    assert names.name({A: page(77)})[A].name == 1
    assert names.name({A: page(77), B: page(88)})[B].name == 2
    assert names.name({B: page(77)})[B].name == 1
    names.name({})
    assert names.name({B: page(77)})[B].name == 3
    assert names.name({B: PageSeen(SWAP, 77)})[B].name == 4
