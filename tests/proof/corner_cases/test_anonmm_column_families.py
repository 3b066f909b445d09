"""Corner cases 19 to 48 under anonmm: families, the zero page and files, areas, swap again."""

from __future__ import annotations

import pytest
from watched import PAGE, A, B, C, copies, kept, truth, walked

from anonlab import AnonMm, BusError, FormatError, InvalidArgument, Kernel, check, parse


@pytest.fixture
def kernel() -> Kernel:
    return Kernel("anonmm")


def ring(kernel: Kernel) -> dict[str, tuple[str, str]]:
    """The nodes as a snapshot draws them: what each is, and its count."""
    nodes = [node for node in kernel.snapshot().nodes if node.kind != "mm"]
    return {node.id: (node.kind, dict(node.facts)["count"]) for node in nodes}


# Families


def test_19_forks_of_forks_are_in_one_flat_ring_with_one_head(kernel):
    """Row 19."""
    g0 = kernel.spawn("g0")
    g1 = g0.fork("g1")
    g1.fork("g2").fork("g3")
    g0.fork("late")
    assert ring(kernel) == {
        "anonmm1": ("head", "6"),
        **{f"anonmm{n}": ("anonmm", "1") for n in range(2, 6)},
    }
    edges = [(e.tail, e.head) for e in kernel.snapshot().edges if e.kind == "ring"]
    assert edges == [(f"anonmm{n}", f"anonmm{n % 5 + 1}") for n in range(1, 6)]


@pytest.mark.parametrize("owns", [False, True])
def test_20_a_child_that_execs_leaves_a_zombie_only_if_a_grandchild_has_its_pages(pair, owns):
    """Row 20."""
    kernel, parent, child = pair
    if owns:
        child.write(A, 8)
    grandchild = child.fork("grandchild")
    child.execve("other")
    nodes = ring(kernel)
    assert nodes.get("anonmm2") == (("zombie", "1") if owns else None)
    assert nodes["anonmm4"][0] == "head"
    assert grandchild.read(A) == (8 if owns else 7)
    pfn = grandchild.page(A).pfn
    assert walked(kernel, pfn)[:2] == ((2, 1) if owns else (2, 2))
    assert parent.read(A) == 7


def test_21_a_parent_that_dies_first_stays_as_a_zombie_head_until_its_count_is_one(pair):
    """Row 21."""
    kernel, parent, child = pair
    other = parent.fork("other")
    parent.exit()
    assert ring(kernel)["anonmm1"] == ("zombie", str(1 + 2 + 1))
    assert walked(kernel, child.page(A).pfn) == (3, 2, [("child", A), ("other", A)])
    child.exit()
    other.write(A, 8)
    assert ring(kernel)["anonmm1"] == ("zombie", str(1 + 1 + 1))
    other.munmap(A, PAGE)
    assert ring(kernel) == {"anonmm1": ("zombie", "2"), "anonmm3": ("anonmm", "1")}
    other.exit()
    assert ring(kernel) == {}


def test_22_with_the_last_mm_its_pages_go_first_and_then_ring_and_head(pair):
    """Row 22."""
    kernel, parent, child = pair
    seen: list[tuple[str, int, int]] = []

    class Watcher:
        def step(self, label, process, vpns, n, what):
            used = int((kernel.mem_map.count > 0).sum()) - 1
            seen.append((label, used, len(kernel.design.nodes)))

    parent.exit()
    kernel.recorder = Watcher()
    child.exit()
    assert seen == [("exit.unmap", 0, 2), ("exit.drop_mm", 0, 0), ("exit", 0, 0)]


def test_23_a_page_that_only_the_swap_cache_holds_has_no_home(swapped):
    """Row 23."""
    kernel, parent, child = swapped
    child.read(A)
    pfn = child.page(A).pfn
    assert kernel.page(pfn).mapping == "anonmm 2"
    child.exit()
    page = kernel.page(pfn)
    assert (page.count, page.mapcount, page.mapping, page.index) == (1, 0, "", 0)
    assert "anonmm2" not in ring(kernel), "nothing holds the node of the dead"
    parent.exit()
    assert kernel.mem_map.count[pfn] == 0
    assert not kernel.design.mapping_names()


