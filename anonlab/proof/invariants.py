"""The truth: the invariants that must hold after every operation, whatever the design.

Everything is compared with a scan of all page tables; no count is trusted. Each invariant looks at
a part of the machine (part.py): a full check gives it everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from anonlab.kernel import Kernel
from anonlab.kernel.walk import Hits, walk_each
from anonlab.machine.words import (
    PG_ANON,
    PG_EXCLUSIVE,
    PG_SWAPCACHE,
    POISON,
    PTE_SHIFT,
    PTE_USER,
    PTE_WRITE,
    SWP_EXCLUSIVE,
    SWP_OFFSET_SHIFT,
    ZERO_PFN,
    Ints,
    Mask,
    Pfns,
    Vpns,
    Words,
)
from anonlab.mm import VM_WRITE
from anonlab.proof.page_table_scan import Scan, scan
from anonlab.proof.part import Areas, Part, everything
from anonlab.proof.state_text import state_text


@dataclass
class Walks:
    """The walks of one check: how many places the design named for each anonymous page, and how
    many mappings it has, by pfn."""

    pages: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def candidates(self) -> int:
        """Places that the design named."""
        return sum(candidates for candidates, _ in self.pages.values())

    @property
    def mappings(self) -> int:
        """Mappings of the pages."""
        return sum(mappings for _, mappings in self.pages.values())


def check(kernel: Kernel, most_walks: int | None = None, truth: Scan | None = None) -> Walks:
    """Raise AssertionError, with the whole state, if any invariant of the machine, the kernel or
    the design is broken; return what the walks named. Looks only: the design's counters are put
    back.

    most_walks  walk so many pages at most, evenly chosen; None walks them all. The scan and every
                other invariant always look at everything
    truth       a scan of `kernel` as it is now, if the caller has just made one
    """
    return check_part(kernel, everything(kernel, truth or scan(kernel)), most_walks)


def check_part(kernel: Kernel, part: Part, most_walks: int | None = None) -> Walks:
    """Like `check`, but leave out the invariants that rely on nothing that has changed, and of
    those that look at one page, VMA or file after the other what `part` leaves out."""
    design, changed = kernel.design, part.changed
    cost = design.cost
    design.cost = type(cost)()
    try:
        for name, number in cost.items():
            assert number >= 0, f"cost: {name} is {number}"
        for invariant, facts in INVARIANTS.items():
            if not changed.isdisjoint(facts):
                invariant(kernel, part)
        return walk_finds_exactly_the_mappers(kernel, part, most_walks)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{state_text(kernel, part.truth)}") from None
    finally:
        design.cost = cost


def first(bad: Mask) -> int | None:
    """Return the position of the first True, or None."""
    return int(bad.argmax()) if np.count_nonzero(bad) else None


# Machine


def tables_are_a_tree(kernel: Kernel, part: Part) -> None:
    """Every used table is reached once from one live mm; row 0 and free tables are empty."""
    filled, free = part.truth.filled, kernel.tables.free_rows
    assert not filled[0], "row 0 of the page tables is not empty"
    reached = np.bincount(part.truth.rows, minlength=filled.size)
    at = first(reached > 1)
    assert at is None, f"page table {at} is reached {reached[at or 0]} times"
    assert not filled[free].any(), "a free page table is not empty"
    used = np.ones(filled.size, dtype=np.bool_)
    used[0] = used[free] = False
    at = first(used != (reached == 1))
    assert at is None, f"page table {at}: in use {used[at or 0]}, reached {reached[at or 0]} times"


def mapcount_is_the_number_of_words(kernel: Kernel, part: Part) -> None:
    """mapcount equals the present words that name the frame; the zero page has none."""
    truth = part.truth
    pfns = truth.pfns[truth.present]
    mapcount = kernel.mem_map.mapcount
    assert not pfns.size or pfns.max() < mapcount.size, (
        f"a word names pfn {pfns.max()}, out of range"
    )
    words = np.bincount(pfns, minlength=mapcount.size)
    words[ZERO_PFN] = 0
    at = first(words != mapcount)
    assert at is None, f"pfn {at}: {words[at or 0]} PTEs map it, mapcount is {mapcount[at or 0]}"


def count_is_the_sum_of_its_holders(kernel: Kernel, part: Part) -> None:
    """count = mapcount + swap cache + page cache + pins."""
    mem = kernel.mem_map
    held = mem.mapcount + ((mem.flags & PG_SWAPCACHE) != 0) + part.cached
    held[ZERO_PFN] = 1
    for pfns in kernel.pins.values():
        for pfn in pfns:
            held[pfn] += pfn != ZERO_PFN
    lost = [number for number, _ in kernel.pins if number not in kernel.mms]
    assert not lost, f"pages of mm {lost[:1]}, which is gone, are still pinned"
    at = first(held != mem.count)
    assert at is None, (
        f"pfn {at}: {held[at or 0]} references are known, count is {mem.count[at or 0]}"
    )


def free_frames_are_free(kernel: Kernel, part: Part) -> None:
    """A frame is on the free list once or has a count; a free one has no past and no home."""
    mem = kernel.mem_map
    free = np.bincount(mem.free_pfns, minlength=mem.nframes)
    at = first(free != (mem.count == 0))
    assert at is None, (
        f"pfn {at}: count {mem.count[at or 0]}, {free[at or 0]} times on the free list"
    )
    pfns = mem.free_pfns
    for name in ("mapping", "index", "flags", "private"):
        at = first(getattr(mem, name)[pfns] != 0)
        assert at is None, f"pfn {pfns[at or 0]} is free but keeps its {name}"
    at = first(mem.data[pfns] != POISON)
    assert at is None, f"pfn {pfns[at or 0]} is free but was written after that"
    assert mem.data[ZERO_PFN] == 0, "the zero page is not zero"


def swap_map_is_the_number_of_users(kernel: Kernel, part: Part) -> None:
    """swap_map = swap words + swap cache + shmem objects; cache and pages name each other."""
    swap, mem, truth = kernel.swap, kernel.mem_map, part.truth
    entries = truth.words[~truth.present] >> 8
    assert not entries.size or entries.max() <= swap.nslots, "a word names a slot out of range"
    users = np.bincount(entries, minlength=swap.nslots + 1)
    users += swap.cache != 0
    for file in kernel.files.values():
        users[file.slots[file.slots != 0]] += 1
    at = first(users != swap.map)
    assert at is None, f"swap slot {at}: {users[at or 0]} users, swap_map is {swap.map[at or 0]}"
    free = np.bincount(swap.free_slots, minlength=swap.nslots + 1)
    free[0] = 1
    at = first(free != (swap.map == 0))
    assert at is None, f"swap slot {at}: swap_map {swap.map[at or 0]}, {free[at or 0]} times free"
    cached = np.flatnonzero(mem.flags & PG_SWAPCACHE)
    slots = np.flatnonzero(swap.cache)
    assert np.array_equal(np.sort(swap.cache[slots]), cached), "swap cache and PG_SWAPCACHE differ"
    assert (mem.private[swap.cache[slots]] == slots).all(), "a cached page names another slot"


def resident_pages_are_counted(kernel: Kernel, part: Part) -> None:
    """rss is the number of words of an address space that map a page, the zero page left out."""
    rss, truth = kernel.mm_table.rss, part.truth
    words = np.bincount(truth.mms[truth.mapped], minlength=rss.size)
    at = first(words != rss)
    assert at is None, f"mm {at}: {words[at or 0]} pages are mapped, rss is {rss[at or 0]}"


def marked_pages_are_alone(kernel: Kernel, part: Part) -> None:
    """Where pages are marked exclusive (PageAnonExclusive): the mark means one mapping, a writable
    word of an anonymous page means the mark, and a marked swap entry is its slot's only one."""
    mem, swap, truth = kernel.mem_map, kernel.swap, part.truth
    marked = (mem.flags & PG_EXCLUSIVE) != 0
    entries = truth.words[~truth.present]
    entries = entries[(entries & SWP_EXCLUSIVE) != 0]
    if kernel.design.cow_rule != "exclusive":
        assert not marked.any(), f"pfn {first(marked)} is marked exclusive, but nobody asked"
        assert not entries.size, f"swap entry {entries[0]:#x} is marked exclusive, nobody asked"
        return
    at = first(marked & ((mem.mapcount != 1) | ((mem.flags & PG_ANON) == 0)))
    assert at is None, f"pfn {at} is marked exclusive, its mapcount is {mem.mapcount[at or 0]}"
    pfns = np.where(truth.present & ((truth.words & PTE_WRITE) != 0), truth.pfns, ZERO_PFN)
    at = first(((mem.flags[pfns] & PG_ANON) != 0) & ~marked[pfns])
    assert at is None, f"pfn {pfns[at or 0]} is writable and anonymous, but not marked exclusive"
    slots = entries >> SWP_OFFSET_SHIFT
    at = first(swap.map[slots] != 1 + (swap.cache[slots] != 0))
    assert at is None, f"swap slot {slots[at or 0]} has more users than the exclusive entry"


