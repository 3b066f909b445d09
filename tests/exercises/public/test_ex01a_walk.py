"""Exercise 01a: every address that a history has touched, and some that none has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from anonlab.course.judging.array_cost import BASE, FEW, MANY, blocks, judge_steps
from anonlab.course.judging.call_answers import Question, judge, judge_all
from anonlab.course.judging.families import ODD, histories
from anonlab.course.judging.marks import needs
from anonlab.course.judging.state import tables_after, words_text
from anonlab.course.judging.swap_areas import AREAS, area_of
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.machine.words import LESSON, X86_32, X86_64, Geometry

FAMILIES = ("lone", "forked", "swapped", "mixed")


def places(history: History, geometry: Geometry) -> Iterator[tuple[Any, int, list[int], list[int]]]:
    """Tables, top row, addresses and entries of each process: what it maps, and its neighbours."""
    tables, state = tables_after(history_text(history), geometry)
    for who, words in state.words.items():
        vpns = sorted({near for vpn in words for near in (vpn - 1, vpn, vpn + 1) if near >= 0})
        vpns = [vpn for vpn in vpns if vpn < geometry.npages]
        entries = [words.get(vpn, 0) for vpn in vpns]
        yield tables, state.pgds[who], [vpn << 12 | vpn % 9 for vpn in vpns], entries


def cut(shape: Geometry, addr: int) -> list[int]:
    """The indices of an address, as the machine itself has them."""
    return [int(shape.index(addr >> 12, level)) for level in range(shape.levels)]


def index_questions(seed: int) -> Iterator[Question]:
    """Addresses of many machines."""
    for shape in (LESSON, X86_32, X86_64, *ODD):
        for step in range(12):
            addr = (seed * 7919 + step * 0x7F3B5 * 0x1003) % (shape.npages << 12)
            where = f"{shape.levels} levels of {shape.bits} bits"
            args = (addr, shape.levels, shape.bits)
            yield Question("indices", args, cut(shape, addr), where)


INDEX_GUESSES = {
    "Did you begin with the last table? The top table's index comes first.": (
        lambda args, right: right[::-1]
    ),
    "Did you forget the offset? The low 12 bits of an address choose no table.": (
        lambda args, right: [
            args[0] >> args[2] * (args[1] - 1 - at) & (1 << args[2]) - 1 for at in range(args[1])
        ]
    ),
    "Did you keep the bits above each index? An index has `bits` bits.": (
        lambda args, right: [args[0] >> 12 + args[2] * (args[1] - 1 - at) for at in range(args[1])]
    ),
    "Did you use `bits` itself as a mask? A mask of n bits is (1 << n) - 1.": (
        lambda args, right: [
            args[0] >> 12 + args[2] * (args[1] - 1 - at) & args[2] for at in range(args[1])
        ]
    ),
}


def walks(history: History, geometry: Geometry = LESSON) -> Iterator[Question]:
    """One question for each address."""
    for tables, pgd, addrs, entries in places(history, geometry):
        for addr, word in zip(addrs, entries, strict=True):
            args = (tables, pgd, addr, geometry.levels, geometry.bits)
            yield Question("walk", args, word, f"the entry of {addr:#x}", words_text)


CASES = {
    "a present page": lambda each: each.right & 1 != 0,
    "a swap entry of the first area": lambda each: area(each.right) == AREAS[0],
    "a swap entry of the second area": lambda each: area(each.right) == AREAS[1],
    "a page without an entry": lambda each: each.right == 0,
}


def area(word: int) -> int:
    """The swap area of an entry, 0 for every other word."""
    return 0 if word & 1 else area_of(word)


def wide(seed: int) -> tuple[Question, Question]:
    """FEW addresses and MANY, spread over the same tables: a loop over tables is the same for both."""
    kinds = ("q write {at} 7",), ("q read {at} {n}",), ("q write {at} 7", "q swap_out {at} 1")
    lines = ["q = spawn", f"q mmap {BASE:#x} {MANY}", *blocks(MANY, kinds, seed)]
    tables, state = tables_after("\n".join(lines), ODD[0])
    vpns = range(BASE >> 12, (BASE >> 12) + MANY)
    args = tables, state.pgds["q"]
    few, many = (
        Question(
            "walk_many",
            (*args, np.array([vpn << 12 | 5 for vpn in some]), ODD[0].levels, ODD[0].bits),
            [state.words["q"].get(vpn, 0) for vpn in some],
            f"{len(some)} addresses",
            words_text,
        )
        for some in (vpns[:: MANY // FEW][::-1], vpns[::-1])
    )
    return few, many


SWAPPED = parse("q = spawn\nq mmap 0x2c000 5\nq write 0x2c000 3 4\nq swap_out 0x2d000 3\n")
"""Entries of both swap areas, one page that nobody touched, and tables that are not there."""


WALK_GUESSES = {
    "Did you return the frame's number? The entry is the whole word.": (
        lambda args, right: right >> 12
    ),
    "Did you return only present entries? A swap entry is an entry too.": (
        lambda args, right: right if right & 1 else 0
    ),
}


def many(history: History, geometry: Geometry = LESSON) -> Iterator[Question]:
    """One question for each process: its addresses downwards, and some once more."""
    for tables, pgd, addrs, entries in places(history, geometry):
        addrs, entries = (each[::-1] + each[1:4] for each in (addrs, entries))
        args = (tables, pgd, np.array(addrs, dtype=np.int64), geometry.levels, geometry.bits)
        yield Question("walk_many", args, entries, f"{len(addrs)} addresses", words_text)


def short(args: Any, right: list[int]) -> list[int]:
    """The entries of the low 32 bits of the addresses."""
    rows = 0 * args[2] + (args[1] << 12)
    for level in range(args[3] - 1, -1, -1):
        slots = (args[2] & 0xFFFFFFFF) >> 12 + level * args[4] & (1 << args[4]) - 1
        rows = args[0][rows >> 12, slots]
    return rows.tolist()


def ascending(args: Any, right: list[int]) -> list[int]:
    """The entries of the addresses in ascending order, each once."""
    return list(dict(sorted(zip(args[2].tolist(), right, strict=True))).values())


MANY_GUESSES = {
    "Did you write the lesson's two levels of four bits down? Other machines have other tables: use "
    "`levels` and `bits`.": (
        lambda args, right: args[0][args[0][args[1], args[2] >> 16 & 15] >> 12, args[2] >> 12 & 15]
    ),
    "Did you keep addresses in 32 bits? With four levels they have 48.": short,
    "Did you sort the addresses, or ask for each once only? The entries stand as the addresses do.": (
        ascending
    ),
}


def shaped(kind: Any, shape: Geometry) -> Any:
    """Questions of one kind about a machine of another shape."""
    return lambda history: kind(history, shape)


def test_indices(student: Any, seed: int) -> None:
    """indices cuts addresses of many machines."""
    judge_all(student, index_questions(seed % 1000), INDEX_GUESSES)


@needs("test_indices")
def test_walk(student: Any, seed: int) -> None:
    """walk finds the entry of every address."""
    judge(student, [SWAPPED, *histories(FAMILIES, seed, 8)], walks, WALK_GUESSES, 50, CASES)


@needs("test_walk")
def test_many_addresses(student: Any, seed: int) -> None:
    """walk_many finds them all at once, in tables of every shape."""
    judge(student, [SWAPPED, *histories(FAMILIES, seed, 4)], many, MANY_GUESSES)
    for shape in ODD:
        judge(student, [SWAPPED, *histories(FAMILIES, seed, 2)], shaped(many, shape), MANY_GUESSES)


@needs("test_many_addresses")
def test_array_operations(student: Any, seed: int) -> None:
    """walk_many makes as many steps for 800 addresses as for 100."""
    judge_steps(student, *wide(seed), "`tables[rows, slots]` looks up an array of rows and slots")
