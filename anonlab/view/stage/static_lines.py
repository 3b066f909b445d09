"""Which lines the tables of a static picture have: one for each page where there is room, one for a
run of pages that are alike where there is not. Nothing is dropped without a line that says so.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from anonlab.formats.snapshot import VmaFact
from anonlab.machine.words import Geometry
from anonlab.view.story.reading import is_whole

MOST_ROWS = 24
"""More pages than these and neighbours that are alike share a line."""
MOST_LINES = 60
"""Lines of a picture; what is left then is counted in the last one."""
FEWEST = 3
"""Neighbours that are worth a run."""


class Line(NamedTuple):
    """`kind` is title (of the leaf table of page `first`), row, run, or more (lines left out)."""

    kind: str
    first: int
    last: int

    @property
    def pages(self) -> int:
        """Pages that the line stands for."""
        return self.last - self.first + 1


def table_lines(
    geometry: Geometry,
    areas: Iterable[VmaFact],
    likeness: Mapping[int, Hashable],
) -> list[Line]:
    """Return the lines of tables that stand side by side.

    areas     of all of them
    likeness  {vpn of an entry: what must be equal for neighbours to share a line}
    """
    spans = _united([(area.start_vpn, area.end_vpn - 1) for area in areas])
    entries = sorted(likeness)
    leaves = {vpn >> geometry.bits for vpn in entries}
    if is_whole(geometry):
        leaves |= {vpn >> geometry.bits for first, last in spans for vpn in range(first, last + 1)}
    empty = list(_without(spans, entries))
    total = len(entries) + sum(last - first + 1 for first, last in empty)
    if total <= MOST_ROWS:
        pieces = [(vpn, vpn) for vpn in entries]
        pieces += [(vpn, vpn) for first, last in empty for vpn in range(first, last + 1)]
    else:
        pieces = list(_runs(entries, likeness, geometry.bits))
        pieces += [part for span in empty for part in _split(span, leaves, geometry.bits)]
    return _cut(list(_titled(sorted(pieces), leaves, geometry.bits)))


def _united(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(last, out[-1][1]))
        else:
            out.append((first, last))
    return out


def _without(spans: list[tuple[int, int]], vpns: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield what is left of `spans` without the ascending `vpns`."""
    at = 0
    for first, last in spans:
        low = first
        while at < len(vpns) and vpns[at] < first:
            at += 1
        while at < len(vpns) and vpns[at] <= last:
            if vpns[at] > low:
                yield low, vpns[at] - 1
            low = vpns[at] + 1
            at += 1
        if low <= last:
            yield low, last


def _runs(
    vpns: Sequence[int], likeness: Mapping[int, Hashable], bits: int
) -> Iterator[tuple[int, int]]:
    """Yield neighbours of one leaf table that are alike as one piece, if they are FEWEST."""
    run: list[int] = []
    for vpn in (*vpns, -1):
        follows = run and vpn == run[-1] + 1 and vpn >> bits == run[0] >> bits
        if run and not (follows and likeness[vpn] == likeness[run[0]]):
            yield from _pieces(run[0], run[-1])
            run = []
        run.append(vpn)


def _pieces(first: int, last: int) -> Iterator[tuple[int, int]]:
    if last - first + 1 >= FEWEST:
        yield first, last
    else:
        yield from ((vpn, vpn) for vpn in range(first, last + 1))


def _split(span: tuple[int, int], leaves: set[int], bits: int) -> Iterator[tuple[int, int]]:
    """Cut empty pages where a leaf table begins or ends that has a title."""
    first, last = span
    inside = sorted(leaf for leaf in leaves if first >> bits <= leaf <= last >> bits)
    for leaf in inside:
        start, end = leaf << bits, (leaf + 1 << bits) - 1
        if first < start:
            yield from _pieces(first, start - 1)
        yield from _pieces(max(first, start), min(last, end))
        first = end + 1
    if first <= last:
        yield from _pieces(first, last)


def _titled(pieces: list[tuple[int, int]], leaves: set[int], bits: int) -> Iterator[Line]:
    title = -1
    for first, last in pieces:
        leaf = first >> bits
        if leaf in leaves and leaf != title:
            yield Line("title", first, first)
            title = leaf
        yield Line("row" if first == last else "run", first, last)


def _cut(lines: list[Line]) -> list[Line]:
    if len(lines) <= MOST_LINES:
        return lines
    rest = lines[MOST_LINES - 1 :]
    pages = sum(line.pages for line in rest if line.kind != "title")
    return [*lines[: MOST_LINES - 1], Line("more", rest[0].first, rest[0].first + pages - 1)]


def frame_lines(used: Mapping[int, Hashable], nframes: int, changed: Iterable[int]) -> list[Line]:
    """Return the lines of physical memory, without frame 0.

    used     {frame in use: what must be equal for neighbours to share a line}
    changed  frames that stand alone
    """
    alone = set(changed)
    last = max((*used, *alone, min(4, nframes - 1)), default=0)
    if last <= MOST_ROWS:
        return [Line("row", pfn, pfn) for pfn in range(1, last + 1)]
    numbers = sorted({*used, *alone} - {0})
    looks: dict[int, Hashable] = {pfn: ("alone", pfn) if pfn in alone else used[pfn]
                                  for pfn in numbers}  # fmt: skip
    pieces = list(_runs(numbers, looks, 63))
    gaps = _without([(1, last)], numbers)
    lines = [Line("row" if first == end else "run", first, end)
             for first, end in sorted([*pieces, *gaps])]  # fmt: skip
    return _cut(lines)
