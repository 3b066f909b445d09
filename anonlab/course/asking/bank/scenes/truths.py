"""What is right in the scenes of notebooks 06 to 10, measured on two recorded steps."""

from __future__ import annotations

from anonlab.course.asking.bank.scenes.kinds import Truth
from anonlab.course.asking.diff import (
    frames_used,
    page_table_words,
    pages_with_same_frames,
    swap_entries_made,
)
from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Step
from anonlab.machine.words import PAGE_SHIFT, PTE_PRESENT, PTE_SHIFT

COPIES = "copies_"
"""How the counters of a design begin that count copied pages."""


def frames_freed(before: Step, after: Step) -> object:
    """How many frames fewer are in use after the operation."""
    return frames_used(before.snapshot) - frames_used(after.snapshot)


def freed_of(who: str) -> Truth:
    """How many of the frames that `who` had before the operation are free after it."""

    def found(before: Step, after: Step) -> object:
        return len(set(_pfns(before.snapshot, who).values()) - set(after.snapshot.pfn.tolist()))

    return found


def group_of(who: str) -> Truth:
    """Whether `who` is in its "old group" after the operation, or in a "new group"."""

    def found(before: Step, after: Step) -> object:
        old, new = (_home(step.snapshot, who) for step in (before, after))
        return "old group" if old == new else "new group"

    return found


def in_place(who: str, addr: int) -> Truth:
    """Whether `who` "writes in place" at `addr`, or "gets a copy"."""

    def found(before: Step, after: Step) -> object:
        old, new = (_pfns(step.snapshot, who)[addr >> PAGE_SHIFT] for step in (before, after))
        return "writes in place" if old == new else "gets a copy"

    return found


def content_of(who: str, addr: int) -> Truth:
    """What the page that `who` has at `addr` holds after the operation, as text."""
    return lambda before, after: str(_frame(after.snapshot, who, addr)["data"])


def pages_copied(before: Step, after: Step) -> object:
    """How many pages the operation copied, for whatever reason."""
    was, now = dict(before.snapshot.cost), dict(after.snapshot.cost)
    return sum(now[name] - was[name] for name in now if name.startswith(COPIES))


def keeps_frames(who: str) -> Truth:
    """The pages of `who`, by their old address, that have the same frame after the operation."""
    return lambda before, after: sorted(
        pages_with_same_frames(before.snapshot, after.snapshot, who)
    )


def index_of(who: str, addr: int) -> Truth:
    """The index of the page that `who` has at `addr` after the operation, in hex."""
    return lambda before, after: hex(_frame(after.snapshot, who, addr)["index"])


def what_happens_to(who: str) -> Truth:
    """What happens to the pages of `who`: "nothing", "they move, too" or "they are copied, too"."""

    def found(before: Step, after: Step) -> object:
        old, new = (_pfns(step.snapshot, who) for step in (before, after))
        if set(old) != set(new):
            return "they move, too"
        return "nothing" if old == new else "they are copied, too"

    return found


def entries_made(before: Step, after: Step) -> object:
    """How many page-table entries became swap entries."""
    return sum(swap_entries_made(before.snapshot, after.snapshot))


def looks_before(who: str, addr: int) -> Truth:
    """At how many places the walk for the page of `who` at `addr` looks, before the operation."""
    return lambda before, after: _looks(before.snapshot, who, addr)


def looks_after(who: str, addr: int) -> Truth:
    """The same after the operation."""
    return lambda before, after: _looks(after.snapshot, who, addr)


def found_at_once(who: str, addr: int) -> Truth:
    """Whether one look finds the page of `who` at `addr` after the operation."""
    return lambda before, after: _looks(after.snapshot, who, addr) == 1


def objects_made(before: Step, after: Step) -> object:
    """How many objects the reverse map made during the operation."""
    return dict(after.snapshot.cost)["allocs"] - dict(before.snapshot.cost)["allocs"]


def _looks(snapshot: Snapshot, who: str, addr: int) -> int:
    """Return at how many places the walk for the page that `who` has at `addr` looks."""
    pfn = _pfns(snapshot, who)[addr >> PAGE_SHIFT]
    (walk,) = [each for each in snapshot.walks if each.pfn == pfn]
    return len(walk.probes)


def _pfns(snapshot: Snapshot, who: str) -> dict[int, int]:
    """Return {page number: frame} of the pages that `who` has in memory."""
    words = page_table_words(snapshot).items()
    return {vpn: word >> PTE_SHIFT for (name, vpn), word in words
            if name == who and word & PTE_PRESENT}  # fmt: skip


def _frame(snapshot: Snapshot, who: str, addr: int) -> dict[str, int]:
    """Return what the kernel knows of the frame that `who` has at `addr`."""
    pfn = _pfns(snapshot, who)[addr >> PAGE_SHIFT]
    row = snapshot.pfn.tolist().index(pfn)
    return {name: int(getattr(snapshot, name)[row]) for name in ("index", "data")}


def _home(snapshot: Snapshot, who: str) -> str:
    """Return what the design keeps for the address space of `who`."""
    (home,) = [mm.home for mm in snapshot.mms if who in mm.processes]
    return home