@pytest.mark.parametrize("call", ["vfork", "clone_vm"])
def test_24_a_vfork_child_and_a_thread_have_no_node(pair, call):
    """Row 24."""
    kernel, _, child = pair
    before, allocs = ring(kernel), kernel.design.cost.allocs
    thread = getattr(child, call)("thread")
    assert ring(kernel) == before
    assert kernel.design.cost.allocs == allocs
    child.exit()
    assert ring(kernel) == before, "the mm lives on"
    thread.execve("other")
    assert ring(kernel) == {"anonmm1": ("head", "3"), "anonmm3": ("head", "4")}


def test_25_forks_without_exec_make_inherited_pages_cost_more_but_own_pages_one(kernel):
    """Row 25."""
    server = kernel.spawn("server")
    server.mmap(2 * PAGE, at=A)
    server.write(A, 7)
    for n in range(1, 21):
        child = server.fork(f"c{n}")
        assert walked(kernel, server.page(A).pfn)[:2] == (n + 1, n + 1)
        child.write(A + PAGE, n)
        assert walked(kernel, child.page(A + PAGE).pfn)[:2] == (1, 1)


# The zero page and files


def test_26_a_read_of_untouched_memory_shows_the_zero_page_which_has_no_home(kernel):
    """Row 26."""
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    assert parent.read(A) == 0
    zero = parent.page(A)
    assert (zero.pfn, zero.index, zero.mapping, zero.mapcount) == (0, 0, "", 0)
    child = parent.fork("child")
    child.mremap(A, PAGE, new=B)
    assert child.page(B) == zero
    assert copies(kernel)["mremap"] == 0
    assert ring(kernel) == {"anonmm1": ("head", "3"), "anonmm2": ("anonmm", "1")}


def test_27_then_a_write_makes_a_page_whose_home_is_the_writer(kernel):
    """Row 27."""
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.read(A)
    child = parent.fork("child")
    child.write(A, 7)
    assert (child.page(A).index, child.page(A).mapping) == (A, "anonmm 2")


def test_28_shared_anonymous_memory_is_a_file_and_moves_for_free(kernel):
    """Row 28."""
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A, shared=True)
    parent.write(A, 7)
    child = parent.fork("child")
    assert child.read(A) == 7
    child.mremap(A, PAGE, new=B)
    page = parent.page(A)
    assert (page.mapping, page.index, page.mapcount) == ("file shmem1", 0, 2)
    assert copies(kernel) == {"cow": 0, "mremap": 0, "clash": 0}
    assert walked(kernel, page.pfn) == (2, 2, [("child", B), ("parent", A)])


@pytest.mark.parametrize("shared", [False, True])
def test_29_to_31_a_private_page_of_a_file_is_the_files_until_it_is_written_then_like_any_other(
    kernel, shared
):
    """Rows 29, 30 and 31."""
    libc = kernel.file("libc", 4)
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=A, file=libc, offset=PAGE)
    parent.read_range(A, 2 * PAGE)
    assert (parent.page(A).mapping, parent.page(A).index) == ("file libc", 1)
    parent.write(A, 7)
    own, cached = parent.page(A), parent.page(A + PAGE)
    assert (own.index, own.mapping) == (A, "anonmm head 1"), "its address, not its offset"
    if shared:
        parent.fork("child")
    parent.mremap(A, 2 * PAGE, new=C)
    assert (parent.page(C).pfn == own.pfn) is not shared
    assert parent.page(C).index == C
    assert copies(kernel)["mremap"] == shared
    assert (parent.page(C + PAGE).pfn, parent.page(C + PAGE).index) == (cached.pfn, 2)


