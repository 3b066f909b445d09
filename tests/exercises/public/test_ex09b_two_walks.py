"""Exercise 09b: where two designs look for every anonymous page after a history."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from anonlab.course.judging.call_answers import Question, judge
from anonlab.course.judging.families import histories
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.histories.run import run
from anonlab.machine.words import PAGE_SHIFT, PG_ANON

FAMILIES = ("forked", "family", "moved", "mixed")


def mapped(kernel: Any) -> list[int]:
    """Every anonymous page that is mapped."""
    mem = kernel.mem_map
    found: list[int] = np.flatnonzero(((mem.flags & PG_ANON) != 0) & (mem.mapcount > 0)).tolist()
    return found


def places(kernel: Any, pfn: int) -> list[tuple[int, int]]:
    """Where the design looks."""
    named = kernel.design.candidates(pfn)
    return list(zip(named.mms.tolist(), named.vpns.tolist(), strict=True))


@lru_cache(maxsize=256)
def rings_after(text: str) -> tuple[Question, ...]:
    """A question for each page under anonmm."""
    kernel, found = run(parse(text), "anonmm").kernel, []
    for pfn in mapped(kernel):
        home = kernel.design.nodes[int(kernel.mem_map.mapping[pfn])]
        nodes = list(home.ring.nodes.values())
        ring = [node.mm if kernel.mm_table.rss[node.mm] else 0 for node in nodes]
        vpn = int(kernel.mem_map.index[pfn]) >> PAGE_SHIFT
        args = (ring, nodes.index(home), vpn)
        found.append(Question("anonmm_places", args, places(kernel, pfn), f"frame {pfn}"))
    return tuple(found)


@lru_cache(maxsize=256)
def lists_after(text: str) -> tuple[Question, ...]:
    """A question for each page under anon_vma."""
    kernel, found = run(parse(text), "anon_vma").kernel, []
    for pfn in mapped(kernel):
        anon = kernel.design.anon_vmas[int(kernel.mem_map.mapping[pfn])]
        vmas = [vma for vma in anon.vmas if kernel.mm_table.rss[vma.mm.number]]
        plain = [(v.mm.number, v.start_vpn, v.end_vpn, kernel.design.first_index(v)) for v in vmas]
        args = (plain, int(kernel.mem_map.index[pfn]))
        found.append(Question("anon_vma_places", args, places(kernel, pfn), f"frame {pfn}"))
    return tuple(found)


def rings(history: History) -> Iterator[Question]:
    """Questions about anonmm."""
    yield from rings_after(history_text(history))


def lists(history: History) -> Iterator[Question]:
    """Questions about anon_vma."""
    yield from lists_after(history_text(history))


RING_GUESSES = {
    "Did you begin with the oldest node? The walk begins at home.": (
        lambda args, right: [(mm, args[2]) for mm in args[0] if mm]
    ),
    "Did you stop at the end of the list? The ring goes on from the front, up to home.": (
        lambda args, right: [(mm, args[2]) for mm in args[0][args[1] :] if mm]
    ),
    "Did you look at nodes whose address space is gone? They are passed over.": (
        lambda args, right: [(mm, args[2]) for mm in args[0][args[1] :] + args[0][: args[1]]]
    ),
}
LIST_GUESSES = {
    "Did you forget that a VMA may not reach the page? Its first page has pgoff as index.": (
        lambda args, right: [(mm, s + args[1] - pgoff) for mm, s, _, pgoff in args[0][::-1]]
    ),
    "Did you take the index for the page number? After mremap the two differ.": (
        lambda args, right: [(mm, args[1]) for mm, _ in right]
    ),
    "Did you begin with the oldest VMA? New ones stand at the head of the list.": (
        lambda args, right: right[::-1]
    ),
    "Did you leave out the last page of a VMA? [start, end) has end - start pages.": (
        lambda args, right: [
            (mm, s + args[1] - pgoff)
            for mm, s, end, pgoff in args[0][::-1]
            if pgoff <= args[1] < pgoff + end - s - 1
        ]
    ),
}


def test_anonmm(student: Any, seed: int) -> None:
    """anonmm_places goes round the ring from home."""
    judge(student, histories(FAMILIES, seed, 16, 30), rings, RING_GUESSES, least=30)


def test_anon_vma(student: Any, seed: int) -> None:
    """anon_vma_places finds the page in VMAs that have moved."""
    judge(student, histories(FAMILIES, seed, 16, 30), lists, LIST_GUESSES, least=30)
