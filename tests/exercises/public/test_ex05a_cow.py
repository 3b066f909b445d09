"""Exercise 05a: every write to private pages that are present and not writable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from anonlab.course.judging.call_answers import Question, judge, judge_all
from anonlab.course.judging.families import histories
from anonlab.course.judging.marks import needs
from anonlab.course.judging.state import before_after, words_text
from anonlab.formats.history import History

FAMILIES = ("forked", "family", "pinned", "mixed")
ALL, WRITE = 0x67, 2
PG_SWAPCACHE = 2


def faults(history: History) -> Iterator[tuple[list[int], list[int], list[int], str]]:
    """(words before, counts before, words after, where) of every write to write-protected pages."""
    for moment in before_after(history):
        op, who = moment.op, moment.op.who
        if op.verb != "write" or moment.outcome.error:
            continue
        before, after = moment.before, moment.after
        private = before.private(who)
        vpns = [
            vpn
            for vpn in range(moment.vpn, moment.vpn + moment.npages)
            if private.get(vpn, 0) & (WRITE | 1) == 1
            and not before.flags[private[vpn] >> 12] & PG_SWAPCACHE
        ]
        if vpns:
            words = [private[vpn] for vpn in vpns]
            counts = [before.count[word >> 12] for word in words]
            now = [after.words[who][vpn] for vpn in vpns]
            yield words, counts, now, f"{who} writes {moment.address(vpns[0])}"


def pages(history: History) -> Iterator[Question]:
    """One question for each page."""
    for words, counts, after, where in faults(history):
        for word, count, now in zip(words, counts, after, strict=True):
            pfn = now >> 12 if now >> 12 != word >> 12 else 99
            yield Question("break_cow", (word, count, pfn), now, where, words_text)


def ranges(history: History) -> Iterator[Question]:
    """One question for each range, with the frames that the kernel took."""
    for words, counts, after, where in faults(history):
        copied = [now >> 12 != word >> 12 for word, now in zip(words, after, strict=True)]
        taken = [now >> 12 for now, new in zip(after, copied, strict=True) if new]
        free = [*taken, *range(97, 100 + len(words))]
        arrays = (np.array(some, dtype=np.int64) for some in (words, counts, free))
        yield Question("break_cow_range", tuple(arrays), (after, copied), where, words_text)


def bits() -> Iterator[Question]:
    """A page with none of the bits that a write sets: reused it has all of them, copied as well."""
    yield Question("break_cow", (0x5005, 1, 99), 0x5067, "a page alone, neither dirty nor accessed")
    yield Question("break_cow", (0x5005, 2, 99), 0x63067, "the same page, shared")
    arrays = [np.array(some) for some in ([0x5005, 0x6025, 0x7005], [1, 3, 1], [97, 98, 99])]
    right = ([0x5067, 0x61067, 0x7067], [False, True, False])
    yield Question("break_cow_range", tuple(arrays), right, "pages that are not dirty", words_text)


def reuse(args: tuple[int, int, int]) -> int:
    """The word of a page that is written in place."""
    return args[0] | ALL


def copy(args: tuple[int, int, int]) -> int:
    """The word of a page that is copied."""
    return args[2] << 12 | ALL


GUESSES = {
    "Did you always copy? Whoever is alone with a page may write to it: nobody else can see it.": (
        lambda args, right: copy(args)
    ),
    "Did you never copy? The others see what you write.": lambda args, right: reuse(args),
    "Did you reuse a page that two have? 1 is the writer's own reference.": (
        lambda args, right: copy(args) if args[1] > 2 or not args[0] >> 12 else reuse(args)
    ),
    "Did you write into the zero page? It is everybody's, whatever its count says.": (
        lambda args, right: copy(args) if args[1] > 1 else reuse(args)
    ),
    "Did you leave the copy read-only? Then the write faults again, and again.": (
        lambda args, right: right & ~WRITE if right >> 12 == args[2] else right
    ),
    "Did you forget that the write makes the page dirty and accessed?": (
        lambda args, right: args[0] | WRITE if right >> 12 != args[2] else right
    ),
    "Did you leave the writer with the old frame? The copy goes to the writer; the others keep theirs.": (
        lambda args, right: args[0] if right >> 12 == args[2] else right
    ),
}


def by_place(args: Any, right: Any) -> Any:
    """What somebody answers who gives page n the n-th frame."""
    pages = zip(args[2].tolist(), *right, strict=False)
    return [pfn << 12 | ALL if copied else now for pfn, now, copied in pages], right[1]


RANGE_GUESSES = {
    "Did you hand out frames by the place of the page? The next one goes to the next page that needs one.": (
        by_place
    ),
    "Did you say which pages were reused? Which were copied is asked for.": (
        lambda args, right: (right[0], [not copied for copied in right[1]])
    ),
}


def test_break_cow(student: Any, seed: int) -> None:
    """break_cow decides as the kernel does."""
    judge(student, histories(FAMILIES, seed, 24, 30), pages, GUESSES, least=30)
    judge_all(student, [each for each in bits() if each.function == "break_cow"], GUESSES)


@needs("test_break_cow")
def test_break_cow_range(student: Any, seed: int) -> None:
    """break_cow_range takes frames for the copies only."""
    judge(student, histories(FAMILIES, seed + 1, 24, 30), ranges, RANGE_GUESSES, 20)
    judge_all(
        student, [each for each in bits() if each.function == "break_cow_range"], RANGE_GUESSES
    )
