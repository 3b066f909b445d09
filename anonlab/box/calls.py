"""Which system calls a box may make: a list, and the kernel's program that holds it.

A student's answer is a function of plain data. What that needs is here; whatever is not here gets
EPERM, and a call by another architecture's numbers ends the box. The program is built by
libseccomp, once in each judge; it stays for the life of a process, and nothing takes it back
(seccomp(2)).
"""

from __future__ import annotations

import ctypes
import errno
import os
from functools import cache
from typing import NamedTuple

LIBRARY = "libseccomp.so.2"
PACKAGE = "libseccomp2"
"""Debian's and Ubuntu's name of the package that brings it; apt itself needs it there."""
COMPUTING = """
    read write lseek fstat close
    mmap munmap mremap mprotect brk
    rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack
    sched_yield sched_getaffinity nanosleep clock_nanosleep
    clock_gettime clock_getres gettimeofday time times getrusage
    getpid gettid getppid getuid geteuid getgid getegid uname
    getrandom restart_syscall exit exit_group
"""
"""What Python and NumPy ask for while they compute. There is no open, stat or access: a box has no
files; no dup, pipe, socket or memfd_create: memory outside of its address space."""


class Rule(NamedTuple):
    """A call that is allowed if argument `at`, under `mask`, has this value."""

    name: str
    at: int
    mask: int
    value: int


HUGETLB, LOCKED = 0x40000, 0x2000
"""Flags of mmap: pages from a pool that all share; pages that cannot be swapped out."""
RULES = (
    Rule("mmap", 3, HUGETLB | LOCKED, 0),
    # WAIT, WAKE and their forms with a bit set: others name tasks outside of the box.
    *(Rule("futex", 1, 0x7F, operation) for operation in (0, 1, 9, 10)),
    # DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE: others change what is shared, or break frames.
    *(Rule("madvise", 2, 0xFFFFFFFF, advice) for advice in (4, 8, 14, 15)),
)
ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | errno.EPERM
MASKED_EQUAL = 7


class NoBox(Exception):
    """The box did not stand: trouble of the grader."""


class NoFilter(NoBox):
    """The program cannot be built; the message says why."""


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


@cache
def _library() -> ctypes.CDLL:
    """Return libseccomp.

    raises  NoFilter if it is not there
    """
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        raise NoFilter(f"{LIBRARY} is not installed") from None
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_rule_add_array.argtypes = [
        *(ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint),
        ctypes.POINTER(_Comparison),
    ]
    library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    return library


def number_of(name: str) -> int:
    """Return the number of a system call on this machine, negative if it has none."""
    return int(_library().seccomp_syscall_resolve_name(name.encode()))


@cache
def filter_program() -> bytes:
    """Return the program that seccomp(2) takes: 8 bytes for each instruction.

    raises  NoFilter
    """
    library = _library()
    context = library.seccomp_init(REFUSE)
    if not context:
        raise NoFilter(f"{LIBRARY} builds no filter here")
    try:
        ruled = {rule.name for rule in RULES}
        for name in COMPUTING.split():
            if name not in ruled:
                _add(context, name, ())
        for rule in RULES:
            _add(context, rule.name, (_Comparison(rule.at, MASKED_EQUAL, rule.mask, rule.value),))
        return _exported(context)
    finally:
        library.seccomp_release(context)


def _add(context: int, name: str, comparisons: tuple[_Comparison, ...]) -> None:
    """Allow one call, if this machine has it."""
    number = number_of(name)
    if number < 0:  # time(2) is not there on aarch64
        return
    few = (_Comparison * len(comparisons))(*comparisons)
    if _library().seccomp_rule_add_array(context, ALLOW, number, len(few), few):
        raise NoFilter(f"{LIBRARY} takes no rule for {name}")


def _exported(context: int) -> bytes:
    descriptor = os.memfd_create("filter", os.MFD_CLOEXEC)
    try:
        if _library().seccomp_export_bpf(context, descriptor):
            raise NoFilter(f"{LIBRARY} cannot write its filter")
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    finally:
        os.close(descriptor)
