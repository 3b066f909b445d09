"""The walls of a box, put up by itself before a line of a student's code runs: limits of its
memory and time, no files (landlock(7)), no other system calls than those on the list (seccomp(2)).

None of them needs root, name spaces or privileges, and none can be taken down again. It runs in the
zygote and its children; no other module of anonlab is needed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
from contextlib import suppress

MEMORY, CPU_SECONDS, DESCRIPTORS = 1 << 30, 20, 16
"""Limits of one box: bytes of its one address space, seconds on a processor, open files."""
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
SECCOMP_SET_MODE_FILTER = 1
KEYCTL_JOIN_SESSION_KEYRING = 1
CREATE_RULESET, RESTRICT_SELF = 444, 446
"""Numbers of Landlock's calls, the same on every processor that Python runs on here."""
ACCESSES_OF = {1: 13, 2: 14, 3: 15, 4: 15}
"""By version of Landlock: how many kinds of access to files it knows; 16 since the fifth."""
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class NoWall(OSError):
    """A wall could not be put up."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


def _ask(what: str, result: int) -> int:
    """Return what a call gave; NoWall if it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise NoWall(number, f"{what}: {os.strerror(number)}")
    return result


def no_new_privileges() -> None:
    """Nothing that is executed from here on gains rights: the condition of all that follows."""
    _ask("no_new_privs", _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def give_memory_back() -> None:
    """Let the system have the memory that malloc has kept of what is no longer there."""
    with suppress(AttributeError):  # another C library has no such call
        _libc.malloc_trim(ctypes.c_size_t(0))


def own_keyring(keyctl: int) -> None:
    """Leave the keyring of the grader's session, which would go from box to box; `keyctl` is the
    number of that call. Where it is refused nobody else can use it either."""
    if keyctl >= 0:
        _libc.syscall(ctypes.c_long(keyctl), KEYCTL_JOIN_SESSION_KEYRING, None)


def hide() -> None:
    """Let nobody read this process's memory, and be the first to go when memory ends."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
            file.write("1000")
    except OSError:
        pass  # no such file in some containers
    _ask("dumpable", _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))


def no_files() -> int:
    """Take all files away, by Landlock; return its version here, 0 if there is none."""
    version = int(_libc.syscall(ctypes.c_long(CREATE_RULESET), None, ctypes.c_size_t(0), 1))
    if version < 1:
        return 0
    kinds = ACCESSES_OF.get(version, 16)
    rules = _Ruleset((1 << kinds) - 1, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    descriptor = _libc.syscall(
        ctypes.c_long(CREATE_RULESET), ctypes.byref(rules), ctypes.c_size_t(size), 0
    )
    _ask("landlock_create_ruleset", descriptor)
    try:
        _ask(
            "landlock_restrict_self",
            _libc.syscall(ctypes.c_long(RESTRICT_SELF), ctypes.c_long(descriptor), 0),
        )
    finally:
        os.close(descriptor)
    return version


def limits() -> None:
    """Set the limits that a zygote and its boxes have alike."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        _limit(kind, most)


def _limit(kind: int, most: int) -> None:
    """Set a limit, to less where less is permitted."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


class Filter:
    """The program of calls.py, ready for boxes."""

    def __init__(self, program: bytes, seccomp: int) -> None:
        self._kept = ctypes.create_string_buffer(program, len(program))
        self._program = _Program(len(program) // 8, ctypes.addressof(self._kept))
        self._seccomp = seccomp

    def close_in(self, parent: int) -> None:
        """Be a box from here on: end with process `parent`, start no other, call only what is on
        the list. NoWall, and the box must end, if one of it cannot be had."""
        _ask("pdeathsig", _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
        if os.getppid() != parent:
            raise NoWall(errno.ESRCH, "the zygote is gone")
        _limit(resource.RLIMIT_CPU, CPU_SECONDS)
        _limit(resource.RLIMIT_NPROC, 0)
        _limit(resource.RLIMIT_NOFILE, DESCRIPTORS)
        _ask(
            "seccomp",
            _libc.syscall(
                ctypes.c_long(self._seccomp), SECCOMP_SET_MODE_FILTER, 0,
                ctypes.byref(self._program),
            ),
        )  # fmt: skip
