"""The core is an afternoon: its lines, the files of the mail's story, the calls of one fault."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import anonlab
from anonlab import Kernel

ROOT = Path(anonlab.__file__).parent
FILES = (
    "machine/*.py",
    "mm.py",
    "rmap/anongroup.py",
    "rmap/base.py",
    *(f"kernel/{name}.py" for name in ("walk", "pages", "fork", "fault", "mremap", "exec_exit")),
    "proof/page_table_scan.py",
    "proof/invariants.py",
)


def lines(pattern: str) -> int:
    return sum(len(path.read_text("utf-8").splitlines()) for path in ROOT.glob(pattern))


def test_the_reading_list_is_an_afternoon() -> None:
    assert sum(map(lines, FILES)) <= 2900
    assert lines("rmap/anongroup.py") <= 130


def traced(action: Callable[[], object]) -> tuple[set[str], int]:
    """The files of anonlab whose code `action` runs, and the calls of its functions."""
    files, calls = set(), 0

    def see(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal calls
        if frame.f_code.co_filename.startswith(str(ROOT)):
            files.add(frame.f_code.co_filename)
            calls += 1

    before = sys.gettrace()
    sys.settrace(see)
    try:
        action()
    finally:
        sys.settrace(before)
    return files, calls


def test_the_story_of_the_mail_runs_in_few_files() -> None:
    kernel = Kernel()

    def story() -> None:
        parent = kernel.spawn("parent")
        heap = parent.mmap(4 * 4096, at=0x30000)
        parent.write(heap, 7)
        child = parent.fork("child")
        child.write(heap, 9)
        child.mremap(heap, 4 * 4096, new=0x80000)
        assert kernel.mappers(1) == [(parent, heap)]
        child.execve("sh")
        child.exit()

    files, _ = traced(story)
    assert 10 < len(files) <= 20, sorted(files)


def test_a_write_fault_after_fork_makes_few_calls() -> None:
    parent = Kernel().spawn("parent")
    heap = parent.mmap(4096, at=0x30000)
    parent.write(heap, 7)
    child = parent.fork("child")
    _, calls = traced(lambda: child.write(heap, 9))
    assert 20 < calls <= 40
