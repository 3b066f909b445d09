"""The browser adds a payload up to the snapshots, at every step, forward and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

import anonlab.view.stage
from anonlab import record
from anonlab.formats.trace import Trace
from anonlab.histories.generate import generate
from anonlab.machine.words import PAGE_FLAGS
from anonlab.rmap import DESIGNS
from anonlab.view import facts
from anonlab.view.story.payload import payload

STAGE = Path(anonlab.view.stage.__file__).parent
FILES = ("words.js", "moment.js", "differences.js", "story.js")
FACTS = (Path(__file__).parent / "facts_of_moment.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def call(browser: Any) -> Iterator[Any]:
    """Evaluate a function of (story, given) for a payload."""
    page = browser.new_page()
    source = "".join((STAGE / name).read_text(encoding="utf-8") for name in FILES)
    flags = json.dumps(PAGE_FLAGS)
    page.add_script_tag(content=f"const WORDS = {{}};const PAGE_FLAGS = {flags};{source}{FACTS}")

    def run(made: Any, function: str, given: Any = None) -> Any:
        script = f"([made, given]) => ({function})(openStory(JSON.parse(made)), given)"
        return page.evaluate(script, [json.dumps(made), given])

    yield run
    page.close()


def said(call: Any, trace: Trace, order: list[int]) -> list[list[list[str]]]:
    """The facts of moments, in the order asked for."""
    found: list[list[list[str]]] = call(
        payload(trace), "(story, order) => order.map((i) => factsOf(story, story.moment(i)))", order
    )
    return found


def equal_everywhere(call: Any, trace: Trace, seed: int = 0) -> None:
    steps = list(range(len(trace.steps)))
    order = [*steps, *reversed(steps), *Random(seed).sample(steps, len(steps))]
    for number, moment in zip(order, said(call, trace, order), strict=True):
        assert set(map(tuple, moment)) == facts(trace.steps[number].snapshot), number


def test_every_trace_at_hand_is_the_same_in_the_browser(call: Any, trace: Trace) -> None:
    equal_everywhere(call, trace)


@pytest.mark.parametrize("design", DESIGNS)
def test_random_histories_are_the_same_under_every_design(call: Any, design: str) -> None:
    equal_everywhere(call, record(generate(11, 50), design), 11)


def test_signs_are_those_of_entries_and_frames_that_differ(call: Any) -> None:
    """Brute force: compare both whole moments."""
    trace = record(generate(3, 60))
    found = call(
        payload(trace),
        """(story) => Array.from({length: story.last + 1}, (_, i) => {
            const signs = Object.fromEntries(story.changes(i).signs);
            return signs; })""",
    )
    before: dict[str, Any] = {}
    for number, step in enumerate(trace.steps):
        now = shown(step.snapshot)
        true = {
            key: "G" if key not in now else "N" if key not in before else "C"
            for key in before.keys() | now.keys()
            if before.get(key) != now.get(key)
        }
        assert found[number] == (true if number else {}), number
        before = now


def shown(snapshot: Any) -> dict[str, Any]:
    """{key: what a picture shows of it} of entries, frames, swap slots and address spaces."""
    out: dict[str, Any] = {}
    for kind, *fact in facts(snapshot):
        if kind == "pte":
            letters = fact[-1] if fact[2] == "frame" else ""
            out[f"p{fact[0]}-{int(fact[1], 16) >> 12}"] = (*fact[:4], "W" in letters)
        elif kind == "frame":
            out[f"f{fact[0]}"] = (*fact[:6], fact[7])
        elif kind == "slot":
            out[f"s{fact[0]}"] = fact
        elif kind == "mm":
            out[f"m{fact[0]}"] = True
    return out
