"""What changed, in sentences: the truth about them, and that the browser says the same."""

from __future__ import annotations

from typing import Any

import pytest
import sample
from reading_back import true_facts

from anonlab import record
from anonlab.formats.trace import Trace
from anonlab.histories.generate import generate
from anonlab.rmap import DESIGNS
from anonlab.view import changes
from anonlab.view.story.payload import payload

pytestmark = pytest.mark.xdist_group("javascript")
LINES = "(story) => Array.from({length: story.last + 1}, (_, i) => changeLines(story, i))"


def said(at: int) -> list[str]:
    steps = sample.lesson().steps
    return [f"{c.sign} {c.sentence}" for c in changes(steps[at - 1].snapshot, steps[at].snapshot)]


def test_a_copy_on_write_is_told_in_three_sentences() -> None:
    assert said(10) == [
        "~ child: page 0x30000: now frame 7, writable (was frame 3, read-only)",
        "~ frame 3: count 2 → 1, mapcount 2 → 1",
        "+ frame 7: in use, group 1, mapcount 1",
    ]


def test_a_node_is_told_fact_by_fact() -> None:
    trace = record("a = spawn\na mmap 0x30000 1\na write 0x30000 1\nb = fork a\n", "anongroup")
    pairs = zip(trace.steps, trace.steps[1:], strict=False)
    told = [c.sentence for one, two in pairs for c in changes(one.snapshot, two.snapshot)]
    assert "node group1: mms 1 → 2" in told


def test_neighbouring_pages_share_a_sentence() -> None:
    assert (
        "~ shell: 3 pages from 0x30000: "
        "now frames from 3, read-only (was frames from 3, writable)" in said(8)
    )


def test_nothing_changed_is_told_by_an_empty_list(trace: Trace) -> None:
    for step in trace.steps:
        assert changes(step.snapshot, step.snapshot) == []


def test_every_changed_thing_is_told(trace: Trace) -> None:
    silent = {"machine", "cost", "walk"}
    for one, two in zip(trace.steps, trace.steps[1:], strict=False):
        told = changes(one.snapshot, two.snapshot)
        different = true_facts(one.snapshot) ^ true_facts(two.snapshot)
        assert bool(told) == bool({fact[0] for fact in different} - silent)
        assert {change.key[0] for change in told} == {f[0] for f in different} - silent


def equal_at_every_step(on_story: Any, trace: Trace) -> None:
    told = on_story(payload(trace), LINES)
    before = None
    for number, (step, lines) in enumerate(zip(trace.steps, told, strict=True)):
        true = changes(before.snapshot, step.snapshot) if before else []
        assert lines == [[change.sign, change.sentence] for change in true], number
        before = step


def test_every_trace_at_hand_changes_alike_in_the_browser(on_story: Any, trace: Trace) -> None:
    equal_at_every_step(on_story, trace)


@pytest.mark.parametrize("design", DESIGNS)
def test_random_histories_change_alike_under_every_design(on_story: Any, design: str) -> None:
    equal_at_every_step(on_story, record(generate(7, 50, swap=12), design))
