"""What Linux says of three pages of this very process: the words of /proc/self/pagemap."""

from __future__ import annotations

from typing import NamedTuple

from anonlab.linux.pagemap import access, own_pages

TOUCHES = ("untouched", "only read", "written")
RECORDED_WORDS = (0, 1 << 63, 1 << 63 | 1 << 56)
"""What Linux 6.18 said of three such pages to an ordinary user, who sees no frame numbers."""


class OwnPagemap(NamedTuple):
    """A word of pagemap for each of TOUCHES; `source` says whose they are."""

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
    with own_pages() as (pagemap, vpn):
        words = tuple(int(word) for word in reversed(pagemap.words(vpn, len(TOUCHES))))
    hidden = "" if may.reason == "" else f"; {may.reason}"
    return OwnPagemap(f"three pages of this process, just now{hidden}", words)
