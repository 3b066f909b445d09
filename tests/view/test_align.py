"""Side by side: steps of several designs brought to one sequence, each in its own order."""

from __future__ import annotations

import pytest
import sample

from anonlab import DESIGNS, record
from anonlab.formats.trace import Trace
from anonlab.histories import library
from anonlab.view import save_html
from anonlab.view.charts.counters import cost_series
from anonlab.view.story.align import align

DIFFERENT = ("anongroup", "anon_vma_chain")
"""They take different steps after mremap of shared pages: one copies, one does not."""


def traces(name: str = "mremap_after_fork") -> dict[str, Trace]:
    history = library.load(name)
    return {design: record(history, design) for design in DIFFERENT if design in DESIGNS}


def test_every_step_of_every_design_has_its_place_in_its_own_order() -> None:
    made = align(traces())
    assert len({len(track.at) for track in made.tracks} | {len(made.words)}) == 1
    for track in made.tracks:
        assert list(dict.fromkeys(track.at)) == list(range(len(track.steps)))


def test_common_steps_are_told_once_and_stand_at_the_same_place() -> None:
    made = align(traces())
    ends = [at for at, step in enumerate(made.words) if step.level == "op"]
    for at in ends:
        told = {(track.steps[track.at[at]].operation, track.steps[track.at[at]].label)
                for track in made.tracks}  # fmt: skip
        assert told == {(made.words[at].operation, made.words[at].label)}
    keys = [(step.operation, step.label) for step in made.words]
    assert len([key for key in keys if key[1] == "mremap.copy"]) < len(ends)
    assert max(keys.count(key) for key in keys if "." not in key[1]) == 1


def test_traces_of_two_histories_do_not_stand_side_by_side() -> None:
    one, other = record(library.load("prefork")), record(library.load("first_touch"))
    with pytest.raises(ValueError, match="the trace of b is of another history"):
        align({"a": one, "b": other})


@pytest.mark.parametrize("many", [0, 5])
def test_there_is_room_for_one_to_four(many: int) -> None:
    trace = sample.lesson()
    with pytest.raises(ValueError, match=f"one to 4 traces stand side by side, got {many}"):
        align({str(at): trace for at in range(many)})


# ---- cost over time -------------------------------------------------------------------------


def test_a_series_for_a_chart_has_a_line_for_every_design() -> None:
    played = traces()
    series = cost_series(played, "pages copied")
    assert list(series) == list(played)
    pairs = zip(series["anongroup"], series["anon_vma_chain"], strict=True)
    assert any(copying > moving for copying, moving in pairs)
    with pytest.raises(ValueError, match="there are the counts nodes visited"):
        cost_series(played, "bogomips")


def test_walks_do_not_count_as_work(tmp_path: object) -> None:
    history = library.load("prefork")
    assert record(history, walks=True).steps[-1].snapshot.cost == (
        record(history, walks=False).steps[-1].snapshot.cost
    )


def test_a_page_may_hold_several_designs(tmp_path: object) -> None:
    from pathlib import Path

    target = save_html(traces(), Path(str(tmp_path)) / "two.html")
    text = target.read_text(encoding="utf-8")
    assert all(f"<h3>{design}</h3>" in text for design in traces())
