"""Layouts of the design's own graph: which mms, VMAs and groups hang together.

A graph is laid out once, for the union of all nodes and edges of a trace, so that nothing moves
between steps: a step only says which of them exist. Positions come from the `dot` program; where
there is none, nodes stand in columns, with the same ids.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

from anonlab.formats.snapshot import Edge, Node
from anonlab.view.stage.lettering import BOLD, width_of
from anonlab.view.story.payload import Payload

COLUMN_GAP = 30.0
"""px between two columns; more would shrink the words below what can be read."""
NODE_HEIGHT, LINE_HEIGHT = 26.0, 14.0
"""px of a node with its title, and of each line of facts below it."""
MOST_WIDE = 230.0
MOST_UNDER = 26
"""Characters of the facts of a node that stand in one line."""
BROWSER_HEIGHT = 36.0
"""px of a node in the browser (player/graph.js)."""
MOST_NODES = 60
"""Nodes of a graph that `dot` is asked for; more take it too long."""
Point = tuple[float, float]
Link = tuple[str, str]
LOOSE = frozenset({"own", "parent", "home"})
"""Kinds of edges that point back to the left."""


class Place(NamedTuple):
    """The place of one node: its id and its size in px."""

    name: str
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
"""Takes DOT and returns positions; None for the built-in columns."""


def under(node: Node, who: str = "") -> list[str]:
    """Return the lines below the title of a node: its facts, and who runs in an mm."""
    words = [f"{name} {value}" for name, value in node.facts] + [who] * bool(who)
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 3 + len(word) <= MOST_UNDER:
            lines[-1] += f" · {word}"
        else:
            lines.append(word)
    return lines


def place_of(node: Node, who: str = "") -> Place:
    """Return the place that a node needs; `who` are the processes of an mm."""
    lines = under(node, who)
    title = width_of(node.label, 13, BOLD) + 26
    width = max(title, *(width_of(line, 12) + 20 for line in lines), 84.0)
    return Place(node.id, min(MOST_WIDE, round(width)), NODE_HEIGHT + LINE_HEIGHT * len(lines))


def laid_out(
    places: Sequence[Place],
    edges: Iterable[Edge],
    layouter: Layouter | None = dot_layout,
) -> Layout:
    """Return where `places` and the edges between them stand.

    layouter  None for columns
    """
    links, loose = _links(places, edges)
    asked = layouter is not None and 0 < len(places) <= MOST_NODES
    layout = _by_number(places, links, loose, layouter) if layouter and asked else None
    return layout or column_layout(places, links, loose)


def _by_number(
    places: Sequence[Place], links: Sequence[Link], loose: Collection[Link], layouter: Layouter
) -> Layout | None:
    """Ask `layouter` with numbers for names: it never reads what a person wrote."""
    ordered, _ = _in_order(places, links)
    number = {place.name: f"node-{at}" for at, place in enumerate(ordered)}
    name = {short: place.name for short, place in zip(number.values(), ordered, strict=True)}
    numbered = [place._replace(name=number[place.name]) for place in ordered]
    pairs = {link: (number[link[0]], number[link[1]]) for link in links}
    source = dot_source(numbered, list(pairs.values()), {pairs[link] for link in loose})
    layout = layouter(source)
    if layout is None:
        return None
    centres = {name[each]: point for each, point in layout.centres.items()}
    curves = {(name[a], name[b]): points for (a, b), points in layout.curves.items()}
    return layout._replace(centres=centres, curves=curves)


def _links(places: Sequence[Place], edges: Iterable[Edge]) -> tuple[list[Link], set[Link]]:
    """Return the links between `places`, and those of them that are loose."""
    names = {place.name for place in places}
    known = [edge for edge in edges if edge.tail in names and edge.head in names]
    links = sorted({(edge.tail, edge.head) for edge in known})
    firm = {(edge.tail, edge.head) for edge in known if edge.kind not in LOOSE}
    return links, set(links) - firm


def payload_layout(made: Payload, track: Payload, layouter: Layouter) -> dict[str, Any] | None:
    """Return where the nodes of one track of a payload stand, over all its steps; None if they are
    too many, or there is no `dot`: the browser puts them in columns then.

    {width, height, nodes: {id: [x, y, width]}}, x and y of the upper left corner
    """
    facts = made["facts"]
    used: dict[str, set[int]] = {"nodes": set(), "edges": set()}
    for delta in track["deltas"]:
        for field, numbers in used.items():
            for _, _, new in delta.get(field, ()):
                numbers.update(new)
    nodes = [Node(*facts["nodes"][number]) for number in sorted(used["nodes"])]
    places = {node.id: Place(node.id, _browser_width(node), BROWSER_HEIGHT) for node in nodes}
    for node in nodes:
        wide = max(places[node.id].width, _browser_width(node))
        places[node.id] = Place(node.id, wide, BROWSER_HEIGHT)
    if not 0 < len(places) <= MOST_NODES:
        return None
    edges = [Edge(*facts["edges"][number]) for number in sorted(used["edges"])]
    known = list(places.values())
    layout = _by_number(known, *_links(known, edges), _close(layouter))
    if layout is None:
        return None
    corners = {
        name: [round(x - places[name].width / 2, 1), round(y - BROWSER_HEIGHT / 2, 1),
               places[name].width]
        for name, (x, y) in layout.centres.items()
    }  # fmt: skip
    return {"width": round(layout.width), "height": round(layout.height), "nodes": corners}


def _browser_width(node: Node) -> float:
    """Return the px of a node in the browser: the longest of its two lines of words."""
    facts = [f"{name} {value}" for name, value in node.facts]
    longest = max([*node.label.split(", "), *facts[:1]], key=len)
    return float(min(130, max(58, round(len(longest) * 7.1 + 14))))


def _close(layouter: Layouter) -> Layouter:
    return lambda source: layouter(source.replace("ranksep=0.55", "ranksep=0.35"))


def edge_path(points: Sequence[Point]) -> str:
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
