"""Looks around in a box and says what can be done there; probe.py loads it as a student's code.

It tries what an attacker would try, in small and with arguments that do no harm where nothing is
refused. Without imports of anonlab at its top: it is code like a student's.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import os
import threading
from collections.abc import Callable

REFUSALS = (errno.EPERM, errno.EACCES, errno.ENOSYS)
MERGEABLE, HUGETLB, PRIVATE_ANONYMOUS = 12, 0x40000, 0x22
ARGUMENTS = {
    "fcntl": (0, 1),  # GETFD
    "futex": (0, 6, 0),  # LOCK_PI
    "kill": (os.getppid(), 0),
    "madvise": (0, 0, MERGEABLE),
    "mmap": (0, 1 << 21, 3, PRIVATE_ANONYMOUS | HUGETLB, -1, 0),
    "sched_setaffinity": (0, 8, 0),
}
"""Arguments of calls that are tried with others than zeros."""


def look(calls: dict[str, int], paths: list[str]) -> dict[str, list[str]]:
    """Return {"refused": names, "allowed": names}.

    calls  numbers of system calls by name
    paths  files of this machine that no box may read
    """
    found: dict[str, list[str]] = {"refused": [], "allowed": []}
    for name, tried in ways(calls, paths).items():
        found["refused" if refused(tried) else "allowed"].append(name)
    for name, number in calls.items():
        found["refused" if call_refused(number, ARGUMENTS.get(name, ())) else "allowed"].append(
            name
        )
    return found


def ways(calls: dict[str, int], paths: list[str]) -> dict[str, Callable[[], object]]:
    """Return what is tried as Python does it, by name."""
    return {
        "a process": lambda: os.fork() or os._exit(0),
        "a program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "a thread": lambda: threading.Thread(target=int).start(),
        "reading a file": lambda: read_any(["/etc/passwd", "/proc/self/maps", *paths]),
        "seeing a file": lambda: os.stat("/etc"),  # noqa: PTH116
        "writing a file": write_any,
        "limits of others": lambda: limit(os.getppid()),
        "NumPy": lambda: importlib.import_module("numpy").arange(9).sum(),
        "the library": lambda: importlib.import_module("xml.etree.ElementTree"),
        "anonlab": lambda: importlib.import_module("anonlab.histories.generate"),
        "64 MiB of memory": lambda: bytearray(64 << 20),
    }


def refused(tried: Callable[[], object]) -> bool:
    """Return whether something is refused."""
    try:
        tried()
    except (OSError, RuntimeError, ImportError, MemoryError) as error:
        return not isinstance(error, OSError) or error.errno in REFUSALS
    return False


def read_any(paths: list[str]) -> None:
    """Read the first file that can be read; the error of the last if none can."""
    for path in paths[:-1]:
        try:
            open(path, "rb").close()  # noqa: PTH123
        except OSError:
            continue
        return
    open(paths[-1], "rb").close()  # noqa: PTH123


def write_any() -> None:
    """Make a file in the first place where one can be made, and take it away."""
    for folder in ("/tmp", "/dev/shm", "/var/tmp", "/"):
        path = f"{folder}/.anonlab-probe-{os.getpid()}"
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except OSError:
            if folder == "/":
                raise
            continue
        os.unlink(path)  # noqa: PTH108
        return


def limit(pid: int) -> None:
    """Ask for a limit of another process."""
    import resource

    resource.prlimit(pid, resource.RLIMIT_NOFILE)


def call_refused(number: int, arguments: tuple[int, ...]) -> bool:
    """Return whether the kernel refuses a system call."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    few = [*arguments, *[0] * (6 - len(arguments))]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, few))
    return result == -1 and ctypes.get_errno() in REFUSALS
