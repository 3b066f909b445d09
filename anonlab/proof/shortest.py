"""The shortest history in which something happens, found by trying all of them.

What is found cannot be made shorter with the same operations; what is not found does not happen
within so many of them. Both hold for these operations only.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from anonlab.errors import FormatError
from anonlab.formats.history import History, Op
from anonlab.formats.history_text import parse
from anonlab.histories.run import apply, make_kernel
from anonlab.kernel import Kernel
from anonlab.rmap import Rmap

Happened = Callable[[Kernel], bool]
MOST_STATES = 20_000
"""Of more machines than these no list is kept: there are too many operations, or too long ones."""


def shortest(
    start: str, lines: Sequence[str], happened: Happened, design: Callable[[], Rmap], most: int
) -> tuple[str, ...] | None:
    """Return the fewest of `lines`, in order, after which `happened`; None if no `most` of them do.

    start   the history that comes first; it is not counted
    lines   operations to choose from, each as often as it can be done; a name is given before it
            is used
    design  makes a design for each machine
    raises  FormatError if these are no histories, ValueError for too many machines
    """
    first = parse(start)
    ops = parse("\n".join((start, *lines))).ops[len(first.ops) :]
    paths: list[tuple[int, ...]] = [()]
    seen = {state_of(machine_after(first, (), design))}
    for _ in range(most):
        longer = []
        for path in paths:
            for number, op in enumerate(ops):
                kernel = machine_after(first, (ops[at] for at in path), design)
                if not is_done(kernel, op):
                    continue
                if happened(kernel):
                    return tuple(lines[at] for at in (*path, number))
                state = state_of(kernel)
                if state not in seen:
                    seen.add(state)
                    longer.append((*path, number))
        paths = longer
        if len(seen) > MOST_STATES:
            raise ValueError(f"more than {MOST_STATES} machines: give fewer than {len(ops)} lines")
    return None


def machine_after(first: History, ops: Iterable[Op], design: Callable[[], Rmap]) -> Kernel:
    """Return a machine on which `first` was run, then `ops`, all of which can be done."""
    kernel = make_kernel(first, design())
    for op in (*first.ops, *ops):
        apply(kernel, op)
    return kernel


def is_done(kernel: Kernel, op: Op) -> bool:
    """Do `op`; return whether that was possible."""
    try:
        return not apply(kernel, op).error
    except FormatError:  # a name that is there already
        return False


def state_of(kernel: Kernel) -> Hashable:
    """Return all that decides what a machine can do from now on."""
    mem = kernel.mem_map
    arrays = (mem.count, mem.mapcount, mem.mapping, mem.index, mem.flags, mem.data,
              kernel.tables.words, kernel.swap.map)  # fmt: skip
    processes = tuple((name, task.mm and task.mm.number) for name, task in kernel.processes.items())
    areas = [(mm.number, vma.start_vpn, vma.end_vpn, vma.prot, vma.pgoff)
             for mm in kernel.mms.values() for vma in mm.vmas]  # fmt: skip
    return (
        *(each.tobytes() for each in arrays),
        processes,
        tuple(areas),
        str(sorted(kernel.pins.items())),
        str(kernel.design.graph()),
    )
