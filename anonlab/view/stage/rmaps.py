"""Two reverse maps side by side: pages, their anon_vmas, the VMAs on these, and the processes.

Both are drawn by the graph panel of every other picture, laid out once for both: what is the same
stands at the same place, and what the second has otherwise is marked. `rmaps_text` is the twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from anonlab.formats.rmap_graph import PageFact, RmapGraph, differences
from anonlab.formats.snapshot import Edge, Node, Snapshot
from anonlab.machine.words import LESSON, PAGE_SHIFT
from anonlab.view.player.links import Links
from anonlab.view.stage.cells import Panel, State, merge, panel_svg
from anonlab.view.stage.graph import GraphPanel, Layouter, dot_layout
from anonlab.view.stage.stage import style
from anonlab.view.story.reading import read
from anonlab.view.story.text import quoted, wrapped

_PAD = 10.0
KEY = "P page · R root, A other anon_vma · V VMA · M address space"
Pair = tuple[RmapGraph, RmapGraph]


def rmaps_svg(pair: Pair, titles: tuple[str, str], layouter: Layouter = dot_layout) -> list[str]:
    """Return a self-contained SVG for each of two graphs.

    titles  what each is, above it
    """
    people = _people(pair)
    readings = [
        read(graph_snapshot(graph, title, people))
        for graph, title in zip(pair, titles, strict=True)
    ]
    named = dict.fromkeys(range(1, len(people) + 1), "M")
    panel = GraphPanel(readings, Links(readings, {}), named, _tight(layouter))
    states = [panel.states(reading) for reading in readings]
    for shown, title, graph in zip(states, titles, pair, strict=True):
        shown["graph"] = State("on", (f"{title} · {_summary(graph)}", KEY))
    before = {**states[0], "graph": states[1]["graph"]}
    drawn = (
        _sheet(panel.panel, states[0], None, titles[0], "one-"),
        _sheet(panel.panel, states[1], before, titles[1], "two-"),
    )
    return list(drawn)


def _tight(layouter: Layouter) -> Layouter:
    """Let columns stand closer: two graphs stand side by side on a wide screen."""
    return lambda source: layouter(source.replace("ranksep=0.55", "ranksep=0.3"))


def _sheet(
    panel: Panel,
    states: dict[str, State],
    before: dict[str, State] | None,
    title: str,
    prefix: str,
) -> str:
    width, height = panel.width + 2 * _PAD, panel.height + 2 * _PAD
    body = panel_svg(panel, merge([states]), before, prefix)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="anonlab-picture" role="img" '
        f'style="max-width:100%;height:auto" '
        f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">'
        f"<title>reverse map, {escape(title)}</title><style>{style()}</style>"
        f'<rect class="page" width="100%" height="100%"/>'
        f'<rect class="sheet" rx="10" width="{width:g}" height="{height:g}"/>'
        f'<g transform="translate({_PAD:g} {_PAD:g})">{body}</g></svg>'
    )


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
