"""Runs a history and writes the bill of its forks (anonlab/histories/bill.py).

Only what can change a shared page is looked at: the words of a touched range, before and after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from anonlab.formats.history import History, Op
from anonlab.histories.bill import SIDES, Bill, ForkBill
from anonlab.histories.run import apply, make_kernel
from anonlab.histories.runs import runs, touched_as_one
from anonlab.kernel import Kernel
from anonlab.kernel.pages import anon_pages
from anonlab.kernel.walk import walk_each
from anonlab.machine.words import (
    PAGE_MASK,
    PAGE_SHIFT,
    PG_ANON,
    PTE_PRESENT,
    PTE_SHIFT,
    Mask,
    Pfns,
    Vpns,
    Words,
    is_swap,
)
from anonlab.mm import Mm, Vma

Progress = Callable[[int, int], None]
SAMPLE = 64
"""Pages of a fork that are walked, evenly spread."""
LONGEST = 512
"""Touches that are done as one range, at most."""
TOUCHES = ("write", "read", "mlock")
"""Verbs after which a page of a range can be another one."""


def bill_of(
    history: History,
    designs: Sequence[str] = ("anongroup",),
    touches: str = "history",
    progress: Progress | None = None,
) -> Bill:
    """Run `history` under each of `designs` and return what its forks cost.

    designs   what is copied is counted under the first; each says what its walks cost
    touches   where the touches of the history come from, to be passed on
    progress  called with (operations done, operations in all designs)
    raises    ValueError for an unknown design or none, FormatError for a history that cannot be run
    """
    if not designs:
        raise ValueError("a bill needs one design at least")
    nops = len(history.ops)
    first = next((place for place, op in enumerate(history.ops) if op.verb == "fork"), None)
    found = Bill([], nops, touches, first=first or 0)
    if first is not None:
        found.over_time.append((first, 0, 0, 0))
    found.vforks = sum(op.verb == "vfork" for op in history.ops)
    found.threads = sum(op.verb == "clone_vm" for op in history.ops)
    for number, design in enumerate(designs):
        kernel = make_kernel(history, design)
        meter = _Meter(kernel, found if number == 0 else None)
        for place, ops in runs(history.ops, LONGEST):
            meter.do(ops, place)
            if progress is not None:
                progress(number * nops + place + len(ops), nops * len(designs))
        meter.finish()
        for fork in found.forks:
            if fork.operation in meter.looks:
                fork.looks[kernel.design.name] = meter.looks[fork.operation]
        found.moved[kernel.design.name] = kernel.design.cost.copies_mremap
    return found


class _Share:
    """The pages of one fork while it is on the bill, and who of the two still has them as at birth.

    pfns   ascending, int64[n] · has  by side: bool[n], still as at birth
    users  processes that share through it: the child, and its children that share on
    """

    def __init__(self, fork: ForkBill, pfns: Pfns, above: _Share | None) -> None:
        self.fork = fork
        self.pfns = pfns
        self.has = {side: np.ones(pfns.size, dtype=np.bool_) for side in SIDES}
        self.above = above
        self.users = 1

    def take(self, side: str, pfns: Pfns) -> Mask:
        """Return which of `pfns` a side had as at birth; it has them no longer."""
        if not self.pfns.size:
            return np.zeros(pfns.size, dtype=np.bool_)
        at = np.minimum(np.searchsorted(self.pfns, pfns), self.pfns.size - 1)
        had: Mask = (self.pfns[at] == pfns) & self.has[side][at]
        self.has[side][at[had]] = False
        return had

    def leave(self) -> list[_Share]:
        """One user less; return the shares that nobody uses any more, this one and those above."""
        self.users -= 1
        if self.users:
            return []
        return [self, *(self.above.leave() if self.above else [])]


class _Meter:
    """Runs a history on one kernel, and counts for a bill if there is one."""

    def __init__(self, kernel: Kernel, bill: Bill | None) -> None:
        self.kernel = kernel
        self.bill = bill
        self.looks: dict[int, float] = {}
        """By place of the fork: what a walk from a page that it shared looks at."""
        self.sides: dict[int, list[tuple[str, _Share]]] = {}
        """By number of the address space: the forks that it takes part in, the oldest first."""
        self.born: dict[int, _Share] = {}
        """By number of the child's address space: the fork that made it."""
        self.sums = [0, 0, 0]
        self.programs: dict[str, str] = {}
        """By name of the process: what it runs."""
        self.birth: tuple[Op, int, int] | None = None
        """The last fork, its place and the page tables before it, until its account is open."""

    # -- operations -------------------------------------------------------------------------------

    def do(self, ops: list[Op], place: int) -> None:
        """Do the operations of one run, the first of which stands at `place`, and count."""
        if self.birth is not None and not _of_birth(self.birth[0], ops[0]):
            self._open(*self.birth)
        if len(ops) == 1 or not self._counted(ops, place):
            for number, op in enumerate(ops):
                self._counted([op], place + number)
        self._keep_sums(range(place, place + len(ops)))

    def _counted(self, ops: list[Op], place: int) -> bool:
        """Do one operation, or a run as one; False if nothing was done: each must be done alone."""
        op = ops[0]
        mm = self._mm(op.who)
        if "parent" in op.args:
            self.programs[op.who] = self.programs.get(str(op.args["parent"]), "")
        if op.verb == "fork":
            self._fork(op, place)
        elif op.verb in ("execve", "exit"):
            self._leave(op, mm, place)
        elif self.bill is not None and op.verb in TOUCHES and mm and mm.number in self.sides:
            vpns = _vpns(op, len(ops), self.kernel.mem_map.count.size)
            before = self._words(mm, vpns)
            anon = self._anon(before)
            if not self._done(ops):
                return False
            self._changed(mm, vpns, before, anon)
        else:
            return self._done(ops)
        return True

    def _done(self, ops: list[Op]) -> bool:
        """Do one operation, or a run as one; False if a run was not done."""
        if len(ops) > 1:
            return touched_as_one(self.kernel, ops)
        apply(self.kernel, ops[0])
        return True

    def _mm(self, who: str) -> Mm | None:
        task = self.kernel.processes.get(who)
        return None if task is None else task.mm

    def _words(self, mm: Mm, vpns: Vpns) -> Words:
        words: Words = self.kernel.tables.lookup(mm.pgd, vpns)
        return words

    def _anon(self, words: Words) -> Mask:
        """Return which words map an anonymous page, bool[n]."""
        flags = self.kernel.mem_map.flags[words >> PTE_SHIFT] if words.size else words
        anon: Mask = ((words & PTE_PRESENT) != 0) & ((flags & PG_ANON) != 0)
        return anon

    # -- births -----------------------------------------------------------------------------------

    def _fork(self, op: Op, number: int) -> None:
        """Do a fork. Its account opens when its child has what it gets (`_of_birth`)."""
        tables = self.kernel.tables.nused
        if not apply(self.kernel, op).error:
            self.birth = op, number, tables

    def _open(self, op: Op, number: int, tables: int) -> None:
        """Open the account of a fork: what both sides map now is shared."""
        self.birth = None
        child = self._mm(op.who)
        if child is None:
            return
        pfns = self._pages_of(child)
        if pfns.size:
            self.looks[number] = self._walked(pfns)
        if self.bill is None:
            return
        fork = ForkBill(number, op.line or 0, str(op.args["parent"]), op.who, int(pfns.size))
        fork.program = self.programs[op.who]
        fork.tables = self.kernel.tables.nused - tables
        self.bill.forks.append(fork)
        parent = self._mm(fork.parent)
        above = self.born.get(parent.number) if parent is not None else None
        if above is not None:
            above.users += 1
        share = _Share(fork, np.unique(pfns), above)
        self.born[child.number] = share
        self.sides.setdefault(child.number, []).append(("child", share))
        if parent is not None:
            self.sides.setdefault(parent.number, []).append(("parent", share))

    def _pages_of(self, mm: Mm) -> Pfns:
        """Return the anonymous pages that an address space maps, int64[n]. Only page tables that
        exist are read: a runtime may reserve terabytes that it never touches."""
        pages = [np.zeros(0, dtype=np.int64)]
        for vma in mm.vmas:
            span = self.kernel.tables.populated(mm.pgd, vma.start_vpn, vma.end_vpn)
            pages.append(anon_pages(self.kernel, vma, span.vpns, span.words)[1])
        return np.concatenate(pages)

    def _walked(self, pfns: Pfns) -> float:
        """Return the looks of a walk per page, of a sample of `pfns`."""
        chosen = pfns[np.linspace(0, pfns.size - 1, min(SAMPLE, pfns.size)).astype(np.int64)]
        cost = self.kernel.design.cost
        before = cost.nodes + cost.probes
        walk_each(self.kernel, chosen.tolist())
        return (cost.nodes + cost.probes - before) / chosen.size

    # -- copies -----------------------------------------------------------------------------------

    def _changed(self, mm: Mm, vpns: Vpns, before: Words, anon: Mask) -> None:
        """Charge what a touch has made: copies, and pages where there was none."""
        after = self._words(mm, vpns)
        changed = self._anon(after) & (after >> PTE_SHIFT != before >> PTE_SHIFT)
        copies = np.flatnonzero(changed & anon)
        if copies.size:
            self._charge(mm, vpns[copies], before[copies] >> PTE_SHIFT)
        new = int(np.count_nonzero(changed & ~anon & ~is_swap(before)))
        if new and mm.number in self.born:
            self.born[mm.number].fork.new += new
            self.sums[2] += new

    def _charge(self, mm: Mm, vpns: Vpns, pfns: Pfns) -> None:
        """Charge copies of `pfns`, made at `vpns`, to the newest fork that shared them."""
        assert self.bill is not None
        open_ = np.ones(pfns.size, dtype=np.bool_)
        for side, share in reversed(self.sides[mm.number]):
            mine = share.take(side, pfns) & open_
            open_ &= ~mine
            number = int(np.count_nonzero(mine))
            if not number:
                continue
            share.fork.copied[side] += number
            self.sums[SIDES.index(side)] += number
            for name, pages in _areas(mm, vpns[mine]).items():
                share.fork.areas.setdefault(name, [0, 0])[SIDES.index(side)] += pages
        self.bill.elsewhere += int(np.count_nonzero(open_))

    # -- ends -------------------------------------------------------------------------------------

    def _leave(self, op: Op, mm: Mm | None, number: int) -> None:
        """Do an execve or an exit; close the account of a child whose last process left by it."""
        share = None if mm is None else self.born.get(mm.number)
        if mm is not None and share is not None and mm.users == 1:
            self._count_rest(share, mm)  # afterwards nothing is left to be counted
        outcome = apply(self.kernel, op)
        if outcome.error:
            return
        if op.verb == "execve":
            self.programs[op.who] = str(op.args.get("program", ""))
        if mm is None or mm.users:
            return
        self.sides.pop(mm.number, None)
        if share is None:
            return
        del self.born[mm.number]
        share.fork.ended, share.fork.end_operation = op.verb, number
        share.fork.next_program = self.programs[op.who] if op.verb == "execve" else ""
        gone = share.leave()
        for sides in self.sides.values() if gone else ():
            sides[:] = [each for each in sides if each[1] not in gone]

    def _count_rest(self, share: _Share, mm: Mm) -> None:
        """Count what the child has to itself now, and what was never copied."""
        pfns = self._pages_of(mm)
        alone = self.kernel.mem_map.mapcount[pfns] == 1
        share.fork.private = int(np.count_nonzero(alone))
        kept = share.has["parent"] & share.has["child"]
        shared = np.unique(pfns[~alone])
        share.fork.kept = int(np.count_nonzero(np.isin(share.pfns[kept], shared)))

    def finish(self) -> None:
        """Count what is still shared at the end of the history."""
        if self.birth is not None:
            self._open(*self.birth)
        for number, share in self.born.items():
            self._count_rest(share, self.kernel.mms[number])

    def _keep_sums(self, places: range) -> None:
        if self.bill is None:
            return
        last = places.stop == self.bill.operations
        since = places.stop - self.bill.first
        if (since > 0 and -places.start % self.bill.every < len(places)) or last:
            by_parent, by_child, new = self.sums
            self.bill.over_time.append((places.stop - 1, by_parent, by_child, new))


