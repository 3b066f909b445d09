"""The machine as plain data, and histories as moments: what tests ask students about.

The truth of every exercise is what the simulated kernel does, checked by a scan of all page tables:
no expected value is typed by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from anonlab.box.plain_data import without_sequence_types
from anonlab.course.judging.families import MACHINE
from anonlab.course.judging.swap_areas import area_of, renamed, renamed_map, renamed_words
from anonlab.formats.history import History, Op
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.histories.run import Outcome, apply, make_kernel, run_on
from anonlab.kernel import Kernel
from anonlab.machine.words import (
    PAGE_SHIFT,
    PTE_ACCESSED,
    PTE_DIRTY,
    PTE_PRESENT,
    PTE_SHIFT,
    PTE_USER,
    PTE_WRITE,
    Geometry,
    Words,
    pte_letters,
    swp_offset,
)
from anonlab.mm import prot_letters
from anonlab.proof.invariants import check
from anonlab.proof.page_table_scan import scan


class Area(NamedTuple):
    """A VMA: pages [start, end), `prot` as 'rw-'; `pgoff` counts in pages."""

    start: int
    end: int
    prot: str
    shared: bool
    file: str
    pgoff: int

    @property
    def private_anonymous(self) -> bool:
        """True for memory that is nobody else's and no file's."""
        return not self.shared and not self.file


@dataclass(frozen=True)
class MachineState:
    """A machine at one moment. Processes by name; `words` has every word that is not 0 by vpn. It
    has two swap areas (swap_areas.py).

    count, mapcount, index, flags, swapcount   lists by pfn, or by swap slot
    """

    mms: dict[str, int]
    words: dict[str, dict[int, int]]
    areas: dict[str, list[Area]]
    pgds: dict[str, int]
    count: list[int]
    mapcount: list[int]
    index: list[int]
    flags: list[int]
    swapcount: list[int]

    def private(self, who: str) -> dict[int, int]:
        """Return the words of `who` that lie in private anonymous memory, by vpn."""
        areas = [area for area in self.areas[who] if area.private_anonymous]
        words = self.words[who]
        return {v: words[v] for area in areas for v in range(area.start, area.end) if v in words}

    def one_each(self) -> list[str]:
        """Return a process for each address space: a vfork'ed child and its parent have one."""
        return list({number: who for who, number in reversed(self.mms.items())}.values())[::-1]

    def area(self, who: str, vpn: int) -> Area | None:
        """Return the VMA of `who` that has page `vpn`, or None."""
        return next((area for area in self.areas[who] if area.start <= vpn < area.end), None)


class BeforeAfter(NamedTuple):
    """One operation of a history, and the machine before and after it."""

    op: Op
    outcome: Outcome
    before: MachineState
    after: MachineState
    geometry: Geometry

    @property
    def vpn(self) -> int:
        """The first page of the operation's range."""
        return int(self.op.args["addr"]) >> PAGE_SHIFT

    @property
    def npages(self) -> int:
        """How many pages the operation's range has."""
        return int(self.op.args.get("pages", 1))

    def address(self, vpn: int) -> str:
        """Write page number `vpn` as an address of this machine."""
        return self.geometry.address(vpn)


def machine_state(kernel: Kernel) -> MachineState:
    """Return the machine as it is now."""
    truth = scan(kernel)
    by_mm: dict[int, dict[int, int]] = {number: {} for number in kernel.mms}
    places = (truth.mms.tolist(), truth.vpns.tolist(), truth.words.tolist())
    for mm, vpn, word in zip(*places, strict=True):
        by_mm[mm][vpn] = renamed(word)
    live = {task.name: task.mm for task in kernel.processes.values() if task.mm is not None}
    mem = kernel.mem_map
    columns: list[Any] = [mem.count, mem.mapcount, mem.index, mem.flags]
    lists = [*(column.tolist() for column in columns), renamed_map(kernel.swap.map.tolist())]
    return MachineState(
        {name: mm.number for name, mm in live.items()},
        {name: by_mm[mm.number] for name, mm in live.items()},
        {name: [_area(vma) for vma in mm.vmas] for name, mm in live.items()},
        {name: mm.pgd for name, mm in live.items()},
        *lists,
    )


