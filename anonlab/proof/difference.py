"""What differs between a machine now and the same machine when it was seen last.

Columns and page-table words are compared; of VMAs, files, processes and the design's structure,
version numbers are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np

from anonlab.kernel import Kernel
from anonlab.machine.words import PTE_PRESENT, PTE_SHIFT, Ints, Mask
from anonlab.mm import File, Mm
from anonlab.proof.page_table_scan import entries


@dataclass
class Difference:
    """What differs.

    facts   which of part.FACTS do
    frames  bool[nframes], frames whose columns differ, or that a word named then or names now and
            that word differs
    mms     address spaces whose VMAs differ, by number
    files   files of which something differs, or a page
    memory  numbers of the address spaces whose VMAs or number of pages differ, or that are gone
    scope   True if the design may find pages elsewhere that do not differ themselves
    """

    facts: set[str]
    frames: Mask
    mms: dict[int, Mm] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    memory: set[int] = field(default_factory=set)
    scope: bool = False


class LastSeen:
    """The state of one kernel when it was seen last; `entries` of its page tables among it."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        mem = kernel.mem_map
        self.columns: Ints = mem.columns.copy()
        self.entries = entries(kernel)
        self.swap: Ints = kernel.swap.columns.copy()
        self.rss: Ints = kernel.mm_table.rss.copy()
        self.mms = {number: (mm.version, mm.brk) for number, mm in kernel.mms.items()}
        self.written = {number: _written(mm) for number, mm in kernel.mms.items()}
        self.files = {name: file.version for name, file in kernel.files.items()}
        self.pins = {place: tuple(pfns) for place, pfns in kernel.pins.items()}
        self.tasks, self.design = kernel.version, kernel.design.version
        self.used = self._used()

    def _used(self) -> tuple[int, int, int, int]:
        """Return how many frames are free, slots free and in use, page tables in use."""
        kernel = self.kernel
        return kernel.mem_map.nfree, kernel.swap.nfree, kernel.swap.nused, kernel.tables.nused

    def renew(self) -> Difference:
        """Return what differs now, and keep the state of now."""
        found = Difference(set(), np.zeros(self.kernel.mem_map.nframes, dtype=np.bool_))
        self._compare_objects(found)
        self._compare_columns(found)
        self._compare_words(found)
        used, self.used = self.used, self._used()
        facts = zip(("frames", "swap", "swap", "tables"), used, self.used, strict=True)
        found.facts.update(fact for fact, before, now in facts if before != now)
        return found

    def _compare_objects(self, found: Difference) -> None:
        """VMAs, files, processes, pins and the design."""
        kernel, facts = self.kernel, found.facts
        mms = {number: (mm.version, mm.brk) for number, mm in kernel.mms.items()}
        if mms != self.mms:
            facts.add("vmas")
            found.mms = {n: kernel.mms[n] for n, now in mms.items() if self.mms.get(n) != now}
            found.memory.update(found.mms, self.mms.keys() - mms.keys())
            self.mms = mms
            self._compare_written(found)
        files = {name: file.version for name, file in kernel.files.items()}
        if files != self.files:
            facts.add("files")
            changed = (name for name, now in files.items() if self.files.get(name) != now)
            found.files = tuple(kernel.files[name] for name in changed)
            self.files = files
        if kernel.pins or self.pins:
            pins = {place: tuple(pfns) for place, pfns in kernel.pins.items()}
            if pins != self.pins:
                facts.add("pins")
                self.pins = pins
        versions = kernel.version, kernel.design.version
        if versions != (self.tasks, self.design):
            facts.update(("tasks",) if versions[0] != self.tasks else ())
            facts.update(("design",) if versions[1] != self.design else ())
            self.tasks, self.design = versions
        found.scope |= "design" in facts

    def _compare_written(self, found: Difference) -> None:
        """VMAs that may have pages of their own: a design keeps nothing for the others."""
        before, mms = self.written, self.kernel.mms
        self.written = {number: before.get(number, ()) for number in mms}
        for number, mm in found.mms.items():
            self.written[number] = _written(mm)
        found.scope |= before != self.written

    def _compare_columns(self, found: Difference) -> None:
        """Frames, swap slots and resident pages."""
        kernel, facts = self.kernel, found.facts
        columns, last = kernel.mem_map.columns, self.columns
        differs = columns != last
        if np.count_nonzero(differs):
            facts.add("frames")
            found.frames = differs.any(axis=0)
            at = found.frames.nonzero()[0]
            self._compare_file_pages(found, at)
            last[:, at] = columns[:, at]
        if np.count_nonzero(kernel.swap.columns != self.swap):
            facts.add("swap")
            self.swap = kernel.swap.columns.copy()
        rss = kernel.mm_table.rss
        if rss.size != self.rss.size or np.count_nonzero(rss != self.rss):
            facts.add("rss")
            before = np.zeros_like(rss)
            before[: self.rss.size] = self.rss
            found.scope |= bool(np.count_nonzero((rss != 0) != (before != 0)))
            found.memory.update((rss != before).nonzero()[0].tolist())
            self.rss = rss.copy()

    def _compare_file_pages(self, found: Difference, at: Ints) -> None:
        """The frames `at` differ: add the files whose pages they are or were."""
        now, before = self.kernel.mem_map.mapping[at], self.columns[MAPPING, at]
        named = {*now[now < 0].tolist(), *before[before < 0].tolist()}
        if named:
            files = [file for file in self.kernel.files.values() if file.mapping in named]
            found.files = tuple(dict.fromkeys((*found.files, *files)))

    def _compare_words(self, found: Difference) -> None:
        """Page tables of all levels; a table that was not there was empty."""
        before, now = self.entries, entries(self.kernel)
        self.entries = now
        if all(map(np.array_equal, before, now)):
            return
        places, words = map(np.concatenate, zip(before, now, strict=True))
        order = np.argsort(places, kind="stable")  # what was there and is there stands side by side
        places, words = places[order], words[order]
        pairs = ((places[1:] == places[:-1]) & (words[1:] == words[:-1])).nonzero()[0]
        differs = np.ones(words.size, dtype=np.bool_)
        differs[pairs] = differs[pairs + 1] = False
        named = words[differs]
        pfns = named[(named & PTE_PRESENT) != 0] >> PTE_SHIFT
        found.frames[pfns[pfns < found.frames.size]] = True
        found.facts.add("tables")


_is_written = attrgetter("written")
_place = attrgetter("number", "start_vpn", "end_vpn", "pgoff")


def _written(mm: Mm) -> tuple[tuple[int, ...], ...]:
    """Return the VMAs of `mm` that may have pages of their own, by number, and where they lie."""
    return tuple(map(_place, filter(_is_written, mm.vmas)))


MAPPING = 3
"""The row of mem_map.columns that is `mapping`."""
