"""Checks of a running machine over time: they remember the state before each operation, and so see
what one look at the machine cannot show.

Four rules hold for every design:

* a page keeps its frame: only the process that acts gets another frame, by a copy, and never for
  a page that was its alone; mremap takes such a page along;
* a page of a locked VMA does not go to swap;
* a pinned page that is marked as one process's own stays that (only today's COW rule marks pages);
* the walk stays in the family: it names no address space but those forked since one execve.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from anonlab.formats.history import Op
from anonlab.histories.run import Outcome
from anonlab.kernel import Kernel
from anonlab.machine.words import (
    PAGE_SHIFT,
    PG_ANON,
    PG_EXCLUSIVE,
    PTE_PRESENT,
    PTE_SHIFT,
    Ints,
    swp_offset,
)
from anonlab.proof.page_table_scan import Scan

Place = tuple[int, int]
"""(mm number, vpn)."""
COPIES = ("write", "pin", "mlock")
"""Operations that may give the process that acts another frame where one is mapped."""


@dataclass(frozen=True)
class Look:
    """The machine at one moment: every word by place, and columns of mem_map and of swap."""

    words: dict[Place, int]
    count: Ints
    mapcount: Ints
    flags: Ints
    cache: Ints

    def frame(self, place: Place) -> int:
        """Return the frame that is mapped at `place`, 0 for none (or the zero page)."""
        word = self.words.get(place, 0)
        return word >> PTE_SHIFT if word & PTE_PRESENT else 0

    def alone(self, pfn: int) -> bool:
        """True for an anonymous page that has one reference."""
        return bool(self.flags[pfn] & PG_ANON and self.count[pfn] == 1)

    def marked(self, pfn: int) -> bool:
        """True for a page that is marked exclusive."""
        return bool(self.flags[pfn] & PG_EXCLUSIVE)

    def in_cache(self, place: Place) -> int:
        """Return the page that nobody maps behind the swap entry at `place`, 0 for none."""
        word = self.words.get(place, 0)
        if word == 0 or word & PTE_PRESENT:
            return 0
        pfn = int(self.cache[swp_offset(word)])
        return 0 if self.mapcount[pfn] else pfn


class TransitionChecks:
    """Watches one kernel, operation by operation.

    families  the family of each address space that there has been, by number
    """

    def __init__(self, kernel: Kernel, truth: Scan) -> None:
        self.kernel = kernel
        self.families: dict[int, int] = {}
        self.new: list[int] = []
        self.look(truth)

    def see(self, op: Op, outcome: Outcome, truth: Scan) -> None:
        """Compare the machine after `op`, which `join_families` knows, with what it was before.

        raises  AssertionError if one of the four rules is broken
        """
        before = self.last
        self.look(truth)
        task = self.kernel.processes.get(op.who)
        actor = task.mm.number if task and task.mm else 0
        for sentence in self._wrong_frames(op, actor, before):
            raise AssertionError(sentence)
        self._pinned(before)
        if op.verb == "mremap" and not outcome.error:
            self._moved(op, actor, int(outcome.value) >> PAGE_SHIFT, before)
        if self.new and self.kernel.design.walks_in_family:
            self._walks_stay_in_the_family()

    def look(self, truth: Scan) -> None:
        """Remember the machine as it is."""
        mem = self.kernel.mem_map
        places = zip(truth.mms.tolist(), truth.vpns.tolist(), strict=True)
        columns = (mem.count, mem.mapcount, mem.flags, self.kernel.swap.cache)
        self.last = Look(
            dict(zip(places, truth.words.tolist(), strict=True)),
            *(column.copy() for column in columns),
        )

    def _wrong_frames(self, op: Op, actor: int, before: Look) -> Iterator[str]:
        """Yield what is wrong with the frames of places that are mapped now as they were before."""
        mremap = op.verb == "mremap"
        for place, _ in sorted(before.words.items() - self.last.words.items()):
            mm, vpn = place
            now = self.last.words.get(place, 0)
            if now == 0 or (mm == actor and mremap):
                continue
            old, new = before.frame(place), self.last.frame(place)
            if old == new:
                continue
            where = f"mm {mm} at {self.kernel.geometry.address(vpn)}"
            cached = before.in_cache(place)
            if old and new and old != new:
                if mm != actor or op.verb not in COPIES:
                    yield f"{where} had pfn {old} and has pfn {new} now, though it wrote nothing"
                elif before.alone(old):
                    yield f"{where} had pfn {old} for itself, and was given a copy, pfn {new}"
            elif old and not now & PTE_PRESENT and self._locked(mm, vpn):
                yield f"{where} is locked, but its pfn {old} went to swap"
            elif cached and new and new != cached and op.verb == "read":
                yield f"{where} reads pfn {cached}, which nobody maps, but was given pfn {new}"

    def _pinned(self, before: Look) -> None:
        """A page that a device holds for one process alone stays that process's own."""
        for (mm, vpn), pfns in self.kernel.pins.items():
            pfn = pfns[-1]
            stayed = before.frame((mm, vpn)) == pfn == self.last.frame((mm, vpn))
            if stayed and before.marked(pfn):
                assert self.last.marked(pfn), (
                    f"pfn {pfn} is pinned, and was mm {mm}'s alone; it is shared now"
                )

    def _locked(self, mm: int, vpn: int) -> bool:
        vma = self.kernel.mms[mm].find_vma(vpn)
        return vma is not None and vma.locked

    def _moved(self, op: Op, mm: int, new_vpn: int, before: Look) -> None:
        """A page that nobody shared is at its new address now."""
        start_vpn, npages = int(op.args["addr"]) >> PAGE_SHIFT, int(op.args["pages"])
        for page in range(min(npages, int(op.args.get("new_pages", npages)))):
            old = before.frame((mm, start_vpn + page))
            new = self.last.frame((mm, new_vpn + page))
            assert not (old and before.alone(old)) or new == old, (
                f"mm {mm} had pfn {old} for itself, and mremap to "
                f"{self.kernel.geometry.address(new_vpn + page)} gave it pfn {new}"
            )

    def join_families(self, op: Op) -> None:
        """Let the address spaces that `op` made join their parent's family or begin one."""
        kernel, families = self.kernel, self.families
        self.new = [number for number in kernel.mms if number not in families]
        for number in self.new:
            parent = kernel.processes[str(op.args["parent"])].mm if op.verb == "fork" else None
            families[number] = families[parent.number] if parent else number

    def _walks_stay_in_the_family(self) -> None:
        kernel, families = self.kernel, self.families
        mem = kernel.mem_map
        for pfn in np.flatnonzero((mem.mapcount > 0) & ((mem.flags & PG_ANON) != 0)).tolist():
            mms = kernel.design.candidates(pfn)[0].tolist()
            named = {families[number] for number in mms}
            assert len(named) == 1, (
                f"the walk for pfn {pfn} looks in mms {mms}, which no fork since their last "
                f"execve connects"
            )
