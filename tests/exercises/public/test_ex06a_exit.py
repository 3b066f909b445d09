"""Exercise 06a: every process of every history exits, and the kernel's counts say what is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from anonlab.course.judging.call_answers import Question, judge
from anonlab.course.judging.families import histories
from anonlab.course.judging.state import MachineState, state_after
from anonlab.formats.history import History, Op
from anonlab.formats.history_text import parse

FAMILIES = ("family", "forked", "swapped", "pinned")
PINNED = ("pin", "unpin")


def exits(history: History) -> Iterator[Question]:
    """One question for each process that has only private memory and no pins of its own."""
    before = state_after(history)
    pinning = {op.who for op in history.ops if op.verb in PINNED}
    for who, areas in before.areas.items():
        if who in pinning or not all(area.private_anonymous for area in areas):
            continue
        after = state_after(replace(history, ops=(*history.ops, Op("exit", who, {}))))
        # A slot is shared memory's, or kept, only where nobody counts it: compare what moved.
        vpns = [vpn for area in areas for vpn in range(area.start, area.end)]
        words = np.array([before.words[who].get(vpn, 0) for vpn in vpns], dtype=np.int64)
        if lonely(before, words):
            continue
        columns = [np.array(column) for column in (before.count, before.mapcount, before.swapcount)]
        freed = [
            pfn
            for pfn, (old, new) in enumerate(zip(before.count, after.count, strict=True))
            if old and not new
        ]
        right = (after.count, after.mapcount, after.swapcount, freed)
        yield Question("exit_mm", (words, *columns), right, f"{who} exits", show)


def lonely(before: MachineState, words: Any) -> bool:
    """True if a page in the swap cache would lose its last user: reclaim has a say there."""
    cached = [int(word >> 12) for word in words if word & 1 and before.flags[int(word >> 12)] & 2]
    used = {int(word >> 8) for word in words if word and not word & 1}
    return bool(cached) or any(before.swapcount[slot] > 1 for slot in used)


def show(value: Any) -> str:
    """Counts that are not 0."""
    if not isinstance(value, list | tuple) or len(value) != 4:
        return repr(value)
    names = ("count", "mapcount", "swap_map")
    told = [
        f"{name} {{{', '.join(f'{at}: {n}' for at, n in enumerate(column) if n)}}}"
        for name, column in zip(names, value, strict=False)
    ]
    return f"{', '.join(told)}, freed {value[3]}"


def lowered(args: tuple[Any, ...], what: int) -> list[int]:
    """The frames or slots that the process used."""
    words = [int(word) for word in args[0]]
    if what == 2:
        return [word >> 8 for word in words if word and not word & 1]
    return [word >> 12 for word in words if word & 1 and word >> 12]


def without(what: int) -> Any:
    """A guess that leaves one of the three counts as it was."""

    def answer(args: tuple[Any, ...], right: Any) -> Any:
        changed = list(right)
        changed[what] = args[what + 1]
        if what == 0:
            changed[3] = []
        return tuple(changed)

    return answer


GUESSES = {
    "Did you forget mapcount? Then the kernel believes that somebody still maps the frame.": (
        without(1)
    ),
    "Did you forget count? Then no frame is ever free again.": without(0),
    "Did you forget the swap entries? Their slots are never free again.": without(2),
    "Did you free every frame that the process had? Others may still map it: the last mapping frees it.": (
        lambda args, right: (*right[:3], sorted(lowered(args, 0)))
    ),
    "Did you take a swap entry for a mapping? It has bits above 12 as well: ask for PRESENT.": (
        lambda args, right: entries_too(args)
    ),
    "Did you lower the zero page as well? It belongs to nobody, and has no mapcount.": (
        lambda args, right: zero_too(args, right)
    ),
    "Did you ask mapcount whether the frame is free? A device may hold a frame that nobody maps.": (
        lambda args, right: (
            *right[:3],
            sorted(pfn for pfn in lowered(args, 0) if right[1][pfn] == 0),
        )
    ),
}


def entries_too(args: tuple[Any, ...]) -> Any:
    """What somebody answers who takes every word with bits above 12 for a mapping."""
    count, mapcount, swap_map = (list(map(int, column)) for column in args[1:])
    pfns = sorted(int(word) >> 12 for word in args[0] if word >> 12)
    for pfn in {pfn for pfn in pfns if pfn < len(count)}:
        count[pfn] -= 1
        mapcount[pfn] -= 1
    for word in map(int, args[0]):
        swap_map[word >> 8] -= bool(word and not word & 1)
    return count, mapcount, swap_map, [pfn for pfn in pfns if pfn < len(count) and not count[pfn]]


def zero_too(args: tuple[Any, ...], right: Any) -> Any:
    """What lowering frame 0 gives, with numpy's counting of a repeated place once."""
    count, mapcount, swap_map, freed = (list(column) for column in right)
    if any(word & 1 and word >> 12 == 0 for word in map(int, args[0])):
        count[0] -= 1
        mapcount[0] -= 1
        freed = sorted([*freed, *([0] * sum(int(w) & 1 and int(w) >> 12 == 0 for w in args[0]))])
    return count, mapcount, swap_map, freed


HELD = parse(
    "machine lesson frames 128 swap 64\np = spawn\np mmap 0x30000 2\np write 0x30000 7 2\n"
    "p pin 0x30000\nc = fork p\np write 0x30000 8\n"
)
"""A device holds the first frame, which only the child maps: the parent has got a copy. The second
one is shared."""


SWAPPED = parse(
    "machine lesson frames 128 swap 64\np = spawn\np mmap 0x30000 6\np write 0x30000 7 4\n"
    "p swap_out 0x30000 2\np read 0x34000 2\n"
)
"""Entries of both areas, pages that are nobody else's, the zero page twice."""
CASES = {
    "a frame that a device holds": lambda each: bool(
        {pfn for pfn in lowered(each.args, 0) if not each.right[1][pfn]} - {*each.right[3]}
    ),
    "an entry that looks like a mapping": lambda each: any(
        word >> 12 and not word & 1 for word in each.args[0].tolist()
    ),
    "the zero page twice": lambda each: list(each.args[0]).count(0x25) > 1,
    "a page that nobody touched": lambda each: 0 in each.args[0].tolist(),
    "a frame that becomes free": lambda each: bool(each.right[3]),
}
FIXED = (HELD, SWAPPED)


def test_exit(student: Any, seed: int) -> None:
    """exit_mm gives back what exit gives back."""
    judge(student, [*FIXED, *histories(FAMILIES, seed, 24, 20)], exits, GUESSES, 8, CASES)
