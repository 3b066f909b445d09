"""The widget: what it sends, what comes back, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sample
from traitlets import TraitError

from anonlab.formats.trace import Trace
from anonlab.view.player.player import Player


def test_what_is_sent_is_plain_json() -> None:
    player = Player(sample.lesson(), title="T", tabs=["rmap", "text"])
    sent = json.loads(json.dumps(player.frames))
    assert (sent["title"], sent["tabs"], len(sent["steps"])) == ("T", ["rmap", "text"], 15)
    assert set(player.trait_names(sync=True)) >= {"frames", "step", "chosen", "predictions"}


def test_step_can_be_set_and_watched_but_not_past_the_ends() -> None:
    player = Player(sample.lesson())
    seen: list[int] = []
    player.observe(lambda change: seen.append(change["new"]), "step")
    player.step = 7
    assert seen == [7]
    for wrong in (-1, 15):
        with pytest.raises(TraitError, match=f"steps 0 to 14, got {wrong}"):
            player.step = wrong
    assert player.step == 7


def test_a_trace_without_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="has no steps"):
        Player(Trace("empty", ()))


@pytest.mark.parametrize("wrong", [0, 15, -1])
def test_predict_must_name_steps(wrong: int) -> None:
    with pytest.raises(ValueError, match=f"before steps 1 to 14 of this trace, got {wrong}"):
        Player(sample.lesson(), predict=[wrong])


def test_a_tab_must_be_one_that_there_is() -> None:
    with pytest.raises(ValueError, match="the tabs are rmap, cost, .*; got 'costs'"):
        Player(sample.lesson(), tabs=["costs"])


def test_answers_are_kept_and_where_is_said() -> None:
    kept: list[Any] = []

    def keep(answers: Any) -> str:
        kept.append(dict(answers))
        if len(kept) == 3:
            raise OSError("the disk is full")
        return "Kept."

    player = Player(sample.lesson(), predict=[10], predictions={"4": {"hit": ["f1"]}}, keep=keep)
    assert (kept, player.keeping) == ([{"4": {"hit": ["f1"]}}], "Kept.")
    player.predictions = {**player.predictions, "10": {"hit": ["f3"]}}
    assert kept[1].keys() == {"4", "10"}
    player.predictions = {}
    assert player.keeping == "Not kept: the disk is full"


def test_a_card_without_a_truth_is_judged_in_python() -> None:
    card = {"name": "q", "title": "Q", "ask": "?", "parts": [{"kind": "text", "text": "why"}]}
    player = Player(
        sample.lesson(), cards={5: card}, judge=lambda step, answers: {"said": f"{step} {answers}"}
    )
    assert player.frames["ask"] == {"5": card}
    player.wanted = ["judge", 5, ["because"], 17]
    assert player.verdict == {"said": "5 ['because']", "number": 17}


def test_another_trace_is_shown_in_the_same_place() -> None:
    player = Player(sample.lesson())
    player.step = 14
    shorter = Trace("shorter", sample.lesson().steps[:5])
    player.play(shorter)
    assert (player.step, player.frames["title"]) == (4, "shorter")


def test_the_page_of_a_player_holds_its_questions_and_tabs(tmp_path: Path) -> None:
    player = Player(sample.lesson(), title="Mine", predict=[10], tabs=["cost"])
    text = player.save_html(tmp_path / "a.html").read_text("utf-8")
    assert text == player.html()
    assert '"tabs":["cost"]' in text
    assert '"ask":{"10":' in text


def test_a_notebook_keeps_a_picture_and_a_link_where_widgets_cannot_live() -> None:
    player = Player(sample.lesson(), title="Mine & yours", page=Path("a b.html"))
    static = player._static()
    assert "Mine &amp; yours: the last of 15 steps" in static["text/html"]
    assert 'href="a b.html"' in static["text/html"]
    assert "<svg" in static["text/html"]
    assert static["text/plain"].splitlines()[1].startswith("Machine lesson")
