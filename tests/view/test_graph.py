"""Layouts of graphs: by dot or in columns, everything in its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sample

from anonlab import record
from anonlab.formats.snapshot import Edge, Node
from anonlab.formats.trace import Trace
from anonlab.view.stage.graph import (
    Layouter,
    Place,
    column_layout,
    dot_layout,
    dot_source,
    laid_out,
    place_of,
)
from anonlab.view.stage.static_graph import Drawing, Graph

BOTH = [dot_layout, None]


def graph(nodes: tuple[Node, ...], edges: tuple[Edge, ...], layouter: Layouter | None) -> Drawing:
    if layouter is not None and shutil.which("dot") is None:
        pytest.skip("needs dot")
    return Graph([(nodes, edges)], {}, layouter).drawing(nodes, edges)


@pytest.mark.parametrize("layouter", BOTH)
def test_every_node_and_edge_is_drawn_inside_the_picture(
    trace: Trace, layouter: Layouter | None
) -> None:
    snapshot = trace.steps[-1].snapshot
    made = graph(snapshot.nodes, snapshot.edges, layouter)
    assert sorted(one.key for one in made.nodes) == sorted(f"n-{n.id}" for n in snapshot.nodes)
    assert len([line for line in made.edges if line.name]) == len(snapshot.edges)
    for one in made.nodes:
        assert -1 <= one.box.x <= made.width - one.box.width + 1
        assert -1 <= one.box.y <= made.height - one.box.height + 1


def test_no_dot_program_means_columns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dot_layout(dot_source([Place("node-0", 80)], [])) is None


def test_a_system_without_processes_means_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    import graphviz

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no processes here")

    monkeypatch.setattr(graphviz.Source, "pipe", refuse)
    assert dot_layout("digraph {}") is None


def test_a_mistake_in_the_dot_text_is_not_hidden() -> None:
    if not shutil.which("dot"):
        pytest.skip("no dot: nobody reads the text")
    import subprocess

    with pytest.raises(subprocess.CalledProcessError):
        dot_layout("digraph {{{")


def test_dot_text_is_sorted_and_sized_and_has_ids() -> None:
    places = [Place("node-1", 80, 40), Place("node-0", 90, 40)]
    source = dot_source(places, [("node-1", "node-0"), ("node-0", "node-1")])
    assert source == dot_source(places[::-1], [("node-0", "node-1"), ("node-1", "node-0")])
    assert source.splitlines()[2:] == [
        '"node-0" [id="node-0", label="", width=1.250, height=0.556, fixedsize=true];',
        '"node-1" [id="node-1", label="", width=1.111, height=0.556, fixedsize=true];',
        '"node-0" -> "node-1" [id="node-0--node-1"];',
        '"node-1" -> "node-0" [id="node-1--node-0"];',
        "}",
    ]


@pytest.mark.parametrize("layouter", BOTH)
def test_address_spaces_stand_in_the_order_of_their_numbers(layouter: Layouter | None) -> None:
    text = "a = spawn\na mmap 0x30000 1\n" + "".join(f"c{at} = fork a\n" for at in range(12))
    snapshot = record(text).steps[-1].snapshot
    made = graph(snapshot.nodes, snapshot.edges, layouter)
    spaces = [one for one in made.nodes if one.key.startswith("n-mm")]
    by_height = sorted(spaces, key=lambda one: one.box.y)
    assert [one.key for one in by_height] == [f"n-mm{number}" for number in range(1, 14)]


def test_columns_go_from_tail_to_head_and_survive_a_cycle() -> None:
    places = [Place(f"node-{at}", 80) for at in range(3)]
    layout = column_layout(places, [("node-0", "node-1"), ("node-1", "node-2")])
    assert [layout.centres[p.name][0] for p in places] == [40, 150, 260]
    column_layout(places, [("node-0", "node-1"), ("node-1", "node-0"), ("node-2", "node-2")])


@pytest.mark.parametrize("layouter", BOTH)
def test_hostile_ids_and_edges_to_nowhere_harm_nothing(layouter: Layouter | None) -> None:
    nodes = (Node('a"];x->y', "mm", 'label "quoted" \\N <b>'), Node("b\n", "k", ""))
    edges = (Edge(nodes[0].id, nodes[1].id, "e"), Edge(nodes[0].id, "lost", "e"))
    made = graph(nodes, edges, layouter)
    assert [one.key for one in made.nodes] == [f"n-{node.id}" for node in nodes]
    assert len([line for line in made.edges if line.name]) == 1


@pytest.mark.parametrize("layouter", BOTH)
def test_every_edge_starts_and_ends_at_its_nodes(layouter: Layouter | None) -> None:
    snapshot = sample.lesson().steps[-1].snapshot
    if layouter is not None and shutil.which("dot") is None:
        pytest.skip("needs dot")
    places = {node.id: place_of(node) for node in snapshot.nodes}
    layout = laid_out(list(places.values()), snapshot.edges, layouter)
    for (tail, head), points in layout.curves.items():
        for name, (x, y) in ((tail, points[0]), (head, points[-1])):
            cx, cy = layout.centres[name]
            assert abs(x - cx) <= places[name].width / 2 + 3
            assert abs(y - cy) <= places[name].height / 2 + 3
