"""The reverse map behind some pages, as anon_vmas, VMAs and links: one form for the simulated
kernel and for a running one, so that the two can be drawn alike and compared.

It holds what can be reached from the pages. anon_vmas have no names in a kernel; here they are
numbered from 0 in an order that follows from the graph alone, so equal graphs are equal data.
There are no addresses of a kernel and no frame numbers in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from anonlab.errors import FormatError
from anonlab.formats.observation import Place


class AnonVmaFact(NamedTuple):
    """An anon_vma: numbers of parent and root (its own, for a root), and its three counts."""

    number: int
    parent: int
    root: int
    num_children: int
    num_active_vmas: int
    refcount: int


class AreaFact(NamedTuple):
    """A VMA of process `who`: pages [vpn, vpn + npages), what it shows of, the anon_vmas on its
    chain by number, ascending, and its own one."""

    who: str
    vpn: int
    npages: int
    pgoff: int
    chain: tuple[int, ...]
    own: int


class PageFact(NamedTuple):
    """A page: where it is mapped, ascending, its anon_vma by number, page->index and mapcount."""

    places: tuple[Place, ...]
    home: int
    page_index: int
    mapcount: int


@dataclass(frozen=True)
class RmapGraph:
    """anon_vmas by number, VMAs by process and address, pages by their first place."""

    anon_vmas: tuple[AnonVmaFact, ...] = ()
    areas: tuple[AreaFact, ...] = ()
    pages: tuple[PageFact, ...] = ()

    def candidates(self, page: PageFact) -> tuple[Place, ...]:
        """Return where a walk for `page` looks: every VMA on its anon_vma that has its index."""
        return tuple(
            (area.who, area.vpn + page.page_index - area.pgoff)
            for area in self.areas
            if page.home in area.chain and 0 <= page.page_index - area.pgoff < area.npages
        )

    def to_json(self) -> dict[str, Any]:
        """Return the graph as plain data."""
        return {
            "anon_vmas": [list(each) for each in self.anon_vmas],
            "areas": [[*each[:4], list(each.chain), each.own] for each in self.areas],
            "pages": [[[list(place) for place in each.places], *each[1:]] for each in self.pages],
        }

    @classmethod
    def from_json(cls, plain: Any) -> RmapGraph:
        """Return the graph that `to_json` wrote; FormatError with the row that is none."""
        if not isinstance(plain, dict) or set(plain) != {"anon_vmas", "areas", "pages"}:
            raise FormatError(f"a reverse map has anon_vmas, areas and pages, got {plain!r:.60}")
        return cls(
            tuple(AnonVmaFact(*_row(row, "iiiiii")) for row in _list(plain["anon_vmas"])),
            tuple(_area(row) for row in _list(plain["areas"])),
            tuple(
                PageFact(tuple(_place(place) for place in row[0]), *row[1:])
                for row in (_row(row, "liii") for row in _list(plain["pages"]))
            ),
        )


def renumbered(
    anon_vmas: Mapping[int, AnonVmaFact], areas: Iterable[AreaFact], pages: Iterable[PageFact]
) -> RmapGraph:
    """Return the graph of things whose anon_vmas have any numbers yet, by these.

    The order is that of generations, oldest first, then of the VMAs that an anon_vma reaches.
    """
    areas, pages = sorted(areas), sorted(pages)
    reach: dict[int, list[tuple[str, int]]] = {number: [] for number in anon_vmas}
    owners: dict[int, list[tuple[str, int]]] = {number: [] for number in anon_vmas}
    for area in areas:
        owners[area.own].append((area.who, area.vpn))
        for number in area.chain:
            reach[number].append((area.who, area.vpn))

    def generation(number: int) -> int:
        parent = anon_vmas[number].parent
        return 0 if parent == number else 1 + generation(parent)

    def rank(number: int) -> tuple[Any, ...]:
        return generation(number), [(who, vpn) for who, vpn in reach[number]], owners[number]

    new = {old: at for at, old in enumerate(sorted(anon_vmas, key=rank))}
    facts = [
        fact._replace(number=new[fact.number], parent=new[fact.parent], root=new[fact.root])
        for fact in anon_vmas.values()
    ]
    return RmapGraph(
        tuple(sorted(facts)),
        tuple(
            area._replace(chain=tuple(sorted(new[each] for each in area.chain)), own=new[area.own])
            for area in areas
        ),
        tuple(page._replace(home=new[page.home]) for page in pages),
    )


def differences(one: RmapGraph, other: RmapGraph) -> list[str]:
    """Return a sentence for everything that is in one graph and not in the other."""
    found = []
    for name in ("anon_vmas", "areas", "pages"):
        mine, theirs = getattr(one, name), getattr(other, name)
        found += [f"only in the first: {each}" for each in mine if each not in theirs]
        found += [f"only in the second: {each}" for each in theirs if each not in mine]
    return found


_KINDS = {"i": int, "s": str, "l": list}


def _list(plain: Any) -> list[Any]:
    if not isinstance(plain, list):
        raise FormatError(f"a reverse map has lists of rows, got {plain!r:.60}")
    return plain


def _row(row: Any, kinds: str) -> list[Any]:
    """Return `row` if its values are of `kinds`, one letter each."""
    right = isinstance(row, list) and len(row) == len(kinds)
    if not right or not all(type(v) is _KINDS[k] for v, k in zip(row, kinds, strict=True)):
        wanted = ", ".join(_KINDS[kind].__name__ for kind in kinds)
        raise FormatError(f"a row of a reverse map is [{wanted}], got {row!r:.80}")
    return list(row)


def _area(plain: Any) -> AreaFact:
    who, vpn, npages, pgoff, chain, own = _row(plain, "siiili")
    return AreaFact(who, vpn, npages, pgoff, tuple(_row(chain, "i" * len(chain))), own)


def _place(plain: Any) -> Place:
    who, vpn = _row(plain, "si")
    return who, vpn
