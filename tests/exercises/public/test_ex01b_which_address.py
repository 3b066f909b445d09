"""Exercise 01b: from slots and from frames back to addresses."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

from anonlab.course.judging.call_answers import Question, judge, judge_all
from anonlab.course.judging.families import histories
from anonlab.course.judging.marks import needs
from anonlab.course.judging.state import tables_after
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
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


def _with_swap(args: tuple[Any, ...], right: Any) -> Any:
    tables, pgd, pfn, _, bits = args
    found = []
    for top, word in enumerate(tables[pgd].tolist()):
        for low, leaf in enumerate(tables[word >> 12].tolist() if word else ()):
            if leaf and leaf >> 12 == pfn:
                found.append((top << bits | low) << 12)
    return found


FRAME_GUESSES = {
    "Did you stop at the first page? The zero page, for one, is mapped many times.": (
        lambda args, right: right[:1]
    ),
    "Did you take swap entries for mappings? Only a word with PRESENT set maps a frame.": (
        _with_swap
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
    judge(student, histories(FAMILIES, seed, 8), frames, FRAME_GUESSES, least=20)
