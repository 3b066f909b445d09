"""The simulated machine in a kernel's place: it shows what a real one shows, in the same words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from anonlab.formats.history import History, Op
from anonlab.formats.observation import (
    FILE,
    PAGE,
    SHMEM,
    SWAP,
    ZERO,
    Areas,
    AreaSeen,
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
from anonlab.live.compare import TOUCHES, pageouts, touched
from anonlab.machine.words import PAGE_SHIFT, PG_ANON, PG_EXCLUSIVE, ZERO_PFN, swp_offset
from anonlab.mm import Mm, Vma, prot_letters
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
        named = self.names.name(self.raw)
        return OpEffect(_errno(outcome), tuple(values), named, areas_of(self.kernel))

    def _page_out(self, op: Op) -> Outcome:
        """Do what MADV_PAGEOUT does: holes are passed over, locked memory stops it."""
        task = self.kernel.processes.get(op.who)
        if task is None or task.mm is None:
            return apply(self.kernel, op)
        vmas = {vpn: task.mm.find_vma(vpn) for _, vpn in touched(op)}
        locked = next((vpn for vpn, vma in vmas.items() if vma is not None and vma.locked), None)
        ops, skipped = pageouts(op, self.raw)
        for each in ops:
            if locked is None or int(each.args["addr"]) >> PAGE_SHIFT < locked:
                apply(self.kernel, each)
        if skipped:
            self.rules.add("skipped_pageout")
        error = "EINVAL" if locked is not None else "ENOMEM" if None in vmas.values() else ""
        return Outcome(f"{op.who}: {error}: swap_out" if error else "")

    def _apply(self, op: Op) -> Outcome:
        """Do `op`. Programs touch page after page: those before the first forbidden one are
        touched, though the call that names them all is none of them."""
        outcome = apply(self.kernel, op)
        several = op.verb in TOUCHES and int(op.args.get("pages", 1)) > 1
        return self._page_by_page(op) if outcome.error and several else outcome

    def _page_by_page(self, op: Op) -> Outcome:
        first, value = int(op.args["addr"]), int(op.args.get("value", 0))
        done: list[dict[str, int | str | bool]] = []
        values: list[int] = []
        for page in range(int(op.args["pages"])):
            args: dict[str, int | str | bool] = {"addr": first + (page << PAGE_SHIFT)}
            if op.verb == "write":
                args["value"] = value + page
            outcome = apply(self.kernel, Op(op.verb, op.who, args))
            if outcome.error:
                for pinned in done if op.verb == "pin" else ():
                    apply(self.kernel, Op("unpin", op.who, pinned))
                return outcome
            done.append(args)
            values += outcome.value if op.verb == "read" else ()
        return Outcome(value=values)

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
        walks = zip(where.values(), walk_each(self.kernel, list(where)).each(), strict=True)
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


def areas_of(kernel: Kernel) -> Areas:
    """Return the VMAs of each process that has some, without the stack that execve makes."""
    return {
        name: areas
        for name, task in sorted(kernel.processes.items())
        if task.mm is not None and (areas := tuple(map(_area, _shown(kernel, task.mm))))
    }


def _shown(kernel: Kernel, mm: Mm) -> Iterator[Vma]:
    """Yield the VMAs that lie in the window of real processes."""
    return (vma for vma in mm.vmas if vma.end_vpn < kernel.geometry.task_npages)


def _area(vma: Vma) -> AreaSeen:
    file = "" if vma.file is None else SHMEM if vma.file.shmem else vma.file.name
    return AreaSeen(
        vma.start_vpn,
        vma.end_vpn,
        prot_letters(vma.prot),
        vma.shared,
        file,
        vma.pgoff if file else 0,
        vma.locked,
        vma.growsdown,
    )


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
