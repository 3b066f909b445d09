"""Where the anon memory group differs from today's kernel, operation by operation.

A group copies a shared page when a process moves it. From then on, what is one page on the kernel
is two here, until the kernel copies as well. So at every moment the pages here must divide each
page of the kernel's: places that are one page here are one page there, and only a page that a move
has copied may be divided. Whatever else differs has no reason, but for rules that end the history:

merged_vmas     the group may merge areas that today's kernel keeps apart, because each has an
                anon_vma: a move of them is EFAULT there and works here
several_vmas    a move of several areas at once is possible since Linux 6.17, and EFAULT here
half_range      a call that fails has done nothing here; a kernel has done what comes before
"""

from __future__ import annotations

from typing import NamedTuple

from anonlab.formats.history import Op
from anonlab.formats.history_text import format_op
from anonlab.formats.observation import FILE, PAGE, ZERO, Areas, Observation, PageSeen, Place
from anonlab.formats.recording import OpEffect
from anonlab.live.compare import touched
from anonlab.live.page_cache_rules import PageCacheRules
from anonlab.machine.words import PAGE_SHIFT


class Division(NamedTuple):
    """One operation after which the group differs from the kernel: the places whose pages it has
    just copied to move them, and all places at which it has a page of its own now."""

    operation: int
    text: str
    copied: tuple[Place, ...]
    differ: tuple[Place, ...]


class GroupCopies:
    """Follows one history under the anon memory group and on a kernel.

    divisions  the operations after which the two differ
    ended_by   the rule that ended the comparison, '' as long as it goes on
    """

    def __init__(self) -> None:
        self.divisions: list[Division] = []
        self.ended_by = ""
        self._divided: set[int] = set()  # names of the kernel's pages that a move has copied
        self._before: tuple[Observation, Observation] = ({}, {})
        self._areas: Areas | None = {}  # VMAs on the kernel
        self._cached = PageCacheRules()
        self._number = 0

    @property
    def copied(self) -> bool:
        """True if a move has copied a page."""
        return any(each.copied for each in self.divisions)

    def follow(self, op: Op, ours: OpEffect, real: OpEffect, ncopies: int) -> str:
        """Compare what both show after `op`, in which mremap made `ncopies` copies here; return
        what differs without a reason, or ''."""
        self.ended_by = _ended_by(op, ours.error, real.error)
        if real.error and real.areas is not None and real.areas != self._areas:
            self.ended_by = "half_range"
        self._areas = real.areas
        if self.ended_by:
            return ""
        mine, theirs = self._cached.apply(op, _pages(ours.observation), _pages(real.observation))
        copied = [] if ours.error or op.verb != "mremap" else self._to_copy(op)
        self._divided |= {self._before[1][place].name for place in copied}
        wrong = ""
        if len(copied) != ncopies:
            wrong = f"{format_op(op)}: copied {ncopies} pages, {len(copied)} were shared"
        elif mine.keys() != theirs.keys():
            who, vpn = min(mine.keys() ^ theirs.keys())
            wrong = f"{format_op(op)}: {who} at {vpn << PAGE_SHIFT:#x} is mapped on one side only"
        else:
            wrong = self._compare(op, mine, theirs, tuple(copied))
        self._before = (mine, theirs)
        self._number += 1
        return wrong

    def _to_copy(self, op: Op) -> list[Place]:
        """Return the places that a move has to copy: those whose page has other sharers here."""
        mine = self._before[0]
        moved = touched(op)[: int(op.args.get("new_pages", op.args["pages"]))]
        if "to" not in op.args:
            return []
        gone = self._covered(op)
        return [
            place
            for place in moved
            if place in mine
            and mine[place].state == PAGE
            and mine[place].mapcount - gone.count(mine[place].name) > 1
        ]

    def _covered(self, op: Op) -> list[int]:
        """Return the names of the pages that the destination drops before anything moves."""
        first = int(op.args["to"]) >> PAGE_SHIFT
        npages = int(op.args.get("new_pages", op.args["pages"]))
        places = ((op.who, vpn) for vpn in range(first, first + npages))
        return [self._before[0][place].name for place in places if place in self._before[0]]

    def _compare(
        self, op: Op, mine: Observation, theirs: Observation, copied: tuple[Place, ...]
    ) -> str:
        """Return what divides the kernel's pages without a reason; tell where they are divided."""
        here, there = _places(mine), _places(theirs)
        differ = []
        for place, seen in mine.items():
            real = theirs[place]
            own, all_ = here[seen.name], there[real.name]
            who, vpn = place
            where = f"{format_op(op)}: {who} at {vpn << PAGE_SHIFT:#x}"
            if seen.value != real.value and None not in (seen.value, real.value):
                return f"{where} has value {seen.value} here, {real.value} on the kernel"
            if not own <= all_:
                return f"{where} has a page here that is two on the kernel"
            if own != all_:
                differ.append(place)
                if real.name not in self._divided:
                    return f"{where} has a page of its own here, which no move has copied"
        if differ or copied:
            self.divisions.append(Division(self._number, format_op(op), copied, tuple(differ)))
        return ""


def _ended_by(op: Op, ours: str, real: str) -> str:
    """Return the rule by which this operation is the last that can be compared, or ''."""
    if op.verb == "mremap":
        rules = {("", "EFAULT"): "merged_vmas", ("EFAULT", ""): "several_vmas"}
        return rules.get((ours, real), "")
    partly = op.verb in ("mprotect", "madvise", "mlock", "munlock")
    return "half_range" if partly and real and ours else ""


def _pages(observation: Observation) -> Observation:
    """Leave out the zero page: no program can tell it from nothing."""
    return {place: seen for place, seen in observation.items() if seen.state != ZERO}


def _places(observation: Observation) -> dict[int, frozenset[Place]]:
    """Return where each page stands, by its name."""
    found: dict[int, set[Place]] = {}
    for place, seen in observation.items():
        assert isinstance(seen, PageSeen), f"{place} holds {seen!r}"
        assert seen.state in (PAGE, FILE), (
            f"{seen.state} at {place}: the group is compared without swap"
        )
        found.setdefault(seen.name, set()).add(place)
    return {name: frozenset(places) for name, places in found.items()}
