"""What a strace log says of one address space: areas, and how many pages may be in memory."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple


class LogArea(NamedTuple):
    """Pages [start, end) that one call of the log mapped.

    touched  at most so many of its pages are in memory
    upward   False for a stack: its last pages are touched first
    own      pages of it may be the process's own: it is private, and was writable at some time
    full     all its pages are in memory, whatever the program touched, and its own
    at_fork  what a child gets instead of it: "munmap" nothing, "madvise" empty pages, "" all of it
    """

    start: int
    end: int
    prot: str
    file: str
    shared: bool
    touched: int = 0
    upward: bool = True
    own: bool = False
    full: bool = False
    at_fork: str = ""

    def piece(self, start: int, end: int) -> LogArea:
        """Return the part [start, end); any part may be the one that was touched."""
        if start == self.start and end == self.end and self.touched <= end - start:
            return self
        return self._replace(start=start, end=end, touched=min(self.touched, end - start))

    def written(self, touched: int) -> LogArea:
        """Return the area, which may be written, with so many pages in memory."""
        start, end, prot, file, shared, _, upward, _, full, at_fork = self
        return LogArea(start, end, prot, file, shared, touched, upward, not shared, full, at_fork)

    def allowed(self, prot: str) -> LogArea:
        """Return the area with another protection."""
        own = self.own or ("w" in prot and not self.shared)
        if prot == self.prot and own == self.own:
            return self
        return self._replace(prot=prot, own=own)


class LogAreas:
    """The areas of one address space, ascending by page number and never overlapping.

    heap     (first page, end) of the heap as the log has it; None before the first brk
    stack_shift  to be added to page numbers of the log's stack; 0 where it is not known
    users    processes that run in it
    resident at most so many pages of it are in memory
    inherited  at most so many pages of it are shared since the fork that made it
    copied   so many areas it had when a fork made it
    locks    True if all memory that is mapped from now on is locked (MCL_FUTURE)
    """

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.areas: list[LogArea] = []
        self.heap: tuple[int, int] | None = None
        self.stack_shift = 0
        self.users = 1
        self.resident = 0
        self.inherited = 0
        self.copied = 0
        self.locks = False

    def copy(self) -> LogAreas:
        """Return what a fork gets."""
        child = LogAreas()
        child.starts, child.areas = self.starts.copy(), self.areas.copy()
        child.heap, child.resident = self.heap, self.resident
        child.stack_shift = self.stack_shift
        return child

    def shareable(self) -> tuple[int, int]:
        """Return how many pages a fork shares at least and at most, of the areas in the log."""
        owned = [area for area in self.areas if area.own and not area.at_fork]
        least = sum(area.end - area.start for area in owned if area.full)
        return least, sum(area.end - area.start for area in owned)

    def _between(self, start: int, end: int) -> tuple[int, int]:
        """Return where the areas that have pages in [start, end) stand: the first, and the one
        after the last."""
        first = bisect_right(self.starts, start)
        if first and self.areas[first - 1].end > start:
            first -= 1
        return first, bisect_left(self.starts, end, first)

    def overlapping(self, start: int, end: int) -> list[LogArea]:
        """Return the areas that have pages in [start, end), ascending."""
        first, last = self._between(start, end)
        return self.areas[first:last]

    def covered(self, start: int, end: int) -> list[LogArea]:
        """Return the areas of [start, end) if they leave no hole in it, else nothing."""
        found = self.overlapping(start, end)
        vpn = start
        for area in found:
            if area.start > vpn:
                return []
            vpn = area.end
        return found if vpn >= end else []

    def replace(self, start: int, end: int, new: list[LogArea]) -> list[LogArea]:
        """Put the areas `new`, which lie in [start, end), in the place of whatever is there; return
        the areas that had pages there."""
        first, last = self._between(start, end)
        old = self.areas[first:last]
        if old and (old[0].start < start or old[-1].end > end):
            new = new.copy()
            if old[0].start < start:
                new.insert(0, old[0].piece(old[0].start, start))
            if old[-1].end > end:
                new.append(old[-1].piece(end, old[-1].end))
        self.areas[first:last] = new
        self.starts[first:last] = [area.start for area in new]
        for area in old:
            self.resident -= area.touched
        for area in new:
            self.resident += area.touched
        return old
