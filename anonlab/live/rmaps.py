"""The running kernel's own reverse map beside the simulated anon_vma_chain, in one form and one
picture; where kernel memory cannot be read, a recorded kernel's, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from anonlab.formats.history import History
from anonlab.formats.history_text import format_op
from anonlab.formats.observation import Place
from anonlab.formats.rmap_graph import (
    AnonVmaFact,
    AreaFact,
    PageFact,
    RmapGraph,
    differences,
    renumbered,
)
from anonlab.kernel import Kernel
from anonlab.linux.real_graph import RmapEffect, record_rmap, recorded_rmap, watch_rmap, why_not
from anonlab.live.compare import divergence
from anonlab.live.model import ModelKernel
from anonlab.live.source import kernel_name, lacks_swap
from anonlab.live.steps import RULES
from anonlab.machine.words import PG_ANON, ZERO_PFN
from anonlab.proof import replaying as replay
from anonlab.proof.page_table_scan import scan
from anonlab.view.stage.picture import SideBySide
from anonlab.view.stage.rmaps import rmaps_svg, rmaps_text

DESIGN = "anon_vma_chain"


@dataclass(frozen=True)
class RmapComparison:
    """Two reverse maps after each operation of a history.

    ours, real   graphs, one per operation
    kernel       "Linux 6.18.44" · live  of the kernel that runs here · reason  why not, else ''
    diverged_by  the rule of `compare` by which the two go different ways from the next operation
                 on, so that `history` ends here; '' if it is whole
    """

    history: History
    ours: tuple[RmapGraph, ...]
    real: tuple[RmapGraph, ...]
    kernel: str
    live: bool
    reason: str = ""
    diverged_by: str = ""

    @property
    def source(self) -> str:
        """Where the kernel's side comes from, in a sentence."""
        if self.live:
            return f"read from the memory of the kernel that runs here, {self.kernel}"
        return f"recorded on {self.kernel}; the running kernel was not read: {self.reason}"

    def differences(self) -> list[str]:
        """Return what differs after any operation, a sentence each, with the operation."""
        return [
            f"operation {at + 1}, {format_op(self.history.ops[at])}: {sentence}"
            for at, (ours, real) in enumerate(zip(self.ours, self.real, strict=True))
            for sentence in differences(ours, real)
        ]

    def after(self, operation: int = 0) -> SideBySide:
        """Return the picture after operation number `operation`, from 1; 0 is the last.

        raises  ValueError if there is no such operation
        """
        number = operation or len(self.ours)
        if not 1 <= number <= len(self.ours):
            raise ValueError(f"operation is 1 to {len(self.ours)}, got {operation}")
        op = format_op(self.history.ops[number - 1])
        pair = self.ours[number - 1], self.real[number - 1]
        titles = (f"simulated: {DESIGN}", f"real: {self.kernel}")
        said = f"After operation {number}, {op}. The kernel's side: {self.source}."
        if self.diverged_by and number == len(self.ours):
            said += f" They part with the next operation: {RULES[self.diverged_by]}."
        return SideBySide(rmaps_svg(pair, titles), rmaps_text(pair, titles), said)

    def _repr_html_(self) -> str:
        return self.after()._repr_html_()

    def __repr__(self) -> str:
        return repr(self.after())


def compare_rmaps(name: str, live: bool | None = None) -> RmapComparison:
    """Return both reverse maps under the history of a recording that comes with anonlab.

    live    True insists on the running kernel, False on the recording; None takes the running one
            where its memory can be read
    raises  ValueError for an unknown name, or if the running kernel is insisted on and cannot be
            read
    """
    recording = recorded_rmap(name)
    reason = "a recording was asked for"
    if live is not False:
        reason = why_not() or lacks_swap(recording.history)
    if live and reason:
        raise ValueError(f"the running kernel's reverse map cannot be read: {reason}")
    ours = tuple(after.graph for after in model_effects(recording.history))
    if reason:
        return RmapComparison(
            recording.history, ours, recording.graphs, kernel_name(recording.kernel), False, reason
        )
    return compare_rmaps_live(recording.history)


