"""The errors of anonlab: three families that never mix.

::

    Exception
    ├── SimulatedError                what happens to a simulated process: part of the lesson
    │   ├── SegmentationFault         SIGSEGV: no VMA, or the VMA forbids the access
    │   ├── BusError                  SIGBUS: a file mapping touched beyond the end of its file
    │   ├── OutOfMemory               ENOMEM: frames, page tables, swap or address space ran out
    │   ├── InvalidArgument           EINVAL: unaligned, empty or contradictory arguments
    │   ├── BadAddress                EFAULT: the range of an mremap is not one VMA
    │   ├── AddressInUse              EEXIST: mmap at an occupied address without fixed=True
    │   ├── PermissionDenied          EACCES: more than the file's mode allows
    │   ├── Busy                      EBUSY: the page is locked or pinned
    │   └── NoSuchProcess             ESRCH: the process has exited
    ├── ValueError, TypeError         the Python caller is wrong
    │   └── FormatError               a text or JSON that cannot be read; names the line
    └── AssertionError                anonlab or a student's design is wrong (the kernel's BUG_ON)

Every message says who, what, where in hex, and what would have been right. An operation that
raises leaves the machine as it was, or says what is done (anonlab/kernel/syscalls.py).
"""

from __future__ import annotations


class SimulatedError(Exception):
    """Something that happens to a simulated process: a signal or an errno."""

    errno = ""


class SegmentationFault(SimulatedError):
    """SIGSEGV: no VMA covers the address, or its VMA forbids the access."""

    errno = "SIGSEGV"


class BusError(SimulatedError):
    """SIGBUS: a file mapping was touched beyond the end of its file."""

    errno = "SIGBUS"


class OutOfMemory(SimulatedError):
    """ENOMEM: frames, page tables, swap slots or address space ran out."""

    errno = "ENOMEM"

    @classmethod
    def of(cls, what: str, needed: int, thing: str, free: int, all_: int) -> OutOfMemory:
        """Return the error that says: `what` needs so many of a thing, so many are free."""
        things = thing if needed == 1 else f"{thing}s"
        are = "is" if free == 1 else "are"
        return cls(f"{what} needs {needed} {things}, {free} of {all_} {are} free")


class InvalidArgument(SimulatedError):
    """EINVAL: unaligned, empty or contradictory arguments of a system call."""

    errno = "EINVAL"


class BadAddress(SimulatedError):
    """EFAULT: the range given to mremap is not inside one VMA."""

    errno = "EFAULT"


class AddressInUse(SimulatedError):
    """EEXIST: mmap at an address that is occupied (MAP_FIXED_NOREPLACE)."""

    errno = "EEXIST"


class PermissionDenied(SimulatedError):
    """EACCES: the mapping asks for more than the file's mode allows."""

    errno = "EACCES"


class Busy(SimulatedError):
    """EBUSY: the page is locked or pinned and cannot be taken away."""

    errno = "EBUSY"


class NoSuchProcess(SimulatedError):
    """ESRCH: the process has exited."""

    errno = "ESRCH"


MOST_MESSAGE = 1000
"""Characters of a message about a file: what it quotes may be as long as the file."""


class FormatError(ValueError):
    """A history, trace, log or recording that cannot be read.

    `line` is the 1-based line of the text, or 0 where the input has no lines.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        if len(message) > MOST_MESSAGE:
            message = f"{message[:600]} … {message[-300:]}"  # what would be right stands at the end
        super().__init__(f"line {line}: {message}" if line else message)
        self.line = line
