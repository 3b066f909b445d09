"""Exercise 11a: where pages of files and of groups may be mapped, and which writes copy."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from anonlab.course.judging.call_answers import Question, judge
from anonlab.course.judging.families import histories
from anonlab.course.judging.state import before_after
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.histories.run import run
from anonlab.kernel.walk import places_of
from anonlab.machine.words import PG_ANON, PTE_PRESENT, PTE_SHIFT

FAMILIES = ("files", "forked", "family", "mixed")
WRITES = ("files", "forked", "family")
"""Without swap: its cache is one more who holds a page."""
STORY = parse(
    "notes = file 3\nown = file 1\np = spawn\np mmap 0x70000 1 rw file own\np read 0x70000\n"
    "p write 0x70000 4\np mmap 0x30000 3 rw file notes shared\n"
    "p mmap 0x40000 2 rw file notes offset 1\np mmap 0x50000 2\np mmap 0x60000 2 shared\n"
    "p read 0x30000 3\np read 0x40000 2\np write 0x50000 1 2\np write 0x60000 1 2\n"
    "c = fork p\nc write 0x30000 9\nc write 0x40000 9\nc write 0x50000 9\np write 0x50000 8\n"
    "p write 0x41000 7\nc write 0x60000 5\n"
)
"""Pages of a file, shared and private, memory shared without a file, and pages of a group."""


@lru_cache(maxsize=256)
def places_after(text: str) -> tuple[Question, ...]:
    """A question for each page that is mapped."""
    kernel, found = run(parse(text)).kernel, []
    mem = kernel.mem_map
    groups = {number: list(group.mms) for number, group in kernel.design.groups.items()}
    files = {
        file.mapping: [(v.mm.number, v.start_vpn, v.end_vpn, v.pgoff) for v in file.vmas]
        for file in kernel.files.values()
    }
    for pfn in np.flatnonzero(mem.mapcount > 0).tolist():
        anonymous = bool(mem.flags[pfn] & PG_ANON)
        named = places_of(kernel, pfn)
        right = list(zip(named.mms.tolist(), named.vpns.tolist(), strict=True))
        args = (anonymous, int(mem.mapping[pfn]), int(mem.index[pfn]), groups, files)
        found.append(Question("places", args, right, f"frame {pfn}"))
    return tuple(found)


def pages(history: History) -> Iterator[Question]:
    """Questions about pages."""
    yield from places_after(history_text(history))


def writes(history: History) -> Iterator[Question]:
    """A question for each page that was mapped when somebody wrote to it."""
    for op, outcome, before, after, geometry in before_after(history):
        if op.verb != "write" or outcome.error:
            continue
        first = int(op.args["addr"]) >> 12
        for vpn in range(first, first + int(op.args.get("pages", 1))):
            word = before.words[op.who].get(vpn, 0)
            area, pfn = before.area(op.who, vpn), word >> PTE_SHIFT
            if not word & PTE_PRESENT or not pfn or area is None:
                continue
            moved = after.words[op.who][vpn] >> PTE_SHIFT != pfn
            args = (area.shared, bool(before.flags[pfn] & PG_ANON), before.mapcount[pfn])
            where = f"the write of {op.who} at {geometry.address(vpn)}"
            yield Question("needs_copy", args, moved, where)


PLACES_GUESSES = {
    "Did you look for a page of a file in a group? Its mapping is the number of a file.": (
        lambda args, right: [(mm, args[2]) for mm in args[3].get(args[1], ())]
    ),
    "Did you take the page of the file for the page number? A VMA shows page pgoff at start.": (
        lambda args, right: [(mm, args[2]) for mm, _ in right]
    ),
    "Did you forget that a VMA may not reach the page? It shows end - start pages.": (
        lambda args, right: [(mm, start + args[2] - pgoff) for mm, start, _, pgoff in args[4].get(
            args[1], ())] if not args[0] else right
    ),
    "Did you leave out the last page of a VMA? [start, end) has end - start pages.": (
        lambda args, right: [
            (mm, start + args[2] - pgoff)
            for mm, start, end, pgoff in args[4].get(args[1], ())
            if pgoff <= args[2] < pgoff + end - start - 1
        ]
        if not args[0]
        else right
    ),
    "Did you look at one address space of the group? Each of its members may have the page.": (
        lambda args, right: right[:1]
    ),
}  # fmt: skip
COPY_GUESSES = {
    "Did you copy a page of a shared VMA? All who have it are to see the write.": (
        lambda args, right: not args[1] or args[2] > 1
    ),
    "Did you let somebody write to the file's own page? In a private VMA it is copied, even for "
    "the only one who has it.": lambda args, right: not args[0] and args[2] > 1,
    "Did you write in place although others have the page? They would see it.": (
        lambda args, right: not args[0] and not args[1]
    ),
    "Did you copy the page of a writer who is alone? Nobody else can see the write.": (
        lambda args, right: not args[0]
    ),
}
CASES = {
    "a page of a file": lambda each: not each.args[0],
    "an anonymous page": lambda each: each.args[0],
    "a page of a file in two places": lambda each: not each.args[0] and len(each.right) > 1,
    "a VMA that does not reach the page": lambda each: (
        not each.args[0] and len(each.args[4][each.args[1]]) > len(each.right)
    ),
}
KINDS = {
    "a shared VMA with several mappers": lambda each: each.args[0] and each.args[2] > 1,
    "a private page of a file that one has": lambda each: each.args == (False, False, 1),
    "a private page of a file that several have": lambda each: (
        not each.args[0] and not each.args[1] and each.args[2] > 1
    ),
    "a page of the writer alone": lambda each: each.args[1] and each.args[2] == 1,
    "an anonymous page of two": lambda each: each.args[1] and each.args[2] > 1,
}


def test_places(student: Any, seed: int) -> None:
    """places finds the users of pages of files and of groups."""
    judge(student, [STORY, *histories(FAMILIES, seed, 12)], pages, PLACES_GUESSES, 30, CASES)


def test_needs_copy(student: Any, seed: int) -> None:
    """needs_copy knows which writes make a copy."""
    judge(student, [STORY, *histories(WRITES, seed, 12)], writes, COPY_GUESSES, 20, KINDS)
