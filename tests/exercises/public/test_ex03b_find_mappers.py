"""Exercise 03b: every frame after a history, under a design that lets pages have two addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anonlab.course.judging.call_answers import Question, judge
from anonlab.course.judging.families import histories
from anonlab.course.judging.marks import needs
from anonlab.course.judging.state import tables_after
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.machine.words import LESSON

FAMILIES = ("forked", "moved", "swapped", "mixed")
SHAPE = (LESSON.levels, LESSON.bits)


def frames(history: History) -> Iterator[Question]:
    """One question for each frame that somebody maps, and one that nobody does."""
    tables, state = tables_after(history_text(history), LESSON, "anon_vma_chain")
    names = sorted(state.words, key=lambda who: state.mms[who])
    pgds = [state.pgds[who] for who in names]
    places = [
        (place, vpn << 12, word)
        for place, who in enumerate(names)
        for vpn, word in sorted(state.words[who].items())
    ]
    for pfn in sorted({word >> 12 for _, _, word in places if word & 1} | {126}):
        right = [(place, at) for place, at, word in places if word & 1 and word >> 12 == pfn]
        args = (tables, pgds, pfn, *SHAPE)
        yield Question("mappers", args, right, f"who maps frame {pfn}", show)


def show(value: Any) -> str:
    """Places with hex addresses."""
    if isinstance(value, list) and all(isinstance(each, list) for each in value):
        return str([(place, f"{address:#x}") for place, address in value])
    return repr(value)


def sizes(history: History) -> Iterator[Question]:
    """One question for the whole machine: a leaf table is there if a page was ever touched in it,
    so the tables themselves are counted."""
    tables, state = tables_after(history_text(history), LESSON, "anon_vma_chain")
    pgds = sorted(state.pgds.values())
    nleaves = sum(int((tables[pgd] != 0).sum()) for pgd in pgds)
    about = f"{len(pgds)} processes, {nleaves} leaf tables"
    yield Question("words_read", (tables, pgds, *SHAPE), nleaves * LESSON.slots, about)


GUESSES = {
    "Did you stop at the first mapping? mapcount says how many there are.": (
        lambda args, right: right[:1]
    ),
    "Did you look at one address in every process? After mremap a page can have two.": (
        lambda args, right: [each for each in right if each[1] == right[0][1]]
    ),
    "Did you look in one process only? fork makes others that map the same frames.": (
        lambda args, right: [each for each in right if each[0] == 0]
    ),
    "Did you return page numbers? Addresses count bytes.": (
        lambda args, right: [(place, address >> 12) for place, address in right]
    ),
    "Did you return the rows of the top tables? The place in `pgds` is asked for.": (
        lambda args, right: [(args[1][place], address) for place, address in right]
    ),
}
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
    judge(student, histories(FAMILIES, seed, 10, 30), frames, GUESSES, least=30)


@needs("test_mappers")
def test_words_read(student: Any, seed: int) -> None:
    """words_read says what the search costs."""
    judge(student, histories(FAMILIES, seed), sizes, SIZE_GUESSES, least=10)