def _of_birth(fork: Op, op: Op) -> bool:
    """Whether an operation is a part of a fork: a log's MADV_DONTFORK and MADV_WIPEONFORK are pages
    that the child loses in the line of its birth. Linux does not copy their entries at all."""
    return op.verb in ("munmap", "madvise") and (op.who, op.line) == (fork.who, fork.line or -1)


def _vpns(op: Op, npages: int, most: int) -> Vpns:
    """Return the pages that a touch names, int64[n]; `npages` is more than 1 for a run. More than
    `most`, the frames that there are, can never be made at once."""
    addr = int(op.args["addr"])
    nbytes = max(npages, int(op.args.get("pages", 1))) << PAGE_SHIFT
    start, stop = addr >> PAGE_SHIFT, (addr + nbytes + PAGE_MASK) >> PAGE_SHIFT
    return np.arange(start, min(stop, start + most), dtype=np.int64)


def _areas(mm: Mm, vpns: Vpns) -> Counter[str]:
    """Return how many of `vpns`, ascending, lie in which kind of memory."""
    found: Counter[str] = Counter()
    for vma in mm.overlapping(int(vpns[0]), int(vpns[-1]) + 1):
        inside = int(np.count_nonzero((vpns >= vma.start_vpn) & (vpns < vma.end_vpn)))
        if inside:
            found[_kind(mm, vma)] += inside
    return found


def _kind(mm: Mm, vma: Vma) -> str:
    """Return what people call this memory."""
    if vma.file is not None:
        return f"data of {vma.file.name}"
    if vma.growsdown:
        return "stack"
    return "heap" if mm.start_brk <= vma.start_vpn < mm.brk else "anonymous mappings"
