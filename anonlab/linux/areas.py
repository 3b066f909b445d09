"""The VMAs of a real process, as /proc/PID/smaps shows them: borders, protection, offset in the
file, and what VmFlags says of locks and stacks."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from anonlab.formats.observation import SHMEM, AreaSeen
from anonlab.machine.words import PAGE_SHIFT

CHUNK = 1 << 14
_HEAD = re.compile(
    rb"^([0-9a-f]+)-([0-9a-f]+) (...)(.) ([0-9a-f]+) \S+ (\d+)[^\n]*\n"
    rb"(?:[A-Z][^\n]*\n)*?VmFlags:([^\n]*)\n",
    re.MULTILINE,
)
_FIRST = re.compile(rb"^([0-9a-f]+)-[0-9a-f]+ ", re.MULTILINE)


def areas_of(pid: int, first: int, npages: int, files: Mapping[int, str]) -> tuple[AreaSeen, ...]:
    """Return the VMAs of process `pid` that begin in the `npages` pages from `first` on, numbered
    from there, ascending.

    files  names of files by the number of their inode
    """
    text = _smaps(pid, first + npages)
    areas = []
    for start, end, prot, kind, offset, inode, flags in _HEAD.findall(text):
        start_vpn = (int(start, 16) >> PAGE_SHIFT) - first
        if not 0 <= start_vpn < npages:
            continue
        words = flags.split()
        file = files.get(int(inode), SHMEM) if inode != b"0" else ""
        areas.append(
            AreaSeen(
                start_vpn,
                (int(end, 16) >> PAGE_SHIFT) - first,
                prot.decode(),
                kind == b"s",
                file,
                int(offset, 16) >> PAGE_SHIFT if file else 0,
                b"lo" in words,
                b"gd" in words,
            )
        )
    return tuple(areas)


def _smaps(pid: int, end: int) -> bytes:
    """Return smaps up to the first VMA that begins at page `end` or above: the kernel walks the
    page tables of whatever is read."""
    text = b""
    descriptor = os.open(f"/proc/{pid}/smaps", os.O_RDONLY | os.O_CLOEXEC)
    try:
        while chunk := os.read(descriptor, CHUNK):
            text += chunk
            starts = _FIRST.findall(chunk)
            if starts and int(starts[-1], 16) >> PAGE_SHIFT >= end:
                break
    finally:
        os.close(descriptor)
    return text
