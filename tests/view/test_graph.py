"""The graph: laid out once, by dot or without it, with the same ids and facts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import sample
from reading_back import true_facts

from anonlab import record
from anonlab.formats.snapshot import Edge, Node, Snapshot
from anonlab.formats.trace import Trace
from anonlab.view.player.links import Links
from anonlab.view.stage.graph import (
    GraphPanel,
    Layouter,
    Place,
    column_layout,
    dot_layout,
    dot_source,
)
from anonlab.view.story.reading import Reading, letters, read


def panels(trace: Trace) -> tuple[GraphPanel, GraphPanel]:
    readings = [read(step.snapshot) for step in trace.steps]
    if not shutil.which("dot"):
        pytest.skip("no dot: the two layouts cannot be compared")
    return graph(readings, dot_layout), graph(readings, lambda source: None)


def graph(readings: list[Reading], layouter: Layouter = dot_layout) -> GraphPanel:
    return GraphPanel(readings, Links(readings, {}), letters(readings), layouter)


def test_dot_and_columns_show_the_same_ids_and_facts(trace: Trace) -> None:
    with_dot, without = panels(trace)
    assert [c.id for c in with_dot.panel.cells] == [c.id for c in without.panel.cells]
    for step in trace.steps:
        reading = read(step.snapshot)
        assert with_dot.states(reading) == without.states(reading)
        told = {fact for state in without.states(reading).values() for fact in state.facts}
        assert told == {f for f in true_facts(step.snapshot) if f[0] in ("node", "edge")}


def test_no_dot_program_means_columns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dot_layout(dot_source([Place("node-0", "mm", ("mm1",), 80)], [])) is None


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
    places = [Place("node-1", "mm", ("b",), 80), Place("node-0", "mm", ("a",), 90)]
    source = dot_source(places, [("node-1", "node-0"), ("node-0", "node-1")])
    assert source == dot_source(places[::-1], [("node-0", "node-1"), ("node-1", "node-0")])
    assert source.splitlines()[2:] == [
        '"node-0" [id="node-0", label="", width=1.250, height=0.556, fixedsize=true];',
        '"node-1" [id="node-1", label="", width=1.111, height=0.556, fixedsize=true];',
        '"node-0" -> "node-1" [id="node-0--node-1"];',
        '"node-1" -> "node-0" [id="node-1--node-0"];',
        "}",
    ]


@pytest.mark.parametrize("layouter", [dot_layout, lambda _: None])
def test_address_spaces_stand_in_the_order_of_their_numbers(layouter: Layouter) -> None:
    if layouter is dot_layout and shutil.which("dot") is None:
        pytest.skip("needs dot")
    text = "a = spawn\na mmap 0x30000 1\n" + "".join(f"c{at} = fork a\n" for at in range(12))
    made = graph([read(record(text).steps[-1].snapshot)], layouter)
    height = {cell.id: cell.y for cell in made.panel.cells}
    spaces = [place for place in made.places if place.nodes[0].startswith("mm")]
    by_height = sorted(spaces, key=lambda place: height[place.name])
    assert [place.nodes[0] for place in by_height] == [f"mm{number}" for number in range(1, 14)]


def test_columns_go_from_tail_to_head_and_survive_a_cycle() -> None:
    places = [Place(f"node-{at}", "mm", (str(at),), 80) for at in range(3)]
    layout = column_layout(places, [("node-0", "node-1"), ("node-1", "node-2")])
    assert [layout.centres[p.name][0] for p in places] == [40, 150, 260]
    column_layout(places, [("node-0", "node-1"), ("node-1", "node-0"), ("node-2", "node-2")])


def test_a_name_that_dot_would_misread_does_not_reach_it() -> None:
    nodes = (Node('a"];x->y', "mm", 'label "quoted" \\N <b>'), Node("b\n", "k", ""))
    snapshot = Snapshot("d", 1, nodes=nodes, edges=(Edge(nodes[0].id, nodes[1].id, "e"),))
    panel = graph([read(snapshot)])
    told = {f for state in panel.states(read(snapshot)).values() for f in state.facts}
    assert told == {f for f in true_facts(snapshot) if f[0] in ("node", "edge")}


def test_an_edge_to_nowhere_is_left_out_and_harms_nothing() -> None:
    snapshot = Snapshot("d", 1, nodes=(Node("a", "mm", "a"),), edges=(Edge("a", "lost", "e"),))
    assert [c.kind for c in graph([read(snapshot)]).panel.cells] == ["head", "node"]


def test_parallel_nodes_of_a_large_graph_share_a_place() -> None:
    nodes = tuple(Node(f"vma{at}", "vma", f"vma {at}") for at in range(60))
    hub = Node("file1", "file", "file libc")
    edges = tuple(Edge("file1", node.id, "i_mmap") for node in nodes)
    snapshot = Snapshot("d", 1, nodes=(hub, *nodes), edges=edges)
    panel = graph([read(snapshot)])
    assert len(panel.places) == 2
    states = panel.states(read(snapshot))
    assert any("60 vmas" in state.texts for state in states.values())
    told = {f for state in states.values() for f in state.facts}
    assert told == {f for f in true_facts(snapshot) if f[0] in ("node", "edge")}


def test_every_edge_starts_and_ends_at_its_nodes() -> None:
    for panel in panels(sample.lesson()):
        boxes = {c.id: c for c in panel.panel.cells}
        for at, (tail, head) in enumerate(panel.links):
            numbers = [float(n) for n in re.findall(r"-?[\d.]+", boxes[f"edge-{at}"].path)]
            start = boxes[tail]
            assert start.x - 2 <= numbers[0] <= start.x + start.width + 2
            assert start.y - 2 <= numbers[1] <= start.y + start.height + 2
            tips = [
                tuple(map(float, t))
                for t in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", boxes[f"edge-{at}"].path)
            ]
            end = boxes[head]
            assert end.x - 3 <= tips[-1][0] <= end.x + end.width + 3
            assert end.y - 3 <= tips[-1][1] <= end.y + end.height + 3
