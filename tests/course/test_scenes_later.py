"""The scenes of notebooks 06 to 12: what is right there, found again on machines driven by hand.

Frames come from each process's own view of its pages, places of walks from a scan of all tables.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from test_scenes import BY_HAND

from anonlab.course.asking.bank.scenes import SCENES
from anonlab.course.asking.scenes import made
from anonlab.kernel import Kernel
from anonlab.kernel.task import Task
from anonlab.proof.famous_bugs import RULES
from anonlab.rmap import AnonGroup

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


def test_a_group_goes_with_its_last_member() -> None:
    kernel = Kernel(frames=12)
    server = kernel.spawn("server")
    server.mmap(PAGE, at=0x30000)
    server.write(0x30000, 7)
    ann, bob = server.fork("ann"), server.fork("bob")
    group, said = bob.mm.rmap, []
    for leave in (server.exit, lambda: ann.execve("ls"), bob.exit):
        leave()
        left = len(group.mms)
        said.append(f"it stays, for {left}" if left else "it is freed")
    assert truths("11 count") == said


def test_only_what_is_mapped_privately_is_copied() -> None:
    kernel = Kernel(frames=8)
    notes = kernel.file("notes", 1)
    shell = kernel.spawn("shell")
    shell.mmap(PAGE, at=0x30000, file=notes, shared=True)
    shell.mmap(PAGE, at=0x50000, file=notes)
    shell.read(0x30000)
    shell.read(0x50000)
    child = shell.fork("child")
    was = frames(shell, 0x30000) + frames(child, 0x30000)
    child.write(0x30000, 9)
    new = frames(shell, 0x30000) + frames(child, 0x30000) != was
    free = kernel.mem_map.nfree
    child.write(0x50000, 5)
    assert truths("11 else") == ["child" if new else "nobody", free - kernel.mem_map.nfree]


def test_threads_share_one_member() -> None:
    kernel = Kernel(frames=8)
    app = kernel.spawn("app")
    app.mmap(2 * PAGE, at=0x30000)
    app.write_range(0x30000, [7, 8])
    one, _ = app.clone_vm("one"), app.clone_vm("two")
    free = kernel.mem_map.nfree
    one.write(0x30000, 9)
    assert truths("11 threads") == [free - kernel.mem_map.nfree, len(app.mm.rmap.mms)]


def leaked(rule: str) -> str:
    """What the child's pipe holds after the parent's write."""
    kernel = Kernel(AnonGroup(cow_rule=rule), frames=8, swap=0)
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=0x30000)
    parent.write(0x30000, 7)
    child = parent.fork("child")
    (held,) = child.pin_to_read(0x30000)
    child.munmap(0x30000, PAGE)
    parent.write(0x30000, 99)
    return str(kernel.mem_map.data[held])


def test_a_pipe_of_the_child_leaks_under_the_rule_of_2005_alone() -> None:
    assert truths("12 leak") == [leaked("mapcount_swapcount")] == ["99"]
    assert truths("12 leak mended") == [leaked("count_only")] == ["7"]


def where_it_is(rule: str) -> str:
    """Where the page is that a device fills, after it was protected and written again."""
    app = Kernel(AnonGroup(cow_rule=rule), frames=8, swap=0).spawn("app")
    app.mmap(PAGE, at=0x30000)
    app.write(0x30000, 7)
    app.pin(0x30000)
    app.mprotect(0x30000, PAGE, "r")
    app.mprotect(0x30000, PAGE, "rw")
    app.write(0x30000, 8)
    return f"frame {frames(app, 0x30000)[0]}"


def test_a_device_keeps_its_page_only_where_a_mark_decides() -> None:
    assert truths("12 lost") == [where_it_is("count_only")] == ["frame 2"]
    assert truths("12 lost mended") == [where_it_is("exclusive")] == ["frame 1"]


def second_try(retry: str) -> str:
    """Which frame the second try gets, after a thread threw the copy away."""
    kernel = Kernel(frames=8, swap=0)
    app = kernel.spawn("app")
    app.mmap(PAGE, at=0x30000, file=kernel.file("passwords", 1))
    app.read(0x30000)
    thread = app.clone_vm("thread")
    app.pin(0x30000)
    thread.madvise(0x30000, PAGE)
    return f"frame {getattr(app, retry)(0x30000)[0]}"


def test_a_second_try_that_reads_gets_the_page_of_the_file() -> None:
    assert truths("12 dirty cow") == [second_try("pin_to_read")] == ["frame 1"]
    assert truths("12 dirty cow mended") == [second_try("pin")] == ["frame 3"]


def home_and_users(rule: str) -> list[str]:
    """Whom the page names when the child has brought it back, and whom a walk finds at the end."""
    kernel = Kernel(RULES[rule](), frames=8, swap=4)
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=0x30000)
    parent.write(0x30000, 7)
    child = parent.fork("child")
    parent.swap_out(0x30000)
    child.read(0x30000)
    (pfn,) = frames(child, 0x30000)
    home = f"anon_vma {kernel.mem_map.mapping[pfn]}"
    parent.read(0x30000)
    child.exit()
    return [home, " ".join(f"the {who.name}" for who, _ in kernel.mappers(pfn)) or "nobody"]


def test_a_page_from_swap_is_lost_if_it_names_who_brought_it_back() -> None:
    assert truths("12 home") == home_and_users("March 2010") == ["anon_vma 2", "nobody"]
    assert truths("12 home mended") == home_and_users("April 2010")[:1] == ["anon_vma 1"]


def test_no_design_is_the_right_one_where_two_have_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = SCENES["09 fork"]
    monkeypatch.setitem(SCENES, "tie", scene._replace(designs=("pte_chain", "anongroup")))
    with pytest.raises(ValueError, match="scene 'tie': pte_chain and anongroup both have 0"):
        made("tie")


def test_every_scene_is_found_again_by_hand() -> None:
    here = Path(__file__).read_text("utf-8")
    assert [
        name for name in SCENES if name not in BY_HAND and f'truths("{name}")' not in here
    ] == []
