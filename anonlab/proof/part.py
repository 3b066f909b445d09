"""What a check looks at: the whole machine, or what can have changed since it was checked last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter

import numpy as np

from anonlab.kernel import Kernel
from anonlab.machine.words import Ints, Mask, Pfns, Vpns
from anonlab.mm import File, Mm, Vma
from anonlab.proof.page_table_scan import Scan

FACTS = frozenset(("tables", "frames", "swap", "vmas", "files", "tasks", "pins", "rss", "design"))
"""What can change: page-table words, columns of mem_map and of swap, the VMAs of address spaces,
files, who runs where, pinned pages, resident pages, the structure of the design."""


@dataclass(frozen=True)
class Areas:
    """The VMAs of all address spaces: `vmas` ascending by (mm, address), and what words there must
    fit to.

    rules  int64[7, n + 1]: mm, first vpn, vpn after the last, protection, sharing, mapping of the
           file, vpn of its page 0; the first column has no pages, so that VMA i has column i + 1
    """

    vmas: list[Vma]
    rules: Ints

    def vma(self, of: Ints, at: int | None) -> str:
        """Return the name of the area `of[at]`."""
        return "" if at is None else repr(self.vmas[int(of[at]) - 1])


@dataclass(frozen=True)
class Part:
    """A part of one machine at one moment.

    truth    a scan of all page tables
    changed  which of the FACTS differ from what they were; what relies on others needs no look
    frames   bool[nframes], frames that differ, or that a word names or named that does; None = all
    pages    bool[nframes], pages that are walked, and held to the design's rules: those and what
             the design may find elsewhere now; None = all
    mms      address spaces whose VMAs are looked at, by number
    files    files whose page cache is looked at
    areas    the VMAs of all address spaces
    cached   int64[nframes], references of the page caches of all files
    memory   numbers of the address spaces in which a program can find something else; None = all
    """

    truth: Scan
    changed: frozenset[str]
    frames: Mask | None
    pages: Mask | None
    mms: Mapping[int, Mm]
    files: tuple[File, ...]
    areas: Areas
    cached: Ints
    memory: frozenset[int] | None = None

    @cached_property
    def words(self) -> Scan:
        """The words that differ, name a page that does, or lie in one of `mms`; all swap entries
        among them."""
        truth = self.truth
        if self.frames is None:
            return truth
        where = ~truth.present | self.frames[np.where(truth.present, truth.pfns, 0)]
        if self.mms:
            where |= truth.inside(self.mms)
        return replace(
            truth, mms=truth.mms[where], vpns=truth.vpns[where], words=truth.words[where]
        )

    @cached_property
    def mappings(self) -> tuple[Ints, Vpns, Pfns]:
        """Every mapping of the pages: mms, vpns, pfns, int64[n] each."""
        truth = self.truth
        where = truth.mapped
        if self.pages is not None:
            where = where & self.pages[np.where(where, truth.pfns, 0)]
        return truth.mms[where], truth.vpns[where], truth.pfns[where]


def everything(kernel: Kernel, truth: Scan) -> Part:
    """Return the part that is the whole machine.

    truth  a scan of `kernel` as it is now
    """
    files = tuple(kernel.files.values())
    return Part(truth, FACTS, None, None, kernel.mms, files, areas(kernel), cached(kernel))


_rules = attrgetter("mm.number", "start_vpn", "end_vpn", "prot", "shared", "pgoff")


def areas(kernel: Kernel) -> Areas:
    """Return the VMAs of all address spaces."""
    vmas = [vma for number in sorted(kernel.mms) for vma in kernel.mms[number].vmas]
    rules = np.zeros((7, len(vmas) + 1), dtype=np.int64)
    columns = np.array(list(map(_rules, vmas)), dtype=np.int64).reshape(-1, 6).T
    rules[:5, 1:] = columns[:5]
    rules[5, 1:] = [vma.file.mapping if vma.file else 0 for vma in vmas]
    rules[6, 1:] = columns[1] - columns[5]
    return Areas(vmas, rules)


def cached(kernel: Kernel) -> Ints:
    """Return how many page-cache entries name each frame, int64[nframes]."""
    references = np.zeros(kernel.mem_map.nframes, dtype=np.int64)
    for file in kernel.files.values():
        references[file.cache[file.cache != 0]] += 1
    return references
