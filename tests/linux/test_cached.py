"""The two rules about pages of the page cache, on hand-made data: what they excuse and what not."""

from __future__ import annotations

from anonlab.formats.history import Op
from anonlab.formats.observation import FILE, PAGE, PageSeen
from anonlab.formats.recording import WEAK, OpEffect
from anonlab.live.compare import KernelComparer

SPAWN = Op("spawn", "a", {})
FORK = Op("fork", "b", {"parent": "a"})
VFORK = Op("vfork", "b", {"parent": "a"})
READ = Op("read", "a", {"addr": 0x31000})
WRITE = Op("write", "a", {"addr": 0x31000, "value": 7})
MOVE = Op("mremap", "a", {"addr": 0x31000, "pages": 1, "to": 0x51000})
A, NEXT, FAR, B = ("a", 0x31), ("a", 0x3F), ("a", 0x41), ("b", 0x31)


def page(name, mapcount=1, value=7):
    return PageSeen(FILE, name, mapcount, None, value)


def effects(observation):
    return OpEffect("", (), observation)


def see(comparer, op, ours, real):
    return comparer.compare(op, effects(ours), effects(real))


def test_rule_fault_around_takes_out_neighbours_of_a_read_page() -> None:
    comparer = KernelComparer()
    assert see(comparer, READ, {A: page(1)}, {A: page(1), NEXT: page(2)}) == ""
    assert see(comparer, WRITE, {A: page(1)}, {A: page(1), NEXT: page(2)}) == ""
    assert +comparer.explained == {"fault_around": 1}


def test_rule_fault_around_excuses_no_write_nothing_far_and_no_private_page() -> None:
    real = {A: page(1), NEXT: page(2)}
    assert "0x3f000 is nothing here, file there" in see(KernelComparer(), WRITE, {A: page(1)}, real)
    real = {A: page(1), FAR: page(2)}
    assert "0x41000 is nothing here, file there" in see(KernelComparer(), READ, {A: page(1)}, real)
    real = {A: page(1), NEXT: PageSeen(PAGE, 2, 1, True, 7)}
    assert "0x3f000 is nothing here, page there" in see(KernelComparer(), READ, {A: page(1)}, real)


def test_rule_refault_takes_out_what_fork_left_out_and_corrects_the_mapcount() -> None:
    comparer = KernelComparer()
    assert see(comparer, FORK, {A: page(1, 2), B: page(1, 2)}, {A: page(1)}) == ""
    assert see(comparer, WRITE, {A: page(1, 2), B: page(1, 2)}, {A: page(1)}) == ""
    assert +comparer.explained == {"refault": 1}
    wrong = see(comparer, WRITE, {A: page(1, 3), B: page(1, 3)}, {A: page(1)})
    assert "has mapcount 2 here, 1 there" in wrong


def test_rule_refault_excuses_a_pageout_and_nothing_else() -> None:
    out = Op("swap_out", "a", {"addr": 0x31000})
    comparer = KernelComparer()
    assert see(comparer, out, {A: page(1)}, {}) == ""
    assert +comparer.explained == {"refault": 1}
    assert "is file here, nothing there" in see(KernelComparer(), READ, {A: page(1)}, {})


def test_an_excuse_goes_along_when_the_area_moves_and_ends_with_the_mapping() -> None:
    moved = ("a", 0x51)
    comparer = KernelComparer()
    assert see(comparer, Op("swap_out", "a", {"addr": 0x31000}), {A: page(1)}, {}) == ""
    assert see(comparer, MOVE, {moved: page(1)}, {}) == ""
    assert see(comparer, READ, {}, {}) == ""
    assert "is file here, nothing there" in see(comparer, READ, {moved: page(1)}, {})
    assert "is file here" in see(KernelComparer(), MOVE, {moved: page(1)}, {})


def test_an_address_space_with_two_processes_counts_once() -> None:
    comparer = KernelComparer()
    assert see(comparer, SPAWN, {}, {}) == ""
    assert see(comparer, VFORK, {A: page(1), B: page(1)}, {A: page(1), B: page(1)}) == ""
    out = Op("swap_out", "a", {"addr": 0x31000})
    elsewhere = ("a", 0x60)
    ours = {A: page(1, 2), B: page(1, 2), elsewhere: page(1, 2)}
    assert see(comparer, out, ours, {elsewhere: page(1, 1)}) == ""


def test_a_page_of_the_cache_may_come_back_under_another_name_but_not_as_another_page() -> None:
    comparer = KernelComparer()
    assert see(comparer, READ, {A: page(1)}, {A: page(1), NEXT: page(2)}) == ""
    assert see(comparer, READ, {}, {NEXT: page(2)}) == ""
    assert see(comparer, READ, {NEXT: page(5)}, {NEXT: page(2)}) == ""
    comparer = KernelComparer()
    both = {A: page(1), NEXT: page(2)}
    assert see(comparer, READ, both, both) == ""
    swapped = {A: page(2), NEXT: page(1)}
    assert "another one" in see(comparer, READ, both, swapped)


def test_the_weak_view_has_the_rules_as_well() -> None:
    weak = {A: PageSeen(FILE, value=7), NEXT: PageSeen(FILE, value=0)}
    comparer = KernelComparer(WEAK)
    assert see(comparer, READ, {A: page(1)}, weak) == ""
    assert +comparer.explained == {"fault_around": 1}


def test_rule_read_only_pin_ends_the_comparison() -> None:
    pin = Op("pin", "a", {"addr": 0x1000})
    comparer = KernelComparer()
    assert comparer.compare(pin, OpEffect("", (), {}), OpEffect("SIGSEGV", (), {})) == ""
    assert comparer.ended_by == "read_only_pin"
    assert "ends with" in KernelComparer().compare(
        pin, OpEffect("SIGSEGV", (), {}), OpEffect("", (), {})
    )
