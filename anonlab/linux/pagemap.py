"""What /proc says of pages: pagemap, kpagecount, kpageflags and the ioctl PAGEMAP_SCAN.

source  Documentation/admin-guide/mm/pagemap.rst (v6.18)
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from anonlab.formats.recording import FULL, WEAK
from anonlab.machine.words import PAGE_SIZE

WORD = 8
"""Bytes of one entry in all three files."""
PM_PRESENT = 1 << 63
PM_SWAPPED = 1 << 62
PM_FILE = 1 << 61
"""A page of the page cache: of a file, or of shared memory."""
PM_EXCLUSIVE = 1 << 56
"""Mapped exclusively: by one page table (bit PM_MMAP_EXCLUSIVE; not the kernel's own mark)."""
PM_PFN = (1 << 55) - 1
"""Frame number of a present page; of a swapped one the swap device (5 bits) and the slot."""
KPF_ANON = 1 << 12
KPF_ZERO_PAGE = 1 << 24
KPF_ANON_EXCLUSIVE = 1 << 34
"""The kernel's mark, together with KPF_ANON; it shares its bit with PG_mappedtodisk."""

PAGEMAP_SCAN = 0xC0606610
PAGE_IS_PFNZERO = 1 << 5
_SCAN = struct.Struct("=12Q")
_REGION = struct.Struct("=3Q")


class Access(NamedTuple):
    """How much this process may see: FULL, WEAK or '', and what is missing for more."""

    view: str
    reason: str


class Pagemap:
    """The pagemap of one process as it is now; after its execve another one must be opened.

    raises  OSError if the process is gone or may not be looked at
    """

    def __init__(self, pid: int | str) -> None:
        self._fd = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def words(self, vpn: int, npages: int) -> Sequence[int]:
        """Return the words of `npages` pages from `vpn` on."""
        return memoryview(os.pread(self._fd, npages * WORD, vpn * WORD)).cast("Q")

    def zero_pages(self, vpn: int, npages: int) -> set[int]:
        """Return the page numbers among `npages` from `vpn` on that show the zero page.

        raises  OSError (ENOTTY) where the kernel is older than 6.7 and has no PAGEMAP_SCAN
        """
        import fcntl  # Unix only

        start, end = vpn * PAGE_SIZE, (vpn + npages) * PAGE_SIZE
        with _shared_bytes(npages * _REGION.size) as (vector, addr):
            scan = bytearray(
                _SCAN.pack(
                    *(_SCAN.size, 0, start, end, 0, addr, npages, 0),
                    *(0, PAGE_IS_PFNZERO, 0, PAGE_IS_PFNZERO),
                )
            )
            nregions = fcntl.ioctl(self._fd, PAGEMAP_SCAN, scan)
            regions = vector[: nregions * _REGION.size]
        return {
            number
            for first, last, _ in _REGION.iter_unpack(regions)
            for number in range(first // PAGE_SIZE, last // PAGE_SIZE)
        }


@contextmanager
def _shared_bytes(size: int) -> Iterator[tuple[mmap.mmap, int]]:
    """Yield memory that the kernel may write to, and its address."""
    import ctypes  # not with the rest: some builds of Python lack it

    with mmap.mmap(-1, size) as memory:
        buffer = ctypes.c_char.from_buffer(memory)
        try:
            yield memory, ctypes.addressof(buffer)
        finally:
            del buffer


class Frames:
    """What the kernel knows of each page frame; for root.

    raises  OSError for anybody else
    """

    def __init__(self) -> None:
        self._count = os.open("/proc/kpagecount", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._flags = os.open("/proc/kpageflags", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            os.close(self._count)
            raise

    def close(self) -> None:
        """Close both files."""
        os.close(self._count)
        os.close(self._flags)

    def mapcount(self, pfn: int) -> int:
        """Return how many page-table entries map frame `pfn`."""
        return int.from_bytes(os.pread(self._count, WORD, pfn * WORD), sys.byteorder)

    def flags(self, pfn: int) -> int:
        """Return the KPF_… bits of frame `pfn`."""
        return int.from_bytes(os.pread(self._flags, WORD, pfn * WORD), sys.byteorder)


def access() -> Access:
    """Try what this process may see of the pages of its own processes; never raises."""
    if sys.platform != "linux":
        return Access("", f"needs Linux: this is {sys.platform}")
    if mmap.PAGESIZE != PAGE_SIZE:
        return Access("", f"needs pages of {PAGE_SIZE} bytes: here they have {mmap.PAGESIZE}")
    try:
        with own_pages() as (pagemap, vpn):
            word = pagemap.words(vpn, 1)[0]
            if not word & PM_PRESENT:
                return Access(
                    "", "/proc/self/pagemap hides pages: a page just written is not in it"
                )
            lacking, weak = _lacking(word & PM_PFN), _weak(pagemap, vpn)
    except OSError as error:
        return Access("", f"/proc/self/pagemap: {error.strerror}")
    if not lacking:
        return Access(FULL, "")
    return Access(WEAK, lacking) if not weak else Access("", f"{lacking}; {weak}")


def _lacking(pfn: int) -> str:
    """Return what stands against the full view, given the frame of a page of our own."""
    if not pfn:
        return "needs CAP_SYS_ADMIN: /proc/self/pagemap shows no frame numbers"
    try:
        frames = Frames()
    except OSError as error:
        return f"needs CAP_SYS_ADMIN: {error.filename}: {error.strerror}"
    try:
        mapcount, flags = frames.mapcount(pfn), frames.flags(pfn)
    finally:
        frames.close()
    if mapcount != 1 or not flags & KPF_ANON:
        return f"/proc/kpagecount says {mapcount} of an anonymous page that is mapped once"
    return ""


def _weak(pagemap: Pagemap, vpn: int) -> str:
    """Return what stands against the view of an ordinary user."""
    try:
        zero = pagemap.zero_pages(vpn, 2)
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "an error")
        return f"PAGEMAP_SCAN answers {name}: it came with Linux 6.7"
    return "" if zero == {vpn + 1} else "PAGEMAP_SCAN does not tell the zero page"


@contextmanager
def own_pages() -> Iterator[tuple[Pagemap, int]]:
    """Yield our own pagemap and the number of the first of three fresh pages: it was written, the
    second only read, the third not touched."""
    import ctypes  # not with the rest: some builds of Python lack it

    with mmap.mmap(-1, 3 * PAGE_SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        if hasattr(mmap, "MADV_NOHUGEPAGE"):
            with suppress(OSError):  # a kernel without huge pages
                pages.madvise(mmap.MADV_NOHUGEPAGE)
        pages[0] = 1
        assert pages[PAGE_SIZE] == 0, "fresh memory is not zero"
        buffer = ctypes.c_char.from_buffer(pages)
        vpn = ctypes.addressof(buffer) // PAGE_SIZE
        del buffer
        pagemap = Pagemap("self")
        try:
            yield pagemap, vpn
        finally:
            pagemap.close()
