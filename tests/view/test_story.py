"""The browser adds a payload up to the snapshots, at every step, forward and back."""

from __future__ import annotations

import re
from itertools import chain
from random import Random
from typing import Any

import pytest
from traces_at_hand import every_trace
from true_changes import signs

from anonlab import record
from anonlab.formats.catalogue import current
from anonlab.formats.labels import LABELS
from anonlab.formats.trace import Trace
from anonlab.histories.generate import generate
from anonlab.rmap import DESIGNS
from anonlab.view import facts
from anonlab.view.story.payload import TABS, payload
from anonlab.view.story.words import step_words


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


# ---- what steps say

OF_THE_MAP = re.compile(r"\b(groups?|index|mapping\)|mapcount|reverse map|member)\b")
"""Words of what only the reverse-map tab draws."""


def test_a_write_says_which_value_goes_where() -> None:
    text = """
a = spawn
a mmap 0x30000 4
a write 0x30000 7
a write 0x31000 5 3
a write 0x30000 9223372036854775807
"""
    said = [step.sentence for step in record(text).steps if step.label == "write"]
    assert said == [
        "a writes 7 at 0x30000.",
        "a writes 3 pages from 0x31000 to 0x33000: first and last get 5 and 7.",
        "a writes 0x7fffffffffffffff at 0x30000.",
    ]


@pytest.mark.parametrize("tabs", [TABS, ("cost", "text"), ()], ids=str)
def test_the_browser_says_of_every_step_what_python_says(
    on_story: Any, tabs: tuple[str, ...]
) -> None:
    story = """(story) => story.payload.steps.map((_, i) => story.step(i))
        .map(({ title, sentence }) => [title, sentence])"""
    random = [record(generate(5, 60, swap=12), design) for design in DESIGNS]
    for trace in chain(every_trace().values(), random):
        told = on_story(payload(trace, tabs=tabs), story)
        assert told == [list(step_words(step, tabs)) for step in trace.steps]


def test_where_no_tab_shows_the_reverse_map_nothing_speaks_of_it() -> None:
    random = [record(generate(seed, 200, swap=12)) for seed in (5, 6)]
    library = [trace for trace in every_trace().values() if trace.steps[-1].template[0]]
    steps = [step for trace in (*library, *random) for step in trace.steps]
    plain = {key for key in LABELS if f"plain.{key}" in current().words}
    assert {step.label for step in steps} >= plain - {"pin"}
    wrong = {" ".join(words) for words in (step_words(step, ()) for step in steps)
             if OF_THE_MAP.search(" ".join(words))}  # fmt: skip
    assert wrong == set()