def test_32_truncate_unmaps_private_copies_too_and_they_leave_their_home(kernel):
    """Row 32."""
    libc = kernel.file("libc", 4)
    parent = kernel.spawn("parent")
    parent.mmap(4 * PAGE, at=A, file=libc)
    parent.write_range(A, [10, 11, 12, 13])
    child = parent.fork("child")
    assert ring(kernel)["anonmm1"] == ("head", str(2 + 1 + 4))
    kernel.truncate(libc, 2)
    assert ring(kernel)["anonmm1"] == ("head", str(2 + 1 + 2))
    with pytest.raises(BusError):
        child.read(A + 2 * PAGE)


# Areas


def test_33_after_munmap_the_mm_is_still_asked_and_has_nothing_there(kernel):
    """Row 33."""
    parent = kernel.spawn("parent")
    parent.mmap(3 * PAGE, at=A)
    parent.write_range(A, range(3))
    child = parent.fork("child")
    pfn = child.page(A + PAGE).pfn
    parent.munmap(A + PAGE, PAGE)
    assert walked(kernel, pfn) == (2, 2, [("child", A + PAGE)]), "home fails, the ring finds it"


def test_34_a_new_page_at_the_same_address_is_probed_and_has_another_pfn(pair):
    """Row 34."""
    kernel, parent, _ = pair
    old = parent.page(A).pfn
    parent.munmap(A, PAGE)
    parent.mmap(PAGE, at=A)
    parent.write(A, 70)
    assert walked(kernel, old) == (2, 2, [("child", A)])
    assert walked(kernel, parent.page(A).pfn) == (1, 1, [("parent", A)])


def test_35_mprotect_into_pieces_and_back_has_no_effect(kernel):
    """Row 35."""
    parent = kernel.spawn("parent")
    parent.mmap(5 * PAGE, at=A)
    parent.write_range(A, range(5))
    parent.fork("child")
    before = kernel.snapshot()
    parent.mprotect(A + PAGE, PAGE, "r")
    parent.mprotect(A, 5 * PAGE, "rw")
    after = kernel.snapshot()
    assert (after.mms, after.nodes, after.edges) == (before.mms, before.nodes, before.edges)
    assert (after.mapping == before.mapping).all()


def test_36_two_written_areas_that_mremap_makes_neighbours_become_one(kernel):
    """Row 36."""
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=A)
    parent.mmap(2 * PAGE, at=B)
    parent.write_range(A, [1, 2])
    parent.write_range(B, [3, 4])
    parent.mremap(B, 2 * PAGE, new=A + 2 * PAGE)
    assert [(vma.start_vpn, vma.npages) for vma in parent.mm.vmas] == [(A // PAGE, 4)]
    assert parent.read_range(A, 4 * PAGE).tolist() == [1, 2, 3, 4]


def test_37_the_stack_of_a_new_program_is_put_at_its_final_address_with_the_new_node(kernel):
    """Row 37."""
    child = kernel.spawn("shell").fork("child")
    child.execve("ls", 2)
    for at in (0xFF000, 0xFE000):
        assert (child.page(at).index, child.page(at).mapping) == (at, "anonmm head 3")
        assert walked(kernel, child.page(at).pfn) == (1, 1, [("child", at)])


@pytest.mark.parametrize("locker", ["parent", "child"])
def test_38_a_hit_in_a_locked_mapping_needs_find_vma_and_ends_the_walk(pair, locker):
    """Row 38."""
    kernel, parent, child = pair
    tasks = {"parent": parent, "child": child}
    for task in tasks.values():
        task.mprotect(A, PAGE, "r")  # mlock for reading does not break the sharing
    tasks[locker].mlock(A, PAGE)
    finds = kernel.design.cost.vma_finds
    assert parent.swap_out(A) == 0
    assert kernel.design.cost.vma_finds - finds == 2
    first = "page" if locker == "parent" else "swap"
    assert (kept(kernel, parent, A), kept(kernel, child, A)) == (first, "page")
    assert parent.read(A) == child.read(A) == 7


def test_39_reclaim_spares_a_recently_used_page_once(kernel):
    """Row 39: where the kernel's unmapping fails, this machine asks page_referenced before it."""
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=A)
    parent.write_range(A, [1, 2])
    child = parent.fork("child")
    parent.exit()
    child.read(A)
    assert kernel.reclaim(1) == 1
    assert (kept(kernel, child, A), kept(kernel, child, A + PAGE)) == ("page", "swap")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("a mmap 0x30000 1 huge", "'huge': known are"),  # 40
        ("a remap_file_pages 0x30000 1", "unknown verb 'remap_file_pages'"),  # 42
        ("a uffdio_move 0x30000 1", "unknown verb 'uffdio_move'"),  # 44
        ("a madvise 0x30000 1 mergeable", "'mergeable': known are dontneed"),  # 41
    ],
)
def test_40_42_44_48_what_the_machine_has_not_is_refused_by_name(line, sentence):
    """Rows 40, 42 and 44; of row 48 there is nothing to refuse: no lock is ever held."""
    with pytest.raises(FormatError, match=sentence):
        parse(f"a = spawn\n{line}\n")


