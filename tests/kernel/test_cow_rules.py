"""Who may write to a page in place: four rules, from 2004 to today, whatever the design."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from watched import PAGE, A, B, copies, kept

from anonlab import DESIGNS, Kernel, Task
from anonlab.histories.run import make_kernel, run_on
from anonlab.machine.words import PG_ANON, PG_EXCLUSIVE, SWP_EXCLUSIVE
from anonlab.proof.fuzz import history_of, run_checked
from anonlab.rmap import AnonVmaChain
from anonlab.rmap.base import COW_RULES

COUNT, MAPCOUNT, COUNT_ONLY, MARKS = COW_RULES
EVERY, NONE = set(COW_RULES), set()


@pytest.fixture(
    params=list(itertools.product(("anongroup", "anon_vma_chain"), COW_RULES)), ids="-".join
)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    """Every rule under two designs: one that copies on mremap, and today's."""
    design, rule = request.param
    return Kernel(DESIGNS[design](cow_rule=rule))


@pytest.fixture
def parent(kernel: Kernel) -> Task:
    """A process with the page 7 at A, which it has just written."""
    task = kernel.spawn("parent")
    task.mmap(PAGE, at=A)
    task.write(A, 7)
    return task


@pytest.fixture
def marked() -> Task:
    """The same under today's rule."""
    task = Kernel(AnonVmaChain()).spawn("parent")
    task.mmap(PAGE, at=A)
    task.write(A, 7)
    return task


def flags(task: Task, addr: int) -> tuple[str, ...]:
    page = task.page(addr)
    assert page is not None, f"{task.name} maps nothing at {addr:#x}"
    return page.flags


