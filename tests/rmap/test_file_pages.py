"""Pages of files are found through the VMAs of the file, whatever the design does elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from watched import PAGE, STEADY, truth, walked

from anonlab import X86_32, Kernel, Rmap, check
from anonlab.rmap import DESIGNS, AnonGroup, file_pages

N = 6
places = st.lists(
    st.tuples(
        st.integers(0, 2),  # who
        st.integers(0, 24),  # page number above 0x20
        st.integers(1, N),  # pages
        st.integers(0, N - 1),  # offset
        st.booleans(),  # shared
    ),
    min_size=1,
    max_size=9,
)


@given(places, st.data())
@settings(STEADY, max_examples=60)
def test_every_mapper_of_every_file_page_is_found_wherever_it_maps_it(mappings, data):
    """Several processes, several times in one, at any offset, partly written and partly gone."""
    kernel = Kernel(frames=200)
    file = kernel.file("f", N)
    tasks = [kernel.spawn(f"p{n}") for n in range(3)]
    for who, vpn, npages, pgoff, shared in mappings:
        at, npages = (0x20 + vpn) * PAGE, min(npages, N - pgoff)
        tasks[who].mmap(npages * PAGE, at, "rw", shared, file, pgoff * PAGE, fixed=True)
        tasks[who].read_range(at, npages * PAGE)
        if data.draw(st.booleans()):
            tasks[who].write(at, 5)
        if data.draw(st.booleans()):
            tasks[who].munmap(at + (npages - 1) * PAGE, PAGE)
    check(kernel)
    visited = 0
    for pgoff in range(N):
        pfn = int(file.cache[pgoff])
        mms, vpns, _ = file_pages.candidates(file, pgoff)
        assert len(set(zip(mms.tolist(), vpns.tolist(), strict=True))) == mms.size
        if pfn:
            nodes, probes, mappers = walked(kernel, pfn)
            assert mappers == sorted(truth(kernel, pfn))
            assert len(mappers) == kernel.mem_map.mapcount[pfn]
            assert len(mappers) <= nodes == probes <= mms.size
            visited += nodes
    assert visited <= sum(vma.npages for vma in file.vmas)


def test_a_vma_that_does_not_reach_the_offset_is_not_probed():
    kernel = Kernel()
    file = kernel.file("f", 4)
    one, two = kernel.spawn("one"), kernel.spawn("two")
    one.mmap(2 * PAGE, at=0x30000, file=file)
    two.mmap(2 * PAGE, at=0x30000, file=file, offset=2 * PAGE)
    one.read_range(0x30000, 2 * PAGE)
    two.read_range(0x30000, 2 * PAGE)
    for pgoff, name in enumerate(["one", "one", "two", "two"]):
        nodes, probes, mappers = walked(kernel, int(file.cache[pgoff]))
        assert (nodes, probes) == (1, 1)
        assert mappers == [(name, 0x30000 + pgoff % 2 * PAGE)]


def test_a_split_vma_is_found_in_both_halves_and_a_moved_one_at_its_new_place():
    kernel = Kernel()
    file = kernel.file("f", 4)
    task = kernel.spawn("p")
    task.mmap(4 * PAGE, at=0x30000, file=file)
    task.read_range(0x30000, 4 * PAGE)
    task.mprotect(0x31000, PAGE, "r")
    task.mremap(0x32000, 2 * PAGE, new=0x80000)
    assert len(file.vmas) == 3
    at = [truth(kernel, int(file.cache[pgoff])) for pgoff in range(4)]
    assert at == [[("p", addr)] for addr in (0x30000, 0x31000, 0x80000, 0x81000)]
    for pgoff in range(4):
        assert walked(kernel, int(file.cache[pgoff]))[2] == at[pgoff]


def test_the_base_class_knows_nothing_and_says_so():
    class Forgetful(Rmap):
        name = "forgetful"

    with pytest.raises(NotImplementedError, match="Forgetful does not say where pages are mapped"):
        Forgetful().candidates(1)
    kernel = Kernel(Forgetful())
    task = kernel.spawn("p")
    task.mmap(PAGE, at=0x30000)
    task.write(0x30000, 1)
    assert task.read(0x30000) == 1, "memory works without a reverse map, until somebody asks"
    with pytest.raises(NotImplementedError, match="does not say where pages are mapped"):
        kernel.mappers(task.page(0x30000).pfn)
    assert kernel.snapshot().nodes == ()


@pytest.mark.parametrize(
    ("file_index", "early_stop", "nodes"),
    [("list", False, 10_000), ("tree", False, 100), ("list", True, 9901), ("tree", True, 100)],
)
def test_a_list_of_vmas_is_quadratic_where_a_tree_is_not(file_index, early_stop, nodes):
    """rmap-test, April 2003: 100 tasks that each hold 100 mappings of one file, on different parts;
    objrmap's list made it thirteen times as slow, the prio_tree cured it (2004)."""
    kernel = Kernel(
        AnonGroup(early_stop=early_stop), frames=400, geometry=X86_32, file_index=file_index
    )
    file = kernel.file("f", 200)
    for name in range(100):
        task = kernel.spawn(f"p{name}")
        for part in range(100):
            task.mmap(PAGE, at=(0x100 + 2 * part) * PAGE, file=file, offset=2 * part * PAGE)
        task.read(0x100 * PAGE)
    before = dict(kernel.design.cost.items())
    assert len(kernel.mappers(int(file.cache[0]))) == 100
    after = dict(kernel.design.cost.items())
    assert after["nodes"] - before["nodes"] == nodes
    assert after["probes"] - before["probes"] == 100


def test_a_file_keeps_its_vmas_in_one_of_two_ways():
    with pytest.raises(ValueError, match="file_index is one of list, tree; got 'hash'"):
        Kernel(file_index="hash")


def test_designs_are_found_by_their_own_names():
    assert DESIGNS["anongroup"] is AnonGroup
    assert all(design.name == name for name, design in DESIGNS.items())
    assert isinstance(Kernel("anongroup").design, AnonGroup)


def test_the_graph_shows_each_group_with_its_mms_in_list_order():
    kernel = Kernel()
    shell = kernel.spawn("shell")
    first, second = shell.fork("first"), shell.fork("second")
    first.execve("ls")
    nodes, edges = kernel.design.graph()
    assert [node.id for node in nodes if node.kind == "group"] == ["group1", "group2"]
    assert [(edge.tail, edge.head) for edge in edges] == [
        ("group1", f"mm{shell.mm.number}"),
        ("group1", f"mm{second.mm.number}"),
        ("group2", f"mm{first.mm.number}"),
    ]
    assert {node.id for node in nodes} >= {end for edge in edges for end in (edge.tail, edge.head)}
    homes = {mm.processes: mm.home for mm in kernel.snapshot().mms}
    assert homes == {("shell",): "group1", ("second",): "group1", ("first",): "group2"}
