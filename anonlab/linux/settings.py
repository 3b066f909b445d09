"""Swap for the length of a block: a compressed device of our own in memory, and no readahead.

A guard does it, a program of its own that takes everything back when its standard input ends. So
nothing stays set, however the process that asked for it ends: Ctrl-C does not reach the guard, and
a SIGKILL closes its input. The guard is two processes: one keeps a journal for the other, which
takes everything back should the first be killed. What is set: a new zram device is added and
swapped on, and page-cluster becomes 0, so that a fault brings back one page and not its neighbours.

Run as a program with nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
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
    journal, kept = os.pipe()
    child = os.fork()
    if not child:
        _guard(Journal(kept))
        return
    os.close(kept)
    _, status = os.waitpid(child, 0)
    if status:
        with os.fdopen(journal, encoding="utf-8") as lines:
            take_back([line.split() for line in lines])


class Journal:
    """What has been set, step by step; also written down for whoever survives.

    A step is (word, value): `device` number, `node` path, `swap` path, `cluster` old value.
    """

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self.steps: list[list[str]] = []

    def note(self, word: str, value: str) -> None:
        """Write down a step that is done, or about to be."""
        self.steps.append([word, value])
        os.write(self.kept, f"{word} {value}\n".encode())


def _guard(journal: Journal) -> None:
    if not _wanted():
        return
    try:
        _set_up(journal)
    except OSError as error:
        _say(f"{error.filename or 'swapon'}: {error.strerror}")
    else:
        with suppress(BrokenPipeError):  # of somebody who was killed while we worked
            _say(READY)
        sys.stdin.read()
    finally:
        take_back(journal.steps)


def _wanted() -> bool:
    """Return whether somebody still waits: who is killed while the guard starts wants no swap."""
    poller = select.poll()
    poller.register(sys.stdin, select.POLLIN)
    return not any(event & select.POLLHUP for _, event in poller.poll(0))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _set_up(journal: Journal) -> None:
    """Add a device, swap on it and switch readahead off."""
    number = (CONTROL / "hot_add").read_text("ascii").strip()
    journal.note("device", number)
    device, disk = Path(f"/dev/zram{number}"), Path(f"/sys/block/zram{number}")
    (disk / "disksize").write_text(str(DISK_NPAGES * PAGE_SIZE), "ascii")
    if not device.exists():
        major, minor = map(int, (disk / "dev").read_text("ascii").split(":"))
        journal.note("node", str(device))
        os.mknod(device, 0o600 | 0o060000, os.makedev(major, minor))
    with device.open("r+b", buffering=0) as raw:
        raw.write(header())
    journal.note("swap", str(device))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.swapon(os.fsencode(device), 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(device))
    journal.note("cluster", CLUSTER.read_text("ascii").strip())
    CLUSTER.write_text("0", "ascii")


def take_back(steps: list[list[str]]) -> None:
    """Take back what a journal says, the last step first, all of it whatever fails."""
    with ExitStack() as undo:
        for word, value in steps:
            if word == "device":
                undo.callback((CONTROL / "hot_remove").write_text, value, "ascii")
                undo.callback(Path(f"/sys/block/zram{value}/reset").write_text, "1", "ascii")
            elif word == "node":
                undo.callback(Path(value).unlink, missing_ok=True)
            elif word == "swap":
                undo.callback(ctypes.CDLL(None).swapoff, os.fsencode(value))
            elif word == "cluster":
                undo.callback(CLUSTER.write_text, value, "ascii")


def header() -> bytes:
    """Return the first page of a swap area (union swap_header)."""
    page = bytearray(PAGE_SIZE)
    page[1024:1032] = (1).to_bytes(4, sys.byteorder) + (DISK_NPAGES - 1).to_bytes(4, sys.byteorder)
    page[-10:] = b"SWAPSPACE2"
    return bytes(page)


if __name__ == "__main__":
    main()
