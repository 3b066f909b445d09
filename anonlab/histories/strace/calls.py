"""The lines of a strace log and the arguments of the calls that matter.

A line is `[PID] [TIME] call(args) = result`, one half of that (`<unfinished ...>`, `<... call
resumed>`), or a note: `+++ exited with 0 +++`, `--- SIGCHLD {…} ---`, `[ Process … ]`, `strace: …`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from anonlab.errors import FormatError
from anonlab.machine.words import PAGE_MASK, PAGE_SHIFT

RECORD_WITH = "record with: strace -f -e trace=memory,process -o FILE COMMAND"
UNFINISHED = "<unfinished ...>"

_LINE = re.compile(
    r"\s*(?:\[pid\s+(\d{1,10})\]\s+|(\d{1,10})\s+)?(?:\d[\d:.]*\s+)?"
    r"(?:([a-z_][a-z0-9_]*)\((.*)|<\.\.\. ([a-z_][a-z0-9_]*) resumed>(.*)"
    r"|((?:\+\+\+|---|strace: |\[ ).*))"
)


class LogLine(NamedTuple):
    """One line taken apart; `name` is a call, and exactly one of the three kinds is given.

    start   what follows the opening bracket, if the line starts a call
    end     what follows `resumed>`, if the line is the second half of a call
    note    the whole note, if the line is no call
    """

    pid: int
    name: str
    start: str | None
    end: str | None
    note: str | None


def read_line(text: str) -> LogLine | None:
    """Take one line apart; None if it is not of a strace log. The pid is 0 where none is logged."""
    match = _LINE.match(text)
    if match is None:
        return None
    pid, other, name, start, resumed, end, note = match.groups()
    return LogLine(int(pid or other or 0), name or resumed or "", start, end, note)


def split_result(text: str) -> tuple[str, str] | None:
    """Split `args) = result`; None if there is no result."""
    args, equals, result = text.rpartition(" = ")
    args = args.rstrip()
    return (args[:-1], result) if equals and args.endswith(")") else None


def is_whole(text: str) -> bool:
    """True if a last line without a line feed shows by itself that nothing is missing."""
    return _WHOLE.match(text) is not None


# -- calls --------------------------------------------------------------------------------------

_MMAP = re.compile(
    r"(?:NULL|0x[0-9a-f]+|0), (\d+), ([^,]+), ([^,]+), "
    r"(-?\d+)(?:<(.*)>)?(?:\(deleted\))?, (0x[0-9a-f]+|0)\Z"
)
_RANGE = re.compile(r"(NULL|0x[0-9a-f]+|0), (\d+)(?:, (.*))?\Z")
_MREMAP = re.compile(r"(0x[0-9a-f]+), (\d+), (\d+), ([^,]+)(?:, (?:0x[0-9a-f]+|NULL))?\Z")
_FLAGS = re.compile(r"flags=([A-Z0-9_x|]*)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_CHILD = re.compile(r"(\d{1,10})(?: /\* (\d{1,10}) in strace's PID NS \*/)?")
_ADDRESS = re.compile(r"NULL|0x[0-9a-f]+|0")
_LETTERS = (("PROT_READ", "r"), ("PROT_WRITE", "w"), ("PROT_EXEC", "x"))
_HIGH_BIT = 1 << 47
_NOT_IN_NAME = re.compile(r"[^\w.+@:-]", re.ASCII)
_WHOLE = re.compile(r".*(?:\+\+\+|---|\) += \?|\) += -1 E[A-Z0-9]+ \(.*\))\Z")
LENGTH_MAX = 1 << 47
LIKE_PROCESS = re.compile(r"p\d+(?:\.\d+)?\Z")
"""Names that the importer gives to processes, so that a file gets another."""


class Mmap(NamedTuple):
    """The arguments of an mmap: length in bytes, prot as 'rw', descriptor and its path ('' if the
    log has none), offset in bytes."""

    length: int
    prot: str
    flags: str
    fd: int
    path: str
    offset: int


def mmap_args(args: str) -> Mmap | None:
    """Return the arguments of mmap, None if they are not understood."""
    match = _MMAP.match(args)
    if match is None:
        return None
    length, prot, flags, fd, path, offset = match.groups()
    return Mmap(int(length), prot_letters(prot), flags, int(fd), path or "", int(offset, 0))


def prot_letters(text: str) -> str:
    """Write PROT_READ|PROT_WRITE as 'rw', and nothing readable as 'none'."""
    return "".join(letter for word, letter in _LETTERS if word in text) or "none"


def range_args(args: str) -> tuple[int, int, str] | None:
    """Return address, length in bytes and the rest of calls that take a range."""
    match = _RANGE.match(args)
    if match is None or match[1] == "NULL":
        return None
    return int(match[1], 0), int(match[2]), match[3] or ""


def mremap_args(args: str) -> tuple[int, int, int, str] | None:
    """Return old address, old length, new length and flags of mremap."""
    match = _MREMAP.match(args)
    return (int(match[1], 0), int(match[2]), int(match[3]), match[4]) if match else None


def fork_kind(name: str, args: str) -> tuple[str, bool]:
    """Return which verb a call that makes a process is, and whether it makes a thread."""
    match = _FLAGS.search(args)
    flags = match[1].split("|") if match else []
    if name in ("fork", "vfork"):
        return name, False
    if "CLONE_VM" not in flags:
        return "fork", False
    return "vfork" if "CLONE_VFORK" in flags else "clone_vm", "CLONE_THREAD" in flags


def child_pid(result: str) -> int:
    """Return the pid that strace gives the child in its log, 0 if there is none."""
    match = _CHILD.match(result)
    return int(match[2] or match[1]) if match else 0


def address(text: str, line: int) -> int | None:
    """Return the address that `text` begins with, None if it begins with none; NULL is 0.

    Some architectures give programs the addresses from 2**47 to 2**48; they lose their top bit.

    raises  FormatError for an address of more than 48 bits
    """
    match = _ADDRESS.match(text)
    if match is None:
        return None
    return fold(0 if match[0] == "NULL" else int(match[0], 0), line)


def fold(addr: int, line: int) -> int:
    """Return `addr` without bit 47; raises FormatError for an address of more than 48 bits."""
    if addr >> 48:
        raise FormatError(
            f"address 0x{addr:x} has more than 48 bits: this log was recorded on a machine whose "
            f"page tables anonlab does not model; record on x86_64 or on arm64",
            line,
        )
    return addr & ~_HIGH_BIT


def pages(length: int) -> int:
    """Return how many pages `length` bytes take."""
    return length + PAGE_MASK >> PAGE_SHIFT


def base_name(path: str, default: str) -> str:
    """Return the last part of `path`, as a history may call it; directories stay private."""
    name = _NOT_IN_NAME.sub("_", path.removesuffix(" (deleted)").rpartition("/")[2])[:60]
    if not name:
        return default
    return name if name[0].isalpha() or name[0] == "_" else f"_{name}"


def program_name(args: str) -> str:
    """Return the name of the program that an execve starts."""
    match = _QUOTED.search(args)
    return base_name(match[1], "program") if match else "program"
