"""The design's own graph: which mms, VMAs and groups hang together, so who may map a page.

The graph is laid out once, for the union of all nodes and edges of a trace, so that nothing moves
between steps: a step only says which of them exist. Positions come from the `dot` program; where
there is none, nodes stand in columns, with the same ids and the same facts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from anonlab.formats.snapshot import Edge, Node
from anonlab.view.player.facts import edge_fact, node_fact
from anonlab.view.player.links import Links, tags
from anonlab.view.stage.cells import Cell, Panel, Spot, State, fit
from anonlab.view.stage.tables import WIDTH
from anonlab.view.story.reading import Reading

COLUMN_GAP = 30.0
"""px between two columns; more would shrink the words below what can be read."""
NODE_HEIGHT, MOST_NODES = 40.0, 24
"""px of a node, and nodes beyond which parallel ones share a place."""
MOST_UNDER = 22
"""Characters of the facts of a node that stand in one line."""
Point = tuple[float, float]
Link = tuple[str, str]
LOOSE = frozenset({"own", "parent", "home"})
"""Kinds of edges that point back to the left."""


class Place(NamedTuple):
    """A place for one node, or for several that come, go and connect alike."""

    name: str
    kind: str
    nodes: tuple[str, ...]
    width: float
    height: float = NODE_HEIGHT


class Layout(NamedTuple):
    """Where things are, in px: centres of nodes, control points of edges, size of the whole."""

    centres: dict[str, Point]
    curves: dict[tuple[str, str], tuple[Point, ...]]
    width: float
    height: float


def _counted(name: str) -> tuple[str | int, ...]:
    """Return what sorts names as people count: "node-9" before "node-10"."""
    return tuple(int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name))


def _in_order(places: Sequence[Place], links: Sequence[Link]) -> tuple[list[Place], list[Link]]:
    """Return places and links in the order in which a layout is given them."""
    return (
        sorted(places, key=lambda place: _counted(place.name)),
        sorted(links, key=lambda link: (_counted(link[0]), _counted(link[1]))),
    )


def dot_source(places: Sequence[Place], links: Sequence[Link], loose: Collection[Link] = ()) -> str:
    """Return the DOT text of the union graph: in order, with ids and fixed sizes.

    loose  links that do not say what stands left of what
    """
    places, links = _in_order(places, links)
    lines = ["digraph anonlab {", "rankdir=LR; nodesep=0.16; ranksep=0.55; node [shape=box];"]
    for place in places:
        size = f"width={place.width / 72:.3f}, height={place.height / 72:.3f}, fixedsize=true"
        lines.append(f'"{place.name}" [id="{place.name}", label="", {size}];')
    for tail, head in links:
        free = ", constraint=false" if (tail, head) in loose else ""
        lines.append(f'"{tail}" -> "{head}" [id="{tail}--{head}"{free}];')
    return "\n".join([*lines, "}", ""])


def dot_layout(source: str) -> Layout | None:
    """Ask the `dot` program for the positions of `source`; None where there is no such program.

    raises  nothing for a missing program: graphviz raises ExecutableNotFound, a browser OSError
    """
    import graphviz

    try:
        plain = graphviz.Source(source).pipe(format="json0", engine="dot", encoding="utf-8")
    except (graphviz.ExecutableNotFound, OSError):
        return None
    return _from_dot(json.loads(plain))


def _from_dot(graph: dict[str, Any]) -> Layout:
    _, _, width, height = (float(number) for number in graph["bb"].split(","))
    nodes = {node["_gvid"]: node["name"] for node in graph.get("objects", ())}

    def point(text: str) -> Point:
        x, y = text.split(",")[-2:]
        return round(float(x), 1), round(height - float(y), 1)

    curves = {}
    for edge in graph.get("edges", ()):
        points = edge["pos"].split()
        tip = [point(each) for each in points if each.startswith("e,")]
        body = [point(each) for each in points if each[0] not in "es"]
        curves[nodes[edge["tail"]], nodes[edge["head"]]] = (*body, *tip)
    centres = {node["name"]: point(node["pos"]) for node in graph.get("objects", ())}
    return Layout(centres, curves, width, height)


def column_layout(
    places: Sequence[Place], links: Sequence[Link], loose: Collection[Link] = ()
) -> Layout:
    """Put every node right of those that point to it, each column from the top down."""
    places, links = _in_order(places, links)
    ranks = {place.name: 0 for place in places}
    for _ in range(min(len(places), 8)):  # a cycle ends here too
        for tail, head in links:
            if tail != head and (tail, head) not in loose:
                ranks[head] = min(max(ranks[head], ranks[tail] + 1), 8)
    columns: dict[int, list[Place]] = {}
    for place in places:
        columns.setdefault(ranks[place.name], []).append(place)
    centres: dict[str, Point] = {}
    x = height = 0.0
    for rank in sorted(columns):
        wide, y = max(place.width for place in columns[rank]), 0.0
        for place in columns[rank]:
            centres[place.name] = (x + wide / 2, y + place.height / 2)
            y += place.height + 12
        x += wide + COLUMN_GAP
        height = max(height, y)
    sizes = {place.name: place.width for place in places}
    curves = {(a, b): _bow(centres[a], centres[b], sizes[a], sizes[b]) for a, b in links}
    return Layout(centres, curves, max(0.0, x - COLUMN_GAP), height)


def _bow(tail: Point, head: Point, tail_width: float, head_width: float) -> tuple[Point, ...]:
    start = (tail[0] + tail_width / 2, tail[1])
    end = (head[0] - head_width / 2, head[1])
    bend = max(18.0, abs(end[0] - start[0]) / 2)
    return start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end


Layouter = Callable[[str], Layout | None]


LETTERS = {
    "group": "G", "space": "S", "head": "H", "anonmm": "M", "zombie": "Z", "vma": "V",
    "anon_vma": "A", "root": "R", "chain": "C", "block": "B", "context": "X", "dead": "D",
    "file": "F", "page": "P",
}  # fmt: skip
"""The letter of every kind of node; an address space has the letter of its page table."""
STARTS = frozenset({"group", "space", "head", "root", "chain", "file"})
"""Kinds of nodes at which a walk may start: drawn filled."""
GONE = frozenset({"zombie", "dead"})
"""Kinds of nodes whose address space is gone: drawn dashed."""
_KEY = 18.0
"""px of a row of the key to the edges."""


class GraphPanel:
    """The design's graph over all `readings` of a trace.

    layouter  takes DOT and returns positions, or None for the built-in columns
    """

    def __init__(
        self,
        readings: Sequence[Reading],
        links: Links,
        letters: Mapping[int, str],
        layouter: Layouter = dot_layout,
    ) -> None:
        self.readings, self.tags = readings, links
        self.letters = {f"mm{mm}": letter for mm, letter in letters.items()}
        self.places = _places(readings)
        self.home = {node: place for place in self.places for node in place.nodes}
        edges = {edge for reading in readings for edge in reading.snapshot.edges}
        known = [edge for edge in edges if edge.tail in self.home and edge.head in self.home]
        self.kinds = sorted({edge.kind for edge in known})
        self.links = sorted({self._link(edge) for edge in known})
        firm = {self._link(edge) for edge in known if edge.kind not in LOOSE}
        loose = set(self.links) - firm
        layout = layouter(dot_source(self.places, self.links, loose)) if self.places else None
        self._draw(layout or column_layout(self.places, self.links, loose))

    def _link(self, edge: Edge) -> Link:
        return self.home[edge.tail].name, self.home[edge.head].name

    def _draw(self, layout: Layout) -> None:
        width = max(WIDTH, layout.width)
        spots = (Spot(0, 16, "h"), Spot(0, 33, "s"))
        cells = [Cell("graph", "head", 0, 0, width, 44, spots), *self._key(width)]
        top = max(cell.y + cell.height for cell in cells) + 8
        for at, link in enumerate(self.links):
            points = tuple((x, y + top) for x, y in layout.curves[link])
            (x0, y0), (x1, y1) = points[0], points[-1]
            cells.append(Cell(f"edge-{at}", "edge", 0, 0, x0 + x1, y0 + y1, (), _curve(points)))
        for place in self.places:
            x, y = layout.centres[place.name]
            half, middle, low = place.width / 2, place.width / 2 + 9, place.height / 2
            lines = (
                Spot(middle, 17, "b mid"),
                Spot(middle, 32, "s mid"),
                Spot(middle, 46, "s mid"),
            )
            texts = (*lines, Spot(13, low + 5, "kd mid"))
            corner = (round(x - half, 1), round(y - low + top, 1))
            cells.append(Cell(place.name, "node", *corner, place.width, place.height, texts))
        caption = "who may map the pages"
        zone = "memory" if width <= WIDTH + 8 else "spaces"
        self.panel = Panel("graph", zone, caption, width, top + layout.height + 4, tuple(cells))

    def _key(self, width: float) -> Iterator[Cell]:
        """Yield a sample of every kind of edge with its name, in rows."""
        x, y = 0.0, 44.0
        for at, kind in enumerate(self.kinds):
            need = 38 + 6.8 * len(kind)
            if x and x + need > width:
                x, y = 0.0, y + _KEY
            sample = f"M{x:g} {y + 9:g}H{x + 26:g}"
            yield Cell(f"key-{at}", "sample", 0, 0, 0, 0, (), sample)
            yield Cell(f"key-text-{at}", "cap", x + 32, y, need - 32, _KEY, (Spot(0, 13, "s"),))
            x += need + 8

    def states(self, reading: Reading) -> dict[str, State]:
        """Return which nodes and edges exist in `reading`."""
        snapshot = reading.snapshot
        under = f"reverse map {snapshot.design}"
        out = {"graph": State("on", ("who may map the pages", under))}
        for at, kind in enumerate(self.kinds):
            out[f"key-{at}"] = State(f"on e{_word(kind)}")
            out[f"key-text-{at}"] = State("on", (kind,))
        nodes = {node.id: node for node in snapshot.nodes}
        around = _around(snapshot.edges)
        for place in self.places:
            here = [nodes[node] for node in place.nodes if node in nodes]
            links = self._tags(here, reading, around)
            letter = self.letters.get(place.nodes[0], LETTERS.get(place.kind, "·"))
            out |= {place.name: _node_state(place, here, reading, letter, links)} if here else {}
        held: dict[Link, list[Edge]] = {}
        for edge in snapshot.edges:
            if edge.tail in self.home and edge.head in self.home:
                held.setdefault(self._link(edge), []).append(edge)
        for at, link in enumerate(self.links):
            if link in held:
                out[f"edge-{at}"] = _edge_state(held[link], nodes)
        return out

    def _tags(self, here: Sequence[Node], reading: Reading, around: dict[str, list[str]]) -> str:
        """Return the links of the nodes that share a place."""
        told = [self.tags.of_node(node, reading, around).partition("|") for node in here]
        same = [tag for one, _, _ in told for tag in one.split()]
        return tags(same, (tag for _, _, two in told for tag in two.split()))


def _around(edges: Sequence[Edge]) -> dict[str, list[str]]:
    """Return {node: nodes that an edge joins it to}."""
    out: dict[str, list[str]] = {}
    for edge in edges:
        out.setdefault(edge.tail, []).append(edge.head)
        out.setdefault(edge.head, []).append(edge.tail)
    return out


def _places(readings: Sequence[Reading]) -> list[Place]:
    """Return a place per node of the union; parallel nodes share one in a large graph."""
    labels: dict[str, Node] = {}
    widths: dict[str, int] = {}
    tall: dict[str, bool] = {}
    for reading in readings:
        for node in reading.snapshot.nodes:
            labels[node.id] = node
            under = _lines(_under(node, reading))
            longest = max(len(node.label) * 8.1, *(len(line) * 6.6 for line in under))
            tall[node.id] = tall.get(node.id, False) or bool(under[1])
            widths[node.id] = max(widths.get(node.id, 0), int(longest) + 38)
    groups: dict[object, list[str]] = {}
    looks = _stories(readings) if len(labels) > MOST_NODES else {}
    for name in labels:
        groups.setdefault(looks.get(name, name), []).append(name)
    return [
        Place(
            f"node-{at}",
            labels[names[0]].kind,
            tuple(names),
            _wide(names, widths),
            NODE_HEIGHT + 14 * any(tall[name] for name in names),
        )
        for at, names in enumerate(groups.values())
    ]


def _wide(names: list[str], widths: dict[str, int]) -> float:
    return float(min(230, max(88, *(widths[name] for name in names))))


def _stories(readings: Sequence[Reading]) -> dict[str, object]:
    """What must be equal for two nodes of a large graph to share a place."""
    stories: dict[str, list[object]] = {}
    for at, reading in enumerate(readings):
        around: dict[str, list[tuple[str, str, str]]] = {}
        for edge in reading.snapshot.edges:
            around.setdefault(edge.tail, []).append((">", edge.head, edge.kind))
            around.setdefault(edge.head, []).append(("<", edge.tail, edge.kind))
        for node in reading.snapshot.nodes:
            near = tuple(sorted(around.get(node.id, ())))
            stories.setdefault(node.id, []).append((at, node.kind, near))
    return {name: tuple(story) for name, story in stories.items()}


def _lines(under: str) -> tuple[str, str]:
    """Break the facts of a node into two lines if they are long."""
    if len(under) <= MOST_UNDER or " · " not in under:
        return under, ""
    words = under.split(" · ")
    half = (len(words) + 1) // 2
    return " · ".join(words[:half]), " · ".join(words[half:])


def _under(node: Node, reading: Reading) -> str:
    """Return the second line of a node: its facts, and who runs in an mm."""
    words = [f"{name} {value}" for name, value in node.facts]
    words += [reading.who(mm) for mm in reading.spaces if node.id == f"mm{mm}"]
    return " · ".join(words)


def _node_state(place: Place, here: list[Node], reading: Reading, letter: str, links: str) -> State:
    first = here[0]
    many = len(here) > 1
    title = f"{len(here)} {first.kind}s" if many else first.label
    under = first.kind if many else _under(first, reading) or first.kind
    room = place.width - 30
    lines = (fit(line, room, 12.3) for line in _lines(under))
    texts = (fit(title, room, 15), *lines, letter)
    name = title if many else f"{title}, {under}"
    look = "group" if first.kind in STARTS else "gone" if first.kind in GONE else "member"
    told = tuple(map(node_fact, here))
    return State(f"{look} {_word(first.kind)}", texts, "", name, told, links)


def _word(kind: str) -> str:
    """Return `kind` as a CSS class."""
    return "k-" + "".join(letter if letter.isalnum() else "-" for letter in kind)


def _edge_state(edges: list[Edge], nodes: dict[str, Node]) -> State:
    def label(name: str) -> str:
        return nodes[name].label if name in nodes else name

    first = edges[0]
    name = f"{first.kind}: {label(first.tail)} to {label(first.head)}"
    name = f"{len(edges)} edges, the first: {name}" if len(edges) > 1 else name
    look = f"on e{_word(first.kind)}"
    return State(look, (), "", name, tuple(edge_fact(edge) for edge in edges))


def _curve(points: Sequence[Point]) -> str:
    """Return the path of an edge with an open arrow head; dot adds the tip as a last point."""
    body = points if len(points) % 3 == 1 else points[:-1]
    (x0, y0), rest = body[0], body[1:]
    path = f"M{x0:g} {y0:g}C" + " ".join(f"{x:g} {y:g}" for x, y in rest)
    tip, back = points[-1], points[-2]
    if len(points) % 3 != 1:
        path += f"L{tip[0]:g} {tip[1]:g}"
    dx, dy = tip[0] - back[0], tip[1] - back[1]
    size = max(0.001, (dx * dx + dy * dy) ** 0.5)
    ux, uy = dx / size * 8, dy / size * 8
    for side in (0.5, -0.5):
        x, y = tip[0] - ux - uy * side, tip[1] - uy + ux * side
        path += f"M{tip[0]:g} {tip[1]:g}L{x:.1f} {y:.1f}"
    return path
