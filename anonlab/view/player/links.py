"""What belongs together: one thing, shown in several places, has one tag in all of them.

A cell's links are written "same|near": tags of the things that the cell shows, and of things
that have to do with it. Choosing a cell lights up the cells that show the same things, and less
strongly those that have to do with them::

    f3     frame 3 and the page in it       m1     address space 1 and its processes
    v1-30  the VMA of space 1 from 0x30     s5     swap slot 5
    o2     an object of the reverse map or a file
    t1-0-3 what slot 3 of the top table of space 1 leads to; t1-1-fe5 the same one level below
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from anonlab.formats.snapshot import Node, Snapshot
from anonlab.view.story.reading import Frame, Reading


class Links:
    """The tags of a whole trace.

    places  {pfn: lowest pfn that shares its place on the board}
    """

    def __init__(self, readings: Sequence[Reading], places: Mapping[int, int]) -> None:
        self.places = places
        self.objects: dict[str, str] = {}
        self.labels: dict[str, str] = {}
        for reading in readings:
            self._learn(reading.snapshot)

    def _learn(self, snapshot: Snapshot) -> None:
        names = {name for _, name in snapshot.mappings}
        for node in snapshot.nodes:
            self.objects.setdefault(node.id, f"o{len(self.objects)}")
            if node.label in names:
                self.labels[node.label] = node.id
        for _, name in snapshot.mappings:
            self.objects.setdefault(self.labels.get(name, name), f"o{len(self.objects)}")

    def page(self, pfn: int) -> str:
        """The page in frame `pfn`."""
        return f"f{self.places.get(pfn, pfn)}"

    def thing(self, name: str) -> str:
        """An object by its node id or by the name in mem_map.mapping; '' if there is none."""
        return self.objects.get(self.labels.get(name, name), "")

    def of_frame(self, reading: Reading, frame: Frame) -> str:
        """A frame: near it are those who map it, what it belongs to and its swap slot."""
        near = [f"m{mm}" for mm in reading.owners.get(frame.pfn, ())]
        near += [self.thing(frame.mapping)] + [f"s{frame.private}"] * bool(frame.private)
        return tags([self.page(frame.pfn)], near)

    def of_pages(self, reading: Reading, mm: int, vpns: Sequence[int], pfns: Sequence[int]) -> str:
        """Pages of an address space: the same as their frames."""
        frames = [reading.frames[pfn] for pfn in pfns if pfn in reading.frames]
        near = self.around(reading, mm, vpns[0])
        near += [self.thing(frame.mapping) for frame in frames]
        return tags(map(self.page, pfns), near)

    def around(self, reading: Reading, mm: int, vpn: int) -> list[str]:
        """What page `vpn` of `mm` stands in: the address space, the VMA, the tables above it."""
        shape = reading.snapshot.geometry
        above = range(shape.levels - 1)
        tables = [self.table(mm, at, vpn >> shape.bits * (shape.levels - 1 - at)) for at in above]
        return [f"m{mm}", self.area(reading, mm, vpn), *tables]

    def table(self, mm: int, level: int, prefix: int) -> str:
        """What a slot of a table at `level` of `mm` leads to: the table for vpns under `prefix`."""
        return f"t{mm}-{level}-{prefix:x}"

    def area(self, reading: Reading, mm: int, vpn: int) -> str:
        """The VMA of `mm` that covers `vpn`; '' if none does."""
        vma = reading.vma_at(mm, vpn)
        return f"v{mm}-{vma.start_vpn:x}" if vma else ""

    def of_node(self, node: Node, reading: Reading, around: Mapping[str, Iterable[str]]) -> str:
        """A node of the graph: its own tags, near it those of the nodes it is joined to."""
        near = [tag for name in around.get(node.id, ()) for tag in self.own(name, reading)]
        return tags(self.own(node.id, reading), near)

    def own(self, node: str, reading: Reading) -> list[str]:
        """The tags of what a node stands for."""
        number = node.removeprefix("mm")
        space = [f"m{number}"] if number.isdecimal() and int(number) in reading.spaces else []
        pages = [self.page(reading.chains[node])] if node in reading.chains else []
        return [self.thing(node), *space, *pages, *reading.areas.get(node, ())]


def tags(same: Iterable[str], near: Iterable[str] = ()) -> str:
    """Write tags as the links of a cell; '' if it shows nothing that has a tag."""
    one, two = (list(dict.fromkeys(filter(None, each))) for each in (same, near))
    return f"{' '.join(one)}|{' '.join(two)}" if one or two else ""