def test_41_one_page_at_addresses_of_unrelated_rings_cannot_be_represented():
    """Row 41."""
    assert "KSM" in AnonMm.cannot
    assert "one index and one home" in AnonMm.cannot["KSM"]


def test_43_mremap_of_length_zero_is_refused_and_dontunmap_leaves_an_empty_map(pair):
    """Row 43: a page is never at two addresses of one mm."""
    kernel, _, child = pair
    child.write(A, 8)
    pfn = child.page(A).pfn
    with pytest.raises(InvalidArgument, match="is private"):
        child.mremap(A, 0, PAGE, new=B)
    child.mremap(A, PAGE, new=C, dontunmap=True)
    assert (kept(kernel, child, A), child.page(C).pfn) == ("nothing", pfn)
    assert (child.page(C).index, truth(kernel, pfn)) == (C, [("child", C)])
    assert (child.read(A), child.read(C)) == (0, 8)


def test_45_after_a_fork_of_a_swapped_page_the_first_to_touch_it_is_its_home(kernel):
    """Row 45: it may be the child, and the walk must go on from there past the head."""
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    parent.swap_out(A)
    child = parent.fork("child")
    assert (kept(kernel, parent, A), kept(kernel, child, A)) == ("swap", "swap")
    assert child.read(A) == parent.read(A) == 7
    page = parent.page(A)
    assert (page.mapping, page.mapcount) == ("anonmm 2", 2)
    assert walked(kernel, page.pfn) == (2, 2, [("child", A), ("parent", A)])


def test_46_the_node_of_a_child_that_exits_is_kept_by_the_page_it_brought_back(kernel):
    """Row 46."""
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    parent.swap_out(A)
    child = parent.fork("child")
    child.read(A)
    parent.read(A)
    child.exit()
    assert ring(kernel) == {"anonmm1": ("head", "3"), "anonmm2": ("zombie", "1")}
    assert walked(kernel, parent.page(A).pfn) == (2, 1, [("parent", A)])
    parent.write(A, 8)
    assert parent.read(A) == 8


def test_46_a_parent_that_swaps_in_after_the_child_has_gone_is_its_own_home(kernel):
    """Row 46."""
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    parent.swap_out(A)
    child = parent.fork("child")
    child.read(A)
    child.exit()
    assert parent.read(A) == 7
    assert parent.page(A).mapping == "anonmm head 1"
    assert ring(kernel) == {"anonmm1": ("head", "3")}


@pytest.mark.parametrize("mappers", [1, 2])
def test_47_page_referenced_gives_the_page_of_a_zombie_a_living_home(pair, mappers):
    """Row 47."""
    kernel, parent, child = pair
    if mappers == 2:
        parent.fork("other")
    parent.exit()
    kernel.page_referenced(child.page(A).pfn)
    check(kernel)
    assert child.page(A).mapping == "anonmm 2"
    assert ring(kernel)["anonmm1"][1] == str(1 + mappers), "no page is left there"
