"""The page faults of a real program and its children, with their addresses: software events of
perf_event_open, which need no tracefs.

Without privileges only faults that the program itself runs into are seen, not those of system calls
that read or write its memory. With CAP_PERFMON both are, and a fault after which the zero page is
there is known to be a read: the zero page has no physical address for perf_virt_to_phys. Otherwise
an event does not tell reads from writes.

source  include/uapi/linux/perf_event.h (v6.18)
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from anonlab.formats.words import PAGE_SIZE

SYSCALL = {"x86_64": 298, "aarch64": 241}
PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")
SOFTWARE, FAULTS_MIN, FAULTS_MAJ = 1, 5, 6
TID, TIME, ADDR, PHYS_ADDR = 1 << 1, 1 << 2, 1 << 3, 1 << 19
INHERIT, EXCLUDE_KERNEL, EXCLUDE_HV = 1 << 1, 1 << 5, 1 << 6
MAPPINGS = 1 << 8 | 1 << 17 | 1 << 23
"""mmap, mmap_data, mmap2: every new mapping is told."""
SAMPLE_ID_ALL, USE_CLOCKID = 1 << 18, 1 << 25
CLOCK_REALTIME = 0
SET_OUTPUT = 0x2405
CLOEXEC = 8
LOST, SAMPLE, MMAP2 = 2, 9, 10
RING_NPAGES = (512, 128, 32, 8)
"""Sizes of a ring that are tried: what locked memory allows."""
_ATTR = struct.Struct("=2I5Q2I4QIiQ4I16x")
_HEAD, _TAIL = 1024, 1032
_RECORD = struct.Struct("=IHH")
_FAULT = struct.Struct("=2I2Q")
_MAPPING = struct.Struct("=2I3Q24x2I")
_NOW = struct.Struct("=2IQ")
_PHYS = struct.Struct("=Q")


class Fault(NamedTuple):
    """A page fault: when (ns, as the clock on the wall), in which process and thread, at which
    address; `kind` is 'read', 'write' or 'touch' where it is not known."""

    time_ns: int
    pid: int
    tid: int
    addr: int
    kind: str


class Mapping(NamedTuple):
    """A mapping that appeared: `prot` and `flags` as in mmap, `offset` in bytes, `name` as in
    /proc/PID/maps, //anon for none."""

    time_ns: int
    pid: int
    tid: int
    addr: int
    length: int
    offset: int
    prot: int
    flags: int
    name: str


class PageFaults:
    """Listens to a process, and to all that it will make; `close` it at the end.

    kernel   True if faults inside of system calls are seen too
    lost     events that the rings had no room for
    raises   OSError if the kernel refuses, with the reason
    """

    def __init__(self, pid: int) -> None:
        self.events: list[Fault | Mapping] = []
        self.lost = 0
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fds: list[int] = []
        self._rings: list[mmap.mmap] = []
        try:
            try:
                self.kernel = True
                self._listen(pid)
            except PermissionError:
                self.close()
                self.kernel = False
                self._listen(pid)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Stop listening."""
        for ring in self._rings:
            ring.close()
        for fd in self._fds:
            os.close(fd)
        self._rings, self._fds = [], []

    def drain(self) -> None:
        """Take the events out of the rings; they must not fill up meanwhile."""
        for ring in self._rings:
            head = int.from_bytes(ring[_HEAD : _HEAD + 8], "little")
            tail = int.from_bytes(ring[_TAIL : _TAIL + 8], "little")
            for kind, record in _records(ring, head, tail):
                self._take(kind, record)
            ring[_TAIL : _TAIL + 8] = head.to_bytes(8, "little")

    # -- opening --------------------------------------------------------------------------------

    def _listen(self, pid: int) -> None:
        import fcntl  # Unix only

        for cpu in range(os.cpu_count() or 1):
            first = self._open(pid, cpu, FAULTS_MIN, MAPPINGS)
            if first is None:
                continue  # a CPU that is switched off
            self._rings.append(_ring(first))
            second = self._open(pid, cpu, FAULTS_MAJ, 0)
            if second is not None:
                fcntl.ioctl(second, SET_OUTPUT, first)

    def _open(self, pid: int, cpu: int, event: int, more: int) -> int | None:
        number = SYSCALL.get(platform.machine())
        if number is None:
            raise OSError(errno.ENOSYS, f"no page-fault events on {platform.machine()}")
        flags = more | INHERIT | EXCLUDE_HV | SAMPLE_ID_ALL | USE_CLOCKID
        flags |= 0 if self.kernel else EXCLUDE_KERNEL
        wanted = TID | TIME | ADDR | (PHYS_ADDR if self.kernel else 0)
        attr = _ATTR.pack(
            *(SOFTWARE, _ATTR.size, event, 1, wanted, 0, flags, 1, 0),
            *(0, 0, 0, 0, 0, CLOCK_REALTIME, 0, 0, 0, 0, 0),
        )
        fd = self._libc.syscall(number, ctypes.c_char_p(attr), pid, cpu, -1, CLOEXEC)
        if fd >= 0:
            self._fds.append(fd)
            return int(fd)
        error = ctypes.get_errno()
        if error == errno.ENODEV:
            return None
        raise OSError(error, f"perf_event_open: {os.strerror(error)}{_paranoid()}")

    # -- reading --------------------------------------------------------------------------------

    def _take(self, kind: int, record: bytes) -> None:
        if kind == SAMPLE:
            pid, tid, time_ns, addr = _FAULT.unpack_from(record)
            read = self.kernel and not _PHYS.unpack_from(record, _FAULT.size)[0]
            self.events.append(Fault(time_ns, pid, tid, addr, "read" if read else "touch"))
        elif kind == MMAP2:
            pid, tid, addr, length, offset, prot, flags = _MAPPING.unpack_from(record)
            _, _, time_ns = _NOW.unpack(record[-_NOW.size :])
            name = record[_MAPPING.size : -_NOW.size].split(b"\0")[0].decode("utf-8", "replace")
            self.events.append(Mapping(time_ns, pid, tid, addr, length, offset, prot, flags, name))
        elif kind == LOST:
            self.lost += int.from_bytes(record[8:16], "little")


def _records(ring: mmap.mmap, head: int, tail: int) -> Iterator[tuple[int, bytes]]:
    """Yield (type, bytes behind the header) of the records of a ring."""
    size = len(ring) - PAGE_SIZE
    while tail < head:
        at = tail % size
        kind, _, length = _RECORD.unpack_from(ring, PAGE_SIZE + at)  # headers never wrap
        whole = ring[PAGE_SIZE + at : PAGE_SIZE + min(at + length, size)]
        whole += ring[PAGE_SIZE : PAGE_SIZE + length - len(whole)]
        yield kind, whole[_RECORD.size :]
        tail += length


def _ring(fd: int) -> mmap.mmap:
    """Return the ring of an event, as large as may be."""
    for npages in RING_NPAGES[:-1]:
        with suppress(PermissionError):
            return mmap.mmap(fd, (1 + npages) * PAGE_SIZE)
    return mmap.mmap(fd, (1 + RING_NPAGES[-1]) * PAGE_SIZE)


def _paranoid() -> str:
    try:
        return f" (perf_event_paranoid is {PARANOID.read_text('utf-8').strip()})"
    except OSError:
        return ""
