"""What a kernel has changed since it was looked at last: one delta for each step.

Arrays are compared with a copy. Facts are asked for again only where their versions have moved on:
`kernel.version` (processes, who runs where, the lists), `mm.version` (its VMAs), `file.version` and
`design.version` (its graph, the names of its mappings, what each address space has in it).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from operator import attrgetter
from typing import Any

import numpy as np

from anonlab.formats.deltas import (
    FACTS,
    FRAME_CELLS,
    SWAP_CELLS,
    Delta,
    MachineShape,
    Splice,
    packed,
    splices,
)
from anonlab.formats.snapshot import FileFact, MmFact, ProcessFact
from anonlab.kernel.state import KernelState
from anonlab.machine.words import Ints
from anonlab.mm import Process
from anonlab.recording.facts import (
    file_fact,
    listed_files,
    mapping_names,
    mm_fact,
    process_fact,
)
from anonlab.recording.walks import RecordedWalks
from anonlab.rmap.cost import NAMES

SMALL = 4096
"""Machines with at most so many frames are compared whole, others up to the last frame that was
ever handed out."""
_counters = attrgetter(*NAMES)
_NO_CELLS = (b"", b"")


class Changes:
    """Looks at one kernel, again and again.

    walks  what the reverse map does for every mapped page, too
    """

    def __init__(self, kernel: KernelState, walks: bool) -> None:
        self.kernel = kernel
        self.shape = MachineShape(
            kernel.design.name, kernel.mem_map.nframes, kernel.geometry, kernel.swap.nslots, NAMES
        )
        self._frames = np.zeros((len(FRAME_CELLS), 0), dtype=np.int64)
        self._words: Ints = np.zeros(0, dtype=np.int64)
        self._swap: Ints = np.zeros(len(SWAP_CELLS) * (kernel.swap.nslots + 1), dtype=np.int64)
        self._swap_used = True
        self._cost: tuple[int, ...] = ()
        self._facts = _Facts(kernel)
        self._walks = RecordedWalks(kernel) if walks else None

    def delta(self) -> Delta:
        """Return what has changed since the last call; the first time, everything."""
        frames_at, frames = self._changed_frames()
        words_at, words, old_words = self._changed_words()
        moved_on = self._facts.moved_on()
        found = self._facts.splices(*moved_on) if moved_on is not None else []
        if self._walks is not None:
            pfns = None if frames_at is None else frames_at % self.shape.nframes
            found += self._walks.changed(moved_on is not None, (pfns, old_words, words))
        cost = _counters(self.kernel.design.cost)
        if cost != self._cost:
            self._cost = cost
        return Delta(
            *(_NO_CELLS if frames_at is None else packed(frames_at, frames)),
            *(_NO_CELLS if words_at is None else packed(words_at, words)),
            *self._changed_swap(),
            tuple(found),
            self._cost,
        )

    def _changed_frames(self) -> tuple[Any, Any]:
        """Return positions and new values of the cells of frames that changed, or None twice."""
        columns, nframes = self.kernel.mem_map.columns, self.shape.nframes
        seen = nframes if nframes <= SMALL else self._frames_to_compare()
        if seen != self._frames.shape[1]:
            more = np.zeros((len(FRAME_CELLS), seen - self._frames.shape[1]), dtype=np.int64)
            self._frames = np.concatenate([self._frames, more], axis=1)
        at = (columns[:, :seen] != self._frames).reshape(-1).nonzero()[0]
        if not at.size:
            return None, None
        old, positions = self._frames.reshape(-1), at
        if seen != nframes:
            positions = at + at // seen * (nframes - seen)
        old[at] = values = columns.reshape(-1)[positions]
        return positions, values

    def _frames_to_compare(self) -> int:
        """Return how many frames to look at: all that were ever handed out, in steps of SMALL, so
        that the copy seldom grows."""
        return min(-(-self.kernel.mem_map.high_pfn // SMALL) * SMALL, self.shape.nframes)

    def _changed_words(self) -> tuple[Any, Any, Any]:
        """Return positions, new and old values of the page-table words that changed, or None."""
        words = self.kernel.tables.words.reshape(-1)
        if words.size != self._words.size:
            more = np.zeros(words.size - self._words.size, dtype=np.int64)
            self._words = np.concatenate([self._words, more])
        at = (words != self._words).nonzero()[0]
        if not at.size:
            return None, None, None
        values, old = words[at], self._words[at]
        self._words[at] = values
        return at, values, old

    def _changed_swap(self) -> tuple[bytes, bytes]:
        """Return the cells of swap that changed; nobody looks while no slot is used."""
        swap = self.kernel.swap
        used, was_used = swap.nused > 0, self._swap_used
        self._swap_used = used
        if not used and not was_used:
            return _NO_CELLS
        columns = swap.columns.reshape(-1)
        at = (columns != self._swap).nonzero()[0]
        if not at.size:
            return _NO_CELLS
        self._swap[at] = values = columns[at]
        return packed(at, values)


class _Facts:
    """The facts of one kernel as they were last, and the versions that they had."""

    def __init__(self, kernel: KernelState) -> None:
        self.kernel = kernel
        self._kernel = self._design = -1
        self._mms: list[int] = []
        self._files: list[int] = []
        self._alive: dict[int, tuple[Process, ProcessFact]] = {}  # by place on the list
        self._nprocesses = 0
        self._mms_seen: dict[int, tuple[int, MmFact]] = {}  # version and fact by number
        self._files_seen: dict[str, tuple[int, FileFact]] = {}  # by name
        self._last: dict[str, list[Any]] = {name: [] for name in FACTS}
        self._shared: dict[Any, Any] = {}
        # A design from elsewhere may not count its versions: it is asked each time.
        self._counts = type(kernel.design).__module__.startswith("anonlab.rmap.")

    def moved_on(self) -> tuple[bool, bool, bool, bool] | None:
        """Return whether the versions of the kernel, the design, the address spaces and the files
        are what they were the last time; None if all of them are."""
        kernel, design = self.kernel, self.kernel.design
        mms = [mm.version for mm in kernel.mms.values()]
        files = [file.version for file in kernel.files.values()]
        same_kernel = kernel.version == self._kernel
        same_design = design.version == self._design and self._counts
        same_mms, same_files = mms == self._mms, files == self._files
        if same_kernel and same_design and same_mms and same_files:
            return None
        self._kernel, self._design, self._mms, self._files = (
            kernel.version, design.version, mms, files
        )  # fmt: skip
        return same_kernel, same_design, same_mms, same_files

    def splices(
        self, same_kernel: bool, same_design: bool, same_mms: bool, same_files: bool
    ) -> list[Splice]:
        """Return what has changed in every list of facts that may be different now."""
        kernel = self.kernel
        found = [] if same_kernel else self._changed_processes()
        if not (same_kernel and same_design and same_mms):
            found += self._changed_mms(same_kernel, same_design)
        if not (same_kernel and same_mms and same_files):
            found += self._changed_files()
        found += self._splices("mappings", mapping_names(kernel))
        if not same_design:
            nodes, edges = kernel.design.graph()
            found += self._splices("nodes", nodes) + self._splices("edges", edges)
        return found

    def _splices(self, name: str, facts: Sequence[Any]) -> list[Splice]:
        """Return what makes the last facts `name` into `facts`; equal facts are kept once."""
        last, share, found = self._last[name], self._shared.setdefault, []
        for field, start, removed, items in splices(name, last, facts):
            kept = tuple([share(fact, fact) for fact in items])
            found.append(Splice(field, start, removed, kept))
            last[start : start + removed] = kept
        return found

    def _changed_files(self) -> list[Splice]:
        """Only those are asked whose version is another."""
        facts: dict[str, tuple[int, FileFact]] = {}
        for file in listed_files(self.kernel):
            seen = self._files_seen.get(file.name)
            if seen is None or seen[0] != file.version:
                seen = file.version, file_fact(file)
            facts[file.name] = seen
        self._files_seen = facts
        return self._splices("files", [fact for _, fact in facts.values()])

    def _changed_processes(self) -> list[Splice]:
        """Processes are never taken off the list, and one that is gone does not change."""
        found = []
        for place, (process, last) in list(self._alive.items()):
            fact = process_fact(process)
            if fact != last:
                found.append(Splice("processes", place, 1, (fact,)))
                self._alive[place] = process, fact
            if not process.alive:
                del self._alive[place]
        fresh = islice(self.kernel.processes.values(), self._nprocesses, None)
        new = [(process, process_fact(process)) for process in fresh]
        if new:
            start = self._nprocesses
            self._nprocesses += len(new)
            self._alive |= enumerate(new, start)
            found.append(Splice("processes", start, 0, tuple(fact for _, fact in new)))
        return found

    def _changed_mms(self, same_users: bool, same_design: bool) -> list[Splice]:
        """Only those are asked whose version, processes or object in the design may be others."""
        users: dict[int, list[str]] = {}
        for process, _ in self._alive.values():
            if process.mm is not None:
                users.setdefault(process.mm.number, []).append(process.name)
        facts: dict[int, tuple[int, MmFact]] = {}
        share = self._shared.setdefault
        for number, mm in self.kernel.mms.items():
            seen = self._mms_seen.get(number)
            same = seen is not None and seen[0] == mm.version
            if seen is None or not (same and same_users and same_design):
                names = tuple(users.get(number, ()))
                fact = mm_fact(self.kernel, mm, names, seen[1].vmas if seen and same else None)
                vmas = tuple([share(vma, vma) for vma in fact.vmas])
                seen = mm.version, fact._replace(vmas=vmas)
            facts[number] = seen
        self._mms_seen = facts
        old, self._last["mms"] = self._last["mms"], [fact for _, fact in facts.values()]
        return splices("mms", old, self._last["mms"])
