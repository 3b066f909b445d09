"""Long traces: chapters that fit, operations first where there are too many steps, and a note."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
import sample
from reading_back import player_facts, true_facts

from anonlab import record
from anonlab.formats.trace import Trace
from anonlab.histories.generate import generate
from anonlab.view import html
from anonlab.view.player.export import MOST_PAGE_BYTES
from anonlab.view.player.payload import MOST_BYTES, TooLarge, size
from anonlab.view.player.player import Player
from anonlab.view.stage import parts as cutting
from anonlab.view.stage.parts import Parts


@cache
def long() -> Trace:
    """A random history of some 500 steps."""
    trace = record(generate(3, 200, frames=24, swap=12))
    assert len(trace.steps) > 450
    return trace


@cache
def medium() -> Trace:
    """The same, shorter: for limits that are lowered."""
    return record(generate(3, 70, frames=24, swap=12))


@cache
def long_parts() -> Parts:
    return Parts(long())


@pytest.mark.slow(pool="sizes of pictures")
def test_500_steps_come_in_chapters_that_keep_the_budget_and_lose_nothing() -> None:
    parts = long_parts()
    assert 1 < len(parts.chapters) < 8
    for one, two in pairwise(parts.chapters):
        assert one[-1] == two[0]
    assert sorted({at for kept in parts.chapters for at in kept}) == list(range(len(long().steps)))
    for number, wanted in enumerate(parts.ids):
        made = parts.part(wanted)
        assert size(made) <= MOST_BYTES
        assert made["kept"] == parts.chapters[number]
        assert made["parts"]["here"] == wanted
        assert [name for name, _ in made["parts"]["list"]] == parts.ids


def test_a_chapter_states_the_facts_of_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MOST_BYTES", 200_000)
    made = Parts(medium()).part("c1")
    for at, told in zip(made["kept"], player_facts(made), strict=True):
        assert set(told) == true_facts(medium().steps[at].snapshot)


@pytest.mark.slow(pool="sizes of pictures")
def test_500_steps_make_a_page_of_all_parts_within_its_budget() -> None:
    page = html(long())
    assert len(page.encode()) <= MOST_PAGE_BYTES
    assert all(f'"{name}":' in page for name in long_parts().ids)


def test_more_steps_than_can_be_shown_are_sampled_by_operation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cutting, "MOST_STEPS", 100)
    parts = Parts(medium())
    shown = [at for kept in parts.chapters for at in kept]
    ends = [at for at, step in enumerate(medium().steps) if step.level == "op"]
    assert sorted(set(shown)) == ends
    note = parts.part("c0")["note"]
    assert note == (
        f"Of {len(medium().steps)} steps only the last one of each operation is shown; "
        "its sub-steps are a click away."
    )


@pytest.mark.slow(pool="sizes of pictures")
def test_5000_steps_keep_the_budgets_with_every_operation_and_its_sub_steps_in_reach() -> None:
    trace = record(generate(3, 2450, frames=24, swap=12))
    assert len(trace.steps) > 5000
    parts = Parts(trace)
    ends = [at for at, step in enumerate(trace.steps) if step.level == "op"]
    assert sorted({at for kept in parts.chapters for at in kept}) == ends
    middle = parts.part(parts.ids[len(parts.ids) // 2])
    assert size(middle) <= MOST_BYTES
    assert middle["note"].startswith(f"Of {len(trace.steps):,} steps only the last one")
    last = [step["more"] for step in middle["steps"] if "more" in step][-1]
    inside = parts.part(last)
    assert size(inside) <= MOST_BYTES
    steps = [trace.steps[at] for at in inside["kept"]]
    assert {step.operation for step in steps[1:]} == {int(last[1:])}
    assert steps[-1].level == "op"
    for step, told in zip(steps, player_facts(inside), strict=True):
        assert set(told) == true_facts(step.snapshot)


def test_the_sub_steps_of_an_operation_are_there_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cutting, "MOST_STEPS", 100)
    parts = Parts(medium())
    first = parts.part("c0")
    step = next(step for step in first["steps"] if "more" in step)
    inside = parts.part(step["more"])
    assert [one["operation"] for one in inside["steps"][1:]] == [step["operation"]] * (
        len(inside["steps"]) - 1
    )
    assert inside["note"] == f"The sub-steps of: {step['text']}"
    chapter, at = inside["parts"]["back"]
    assert parts.part(chapter)["steps"][at]["operation"] == step["operation"]


def test_a_page_of_too_many_operations_shows_some_of_them_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("anonlab.view.player.export.MOST_PAGE_BYTES", 500_000)
    monkeypatch.setattr(cutting, "MOST_STEPS", 100)
    monkeypatch.setattr(cutting, "MOST_BYTES", 200_000)
    page = html(medium())
    assert len(page.encode()) <= 500_000
    assert "the player in a notebook has the rest. This page holds" in page
    with pytest.raises(TooLarge, match="a page holds 500,000: export fewer steps"):
        html(medium(), thin=False)


def test_a_player_shows_a_part_when_the_browser_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MOST_BYTES", 200_000)
    player = Player(medium())
    assert player.kept[0] == 0
    player.wanted = ["c1", -1]
    assert player.kept == tuple(Parts(medium()).chapters[1])
    assert player.step == len(player.kept) - 1
    player.show_part("c0")
    player.wanted = ["c1", -1, 1]
    assert player.kept[0] > 0, "the same wish at another time is another wish"
    with pytest.raises(ValueError, match="this trace has the parts c0, c1"):
        player.show_part("c99")


def test_a_small_trace_has_no_parts_to_choose_from() -> None:
    made = Parts(sample.lesson()).part("c0")
    assert "parts" not in made
    assert made["note"] == ""
