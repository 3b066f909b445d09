"""What one machine shows compared with what a kernel shows, operation by operation: plain data on
both sides.

A page of one machine is a page of the other from the moment both show it first at the same places,
and has to stay it. Differences that have a reason are taken out by rules with names, and counted:

zero_page       a page that was only read counts as not there. fork leaves out areas that were never
                written (vma_needs_copy), so a child has no zero page where the simulated one has;
                no program can tell
lru_batch       a page that a CPU has just touched waits in that CPU's batch, which holds a
                reference: a write to a page that is alone, but not marked exclusive, may copy it
                (wp_can_reuse_anon_folio), and so may a pin, which asks for a page to write. On a
                single CPU only mlock and munlock leave pages in such a batch, so one of them must
                have gone before
skipped_pageout the kernel does not page out, for one process, what others map as well
                (madvise_cold_or_pageout_pte_range): the simulated machine is not asked to either
direct_swapin   swap in memory (zram) needs no swap cache: what its only owner reads back is held by
                nobody else, and marked exclusive (do_swap_page). The simulated disk goes through
                the swap cache, where a read leaves the page unmarked
chosen_address  what cannot grow in place moves to where the kernel likes; real processes are not
                asked for that, because nobody looks there: the history ends
read_only_pin   a device here may hold what can only be read; the buffers of io_uring have to be
                writable: the history ends

For pages of the page cache there are two more, fault_around and refault: see `page_cache_rules`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from anonlab.formats.history import Op
from anonlab.formats.history_text import format_op
from anonlab.formats.observation import (
    FILE,
    PAGE,
    SWAP,
    ZERO,
    Areas,
    AreaSeen,
    Observation,
    PageSeen,
    Place,
    without_names,
)
from anonlab.formats.recording import FULL, OpEffect
from anonlab.live.page_cache_rules import PageCacheRules
from anonlab.machine.words import PAGE_SHIFT, PAGE_SIZE

TOUCHES = ("read", "write", "pin")


class KernelComparer:
    """Follows one history on two machines.

    view       what the kernel's side shows: FULL or WEAK
    explained  how often each rule took out a difference
    ended_by   the rule that ended the comparison, '' as long as it goes on
    """

    def __init__(self, view: str = FULL) -> None:
        self.view = view
        self.explained: Counter[str] = Counter()
        self.ended_by = ""
        self._partner: dict[int, int] = {}  # name on the kernel -> our name
        self._taken: dict[int, int] = {}  # our name -> name on the kernel
        self._batches = False
        self._direct: set[int] = set()  # names of pages that came back past the swap cache
        self._zeros: set[Place] = set()
        self._before: tuple[Observation, Observation] = ({}, {})
        self._cached = PageCacheRules()
        self._there: tuple[set[int], set[int]] = (set(), set())

    def compare(self, op: Op, ours: OpEffect, real: OpEffect) -> str:
        """Compare what both show after `op`; return what differs without a reason, or ''."""
        if self.ended_by:
            return ""
        if ours.error != real.error or ours.error:
            self.ended_by = divergence(op, ours.error, real.error)
            if self.ended_by:
                self.explained[self.ended_by] += 1
                return ""
            if ours.error != real.error:
                return _said(op, "ends with", ours.error or "success", real.error or "success")
        if ours.values != real.values:
            return _said(op, "reads", list(ours.values), list(real.values))
        observation = ours.observation if self.view == FULL else without_names(ours.observation)
        mine, theirs = self._without_zeros(observation, real.observation)
        self._there = _names(mine), _names(theirs)
        mine, theirs = self._cached.apply(op, mine, theirs)
        for rule, times in self._cached.explained.items():
            self.explained[rule] = times
        if self.view == FULL:
            self._pair_again(op, mine, theirs)
        self._unpair(op)
        wrong = next(self._differences(op, mine, theirs), "")
        self._before = (mine, theirs)
        return wrong or next(area_differences(op, ours.areas, real.areas), "")

    def _without_zeros(
        self, ours: Observation, real: Observation
    ) -> tuple[Observation, Observation]:
        """Leave out zero pages; count an operation after which new ones differ (zero_page)."""
        mine = {place: seen for place, seen in ours.items() if seen.state != ZERO}
        theirs = {place: seen for place, seen in real.items() if seen.state != ZERO}
        differ = (ours.keys() - mine.keys()) ^ (real.keys() - theirs.keys())
        self.explained["zero_page"] += bool(differ - self._zeros)
        self._zeros = differ
        return mine, theirs

    def _pair_again(self, op: Op, mine: Observation, theirs: Observation) -> None:
        """Where the kernel copied a page that was alone but not marked, take the copy for the page
        (lru_batch)."""
        self._batches = self._batches or op.verb in ("mlock", "munlock")
        if op.verb not in ("write", "pin") or not self._batches:
            return
        for place in touched(op):
            old, new = self._before[1].get(place), theirs.get(place)
            kept = mine.get(place)
            if old is None or new is None or kept is None or old.state != PAGE:
                continue
            copied = new.name not in self._partner and self._partner.get(old.name) == kept.name
            if copied and old.mapcount == new.mapcount == 1 and not old.exclusive:
                del self._partner[old.name]
                self._partner[new.name] = kept.name
                self._taken[kept.name] = new.name
                self.explained["lru_batch"] += 1

    def _unpair(self, op: Op) -> None:
        """Forget who was whose partner where frames may have been freed and taken again at once."""
        vpns = taken_again(op)
        for before, known in zip(self._before, (self._taken, self._partner), strict=True):
            lasting = {seen.name for (_, vpn), seen in before.items() if vpn not in vpns}
            for name in {seen.name for seen in before.values()} - lasting & known.keys():
                other = known.pop(name, 0)
                (self._partner if known is self._taken else self._taken).pop(other, None)

    def _differences(self, op: Op, mine: Observation, theirs: Observation) -> Iterator[str]:
        """Yield what differs, place by place."""
        for place in sorted(mine.keys() | theirs.keys()):
            a, b = mine.get(place), theirs.get(place)
            if a is None or b is None or a.state != b.state:
                yield _at(op, place, "is", a.state if a else "nothing", b.state if b else "nothing")
                continue
            if a.state in (PAGE, FILE, SWAP) and self.view == FULL and not self._same(a, b):
                yield _at(op, place, "is", self._told(a), f"page {b.name}, another one")
            if a.mapcount != b.mapcount:
                yield _at(op, place, "has mapcount", a.mapcount, b.mapcount)
            if None not in (a.value, b.value) and a.value != b.value:
                yield _at(op, place, "has value", a.value, b.value)
            marks = (a.exclusive, b.exclusive)
            if None in marks or a.exclusive == b.exclusive or self._came_directly(place, a, b):
                continue
            yield _at(op, place, "has exclusive", *marks)

    def _came_directly(self, place: Place, ours: PageSeen, real: PageSeen) -> bool:
        """Return whether a page is marked on the kernel alone because it came from swap without
        the swap cache (direct_swapin)."""
        before = self._before[1].get(place)
        if ours.exclusive or real.mapcount != 1:
            return False
        if before is not None and before.state == SWAP and real.name not in self._direct:
            self._direct.add(real.name)
            self.explained["direct_swapin"] += 1
        return real.name in self._direct

    def _same(self, ours: PageSeen, real: PageSeen) -> bool:
        """Return whether two pages are the same one; two that are both new are from now on.

        A page of the cache that was mapped nowhere has a new name when it is mapped again. As one
        machine may have had it mapped all the time, old names do not bind once they are gone.
        """
        partner, other = self._partner.get(real.name), self._taken.get(ours.name)
        if real.state == FILE:
            partner = partner if partner in self._there[0] else None
            other = other if other in self._there[1] else None
        if partner is not None:
            return partner == ours.name
        if other is not None:
            return other == real.name
        self._partner[real.name] = ours.name
        self._taken[ours.name] = real.name
        return True

    def _told(self, ours: PageSeen) -> str:
        partner = next((real for real, own in self._partner.items() if own == ours.name), None)
        return "a new page" if partner is None else f"page {partner}"


def area_differences(op: Op, ours: Areas | None, real: Areas | None) -> Iterator[str]:
    """Yield which VMAs are not the same, where both machines show any."""
    if ours is None or real is None:
        return
    for who in sorted(ours.keys() | real.keys()):
        mine, theirs = ours.get(who, ()), real.get(who, ())
        for area in sorted({*mine} ^ {*theirs}):
            there = area in theirs
            where = f"{format_op(op)}: {who}: the VMA {area_text(area)}"
            yield f"{where} is on the kernel only" if there else f"{where} is here only"


def area_text(area: AreaSeen) -> str:
    """Write a VMA as a line of /proc/PID/maps."""
    more = f" {area.file}+{area.pgoff}" if area.file else ""
    more += " locked" * area.locked + " grows down" * area.growsdown
    start, end = area.start_vpn << PAGE_SHIFT, area.end_vpn << PAGE_SHIFT
    return f"{start:#x}-{end:#x} {area.prot}{'s' if area.shared else 'p'}{more}"


def touched(op: Op) -> list[Place]:
    """Return the places in the range of an operation."""
    first = int(op.args["addr"]) >> PAGE_SHIFT
    return [(op.who, vpn) for vpn in range(first, first + int(op.args.get("pages", 1)))]


def taken_again(op: Op) -> range:
    """Return the page numbers from which `op` may take pages away and at once put the same frames
    to another use there: a locked area that grows as it moves. Nobody can tell such pages apart."""
    if op.verb != "mremap" or "to" not in op.args or "new_pages" not in op.args:
        return range(0)
    first = int(op.args["to"]) >> PAGE_SHIFT
    return range(first, first + int(op.args["new_pages"]))


def pageouts(op: Op, observation: Observation) -> tuple[list[Op], int]:
    """Return what a machine that shows `observation` has to do so that it does what MADV_PAGEOUT
    does, and how many pages are left out because others map them too (skipped_pageout)."""
    ops, skipped = [], 0
    for place in touched(op):
        seen = observation.get(place)
        if seen is None or seen.state != PAGE:
            continue
        if seen.mapcount == 1:
            ops.append(Op("swap_out", op.who, {"addr": place[1] * PAGE_SIZE}))
        else:
            skipped += 1
    return ops, skipped


def divergence(op: Op, ours: str, real: str) -> str:
    """Return the rule by which two outcomes are the last that can be compared, or ''."""
    resized = op.verb == "mremap" and "to" not in op.args
    if resized and (ours, real) == ("", "ENOMEM"):
        return "chosen_address"
    if op.verb == "pin" and (ours, real) == ("", "SIGSEGV"):
        return "read_only_pin"
    return ""


def _names(observation: Observation) -> set[int]:
    """Return the names of the pages of the page cache in an observation."""
    return {seen.name for seen in observation.values() if seen.state == FILE}


def _said(op: Op, what: str, ours: object, real: object) -> str:
    return f"{format_op(op)}: {what} {ours} here, {real} on the kernel"


def _at(op: Op, place: Place, what: str, ours: object, real: object) -> str:
    who, vpn = place
    return f"{format_op(op)}: {who} at {vpn << PAGE_SHIFT:#x} {what} {ours} here, {real} there"
