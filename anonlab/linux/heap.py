"""The heap of a real process, put where a history has it (prctl PR_SET_MM_MAP, made for restoring
processes from checkpoints).

After that the C library's malloc must not ask for more heap, nor give any back: brk answers with
an end that is not malloc's, and malloc takes that for success. It then uses pages that are not
there, or moves the history's heap. So it gets its room once, when the program starts."""

from __future__ import annotations

import ctypes
import platform
import sys
from functools import cache

PR_SET_MM, PR_SET_MM_MAP_SIZE = 35, 15
BRK = {"x86_64": 12, "aarch64": 214}
"""The number of the system call: the C library's brk says less than the kernel."""
ROOM_BYTES = 256 << 20
MALLOC = {"MALLOC_TOP_PAD_": str(ROOM_BYTES), "MALLOC_TRIM_THRESHOLD_": str(2 * ROOM_BYTES)}
"""The environment of a program whose malloc never moves the end of its heap: mallopt(3). The room
is reserved and not touched, so it takes no memory."""


@cache
def problem() -> str:
    """Return why the heap of a real process cannot be put elsewhere, '' if it can."""
    if sys.platform != "linux":
        return f"needs Linux for brk: this is {sys.platform}"
    if platform.machine() not in BRK:
        return f"needs x86-64 or aarch64 for brk: this is {platform.machine()}"
    size = ctypes.c_uint(0)
    if ctypes.CDLL(None).prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, ctypes.byref(size), 0, 0):
        return "needs a kernel with CONFIG_CHECKPOINT_RESTORE to put a heap elsewhere, for brk"
    return ""
