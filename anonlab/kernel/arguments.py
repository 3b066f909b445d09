"""The arguments of system calls: checked once, at the door, and turned into page numbers."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from anonlab.errors import InvalidArgument, NoSuchProcess, OutOfMemory, SimulatedError
from anonlab.machine.words import PAGE_MASK, PAGE_SHIFT, Geometry, Ints
from anonlab.mm import Mm, Process


class UserRange(NamedTuple):
    """Pages [start_vpn, end_vpn) of the address space that `process` runs in, inside user space."""

    process: Process
    mm: Mm
    start_vpn: int
    end_vpn: int

    @property
    def vpns(self) -> range:
        """The page numbers."""
        return range(self.start_vpn, self.end_vpn)


def mm_of(process: Process, call: str) -> Mm:
    """Return the address space `process` runs in; NoSuchProcess (ESRCH) once it has exited."""
    if process.mm is None:
        raise NoSuchProcess(f"{process.name}: ESRCH: {call} after exit: the process is gone")
    return process.mm


def checked_int(value: Any, name: str, least: int = 0) -> int:
    """Return `value` as int; TypeError if it is none, ValueError below `least`."""
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be >= {least}, got {number}")
    return number


def file_npages(npages: Any) -> int:
    """Return the length of a file in pages; ValueError if it is negative or beyond 64 GiB."""
    number = checked_int(npages, "npages")
    if number > 1 << 24:
        raise ValueError(f"a file has at most {1 << 24} pages, got {number}")
    return number


def content_tags(values: Any) -> Ints:
    """Return `values` as content tags, one per page, int64[n]; ValueError if they are none."""
    try:
        tags = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"values are one tag per page: {error}") from None
    if tags.ndim != 1 or not tags.size:
        raise ValueError(f"values are one tag per page, at least one; got shape {tags.shape}")
    fits = tags.dtype.kind == "i" or (tags.dtype.kind == "u" and int(tags.max()) >> 63 == 0)
    if not fits:
        raise ValueError(f"values are content tags, integers that fit int64; got {tags[:4]}")
    return tags.astype(np.int64, copy=False)


def npages_of(process: Process, call: str, length: Any) -> int:
    """Return how many pages `length` bytes take (PAGE_ALIGN); EINVAL for 0."""
    nbytes: int = length
    if type(length) is not int or length < 0:
        nbytes = checked_int(length, f"{call} length")
    if nbytes == 0:
        raise InvalidArgument(f"{process.name}: EINVAL: {call} of length 0; 1 or more is right")
    return nbytes + PAGE_MASK >> PAGE_SHIFT


def aligned_vpn(process: Process, call: str, addr: Any, what: str = "address") -> int:
    """Return the page number of page-aligned byte address `addr`; EINVAL if it is not aligned."""
    nbytes: int = addr
    if type(addr) is not int or addr < 0:
        nbytes = checked_int(addr, f"{call} {what}")
    if nbytes & PAGE_MASK:
        raise InvalidArgument(
            f"{process.name}: EINVAL: {call} {what} {nbytes:#x} is not page-aligned; "
            f"{nbytes & ~PAGE_MASK:#x} would be"
        )
    return nbytes >> PAGE_SHIFT


def range_of(
    process: Process, call: str, geometry: Geometry, addr: Any, length: Any, beyond: type[Exception]
) -> UserRange:
    """Return a page-aligned range of one page or more; `beyond` if it leaves user space."""
    mm = process.mm or mm_of(process, call)
    start_vpn = aligned_vpn(process, call, addr)
    end_vpn = start_vpn + npages_of(process, call, length)
    if end_vpn > geometry.task_npages:
        must_be_inside(process, call, geometry, start_vpn, end_vpn, beyond)
    return UserRange(process, mm, start_vpn, end_vpn)


def must_be_inside(
    process: Process,
    call: str,
    geometry: Geometry,
    start_vpn: int,
    end_vpn: int,
    beyond: type[Exception],
) -> None:
    """Raise `beyond` unless [start_vpn, end_vpn) lies in user space."""
    if end_vpn > geometry.task_npages:
        errno = getattr(beyond, "errno", "EINVAL")
        raise beyond(
            f"{process.name}: {errno}: {call} of {geometry.address(start_vpn)} to "
            f"{geometry.address(end_vpn)} leaves user space, which ends at "
            f"{geometry.address(geometry.task_npages)}"
        )


class Obstacle(NamedTuple):
    """Page `vpn` stops a call, with `error`."""

    vpn: int
    error: SimulatedError


def hole_in(call: str, pages: UserRange) -> Obstacle | None:
    """Return the first page of a range that has no VMA, with ENOMEM, as mprotect and madvise say
    it; None if there is no such page."""
    hole = pages.mm.first_hole(pages.start_vpn, pages.end_vpn)
    if hole is None:
        return None
    error = OutOfMemory(
        f"{pages.process.name}: ENOMEM: {call} of pages that are not mapped: nothing at "
        f"{pages.mm.geometry.address(hole)}"
    )
    return Obstacle(hole, error)


def must_be_clear(obstacle: Obstacle | None) -> None:
    """Raise the error of `obstacle`, if there is one."""
    if obstacle is not None:
        raise obstacle.error
