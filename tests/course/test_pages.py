"""A history as a page: whole where it fits, else the moments that matter, and it says so."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from anonlab.course.authoring import pages
from anonlab.course.authoring.pages import MOMENTS, history_page
from anonlab.formats.history import History, Op
from anonlab.formats.history_text import parse
from anonlab.recording.recorder import record

STORY = """
shell = spawn
shell mmap 0x30000 4
shell write 0x30000 7
child = fork shell
child write 0x30000 9
child exit
"""


def frames(page: str) -> dict[str, Any]:
    """What the player in `page` shows."""
    found = re.search(r'id="anonlab-state">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])["frames"]


def test_a_short_history_is_shown_whole() -> None:
    history = parse(STORY, "a fork")
    made = frames(history_page(history))
    assert [step["label"] for step in made["steps"]] == [s.label for s in record(history).steps]
    assert made["title"] == "a fork"


def test_a_longer_one_keeps_the_ends_of_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    history = parse(STORY, "a fork")
    trace = record(history)
    ends = [step.label for step in trace.steps if step.level == "op"]
    monkeypatch.setattr(pages, "MOST_STEPS", len(ends))
    made = frames(history_page(history))
    assert [step["label"] for step in made["steps"]] == ends
    assert made["title"] == f"a fork: {len(ends)} of {len(trace.steps)} steps"


def test_a_long_one_keeps_moments_and_then_the_first_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = parse(STORY, "a fork")
    moments = [step.label for step in record(history).steps if step.label in MOMENTS]
    assert moments == ["start", "fork", "fault.wp_copy", "exit"]
    monkeypatch.setattr(pages, "MOST_STEPS", 4)
    assert [step["label"] for step in frames(history_page(history))["steps"]] == moments
    monkeypatch.setattr(pages, "MOST_STEPS", 3)
    assert [step["label"] for step in frames(history_page(history))["steps"]] == moments[:2]


def test_a_history_beyond_all_measure_is_refused_before_it_is_recorded() -> None:
    many = History((Op("spawn", "shell", {}), *[Op("swapoff", "", {})] * 2000))
    with pytest.raises(ValueError, match=r"up to 2,000 operations, this one has 2,001"):
        history_page(many)
