"""Swap for the length of a block: a compressed device of our own in memory, and no readahead.

A guard does it, a program of its own that takes everything back when its standard input ends. So
nothing stays set, however the process that asked for it ends: Ctrl-C does not reach the guard, and
a SIGKILL closes its input. What is set: a new zram device is added and swapped on, and page-cluster
becomes 0, so that a fault brings back one page and not its neighbours.

Run as a program with nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PAGE_SIZE = 4096
DISK_NPAGES = 8192
CLUSTER = Path("/proc/sys/vm/page-cluster")
CONTROL = Path("/sys/class/zram-control")
READY = "ready"


@contextmanager
def swap_on() -> Iterator[None]:
    """Have swap inside the block.

    raises  ValueError if this machine has none to give: it says why
    """
    with subprocess.Popen(
        [sys.executable, "-I", "-S", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as guard:
        assert guard.stdout is not None, "the guard has a standard output"
        answer = guard.stdout.readline().strip()
        if answer != READY:
            raise ValueError(f"no swap here: {answer or 'the guard ended'}")
        yield


def main() -> None:
    """Be the guard."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with ExitStack() as undo:
        try:
            _set_up(undo)
        except OSError as error:
            _say(f"{error.filename or 'swapon'}: {error.strerror}")
            return
        _say(READY)
        sys.stdin.read()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _set_up(undo: ExitStack) -> None:
    """Add a device, swap on it and switch readahead off; `undo` learns how to take each back."""
    number = (CONTROL / "hot_add").read_text("ascii").strip()
    undo.callback((CONTROL / "hot_remove").write_text, number, "ascii")
    device, disk = Path(f"/dev/zram{number}"), Path(f"/sys/block/zram{number}")
    undo.callback((disk / "reset").write_text, "1", "ascii")
    (disk / "disksize").write_text(str(DISK_NPAGES * PAGE_SIZE), "ascii")
    if not device.exists():
        major, minor = map(int, (disk / "dev").read_text("ascii").split(":"))
        os.mknod(device, 0o600 | 0o060000, os.makedev(major, minor))
        undo.callback(device.unlink, missing_ok=True)
    with device.open("r+b", buffering=0) as raw:
        raw.write(header())
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.swapon(os.fsencode(device), 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(device))
    undo.callback(libc.swapoff, os.fsencode(device))
    before = CLUSTER.read_text("ascii")
    undo.callback(CLUSTER.write_text, before, "ascii")
    CLUSTER.write_text("0", "ascii")


def header() -> bytes:
    """Return the first page of a swap area (union swap_header)."""
    page = bytearray(PAGE_SIZE)
    page[1024:1032] = (1).to_bytes(4, sys.byteorder) + (DISK_NPAGES - 1).to_bytes(4, sys.byteorder)
    page[-10:] = b"SWAPSPACE2"
    return bytes(page)


if __name__ == "__main__":
    main()