# Kernel


def words_lie_in_vmas(kernel: Kernel, part: Part) -> None:
    """Every word lies in a VMA that allows what it allows; file pages lie at their offset."""
    truth, areas = part.words, part.areas
    npages = kernel.geometry.npages
    starts, ends = areas.rules[0] * npages + areas.rules[1:3]
    places = truth.mms * npages + truth.vpns
    of = np.searchsorted(starts, places, side="right") - 1  # int64[n], the area of each word
    at = first(places >= ends[of])
    where = kernel.geometry.address(int(truth.vpns[at])) if at is not None else ""
    assert at is None, f"mm {truth.mms[at or 0]} maps {where}, which is outside all VMAs"
    of, vpns, words = of[truth.present], truth.vpns[truth.present], truth.words[truth.present]
    _words_fit(kernel, areas, of, vpns, words)


def _words_fit(kernel: Kernel, areas: Areas, of: Ints, vpns: Vpns, words: Words) -> None:
    """Every present word follows the rules of its area, the one at its position in `of`."""
    prot, shared, mapping, page_0 = areas.rules[3:, of]
    pfns, may_write = words >> PTE_SHIFT, (words & PTE_WRITE) != 0
    mem = kernel.mem_map
    anon = (mem.flags[pfns] & PG_ANON) != 0
    of_file = ~anon & (pfns != ZERO_PFN)
    at = first(may_write & (prot & VM_WRITE == 0))
    assert at is None, f"{areas.vma(of, at)} is read-only but has a writable word"
    at = first((prot == 0) == (words & PTE_USER != 0))
    assert at is None, f"{areas.vma(of, at)} and a word differ in whether it may be used at all"
    at = first(may_write & (pfns == ZERO_PFN))
    assert at is None, f"{areas.vma(of, at)} maps the zero page writable"
    at = first(of_file & (mapping == 0))
    assert at is None, f"{areas.vma(of, at)} maps pfn {pfns[at or 0]}, which is not anonymous"
    right = (mem.mapping[pfns] == mapping) & (mem.index[pfns] == vpns - page_0)
    at = first(of_file & ~right)
    assert at is None, f"{areas.vma(of, at)} maps pfn {pfns[at or 0]}, not its page of the file"
    at = first((shared != 0) & ~of_file)
    assert at is None, f"{areas.vma(of, at)} is shared but maps an anonymous page"
    at = first(of_file & (shared == 0) & may_write)
    assert at is None, f"{areas.vma(of, at)} is private but may write to pfn {pfns[at or 0]}"
    at = first(anon & may_write & (mem.mapcount[pfns] > 1))
    assert at is None, f"pfn {pfns[at or 0]} is mapped more than once and writable"


