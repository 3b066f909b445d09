"""The machine as plain data, and histories as moments: what tests ask students about.

The truth of every exercise is what the simulated kernel does, checked by a scan of all page tables:
no expected value is typed by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

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


class Top(NamedTuple):
    """An address space, and the row of its top table."""

    number: int
    pgd: int


class MachineState:
    """A machine at one moment: processes by name. It has two swap areas (swap_areas.py). What is
    asked is made of a copy when it is asked: most of a history is asked by nobody."""

    def __init__(self, kernel: Kernel) -> None:
        live = [(task.name, task.mm) for task in kernel.processes.values() if task.mm is not None]
        self.mms: dict[str, int] = {name: mm.number for name, mm in live}
        self.pgds: dict[str, int] = {name: mm.pgd for name, mm in live}
        tops = [Top(mm.number, mm.pgd) for mm in kernel.mms.values()]
        self._areas = {name: [_raw(vma) for vma in mm.vmas] for name, mm in live}
        tables = SimpleNamespace(words=kernel.tables.words.copy())
        self._scanned: Any = SimpleNamespace(
            tables=tables, geometry=kernel.geometry, mms={top.number: top for top in tops}
        )  # what scan reads of a kernel
        mem = kernel.mem_map
        self._frames = np.array((mem.count, mem.mapcount, mem.index, mem.flags))
        self._swap = kernel.swap.map.copy()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MachineState) and self._facts == other._facts

    __hash__ = None  # type: ignore[assignment]

    @property
    def _facts(self) -> tuple[Any, ...]:
        lists = self.count, self.mapcount, self.index, self.flags, self.swapcount
        return self.mms, self.pgds, self.words, self.areas, lists

    @cached_property
    def words(self) -> dict[str, dict[int, int]]:
        """Every word that is not 0 of each process, by vpn."""
        truth = scan(self._scanned)
        by_mm: dict[int, dict[int, int]] = {number: {} for number in self._scanned.mms}
        places = (truth.mms.tolist(), truth.vpns.tolist(), truth.words.tolist())
        for mm, vpn, word in zip(*places, strict=True):
            by_mm[mm][vpn] = renamed(word)
        return {name: by_mm[number] for name, number in self.mms.items()}

    @cached_property
    def areas(self) -> dict[str, list[Area]]:
        """The VMAs of each process."""
        return {
            name: [Area(start, end, prot_letters(prot), *more) for start, end, prot, *more in raw]
            for name, raw in self._areas.items()
        }

    @cached_property
    def count(self) -> list[int]:
        """References to frames, by pfn."""
        return list(self._frames[0].tolist())

    @cached_property
    def mapcount(self) -> list[int]:
        """Words that name a frame, as the kernel counts them, by pfn."""
        return list(self._frames[1].tolist())

    @cached_property
    def index(self) -> list[int]:
        """Where a frame stands in what it belongs to, by pfn."""
        return list(self._frames[2].tolist())

    @cached_property
    def flags(self) -> list[int]:
        """What a frame is, by pfn."""
        return list(self._frames[3].tolist())

    @cached_property
    def swapcount(self) -> list[int]:
        """Uses of swap slots, by slot."""
        return renamed_map(self._swap.tolist())

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
    return MachineState(kernel)


def _raw(vma: Any) -> tuple[Any, ...]:
    file = vma.file.name if vma.file else ""
    return vma.start_vpn, vma.end_vpn, vma.prot, vma.shared, file, vma.pgoff


def before_after(history: History, design: str = "anongroup") -> tuple[BeforeAfter, ...]:
    """Run `history` and return each operation; the last state is checked in every respect."""
    return _before_after(_Told(history_text(history), history), design)


class _Told:
    """A history that is the same as another if it is told in the same words."""

    def __init__(self, text: str, history: History) -> None:
        self.text, self.history = text, history

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Told) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


@lru_cache(maxsize=512)
def _before_after(told: _Told, design: str) -> tuple[BeforeAfter, ...]:
    kernel = make_kernel(told.history, design)
    before, found = machine_state(kernel), []
    for op in told.history.ops:
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
