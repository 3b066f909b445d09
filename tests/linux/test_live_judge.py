"""The judge on hand-made data: what it sees, and each rule that takes a difference out."""

from __future__ import annotations

import pytest

from anonlab.formats.history import Op
from anonlab.formats.observation import ALONE, PAGE, SHARED, SWAP, ZERO, Names, Seen, weaken
from anonlab.formats.recording import WEAK, Shown
from anonlab.live.compare import Judge, pageouts

FORK = Op("fork", "b", {"parent": "a"})
WRITE = Op("write", "a", {"addr": 0x1000, "value": 7})
MOVE = Op("mremap", "a", {"addr": 0x1000, "pages": 1, "to": 0x5000})
LOCK = Op("mlock", "a", {"addr": 0x1000, "pages": 1})
A, B = ("a", 1), ("b", 1)


def page(name, mapcount=1, exclusive=True, value=7):
    return Seen(PAGE, name, mapcount, exclusive, value)


def shown(sight=None, error="", values=()):
    return Shown(error, values, sight or {})


def both(name, **rest):
    return {A: page(name, 2, False, **rest), B: page(name, 2, False, **rest)}


def test_equal_sights_are_equal_whatever_the_names() -> None:
    judge = Judge()
    assert judge.see(WRITE, shown({A: page(5)}), shown({A: page(1)})) == ""
    assert judge.see(FORK, shown(both(5)), shown(both(1))) == ""
    assert not +judge.explained


@pytest.mark.parametrize(
    ("ours", "real", "complaint"),
    [
        ({}, {A: page(1)}, "is nothing here, page there"),
        ({A: page(1, 2)}, {A: page(1)}, "has mapcount 2 here, 1 there"),
        ({A: page(1, exclusive=False)}, {A: page(1)}, "has exclusive False here, True there"),
        ({A: page(1, value=8)}, {A: page(1)}, "has value 8 here, 7 there"),
        ({A: Seen(SWAP, 1)}, {A: page(1)}, "is swap here, page there"),
    ],
)
def test_a_difference_is_told_with_its_place(ours, real, complaint) -> None:
    told = Judge().see(WRITE, shown(ours), shown(real))
    assert told == f"a write 0x1000 7: a at 0x1000 {complaint}"


def test_who_got_the_copy_is_seen_over_time_only() -> None:
    """The same sharing pattern on both sides; here the copy went to the other party."""
    judge = Judge()
    assert judge.see(FORK, shown(both(1)), shown(both(1))) == ""
    ours = {A: page(1), B: page(2, exclusive=False)}
    real = {A: page(2), B: page(1, exclusive=False)}
    assert "another one" in judge.see(WRITE, shown(ours), shown(real))


def test_a_needless_copy_here_is_not_excused() -> None:
    judge = Judge()
    before = {A: page(1, exclusive=False)}
    assert judge.see(FORK, shown(before), shown(before)) == ""
    told = judge.see(WRITE, shown({A: page(2)}), shown({A: page(1)}))
    assert told == "a write 0x1000 7: a at 0x1000 is a new page here, page 1, another one there"


def test_outcomes_and_values_are_compared() -> None:
    assert "ends with SIGSEGV here, success" in Judge().see(WRITE, shown(error="SIGSEGV"), shown())
    read = Op("read", "a", {"addr": 0x1000})
    assert "reads [1] here, [2]" in Judge().see(read, shown(values=(1,)), shown(values=(2,)))


def test_rule_zero_page_counts_once_however_long_it_lasts() -> None:
    judge = Judge()
    ours, real = {A: Seen(ZERO), B: Seen(ZERO)}, {A: Seen(ZERO)}
    assert judge.see(FORK, shown(ours), shown(real)) == ""
    assert judge.see(WRITE, shown(ours), shown(real)) == ""
    assert +judge.explained == {"zero_page": 1}


def test_rule_lru_batch_takes_the_copy_for_the_page() -> None:
    judge = Judge()
    before = {A: page(1, exclusive=False)}
    assert judge.see(LOCK, shown(before), shown(before)) == ""
    assert judge.see(WRITE, shown({A: page(1)}), shown({A: page(2)})) == ""
    assert judge.see(WRITE, shown({A: page(1)}), shown({A: page(2)})) == ""
    assert +judge.explained == {"lru_batch": 1}


def test_rule_lru_batch_does_not_excuse_a_copy_of_a_marked_page_or_without_mlock() -> None:
    for op, marked in ((LOCK, True), (FORK, False)):
        judge, before = Judge(), {A: page(1, exclusive=marked)}
        assert judge.see(op, shown(before), shown(before)) == ""
        assert judge.see(WRITE, shown({A: page(1)}), shown({A: page(2)})) != ""


