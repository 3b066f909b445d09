"""A reverse map as plain data: equal graphs are equal, whatever numbers a kernel gave."""

from __future__ import annotations

import itertools
import json

import pytest

from anonlab.errors import FormatError
from anonlab.formats.history_text import parse
from anonlab.formats.rmap_graph import (
    AnonVmaFact,
    AreaFact,
    PageFact,
    RmapGraph,
    differences,
    renumbered,
)
from anonlab.formats.rmap_recording import RmapRecording

PAGES = [PageFact((("a", 48), ("b", 64)), 0, 48, 2), PageFact((("b", 65),), 1, 49, 1)]


def graph(old: int, new: int) -> RmapGraph:
    """A parent a, a child b that moved, with any numbers for the two anon_vmas."""
    anons = {
        old: AnonVmaFact(old, old, old, 2, 1, 2),
        new: AnonVmaFact(new, old, old, 0, 1, 1),
    }
    areas = [AreaFact("b", 64, 2, 48, (new, old), new), AreaFact("a", 48, 2, 48, (old,), old)]
    pages = [PAGES[1]._replace(home=new), PAGES[0]._replace(home=old)]
    return renumbered(anons, areas, pages)


def test_numbers_follow_from_the_graph_alone() -> None:
    graphs = [graph(*pair) for pair in itertools.permutations((0, 3, 9), 2)]
    assert all(each == graphs[0] for each in graphs)
    assert [anon.parent for anon in graphs[0].anon_vmas] == [0, 0]
    assert graphs[0].areas[1].chain == (0, 1)


def test_candidates_are_the_areas_on_the_home_that_have_the_index() -> None:
    one = graph(0, 1)
    assert one.candidates(PAGES[0]) == (("a", 48), ("b", 64))
    assert one.candidates(PAGES[1]) == (("b", 65),)
    assert one.candidates(PAGES[0]._replace(page_index=50)) == ()


def test_a_graph_survives_json() -> None:
    one = graph(0, 1)
    assert RmapGraph.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_what_differs_is_told_thing_by_thing() -> None:
    one = graph(0, 1)
    plain = one.to_json()
    plain["pages"][0][3] = 1
    other = RmapGraph.from_json(plain)
    assert differences(one, one) == []
    assert len(differences(one, other)) == 2
    assert "mapcount=1" in differences(one, other)[1]


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("anon_vmas", 7, "lists of rows"),
        ("anon_vmas", [[0, 0, 0]], r"a row of a reverse map is \[int, int, int, int, int, int\]"),
        ("anon_vmas", [[0, 0, 0, 1, 1, True]], "a row of a reverse map"),
        ("areas", [["a", 48, 2, 48, ["x"], 0]], "a row of a reverse map"),
        ("areas", [[5, 48, 2, 48, [0], 0]], "a row of a reverse map"),
        ("pages", [[[["a"]], 0, 48, 1]], "a row of a reverse map"),
    ],
)
def test_a_graph_that_is_none_is_refused_with_the_row(field, value, complaint) -> None:
    with pytest.raises(FormatError, match=complaint):
        RmapGraph.from_json({**graph(0, 1).to_json(), field: value})


def test_a_graph_has_three_fields() -> None:
    with pytest.raises(FormatError, match="has anon_vmas, areas and pages"):
        RmapGraph.from_json({"areas": []})


HISTORY = parse("a = spawn\na mmap 0x30000 1\n")
RECORDING = RmapRecording({"release": "6.18.44"}, HISTORY, (RmapGraph(), graph(0, 1)))


def test_a_recording_survives_json() -> None:
    assert RmapRecording.loads(RECORDING.dumps()) == RECORDING


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"version": 2}, "version 2 is not known here"),
        ({"format": "anonlab-recording"}, "expected an object with format"),
        ({"kernel": 6}, "field .kernel. must be dict, got 6"),
        ({"history": [1]}, "a history line must be str, got 1"),
        ({"history": ["a eats"]}, "line 1: "),
        ({"graphs": []}, "a graph for each of 2 operations, this one has 0"),
        ({"graphs": [{}, {}]}, "has anon_vmas, areas and pages"),
    ],
)
def test_a_file_that_is_no_recording_is_refused(change, complaint) -> None:
    with pytest.raises(FormatError, match=complaint):
        RmapRecording.from_json({**json.loads(RECORDING.dumps()), **change})
