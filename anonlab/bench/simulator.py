"""The simulator's half of the comparison, and what only the simulator has: walks, faults, import.

Bulk steps are those of `yardstick.c`, in the same order, on 4-level tables. The simulator copies
an 8-byte content tag where the kernel copies 4096 bytes, so its COW is not the same work.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter_ns
from typing import Any

import numpy as np

from anonlab.kernel import Kernel
from anonlab.kernel.walk import walk
from anonlab.linux.yardstick import STEPS
from anonlab.machine.words import LESSON, PAGE_SIZE, X86_64
from anonlab.recording.recorder import Recorder

SOURCE = 0x2000_0000_0000
DESTINATION = 0x3000_0000_1000
"""Off by one page against the boundaries of page tables, as in `yardstick.c`."""

LESSON_PAGES = 8
"""Pages that a round of single faults touches: with their copies they fit the lesson machine."""


def timed(action: Callable[..., Any], *args: Any, **options: Any) -> tuple[int, Any]:
    """Call `action`; return the nanoseconds it took and what it returned."""
    start = perf_counter_ns()
    result = action(*args, **options)
    return perf_counter_ns() - start, result


class BulkSteps:
    """A simulated machine whose one process goes through the steps of the yardstick."""

    def __init__(self, pages: int, design: str = "anongroup") -> None:
        self.pages = pages
        self.length = pages * PAGE_SIZE
        self.kernel = Kernel(design, frames=2 * pages + 64, swap=1, geometry=X86_64)
        self.process = self.kernel.spawn("bench")

    def repetition(self, sequences: int) -> dict[str, float]:
        """Run the sequence of steps `sequences` times; return ns per page for every step."""
        spent_ns = dict.fromkeys(STEPS, 0)
        for _ in range(sequences):
            for step, ns in (*self.read(), *self.touch_and_copy(), *self.reuse_and_move()):
                spent_ns[step] += ns
        return {step: ns / sequences / self.pages for step, ns in spent_ns.items()}

    def read(self) -> list[tuple[str, int]]:
        """Read every page of a fresh mapping, then unmap it."""
        self.process.mmap(self.length, at=SOURCE)
        reading, _ = timed(self.process.read_range, SOURCE, self.length)
        self.process.munmap(SOURCE, self.length)
        return [("read_zero", reading)]

    def touch_and_copy(self) -> list[tuple[str, int]]:
        """Write every page of a fresh mapping, fork, and write every page again."""
        self.process.mmap(self.length, at=SOURCE)
        touch, _ = timed(self.process.write_range, SOURCE, self.tags(1))
        fork, child = timed(self.process.fork)
        copy, _ = timed(self.process.write_range, SOURCE, self.tags(2))
        self.expect_copies(child)
        child.exit()
        return [("first_touch", touch), ("fork", fork), ("cow_copy", copy)]

    def reuse_and_move(self) -> list[tuple[str, int]]:
        """Fork, let the child exit, write every page in place, move the pages, unmap them."""
        self.process.fork().exit()
        reuse, _ = timed(self.process.write_range, SOURCE, self.tags(3))
        move, _ = timed(self.process.mremap, SOURCE, self.length, new=DESTINATION)
        unmap, _ = timed(self.process.munmap, DESTINATION, self.length)
        return [("cow_reuse", reuse), ("mremap", move), ("munmap", unmap)]

    def tags(self, value: int) -> Any:
        """Return the content tags to write, one for each page; int64[pages]."""
        return np.full(self.pages, value, np.int64)

    def expect_copies(self, child: Any) -> None:
        """Raise AssertionError if the write after fork left the last page shared."""
        last = SOURCE + self.length - PAGE_SIZE
        seen = self.process.read(last), child.read(last)
        assert seen == (2, 1), f"no copy on write was measured: parent and child read {seen}"


def walk_ns_per_mm(mms: int, repetitions: int) -> float:
    """Return the ns for each mm of one walk: a page that a group of `mms` mms all map."""
    kernel = Kernel("anongroup", frames=256, swap=1, geometry=X86_64)
    parent = kernel.spawn("parent")
    parent.mmap(PAGE_SIZE, at=SOURCE)
    parent.write(SOURCE, 1)
    for _ in range(mms - 1):
        parent.fork()
    page = parent.page(SOURCE)
    assert page is not None, "the parent has just written its page"
    pfn = page.pfn
    walks = [timed(walk, kernel, pfn) for _ in range(repetitions + 1)]
    found = walks[0][1].mms.size
    assert found == mms, f"a walk over a group of {mms} mms found {found} mappers"
    return float(statistics.median(ns for ns, _ in walks[1:])) / mms


def single_fault_us(rounds: int, recorded: bool) -> float:
    """Return the µs of one write fault in a lesson: the slower of first touch and copy on write.

    Each is the median over `rounds` * LESSON_PAGES faults; a first round is discarded.
    recorded  keep every step with its snapshot, as the player needs them, but without walks
    """
    lesson(recorded)
    touches, copies = zip(*(lesson(recorded) for _ in range(rounds)), strict=True)
    medians = [statistics.median(chain.from_iterable(faults)) for faults in (touches, copies)]
    return float(max(medians)) / 1000


def lesson(recorded: bool) -> tuple[list[int], list[int]]:
    """Run a small lesson; return the ns of each first touch and of each copy on write."""
    kernel = Kernel("anongroup", geometry=LESSON)
    shell = kernel.spawn("shell")
    heap = shell.mmap(LESSON_PAGES * PAGE_SIZE, at=0x30000)
    pages = range(heap, heap + LESSON_PAGES * PAGE_SIZE, PAGE_SIZE)
    with Recorder(kernel, walks=False) if recorded else nullcontext():
        touches = [timed(shell.write, address, 7)[0] for address in pages]
        child = shell.fork("child")
        copies = [timed(child.write, address, 9)[0] for address in pages]
    return touches, copies


def import_ms(processes: int) -> float:
    """Return the ms that `import anonlab` takes after `import numpy`: median of fresh processes.

    They find the bytecode that the first, discarded one left, as after any first import; here it
    goes to a directory of its own, so that the caller's settings for bytecode do not matter.
    """
    code = (
        "import numpy, time; start = time.perf_counter(); import anonlab; "
        "print(1000 * (time.perf_counter() - start))"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", code]
    with TemporaryDirectory() as bytecode:
        caching = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
        env = {**os.environ, **caching}
        times = [
            float(subprocess.check_output(command, cwd=root, env=env, text=True))
            for _ in range(processes + 1)
        ]
    return statistics.median(times[1:])
