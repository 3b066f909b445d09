"""The arguments of the calls that matter, as any strace writes them: by name, as numbers (`-X raw`,
`-e raw=…`) or both (`-X verbose`)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from anonlab.errors import FormatError
from anonlab.machine.words import PAGE_MASK, PAGE_SHIFT

_NUMBER = r"0x[0-9a-f]{1,16}(?![0-9a-f])|\d{1,20}(?!\d)"
"""No machine has longer ones, and Python takes long to read them."""
_MMAP = re.compile(
    rf"(?:NULL|{_NUMBER}),\s*({_NUMBER}),\s*+([^,]++),\s*+([^,]++),\s*"
    rf"(-?\d{{1,20}}(?![x\d])|0x[0-9a-f]{{1,16}})(?:<(.*)>)?(?:\(deleted\))?,\s*({_NUMBER})"
)
"""Behind the last argument may stand what the program wrote meanwhile."""
_RANGE = re.compile(rf"(NULL|{_NUMBER}),\s*({_NUMBER})(?:,\s*(.*))?")
_MREMAP = re.compile(
    rf"({_NUMBER}),\s*({_NUMBER}),\s*({_NUMBER}),\s*([^,]+)(?:,\s*(?:{_NUMBER}|NULL))?"
)
_FLAGS = re.compile(r"flags=([\w|]*)")
_FIRST_FLAGS = re.compile(r"((?:CLONE_|SIG)[\w|]*)")
"""The flags as the emulator QEMU writes them."""
_FIRST_NUMBER = re.compile(_NUMBER)
_QUOTED = re.compile(r'"((?:[^"\\]++|\\.)*+)"')
_CHILD = re.compile(
    r"(0x[0-9a-f]{1,8}|\d{1,10})(?:<[^>]*>)?(?: /\* (\d{1,10}) in strace's PID NS \*/)?"
)
_ADDRESS = re.compile(r"NULL|0x[0-9a-f]+|0(?![xX\d])")
_LETTERS = (("PROT_READ", "r"), ("PROT_WRITE", "w"), ("PROT_EXEC", "x"))
_HIGH_BIT = 1 << 47
_NOT_IN_NAME = re.compile(r"[^\w.+@:-]", re.ASCII)
_DEVICE = re.compile(r"<(?:char|block) \d+:\d+\Z")
"""What -yy adds to the path of a device."""
LENGTH_MAX = 1 << 47
LIKE_PROCESS = re.compile(r"p\d+(?:\.\d+)?\Z")
"""Names that the importer gives to processes, so that a file gets another."""

PROT = ((1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC"))
MAP = (
    (0x1, "MAP_SHARED"),
    (0x2, "MAP_PRIVATE"),
    (0x10, "MAP_FIXED"),
    (0x20, "MAP_ANONYMOUS"),
    (0x100, "MAP_GROWSDOWN"),
    (0x2000, "MAP_LOCKED"),
    (0x8000, "MAP_POPULATE"),
    (0x20000, "MAP_STACK"),
    (0x40000, "MAP_HUGETLB"),
    (0x100000, "MAP_FIXED_NOREPLACE"),
)
MREMAP = ((1, "MREMAP_MAYMOVE"), (2, "MREMAP_FIXED"), (4, "MREMAP_DONTUNMAP"))
MCL = ((1, "MCL_CURRENT"), (2, "MCL_FUTURE"), (4, "MCL_ONFAULT"))
SHM = ((0o10000, "SHM_RDONLY"), (0o100000, "SHM_EXEC"))
CLONE = ((0x100, "CLONE_VM"), (0x4000, "CLONE_VFORK"), (0x10000, "CLONE_THREAD"))
ADVICE = {
    4: "MADV_DONTNEED", 8: "MADV_FREE", 9: "MADV_REMOVE", 10: "MADV_DONTFORK", 11: "MADV_DOFORK",
    14: "MADV_HUGEPAGE", 15: "MADV_NOHUGEPAGE", 18: "MADV_WIPEONFORK", 19: "MADV_KEEPONFORK",
    20: "MADV_COLD", 21: "MADV_PAGEOUT", 22: "MADV_POPULATE_READ", 23: "MADV_POPULATE_WRITE",
    24: "MADV_DONTNEED_LOCKED", 25: "MADV_COLLAPSE", 102: "MADV_GUARD_INSTALL",
    103: "MADV_GUARD_REMOVE",
}  # fmt: skip
"""Numbers of the kernel's headers, alike on x86, arm64 and riscv (include/uapi, v6.18)."""


