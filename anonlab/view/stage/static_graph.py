"""The design's graph in a static picture: nodes with their facts, edges by kind, what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from anonlab.formats.snapshot import Edge, Node
from anonlab.view.stage.graph import (
    Layouter,
    Place,
    Point,
    dot_layout,
    edge_path,
    laid_out,
    place_of,
    under,
)
from anonlab.view.stage.lettering import BOLD, fit, width_of
from anonlab.view.stage.shapes import Box, Option, Words
from anonlab.view.story.words import say

DASHES = {"own": "6 3", "parent": "6 3", "home": "6 3", "mm": "2 3", "pte": "2 3"}
"""Dashes of the kinds of edges that are not plain."""
STARTS = frozenset({"group", "space", "head", "root", "chain", "file"})
"""Kinds of nodes at which a walk may start: drawn filled."""
GONE = frozenset({"zombie", "dead"})
"""Kinds of nodes whose address space is gone: drawn dashed."""
KEY_HEIGHT = 24.0


class Line(NamedTuple):
    """An edge, or a sample of one in the key. `sign` as in shapes.Option."""

    path: str
    dashes: str
    name: str
    sign: str = ""


class Drawing(NamedTuple):
    """A graph at its own origin: its nodes are options, its edges lines."""

    nodes: tuple[Option, ...]
    edges: tuple[Line, ...]
    words: tuple[Words, ...]
    width: float
    height: float


class Graph:
    """The union of the graphs of several moments, laid out once.

    graphs  (nodes, edges) of each moment
    who     {node id: what stands below its facts}: the processes of an address space
    """

    def __init__(
        self,
        graphs: Sequence[tuple[Sequence[Node], Sequence[Edge]]],
        who: Mapping[str, str],
        layouter: Layouter | None = dot_layout,
    ) -> None:
        self.who = who
        self.places: dict[str, Place] = {}
        for nodes, _ in graphs:
            for node in nodes:
                place = place_of(node, who.get(node.id, ""))
                self.places[node.id] = _larger(place, self.places.get(node.id))
        edges = [edge for _, each in graphs for edge in each]
        self.kinds = sorted({edge.kind for edge in edges})
        self.layout = laid_out(list(self.places.values()), edges, layouter)

    def drawing(
        self,
        nodes: Sequence[Node],
        edges: Sequence[Edge],
        before: tuple[Sequence[Node], Sequence[Edge]] | None = None,
    ) -> Drawing:
        """Return one moment; what differs from `before` carries a sign."""
        old_nodes = {node.id: node for node in before[0]} if before else {}
        old_edges = set(before[1]) if before else set()
        key = list(self._key())
        names = {node.id: node.label for node in nodes}
        curves = self.layout.curves
        lines = [
            Line(
                edge_path([(x, y + KEY_HEIGHT) for x, y in curves[edge.tail, edge.head]]),
                DASHES.get(edge.kind, ""),
                say("graph.edge", kind=edge.kind, tail=names[edge.tail], head=names[edge.head]),
                "N" if before and edge not in old_edges else "",
            )
            for edge in edges
            if edge.tail in names and edge.head in names
        ]
        options = []
        for node in nodes:
            old = old_nodes.get(node.id)
            sign = "" if before is None or old == node else "C" if old else "N"
            options.append(self._node(node, sign))
        words = tuple(word for _, word in key)
        width = max([self.layout.width, *(word.x + width_of(word.text, 12) for word in words)])
        samples = tuple(line for line, _ in key)
        height = self.layout.height + KEY_HEIGHT
        return Drawing(tuple(options), (*samples, *lines), words, width, height)

    def _key(self) -> Iterator[tuple[Line, Words]]:
        """Yield a sample of every kind of edge with its name."""
        x = 0.0
        for kind in self.kinds:
            yield (
                Line(f"M{x:g} 8H{x + 26:g}", DASHES.get(kind, ""), ""),
                Words(x + 32, 12, kind, "muted"),
            )
            x += 46 + width_of(kind, 12)

    def _node(self, node: Node, sign: str) -> Option:
        place = self.places[node.id]
        centre: Point = self.layout.centres[node.id]
        x, y = centre[0] - place.width / 2, centre[1] - place.height / 2 + KEY_HEIGHT
        paint = "start" if node.kind in STARTS else "dead" if node.kind in GONE else "node"
        box = Box(round(x, 1), round(y, 1), place.width, place.height, 8, paint)
        lines = under(node, self.who.get(node.id, ""))
        title = fit(node.label, place.width - 24, 13, BOLD)
        middle = round(centre[0], 1)
        words = [Words(middle, round(y + 17, 1), title, "strong", "middle")]
        for at, line in enumerate(lines):
            text = fit(line, place.width - 8, 12)
            words.append(Words(middle, round(y + 32 + 14 * at, 1), text, "small", "middle"))
        name = ", ".join([node.label, *lines])
        return Option(f"n-{node.id}", name, box, tuple(words), sign=sign, mark=(x + place.width, y))


def _larger(one: Place, other: Place | None) -> Place:
    if other is None:
        return one
    return Place(one.name, max(one.width, other.width), max(one.height, other.height))
