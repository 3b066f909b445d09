"""The payload adds up to the snapshots: nothing is lost and nothing is invented."""

from __future__ import annotations

from typing import Any

import pytest

from anonlab import record
from anonlab.formats.trace import Trace
from anonlab.histories.generate import generate
from anonlab.machine.words import is_present
from anonlab.rmap import DESIGNS
from anonlab.view.story.payload import Payload, decoded, payload, safe
from anonlab.view.story.reading import read


def true_state(snapshot: Any) -> dict[str, Any]:
    """The state as a payload would say it, from a walk of the snapshot's tables."""
    reading = read(snapshot)
    leaf = snapshot.geometry.levels - 1
    spaces = reading.spaces
    order = ("count", "mapcount", "index", "mapping", "flags", "data", "private")
    return {
        "p": {(mm, vpn): [safe(word)] for mm in spaces for vpn, word in spaces[mm].words.items()},
        "t": {(mm, leaf, at): [row] for mm in spaces for at, row in spaces[mm].leaves.items()}
        | {(mm, *at): [row] for mm in spaces for at, row in spaces[mm].uppers.items()},
        "f": {
            pfn: [safe(int(getattr(snapshot, name)[at])) for name in order]
            for at, pfn in enumerate(snapshot.pfn.tolist())
        },
        "s": {
            int(snapshot.swap_slot[at]): [
                safe(int(getattr(snapshot, name)[at]))
                for name in ("swap_count", "swap_data", "swap_pfn")
            ]
            for at in range(len(snapshot.swap_slot))
        },
        "c": [count for _, count in snapshot.cost],
        **{
            name: list(getattr(snapshot, name))
            for name in ("processes", "mms", "files", "mappings", "nodes", "edges", "walks")
        },
    }


def adds_up(trace: Trace, made: Payload) -> None:
    for number, state in enumerate(decoded(made)):
        assert state == true_state(trace.steps[number].snapshot), number


def test_every_trace_at_hand_adds_up(trace: Trace) -> None:
    adds_up(trace, payload(trace))


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("seed", range(3))
def test_random_histories_add_up_under_every_design(design: str, seed: int) -> None:
    trace = record(generate(seed, 60), design)
    adds_up(trace, payload(trace))


def test_a_slice_of_a_trace_begins_with_its_whole_state() -> None:
    whole = record(generate(5, 40))
    part = Trace("part", whole.steps[20:60:3])
    adds_up(part, payload(part))


def test_a_trace_from_a_file_says_the_same() -> None:
    trace = record(generate(6, 40))
    again = Trace.loads(trace.dumps())
    adds_up(again, payload(again))
    said = [step[9] for step in payload(again)["steps"]]
    assert said == [step.sentence for step in trace.steps]


def test_swapped_entries_are_in_the_histories_above() -> None:
    words = [
        word[0]
        for seed in range(3)
        for state in decoded(payload(record(generate(seed, 60))))
        for word in state["p"].values()
    ]
    assert any(not is_present(word) for word in words)


@pytest.mark.parametrize(
    ("cards", "tabs", "said"),
    [({0: {}}, (), "before steps 1 to 2"), ({}, ("maps",), "the tabs are rmap, cost")],
)
def test_wrong_arguments_are_named(cards: dict[int, Any], tabs: tuple[str, ...], said: str) -> None:
    trace = Trace("short", record(generate(1, 3)).steps[:3])
    with pytest.raises(ValueError, match=said):
        payload(trace, cards=cards, tabs=tabs)