def compare_rmaps_live(history: History) -> RmapComparison:
    """Return both reverse maps under any history, up to an operation that Linux of today does and
    the simulated machine does not, or the other way round.

    raises  ValueError or OSError if the running kernel cannot be read, FormatError if real
            processes cannot do it
    """
    pairs: list[tuple[RmapGraph, RmapGraph]] = []
    diverged_by = ""
    with closing(watch_rmap(history)) as kernel:
        for op, here, there in zip(history.ops, model_effects(history), kernel, strict=True):
            diverged_by = divergence(op, here.error, there.error)
            if diverged_by:
                break
            pairs.append((here.graph, there.graph))
    ours, real = tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)
    done = replace(history, ops=history.ops[: len(pairs)])
    return RmapComparison(done, ours, real, kernel_name(), live=True, diverged_by=diverged_by)


def record_rmap_of_file(path: Path, output: Path) -> str:
    """Record the running kernel's reverse map under the history in a file; return in a sentence
    what was written.

    raises  ValueError or OSError if the file holds no history, kernel memory cannot be read, or
            the recording cannot be written
    """
    if reason := why_not():
        raise ValueError(f"the running kernel's reverse map cannot be read: {reason}")
    made = record_rmap(replay.read(path, "anongroup").history, output)
    last = made.graphs[-1] if made.graphs else RmapGraph()
    return (
        f"{len(made.graphs)} operations, at last {len(last.anon_vmas)} anon_vmas behind "
        f"{len(last.pages)} pages, in {output}"
    )


def model_effects(history: History) -> Iterator[RmapEffect]:
    """Do `history` on the simulated machine; yield what each operation leaves."""
    machine = ModelKernel(history, DESIGN)
    for op in history.ops:
        shown = machine.do(op)
        yield RmapEffect(shown.error, model_graph(machine.kernel))


def model_graph(kernel: Kernel) -> RmapGraph:
    """Return what can be reached from the pages of a kernel with the design anon_vma_chain."""
    design: Any = kernel.design
    places = _places(kernel)
    mem = kernel.mem_map
    anons = _reachable({design.anon_vmas[int(mem.mapping[pfn])] for pfn in places})
    names = {task.mm.number: name for name, task in kernel.processes.items() if task.mm}
    vmas = dict.fromkeys(vma for anon in anons for vma in anon.vmas)
    return renumbered(
        {
            anon.number: AnonVmaFact(
                *(anon.number, anon.parent.number, anon.root.number),
                *(anon.num_children, anon.num_active_vmas, anon.refcount),
            )
            for anon in anons
        },
        [
            AreaFact(
                *(names[vma.mm.number], vma.start_vpn, vma.npages, vma.pgoff),
                tuple(anon.number for anon in vma.rmap.links),
                vma.rmap.own.number,
            )
            for vma in vmas
        ],
        [
            PageFact(
                tuple(sorted(places[pfn])),
                *(int(mem.mapping[pfn]), int(mem.index[pfn]), int(mem.mapcount[pfn])),
            )
            for pfn in places
        ],
    )


def _places(kernel: Kernel) -> dict[int, list[Place]]:
    """Return where every anonymous page is mapped, by frame; the stack that execve makes lies
    outside what is looked at on a real kernel."""
    truth = scan(kernel)
    names = {task.mm.number: name for name, task in kernel.processes.items() if task.mm}
    found: dict[int, list[Place]] = {}
    columns = (truth.mms, truth.vpns, truth.pfns, truth.present)
    for mm, vpn, pfn, present in zip(*(column.tolist() for column in columns), strict=True):
        anonymous = present and pfn != ZERO_PFN and kernel.mem_map.has(pfn, PG_ANON)
        if anonymous and vpn < kernel.geometry.task_npages - 2:
            found.setdefault(pfn, []).append((names[mm], vpn))
    return found


def _reachable(start: Iterable[Any]) -> list[Any]:
    """Return the anon_vmas that trees, chains, parents and roots lead to from `start`."""
    todo, found = list(start), {}
    while todo:
        anon = todo.pop()
        if anon.number not in found:
            found[anon.number] = anon
            todo += [
                anon.parent,
                anon.root,
                *(each for vma in anon.vmas for each in vma.rmap.links),
            ]
    return list(found.values())
