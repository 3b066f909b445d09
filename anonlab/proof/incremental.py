"""A check after every operation that costs what the operation changed.

It finds by itself what differs from the state that was checked last (difference.py): nobody
announces what was touched. The invariants are those of the full check, given less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from anonlab.kernel import Kernel
from anonlab.machine.words import ZERO_PFN, Mask
from anonlab.proof.difference import Difference, LastSeen
from anonlab.proof.invariants import Walks, check_part
from anonlab.proof.page_table_scan import Scan, scan
from anonlab.proof.part import Part, areas, cached, everything

EVERY = 50
"""Everything is checked each so many times: a change that leaves no trace in columns, words and
version numbers is seen then."""


class IncrementalCheck:
    """Checks one kernel again and again, each time what can have changed since the last time.

    most_walks  walk so many pages at most each time, evenly chosen; None = all that may differ
    every       everything is checked each so many times
    families    if the caller knows them: which address spaces were forked since one execve, so that
                no walk leads from one family to another; a number for each, by mm number
    part        what differed the last time
    raises      AssertionError if something is wrong with `kernel` from the start
    """

    def __init__(self, kernel: Kernel, most_walks: int | None = None, every: int = EVERY) -> None:
        self.kernel = kernel
        self.most_walks = most_walks
        self.every = every
        self.families: Mapping[int, int] = {}
        self._number = 0
        self._last = LastSeen(kernel)
        self.part = everything(kernel, scan(kernel))
        self._walks = check_part(kernel, self.part, most_walks)

    def check(self) -> Walks:
        """Check what can have changed since the last time. Return what walks have named, those of
        earlier times included: what a full check would return, if it walks every page.

        raises  AssertionError, as `check` does
        """
        self._number += 1
        if self._number % self.every == 0:
            return self.check_everything()
        self.part = part = self._part()
        walks = check_part(self.kernel, part, self.most_walks)
        if part.pages is None:
            self._walks = walks
        elif part.changed:
            pages = self._walks.pages
            for pfn in part.pages.nonzero()[0].tolist():
                pages.pop(pfn, None)
            pages.update(walks.pages)
        return self._walks

    def check_everything(self) -> Walks:
        """Check the whole machine; `part` says what differs all the same, but for `memory`."""
        self.part = replace(self._part(), memory=None)
        part = everything(self.kernel, scan(self.kernel))
        self._walks = check_part(self.kernel, part, self.most_walks)
        return self._walks

    def _part(self) -> Part:
        """Return what differs from the last time."""
        kernel, last, found = self.kernel, self.part, self._last.renew()
        facts = frozenset(found.facts)
        same = facts.isdisjoint(("tables", "tasks"))
        truth = last.truth if same else scan(kernel, self._last.entries)
        memory = found.memory | _mappers(truth, found.frames)
        return Part(
            truth=truth,
            changed=facts,
            frames=found.frames,
            pages=self._pages(found, truth, memory),
            mms=found.mms,
            files=found.files,
            areas=areas(kernel) if "vmas" in facts else last.areas,
            cached=cached(kernel) if "files" in facts else last.cached,
            memory=frozenset(memory) if "swap" not in facts else None,
        )

    def _pages(self, found: Difference, truth: Scan, memory: set[int]) -> Mask | None:
        """Return which pages differ, or may be found elsewhere now: those of all relatives."""
        families, pages = self.families, found.frames
        if not found.scope:
            return pages
        pages = pages.copy()
        if not memory or not memory <= families.keys():
            return None
        changed = {families[number] for number in memory}
        relatives = [n for n in self.kernel.mms if families.get(n) in changed]
        pfns = truth.pfns[truth.mapped & truth.inside(relatives)]
        pages[pfns[pfns < pages.size]] = True
        return pages


def _mappers(truth: Scan, frames: Mask) -> set[int]:
    """Return the numbers of the address spaces that map one of `frames`."""
    inside = truth.mapped & (truth.pfns < frames.size)
    return set(truth.mms[inside & frames[np.where(inside, truth.pfns, ZERO_PFN)]].tolist())
