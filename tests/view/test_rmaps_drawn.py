"""Two reverse maps side by side: both drawings and the text say the same as the graphs."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from html import unescape

import pytest

from anonlab.formats.rmap_graph import AnonVmaFact, AreaFact, PageFact, RmapGraph
from anonlab.linux.real_graph import names, recorded_rmap
from anonlab.view.stage.picture import SideBySide
from anonlab.view.stage.rmaps import rmaps_svg, rmaps_text

TITLES = ("one", "other")
each_recording = pytest.mark.parametrize("name", names())


def told(lines: list[str]) -> RmapGraph:
    """Read one of the two graphs back from the lines of the twin."""
    text = re.sub(r"\n {4,}", " ", "\n".join(lines))
    pages, anons, areas = [], [], []
    for line in text.splitlines():
        numbers = [int(n, 0) for n in re.findall(r"\b(?:0x[0-9a-f]+|\d+)\b", line)]
        if line.startswith("  Page"):
            places = re.findall(r"(\w+) at (0x[0-9a-f]+)", line)
            spots = tuple((who, int(addr, 16) >> 12) for who, addr in places)
            pages.append(PageFact(spots, numbers[1], numbers[0], numbers[2]))
        elif line.startswith("  anon_vma"):
            number = int(re.match(r"  anon_vma (\d+)", line)[1])
            parent = re.search(r"child of anon_vma (\d+)", line)
            up = int(parent[1]) if parent else number
            root = up
            while (
                parent and root and root != (nxt := next(a.parent for a in anons if a[0] == root))
            ):
                root = nxt
            counts = [int(n) for n in re.findall(r"(?:children|active|refs) (\d+)", line)]
            anons.append(AnonVmaFact(number, up, root, *counts))
        elif line.startswith("  VMA"):
            who = re.match(r"  VMA of (\w+)", line)[1]
            chain = re.search(r"on anon_vma ([\d and]+),", line)[1]
            own = int(re.search(r"its own is (\d+)", line)[1])
            vpn, npages, pgoff = (
                int(re.search(pattern, line)[1], 0)
                for pattern in (r"from (0x[0-9a-f]+)", r"(\d+) pages", r"index (0x[0-9a-f]+)")
            )
            numbers = tuple(int(each) for each in chain.split(" and "))
            areas.append(AreaFact(who, vpn >> 12, npages, pgoff, numbers, own))
    return RmapGraph(tuple(anons), tuple(areas), tuple(pages))


@each_recording
def test_the_text_holds_the_whole_graph(name) -> None:
    for graph in recorded_rmap(name).graphs:
        text = rmaps_text((graph, RmapGraph()), TITLES)
        lines = text.splitlines()
        other = next(at for at, line in enumerate(lines) if line.startswith("other: "))
        assert told(lines[1:other]) == graph
        assert all(len(line) <= 80 for line in lines)


@each_recording
def test_each_drawing_shows_every_page_link_and_count(name) -> None:
    for graph in recorded_rmap(name).graphs:
        is_drawn_whole(graph)


def is_drawn_whole(graph: RmapGraph) -> None:
    """Hold both drawings of `graph` against it."""
    one, other = rmaps_svg((graph, graph), TITLES, layouter=None)
    nodes, edges = drawn(one)
    assert (nodes, edges) == drawn(other)
    wanted = [
        f"anon_vma {a.number}, children {a.num_children} · active {a.num_active_vmas} · "
        f"refs {a.refcount}"
        for a in graph.anon_vmas
    ]
    wanted += [
        f"index {p.page_index:#x}, mapcount {p.mapcount} · by {' '.join(w for w, _ in p.places)}"
        for p in graph.pages
    ]
    wanted += [f"{a.vpn << 12:#07x}, {a.npages} pages, index {a.pgoff:#x}" for a in graph.areas]
    shown = [name.replace(" · ", ", ") for name in nodes]
    assert sorted(shown) == sorted(
        [*(name.replace(" · ", ", ") for name in wanted), *{a.who for a in graph.areas}]
    )
    kinds = [edge.partition(":")[0] for edge in edges]
    assert kinds.count("link") == sum(len(area.chain) for area in graph.areas)
    assert kinds.count("mapping") == len(graph.pages)


def drawn(svg: str) -> tuple[list[str], list[str]]:
    """The names of the nodes and of the edges of a drawing."""
    root = ElementTree.fromstring(svg)
    nodes = [e.findtext("{*}title") or "" for e in root.findall(".//{*}g") if e.get("data-key")]
    edges = [e.findtext("{*}title") or "" for e in root.findall(".//{*}path")]
    return nodes, [edge for edge in edges if edge]


def test_what_differs_is_marked_and_told() -> None:
    graph = recorded_rmap("fork").graphs[-1]
    plain = graph.to_json()
    plain["pages"][0][3] = 7
    wrong = RmapGraph.from_json(plain)
    _, same = rmaps_svg((graph, graph), TITLES)
    _, other = rmaps_svg((graph, wrong), TITLES)
    assert "data-change" not in same
    assert other.count("data-change") == 1
    assert "Both are the same in every fact." in rmaps_text((graph, graph), TITLES)
    assert "only in the second" in rmaps_text((graph, wrong), TITLES)


def test_drawings_stand_above_their_text() -> None:
    html = SideBySide(["<svg>1</svg>", "<svg>2</svg>"], "a < b\n", "Both & all.")._repr_html_()
    assert html.index("Both &amp; all.") < html.index("<svg>1") < html.index("<details>")
    assert "a < b" in unescape(html)
