"""Exercise 07a: every move of private memory, with the kernel's words and indices as the truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from anonlab.course.judging.call_answers import Question, judge
from anonlab.course.judging.families import histories
from anonlab.course.judging.state import before_after, words_text
from anonlab.formats.history import History
from anonlab.formats.history_text import parse

FAMILIES = ("moved", "moved_swapped", "pinned_moved", "mixed")
PG_SWAPCACHE = 2


def moves(history: History) -> Iterator[Question]:
    """One question for each mremap that moved a range without overlap with its target."""
    for moment in before_after(history):
        op, who = moment.op, moment.op.who
        if op.verb != "mremap" or moment.outcome.error or "dontunmap" in op.args:
            continue
        before, after, new_vpn = moment.before, moment.after, int(moment.outcome.value) >> 12
        npages = min(moment.npages, int(op.args.get("new_pages", moment.npages)))
        area = before.area(who, moment.vpn)
        if area is None or not area.private_anonymous or new_vpn == moment.vpn:
            continue
        words = [before.words[who].get(moment.vpn + page, 0) for page in range(npages)]
        right = [after.words[who].get(new_vpn + page, 0) for page in range(npages)]
        count = [before.count[word >> 12] if maps(word) else 0 for word in words]
        copied = [old != new for old, new in zip(words, right, strict=True)]
        index = [after.index[word >> 12] if maps(word) else 0 for word in right]
        taken = [word >> 12 for word, new in zip(right, copied, strict=True) if new]
        args = (
            np.array(words),
            np.array(count),
            new_vpn,
            np.array([*taken, *range(97, 100 + npages)]),
        )
        where = f"{who} moves {npages} pages from {moment.address(moment.vpn)}"
        yield Question("move_range", args, (right, index, copied), where, show)


def show(value: Any) -> str:
    """Words as words, indices in hex."""
    if not isinstance(value, list | tuple) or len(value) != 3 or not isinstance(value[1], list):
        return repr(value)
    index = ", ".join(f"{each:#x}" if type(each) is int else repr(each) for each in value[1])
    return f"words {words_text(value[0])}, index [{index}], copied {value[2]}"


def maps(word: int) -> bool:
    """True for a word that maps a frame of anonymous memory."""
    return bool(word & 1 and word >> 12)


def guess(function: Any) -> Any:
    """A guess about one page: (word, index, copied) from its word, count, place and right answer."""

    def answer(args: tuple[Any, ...], right: Any) -> Any:
        words, count, new_vpn, _ = args
        rows = zip(words.tolist(), count.tolist(), *map(list, right), strict=True)
        pages = [function(new_vpn + at, *row) for at, row in enumerate(rows)]
        return tuple(list(column) for column in zip(*pages, strict=True)) if pages else right

    return answer


GUESSES = {
    "Did you count mapped pages only? A page keeps its distance from the first page of the range.": (
        lambda args, right: dense(args, right)
    ),
    "Did you hand out frames by the place of the page? The next one goes to the next page that needs one.": (
        lambda args, right: by_place(args, right)
    ),
    "Did you leave out the index? Then the walk looks for the page where it was before.": guess(
        lambda vpn, word, count, new, index, copied: (new, 0, copied)
    ),
    "Did you move a shared page without a copy? The others have it at the old address: one page, two addresses.": (
        guess(lambda vpn, word, count, new, index, copied: (word, index, False))
    ),
    "Did you copy a page that nobody shares? count is 1: it may simply move.": (
        lambda args, right: copy_all(args)
    ),
    "Did you give swap entries or the zero page an index? Nothing of theirs has one.": guess(
        lambda vpn, word, count, new, index, copied: (new, vpn if word else 0, copied)
    ),
    "Did you forget the bits of a copied word? Its rights stay as they were.": guess(
        lambda vpn, word, count, new, index, copied: (
            new & ~0xFFF | 0x67 if copied else new,
            index,
            copied,
        )
    ),
}


def by_place(args: Any, right: Any) -> Any:
    """What somebody answers who gives page n the n-th frame."""
    pages = zip(args[3].tolist(), right[0], right[2], strict=False)
    return [pfn << 12 | now & 0xFFF if copied else now for pfn, now, copied in pages], *right[1:]


def dense(args: Any, right: Any) -> Any:
    """What somebody answers who gives mapped pages one index after another."""
    places = iter(range(args[2], args[2] + len(args[0])))
    index = [next(places) if maps(word) else 0 for word in args[0].tolist()]
    return right[0], index, right[2]


def copy_all(args: tuple[Any, ...]) -> Any:
    """What somebody answers who copies every mapped page, while frames last."""
    words, _, new_vpn, pfns = args
    free = iter(pfns.tolist() + [0] * len(words))
    copied = [maps(word) for word in words.tolist()]
    new = [next(free) << 12 | word & 0xFFF if maps(word) else word for word in words.tolist()]
    index = [new_vpn + at if mapped else 0 for at, mapped in enumerate(copied)]
    return new, index, copied


SWAPPED = parse(
    "p = spawn\np mmap 0x30000 8\np write 0x30000 7 5\np swap_out 0x30000 2\np read 0x35000 2\n"
    "c = fork p\np write 0x33000 8\np mremap 0x30000 8 to 0x60000\n"
)
"""Every kind of word in one move: entries of both areas, shared and own pages, the zero page, a hole."""
CASES = {
    "an entry that looks like a mapping": lambda each: any(
        word >> 12 and not word & 1 for word in each.args[0].tolist()
    ),
    "a copied and a moved page in one range": lambda each: (
        any(each.right[2]) and any(i and not c for i, c in zip(*each.right[1:], strict=True))
    ),
}


def test_move(student: Any, seed: int) -> None:
    """move_range moves what mremap moves, and copies what is shared."""
    judge(student, [SWAPPED, *histories(FAMILIES, seed, 24, 24)], moves, GUESSES, 15, CASES)
