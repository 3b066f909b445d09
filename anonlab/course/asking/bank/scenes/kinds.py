"""What a scene is: a story on the stage, what is asked on the way, and how the truth is measured.

What is right is measured on the recorded story. `why` reacts to what was answered: by the number
of an option, by a number, or "else" for any other answer that is not right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from anonlab.course.asking.bank.predictions import Part
from anonlab.course.asking.diff import (
    frames_used,
    page_table_words,
    processes_with_new_frames,
    slots_filled,
)
from anonlab.formats.history import History
from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Step
from anonlab.machine.words import (
    PTE_ACCESSED,
    PTE_DIRTY,
    PTE_PRESENT,
    PTE_SHIFT,
    PTE_WRITE,
    is_swap,
)

Truth = Callable[[Step, Step], object]
"""What is right, from the step before the operation and its last step: an option or options by
their text, a number, or a set of places in the picture, as `place` writes them."""


EACH = "each"
"""Not one design is asked about, but all: they are the options of the part."""


class Asked(NamedTuple):
    """One thing that is asked: what stands on the card, what is right, and what is said to an
    answer.

    design  of the scene, under which it is measured; without a name, the first one. EACH: a choice
            is the design of the largest number, and several are those for which it is true
    """

    part: Part
    truth: Truth
    why: dict[str, str] = {}  # noqa: RUF012  a NamedTuple's default is never changed
    design: str = ""


class Question(NamedTuple):
    """A card before the operation with the text `before`, or before its step with the label `at`;
    `explain` opens with the truth, and then the operation is over."""

    before: str
    ask: str
    asked: tuple[Asked, ...]
    explain: str
    at: str = ""


class Scene(NamedTuple):
    """A story, or what makes it, that opens after the operation with the text `opens`, and its
    questions. Designs of reverse maps are named; several stand side by side.

    rule  the year whose rule holds, of proof.famous_bugs.RULES; '' for that of the design
    """

    title: str
    story: str | Callable[[], History]
    opens: str
    questions: tuple[Question, ...] = ()
    designs: tuple[str, ...] = ("anongroup",)
    rule: str = ""


def users_of_frame(pfn: int) -> Truth:
    """The processes with an entry that names frame `pfn` before the operation."""
    return lambda before, after: _users(before.snapshot, pfn)


def users_after(pfn: int) -> Truth:
    """The processes with an entry that names frame `pfn` after the operation."""
    return lambda before, after: _users(after.snapshot, pfn)


def _users(snapshot: Snapshot, pfn: int) -> list[str]:
    words = page_table_words(snapshot).items()
    return sorted({who for (who, _), word in words
                   if word & PTE_PRESENT and word >> PTE_SHIFT == pfn})  # fmt: skip


def who_has_a_new_frame(before: Step, after: Step) -> object:
    """The process whose page has another frame after the operation, or nobody."""
    return processes_with_new_frames(before.snapshot, after.snapshot)


def frames_taken(before: Step, after: Step) -> object:
    """How many frames more are in use after the operation."""
    return frames_used(after.snapshot) - frames_used(before.snapshot)


def frames_in_use(before: Step, after: Step) -> object:
    """How many frames are in use after the operation, without the zero page."""
    return frames_used(after.snapshot)


def is_there_a_fault(before: Step, after: Step) -> object:
    """Whether the kernel changed an entry: the machine itself sets only A and D."""
    by_machine = PTE_ACCESSED | PTE_DIRTY
    old, new = ({at: word & ~by_machine for at, word in page_table_words(step.snapshot).items()}
                for step in (before, after))  # fmt: skip
    return "no" if old == new else "yes"


def address_kept(before: Step, after: Step) -> object:
    """Whether all entries are at the addresses at which they were."""
    same = page_table_words(before.snapshot).keys() == page_table_words(after.snapshot).keys()
    return "at the same address" if same else "at another address"


def top_slot_filled(before: Step, after: Step) -> object:
    """The slot of the top table that is no longer empty, as a hex digit, or "none"."""
    *upper, _ = slots_filled(before.snapshot, after.snapshot)
    return upper[0] if upper else "none"


def new_entries(before: Step, after: Step) -> object:
    """The places of the entries that were not there before the operation."""
    old, new = (places(step.snapshot, bool) for step in (before, after))
    return new - old


def areas_after(before: Step, after: Step) -> object:
    """How many VMAs the process of the operation has after it."""
    mm = next(each.mm for each in after.snapshot.processes if each.name == after.process)
    return sum(len(each.vmas) for each in after.snapshot.mms if each.mm == mm)


def count_of(pfn: int) -> Truth:
    """The count of frame `pfn` after the operation."""
    return lambda before, after: _of_frame(after.snapshot, pfn, after.snapshot.count.tolist())


def mapcount_of(pfn: int) -> Truth:
    """The mapcount of frame `pfn` after the operation."""
    return lambda before, after: _of_frame(after.snapshot, pfn, after.snapshot.mapcount.tolist())


def _of_frame(snapshot: Snapshot, pfn: int, column: list[int]) -> int:
    found: dict[int, int] = dict(zip(snapshot.pfn.tolist(), column, strict=True))
    return found[pfn]


def frames_shared(who: str) -> Truth:
    """How many frames of `who`, without the zero page, have another entry after the operation."""

    def found(before: Step, after: Step) -> object:
        entries = page_table_words(after.snapshot).items()
        named = Counter(word >> PTE_SHIFT for _, word in entries if word & PTE_PRESENT)
        mine = {word >> PTE_SHIFT for (name, _), word in entries if name == who}
        return sum(named[pfn] > 1 for pfn in mine - {0})

    return found


def group_members(before: Step, after: Step) -> object:
    """How many address spaces are in the group of the process of the operation after it."""
    homes = _homes(after.snapshot)
    return list(homes.values()).count(homes[after.process])


def does_the_group_go(before: Step, after: Step) -> object:
    """Whether nobody is in the group any more in which the process of the operation was."""
    was = _homes(before.snapshot)[after.process]
    return "no" if was in _homes(after.snapshot).values() else "yes"


def _homes(snapshot: Snapshot) -> dict[str, str]:
    """Return the group of each process, as the design calls it."""
    return {who: mm.home for mm in snapshot.mms for who in mm.processes}


def contents_read(who: str, vpn: int) -> Truth:
    """The number in the page `vpn` of `who` after the operation."""

    def found(before: Step, after: Step) -> object:
        pfn = page_table_words(after.snapshot)[who, vpn] >> PTE_SHIFT
        return _of_frame(after.snapshot, pfn, after.snapshot.data.tolist())

    return found


def did_it_work(yes: str, no: str) -> Truth:
    """`no` if the operation ended with an error, else `yes`."""
    return lambda before, after: no if after.error else yes


def places(snapshot: Snapshot, which: Callable[[int], bool]) -> set[str]:
    """Return the places in the picture with an entry of which `which` is true: {"p1-48", …}."""
    numbers = {process.name: process.mm for process in snapshot.processes}
    words = page_table_words(snapshot).items()
    return {f"p{numbers[who]}-{vpn}" for (who, vpn), word in words if which(word)}


def read_only_entries(before: Step, after: Step) -> object:
    """The places of the entries that are present and without W after the operation."""
    return places(after.snapshot, lambda word: bool(word & PTE_PRESENT and not word & PTE_WRITE))


def entries_in_swap(before: Step, after: Step) -> object:
    """How many entries name a swap slot after the operation."""
    return len(places(after.snapshot, is_swap))