def word(task: Task, addr: int) -> int:
    return int(task.kernel.tables.lookup(task.mm.pgd, addr // PAGE))


def is_writable(task: Task, addr: int) -> bool:
    return word(task, addr) & 3 == 3


# Situations: what is true of the page that the parent maps, write-protected, at A


def alone(parent: Task) -> None:
    """Nobody else has the page."""


def shared(parent: Task) -> None:
    """A child maps it too."""
    parent.fork("child")


def alone_again(parent: Task) -> None:
    """A child mapped it, and is gone."""
    parent.fork("child").exit()


def pinned(parent: Task) -> None:
    """A device holds it."""
    parent.pin(A)


def pinned_after_it_was_shared(parent: Task) -> None:
    """A device holds it, for reading, since a child had it too, who is gone."""
    child = parent.fork("child")
    parent.mprotect(A, PAGE, "r")
    parent.pin(A)
    child.exit()


def in_the_swap_cache(parent: Task) -> None:
    """It has been to swap and back, and its slot is kept."""
    parent.swap_out(A)
    parent.read(A)


def in_the_swap_cache_after_it_was_shared(parent: Task) -> None:
    """It went to swap while a child had it too, who is gone."""
    child = parent.fork("child")
    parent.swap_out(A)
    child.exit()
    parent.read(A)


def on_swap_for_a_child(parent: Task) -> None:
    """It is in the swap cache, and a child has a swap entry for it."""
    parent.fork("child")
    parent.swap_out(A)
    parent.read(A)


def in_the_swap_cache_and_pinned(parent: Task) -> None:
    """It has been to swap and back, and a device holds it."""
    in_the_swap_cache(parent)
    parent.mprotect(A, PAGE, "r")
    parent.pin(A)


SITUATIONS = {
    alone: EVERY,
    shared: NONE,
    alone_again: EVERY,
    pinned: {MAPCOUNT, MARKS},
    pinned_after_it_was_shared: {MAPCOUNT},
    in_the_swap_cache: {COUNT, MAPCOUNT, MARKS},
    in_the_swap_cache_after_it_was_shared: {COUNT, MAPCOUNT, MARKS},
    on_swap_for_a_child: NONE,
    in_the_swap_cache_and_pinned: {MAPCOUNT, MARKS},
}
"""The rules under which a write to the page goes to the page itself."""


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
def test_a_write_to_a_protected_page_reuses_it_where_the_rule_says_so(kernel, parent, situation):
    situation(parent)
    parent.mprotect(A, PAGE, "r")
    parent.mprotect(A, PAGE, "rw")
    assert not is_writable(parent, A)
    pfn, before = parent.page(A).pfn, copies(kernel)["cow"]
    parent.write(A, 8)
    reused = kernel.design.cow_rule in SITUATIONS[situation]
    assert (parent.page(A).pfn == pfn) is reused
    assert copies(kernel)["cow"] - before == (not reused)
    assert is_writable(parent, A)
    if "child" in kernel.processes and kernel.processes["child"].alive:
        assert kernel.processes["child"].read(A) == 7


def test_todays_rule_lets_go_of_the_swap_cache_and_marks_the_page(marked):
    in_the_swap_cache_after_it_was_shared(marked)
    assert {"swapcache", "exclusive"} & set(flags(marked, A)) == {"swapcache"}
    marked.write(A, 8)
    assert {"swapcache", "exclusive"} & set(flags(marked, A)) == {"exclusive"}
    assert not marked.kernel.snapshot().swap_slot.size


def test_a_marked_page_is_written_in_place_and_stays_in_the_swap_cache(marked):
    in_the_swap_cache(marked)
    marked.mprotect(A, PAGE, "r")
    marked.mprotect(A, PAGE, "rw")
    marked.write(A, 8)
    assert {"swapcache", "exclusive"} <= set(flags(marked, A))


# Writes to a swap entry


def on_swap(parent: Task) -> None:
    """The page is on swap, for nobody else."""
    parent.swap_out(A)


def on_swap_for_both(parent: Task) -> None:
    """A child has a swap entry for it too."""
    parent.fork("child")
    parent.swap_out(A)


def mapped_by_a_child(parent: Task) -> None:
    """A child has brought it back."""
    on_swap_for_both(parent)
    parent.kernel.processes["child"].read(A)


def held_by_a_device(parent: Task) -> None:
    """A device holds the page, in the swap cache; it was shared when it was pinned."""
    pinned_after_it_was_shared(parent)
    parent.mprotect(A, PAGE, "rw")
    parent.swap_out(A)


SWAPPED = {
    on_swap: EVERY,
    on_swap_for_both: NONE,
    mapped_by_a_child: NONE,
    held_by_a_device: {MAPCOUNT, COUNT_ONLY},
}
"""The rules under which a write to the swap entry maps the page itself, for writing."""


@pytest.mark.parametrize("situation", SWAPPED, ids=lambda situation: situation.__name__)
def test_a_write_to_a_swap_entry_copies_the_page_where_others_have_it(kernel, parent, situation):
    situation(parent)
    assert kept(kernel, parent, A) == "swap"
    slot = word(parent, A) >> 8
    cached = int(kernel.swap.cache[slot])
    before = copies(kernel)["cow"]
    parent.write(A, 8)
    itself = kernel.design.cow_rule in SWAPPED[situation]
    assert copies(kernel)["cow"] - before == (not itself)
    assert not cached or (parent.page(A).pfn == cached) is itself
    assert is_writable(parent, A)
    if "child" in kernel.processes and kernel.processes["child"].alive:
        assert kernel.processes["child"].read(A) == 7


def test_a_written_page_leaves_the_swap_cache_since_2020(kernel, parent):
    parent.swap_out(A)
    parent.write(A, 8)
    stays = kernel.design.cow_rule in (COUNT, MAPCOUNT)
    assert ("swapcache" in flags(parent, A)) is stays
    assert kernel.snapshot().swap_slot.size == stays


def test_only_today_a_page_that_is_marked_and_pinned_cannot_be_swapped_out(kernel, parent):
    (dma,) = parent.pin(A)
    assert parent.swap_out(A) == 0
    today = kernel.design.cow_rule == MARKS
    assert kept(kernel, parent, A) == ("page" if today else "swap")
    parent.write(A, 8)
    assert (parent.page(A).pfn == dma) is (kernel.design.cow_rule != COUNT)


def test_a_pin_to_read_holds_a_shared_page_as_it_is(kernel, parent):
    child = parent.fork("child")
    (held,) = child.pin_to_read(A)
    assert held == parent.page(A).pfn == child.page(A).pfn
    assert (kernel.page(held).count, kernel.page(held).mapcount) == (3, 2)
    assert set(copies(kernel).values()) == {0}


def test_only_between_2005_and_2020_a_page_that_somebody_reads_is_written_in_place(kernel, parent):
    """CVE-2020-29374: who pinned it to read, and let go of it, reads what was meant for nobody."""
    child = parent.fork("child")
    (held,) = child.pin_to_read(A)
    child.munmap(A, PAGE)
    parent.write(A, 99)
    leaks = kernel.design.cow_rule == MAPCOUNT
    assert int(kernel.mem_map.data[held]) == (99 if leaks else 7)


def test_only_today_fork_copies_a_page_that_is_marked_and_pinned(kernel, parent):
    (dma,) = parent.pin(A)
    child = parent.fork("child")
    today = kernel.design.cow_rule == MARKS
    assert parent.page(A).pfn == dma
    assert (child.page(A).pfn != dma) is today
    assert kernel.design.cost.copies_fork_pin == today
    assert child.read(A) == 7
    assert is_writable(parent, A) is is_writable(child, A) is today


# Marks


def test_only_todays_rule_marks_pages(kernel, parent):
    assert ("exclusive" in flags(parent, A)) is (kernel.design.cow_rule == MARKS)
    parent.fork("child").write(A, 8)
    parent.write(A, 9)
    parent.swap_out(A)
    assert bool(word(parent, A) & SWP_EXCLUSIVE) is (kernel.design.cow_rule == MARKS)


def test_fork_takes_the_mark_away_and_exit_does_not_bring_it_back(marked):
    child = marked.fork("child")
    assert "exclusive" not in flags(marked, A)
    child.exit()
    assert "exclusive" not in flags(marked, A)
    marked.write(A, 8)
    assert "exclusive" in flags(marked, A), "the write that found nobody else does"


def test_fork_takes_the_mark_of_read_only_memory_away_too(marked):
    marked.mprotect(A, PAGE, "r")
    marked.fork("child")
    assert "exclusive" not in flags(marked, A)


def test_a_copy_is_marked_and_the_original_is_not(marked):
    child = marked.fork("child")
    child.write(A, 8)
    assert "exclusive" in flags(child, A)
    assert "exclusive" not in flags(marked, A)


def test_the_mark_travels_to_swap_and_back_and_the_word_is_writable_at_once(marked):
    marked.swap_out(A)
    assert word(marked, A) & SWP_EXCLUSIVE
    marked.read(A)
    assert "exclusive" in flags(marked, A)
    assert is_writable(marked, A), "no write fault is to come"
    pfn = marked.page(A).pfn
    marked.write(A, 8)
    assert (marked.page(A).pfn, copies(marked.kernel)["cow"]) == (pfn, 0)


def test_memory_that_became_read_only_on_swap_comes_back_marked_but_not_writable(marked):
    marked.swap_out(A)
    marked.mprotect(A, PAGE, "r")
    marked.read(A)
    assert "exclusive" in flags(marked, A)
    assert not is_writable(marked, A)


def test_fork_takes_the_mark_of_a_swap_entry_away_on_both_sides(marked):
    marked.swap_out(A)
    child = marked.fork("child")
    assert not (word(marked, A) | word(child, A)) & SWP_EXCLUSIVE
    for task in (marked, child):
        task.read(A)
        assert "exclusive" not in flags(task, A)
        assert not is_writable(task, A)
    assert marked.page(A).pfn == child.page(A).pfn


def test_a_write_to_a_swap_entry_without_a_mark_marks_the_page_that_it_finds_alone(marked):
    child = marked.fork("child")
    marked.swap_out(A)
    child.exit()
    assert not word(marked, A) & SWP_EXCLUSIVE
    marked.write(A, 8)
    assert "exclusive" in flags(marked, A)


def test_a_marked_page_that_a_lock_keeps_from_swap_stays_marked(marked):
    marked.mlock(A, PAGE)
    assert marked.swap_out(A) == 0
    assert "exclusive" in flags(marked, A)


def test_a_shared_page_goes_to_swap_without_a_mark(marked):
    child = marked.fork("child")
    marked.swap_out(A)
    assert not (word(marked, A) | word(child, A)) & SWP_EXCLUSIVE


def test_mremap_leaves_the_mark_alone_in_memory_and_on_swap(marked):
    marked.mremap(A, PAGE, new=B)
    assert "exclusive" in flags(marked, B)
    assert is_writable(marked, B)
    marked.swap_out(B)
    marked.mremap(B, PAGE, new=A)
    assert word(marked, A) & SWP_EXCLUSIVE


@pytest.mark.parametrize("leave", ["exit", "munmap", "madvise"])
def test_a_page_that_nobody_maps_is_not_marked(marked, leave):
    (dma,) = marked.fork("other").pin(A)  # the other's own copy, marked
    other = marked.kernel.processes["other"]
    keeper = other.clone_vm("keeper")  # the device goes only with the address space
    assert "exclusive" in flags(other, A)
    {
        "exit": lambda: (keeper.exit(), other.exit()),
        "munmap": lambda: other.munmap(A, PAGE),
        "madvise": lambda: other.madvise(A, PAGE),
    }[leave]()
    page = marked.kernel.page(dma)
    assert (page.mapcount, "exclusive" in page.flags) == (0, False)


def test_pages_of_files_are_never_marked(marked):
    kernel = marked.kernel
    marked.mmap(PAGE, at=B, file=kernel.file("f", 1), shared=True)
    marked.write(B, 8)
    assert "exclusive" not in flags(marked, B)


@pytest.mark.parametrize("number", range(8))
def test_whatever_happens_a_marked_page_has_one_owner(number):
    """On every machine of `verify`: it is anonymous, mapped once, and no swap entry names it."""
    history = history_of(1, number, 120)
    kernel = make_kernel(history, AnonVmaChain())
    seen = 0

    def one_owner(op, outcome):
        nonlocal seen
        mem, swap = kernel.mem_map, kernel.swap
        pfns = np.flatnonzero(mem.flags & PG_EXCLUSIVE)
        seen += pfns.size
        assert (mem.mapcount[pfns] == 1).all(), op
        assert (mem.flags[pfns] & PG_ANON != 0).all(), op
        slots = mem.private[pfns]
        assert (swap.map[slots[slots != 0]] == 1).all(), op

    run_on(kernel, history, after=one_owner)
    assert seen > 100


@pytest.mark.slow
@pytest.mark.parametrize("rule", COW_RULES)
@pytest.mark.parametrize("design", DESIGNS)
def test_no_design_breaks_under_any_rule(design, rule):
    tally = run_checked(
        history_of(5, COW_RULES.index(rule)), lambda: DESIGNS[design](cow_rule=rule)
    )
    assert tally.failures == []
