"""Golden counts: what two families of processes must cost under each design, to the last node.

Random histories see whether a walk finds everything; they do not see a design that finds it by a
longer way than its author's. These counts do. They follow from the designs' rules alone, and were
computed by hand from those: positions in a list, lengths of a ring, blocks of a chain.
"""

from __future__ import annotations

from collections.abc import Callable

from anonlab.formats.history_text import format as history_text
from anonlab.histories.costs import WALK, compare
from anonlab.histories.scenarios import Scenario, fork_chain, prefork, written_in_place
from anonlab.rmap import Rmap

CHILDREN, DEPTH = 10, 100
Counts = tuple[tuple[int, int], ...]

PREFORK: dict[str, Counts] = {
    "pte_chain": ((0, 1), (0, 1), (2, 11), (0, 1), (0, 1), (0, 10)),
    "per_mm_space": ((6, 6), (1, 1), (11, 11), (11, 11), (2, 2), (65, 65)),
    "anongroup": ((6, 6), (1, 1), (11, 11), (11, 11), (2, 2), (65, 65)),
    "anonmm": ((1, 1), (1, 1), (11, 11), (11, 11), (2, 2), (10, 10)),
    "anon_vma": ((6, 6), (11, 11), (11, 11), (1, 1), (10, 10), (55, 55)),
    "anon_vma_chain": ((1, 1), (1, 1), (11, 11), (11, 11), (2, 2), (10, 10)),
    "cow_context": ((1, 1), (1, 1), (11, 11), (2, 2), (11, 11), (10, 10)),
}
"""(nodes, probes) of the walks of `prefork(10)`, in its order."""
IN_PLACE: dict[str, tuple[int, int]] = {
    "pte_chain": (0, 1),
    "per_mm_space": (11, 11),
    "anongroup": (11, 11),
    "anonmm": (11, 11),
    "anon_vma": (1, 1),
    "anon_vma_chain": (1, 1),
    "cow_context": (1, 1),
}
"""(nodes, probes) after the last child has written a page that was its parent's in place: today it
has moved to the writer, before 2010 it stayed where it was."""
FORK_CHAIN: dict[str, int] = {
    "pte_chain": 0,
    "per_mm_space": 1,
    "anongroup": 1,
    "anonmm": 2,
    "anon_vma": 1,
    "anon_vma_chain": 3,
    "cow_context": 101,
}
"""Objects that pages can name, left after a hundred generations of which each has exited but the
last, which still maps a page of the first."""


def faults(design: Callable[[], Rmap]) -> list[str]:
    """Return where a new `design()` costs something else than its golden counts, as the texts of
    histories with what was wrong as a comment. A design that the kit does not have is held to
    none; that those of the kit have them is a test's business (tests/rmap/test_conformance.py)."""
    name = design().name
    if name not in PREFORK:
        return []
    return [
        *_walks(design, prefork(CHILDREN), PREFORK[name]),
        *_walks(design, written_in_place(CHILDREN), (IN_PLACE[name],)),
        *_left(design, fork_chain(DEPTH), FORK_CHAIN[name]),
    ]


def _walks(design: Callable[[], Rmap], scenario: Scenario, expected: Counts) -> list[str]:
    rows = [row for row in compare(scenario, [design()]).rows if row.operation.startswith(WALK)]
    counts = tuple((row.costs["nodes"], row.costs["probes"]) for row in rows)
    return [
        _text(scenario, f"{row.operation}: (nodes, probes) {count}, {right} would be right")
        for row, count, right in zip(rows, counts, expected, strict=True)
        if count != right
    ]


def _left(design: Callable[[], Rmap], scenario: Scenario, expected: int) -> list[str]:
    new = design()
    compare(scenario, [new])
    left = new.owners_made - new.owners_freed
    right = f"{expected} would be right"
    return [_text(scenario, f"{left} objects are left, {right}")] if left != expected else []


def _text(scenario: Scenario, what: str) -> str:
    return f"{history_text(scenario.history)}# {what}\n"
