"""The browser adds a payload up to the snapshots, at every step, forward and back."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from true_changes import signs

from anonlab import record
from anonlab.formats.trace import Trace
from anonlab.histories.generate import generate
from anonlab.rmap import DESIGNS
from anonlab.view import facts
from anonlab.view.story.payload import payload


def said(on_story: Any, trace: Trace, order: list[int]) -> list[list[list[str]]]:
    """The facts of moments, in the order asked for."""
    found: list[list[list[str]]] = on_story(
        payload(trace), "(story, order) => order.map((i) => factsOf(story, story.moment(i)))", order
    )
    return found


def equal_everywhere(on_story: Any, trace: Trace, seed: int = 0) -> None:
    steps = list(range(len(trace.steps)))
    order = [*steps, *reversed(steps), *Random(seed).sample(steps, len(steps))]
    for number, moment in zip(order, said(on_story, trace, order), strict=True):
        assert set(map(tuple, moment)) == facts(trace.steps[number].snapshot), number


def test_every_trace_at_hand_is_the_same_in_the_browser(on_story: Any, trace: Trace) -> None:
    equal_everywhere(on_story, trace)


@pytest.mark.parametrize("design", DESIGNS)
def test_random_histories_are_the_same_under_every_design(on_story: Any, design: str) -> None:
    equal_everywhere(on_story, record(generate(11, 50), design), 11)


def test_signs_are_those_of_entries_and_frames_that_differ(on_story: Any) -> None:
    """Brute force: compare both whole moments."""
    trace = record(generate(3, 60))
    found = on_story(
        payload(trace),
        """(story) => Array.from({length: story.last + 1}, (_, i) => {
            const signs = Object.fromEntries(story.changes(i).signs);
            return signs; })""",
    )
    assert found == signs(trace)
