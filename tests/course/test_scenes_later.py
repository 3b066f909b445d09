"""The scenes of notebooks 06 to 10: what is right there, found again on machines driven by hand.

Frames come from each process's own view of its pages, places of walks from a scan of all tables.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from anonlab.course.asking.bank.scenes import SCENES
from anonlab.course.asking.scenes import made
from anonlab.kernel import Kernel
from anonlab.kernel.task import Task

PAGE = 4096


def truths(name: str) -> list[Any]:
    """What is right in the scene `name`, part by part, options by their text."""
    found = []
    for _, card in sorted(made(name)[1].items()):
        for part in card["parts"]:
            truth, options = part["truth"], part.get("options")
            if options:
                truth = [options[at] for at in truth] if isinstance(truth, list) else options[truth]
            found.append(truth)
    return found


def frames(who: Task, *addresses: int) -> list[int]:
    """The frames of the pages at `addresses`."""
    return [who.page(addr).pfn for addr in addresses]  # type: ignore[union-attr]


def shell_and_ls() -> tuple[Kernel, Task, Task]:
    """The machine before the execve of notebook 06."""
    kernel = Kernel(frames=16)
    shell = kernel.spawn("shell")
    shell.mmap(4 * PAGE, at=0x30000)
    shell.write_range(0x30000, [7, 8, 9, 10])
    child = shell.fork("child")
    child.write(0x30000, 9)
    return kernel, shell, child


def test_execve_frees_nothing_of_the_shell_and_its_next_write_is_in_place() -> None:
    kernel, shell, child = shell_and_ls()
    mine = frames(shell, *range(0x30000, 0x34000, PAGE))
    child.execve("ls")
    gone = sum(not kernel.mem_map.count[pfn] for pfn in mine)
    group = "old group" if child.mm.rmap is shell.mm.rmap else "new group"
    shell.write(0x31000, 8)
    place = "writes in place" if frames(shell, 0x31000) == mine[1:2] else "gets a copy"
    free = kernel.mem_map.nfree
    child.exit()
    assert truths("06 ls") == [gone, group, place, kernel.mem_map.nfree - free]


def test_a_child_of_vfork_writes_into_the_memory_of_the_shell() -> None:
    kernel = Kernel(frames=16)
    shell = kernel.spawn("shell")
    shell.mmap(2 * PAGE, at=0x30000)
    shell.write_range(0x30000, [7, 8])
    free = kernel.mem_map.nfree
    child = shell.vfork("child")
    child.write(0x30000, 9)
    taken = free - kernel.mem_map.nfree
    child.execve("ls")  # until then Linux lets the shell wait
    assert truths("06 vfork") == [taken, str(shell.read(0x30000))]


def move(design: str) -> tuple[Kernel, Task, Task]:
    """The machine before the move of notebook 07."""
    kernel = Kernel(design=design, frames=16)
    parent = kernel.spawn("parent")
    parent.mmap(3 * PAGE, at=0x30000)
    parent.write_range(0x30000, [7, 8, 9])
    child = parent.fork("child")
    child.write(0x32000, 9)
    return kernel, parent, child


def test_a_move_copies_what_is_shared_under_the_group_and_leaves_the_parent_alone() -> None:
    _, parent, child = move("anongroup")
    old, new = (0x30000, 0x31000, 0x32000), (0x80000, 0x81000, 0x82000)
    mine, theirs = frames(child, *old), frames(parent, *old)
    child.mremap(0x30000, 3 * PAGE, new=0x80000)
    kept = [hex(addr) for addr, was, now in zip(old, mine, frames(child, *new), strict=True)
            if was == now]  # fmt: skip
    assert frames(parent, *old) == theirs
    assert truths("07 mremap") == [kept, "nothing"]
    assert kept == ["0x32000"]


def test_a_move_takes_no_frame_and_changes_no_index_under_anon_vma_chain() -> None:
    kernel, _, child = move("anon_vma_chain")
    free = kernel.mem_map.nfree
    index = child.page(0x32000).index  # type: ignore[union-attr]
    child.mremap(0x30000, 3 * PAGE, new=0x80000)
    assert child.page(0x82000).index == index  # type: ignore[union-attr]
    assert truths("07 anon_vma") == [free - kernel.mem_map.nfree, hex(index)]


def family() -> tuple[Kernel, Task, Task, Task]:
    """The machine before the swap-outs of notebook 08."""
    kernel = Kernel(frames=16, swap=16)
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=0x30000)
    parent.write_range(0x30000, [7, 8])
    child = parent.fork("child")
    grandchild = child.fork("grandchild")
    child.write(0x31000, 9)
    return kernel, parent, child, grandchild


def present(address: int, *family: Task) -> int:
    """How many of the family have a page in memory at `address`."""
    return sum(each.page(address) is not None for each in family)


def test_a_swap_out_looks_at_all_three_and_changes_those_who_share_the_page() -> None:
    kernel, *family_ = family()
    expected = []
    for address in (0x30000, 0x31000):
        before, probes = present(address, *family_), kernel.design.cost.probes
        family_[0].swap_out(address)
        expected += [before - present(address, *family_), kernel.design.cost.probes - probes]
    assert truths("08 swap out") == expected
    assert expected == [3, 3, 2, 3]


def test_a_page_comes_back_for_one_and_the_next_finds_it_in_memory() -> None:
    kernel, parent, child, grandchild = family()
    parent.swap_out(0x30000)
    grandchild.read(0x30000)
    left = 3 - present(0x30000, parent, child, grandchild)
    free = kernel.mem_map.nfree
    parent.read(0x30000)
    assert truths("08 swap in") == [left, free - kernel.mem_map.nfree]
    assert frames(parent, 0x30000) == frames(grandchild, 0x30000)


def looks_for(kernel: Kernel, who: Task, address: int) -> int:
    """At how many places the kernel looks for a page; they must lead to all who have it."""
    before = kernel.design.cost.probes
    (pfn,) = frames(who, address)
    assert len(kernel.mappers(pfn)) == kernel.mem_map.mapcount[pfn]
    return kernel.design.cost.probes - before


def test_one_look_finds_a_workers_page_where_the_page_names_its_writer() -> None:
    looks = {}
    for design in SCENES["09 looks"].designs:
        kernel = Kernel(design=design, frames=16)
        server = kernel.spawn("server")
        server.mmap(PAGE, at=0x30000)
        server.write(0x30000, 7)
        workers = [server.fork(name) for name in "ab"]
        workers[1].write(0x30000, 9)
        looks[design] = looks_for(kernel, workers[1], 0x30000)
    one = [design for design, number in looks.items() if number == 1]
    assert truths("09 looks") == [one, looks["anongroup"]]


def test_each_fork_has_its_own_dearest_design() -> None:
    made_by = {}
    for design in SCENES["09 fork"].designs:
        kernel = Kernel(design=design, frames=32)
        p = kernel.spawn("p")
        p.mmap(8 * PAGE, at=0x30000)
        p.write_range(0x30000, list(range(8)))
        counts = [kernel.design.cost.allocs]
        for name in "cd":
            p.fork(name)
            counts.append(kernel.design.cost.allocs)
        made_by[design] = [b - a for a, b in pairwise(counts)]
    dearest = [max(made_by, key=lambda name: made_by[name][fork]) for fork in (0, 1)]
    assert truths("09 fork") == dearest
    assert made_by["pte_chain"] == [8, 0], "a block has room for seven entries"


def test_who_copied_on_the_move_copies_nothing_on_the_write_that_follows() -> None:
    copied = []
    for design in SCENES["10 after the move"].designs:
        kernel = Kernel(design=design, frames=64)
        shell = kernel.spawn("shell")
        shell.mmap(4 * PAGE, at=0x30000)
        shell.write_range(0x30000, [7, 8, 9, 10])
        child = shell.fork("child")
        child.write(0x30000, 9)
        child.mremap(0x30000, 4 * PAGE, new=0x48000)
        free = kernel.mem_map.nfree
        child.write(0x49000, 5)
        copied.append(free - kernel.mem_map.nfree)
    assert truths("10 after the move") == copied
    assert copied == [0, 1]


def test_no_design_is_the_right_one_where_two_have_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = SCENES["09 fork"]
    monkeypatch.setitem(SCENES, "tie", scene._replace(designs=("pte_chain", "anongroup")))
    with pytest.raises(ValueError, match="scene 'tie': pte_chain and anongroup both have 0"):
        made("tie")


def test_every_scene_of_these_notebooks_is_found_again() -> None:
    here = Path(__file__).read_text("utf-8")
    asked = [name for name in SCENES if "06" <= name[:2] <= "10"]
    assert [name for name in asked if f'truths("{name}")' not in here] == []
