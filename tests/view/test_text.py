"""The text twin: the browser says what Python says, string for string."""

from __future__ import annotations

from typing import Any

import pytest

from anonlab import record
from anonlab.formats.trace import Trace
from anonlab.histories.generate import generate
from anonlab.rmap import DESIGNS
from anonlab.view import text_twin
from anonlab.view.story.payload import payload

pytestmark = pytest.mark.xdist_group("javascript")
TWINS = """(story) => Array.from({length: story.last + 1},
    (_, i) => twinLines(story.moment(i), story).join("\\n") + "\\n")"""


def equal_at_every_step(on_story: Any, trace: Trace) -> None:
    told = on_story(payload(trace), TWINS)
    for number, (step, text) in enumerate(zip(trace.steps, told, strict=True)):
        assert text == text_twin(step.snapshot), number


def test_every_trace_at_hand_reads_the_same(on_story: Any, trace: Trace) -> None:
    equal_at_every_step(on_story, trace)


@pytest.mark.parametrize("design", DESIGNS)
def test_random_histories_read_the_same_under_every_design(on_story: Any, design: str) -> None:
    equal_at_every_step(on_story, record(generate(5, 50, swap=12), design, walks=True))
