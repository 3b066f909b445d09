"""The simulated machine in a kernel's place: it shows what a real one shows, in the same words."""

from __future__ import annotations

import numpy as np

from anonlab.formats.history import History, Op
from anonlab.formats.observation import (
    FILE,
    PAGE,
    SWAP,
    ZERO,
    Observation,
    PageNames,
    PageSeen,
    Place,
    file_tags,
)
from anonlab.formats.recording import OpEffect
from anonlab.histories.run import Outcome, apply, make_kernel
from anonlab.kernel import Kernel
from anonlab.kernel.walk import walk_each
from anonlab.live.compare import pageouts
from anonlab.machine.words import PAGE_SHIFT, PG_ANON, PG_EXCLUSIVE, ZERO_PFN, swp_offset
from anonlab.proof.page_table_scan import scan
from anonlab.rmap import DESIGNS


class ModelKernel:
    """A simulated machine that shows what a real kernel shows."""

    def __init__(self, history: History, design: str) -> None:
        self.kernel = make_kernel(history, DESIGNS[design]())
        self.names = PageNames()
        self.rules: set[str] = set()
        """Names of the rules of `compare` by which the last operation was done."""
        self.raw: Observation = {}
        """The last observation, with frame numbers for names."""

    def do(self, op: Op) -> OpEffect:
        """Do `op` as a real kernel would be asked to, and show what is seen then."""
        self.rules = set()
        outcome = self._page_out(op) if op.verb == "swap_out" else self._apply(op)
        if op.verb == "file":
            file = self.kernel.files[op.who]
            file.store[:] = file_tags(op.who, file.npages)
        self.raw = observe(self)
        values = outcome.value if op.verb == "read" and not outcome.error else ()
        return OpEffect(_errno(outcome), tuple(values), self.names.name(self.raw))

    def _page_out(self, op: Op) -> Outcome:
        ops, skipped = pageouts(op, self.raw)
        for each in ops:
            apply(self.kernel, each)
        if skipped:
            self.rules.add("skipped_pageout")
        return Outcome()

    def _apply(self, op: Op) -> Outcome:
        filled = self._to_fill(op) if op.verb == "mprotect" and "w" in str(op.args["prot"]) else []
        outcome = apply(self.kernel, op)
        for start, end in () if outcome.error else filled:
            self.rules.add("locked_writable")
            where: dict[str, int | str | bool]
            where = {"addr": start << PAGE_SHIFT, "pages": end - start}
            apply(self.kernel, Op("mlock", op.who, where))
        return outcome

    def _to_fill(self, op: Op) -> list[tuple[int, int]]:
        """Return the ranges that are locked and private and become writable (locked_writable)."""
        task = self.kernel.processes.get(op.who)
        if task is None or task.mm is None:
            return []
        first = int(op.args["addr"]) >> PAGE_SHIFT
        end = first + int(op.args["pages"])
        return [
            (max(vma.start_vpn, first), min(vma.end_vpn, end))
            for vma in task.mm.overlapping(first, end)
            if vma.locked and not vma.shared and not vma.writable
        ]

    def missed(self, real: Observation, shown: Observation) -> int:
        """Return how many of the places that `real` shows the walks of the design miss."""
        pfns = {shown[place].name: seen.name for place, seen in self.raw.items()}
        where: dict[int, set[Place]] = {}
        for place, seen in real.items():
            if seen.state in (PAGE, FILE) and place in shown:
                where.setdefault(pfns[shown[place].name], set()).add(place)
        if not where:
            return 0
        users = users_of(self.kernel)
        walks = zip(where.values(), walk_each(self.kernel, list(where)), strict=True)
        return sum(
            len(
                places
                - {
                    (name, vpn)
                    for mm, vpn in zip(hits.mms, hits.vpns, strict=True)
                    for name in users[mm]
                }
            )
            for places, hits in walks
        )


def users_of(kernel: Kernel) -> dict[int, list[str]]:
    """Return the names of the processes that run in each address space, by its number."""
    users: dict[int, list[str]] = {}
    for name, task in kernel.processes.items():
        if task.mm is not None:
            users.setdefault(task.mm.number, []).append(name)
    return users


def observe(simulated: ModelKernel) -> Observation:
    """Return what stands in the page tables, with frame and slot numbers for names."""
    kernel, truth = simulated.kernel, scan(simulated.kernel)
    mem, marked = kernel.mem_map, kernel.cow.mark
    users = users_of(kernel)
    pfns = np.where(truth.present, truth.pfns, ZERO_PFN)
    columns = (truth.mms, truth.vpns, truth.words, truth.present, pfns)
    facts = (mem.mapcount[pfns], mem.has(pfns, PG_EXCLUSIVE), mem.data[pfns])
    anonymous = mem.has(pfns, PG_ANON).tolist()
    observation: dict[Place, PageSeen] = {}
    for anon, mm, vpn, word, present, pfn, mapcount, exclusive, data in zip(
        anonymous,
        *(column.tolist() for column in (*columns, *facts)),
        strict=True,
    ):
        if vpn >= kernel.geometry.task_npages - 2:
            continue  # the stack that execve makes: a real one lies outside the window
        if not present:
            seen = PageSeen(SWAP, swp_offset(word))
        elif pfn == ZERO_PFN:
            seen = PageSeen(ZERO, value=0)
        elif not anon:
            seen = PageSeen(FILE, pfn, mapcount, None, data)
        else:
            seen = PageSeen(PAGE, pfn, mapcount, exclusive if marked else None, data)
        observation |= dict.fromkeys(((name, vpn) for name in users[mm]), seen)
    return observation


def _errno(outcome: Outcome) -> str:
    """Return the name of the errno or signal in the message of an outcome, '' for success."""
    return outcome.error.split(": ")[1] if outcome.error else ""