def vmas_are_in_order(kernel: Kernel, part: Part) -> None:
    """VMAs are not empty, ascend, do not overlap, and are on their file's list, and only those."""
    mms, alive = part.mms, kernel.mms
    linked = {
        vma
        for file in kernel.files.values()
        for vma in file.vmas
        if vma.mm.number in mms or vma.mm.number not in alive
    }
    for mm in mms.values():
        end_vpn = 0
        for vma in mm.vmas:
            assert end_vpn <= vma.start_vpn < vma.end_vpn, (
                f"mm {mm.number}: {vma!r} is out of order"
            )
            assert vma.mm is mm, f"{vma!r} is on the list of mm {mm.number}, but of another"
            end_vpn = vma.end_vpn
            if vma.file is not None:
                assert vma in vma.file.vmas, f"{vma!r} is not on its file's list"
                linked.discard(vma)
        assert end_vpn <= kernel.geometry.task_npages, f"mm {mm.number} leaves user space"
        starts = [vma.start_vpn for vma in mm.vmas]
        assert starts == mm.starts, f"mm {mm.number}: VMAs start at {starts}, not {mm.starts}"
    assert not linked, f"{next(iter(linked))!r} is on a file's list, but gone"


def address_spaces_have_users(kernel: Kernel, part: Part) -> None:
    """mm_users is the number of processes that run there; no mm is kept without one."""
    running = Counter(p.mm.number for p in kernel.processes.values() if p.mm is not None)
    for mm in kernel.mms.values():
        users = running[mm.number]
        assert users == mm.users > 0, f"mm {mm.number}: {users} processes, mm_users {mm.users}"
        assert kernel.mm_table.pgd[mm.number] == mm.pgd, (
            f"mm {mm.number}: its top table is another one"
        )
    lost = [p.name for p in kernel.processes.values() if p.mm and p.mm.number not in kernel.mms]
    assert not lost, f"{lost[:1]} runs in an address space that is gone"


