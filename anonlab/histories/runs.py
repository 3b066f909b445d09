"""Touches that follow each other upwards, done as one range: what a program does page by page is
one gather for the machine. A range of n pages ends as n touches do (tests/kernel/test_ranges.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from anonlab.errors import SimulatedError
from anonlab.formats.history import Op
from anonlab.kernel import Kernel
from anonlab.machine.words import PAGE_MASK, PAGE_SIZE

_TOUCHES = ("read", "write")


def runs(ops: Iterable[Op], longest: int) -> Iterator[tuple[int, list[Op]]]:
    """Yield the operations that can be done as one, at most `longest` of them, in order, each time
    with the place of the first; most stand alone."""
    place, run = 0, list[Op]()
    for op in ops:
        if run:
            if len(run) < longest and _follows(run[-1], op):
                run.append(op)
                continue
            yield place, run
            place += len(run)
            run = []
        if op.verb in _TOUCHES and _is_one_page(op):
            run.append(op)
        else:
            yield place, [op]
            place += 1
    if run:
        yield place, run


def _is_one_page(op: Op) -> bool:
    """True for a touch of one whole page."""
    return "pages" not in op.args and not int(op.args["addr"]) & PAGE_MASK


def _follows(before: Op, op: Op) -> bool:
    """True for a touch of the next page, by the same process and in the same way."""
    if op.verb != before.verb or op.who != before.who or "pages" in op.args:
        return False
    return int(op.args["addr"]) == int(before.args["addr"]) + PAGE_SIZE


def touched_as_one(kernel: Kernel, ops: Sequence[Op]) -> bool:
    """Do the touches of a run as one; False if one of them fails: they must be done one by one
    then, and nothing is done yet (a stack may have grown for the first)."""
    first = ops[0]
    task = kernel.processes.get(first.who)
    if task is None:
        return False
    addr = int(first.args["addr"])
    try:
        if first.verb == "read":
            task.read_range(addr, len(ops) * PAGE_SIZE)
        else:
            values = np.array([op.args["value"] for op in ops], dtype=np.int64)
            task.write_range(addr, values)
    except SimulatedError:
        return False
    return True
