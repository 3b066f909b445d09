"""Corner cases 19 to 48 under pte_chain: families, the zero page and files, areas, swap again."""

from __future__ import annotations

import pytest
from structure import found, is_direct
from watched import PAGE, A, B, C, kept, walked

from anonlab import BusError, FormatError, InvalidArgument, Kernel, PteChain, parse


@pytest.fixture(params=[1, 7])
def kernel(request: pytest.FixtureRequest) -> Kernel:
    """With nodes of one entry, as at first, and with blocks of seven."""
    return Kernel(PteChain(request.param))


# Families


def test_19_to_21_a_chain_has_whoever_maps_the_page_and_nobody_else(pair):
    """Rows 19, 20 and 21."""
    kernel, parent, child = pair
    grandchild = child.fork("grandchild")
    pfn = parent.page(A).pfn
    assert found(kernel, pfn) == [("child", A), ("grandchild", A), ("parent", A)]
    child.execve("other")
    assert found(kernel, pfn) == [("grandchild", A), ("parent", A)], "removed PTE by PTE"
    parent.exit()
    assert found(kernel, pfn) == [("grandchild", A)]
    assert grandchild.read(A) == 7


def test_22_the_last_mm_takes_every_entry_and_block_along(pair):
    """Row 22."""
    kernel, parent, child = pair
    parent.exit()
    child.exit()
    assert not kernel.design.pte.any()
    cost = kernel.design.cost
    assert (cost.allocs - cost.frees, cost.bytes32, cost.bytes64) == (0, 0, 0)


def test_23_a_page_that_only_the_swap_cache_holds_has_no_entry(swapped):
    """Row 23."""
    kernel, parent, child = swapped
    child.read(A)
    pfn = child.page(A).pfn
    child.exit()
    page = kernel.page(pfn)
    assert (page.count, page.mapcount, int(kernel.design.pte[pfn])) == (1, 0, 0)
    parent.exit()


@pytest.mark.parametrize("call", ["vfork", "clone_vm"])
def test_24_a_vfork_child_and_a_thread_add_nothing(pair, call):
    """Row 24."""
    kernel, _, child = pair
    before, cost = kernel.design.pte.copy(), kernel.design.cost
    spent = (cost.allocs, cost.locks)
    thread = getattr(child, call)("thread")
    assert (cost.allocs, cost.locks) == spent
    assert (kernel.design.pte == before).all()
    child.exit()
    assert thread.read(A) == 7


