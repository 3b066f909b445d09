"""Corner cases 6, 16, 19 to 22, 24 and 25: who is in the group, and for how long."""

from __future__ import annotations

import pytest
from watched import PAGE, A, copies, truth, walked

from anonlab import Kernel


def groups(kernel: Kernel) -> dict[str, list[str]]:
    """The lists of mms as a snapshot draws them: by group, in list order, by process."""
    shot = kernel.snapshot()
    names = {f"mm{mm.mm}": "+".join(mm.processes) for mm in shot.mms}
    lists: dict[str, list[str]] = {node.id: [] for node in shot.nodes if node.kind == "group"}
    for edge in shot.edges:
        lists[edge.tail].append(names[edge.head])
    return lists


@pytest.mark.parametrize("leave", ["exit", "execve"])
@pytest.mark.parametrize("who", ["parent", "child"])
def test_06_a_write_after_the_sharer_has_left_reuses_the_page(either, leave, who):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    child = parent.fork("child")
    stays, goes = (parent, child) if who == "parent" else (child, parent)
    page = stays.page(A)
    goes.exit() if leave == "exit" else goes.execve("other")
    stays.write(A, 8)
    now = stays.page(A)
    assert (now.pfn, now.mapping, now.index) == (page.pfn, page.mapping, A // PAGE)
    assert (now.data, now.count) == (8, 1)
    assert copies(either)["cow"] == 0


def test_16_a_parent_that_writes_a_pinned_page_after_fork_loses_the_page_its_device_uses(either):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    (dma,) = parent.pin(A)
    child = parent.fork("child")
    parent.write(A, 8)
    assert parent.page(A).pfn != dma
    assert child.page(A).pfn == dma, "the historic bug: the child has the device's page"
    either.mem_map.data[dma] = 99  # the device writes
    assert (parent.read(A), child.read(A)) == (8, 99)


@pytest.mark.parametrize("child_is_there", [True, False])
def test_16_even_alone_a_pin_makes_a_write_protected_page_copy(either, child_is_there):
    """Count 2 is not alone for the rule of 2004, whoever holds the second reference."""
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    child = parent.fork("child")
    if not child_is_there:
        child.exit()
    (dma,) = parent.pin(A)  # a pin for writing breaks the sharing first
    assert parent.page(A).mapcount == 1
    parent.mprotect(A, PAGE, "r")
    parent.mprotect(A, PAGE, "rw")
    parent.write(A, 8)
    assert parent.page(A).pfn != dma


def test_19_a_fork_of_a_fork_of_a_fork_is_in_one_flat_list(either):
    g0 = either.spawn("g0")
    g0.mmap(PAGE, at=A)
    g0.write(A, 7)
    g1 = g0.fork("g1")
    g2 = g1.fork("g2")
    g3 = g2.fork("g3")
    g0.fork("late")
    assert groups(either) == {"group1": ["g0", "g1", "g2", "g3", "late"]}
    pfn = g3.page(A).pfn
    assert walked(either, pfn)[:2] == (5, 5)
    assert walked(either, pfn)[2] == sorted(truth(either, pfn))
    assert len(truth(either, pfn)) == 5


def test_20_a_child_that_execs_leaves_the_list_and_starts_a_group(either):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    child = parent.fork("child")
    grandchild = child.fork("grandchild")
    child.execve("other")
    assert groups(either) == {"group1": ["parent", "grandchild"], "group2": ["child"]}
    pfn = parent.page(A).pfn
    assert truth(either, pfn) == [("parent", A), ("grandchild", A)]
    assert walked(either, pfn)[:2] == (2, 2), "the program of before is not asked any more"
    assert grandchild.read(A) == 7
    assert child.page(A) is None


def test_21_the_group_survives_the_parent_that_founded_it(either):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    child, other = parent.fork("child"), parent.fork("other")
    page = child.page(A)
    parent.exit()
    assert groups(either) == {"group1": ["child", "other"]}
    assert child.page(A).mapping == page.mapping == "group 1"
    assert walked(either, page.pfn) == (2, 2, [("child", A), ("other", A)])
    assert (child.read(A), other.read(A)) == (7, 7)


def test_22_with_the_last_mm_its_pages_go_first_and_then_the_group(either):
    class Watcher:
        """Notes at each step how many frames and how many groups there are."""

        seen: list[tuple[str, int, int]] = []  # noqa: RUF012  one use, one list

        def step(self, label, process, vpns, n, what):
            used = int((either.mem_map.count > 0).sum()) - 1
            self.seen.append((label, used, len(either.design.groups)))

    parent = either.spawn("parent")
    parent.mmap(3 * PAGE, at=A)
    parent.write_range(A, [1, 2, 3])
    child = parent.fork("child")
    parent.exit()
    assert groups(either) == {"group1": ["child"]}
    either.recorder = Watcher()
    child.exit()
    assert either.recorder.seen == [
        ("exit.unmap", 0, 1),
        ("exit.drop_mm", 0, 0),
        ("exit", 0, 0),
    ]
    assert either.design.cost.allocs == either.design.cost.frees == 1
    assert either.tables.nused == 0


@pytest.mark.parametrize("call", ["vfork", "clone_vm"])
def test_24_a_vfork_child_and_a_thread_are_no_new_members(either, call):
    parent = either.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    links = either.design.cost.links
    child = getattr(parent, call)("child")
    assert child.mm is parent.mm
    assert groups(either) == {"group1": ["parent+child"]}
    assert either.design.cost.links == links
    pfn = parent.page(A).pfn
    assert parent.page(A).mapcount == 1, "one address space, one word"
    child.write(A, 8)
    assert parent.read(A) == 8
    assert parent.page(A).pfn == pfn
    child.execve("other")
    assert groups(either) == {"group1": ["parent"], "group2": ["child"]}
    assert parent.read(A) == 8


def test_25_forks_without_exec_make_every_inherited_page_and_every_own_page_cost_more(either):
    server = either.spawn("server")
    server.mmap(2 * PAGE, at=A)
    server.write(A, 7)
    for n in range(1, 21):
        child = server.fork(f"c{n}")
        inherited = server.page(A).pfn
        assert walked(either, inherited)[:2] == (n + 1, n + 1)
        child.write(A + PAGE, n)
        assert walked(either, child.page(A + PAGE).pfn)[:2] == (n + 1, n + 1)
