"""How often does mremap meet a page that is shared? Counted on recorded programs.

The mail of 13 March 2004 copies such pages, and hopes that it "should usually not even trigger".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from anonlab.formats.history import Op
from anonlab.histories import library
from anonlab.histories.run import Outcome, make_kernel, run_on
from anonlab.histories.strace.log import read_strace
from anonlab.kernel import Kernel
from anonlab.machine.words import PAGE_SHIFT, PG_ANON, PTE_PRESENT, PTE_SHIFT


class MovesMet(NamedTuple):
    """The mremap calls of a recorded program: how many there were, how many took pages to another
    address, how many of these met a page that another address space had too, and how many pages
    the anon memory group copied for it. Which pages were touched is known by a rule only."""

    program: str
    calls: int
    moved: int
    met_shared: int
    copied: int


def moves_met(program: str) -> MovesMet:
    """Run the recorded `program` under the anon memory group and count its moves.

    raises  ValueError if there is no such log
    """
    history = read_strace(library.log(program)).history
    kernel = make_kernel(history)
    shared: list[bool] = []
    moved: list[bool] = []

    def before(op: Op) -> None:
        if op.verb == "mremap":
            shared.append(bool(shared_pages(kernel, op)))

    def after(op: Op, outcome: Outcome) -> None:
        if op.verb == "mremap":
            moved.append(not outcome.error and outcome.value != op.args["addr"])

    run_on(kernel, history, before, after)
    met = sum(each and other for each, other in zip(shared, moved, strict=True))
    return MovesMet(program, len(moved), sum(moved), met, kernel.design.cost.copies_mremap)


def shared_pages(kernel: Kernel, op: Op) -> int:
    """Return how many anonymous pages in the range of the mremap `op` others map, too."""
    task = kernel.processes.get(op.who)
    if task is None or task.mm is None:
        return 0
    first = int(op.args["addr"]) >> PAGE_SHIFT
    words = kernel.tables.span(task.mm.pgd, first, first + int(op.args["pages"])).words
    pfns = words[(words & PTE_PRESENT) != 0] >> PTE_SHIFT
    mem = kernel.mem_map
    found = (mem.mapcount[pfns] > 1) & ((mem.flags[pfns] & PG_ANON) != 0)
    return int(np.count_nonzero(found))
