"""Exercise 08a: a walk from every anonymous page, and every page that goes to swap."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from anonlab.course.judging.call_answers import Question, judge
from anonlab.course.judging.families import MACHINE, ODD, histories
from anonlab.course.judging.marks import needs
from anonlab.course.judging.state import before_after, words_text
from anonlab.course.judging.swap_areas import renamed_words
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.histories.run import run_on
from anonlab.kernel import Kernel
from anonlab.kernel.walk import walk
from anonlab.machine.words import LESSON, PG_ANON, Geometry

FAMILIES = ("family", "swapped", "moved_swapped", "mixed")


@lru_cache(maxsize=256)
def walks_after(text: str, shape: Geometry = LESSON) -> tuple[Question, ...]:
    """A question for each anonymous page that is mapped after a history."""
    kernel = Kernel("anongroup", MACHINE.frames, MACHINE.swap, shape)
    run_on(kernel, parse(text))
    mem, design, found = kernel.mem_map, kernel.design, []
    tables = renamed_words(kernel.tables.words)
    mapped = np.flatnonzero(((mem.flags & PG_ANON) != 0) & (mem.mapcount > 0))
    for pfn in mapped.tolist():
        mms = design.candidates(pfn).mms.tolist()
        before = design.cost.probes
        hits = [mms.index(mm) for mm in walk(kernel, pfn).mms.tolist()]
        looked = design.cost.probes - before
        pgds = kernel.mm_table.pgd[mms].tolist()
        index, mapcount = int(mem.index[pfn]), int(mem.mapcount[pfn])
        args = (tables, pgds, index, pfn, mapcount, shape.levels, shape.bits)
        about = f"frame {pfn} at {shape.address(index)}, in a group of {len(pgds)}"
        found.append(Question("rmap_walk", args, (hits, looked), about))
    return tuple(found)


def walks(history: History, shape: Geometry = LESSON) -> Iterator[Question]:
    """One question for each page."""
    yield from walks_after(history_text(history), shape)


def _word(args: tuple[Any, ...], place: int) -> int:
    tables, pgds, index, _, _, levels, bits = args
    word = pgds[place] << 12
    for level in range(levels):
        word = int(tables[word >> 12][index >> bits * (levels - 1 - level) & (1 << bits) - 1])
    return word


WALK_GUESSES = {
    "Did you take every member of the group for a mapper? It is a candidate; the word decides.": (
        lambda args, right: (list(range(min(args[4], len(args[1])))), min(args[4], len(args[1])))
    ),
    "Did you test only that the word is present? It may map another frame, after a copy.": (
        lambda args, right: first(args, lambda word: bool(word & 1))
    ),
    "Did you forget that a word may be a swap entry? It has bits above 12 as well.": (
        lambda args, right: first(args, lambda word: bool(word) and word >> 12 == args[3])
    ),
    "Did you look on after the last mapping was found? mapcount says when to stop.": (
        lambda args, right: (right[0], len(args[1]))
    ),
    "Did you stop at the first mapping? There are `mapcount` of them.": (
        lambda args, right: (right[0][:1], right[0][0] + 1)
    ),
}


def first(args: tuple[Any, ...], hit: Any) -> tuple[list[int], int]:
    """What a walk answers that takes `hit` for the test of a word."""
    found: list[int] = []
    for place in range(len(args[1])):
        if len(found) == args[4]:
            return found, place
        if hit(_word(args, place)):
            found.append(place)
    return found, len(args[1])


def unmaps(history: History) -> Iterator[Question]:
    """One question for each page that a swap_out took from everybody."""
    for moment in before_after(history):
        if moment.op.verb != "swap_out" or moment.outcome.error:
            continue
        before, after = moment.before, moment.after
        for vpn in range(moment.vpn, moment.vpn + moment.npages):
            old = before.words[moment.op.who].get(vpn, 0)
            entry = after.words[moment.op.who].get(vpn, 0)
            if not old & 1 or not old >> 12 or entry & 1 or not entry:
                continue
            who = [name for name in before.words if name in after.words]
            words = [before.words[name].get(vpn, 0) for name in who]
            right = [after.words[name].get(vpn, 0) for name in who]
            about = f"{moment.address(vpn)} in {', '.join(who)}"
            yield Question("try_to_unmap", (words, old >> 12, entry), right, about, words_text)


UNMAP_GUESSES = {
    "Did you forget that a word may be a swap entry? It has bits above 12 as well.": (
        lambda args, right: [args[2] if word >> 12 == args[1] else word for word in args[0]]
    ),
    "Did you replace every word? Who has another frame there, or nothing, keeps it.": (
        lambda args, right: [args[2]] * len(args[0])
    ),
    "Did you replace every present word? Some map another frame.": (
        lambda args, right: [args[2] if word & 1 else word for word in args[0]]
    ),
    "Did you clear the words? The processes want the page back later: the entry says where it is.": (
        lambda args, right: [0 if word & 1 and word >> 12 == args[1] else word for word in args[0]]
    ),
    "Did you stop after the first word? The page stays in memory while anybody maps it.": (
        lambda args, right: [
            new if new == word or at == _at(args) else word
            for at, (word, new) in enumerate(zip(args[0], right, strict=True))
        ]
    ),
}


def _at(args: tuple[Any, ...]) -> int:
    return next(at for at, word in enumerate(args[0]) if word & 1 and word >> 12 == args[1])


SWAPPED = parse(
    "p = spawn\np mmap 0x30000 6\np write 0x30000 7 4\nc = fork p\nc swap_out 0x30000 2\n"
    "c read 0x30000 2\nd = fork p\nd write 0x31000 8 3\n"
)
"""Members of a group with every kind of word at the page's address: nothing, an entry, another frame."""
CASES = {
    "a member with another frame": lambda each: _others(each, lambda word: bool(word & 1)),
    "a member with a swap entry": lambda each: _others(each, lambda word: word and not word & 1),
    "a walk that stops early": lambda each: each.right[1] < len(each.args[1]),
    "a page that several map": lambda each: each.args[4] > 1,
}


def _others(question: Question, is_one: Any) -> bool:
    """Whether a member that does not map the page has such a word."""
    args, places = question.args, question.right[0]
    return any(is_one(_word(args, at)) for at in range(len(args[1])) if at not in places)


def test_walk(student: Any, seed: int) -> None:
    """rmap_walk finds the mappings, and stops in time."""
    judge(student, [SWAPPED, *histories(FAMILIES, seed, 16, 30)], walks, WALK_GUESSES, 30, CASES)
    judge(student, [SWAPPED], lambda each: walks(each, ODD[0]), WALK_GUESSES)


@needs("test_walk")
def test_unmap(student: Any, seed: int) -> None:
    """try_to_unmap turns mappings into swap entries."""
    judge(student, histories(FAMILIES, seed, 24, 30), unmaps, UNMAP_GUESSES, least=15)