def page_cache_names_its_pages(kernel: Kernel, part: Part) -> None:
    """A cached page knows its file and offset; nothing lies beyond the end of a file."""
    mem = kernel.mem_map
    for file in part.files:
        pgoffs = np.flatnonzero(file.cache)
        pfns = file.cache[pgoffs]
        right = (mem.mapping[pfns] == file.mapping) & (mem.index[pfns] == pgoffs)
        right &= (mem.flags[pfns] & PG_ANON) == 0
        at = first(~right)
        assert at is None, f"pfn {pfns[at or 0]} is cached for {file!r}, but does not say so"
        assert not (file.cache[file.slots != 0]).any(), f"{file!r}: a page is cached and swapped"


# Reverse map


def walk_finds_exactly_the_mappers(
    kernel: Kernel, part: Part, most_walks: int | None = None
) -> Walks:
    """I1: for every mapped page the walk finds the words of the scan, each once, and no others."""
    mms, vpns, pfns = part.mappings
    if not pfns.size:
        return Walks()
    pages, sizes = np.unique(pfns, return_counts=True)
    if most_walks is not None:
        pages, sizes = (each[:: each.size // most_walks + 1] for each in (pages, sizes))
        chosen = np.isin(pfns, pages)
        mms, vpns, pfns = mms[chosen], vpns[chosen], pfns[chosen]
    order, ends = np.argsort(pfns, kind="stable"), np.cumsum(sizes)
    mms, vpns = mms[order], vpns[order]
    hits, design = walk_each(kernel, pages.tolist()), kernel.design
    if not all(map(np.array_equal, hits[:2], (mms, vpns))) or hits.ends != ends.tolist():
        must_find(pages, hits, list(zip(mms.tolist(), vpns.tolist(), strict=True)), ends)
    anon, named = (kernel.mem_map.flags[pages] & PG_ANON) != 0, np.array(hits.candidates)
    at = first(anon & (named != sizes)) if design.exact else None
    assert at is None, (
        f"{design.name} promises no false place, but names {named[at or 0]} for pfn "
        f"{pages[at or 0]}, which {sizes[at or 0]} map"
    )
    walks = zip(named[anon].tolist(), sizes[anon].tolist(), strict=True)
    return Walks(dict(zip(pages[anon].tolist(), walks, strict=True)))


def must_find(pages: Pfns, hits: Hits, places: list[tuple[int, int]], ends: Ints) -> None:
    """Raise AssertionError unless the walk of each page finds its share of `places`, (mm, vpn)
    each, in whatever order."""
    parts = pairwise((0, *ends.tolist()))
    for pfn, mine, (start, end) in zip(pages.tolist(), hits.each(), parts, strict=True):
        found = list(zip(mine.mms.tolist(), mine.vpns.tolist(), strict=True))
        true = places[start:end]
        missed = sorted(set(true) - set(found))
        assert not missed, f"the walk for pfn {pfn} misses (mm, vpn) {missed}"
        assert sorted(found) == true, f"the walk for pfn {pfn} finds {found}, true are {true}"


def unmapped_pages_have_no_home(kernel: Kernel, part: Part) -> None:
    """I4: an anonymous page that nobody maps names no object of the design, unless it may."""
    if kernel.design.keeps_mapping:
        return
    mem = kernel.mem_map
    at = first(((mem.flags & PG_ANON) != 0) & (mem.mapcount == 0) & (mem.mapping != 0))
    assert at is None, f"pfn {at} is mapped nowhere, but its mapping is {mem.mapping[at or 0]}"


def design_keeps_its_own_rules(kernel: Kernel, part: Part) -> None:
    """What the design itself promises, I2 and I3 among it."""
    mms, vpns, pfns = part.mappings
    anon = (kernel.mem_map.flags[pfns] & PG_ANON) != 0
    kernel.design.check(kernel.mms, mms[anon], vpns[anon], pfns[anon])
    kernel.design.check_structure(kernel.mms)


INVARIANTS: dict[Callable[[Kernel, Part], None], set[str]] = {
    tables_are_a_tree: {"tables", "tasks"},
    mapcount_is_the_number_of_words: {"tables", "frames"},
    count_is_the_sum_of_its_holders: {"frames", "files", "pins", "tasks"},
    free_frames_are_free: {"frames"},
    swap_map_is_the_number_of_users: {"tables", "frames", "swap", "files"},
    resident_pages_are_counted: {"tables", "rss"},
    marked_pages_are_alone: {"tables", "frames", "swap"},
    vmas_are_in_order: {"vmas", "tasks"},
    words_lie_in_vmas: {"tables", "frames", "vmas"},
    address_spaces_have_users: {"tasks"},
    page_cache_names_its_pages: {"frames", "swap", "files"},
    unmapped_pages_have_no_home: {"frames"},
    design_keeps_its_own_rules: {"tables", "frames", "vmas", "tasks", "design", "rss"},
}
"""Every invariant, and the facts that it relies on (see Part)."""