def _area(vma: Any) -> Area:
    file = vma.file.name if vma.file else ""
    return Area(vma.start_vpn, vma.end_vpn, prot_letters(vma.prot), vma.shared, file, vma.pgoff)


def before_after(history: History, design: str = "anongroup") -> tuple[BeforeAfter, ...]:
    """Run `history` and return each operation; the last state is checked in every respect."""
    return _before_after(history_text(history), design)


@lru_cache(maxsize=512)
def _before_after(text: str, design: str) -> tuple[BeforeAfter, ...]:
    history = parse(text)
    kernel = make_kernel(history, design)
    before, found = machine_state(kernel), []
    for op in history.ops:
        outcome = apply(kernel, op)
        after = machine_state(kernel)
        found.append(BeforeAfter(op, outcome, before, after, kernel.geometry))
        before = after
    check(kernel)
    return tuple(found)


def state_after(history: History, design: str = "anongroup") -> MachineState:
    """Return the machine after `history`."""
    kernel = make_kernel(history, design)
    for op in history.ops:
        apply(kernel, op)
    return machine_state(kernel)


@lru_cache(maxsize=256)
def tables_after(
    text: str, geometry: Geometry, design: str = "anongroup"
) -> tuple[Words, MachineState]:
    """Return all page tables after the history `text` on a machine of any geometry, int64[rows,
    slots], and what a scan finds in them."""
    kernel = Kernel(design, MACHINE.frames, MACHINE.swap, geometry)
    run_on(kernel, parse(text))
    return renamed_words(kernel.tables.words), machine_state(kernel)


def word_text(word: Any) -> str:
    """Say in words what a page-table word is: '0x3067 = pfn 3, PWUAD'."""
    if isinstance(word, bool) or not isinstance(word, int):
        return repr(word)
    if word == 0:
        return "0 (empty)"
    if word & PTE_PRESENT:
        return f"{word:#x} (pfn {word >> PTE_SHIFT}, {pte_letters(word)})"
    return f"{word:#x} (swap area {area_of(word)}, slot {swp_offset(word)})"


def words_text(value: Any) -> str:
    """Say what one word, or several in any nesting, are."""
    if isinstance(value, list | tuple):
        inner = ", ".join(words_text(item) for item in value)
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    return word_text(value)


BITS = {
    "PRESENT": PTE_PRESENT,
    "WRITE": PTE_WRITE,
    "USER": PTE_USER,
    "ACCESSED": PTE_ACCESSED,
    "DIRTY": PTE_DIRTY,
}


def bits_text(expected: Any, answer: Any) -> str:
    """Say which bits of the first wrong word are on or off and should not be, '' if none is
    present in both."""
    for right, mine in _words(expected, answer):
        if right == mine or not (right & mine & PTE_PRESENT):
            continue
        wrong = [
            f"{name} is on, it should be off" if mine & bit else f"{name} is off, it should be on"
            for name, bit in BITS.items()
            if (right ^ mine) & bit
        ]
        if right >> PTE_SHIFT != mine >> PTE_SHIFT:
            wrong.append(f"the frame is {mine >> PTE_SHIFT}, it should be {right >> PTE_SHIFT}")
        return f"of {mine:#x}: {'; '.join(wrong)}" if wrong else ""
    return ""


def _words(expected: Any, answer: Any) -> Iterator[tuple[int, int]]:
    """Yield pairs of words that stand at one place, as far as both have the same shape."""
    expected, answer = without_sequence_types(expected), without_sequence_types(answer)
    if isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        for one, other in zip(expected, answer, strict=True):
            yield from _words(one, other)
    elif type(expected) is int and type(answer) is int:
        yield expected, answer


words_text.bits = bits_text  # type: ignore[attr-defined]
