"""Where the anon memory group differs, on hand-made data."""

from __future__ import annotations

from anonlab.formats.history import Op
from anonlab.formats.observation import PAGE, PageSeen
from anonlab.formats.recording import OpEffect
from anonlab.live.copies import Division, GroupCopies

FORK = Op("fork", "b", {"parent": "a"})
MOVE = Op("mremap", "b", {"addr": 0x1000, "pages": 1, "to": 0x5000})
A, B, MOVED = ("a", 1), ("b", 1), ("b", 5)


def page(name, mapcount=1, value=7):
    return PageSeen(PAGE, name, mapcount, None, value)


def effects(observation):
    return OpEffect("", (), observation)


def forked():
    copies, both = GroupCopies(), effects({A: page(1, 2), B: page(1, 2)})
    assert copies.follow(FORK, both, both, 0) == ""
    return copies


SPLIT = effects({A: page(1), MOVED: page(2)})
WHOLE = effects({A: page(1, 2), MOVED: page(1, 2)})


def test_a_copy_on_mremap_is_told_with_its_operation() -> None:
    copies = forked()
    assert copies.follow(MOVE, SPLIT, WHOLE, 1) == ""
    assert copies.copied
    assert copies.divisions == [Division(1, "b mremap 0x1000 1 to 0x5000", (B,), (A, MOVED))]


def test_a_shared_page_that_is_not_copied_is_found() -> None:
    assert "copied 0 pages, 1 were shared" in forked().follow(MOVE, WHOLE, WHOLE, 0)


def test_a_difference_that_no_move_made_is_found() -> None:
    copies = forked()
    write = Op("write", "a", {"addr": 0x1000, "value": 7})
    both = {A: page(1, 2), B: page(1, 2)}
    divisions = copies.follow(write, effects({A: page(1), B: page(2)}), effects(both), 0)
    assert "has a page of its own here, which no move has copied" in divisions


def test_a_page_that_is_one_here_and_two_on_the_kernel_is_found() -> None:
    both = {A: page(1, 2), B: page(1, 2)}
    divisions = forked().follow(FORK, effects(both), effects({A: page(1), B: page(2)}), 0)
    assert "is two on the kernel" in divisions


def test_lost_contents_and_lost_pages_are_found() -> None:
    lost = effects({A: page(1), MOVED: page(2, value=0)})
    assert "has value 0 here, 7 on the kernel" in forked().follow(MOVE, lost, WHOLE, 1)
    assert "mapped on one side only" in forked().follow(MOVE, effects({A: page(1)}), WHOLE, 1)


def test_rule_merged_vmas_ends_the_comparison() -> None:
    copies = forked()
    refused = OpEffect("EFAULT", (), {A: page(1, 2), B: page(1, 2)})
    assert copies.follow(MOVE, SPLIT, refused, 1) == ""
    assert copies.ended_by == "merged_vmas"
    assert not copies.copied
    assert "copied 0 pages, 1 were" in forked().follow(MOVE, refused._replace(error=""), WHOLE, 0)
