"""Machines broken by hand: one function for each sentence that check can say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from watched import PAGE, A, B, C

from anonlab import LESSON, Kernel, check
from anonlab.machine.words import PG_ANON, PG_EXCLUSIVE, PG_SWAPCACHE, SWP_EXCLUSIVE
from anonlab.mm import Mm, Vma
from anonlab.rmap import anongroup

D = 0xA0000
SWAPPED, CACHED, GONE = A + 3 * PAGE, A + 4 * PAGE, A + 5 * PAGE


def machine() -> Kernel:
    """Parent and child share: at A three pages, one on swap, one that only the child has back from
    swap, one that nobody has back but that is cached; at B a file, read and written; at C shared
    memory; at D the zero page. One page of the file is cached and mapped by nobody."""
    kernel = Kernel()
    parent = kernel.spawn("parent")
    libc = kernel.file("libc", 3)
    parent.mmap(6 * PAGE, at=A)
    parent.write_range(A, range(6))
    parent.mmap(3 * PAGE, at=B, file=libc)
    parent.read_range(B, 3 * PAGE)
    parent.write(B + PAGE, 9)
    parent.mmap(2 * PAGE, at=C, shared=True)
    parent.write_range(C, [1, 2])
    parent.mmap(PAGE, at=D)
    parent.read(D)
    child = parent.fork("child")
    other = child.fork("other")
    for task in (parent, child, other):
        task.munmap(B + 2 * PAGE, PAGE)
    parent.swap_out(SWAPPED, 3 * PAGE)
    child.read(CACHED)
    other.read(GONE)
    other.exit()
    kernel.spawn("gone").exit()
    check(kernel)
    return kernel


Break = Callable[[Kernel], Any]
CASES: list[tuple[Break, str]] = []
COUNTED: dict[Break, str] = {}
"""Whose version an operation that does this harm would count."""


def breaks(sentence: str, counts: str = "") -> Callable[[Break], Break]:
    """The function below makes `check` say `sentence`, a regular expression.

    counts  'mm', 'file', 'kernel' or 'design' if it changes what has a version, as an operation
            would that counts it
    """

    def remember(function: Break) -> Break:
        CASES.append((function, sentence))
        COUNTED[function] = counts
        return function

    return remember


def parent_of(kernel: Kernel) -> Mm:
    return kernel.processes["parent"].mm


def pfn_at(kernel: Kernel, addr: int, who: str = "parent") -> int:
    return kernel.processes[who].page(addr).pfn


def word_at(kernel: Kernel, addr: int, who: str = "parent") -> tuple[int, int]:
    rows, slots = kernel.tables.leaf(kernel.processes[who].mm.pgd, addr // PAGE)
    return int(rows), int(slots)


def vma_at(kernel: Kernel, addr: int) -> Vma:
    return parent_of(kernel).find_vma(addr // PAGE)


@breaks("row 0 of the page tables is not empty")
def _(kernel):
    kernel.tables.words[0, 3] = 1


@breaks(r"page table \d+ is reached 2 times")
def _(kernel):
    top = kernel.tables.words[parent_of(kernel).pgd]
    top[0xE] = top[A >> 16]


@breaks("a free page table is not empty")
def _(kernel):
    kernel.tables.words[kernel.tables.free_rows[0], 1] = 1


@breaks(r"page table \d+: in use True, reached 0 times")
def _(kernel):
    kernel.tables.alloc(1)


@breaks(r"page table \d+: in use False, reached 1 times")
def _(kernel):
    free = int(kernel.tables.free_rows[0])
    kernel.tables.words[parent_of(kernel).pgd, 0xE] = free << 12 | 7


@breaks("a word names pfn 9999, out of range")
def _(kernel):
    kernel.tables.words[word_at(kernel, A)] = 9999 << 12 | 1


@breaks(r"pfn \d+: 2 PTEs map it, mapcount is 3")
def _(kernel):
    kernel.mem_map.mapcount[pfn_at(kernel, A)] += 1


@breaks(r"pfn \d+: 1 PTEs map it, mapcount is 2")
def _(kernel):
    kernel.tables.words[word_at(kernel, A)] = 0


@breaks(r"pfn 0: 0 PTEs map it, mapcount is 1")
def _(kernel):
    kernel.mem_map.mapcount[0] = 1


@breaks(r"pfn \d+: 2 references are known, count is 3")
def _(kernel):
    kernel.mem_map.count[pfn_at(kernel, A)] += 1


@breaks(r"pfn \d+: 3 references are known, count is 2")
def _(kernel):
    kernel.pins[parent_of(kernel).number, A // PAGE] = [pfn_at(kernel, A)]


@breaks(r"pages of mm \[77\], which is gone, are still pinned")
def _(kernel):
    kernel.pins[77, A // PAGE] = [0]


@breaks(r"pfn \d+: count 0, 0 times on the free list")
def _(kernel):
    kernel.mem_map.free.size -= 1


@breaks(r"pfn \d+: count 0, 2 times on the free list")
def _(kernel):
    free = kernel.mem_map.free._stack
    free[0] = free[kernel.mem_map.nfree - 1]


for column in ("mapping", "index", "flags", "private"):

    @breaks(rf"pfn \d+ is free but keeps its {column}")
    def _(kernel, column=column):
        getattr(kernel.mem_map, column)[kernel.mem_map.free_pfns[0]] = 8


@breaks(r"pfn \d+ is free but was written after that")
def _(kernel):
    kernel.mem_map.data[kernel.mem_map.free_pfns[0]] = 0


@breaks("the zero page is not zero")
def _(kernel):
    kernel.mem_map.data[0] = 1


@breaks("a word names a slot out of range")
def _(kernel):
    kernel.tables.words[word_at(kernel, SWAPPED)] = 999 << 8


@breaks(r"swap slot \d+: 2 users, swap_map is 3")
def _(kernel):
    kernel.swap.map[1] += 1


@breaks(r"swap slot \d+: 1 users, swap_map is 2")
def _(kernel):
    kernel.tables.words[word_at(kernel, SWAPPED)] = 0


@breaks(r"swap slot \d+: swap_map 0, 0 times free")
def _(kernel):
    kernel.swap._free.size -= 1


@breaks("swap cache and PG_SWAPCACHE differ")
def _(kernel):
    mem, cached, other = kernel.mem_map, pfn_at(kernel, CACHED, "child"), pfn_at(kernel, A)
    mem.flags[cached] &= ~PG_SWAPCACHE
    mem.flags[other] |= PG_SWAPCACHE
    mem.count[cached] -= 1
    mem.count[other] += 1


@breaks("a cached page names another slot")
def _(kernel):
    kernel.mem_map.private[pfn_at(kernel, CACHED, "child")] += 1


@breaks(r"mm 1: <Vma 0x30000-0x30000 rw-p> is out of order", "mm")
def _(kernel):
    vma_at(kernel, A).end_vpn = A // PAGE


@breaks(r"mm 1: <Vma 0x50000-0x52000 rw-p libc\+0> is out of order", "mm")
def _(kernel):
    vma_at(kernel, A).end_vpn = B // PAGE + 1


@breaks(r"<Vma 0x30000-0x36000 rw-p> is on the list of mm 1, but of another", "mm")
def _(kernel):
    vma_at(kernel, A).mm = kernel.processes["child"].mm


@breaks(r"<Vma 0x50000-0x52000 rw-p libc\+0> is not on its file's list", "mm")
def _(kernel):
    del kernel.files["libc"].vmas[vma_at(kernel, B)]


@breaks("mm 1 leaves user space", "mm")
def _(kernel):
    vma_at(kernel, D).end_vpn = LESSON.task_npages + 1


@breaks(r"<Vma 0x00000-0x01000 r--p libc\+0> is on a file's list, but gone", "mm")
def _(kernel):
    libc = kernel.files["libc"]
    libc.vmas[Vma(parent_of(kernel), 0, 1, 1, file=libc)] = None


@breaks(r"mm 1: VMAs start at \[49, .*\], not \[48, ", "mm")
def _(kernel):
    vma_at(kernel, A).start_vpn += 1


@breaks("mm 1 maps 0x30000, which is outside all VMAs", "mm")
def _(kernel):
    vma = vma_at(kernel, A)
    vma.start_vpn = vma.mm.starts[0] = vma.start_vpn + 1


@breaks(r"pfn \d+ is mapped more than once and writable")
def _(kernel):
    kernel.tables.words[word_at(kernel, A)] |= 2


@breaks(r"<Vma 0x80000-0x82000 r--s shmem1\+0> is read-only but has a writable word", "mm")
def _(kernel):
    vma_at(kernel, C).prot = 1


@breaks(r"<Vma 0xa0000-0xa1000 rw-p> maps the zero page writable")
def _(kernel):
    kernel.tables.words[word_at(kernel, D)] |= 2


@breaks(r"<Vma 0x30000-0x36000 ---p> and a word differ in whether it may be used at all", "mm")
def _(kernel):
    vma_at(kernel, A).prot = 0


@breaks(r"<Vma 0x30000-0x36000 rw-p> maps pfn \d+, which is not anonymous")
def _(kernel):
    kernel.mem_map.flags[pfn_at(kernel, A)] &= ~PG_ANON


@breaks(r"<Vma 0x50000-0x52000 rw-p libc\+1> maps pfn \d+, not its page of the file", "mm")
def _(kernel):
    vma_at(kernel, B).pgoff += 1


@breaks(r"<Vma 0x80000-0x82000 rw-s shmem1\+0> is shared but maps an anonymous page")
def _(kernel):
    kernel.mem_map.flags[pfn_at(kernel, C)] |= PG_ANON


@breaks(r"<Vma 0x50000-0x52000 rw-p libc\+0> is private but may write to pfn \d+")
def _(kernel):
    kernel.tables.words[word_at(kernel, B)] |= 2


@breaks("mm 1: 1 processes, mm_users 2", "kernel")
def _(kernel):
    parent_of(kernel).users += 1


@breaks("mm 1: 0 processes, mm_users 1", "kernel")
def _(kernel):
    kernel.processes["parent"].mm = None


@breaks("mm 1: its top table is another one", "kernel")
def _(kernel):
    kernel.mm_table.pgd[1] += 1


@breaks(r"\['gone'\] runs in an address space that is gone", "kernel")
def _(kernel):
    kernel.processes["gone"].mm = Mm(99, 1, LESSON)


@breaks(r"pfn \d+ is cached for <File libc: 3 pages>, but does not say so")
def _(kernel):
    kernel.mem_map.index[kernel.files["libc"].cache[2]] = 1


@breaks("<File libc: 3 pages>: a page is cached and swapped", "file")
def _(kernel):
    kernel.files["libc"].slots[2] = kernel.swap.alloc(1)[0]


@breaks(r"pfn \d+ is mapped nowhere, but its mapping is 1")
def _(kernel):
    unmapped = int(kernel.swap.cache[kernel.tables.words[word_at(kernel, GONE)] >> 8])
    assert kernel.mem_map.mapcount[unmapped] == 0
    kernel.mem_map.mapping[unmapped] = 1


@breaks(r"pfn \d+ is mapped at vpn 0x30, its index is 0x31")
def _(kernel):
    kernel.mem_map.index[pfn_at(kernel, A)] += 1


@breaks(r"mm 1 maps pfn \d+ of group 7")
def _(kernel):
    kernel.mem_map.mapping[pfn_at(kernel, A)] = 7


@breaks(r"groups have the mms \[2\], alive are \[1, 2\]", "design")
def _(kernel):
    del parent_of(kernel).rmap.mms[1]


@breaks("group 9 has no member and was not freed", "design")
def _(kernel):
    kernel.design.groups[9] = anongroup.Group(9)


@breaks("cost: probes is -1")
def _(kernel):
    kernel.design.cost.probes = -1


@breaks(r"the walk for pfn \d+ misses \(mm, vpn\) \[\(2, 48\)\]", "design")
def _(kernel):
    parent_of(kernel).rmap.walk = np.array([1])


@breaks(r"the walk for pfn \d+ finds \[\(1, 48\), \(2, 48\), \(1, 48\)\], true are", "design")
def _(kernel):
    parent_of(kernel).rmap.walk = np.array([1, 2, 1])


@breaks(r"mm 1: \d+ pages are mapped, rss is 99")
def _(kernel):
    kernel.mm_table.rss[1] = 99


@breaks(r"pfn \d+ is marked exclusive, but nobody asked")
def _(kernel):
    kernel.mem_map.flags[pfn_at(kernel, A)] |= PG_EXCLUSIVE


@breaks("swap entry 0x.* is marked exclusive, nobody asked")
def _(kernel):
    kernel.tables.words[word_at(kernel, SWAPPED)] |= SWP_EXCLUSIVE


@breaks(r"pfn \d+ is marked exclusive, its mapcount is 2")
def _(kernel):
    kernel.design.cow_rule = "exclusive"
    kernel.mem_map.flags[pfn_at(kernel, A)] |= PG_EXCLUSIVE


@breaks(r"pfn \d+ is writable and anonymous, but not marked exclusive")
def _(kernel):
    kernel.processes["parent"].write(A, 1)
    kernel.design.cow_rule = "exclusive"


@breaks(r"swap slot \d+ has more users than the exclusive entry")
def _(kernel):
    kernel.design.cow_rule = "exclusive"
    kernel.tables.words[word_at(kernel, SWAPPED)] |= SWP_EXCLUSIVE


@breaks(r"anongroup promises no false place, but names 2 for pfn \d+, which 1 map")
def _(kernel):
    kernel.processes["parent"].write(A, 1)
    kernel.design.exact = True
