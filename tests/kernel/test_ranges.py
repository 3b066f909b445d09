"""A call over a range leaves what the same call page by page leaves, but for frame numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from watched import PAGE, A, B, C

from anonlab import GEOMETRIES, AnonGroupOptions, Kernel, Task, scan

N = 6


def untouched(p: Task) -> None:
    p.mmap(N * PAGE, at=A)


def written(p: Task) -> None:
    untouched(p)
    p.write_range(A, range(10, 10 + N))


def shared_with_a_child(p: Task) -> None:
    written(p)
    p.fork("child")


def half_on_swap(p: Task) -> None:
    shared_with_a_child(p)
    p.swap_out(A + PAGE, 3 * PAGE)


def half_in_the_swap_cache(p: Task) -> None:
    half_on_swap(p)
    p.kernel.processes["child"].read_range(A + 2 * PAGE, 2 * PAGE)


def moved_by_the_child(p: Task) -> None:
    half_on_swap(p)
    child = p.kernel.processes["child"]
    child.mremap(A, N * PAGE, new=B)
    child.read_range(B, N * PAGE)


def all_sorts(p: Task) -> None:
    """The zero page, nothing, own pages, shared pages, swap entries and a read-only VMA."""
    untouched(p)
    p.write_range(A + PAGE, [1, 2, 3])
    p.read(A)
    p.fork("child")
    p.write(A + 2 * PAGE, 5)
    p.swap_out(A + PAGE)


def of_a_file(p: Task) -> None:
    p.mmap(N * PAGE, at=A, file=p.kernel.file("f", N + 2), offset=2 * PAGE)
    p.write_range(A + PAGE, [1, 2])
    p.read(A + 4 * PAGE)
    p.fork("child")


def of_a_shared_file(p: Task) -> None:
    p.mmap(N * PAGE, at=A, file=p.kernel.file("f", N), shared=True)
    p.write_range(A + PAGE, [1, 2])
    p.fork("child")


def of_shared_memory(p: Task) -> None:
    p.mmap(N * PAGE, at=A, shared=True)
    p.write_range(A + PAGE, [1, 2, 3])
    p.fork("child")
    p.swap_out(A + 2 * PAGE)


STARTS = (
    *(untouched, written, shared_with_a_child, half_on_swap, half_in_the_swap_cache),
    *(moved_by_the_child, all_sorts, of_a_file, of_a_shared_file, of_shared_memory),
)
CALLS: dict[str, Callable[[Task, int, int], Any]] = {
    "read": lambda p, at, n: p.read_range(at, n * PAGE),
    "write": lambda p, at, n: p.write_range(at, [at // PAGE + i for i in range(n)]),
    "munmap": lambda p, at, n: p.munmap(at, n * PAGE),
    "mremap": lambda p, at, n: p.mremap(at, n * PAGE, new=at - A + C),
    "mprotect": lambda p, at, n: p.mprotect(at, n * PAGE, "r"),
    "madvise": lambda p, at, n: p.madvise(at, n * PAGE),
    "mlock": lambda p, at, n: p.mlock(at, n * PAGE),
    "pin": lambda p, at, n: p.pin(at, n * PAGE),
    "swap_out": lambda p, at, n: p.swap_out(at, n * PAGE),
}


def canonical(kernel: Kernel) -> dict[str, Any]:
    """The state of a machine, with frames and slots numbered in the order of the words that name
    them, and nothing of the numbers that the allocators chose."""
    found = scan(kernel)
    mem, swap = kernel.mem_map, kernel.swap
    pfns: dict[int, int] = {0: 0}
    slots: dict[int, int] = {}
    words = []
    for mm, vpn, word in zip(
        found.mms.tolist(), found.vpns.tolist(), found.words.tolist(), strict=True
    ):
        number, names = (word >> 12, pfns) if word & 1 else (word >> 8, slots)
        bits = word & 0xFFF if word & 1 else "swap"
        words.append((mm, vpn, bits, names.setdefault(number, len(names))))
    for file in kernel.files.values():
        for pfn in file.cache[file.cache != 0].tolist():
            pfns.setdefault(pfn, len(pfns))
        for slot in file.slots[file.slots != 0].tolist():
            slots.setdefault(slot, len(slots))
    for slot in slots:
        if swap.cache[slot]:
            pfns.setdefault(int(swap.cache[slot]), len(pfns))
    columns = (mem.count, mem.mapcount, mem.index, mem.mapping, mem.flags, mem.data)
    return {
        "words": words,
        "frames": {to: [int(column[pfn]) for column in columns] for pfn, to in pfns.items()},
        "free": mem.nfree,
        "slots": {
            to: (int(swap.map[slot]), pfns.get(int(swap.cache[slot])), int(swap.data[slot]))
            for slot, to in slots.items()
        },
        "free slots": swap.nfree,
        "tables": kernel.tables.nused,
        "mms": [(mm.vmas, mm.home, mm.processes) for mm in kernel.snapshot().mms],
        "files": {file.name: file.store.tolist() for file in kernel.files.values()},
        "pins": {key: [pfns[pfn] for pfn in some] for key, some in kernel.pins.items()},
    }


def machine(start: Callable[[Task], None], policy: str, geometry: str) -> Task:
    kernel = Kernel(AnonGroupOptions(policy), frames=80, swap=40, geometry=GEOMETRIES[geometry])
    task = kernel.spawn("p")
    start(task)
    return task


@pytest.mark.parametrize("start", STARTS, ids=lambda start: start.__name__)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("policy", "geometry"), [("count", "lesson"), ("mapcount", "x86_64")])
def test_a_range_is_one_page_at_a_time(start, call, policy, geometry):
    whole, single = machine(start, policy, geometry), machine(start, policy, geometry)
    assert canonical(whole.kernel) == canonical(single.kernel)
    CALLS[call](whole, A, N)
    for page in range(N):
        CALLS[call](single, A + page * PAGE, 1)
    one, other = canonical(whole.kernel), canonical(single.kernel)
    for name, value in one.items():
        assert other[name] == value, name
    copied = [task.kernel.design.cost for task in (whole, single)]
    for name in ("copies_cow", "copies_mremap", "copies_swapin_clash"):
        assert getattr(copied[0], name) == getattr(copied[1], name), name


@pytest.mark.parametrize("start", STARTS, ids=lambda start: start.__name__)
def test_a_read_of_a_range_returns_what_single_reads_return(start):
    whole, single = machine(start, "count", "lesson"), machine(start, "count", "lesson")
    tags = whole.read_range(A, N * PAGE)
    assert tags.dtype == "int64"
    assert tags.tolist() == [single.read(A + page * PAGE) for page in range(N)]
    assert tags.tolist() == whole.read_range(A, N * PAGE).tolist()


def test_what_a_read_returned_does_not_change_later():
    task = machine(written, "count", "lesson")
    tags = task.read_range(A, N * PAGE)
    task.write_range(A, [0] * N)
    assert tags.tolist() == list(range(10, 10 + N))
