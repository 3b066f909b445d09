"""What tests of the kernel share: sizes, the state of a machine, and watching every operation.

Under `watch` every call of a process or a kernel is followed by `check`, and a call that fails
must have left everything as it was, or say what it has done, or the test fails.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings

from anonlab import Kernel, SimulatedError, Snapshot, Task, check, scan
from anonlab.kernel.syscalls import HALF_DONE

PAGE = 4096
A, B, C = 0x30000, 0x50000, 0x80000
"""Three addresses in different page tables of the lesson machine."""

STEADY = settings(deadline=None, derandomize=True)
"""The same examples on every run, however busy the machine is."""

D, GAP, FILE, CONST, END = 0xA0000, 0x38000, 0x60000, 0x70000, 0x100000
"""More of them, as the fixture `p` of the kernel's tests fills them, and where user space ends."""

OPERATIONS = (
    *((Kernel, name) for name in ("spawn", "file", "truncate", "reclaim", "swapoff")),
    *(
        (Task, name)
        for name in (
            *("read_range", "write_range", "mmap", "munmap", "mprotect", "mremap", "madvise"),
            *("brk", "mlock", "munlock", "pin", "unpin", "swap_out"),
            *("fork", "vfork", "clone_vm", "execve", "exit"),
        )
    ),
)


def written(kernel: Kernel, tags: Sequence[int]) -> Task:
    """Return a new process "parent" that has written a page at A for each of `tags`."""
    parent = kernel.spawn("parent")
    parent.mmap(len(tags) * PAGE, at=A)
    parent.write_range(A, tags)
    return parent


def state(kernel: Kernel) -> tuple[Snapshot, Any]:
    """Everything that an operation can change, but for what looking around costs."""
    hidden = {
        "pins": {key: pfns.copy() for key, pfns in kernel.pins.items()},
        "heaps": {mm.number: (mm.start_brk, mm.brk, mm.users) for mm in kernel.mms.values()},
        "files": {
            file.name: (file.store.tolist(), file.slots.tolist(), file.writable, len(file.vmas))
            for file in kernel.files.values()
        },
        "free": (kernel.mem_map.free_pfns.tolist(), kernel.swap.free_slots.tolist()),
        "swap on": kernel.swap.on,
        "tables": kernel.tables.nused,
    }
    return replace(kernel.snapshot(), cost=()), hidden


def watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the machine after every operation, and that a failed one changed nothing."""
    for owner, name in OPERATIONS:
        monkeypatch.setattr(owner, name, _watched(getattr(owner, name)))


def _watched(operation: Any) -> Any:
    @functools.wraps(operation)
    def checked(self: Any, *args: Any, **options: Any) -> Any:
        kernel = self if isinstance(self, Kernel) else self.kernel
        before = state(kernel)
        try:
            result = operation(self, *args, **options)
        except (SimulatedError, ValueError, TypeError) as error:
            check(kernel)
            if not str(error).endswith(HALF_DONE):
                assert state(kernel) == before, f"the machine changed, though: {error}"
            raise
        check(kernel)
        return result

    return checked


def truth(kernel: Kernel, pfn: int) -> list[tuple[str, int]]:
    """The (process, address) of every word that maps `pfn`, by reading all page tables."""
    found = scan(kernel)
    names = {mm.number: kernel.any_process(mm).name for mm in kernel.mms.values()}
    return [
        (names[mm], vpn * PAGE)
        for mm, vpn, word in zip(
            found.mms.tolist(), found.vpns.tolist(), found.words.tolist(), strict=True
        )
        if word & 1 and word >> 12 == pfn
    ]


def walked(kernel: Kernel, pfn: int) -> tuple[int, int, list[tuple[str, int]]]:
    """Walk for `pfn`: nodes visited, page tables probed, and the mappers found, sorted."""
    cost = kernel.design.cost
    nodes, probes = cost.nodes, cost.probes
    mappers = sorted((task.name, addr) for task, addr in kernel.mappers(pfn))
    return cost.nodes - nodes, cost.probes - probes, mappers


def copies(kernel: Kernel) -> dict[str, int]:
    """Pages copied so far, by cause."""
    cost = kernel.design.cost
    return {
        "cow": cost.copies_cow,
        "mremap": cost.copies_mremap,
        "clash": cost.copies_swapin_clash,
    }


def kept(kernel: Kernel, task: Task, addr: int) -> str:
    """What the page-table word of `addr` holds: 'nothing', 'page' or 'swap'."""
    assert task.mm is not None, f"{task.name} has exited"
    found = scan(kernel)
    mine = (found.mms == task.mm.number) & (found.vpns == addr // PAGE)
    if not mine.any():
        return "nothing"
    return "page" if int(found.words[mine][0]) & 1 else "swap"
