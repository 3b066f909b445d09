"""Exercise 03a: every read and write of private memory that no other process shares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from anonlab.course.judging.array_cost import BASE, FEW, MANY, blocks, judge_steps
from anonlab.course.judging.call_answers import Question, judge
from anonlab.course.judging.families import histories
from anonlab.course.judging.marks import needs
from anonlab.course.judging.state import before_after, words_text
from anonlab.formats.history import History
from anonlab.formats.history_text import parse

FAMILIES = ("lone", "areas", "files", "mixed")
ZERO, ALL = 0x25, 0x67


class Touch(NamedTuple):
    """A range that was touched: its words before and after, and where it is."""

    before: list[int]
    after: list[int]
    write: bool
    where: str


def touches(history: History) -> Iterator[Touch]:
    """Every touch that succeeded, of pages which are untouched, zero, or writable."""
    for moment in before_after(history):
        op, who = moment.op, moment.op.who
        if op.verb not in ("read", "write") or moment.outcome.error:
            continue
        vpns = range(moment.vpn, moment.vpn + moment.npages)
        areas = [moment.before.area(who, vpn) for vpn in vpns]
        if not all(area and area.private_anonymous for area in areas):
            continue
        before, after = (
            [state.words[who].get(vpn, 0) for vpn in vpns]
            for state in (moment.before, moment.after)
        )
        if all(word in (0, ZERO) or word & ALL == ALL for word in before):
            verb = "writes" if op.verb == "write" else "reads"
            yield Touch(
                before, after, op.verb == "write", f"{who} {verb} {moment.address(vpns[0])}"
            )


def pages(history: History) -> Iterator[Question]:
    """One question for each page."""
    for before, after, write, where in touches(history):
        for word, now in zip(before, after, strict=True):
            pfn = 99 if now in (word, ZERO) else now >> 12
            yield Question("touch_page", (word, write, pfn), now, where, words_text)


def ranges(history: History) -> Iterator[Question]:
    """One question for each range, with the frames that the kernel took."""
    for before, after, write, where in touches(history):
        pairs = zip(before, after, strict=True)
        taken = [now >> 12 for word, now in pairs if now != word and now >> 12]
        free = np.array([*taken, *range(97, 100 + len(before))], dtype=np.int64)
        args = (np.array(before, dtype=np.int64), write, free)
        yield Question("touch_range", args, after, where, words_text)


KINDS = (), ("p write {at} 7 {n}",), ("p read {at} {n}",)
"""Never touched, written, and read: a third of the pages each."""


def long(npages: int, verb: str, seed: int) -> Question:
    """A touch of `npages` pages of every kind: `verb` with an address, and perhaps a value."""
    lines = [f"machine x86_32 frames {2 * npages}", "p = spawn", f"p mmap {BASE:#x} {npages}"]
    lines += [*blocks(npages, KINDS, seed), f"p {verb} {npages}"]
    return list(ranges(parse("\n".join(lines))))[-1]


def fresh(answer: Any) -> Any:
    """A guess that differs for pages without a frame of their own."""
    return lambda args, right: right if args[0] >> 12 else answer(*args)


GUESSES = {
    "Did you give a frame to a page that is only read? The zero page is enough for all of them.": (
        fresh(lambda word, write, pfn: pfn << 12 | ALL)
    ),
    "Did you map the zero page writable? Then the next write changes everybody's zeros.": (
        fresh(lambda word, write, pfn: pfn << 12 | ALL if write else ZERO | 2)
    ),
    "Did you write into the zero page? A page that was only read has no frame of its own yet.": (
        fresh(lambda word, write, pfn: word | ALL if write and word else pfn << 12 | ALL if write
              else ZERO)
    ),
    "Did you take a new frame for a page that has one? Its contents would be lost.": (
        lambda args, right: args[2] << 12 | ALL if args[1] else right
    ),
    "Did you forget DIRTY and ACCESSED? The write itself sets them.": (
        fresh(lambda word, write, pfn: pfn << 12 | 7 if write else ZERO)
    ),
}  # fmt: skip


def by_place(args: Any, right: Any) -> list[int]:
    """What somebody answers who gives page n the n-th frame."""
    words, write, pfns = args
    pages = zip(words.tolist(), pfns.tolist(), right, strict=False)
    return [pfn << 12 | ALL if write and not word >> 12 else now for word, pfn, now in pages]


RANGE_GUESSES = {
    "Did you hand out frames by the place of the page? The next one goes to the next page that needs one.": (
        by_place
    ),
}


def test_touch_page(student: Any, seed: int) -> None:
    """touch_page does what a read or a write does."""
    judge(student, histories(FAMILIES, seed), pages, GUESSES, least=30)


@needs("test_touch_page")
def test_touch_range(student: Any, seed: int) -> None:
    """touch_range hands out frames in order."""
    judge(student, histories(FAMILIES, seed + 1), ranges, RANGE_GUESSES, 20)


@needs("test_touch_range")
def test_array_operations(student: Any, seed: int) -> None:
    """touch_range makes as many steps for 800 pages as for 100."""
    for verb in (f"read {BASE:#x}", f"write {BASE:#x} 9"):
        pair = [long(npages, verb, seed) for npages in (FEW, MANY)]
        judge_steps(student, *pair, "`plan[which] = seats` fills all places at once")
