"""What a design keeps, as people see it in a snapshot: which object lists whose VMAs, and where a
walk would look."""

from __future__ import annotations

from watched import truth, walked

from anonlab import Kernel, Task

COLUMNS = ("per_mm_space", "anon_vma", "anon_vma_chain", "cow_context")
"""Designs whose VMAs take their offsets along when mremap moves them."""

Place = tuple[str, int]
"""(process, address)."""


def listed(kernel: Kernel) -> dict[str, list[Place]]:
    """By object of the design (its name in mem_map.mapping): process and first address of each
    VMA that it lists, in the order of the list."""
    snapshot = kernel.snapshot()
    label = {node.id: node.label for node in snapshot.nodes}
    owner = {edge.tail: edge.head for edge in snapshot.edges if edge.kind == "mm"}
    who = {f"mm{mm.mm}": mm.processes[0] for mm in snapshot.mms}
    objects: dict[str, list[Place]] = {
        node.label: [] for node in snapshot.nodes if node.kind not in ("vma", "mm")
    }
    for edge in snapshot.edges:
        if edge.kind in ("link", "tree"):
            addr = int(label[edge.head].split(",")[0], 16)
            objects[label[edge.tail]].append((who[owner[edge.head]], addr))
    return objects


def edges(kernel: Kernel, kind: str) -> list[tuple[str, str]]:
    """(tail, head) of the edges of one kind, by label, in order."""
    nodes, found = kernel.design.graph()
    label = {node.id: node.label for node in nodes}
    return [(label[edge.tail], label[edge.head]) for edge in found if edge.kind == kind]


def facts(kernel: Kernel, name: str) -> dict[str, str]:
    """What the graph says of the object called `name`."""
    (node,) = [node for node in kernel.design.graph()[0] if node.label == name]
    return dict(node.facts)


def looks_in(kernel: Kernel, pfn: int) -> list[Place]:
    """Where a walk for anonymous page `pfn` probes page tables if it never stops, in order."""
    mms, vpns, _ = kernel.design.candidates(pfn)
    who = {mm.number: kernel.any_process(mm).name for mm in kernel.mms.values()}
    return [(who[mm], vpn << 12) for mm, vpn in zip(mms.tolist(), vpns.tolist(), strict=True)]


def found(kernel: Kernel, pfn: int) -> list[tuple[str, int]]:
    """The mappers of a page, each entry of its chain one of them."""
    _, probes, mappers = walked(kernel, pfn)
    assert probes == len(mappers), "no entry is in vain"
    assert mappers == sorted(truth(kernel, pfn))
    return mappers


def is_direct(kernel: Kernel, task: Task, addr: int) -> bool:
    """True where the page has a direct pointer, no chain."""
    page = task.page(addr)
    assert page is not None
    return bool(kernel.design.pte[page.pfn] > 0)
