"""What can be seen of a machine's pages from outside, be it simulated or real: plain data.

An observation tells for every place (process, page number) what stands in its page table. It holds
no frame numbers but names: a page has one name as long as it is mapped somewhere, so that two
machines can be compared over time. A single look cannot tell who got the copy, or that there was
one.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import NamedTuple

ZERO, PAGE, FILE, SWAP = "zero", "page", "file", "swap"
ALONE, SHARED = "alone", "shared"
STATES = (ZERO, PAGE, FILE, SWAP, ALONE, SHARED)
"""The zero page, an anonymous page, a page of the page cache (of a file, of shared memory), a swap
entry; and what an anonymous page is to an observer who may not see names: mapped once, or more than
once."""

Place = tuple[str, int]
"""Name of a process, page number."""


class PageSeen(NamedTuple):
    """What stands at one place.

    name       of the page or swap slot; 0 where none is known, as for the zero page
    mapcount   page-table entries that map the page; 0 where unknown
    exclusive  the kernel's mark of a page that may be written at once; None where unknown
    value      the content tag; None where unknown
    """

    state: str
    name: int = 0
    mapcount: int = 0
    exclusive: bool | None = None
    value: int | None = None


Observation = Mapping[Place, PageSeen]
"""Every place where something stands, in ascending order."""


class AreaSeen(NamedTuple):
    """A VMA, as /proc/PID/smaps shows it: pages [start_vpn, end_vpn).

    prot    as 'rw-'
    file    its name in the history; SHMEM for shared anonymous memory, '' for private
    pgoff   page of the file at start_vpn; 0 for private anonymous memory, of which nothing is shown
    """

    start_vpn: int
    end_vpn: int
    prot: str
    shared: bool = False
    file: str = ""
    pgoff: int = 0
    locked: bool = False
    growsdown: bool = False


SHMEM = "shared memory"
Areas = Mapping[str, tuple[AreaSeen, ...]]
"""The VMAs of each living process, ascending by address."""


class PageNames:
    """Gives names to the pages and swap slots of one machine, look after look.

    A name lasts as long as the thing stands somewhere. What was nowhere for one look is forgotten:
    a page that comes back from the swap cache after that has a new name on every machine.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, int], int] = {}
        self._last = 0

    def name(self, found: Observation) -> Observation:
        """Return `found` in ascending order with names in the place of frame or slot numbers."""
        kept: dict[tuple[str, int], int] = {}
        observation = {}
        for place, seen in sorted(found.items()):
            if seen.name:
                key = (seen.state, seen.name)
                if key not in kept:
                    kept[key] = self._names.get(key) or self._next()
                seen = seen._replace(name=kept[key])
            observation[place] = seen
        self._names = kept
        return observation

    def _next(self) -> int:
        self._last += 1
        return self._last


def without_names(observation: Observation) -> Observation:
    """Return what an ordinary user sees of `observation`: no names, and of a page no more than
    whether it is mapped once or more often."""
    weak: dict[Place, PageSeen] = {}
    for place, seen in observation.items():
        state = seen.state
        if state == PAGE:
            state = ALONE if seen.mapcount == 1 else SHARED
        weak[place] = PageSeen(state, value=seen.value)
    return weak


def file_tags(name: str, npages: int) -> list[int]:
    """Return what the pages of the file `name` hold when it is new, alike on every machine: no two
    pages are equal, so that mixed-up pages show."""
    first = zlib.crc32(name.encode()) << 20
    return [first + page for page in range(1, npages + 1)]
