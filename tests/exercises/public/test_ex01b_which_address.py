"""Exercise 01b: from slots and from frames back to addresses."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

from anonlab.course.judging.call_answers import Question, judge, judge_all
from anonlab.course.judging.families import ODD, histories
from anonlab.course.judging.marks import needs
from anonlab.course.judging.state import tables_after
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.machine.words import LESSON, X86_32, Geometry

FAMILIES = ("lone", "swapped", "moved", "mixed")


def slot_questions(seed: int, shapes: tuple[Geometry, ...]) -> Iterator[Question]:
    """Addresses that were cut into slots."""
    for shape in shapes:
        for step in range(1, 13):
            addr = (seed * 7919 + step * 0x7F3B5 * 0x1003) % (shape.npages << 12)
            args = (cut(shape, addr), addr & 0xFFF, shape.bits)
            about = f"{shape.levels} levels of {shape.bits} bits"
            yield Question("address_of", args, addr, about, lambda value: f"{value:#x}")


def cut(shape: Geometry, addr: int) -> list[int]:
    """The slots of an address, as the machine itself has them."""
    return [int(shape.index(addr >> 12, level)) for level in range(shape.levels)]


def _put(slots: list[int], bits: int) -> int:
    return reduce(lambda vpn, slot: vpn << bits | slot, slots, 0)


SLOT_GUESSES = {
    "Did you put the last slot on top? The first slot is the top table's.": (
        lambda args, right: _put(args[0][::-1], args[2]) << 12 | args[1]
    ),
    "Did you return the page's number? An address counts bytes: 4096 of them are a page.": (
        lambda args, right: right >> 12
    ),
    "Did you leave the offset out?": lambda args, right: right & ~0xFFF,
}


def frames(history: History, geometry: Geometry = LESSON) -> Iterator[Question]:
    """One question for each process and frame, one frame that nobody maps included."""
    tables, state = tables_after(history_text(history), geometry)
    for who, words in state.words.items():
        pfns = {word >> 12 for word in words.values()} | {127}
        for pfn in sorted(pfns):
            mapped = [vpn << 12 for vpn, word in words.items() if word & 1 and word >> 12 == pfn]
            args = (tables, state.pgds[who], pfn, geometry.levels, geometry.bits)
            about = f"where {who} maps frame {pfn}"
            yield Question("addresses", args, sorted(mapped), about, show)


def show(value: Any) -> str:
    """Addresses as hex."""
    return str([f"{each:#x}" for each in value]) if isinstance(value, list) else repr(value)


SWAPPED = parse(
    "p = spawn\np mmap 0x3c000 4\np write 0x3c000 7 4\np swap_out 0x3c000 2\np read 0x3c000 1\n"
    "p mmap 0x20000 2\np write 0x20000 7 2\nq = spawn\nq mmap 0x30000 8\nq write 0x30000 7 8\n"
    "q read 0x30000 8\nq mmap 0x3a000 2\nq read 0x3a000 2\n"
)
"""Slots above 15, swap entries that look like frames which are mapped, the zero page twice."""
CASES = {
    "a frame that is mapped more than once": lambda each: len(each.right) > 1,
    "a swap entry that looks like the frame": lambda each: (
        _with_swap(each.args, None) != each.right
    ),
    "a frame that nobody maps": lambda each: each.right == [],
    "a frame that is mapped": lambda each: each.right != [],
}


def leaves(args: tuple[Any, ...]) -> Iterator[tuple[list[int], int]]:
    """(slots, word) of every leaf word that is not 0."""
    tables, pgd, _, levels, _ = args

    def below(row: int, slots: list[int]) -> Iterator[tuple[list[int], int]]:
        for slot, word in enumerate(tables[row].tolist()):
            if word and len(slots) < levels - 1:
                yield from below(word >> 12, [*slots, slot])
            elif word:
                yield [*slots, slot], word

    return below(pgd, [])


def _with_swap(args: tuple[Any, ...], right: Any) -> Any:
    return [_put(slots, args[4]) << 12 for slots, word in leaves(args) if word >> 12 == args[2]]


def _of_sixteen(args: tuple[Any, ...], right: Any) -> Any:
    """What somebody finds who looks at 16 slots of every table."""
    hits = [slots for slots, word in leaves(args) if word & 1 and word >> 12 == args[2]]
    return [_put(slots, args[4]) << 12 for slots in hits if max(slots) < 16]


FRAME_GUESSES = {
    "Did you stop at the first page? The zero page, for one, is mapped many times.": (
        lambda args, right: right[:1]
    ),
    "Did you take swap entries for mappings? Only a word with PRESENT set maps a frame.": (
        _with_swap
    ),
    "Did you write 16 for the number of slots? A table has 2**bits of them.": _of_sixteen,
    "Did you keep addresses in 32 bits? With four levels they have 48.": (
        lambda args, right: sorted(each & 0xFFFFFFFF for each in right)
    ),
    "Did you return page numbers? Addresses are asked for.": (
        lambda args, right: [each >> 12 for each in right]
    ),
}


def test_address_of(student: Any, seed: int) -> None:
    """address_of puts slots and offset together."""
    judge_all(student, slot_questions(seed % 1000, (LESSON, X86_32)), SLOT_GUESSES)


@needs("test_address_of")
def test_addresses(student: Any, seed: int) -> None:
    """addresses finds every page of a frame."""
    cases = [SWAPPED, *histories(FAMILIES, seed, 8)]
    judge(student, cases, frames, FRAME_GUESSES, 20, CASES)
    wide = histories(FAMILIES, seed, 2)
    judge(student, [SWAPPED, *wide], lambda each: frames(each, ODD[0]), FRAME_GUESSES, 2)
