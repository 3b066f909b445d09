"""Families of processes whose walks are counted: the settings of all golden values.

One page P at one address; the parent forks `n` children, c1 … cn. Cases:

A   child (n + 1) // 2 owns a page that it wrote after the forks
B   the parent's own page, written after the forks
C   a page that all share
D   the parent's page, which only the last child still maps
D'  the same, only the first child

"Only c still maps it" means that all others have written pages of their own there: every VMA is
still as it was, so a design that knows VMAs is not helped.
"""

from __future__ import annotations

from collections.abc import Collection

from watched import PAGE, walked

from anonlab import Kernel, Rmap, Task

SHARED, MIDDLE, PARENTS, LAST, FIRST, OWN = (0x30000 + n * PAGE for n in range(6))
"""One address for each case, in one VMA, so that one family serves all."""

Count = tuple[int, int]
"""(nodes visited, page tables probed)."""


def family(design: Rmap, n: int) -> tuple[Kernel, Task]:
    """A parent and its children c1 … cn, with every case laid out; nobody has exited."""
    kernel = Kernel(design, frames=n * 3 + 32, swap=0)
    parent = kernel.spawn("parent")
    parent.mmap(6 * PAGE, at=SHARED)
    parent.write_range(SHARED, range(6))
    children = [parent.fork(f"c{number}") for number in range(1, n + 1)]
    children[(n + 1) // 2 - 1].write(MIDDLE, 100)
    parent.write(PARENTS, 101)
    for task in (parent, *children):
        if task is not children[-1]:
            task.write(LAST, 102)
        if task is not children[0]:
            task.write(FIRST, 103)
    for child in children:
        child.write(OWN, 200)
    return kernel, parent


def count(kernel: Kernel, task: Task, addr: int) -> Count:
    """Walk for the page that `task` maps at `addr`; the walk must find all its mappings."""
    page = task.page(addr)
    assert page is not None, f"{task.name} maps nothing at {addr:#x}"
    nodes, probes, mappers = walked(kernel, page.pfn)
    assert len(mappers) == page.mapcount
    return nodes, probes


def cases(kernel: Kernel, n: int) -> tuple[Count, ...]:
    """The counts of the cases A, B, C, D and D' in a family of `n`."""
    tasks = kernel.processes
    places = (
        (tasks[f"c{(n + 1) // 2}"], MIDDLE),
        (tasks["parent"], PARENTS),
        (tasks["parent"], SHARED),
        (tasks[f"c{n}"], LAST),
        (tasks["c1"], FIRST),
    )
    return tuple(count(kernel, task, addr) for task, addr in places)


def own_pages(kernel: Kernel, n: int) -> list[Count]:
    """The counts of each child's own page, c1 first."""
    return [count(kernel, kernel.processes[f"c{i}"], OWN) for i in range(1, n + 1)]


def orphans(design: Rmap, n: int, mappers: Collection[int]) -> Kernel:
    """A family of `n` whose parent has exited; its page at SHARED is mapped only by the children
    with the numbers `mappers`, the others have written their own."""
    kernel = Kernel(design, frames=n + 32, swap=0)
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=SHARED)
    parent.write(SHARED, 1)
    children = {i: parent.fork(f"c{i}") for i in range(1, n + 1)}
    parent.exit()
    for i, child in children.items():
        if i not in mappers:
            child.write(SHARED, 2)
    return kernel


def dead_ancestors(design: Rmap, depth: int = 100) -> tuple[Kernel, Task]:
    """A chain of `depth` forks, g0, g1, …, in which every parent exits; the last one lives and has
    the page of g0 at SHARED."""
    kernel = Kernel(design)
    task = kernel.spawn("g0")
    task.mmap(PAGE, at=SHARED)
    task.write(SHARED, 1)
    for generation in range(1, depth + 1):
        child = task.fork(f"g{generation}")
        task.exit()
        task = child
    return kernel, task


ONLY_LAST, OWN_LAST, OWN_50, FROM_50 = (SHARED + n * PAGE for n in range(1, 5))


def generations(design: Rmap) -> tuple[Kernel, list[Task]]:
    """A chain of a hundred forks, g0 … g100, that all live: one VMA each, with

    SHARED     g0's page, shared by all
    ONLY_LAST  g0's page, which only g100 still maps
    OWN_LAST   g100's own page
    OWN_50     g50's own page
    FROM_50    g50's page, shared by g50 … g100
    """
    kernel = Kernel(design, frames=300)
    tasks = [kernel.spawn("g0")]
    tasks[0].mmap(5 * PAGE, at=SHARED)
    tasks[0].write_range(SHARED, range(5))
    for generation in range(1, 101):
        tasks.append(tasks[-1].fork(f"g{generation}"))
        if generation == 50:
            tasks[50].write(FROM_50, 50)
    for task in tasks[:100]:
        task.write(ONLY_LAST, 2)
    tasks[100].write(OWN_LAST, 1)
    tasks[50].write(OWN_50, 1)
    return kernel, tasks
