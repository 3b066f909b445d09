"""What Linux says of three pages of this very process: the words of /proc/self/pagemap."""

from __future__ import annotations

import mmap
from contextlib import suppress
from typing import NamedTuple

from anonlab.linux.pagemap import Pagemap, access
from anonlab.machine.words import PAGE_SIZE

TOUCHES = ("untouched", "only read", "written")
RECORDED_WORDS = (0, 1 << 63, 1 << 63 | 1 << 56)
"""What Linux 6.18 said of three such pages to an ordinary user, who sees no frame numbers."""


class OwnPagemap(NamedTuple):
    """A word of pagemap for each of STORIES; `source` says whose they are."""

    source: str
    words: tuple[int, ...]

    def __repr__(self) -> str:
        lines = zip(TOUCHES, self.words, strict=True)
        return "\n".join([self.source, *(f"  {what:10} {word:#018x}" for what, word in lines)])


def own_pagemap_words() -> OwnPagemap:
    """Return the words of three fresh pages: one untouched, one only read, one written.

    Where /proc shows nothing, those that were kept stand in, and `source` says why.
    """
    may = access()
    if not may.view:
        return OwnPagemap(
            f"kept from Linux 6.18; nothing can be read here: {may.reason}", RECORDED_WORDS
        )
    import ctypes  # not with the rest: some builds of Python lack it

    with mmap.mmap(-1, 3 * PAGE_SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        if hasattr(mmap, "MADV_NOHUGEPAGE"):
            with suppress(OSError):  # a kernel without huge pages
                pages.madvise(mmap.MADV_NOHUGEPAGE)
        assert pages[PAGE_SIZE] == 0, "fresh memory is not zero"
        pages[2 * PAGE_SIZE] = 1
        buffer = ctypes.c_char.from_buffer(pages)
        vpn = ctypes.addressof(buffer) // PAGE_SIZE
        del buffer
        pagemap = Pagemap("self")
        try:
            words = tuple(int(word) for word in pagemap.words(vpn, len(TOUCHES)))
        finally:
            pagemap.close()
    hidden = "" if may.reason == "" else f"; {may.reason}"
    return OwnPagemap(f"three pages of this process, just now{hidden}", words)
