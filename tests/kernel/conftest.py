"""Every operation of the kernel's tests is checked, and failing ones must change nothing."""

from __future__ import annotations

import pytest
from watched import CONST, FILE, PAGE, A, C, D, watch

from anonlab import Kernel, Task


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    watch(monkeypatch)


@pytest.fixture
def p() -> Task:
    """A process with 4 written pages at A, 2 at D that are read-only, 1 at C with no permission, a
    private mapping of a 2-page file over 4 pages at FILE, a shared one at CONST of a file
    that is read-only."""
    kernel = Kernel()
    task = kernel.spawn("p")
    libc = kernel.file("libc", 2)
    const = kernel.file("const", 2, writable=False)
    task.mmap(4 * PAGE, at=A)
    task.write_range(A, [1, 2, 3, 4])
    task.mmap(2 * PAGE, at=D, prot="r")
    task.mmap(PAGE, at=C, prot="none")
    task.mmap(4 * PAGE, at=FILE, file=libc)
    task.mmap(2 * PAGE, at=CONST, file=const, shared=True, prot="r")
    task.fork("child")
    return task
