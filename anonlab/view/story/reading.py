"""Read a snapshot the way a picture needs it: walked page tables, owners of frames, plain names.

A snapshot holds the words of all page tables by (row, slot). Here they are followed from each
address space's top table, once, in plain dictionaries: pictures draw a few hundred pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from anonlab.formats.catalogue import say
from anonlab.formats.snapshot import MmFact, Snapshot, VmaFact, WalkFact
from anonlab.machine.words import PAGE_SHIFT, PTE_SHIFT, Geometry, flag_names, is_present

_NAMES = {2: ("pgd", "pte"), 3: ("pgd", "pmd", "pte"), 4: ("pgd", "pud", "pmd", "pte")}
"""What the kernel calls the tables of so many levels, top first."""


@dataclass(frozen=True)
class Frame:
    """One row of mem_map for people: `mapping` is the name, `flags` the names of set flags."""

    pfn: int
    count: int
    mapcount: int
    index: int
    mapping: str
    flags: tuple[str, ...]
    data: int
    private: int


class AddressSpace(NamedTuple):
    """One address space, walked: `leaves` {vpn >> bits: row of the leaf table}, ascending;
    `words` {vpn: word that is not 0}, ascending; `uppers` {(level, prefix): row of the table}, the
    tables between the top one, which is level 0, and the leaves."""

    fact: MmFact
    leaves: dict[int, int]
    words: dict[int, int]
    uppers: dict[tuple[int, int], int]


@dataclass(frozen=True, eq=False)  # two moments are the same one or not: comparing is slow
class Moment:
    """A snapshot with its page tables walked; `owners` {pfn: mm numbers, one per PTE}, `walks`
    {pfn: what the reverse map does to find it}, empty where nobody asked."""

    snapshot: Snapshot
    spaces: dict[int, AddressSpace]
    frames: dict[int, Frame]
    owners: dict[int, tuple[int, ...]]
    walks: dict[int, WalkFact]

    @cached_property
    def areas(self) -> dict[str, list[str]]:
        """{graph node: tag of the VMA that it stands for}: a node 'vma' begins with its address
        and points to its mm."""
        of_mm = {edge.tail: edge.head for edge in self.snapshot.edges if edge.kind == "mm"}
        out = {}
        for node in self.snapshot.nodes:
            address = re.match("0x[0-9a-f]+", node.label)
            mm = of_mm.get(node.id, "").removeprefix("mm")
            if node.kind == "vma" and address and mm.isdecimal():
                out[node.id] = [f"v{mm}-{int(address[0], 16) >> PAGE_SHIFT:x}"]
        return out

    @cached_property
    def chains(self) -> dict[str, int]:
        """{graph node: the one frame that it is about}: a node that says its pfn."""
        told = ((node.id, dict(node.facts).get("pfn", "")) for node in self.snapshot.nodes)
        return {name: int(pfn) for name, pfn in told if pfn.isdecimal()}

    def who(self, mm: int) -> str:
        """Return the processes of address space `mm` in words."""
        space = self.spaces.get(mm)
        names = space.fact.processes if space else ()
        return say("twin.and").join(names) if names else f"mm {mm}"

    def vma_at(self, mm: int, vpn: int) -> VmaFact | None:
        """Return the VMA of `mm` that covers page `vpn`, or None."""
        vmas = self.spaces[mm].fact.vmas
        return next((vma for vma in vmas if vma.start_vpn <= vpn < vma.end_vpn), None)


def read(snapshot: Snapshot) -> Moment:
    """Walk the page tables of every address space in `snapshot`."""
    entries: dict[int, list[tuple[int, int]]] = {}
    words = zip(snapshot.row.tolist(), snapshot.slot.tolist(), snapshot.word.tolist(), strict=True)
    for row, slot, word in words:
        entries.setdefault(row, []).append((slot, word))
    spaces = {fact.mm: _walk(entries, snapshot.geometry, fact) for fact in snapshot.mms}
    owners: dict[int, list[int]] = {}
    for mm, space in spaces.items():
        for word in space.words.values():
            if is_present(word):
                owners.setdefault(word >> PTE_SHIFT, []).append(mm)
    return Moment(
        snapshot,
        spaces,
        _frames(snapshot),
        {pfn: tuple(mms) for pfn, mms in owners.items()},
        {walk.pfn: walk for walk in snapshot.walks},
    )


def _walk(
    entries: dict[int, list[tuple[int, int]]], geometry: Geometry, fact: MmFact
) -> AddressSpace:
    tables = {0: fact.pgd}
    uppers: dict[tuple[int, int], int] = {}
    for level in range(geometry.levels - 1):
        if level:
            uppers |= {(level, prefix): row for prefix, row in tables.items()}
        tables = {
            prefix << geometry.bits | slot: word >> PTE_SHIFT
            for prefix, row in tables.items()
            for slot, word in entries.get(row, ())
        }
    words = {
        prefix << geometry.bits | slot: word
        for prefix, row in tables.items()
        for slot, word in entries.get(row, ())
    }
    return AddressSpace(fact, tables if geometry.levels > 1 else {}, words, uppers)


def _frames(snapshot: Snapshot) -> dict[int, Frame]:
    names = dict(snapshot.mappings)
    columns = ("pfn", "count", "mapcount", "index", "mapping", "flags", "data", "private")
    rows = zip(*(getattr(snapshot, name).tolist() for name in columns), strict=True)
    return {
        pfn: Frame(
            pfn,
            count,
            mapcount,
            index,
            names.get(mapping, f"mapping {mapping}") if mapping else "",
            flag_names(flags),
            data,
            private,
        )
        for pfn, count, mapcount, index, mapping, flags, data, private in rows
    }


def letters(moments: Iterable[Moment]) -> dict[int, str]:
    """Give every address space of a trace its letter: A, B, … Z, AA, … by ascending mm number."""
    mms = sorted({mm for moment in moments for mm in moment.spaces})
    return {mm: _letter(number) for number, mm in enumerate(mms)}


def _letter(number: int) -> str:
    high, low = divmod(number, 26)
    return (_letter(high - 1) if high else "") + chr(ord("A") + low)


def is_whole(geometry: Geometry) -> bool:
    """True if the tables of `geometry` are small enough to be drawn slot by slot."""
    return geometry.levels == 2 and geometry.slots <= 16


def table_names(geometry: Geometry) -> tuple[str, ...]:
    """Return what the tables of each level are called, top first."""
    if is_whole(geometry):
        return (say("address.top"), say("address.leaf"))
    numbered = tuple(say("address.level", level=at) for at in range(geometry.levels))
    return _NAMES.get(geometry.levels, numbered)


def ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return ascending, distinct `numbers` as (first, last) of each unbroken run."""
    out: list[tuple[int, int]] = []
    for number in numbers:
        if out and number == out[-1][1] + 1:
            out[-1] = (out[-1][0], number)
        else:
            out.append((number, number))
    return out


def plural(count: int, noun: str) -> str:
    """Return '1 page', '4 pages'."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
