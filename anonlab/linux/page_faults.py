"""The page faults of a real program and its children, with their addresses (perf_event_open).

There are three sources, and the first that may be listened to is taken:

tracepoints  exceptions:page_fault_user and page_fault_kernel, where tracefs is mounted and can be
             read: they tell reads from writes
software     the kernel's own count of faults; needs no tracefs, but CAP_PERFMON. A fault after
             which the zero page is there is known to be a read, because the zero page has no
             physical address for perf_virt_to_phys; others are a touch, be it read or write
user         the same without privileges: without faults inside of system calls, and without
             physical addresses

source  include/uapi/linux/perf_event.h, arch/x86/include/asm/trace/exceptions.h (v6.18)
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from anonlab.machine.words import PAGE_SIZE

SYSCALL = {"x86_64": 298, "aarch64": 241}
PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")
TRACEFS = (Path("/sys/kernel/tracing"), Path("/sys/kernel/debug/tracing"))
TRACEPOINTS = ("page_fault_user", "page_fault_kernel")
SOFTWARE, TRACEPOINT = 1, 2
FAULTS_MIN, FAULTS_MAJ = 5, 6
TID, TIME, ADDR, RAW, PHYS_ADDR = 1 << 1, 1 << 2, 1 << 3, 1 << 10, 1 << 19
INHERIT, EXCLUDE_KERNEL, EXCLUDE_HV = 1 << 1, 1 << 5, 1 << 6
MAPPINGS = 1 << 8 | 1 << 17 | 1 << 23
"""mmap, mmap_data, mmap2: every new mapping is told."""
SAMPLE_ID_ALL, USE_CLOCKID = 1 << 18, 1 << 25
SET_OUTPUT = 0x2405
CLOEXEC = 8
LOST, SAMPLE, MMAP2 = 2, 9, 10
RING_NPAGES = (512, 128, 32, 8)
"""Sizes of a ring that are tried: what locked memory allows."""
_ATTR = struct.Struct("=2I5Q2I4QIiQ4I16x")
_HEAD, _TAIL = 1024, 1032
_RECORD = struct.Struct("=IHH")
_FAULT = struct.Struct("=2I2Q")
_TRACED = struct.Struct("=2IQ4x8xQ8xQ")
"""Process, thread, time; then the raw tracepoint: address and error code."""
_WRITE = 1 << 1
"""Bit of the error code (X86_PF_WRITE)."""
_MAPPING = struct.Struct("=2I3Q24x2I")
_NOW = struct.Struct("=2IQ")
_PHYS = struct.Struct("=Q")


class FaultEvent(NamedTuple):
    """A page fault: when (ns, as the clock on the wall), in which process and thread, at which
    address; `kind` is 'read', 'write' or 'touch' where it is not known."""

    time_ns: int
    pid: int
    tid: int
    addr: int
    kind: str


class MappingEvent(NamedTuple):
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


class FaultSource(NamedTuple):
    """Where faults are told: kind of event, its two numbers, what is sampled, and whether faults
    inside of system calls are seen too."""

    name: str
    kind: int
    events: tuple[int, ...]
    sample: int
    kernel: bool


USER = FaultSource("user", SOFTWARE, (FAULTS_MIN, FAULTS_MAJ), ADDR, kernel=False)
SOFTWARE_EVENTS = FaultSource("software", SOFTWARE, USER.events, ADDR | PHYS_ADDR, kernel=True)


class PageFaults:
    """Listens to a process, and to all that it will make; `close` it at the end.

    source   the best that may be listened to
    lost     events that the rings had no room for
    raises   OSError if the kernel refuses, with the reason
    """

    def __init__(self, pid: int) -> None:
        self.events: list[FaultEvent | MappingEvent] = []
        self.lost = 0
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fds: list[int] = []
        self._rings: list[mmap.mmap] = []
        self._epoch_ns = _epoch_ns()
        for source in fault_sources():
            self.source = source
            try:
                self._listen(pid)
            except OSError:
                self.close()
                if source is USER:
                    raise
            else:
                break

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
            event, other = self.source.events
            first = self._open(pid, cpu, event, MAPPINGS)
            if first is None:
                continue  # a CPU that is switched off
            self._rings.append(_ring(first))
            second = self._open(pid, cpu, other, 0)
            if second is not None:
                fcntl.ioctl(second, SET_OUTPUT, first)

    def _open(self, pid: int, cpu: int, event: int, more: int) -> int | None:
        number = SYSCALL.get(platform.machine())
        if number is None:
            raise OSError(errno.ENOSYS, f"no page-fault events on {platform.machine()}")
        flags = more | INHERIT | EXCLUDE_HV | SAMPLE_ID_ALL | USE_CLOCKID
        flags |= 0 if self.source.kernel else EXCLUDE_KERNEL
        wanted = TID | TIME | self.source.sample
        attr = _ATTR.pack(
            *(self.source.kind, _ATTR.size, event, 1, wanted, 0, flags, 1, 0),
            *(0, 0, 0, 0, 0, time.CLOCK_MONOTONIC, 0, 0, 0, 0, 0),
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
            self.events.append(self._fault(record))
        elif kind == MMAP2:
            pid, tid, addr, length, offset, prot, flags = _MAPPING.unpack_from(record)
            time_ns = _NOW.unpack(record[-_NOW.size :])[-1] + self._epoch_ns
            name = record[_MAPPING.size : -_NOW.size].split(b"\0")[0].decode("utf-8", "replace")
            self.events.append(
                MappingEvent(time_ns, pid, tid, addr, length, offset, prot, flags, name)
            )
        elif kind == LOST:
            self.lost += int.from_bytes(record[8:16], "little")

    def _fault(self, record: bytes) -> FaultEvent:
        if self.source.kind == TRACEPOINT:
            pid, tid, time_ns, addr, error_code = _TRACED.unpack_from(record)
            kind = "write" if error_code & _WRITE else "read"
        else:
            pid, tid, time_ns, addr = _FAULT.unpack_from(record)
            read_is_known = self.source.kernel and not _PHYS.unpack_from(record, _FAULT.size)[0]
            kind = "read" if read_is_known else "touch"
        return FaultEvent(time_ns + self._epoch_ns, pid, tid, addr, kind)


def fault_sources() -> Iterator[FaultSource]:
    """Yield the sources that this machine has, the best first."""
    for folder in TRACEFS:
        with suppress(OSError, ValueError):
            names = [folder / "events" / "exceptions" / name / "id" for name in TRACEPOINTS]
            events = tuple(int(name.read_text("utf-8")) for name in names)
            yield FaultSource("tracepoints", TRACEPOINT, events, RAW, kernel=True)
            break
    yield SOFTWARE_EVENTS
    yield USER


def _epoch_ns() -> int:
    """Return what the clock on the wall is ahead of the monotonic one, which perf always knows."""
    looks = [(time.monotonic_ns(), time.time_ns(), time.monotonic_ns()) for _ in range(9)]
    before, wall, after = min(looks, key=lambda look: look[2] - look[0])
    return wall - (before + after) // 2


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
