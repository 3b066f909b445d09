"""The judge's own memory: what judging one submission may take, beside what the process has.

A judge reads answers of bounded size, so it is a test that takes much, or an answer that makes one
take much. Without a limit the machine's memory ends, and with it somebody else's work.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

resource: ModuleType | None
try:
    import resource
except ImportError:  # Windows
    resource = None

USED_UP = (
    "the judge's memory is used up: judging one submission may take what judge_mebibytes of "
    "[grading] says, 2,048 if it says nothing"
)
COLLECTED = (20_000, 20, 20)
"""New objects before the youngest are looked at; so many such looks before the older ones are."""


@contextmanager
def judge_memory(mebibytes: int) -> Iterator[None]:
    """Inside the block this process may have so much more address space than it has now; whatever
    asks for more gets a MemoryError. Where the system has no such limit there is none.

    Boxes and their zygote have limits of their own, which are lower.
    """
    now = _address_space()
    if resource is None or not now:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limits = [each for each in (soft, hard) if each != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([now + (mebibytes << 20), *limits]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Inside the block Python looks for garbage in circles less often: a judge keeps much that is
    none, such as questions and machines, and looked at all of it again and again."""
    before = gc.get_threshold()
    gc.set_threshold(*COLLECTED)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _address_space() -> int:
    """Return bytes of this process's address space, 0 if nobody says."""
    with suppress(OSError, ValueError):
        pages = Path("/proc/self/statm").read_text("ascii").split()[0]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0
