"""Two reverse maps side by side: pages, their anon_vmas, the VMAs on these, and the processes.

Both are drawn as in every other picture, laid out once for both: what is the same
stands at the same place, and what the second has otherwise is marked. `rmaps_text` is the twin.
"""

from __future__ import annotations

from collections.abc import Sequence

from anonlab.formats.rmap_graph import PageFact, RmapGraph, differences
from anonlab.formats.snapshot import Edge, Node, Snapshot
from anonlab.machine.words import LESSON, PAGE_SHIFT
from anonlab.view.stage.graph import Layouter, dot_layout
from anonlab.view.stage.static import CSS_CLASS
from anonlab.view.stage.static_graph import Graph
from anonlab.view.story.text import quoted, wrapped
from anonlab.view.templates import drawn

Pair = tuple[RmapGraph, RmapGraph]


def rmaps_svg(
    pair: Pair, titles: tuple[str, str], layouter: Layouter | None = dot_layout
) -> list[str]:
    """Return a self-contained SVG for each of two graphs.

    titles  what each is, above it
    """
    people = _people(pair)
    moments = [graph_snapshot(graph, title, people)
               for graph, title in zip(pair, titles, strict=True)]  # fmt: skip
    graphs = [(moment.nodes, moment.edges) for moment in moments]
    tight = None if layouter is None else _tight(layouter)
    union = Graph(graphs, {}, tight)
    both = (None, graphs[0])
    return [
        drawn(
            "stage/graph.svg.j2",
            CSS_CLASS,
            title=f"reverse map, {title}",
            summary=f"{title} · {_summary(graph)}",
            graph=union.drawing(nodes, edges, before),
        )
        for (nodes, edges), title, graph, before in zip(graphs, titles, pair, both, strict=True)
    ]


def _tight(layouter: Layouter) -> Layouter:
    """Let columns stand closer: two graphs stand side by side on a wide screen."""
    return lambda source: layouter(source.replace("ranksep=0.55", "ranksep=0.3"))


def graph_snapshot(graph: RmapGraph, title: str, people: Sequence[str]) -> Snapshot:
    """Return a snapshot that holds nothing but `graph`, for the view of graphs.

    people  names of all processes of a picture: their address spaces are numbered in this order
    """
    here = [who for who in people if who in {area.who for area in graph.areas}]
    mms = {who: f"mm{number}" for number, who in enumerate(people, 1)}
    nodes = [*_page_nodes(graph), *_anon_nodes(graph), *_area_nodes(graph)]
    nodes += [Node(mms[who], "mm", who) for who in here]
    edges = []
    for name, page in _named(graph):
        edges.append(Edge(name, f"anon_vma{page.home}", "mapping"))
    for anon in graph.anon_vmas:
        if anon.parent != anon.number:
            edges.append(Edge(f"anon_vma{anon.number}", f"anon_vma{anon.parent}", "parent"))
    for area in graph.areas:
        name = _area_id(area.who, area.vpn)
        edges += [Edge(f"anon_vma{number}", name, "link") for number in area.chain]
        edges += [Edge(name, f"anon_vma{area.own}", "own"), Edge(name, mms[area.who], "mm")]
    return Snapshot(title, nframes=0, nodes=tuple(nodes), edges=tuple(edges))


def _named(graph: RmapGraph) -> list[tuple[str, PageFact]]:
    """Return the pages with a name each: their index, and a number among those with that index."""
    seen: dict[int, int] = {}
    named = []
    for page in sorted(graph.pages, key=lambda page: (page.page_index, page.places)):
        at = seen[page.page_index] = seen.get(page.page_index, -1) + 1
        named.append((f"page{page.page_index:x}.{at}", page))
    return named


def _page_nodes(graph: RmapGraph) -> list[Node]:
    return [
        Node(
            name,
            "page",
            f"index {page.page_index:#x}",
            (("mapcount", str(page.mapcount)), ("by", " ".join(who for who, _ in page.places))),
        )
        for name, page in _named(graph)
    ]


def _anon_nodes(graph: RmapGraph) -> list[Node]:
    return [
        Node(
            f"anon_vma{anon.number}",
            "root" if anon.root == anon.number else "anon_vma",
            f"anon_vma {anon.number}",
            (
                ("children", str(anon.num_children)),
                ("active", str(anon.num_active_vmas)),
                ("refs", str(anon.refcount)),
            ),
        )
        for anon in graph.anon_vmas
    ]


def _area_nodes(graph: RmapGraph) -> list[Node]:
    return [
        Node(
            _area_id(area.who, area.vpn),
            "vma",
            f"{LESSON.address(area.vpn)}, {area.npages} pages",
            (("index", f"{area.pgoff:#x}"),),
        )
        for area in graph.areas
    ]


def _area_id(who: str, vpn: int) -> str:
    return f"vma-{who}-{vpn:x}"


def _people(pair: Pair) -> list[str]:
    return sorted({area.who for graph in pair for area in graph.areas})


def _summary(graph: RmapGraph) -> str:
    links = sum(len(area.chain) for area in graph.areas)
    return (
        f"{len(graph.pages)} pages, {len(graph.anon_vmas)} anon_vmas, {links} links, "
        f"{len(graph.areas)} VMAs"
    )


def rmaps_text(pair: Pair, titles: tuple[str, str]) -> str:
    """Return what both drawings show as plain lines, and what differs."""
    lines = []
    for graph, title in zip(pair, titles, strict=True):
        lines += [f"{title}: {_summary(graph)}.", *_lines(graph)]
    differ = differences(*pair)
    lines += [f"Difference, {sentence}." for sentence in differ]
    lines += [] if differ else ["Both are the same in every fact."]
    return "".join(f"{part}\n" for line in lines for part in wrapped(line))


def _lines(graph: RmapGraph) -> list[str]:
    lines = []
    for page in graph.pages:
        where = ", ".join(f"{quoted(who)} at {vpn << PAGE_SHIFT:#x}" for who, vpn in page.places)
        lines.append(
            f"  Page with index {page.page_index:#x}: anon_vma {page.home}, "
            f"mapcount {page.mapcount}, mapped by {where}."
        )
    for anon in graph.anon_vmas:
        kind = "a root" if anon.root == anon.number else f"child of anon_vma {anon.parent}"
        lines.append(
            f"  anon_vma {anon.number}: {kind}, children {anon.num_children}, "
            f"active {anon.num_active_vmas}, refs {anon.refcount}."
        )
    for area in graph.areas:
        chain = " and ".join(map(str, area.chain))
        lines.append(
            f"  VMA of {quoted(area.who)} from {LESSON.address(area.vpn)}: {area.npages} pages, "
            f"index {area.pgoff:#x}, on anon_vma {chain}, its own is {area.own}."
        )
    return lines
