"""Exercise 04a: after every fork of every history, the words of parent and child."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from anonlab.course.judging.array_cost import BASE, FEW, MANY, blocks, judge_steps
from anonlab.course.judging.call_answers import Question, judge
from anonlab.course.judging.families import histories
from anonlab.course.judging.marks import needs
from anonlab.course.judging.state import before_after, words_text
from anonlab.course.judging.swap_areas import AREAS, area_of
from anonlab.formats.history import History
from anonlab.formats.history_text import parse

FAMILIES = ("forked", "family", "swapped", "mixed")
WRITE, ACCESSED, PRESENT = 2, 32, 1


def each(function: Any) -> Any:
    """A guess about words from what one present word becomes; other words stay."""
    return lambda args, right: function(args[0]) if args[0] & PRESENT else (args[0], args[0])


GUESSES = {
    "Did you leave the parent's word writable? Then the child sees what the parent writes later.": (
        each(lambda word: (word, word & ~WRITE & ~ACCESSED))
    ),
    "Did you write-protect neither side? Then two processes write to one page.": (
        each(lambda word: (word, word & ~ACCESSED))
    ),
    "Did you let the child keep ACCESSED? It has not touched the page yet.": (
        each(lambda word: (word & ~WRITE, word & ~WRITE))
    ),
    "Did you take a word that is not present for an empty one? It may be a swap entry, and fork "
    "copies it.": lambda args, right: right if args[0] & PRESENT else (args[0], 0),
    "Did you take bits out of a swap entry? They say in which area and slot the page is.": (
        lambda args, right: (args[0] & ~WRITE, args[0] & ~WRITE & ~ACCESSED)
    ),
    "Did you give the child nothing? It finds its memory where the parent has it.": (
        lambda args, right: (right[0], 0)
    ),
}


RANGE_GUESSES = {
    "Did you forget swap entries in the range? They lose no bit, on neither side.": (
        lambda args, right: (right[0], [word & ~ACCESSED for word in right[0].tolist()])
    ),
}


SWAPPED = parse(
    "p = spawn\np mmap 0x30000 6\np write 0x30000 7 4\np swap_out 0x30000 2\np read 0x34000 1\n"
    "c = fork p\np write 0x32000 8\nd = fork p\n"
)
"""A fork of every kind of word: entries of both areas, pages with and without WRITE, a hole."""
CASES = {
    "an entry of the first area": lambda each: area_of(each.args[0]) == AREAS[0],
    "an entry of the second area": lambda each: area_of(each.args[0]) == AREAS[1],
    "a writable page": lambda each: each.args[0] & 3 == 3,
    "a page that is not writable": lambda each: each.args[0] & 3 == 1,
}


def pages(history: History) -> Iterator[Question]:
    """One question for each word of private memory that a fork copied."""
    for op, outcome, before, after, geometry in before_after(history):
        if op.verb != "fork" or outcome.error:
            continue
        parent = str(op.args["parent"])
        mine, childs = after.words[parent], after.words[op.who]
        for vpn, word in before.private(parent).items():
            right = (mine.get(vpn, 0), childs.get(vpn, 0))
            where = f"the page of {parent} at {geometry.address(vpn)}"
            yield Question("share_page", (word,), right, where, words_text)


def ranges(history: History) -> Iterator[Question]:
    """One question for each private VMA that a fork copied, untouched pages included."""
    for op, outcome, before, after, geometry in before_after(history):
        if op.verb != "fork" or outcome.error:
            continue
        parent = str(op.args["parent"])
        for area in before.areas[parent]:
            if area.private_anonymous:
                vpns = range(area.start, area.end)
                words, *right = (
                    np.array([state.words[who].get(vpn, 0) for vpn in vpns], dtype=np.int64)
                    for state, who in ((before, parent), (after, parent), (after, op.who))
                )
                where = f"{area.end - area.start} pages from {geometry.address(area.start)}"
                yield Question("share_range", (words,), right, where, words_text)


WRITTEN, READ = "p write {at} 7 {n}", "p read {at} {n}"
KINDS = (WRITTEN,), (), (WRITTEN, "p swap_out {at} {n}"), (READ,)
"""Writable pages, holes, pages on swap, the zero page: a quarter of the pages each."""


def long(npages: int, seed: int) -> Question:
    """A fork of `npages` pages of every kind."""
    lines = [f"machine x86_32 frames {2 * npages} swap {npages}", "p = spawn"]
    lines += [f"p mmap {BASE:#x} {npages}", *blocks(npages, KINDS, seed), "c = fork p"]
    (question,) = ranges(parse("\n".join(lines)))
    return question


def test_share_page(student: Any, seed: int) -> None:
    """share_page gives the words of parent and child."""
    judge(student, [SWAPPED, *histories(FAMILIES, seed)], pages, GUESSES, 20, CASES)


@needs("test_share_page")
def test_share_range(student: Any, seed: int) -> None:
    """share_range does the same to a whole VMA."""
    judge(student, [SWAPPED, *histories(FAMILIES, seed + 1)], ranges, RANGE_GUESSES, 10)


@needs("test_share_range")
def test_array_operations(student: Any, seed: int) -> None:
    """share_range makes as many steps for 800 pages as for 100."""
    pair = [long(npages, seed) for npages in (FEW, MANY)]
    judge_steps(student, *pair, "`np.where(which, some, others)` chooses for all words at once")
