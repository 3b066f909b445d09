"""Checks of a running machine over time: they remember the state before each operation, and so see
what one look at the machine cannot show.

Four rules hold for every design, and the fifth for those that promise it (`stays_in_family`):

* a page keeps its frame: only the process that acts gets another frame, by a copy, and never for
  a page that was its alone; mremap takes such a page along;
* a page of a locked VMA does not go to swap;
* a pinned page that is marked as one process's own stays that (only today's COW rule marks pages);
* the accessed and dirty bits of a word say what was done there: who reads or writes sets them, a
  child's are not accessed yet, and those of shared memory clean; others keep theirs, and only
  reclaim takes an accessed bit away;
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
    PTE_ACCESSED,
    PTE_DIRTY,
    PTE_PRESENT,
    PTE_SHIFT,
    Ints,
    swp_offset,
)
from anonlab.proof.page_table_scan import Scan

Place = tuple[int, int]
"""(mm number, vpn)."""
COPIES = ("write", "pin", "mlock", "mprotect")
"""Operations that may give the process that acts another frame where one is mapped; mprotect where
it makes locked memory writable."""


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

    def used(self, place: Place) -> int:
        """Return PTE_ACCESSED and PTE_DIRTY of what is mapped at `place`, 0 if nothing is."""
        word = self.words.get(place, 0)
        return word & (PTE_ACCESSED | PTE_DIRTY) if word & PTE_PRESENT else 0

    @property
    def nfree(self) -> int:
        """How many frames are free."""
        return int(np.count_nonzero(self.count == 0))

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


def _told(bits: int) -> str:
    """Return the accessed and dirty bits among `bits` in words."""
    names = ((PTE_ACCESSED, "accessed"), (PTE_DIRTY, "dirty"))
    return " and ".join(name for bit, name in names if bits & bit)


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

        raises  AssertionError if one of the rules is broken
        """
        before = self.last
        self.look(truth)
        task = self.kernel.processes.get(op.who)
        actor = task.mm.number if task and task.mm else 0
        for sentence in self._wrong_frames(op, actor, before):
            raise AssertionError(sentence)
        self._pinned(before)
        if outcome.error:
            return
        for sentence in self._wrong_bits(op, actor, before):
            raise AssertionError(sentence)
        if op.verb == "mremap":
            self._moved(op, actor, int(outcome.value) >> PAGE_SHIFT, before)
        if op.verb == "execve":
            program = task.program if task else "nothing"
            assert program == op.args["program"], f"{op.who} runs {program} after {op.verb}"
        if self.new and self.kernel.design.stays_in_family:
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

    def _wrong_bits(self, op: Op, actor: int, before: Look) -> Iterator[str]:
        """Yield what is wrong with accessed and dirty bits."""
        address, now = self.kernel.geometry.address, self.last
        kept = self._kept(op, before)
        for place in sorted(dict(before.words.items() - now.words.items())):
            mm, vpn = place
            remade = mm == actor and op.verb == "mremap"  # a copy may get a frame that it has freed
            if before.frame(place) and before.frame(place) == now.frame(place) and not remade:
                if lost := before.used(place) & kept & ~now.used(place):
                    yield f"mm {mm} at {address(vpn)} was {_told(lost)}, and is not any more"
                won = now.used(place) & ~before.used(place)
                if won and mm != actor:
                    yield f"mm {mm} at {address(vpn)} is {_told(won)}, though it did not do that"
        if op.verb == "fork":
            yield from self._wrong_bits_of_a_child(actor, str(op.args["parent"]))
        if op.verb in ("read", "write"):
            must = PTE_ACCESSED | (PTE_DIRTY if op.verb == "write" else 0)
            start_vpn = int(op.args["addr"]) >> PAGE_SHIFT
            for vpn in range(start_vpn, start_vpn + int(op.args.get("pages", 1))):
                place = (actor, vpn)
                if lost := must & ~now.used(place):
                    yield f"mm {actor} at {address(vpn)} is not {_told(lost)} after a {op.verb}"
                if op.verb == "read" and now.used(place) & PTE_DIRTY & ~before.used(place):
                    yield f"mm {actor} at {address(vpn)} is dirty after a read"

    def _wrong_bits_of_a_child(self, mm: int, parent: str) -> Iterator[str]:
        """Yield what is wrong with the bits of the address space `mm`, forked off `parent`'s."""
        address, now = self.kernel.geometry.address, self.last
        parents = self.kernel.processes[parent].mm
        for vpn in [vpn for number, vpn in now.words if number == mm]:
            bits, vma = now.used((mm, vpn)), self.kernel.mms[mm].find_vma(vpn)
            if bits & PTE_ACCESSED:
                yield f"mm {mm} at {address(vpn)} is accessed, though it was just forked"
            if vma and vma.shared and bits & PTE_DIRTY:
                yield f"mm {mm} at {address(vpn)} is shared and dirty, though it was just forked"
            dirty = now.used((parents.number, vpn)) & PTE_DIRTY if parents else 0
            if vma and not vma.shared and dirty & ~bits:
                yield f"mm {mm} at {address(vpn)} is not dirty, though its parent's page is"

    def _kept(self, op: Op, before: Look) -> int:
        """Return the bits that `op` must leave: reclaim, by name or where frames may have been
        short, takes accessed bits. A page needs two frames at most, at fork a pinned one one."""
        npages = max(int(op.args.get(name, 2)) for name in ("pages", "new_pages", "args"))
        needed = 2 * npages + sum(map(len, self.kernel.pins.values()))
        roomy = op.verb != "reclaim" and before.nfree >= needed
        return PTE_DIRTY | (PTE_ACCESSED if roomy else 0)

    def _locked(self, mm: int, vpn: int) -> bool:
        vma = self.kernel.mms[mm].find_vma(vpn)
        return vma is not None and vma.locked

    def _moved(self, op: Op, mm: int, new_vpn: int, before: Look) -> None:
        """A page that nobody shared is at its new address now."""
        start_vpn, npages = int(op.args["addr"]) >> PAGE_SHIFT, int(op.args["pages"])
        kept, address = self._kept(op, before), self.kernel.geometry.address
        for page in range(min(npages, int(op.args.get("new_pages", npages)))):
            place, target = (mm, start_vpn + page), (mm, new_vpn + page)
            old, new = before.frame(place), self.last.frame(target)
            assert not (old and before.alone(old)) or new == old, (
                f"mm {mm} had pfn {old} for itself, and mremap to "
                f"{address(target[1])} gave it pfn {new}"
            )
            lost = before.used(place) & kept & ~self.last.used(target) if new else 0
            assert not lost, (
                f"mm {mm}: mremap to {address(target[1])} lost that it is {_told(lost)}"
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
                f"execve connects, though {kernel.design.name} says stays_in_family"
            )
