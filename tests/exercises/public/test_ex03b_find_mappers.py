"""Exercise 03b: every frame after a history, under a design that lets pages have two addresses."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from anonlab.course.judging.call_answers import Question, judge
from anonlab.course.judging.families import ODD, histories
from anonlab.course.judging.marks import needs
from anonlab.course.judging.state import tables_after
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.machine.words import LESSON, Geometry

FAMILIES = ("forked", "moved", "swapped", "mixed")
SWAPPED = parse(
    "p = spawn\np mmap 0x3c000 4\np write 0x3c000 7 4\nc = fork p\np swap_out 0x3c000 2\n"
    "p read 0x3c000 1\nc mmap 0x20000 2\nc write 0x20000 7 2\nc mremap 0x3e000 1 to 0x28000\n"
)
"""Entries that look like frames which are mapped, a page at two addresses, slots above 15."""
CASES = {
    "a swap entry that looks like the frame": lambda each: like(each) > len(each.right),
    "a frame at two addresses": lambda each: len({at for _, at in each.right}) > 1,
    "a frame that nobody maps": lambda each: not each.right,
}


def like(question: Question) -> int:
    """How many words of leaf tables have the frame's number above bit 12."""
    tables, pgds, pfn, levels, _ = question.args
    found = [(pgd, 0) for pgd in pgds]
    for level in range(levels):
        words = [int(word) for row, _ in found for word in tables[row] if word]
        found = [(word >> 12, level) for word in words if level < levels - 1]
    return sum(word >> 12 == pfn for word in words)


def frames(history: History, shape: Geometry = LESSON) -> Iterator[Question]:
    """One question for each frame that somebody maps, and one that nobody does."""
    tables, state = tables_after(history_text(history), shape, "anon_vma_chain")
    names = sorted(state.words, key=lambda who: state.mms[who])
    pgds = [state.pgds[who] for who in names]
    places = [
        (place, vpn << 12, word)
        for place, who in enumerate(names)
        for vpn, word in sorted(state.words[who].items())
    ]
    for pfn in sorted({word >> 12 for _, _, word in places if word & 1} | {126}):
        right = [(place, at) for place, at, word in places if word & 1 and word >> 12 == pfn]
        args = (tables, pgds, pfn, shape.levels, shape.bits)
        yield Question("mappers", args, right, f"who maps frame {pfn}", show)


def show(value: Any) -> str:
    """Places with hex addresses."""
    if isinstance(value, list) and all(isinstance(each, list) for each in value):
        return str([(place, f"{address:#x}") for place, address in value])
    return repr(value)


def sizes(history: History, shape: Geometry = LESSON) -> Iterator[Question]:
    """One question for the whole machine: a leaf table is there if a page was ever touched in it,
    so the tables themselves are counted."""
    tables, state = tables_after(history_text(history), shape, "anon_vma_chain")
    pgds = sorted(state.pgds.values())
    rows = pgds
    for _ in range(shape.levels - 1):
        rows = [int(word) >> 12 for row in rows for word in tables[row] if word]
    nleaves = len(rows)
    about = f"{len(pgds)} processes, {nleaves} leaf tables"
    args = (tables, pgds, shape.levels, shape.bits)
    yield Question("words_read", args, nleaves * shape.slots, about)


def entries_too(args: Any, right: Any) -> list[tuple[int, int]]:
    """What somebody answers who does not ask whether a word is present."""
    tables, pgds, pfn, levels, bits = args
    found = [(place, pgd << 12, 0) for place, pgd in enumerate(pgds)]
    for _ in range(levels):
        found = [
            (place, int(each), at << bits | slot)
            for place, word, at in found
            for slot, each in enumerate(tables[word >> 12])
            if each
        ]
    return [(place, at << 12) for place, word, at in found if word >> 12 == pfn]


GUESSES = {
    "Did you take swap entries for mappings? Only a word with PRESENT set maps a frame.": (
        entries_too
    ),
    "Did you stop at the first mapping? mapcount says how many there are.": (
        lambda args, right: right[:1]
    ),
    "Did you look at one address in every process? After mremap a page can have two.": (
        lambda args, right: [each for each in right if each[1] == right[0][1]]
    ),
    "Did you look in one process only? fork makes others that map the same frames.": (
        lambda args, right: [each for each in right if each[0] == 0]
    ),
    "Did you write 16 for the number of slots? A table has 2**bits of them.": (
        lambda args, right: [each for each in right if low_slots(each[1] >> 12, *args[3:])]
    ),
    "Did you keep addresses in 32 bits? With four levels they have 48.": (
        lambda args, right: sorted((place, address & 0xFFFFFFFF) for place, address in right)
    ),
    "Did you return page numbers? Addresses count bytes.": (
        lambda args, right: [(place, address >> 12) for place, address in right]
    ),
    "Did you return the rows of the top tables? The place in `pgds` is asked for.": (
        lambda args, right: [(args[1][place], address) for place, address in right]
    ),
}


def low_slots(vpn: int, levels: int, bits: int) -> bool:
    """Whether a walk to `vpn` goes through slots below 16 only."""
    return all(vpn >> bits * at & (1 << bits) - 1 < 16 for at in range(levels))


SIZE_GUESSES = {
    "Did you count only words that are not empty? To know that a word is empty one has to read it.": (
        lambda args, right: int(sum(
            (args[0][word >> 12] != 0).sum() for pgd in args[1] for word in args[0][pgd] if word
        ))
    ),
    "Did you count tables? Each has 2**bits words.": lambda args, right: right >> args[3],
}  # fmt: skip


def test_mappers(student: Any, seed: int) -> None:
    """mappers finds every mapping of every frame."""
    judge(student, [SWAPPED, *histories(FAMILIES, seed, 10, 30)], frames, GUESSES, 30, CASES)
    judge(student, [SWAPPED], lambda each: frames(each, ODD[0]), GUESSES)


@needs("test_mappers")
def test_words_read(student: Any, seed: int) -> None:
    """words_read says what the search costs."""
    judge(student, [SWAPPED, *histories(FAMILIES, seed)], sizes, SIZE_GUESSES, least=10)
    for shape in ODD:
        judge(student, [SWAPPED], partial(sizes, shape=shape), SIZE_GUESSES)