def test_25_forks_without_exec_cost_memory_for_every_sharer_of_every_page(kernel):
    """Row 25."""
    server = kernel.spawn("server")
    server.mmap(2 * PAGE, at=A)
    server.write(A, 7)
    nrpte = kernel.design.nrpte
    for n in range(1, 21):
        child = server.fork(f"c{n}")
        child.write(A + PAGE, n)
        assert walked(kernel, server.page(A).pfn)[:2] == (-(-(n + 1) // nrpte), n + 1)
        assert walked(kernel, child.page(A + PAGE).pfn)[:2] == (0, 1)
        assert kernel.design.cost.bytes32 == -(-(n + 1) // nrpte) * (nrpte + 1) * 4


# The zero page and files


def test_26_and_27_the_zero_page_has_no_entry_and_what_is_written_there_a_direct_one(kernel):
    """Rows 26 and 27."""
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.read(A)
    child = parent.fork("child")
    child.mremap(A, PAGE, new=B)
    assert not kernel.design.pte.any()
    assert kernel.design.cost.locks == 0
    child.write(B, 7)
    assert is_direct(kernel, child, B)
    assert found(kernel, child.page(B).pfn) == [("child", B)]


def test_28_shared_anonymous_memory_is_a_file_and_has_no_chain(kernel):
    """Row 28."""
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A, shared=True)
    parent.write(A, 7)
    child = parent.fork("child")
    child.read(A)
    child.mremap(A, PAGE, new=B)
    pfn = parent.page(A).pfn
    assert child.page(B).pfn == pfn
    assert not kernel.design.pte.any()
    assert walked(kernel, pfn) == (2, 2, [("child", B), ("parent", A)])


def test_29_to_31_a_private_page_of_a_file_gets_an_entry_when_it_is_written(kernel):
    """Rows 29, 30 and 31."""
    libc = kernel.file("libc", 4)
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=A, file=libc, offset=PAGE)
    parent.read_range(A, 2 * PAGE)
    assert not kernel.design.pte.any()
    parent.write(A, 7)
    own = parent.page(A)
    assert is_direct(kernel, parent, A)
    child = parent.fork("child")
    parent.mremap(A, 2 * PAGE, new=C)
    assert parent.page(C).pfn == child.page(A).pfn == own.pfn
    assert found(kernel, own.pfn) == [("child", A), ("parent", C)]
    assert parent.page(C + PAGE).mapping == "file libc"


def test_32_truncate_unmaps_private_copies_too(kernel):
    """Row 32."""
    libc = kernel.file("libc", 4)
    parent = kernel.spawn("parent")
    parent.mmap(4 * PAGE, at=A, file=libc)
    parent.write_range(A, [10, 11, 12, 13])
    child = parent.fork("child")
    kernel.truncate(libc, 2)
    assert (kernel.design.pte != 0).sum() == 2
    with pytest.raises(BusError):
        child.read(A + 2 * PAGE)


# Areas


def test_33_and_34_after_munmap_nobody_is_asked_in_vain(pair):
    """Rows 33 and 34."""
    kernel, parent, _ = pair
    old = parent.page(A).pfn
    parent.munmap(A, PAGE)
    assert found(kernel, old) == [("child", A)]
    parent.mmap(PAGE, at=A)
    parent.write(A, 70)
    assert found(kernel, old) == [("child", A)]
    assert found(kernel, parent.page(A).pfn) == [("parent", A)]


def test_35_and_36_areas_split_and_merge_without_notice(kernel):
    """Rows 35 and 36."""
    parent = kernel.spawn("parent")
    parent.mmap(5 * PAGE, at=A)
    parent.write_range(A, range(5))
    parent.fork("child")
    before = kernel.design.pte.copy()
    parent.mprotect(A + PAGE, PAGE, "r")
    parent.mprotect(A, 5 * PAGE, "rw")
    assert (kernel.design.pte == before).all()
    parent.mmap(PAGE, at=B)
    parent.write(B, 9)
    parent.mremap(B, PAGE, new=A + 5 * PAGE)
    assert [(vma.start_vpn, vma.npages) for vma in parent.mm.vmas] == [(A // PAGE, 6)]


def test_37_the_pages_of_a_new_stack_are_direct(kernel):
    """Row 37."""
    child = kernel.spawn("shell").fork("child")
    child.execve("ls", 2)
    for at in (0xFF000, 0xFE000):
        assert is_direct(kernel, child, at)
        assert found(kernel, child.page(at).pfn) == [("child", at)]


@pytest.mark.parametrize("locker", ["parent", "child"])
def test_38_a_hit_in_a_locked_mapping_needs_find_vma_and_ends_the_walk(pair, locker):
    """Row 38: the newest entry stands first."""
    kernel, parent, child = pair
    tasks = {"parent": parent, "child": child}
    for task in tasks.values():
        task.mprotect(A, PAGE, "r")  # mlock for reading does not break the sharing
    tasks[locker].mlock(A, PAGE)
    pfn, finds = parent.page(A).pfn, kernel.design.cost.vma_finds
    assert parent.swap_out(A) == 0
    assert kernel.design.cost.vma_finds - finds == 2
    first = "page" if locker == "child" else "swap"
    assert (kept(kernel, child, A), kept(kernel, parent, A)) == (first, "page")
    assert len(found(kernel, pfn)) == (2 if locker == "child" else 1)
    assert parent.read(A) == child.read(A) == 7


def test_39_reclaim_spares_a_recently_used_page_once_and_tidies_chains_on_the_way(kernel):
    """Rows 39 and 47."""
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=A)
    parent.write_range(A, [1, 2])
    child = parent.fork("child")
    parent.exit()
    child.read(A)
    assert not is_direct(kernel, child, A)
    assert kernel.reclaim(1) == 1
    assert (kept(kernel, child, A), kept(kernel, child, A + PAGE)) == ("page", "swap")
    assert is_direct(kernel, child, A)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("a mmap 0x30000 1 huge", "'huge': known are"),  # 40
        ("a madvise 0x30000 1 mergeable", "'mergeable': known are dontneed"),  # 41
        ("a remap_file_pages 0x30000 1", "unknown verb 'remap_file_pages'"),  # 42
        ("a uffdio_move 0x30000 1", "unknown verb 'uffdio_move'"),  # 44
    ],
)
def test_40_42_44_48_what_the_machine_has_not_is_refused_by_name(line, sentence):
    """Rows 40, 42 and 44; of row 48 there is nothing to refuse: no lock is ever held."""
    with pytest.raises(FormatError, match=sentence):
        parse(f"a = spawn\n{line}\n")


def test_41_one_page_at_any_addresses_of_any_processes_is_what_a_chain_is_for():
    """Row 41: the design could, the machine has no KSM."""
    assert PteChain.cannot == {}


def test_43_mremap_of_length_zero_is_refused_and_dontunmap_leaves_an_empty_map(pair):
    """Row 43."""
    kernel, parent, child = pair
    pfn = child.page(A).pfn
    with pytest.raises(InvalidArgument, match="is private"):
        child.mremap(A, 0, PAGE, new=B)
    child.mremap(A, PAGE, new=C, dontunmap=True)
    assert (kept(kernel, child, A), child.page(C).pfn) == ("nothing", pfn)
    assert found(kernel, pfn) == [("child", C), ("parent", A)]
    assert (parent.read(A), child.read(A), child.read(C)) == (7, 0, 7)


@pytest.mark.parametrize("child_exits", [False, True])
def test_45_and_46_a_swapped_page_is_counted_at_fork_and_entered_when_it_comes_back(
    kernel, child_exits
):
    """Rows 45 and 46."""
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 7)
    parent.swap_out(A)
    locks = kernel.design.cost.locks
    child = parent.fork("child")
    assert kernel.design.cost.locks == locks, "fork enters present PTEs only"
    assert child.read(A) == 7
    assert is_direct(kernel, child, A)
    if child_exits:
        child.exit()
    assert parent.read(A) == 7
    sharers = [("parent", A)] if child_exits else [("child", A), ("parent", A)]
    assert found(kernel, parent.page(A).pfn) == sharers
