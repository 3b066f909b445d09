"""What the generator remembers of address spaces: which pages are mapped and how.

A light model, by page numbers alone. It knows no frames, so it does not know when memory runs out,
and where the kernel chooses an address it does not know which: operations that rest on a wrong
belief fail, and that is fine, because a history leaves outcomes open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple


class MappedPage(NamedTuple):
    """One mapped page: protection as 'rw', file ('' for private anonymous), page number in it.

    `area` tells mappings apart that one mmap made; pages of one area with equal attributes lie in
    one VMA.
    """

    prot: str
    file: str
    pgoff: int
    shared: bool
    area: int
    locked: bool = False
    grows: bool = False

    def continues(self, other: MappedPage) -> bool:
        """True if this page may follow `other` in one VMA."""
        return other._replace(pgoff=other.pgoff + 1) == self


@dataclass
class AddressSpace:
    """One address space: mapped pages by page number, the heap's end, and the pins by page."""

    pages: dict[int, MappedPage] = field(default_factory=dict)
    heap_end: int = 0
    pins: list[int] = field(default_factory=list)

    def copy(self) -> AddressSpace:
        """Return what a fork gets: the same mappings; pins and locks are not inherited."""
        pages = {vpn: page._replace(locked=False) for vpn, page in self.pages.items()}
        return AddressSpace(pages, self.heap_end)

    def unmap(self, vpns: range) -> None:
        """Forget the pages at `vpns`."""
        for vpn in vpns:
            self.pages.pop(vpn, None)

    def free(self, vpns: range) -> bool:
        """True if none of `vpns` is mapped."""
        return not any(vpn in self.pages for vpn in vpns)

    def change(self, vpns: range, **values: object) -> None:
        """Set attributes of the mapped pages among `vpns`."""
        for vpn in vpns:
            if vpn in self.pages:
                self.pages[vpn] = self.pages[vpn]._replace(**values)  # type: ignore[arg-type]

    def where(self, wanted: Callable[[MappedPage], bool]) -> list[int]:
        """Return the page numbers of all pages that are `wanted`, in the order of mapping."""
        return [vpn for vpn, page in self.pages.items() if wanted(page)]

    def run(self, start: int, limit: int, wanted: Callable[[MappedPage], bool]) -> range:
        """Return the mapped, `wanted` pages from `start` on, at most `limit`."""
        end = start
        while end < start + limit and end in self.pages and wanted(self.pages[end]):
            end += 1
        return range(start, end)

    def one_vma(self, start: int, limit: int) -> range:
        """Return the pages from `start` on that lie in one VMA, at most `limit`."""
        end = start + 1
        while end < start + limit and end in self.pages:
            if not self.pages[end].continues(self.pages[end - 1]):
                break
            end += 1
        return range(start, end)

    def stack_bottoms(self) -> Iterator[int]:
        """Yield the lowest page of each area that grows down and has room below it."""
        for vpn, page in self.pages.items():
            if page.grows and self.free(range(vpn - 2, vpn)):
                yield vpn