class Mmap(NamedTuple):
    """The arguments of an mmap: length in bytes, prot as 'rw', descriptor and its path ('' if the
    log has none), offset in bytes."""

    length: int
    prot: str
    flags: str
    fd: int
    path: str
    offset: int


@lru_cache
def named(text: str, table: tuple[tuple[int, str], ...]) -> str:
    """Return flags by name: a part that is a number is told by `table`."""
    if ("0x" not in text and not text.strip().isdigit()) or "/*" in text:
        return text
    words = []
    for part in text.strip().split("|"):
        number = integer(part)
        names = [word for bit, word in table if number and number & bit]
        words += [part] if number is None else names
    return "|".join(words)


def integer(text: str) -> int | None:
    """Return the number that `text` is, None if it is none."""
    match = _FIRST_NUMBER.fullmatch(text.strip())
    return int(match[0], 16 if match[0].startswith("0x") else 10) if match else None


def _value(text: str) -> int:
    """Return the number of a string that matched `_NUMBER` or NULL."""
    return 0 if text == "NULL" else int(text, 16 if "x" in text else 10)


@lru_cache(1 << 10)  # programs ask for the same again and again
def mmap_args(args: str, in_pages: bool = False) -> Mmap | None:
    """Return the arguments of mmap, None if they are not understood; `in_pages` is how old versions
    of strace write the offset of mmap2."""
    match = _MMAP.match(args)
    if match is None:
        return None
    length, prot, flags, fd, path, offset = match.groups()
    number = _value(fd)
    where = _value(offset) << PAGE_SHIFT if in_pages else _value(offset)
    path = _DEVICE.sub("", path) if path else ""
    letters = prot_letters(prot)
    flags = named(flags, MAP) + ("|MAP_ANONYMOUS" if path == "/dev/zero" else "")
    number = number if number < 1 << 31 else -1
    if "MAP_ANON" in flags:
        where = 0  # the kernel does not look at it
    return Mmap(_value(length), letters, flags, number, path, where) if letters else None


@lru_cache
def prot_letters(text: str) -> str:
    """Write PROT_READ|PROT_WRITE as 'rw', and nothing readable as 'none'; '' if it is no
    protection."""
    words = named(text, PROT)
    if "PROT_" not in words and integer(text) is None:
        return ""
    return "".join(letter for word, letter in _LETTERS if word in words) or "none"


def advice(text: str) -> str:
    """Return the name of an madvise's advice."""
    number = integer(text)
    if number is not None:
        return ADVICE.get(number, f"MADV_{number}")
    match = re.search(r"MADV_[A-Z_]+", text)
    return match[0] if match else base_name(text, "unknown")


def range_args(args: str) -> tuple[int, int, str] | None:
    """Return address, length in bytes and the rest of calls that take a range."""
    match = _RANGE.match(args)
    if match is None or match[1] == "NULL":
        return None
    addr, length, rest = match.groups("")
    return _value(addr), _value(length), rest


def mremap_args(args: str) -> tuple[int, int, int, str] | None:
    """Return old address, old length, new length and flags of mremap."""
    match = _MREMAP.match(args)
    if match is None:
        return None
    return _value(match[1]), _value(match[2]), _value(match[3]), named(match[4], MREMAP)


def fork_kind(name: str, args: str) -> tuple[str, bool]:
    """Return which verb a call that makes a process is, and whether it makes a thread.

    Flags are named, numbers (`-X raw`), or the first argument (`-e raw=clone`). Where only the
    second half of the call is there, a thread is told by what the call gives back for it.
    """
    if name in ("fork", "vfork"):
        return name, False
    match = _FLAGS.search(args) or _FIRST_FLAGS.match(args)
    match = match or (_FIRST_NUMBER.match(args) if name == "clone" else None)
    if match is None:
        thread = "parent_tid=" in args or "tls=" in args
        return "clone_vm" if thread else "fork", thread
    flags = named(match[1] if match.lastindex else match[0], CLONE).split("|")
    if "CLONE_VM" not in flags:
        return "fork", False
    return "vfork" if "CLONE_VFORK" in flags else "clone_vm", "CLONE_THREAD" in flags


def child_pid(result: str) -> int:
    """Return the pid that strace gives the child in its log, 0 if there is none."""
    match = _CHILD.match(result)
    return _value(match[2] or match[1]) if match else 0


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
    match = _QUOTED.match(args, max(args.find('"'), 0))
    return base_name(match[1], "program") if match else "program"
