"""Pages of the page cache, of files and of shared memory: which machine has them in page tables.

No program can tell whether a page that is in the cache already is mapped, or will be by the next
fault; so machines may differ in it, for two reasons. A page that only one of them maps for such a
reason is left out on that side, and out of the page's mapcount:

fault_around    a read fault maps its neighbours as well, if they are in the cache: 16 pages from an
                aligned address or the beginning of the area on (do_fault_around). The simulated
                machine maps what was asked for
refault         fork leaves out areas without an anonymous page (vma_needs_copy), and MADV_PAGEOUT
                takes pages of the cache out of the page table: the next fault finds them in the
                cache. The simulated machine copies all at fork, and pages out anonymous pages only

Two processes may have one address space (vfork, CLONE_VM): its mappings count once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import count

from anonlab.formats.history import Op
from anonlab.formats.observation import FILE, Observation, Place
from anonlab.machine.words import PAGE_SHIFT

AROUND_NPAGES = 16
"""Pages that a read fault maps at most (fault_around_bytes)."""
_BORROWING = ("vfork", "clone_vm")
_READING = ("read", "mlock")
Key = tuple[int, int]
"""Number of an address space, page number."""


class PageCacheRules:
    """Follows one history on two machines; `explained` counts how often each rule was used."""

    def __init__(self) -> None:
        self.explained: Counter[str] = Counter()
        self._spaces: dict[str, int] = {}
        self._numbers = count(1)
        self._early: set[Key] = set()  # mapped on the kernel alone
        self._late: set[Key] = set()  # mapped here alone

    def apply(
        self, op: Op, mine: Observation, theirs: Observation
    ) -> tuple[Observation, Observation]:
        """Return both observations after `op` without what one machine alone maps for a reason."""
        self._follow(op)
        late = self._excused(op, mine, theirs, self._late)
        early = self._excused(op, theirs, mine, self._early)
        self.explained["refault"] += bool(late - self._late)
        self.explained["fault_around"] += bool(early - self._early)
        self._late, self._early = late, early
        return self._without(mine, late), self._without(theirs, early)

    def _follow(self, op: Op) -> None:
        """Remember who runs in which address space."""
        if op.verb in _BORROWING:
            self._spaces[op.who] = self._space(str(op.args["parent"]))
        elif op.verb in ("spawn", "fork", "execve"):
            self._spaces[op.who] = next(self._numbers)

    def _space(self, who: str) -> int:
        """Return the number of the address space that a process runs in."""
        if who not in self._spaces:
            self._spaces[who] = next(self._numbers)
        return self._spaces[who]

    def _excused(self, op: Op, one: Observation, other: Observation, before: set[Key]) -> set[Key]:
        """Return where `one` alone maps a page of the cache and has a reason to: it did so
        `before`, perhaps at another address or in the parent, or a rule is new here."""
        ours = before is self._late
        alone = [place for place, seen in one.items() if seen.state == FILE and place not in other]
        if not alone:
            return set()
        new = self._refault(op) if ours else self._around(op)
        keys = set()
        for place in alone:
            key = (self._space(place[0]), place[1])
            forked = ours and op.verb == "fork" and place[0] == op.who
            if forked or key in before or key in new or self._came(op, place) & before:
                keys.add(key)
        return keys

    def _came(self, op: Op, place: Place) -> set[Key]:
        """Return where the word at `place` has come from: set[Key] of at most one."""
        who, vpn = place
        if op.verb == "mremap" and "to" in op.args:
            shift = (int(op.args["addr"]) - int(op.args["to"])) >> PAGE_SHIFT
            return {(self._space(who), vpn + shift)}
        if op.verb == "fork" and who == op.who:
            return {(self._space(str(op.args["parent"])), vpn)}
        return set()

    def _refault(self, op: Op) -> set[Key]:
        return set(self._touched(op)) if op.verb == "swap_out" else set()

    def _around(self, op: Op) -> set[Key]:
        """Return what a read fault in the range of `op` may map."""
        if op.verb not in _READING:
            return set()
        return {
            (space, near)
            for space, vpn in self._touched(op)
            for near in range(vpn - vpn % AROUND_NPAGES, vpn + AROUND_NPAGES)
        }

    def _touched(self, op: Op) -> Iterable[Key]:
        first = int(op.args["addr"]) >> PAGE_SHIFT
        pages = range(first, first + int(op.args.get("pages", 1)))
        return ((self._space(op.who), vpn) for vpn in pages)

    def _without(self, observation: Observation, excused: set[Key]) -> Observation:
        """Leave the places `excused` out, and out of the mapcounts of their pages."""
        if not excused:
            return observation
        names: dict[Key, int] = {}
        kept = {}
        for place, seen in observation.items():
            key = (self._space(place[0]), place[1])
            if key in excused:
                names[key] = seen.name
            else:
                kept[place] = seen
        gone = Counter(names.values())
        return {
            place: seen._replace(mapcount=seen.mapcount - gone[seen.name])
            if seen.state == FILE and seen.mapcount
            else seen
            for place, seen in kept.items()
        }