def test_rule_skipped_pageout_leaves_out_what_others_map() -> None:
    sight = {("a", 1): page(1, 2, False), ("a", 2): page(2), ("a", 3): Seen(ZERO)}
    asked = Op("swap_out", "a", {"addr": 0x1000, "pages": 4})
    assert pageouts(asked, sight) == ([Op("swap_out", "a", {"addr": 0x2000})], 1)


def test_rule_direct_swapin_is_for_what_was_on_swap() -> None:
    read = Op("read", "a", {"addr": 0x1000})
    judge, ours, real = Judge(), {A: page(9, exclusive=False)}, {A: page(9)}
    swapped = {A: Seen(SWAP, 3)}
    assert judge.see(FORK, shown(swapped), shown(swapped)) == ""
    assert judge.see(read, shown(ours), shown(real)) == ""
    assert judge.see(read, shown(ours), shown(real)) == ""
    assert +judge.explained == {"direct_swapin": 1}
    assert "has exclusive False here, True there" in Judge().see(read, shown(ours), shown(real))
    other_way = Judge()
    assert other_way.see(FORK, shown(swapped), shown(swapped)) == ""
    assert "has exclusive True here" in other_way.see(read, shown(real), shown(ours))


def test_rule_several_vmas_ends_the_comparison() -> None:
    judge = Judge()
    assert judge.see(MOVE, shown(error="EFAULT"), shown({A: page(1)})) == ""
    assert judge.over == "several_vmas"
    assert judge.see(WRITE, shown(), shown({A: page(1)})) == ""
    assert +judge.explained == {"several_vmas": 1}


def test_an_efault_on_the_kernel_alone_has_no_reason() -> None:
    assert "ends with success here, EFAULT" in Judge().see(MOVE, shown(), shown(error="EFAULT"))


def test_rule_chosen_address_ends_the_comparison() -> None:
    judge = Judge()
    grow = Op("mremap", "a", {"addr": 0x1000, "pages": 1, "new_pages": 2})
    assert judge.see(grow, shown({A: page(1)}), shown(error="ENOMEM")) == ""
    assert judge.over == "chosen_address"


def test_rule_half_range_ends_the_comparison() -> None:
    judge = Judge()
    wide = Op("write", "a", {"addr": 0x1000, "value": 7, "pages": 2})
    assert judge.see(wide, shown(error="SIGSEGV"), shown({A: page(1)}, "SIGSEGV")) == ""
    assert judge.over == "half_range"
    judge = Judge()
    hole = Op("madvise", "a", {"addr": 0x1000, "pages": 2, "advice": "dontneed"})
    assert judge.see(hole, shown({A: page(1)}, "ENOMEM"), shown({}, "ENOMEM")) == ""
    assert judge.over == "half_range"


def test_a_frame_may_be_taken_again_by_a_move_that_grows_only_where_it_was_freed() -> None:
    grow = Op("mremap", "a", {"addr": 0x9000, "pages": 1, "to": 0x1000, "new_pages": 2})
    before, there = {A: page(1), ("a", 5): page(2)}, ("a", 5)
    for ours, complaint in (({A: page(3), there: page(2)}, ""), ({A: page(2)}, "another one")):
        judge = Judge()
        assert judge.see(WRITE, shown(before), shown(before)) == ""
        assert complaint in judge.see(grow, shown(ours), shown(before | {A: page(1)}))


def test_the_weak_view_sees_sharing_and_contents_but_no_identity() -> None:
    weak = weaken(both(1))
    assert weak == {A: Seen(SHARED, value=7), B: Seen(SHARED, value=7)}
    judge = Judge(WEAK)
    assert judge.see(FORK, shown(both(1)), shown(weak)) == ""
    swapped = {A: page(1), B: page(2)}
    assert judge.see(WRITE, shown(swapped), shown({A: Seen(ALONE), B: Seen(ALONE)})) == ""
    assert "is alone here, shared there" in judge.see(WRITE, shown(swapped), shown(weak))


def test_names_last_as_long_as_the_page_is_somewhere() -> None:
    names = Names()
    assert names.name({A: page(77)})[A].name == 1
    assert names.name({A: page(77), B: page(88)})[B].name == 2
    assert names.name({B: page(77)})[B].name == 1
    names.name({})
    assert names.name({B: page(77)})[B].name == 3
    assert names.name({B: Seen(SWAP, 77)})[B].name == 4
