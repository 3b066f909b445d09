"""Pages that a device holds, for real: the registered buffers of io_uring (FOLL_PIN), which need no
root. A worker has a ring for each page that is held; see `worker`."""

from __future__ import annotations

import ctypes
import os
from functools import cache

from anonlab.linux.worker import IO_URING_SETUP, PARAMS_BYTES


@cache
def problem() -> str:
    """Return why no page can be held here, '' if it can."""
    libc = ctypes.CDLL(None, use_errno=True)
    ring = libc.syscall(IO_URING_SETUP, 1, ctypes.create_string_buffer(PARAMS_BYTES))
    if ring < 0:
        why = os.strerror(ctypes.get_errno())
        return f"needs io_uring to hold pages, which this kernel refuses: {why}"
    os.close(ring)
    return ""
