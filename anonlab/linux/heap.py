"""The heap of a real process, put where a history has it (prctl PR_SET_MM_MAP, made for restoring
processes from checkpoints). Python's allocator finds its own heap gone, and goes on with mmap."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from functools import cache

PR_SET_MM, PR_SET_MM_MAP_SIZE = 35, 15
BRK = {"x86_64": 12, "aarch64": 214}
"""The number of the system call: the C library's brk says less than the kernel."""


@cache
def problem() -> str:
    """Return why the heap of a real process cannot be put elsewhere, '' if it can."""
    if sys.platform != "linux":
        return f"needs Linux for brk: this is {sys.platform}"
    if platform.machine() not in BRK:
        return f"needs x86-64 or aarch64 for brk: this is {platform.machine()}"
    if os.geteuid():
        # As an ordinary user a child's heap was seen without its first page; why is not known.
        return "needs root for brk: as an ordinary user a child's heap was seen to differ"
    size = ctypes.c_uint(0)
    if ctypes.CDLL(None).prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, ctypes.byref(size), 0, 0):
        return "needs a kernel with CONFIG_CHECKPOINT_RESTORE to put a heap elsewhere, for brk"
    return ""
