"""Exercise 02a: VMAs before and after munmap, and VMAs cut at every page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from anonlab.course.judging.call_answers import Question, judge
from anonlab.course.judging.families import histories
from anonlab.course.judging.marks import needs
from anonlab.course.judging.state import Area, before_after, state_after
from anonlab.formats.history import History, Op
from anonlab.formats.history_text import parse

FAMILIES = ("areas", "files", "mixed", "moved")


def plain(areas: list[Area]) -> list[tuple[int, int, str, int]]:
    """VMAs as the exercise has them."""
    return [(area.start, area.end, area.prot, area.pgoff) for area in areas]


def show(value: Any) -> str:
    """Page numbers as hex."""
    if isinstance(value, list | tuple) and value and isinstance(value[0], list | tuple):
        return f"[{', '.join(map(show, value))}]"
    if isinstance(value, list | tuple) and len(value) == 4:
        start, end, prot, pgoff = value
        return f"({start:#x}, {end:#x}, {prot!r}, pgoff {pgoff:#x})"
    return repr(value)


def cuts(history: History) -> Iterator[Question]:
    """One question for each page at which a VMA can be cut; the kernel unmaps one part or the
    other to tell what is left."""
    for who, areas in state_after(history).areas.items():
        for area in [each for each in areas if each.end - each.start > 1][:2]:
            at = area.start + 1 + (area.start + area.pgoff) % (area.end - area.start - 1)
            lower = left(history, who, at, area.end, area.start)
            upper = left(history, who, area.start, at, at)
            where = f"a VMA of {who}, cut before page {at:#x}"
            yield Question("split", (plain([area])[0], at), (lower, upper), where, show)


def left(history: History, who: str, start: int, end: int, kept: int) -> tuple[Any, ...]:
    """The VMA that begins at page `kept` after an munmap of [start, end)."""
    op = Op("munmap", who, {"addr": start << 12, "pages": end - start})
    after = state_after(replace(history, ops=(*history.ops, op)))
    found = after.area(who, kept)
    assert found is not None, f"munmap of {start:#x} took page {kept:#x} along"
    return plain([found])[0]


CUT_GUESSES = {
    "Did you leave the upper part's pgoff as it was? Then its pages show what stood further down.": (
        lambda args, right: (right[0], (*right[1][:3], args[0][3]))
    ),
    "Did you advance pgoff by bytes? It counts pages.": (
        lambda args, right: (
            right[0],
            (*right[1][:3], args[0][3] + (args[1] - args[0][0]) * 4096),
        )
    ),
    "Did page `at` end up in the lower part? [start, end) does not include `end`.": (
        lambda args, right: (
            (right[0][0], right[0][1] + 1, *right[0][2:]),
            (right[1][0] + 1, right[1][1], right[1][2], right[1][3] + 1),
        )
    ),
}


def unmaps(history: History) -> Iterator[Question]:
    """One question for each munmap that succeeded."""
    for moment in before_after(history):
        op = moment.op
        if op.verb != "munmap" or moment.outcome.error or op.who not in moment.after.areas:
            continue
        end = moment.vpn + moment.npages
        args = (plain(moment.before.areas[op.who]), moment.vpn, end)
        right = plain(moment.after.areas[op.who])
        where = f"munmap of {moment.npages} pages from {moment.address(moment.vpn)}"
        yield Question("unmap", args, right, where, show)


HOLES = parse(
    "f = file 12\np = spawn\np mmap 0x20000 6\np mmap 0x26000 2 r\np munmap 0x22000 2\n"
    "p munmap 0x20000 7\np munmap 0x20000 2\np mmap 0x30000 5 file f offset 3\np munmap 0x32000 1\n"
    "p mmap 0x40000 2\np munmap 0x40000 2\np munmap 0x35000 1\n"
)
"""munmap in the middle, over a hole and several VMAs, of nothing, of one page, of a whole VMA, and of
what only touches one."""
UNMAP_CASES = {
    "a hole in the middle": lambda each: len(each.right) > len(each.args[0]),
    "several VMAs": lambda each: len(each.right) < len(each.args[0]) - 1,
    "nothing in the range": lambda each: each.right == each.args[0],
    "a single page": lambda each: each.args[2] - each.args[1] == 1,
    "a VMA of a file that is cut": lambda each: any(
        vma not in each.args[0] and vma[0] != vma[3] for vma in each.right
    ),
    "a range that only touches a VMA": lambda each: any(
        vma[1] == each.args[1] or vma[0] == each.args[2] for vma in each.args[0]
    ),
}


def with_empty(args: Any, right: Any) -> Any:
    """What is left where somebody takes <= for <: also parts without pages."""
    vmas, start, end = args
    left: list[Any] = []
    for vma in vmas:
        low, high, prot, pgoff = vma
        if high <= start or low >= end:
            left.append(vma)
            continue
        if low <= start:
            left.append((low, start, prot, pgoff))
        if high >= end:
            left.append((end, high, prot, pgoff + end - low))
    return left


UNMAP_GUESSES = {
    "Did you keep a VMA without pages? The range may begin or end where a VMA does.": with_empty,
    "Did you drop every VMA that the range touches? What lies outside the range stays.": (
        lambda args, right: [vma for vma in args[0] if vma[1] <= args[1] or vma[0] >= args[2]]
    ),
    "Did you forget what lies above the hole? munmap in the middle leaves two parts.": (
        lambda args, right: [
            vma for vma in right if vma in args[0] or vma[0] in {each[0] for each in args[0]}
        ]
    ),
}


def test_split(student: Any, seed: int) -> None:
    """split leaves every page as it was."""
    judge(student, histories(FAMILIES, seed, 12, 16), cuts, CUT_GUESSES, least=15)


@needs("test_split")
def test_unmap(student: Any, seed: int) -> None:
    """unmap leaves what munmap leaves."""
    cases = [HOLES, *histories(FAMILIES, seed, 24)]
    judge(student, cases, unmaps, UNMAP_GUESSES, 12, UNMAP_CASES)
