"""Scenes: what is right is what the simulated machine does, and answers are kept once."""

from __future__ import annotations

import re

import pytest
from project import ROOT

from anonlab import learn
from anonlab.course.asking.bank.scenes import SCENES
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.asking.scenes import made
from anonlab.course.authoring.exercises import Course
from anonlab.kernel import Kernel

ASKED = re.compile(r'\bscene\("([^"]+)"\)')


def test_every_scene_is_in_a_notebook_and_the_other_way_round() -> None:
    sources = (path.read_text("utf-8") for path in (ROOT / "notebooks" / "source").glob("*.py"))
    assert {name for text in sources for name in ASKED.findall(text)} == set(SCENES)


def test_the_truths_of_the_first_scene_are_those_of_a_machine_driven_by_hand() -> None:
    kernel = Kernel(frames=16)
    shell = kernel.spawn("shell")
    shell.mmap(4096, at=0x30000)
    shell.write(0x30000, 7)
    child = shell.fork("child")
    users = {process.name for process, _ in kernel.mappers(1)}
    was = {who.name: who.page(0x30000).pfn for who in (shell, child)}
    child.write(0x30000, 9)
    moved = [who.name for who in (shell, child) if who.page(0x30000).pfn != was[who.name]]
    free = kernel.mem_map.nfree
    shell.write(0x30000, 5)
    _, cards = made("00 who uses it")
    first, second = cards.values()
    use, new = first["parts"]
    assert {use["options"][at] for at in use["truth"]} == users
    assert [new["options"][new["truth"]]] == moved
    assert second["parts"][0]["truth"] == free - kernel.mem_map.nfree


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_opens_before_its_first_question_and_each_wrong_option_is_answered(
    name: str,
) -> None:
    trace, cards = made(name)
    assert trace.steps[0].level == "op"
    assert all(0 < step < len(trace.steps) for step in cards)
    for card in cards.values():
        assert card["explain"]
        for part in card["parts"]:
            options = range(len(part.get("options", ())))
            wrong = [str(at) for at in options if at != part["truth"]]
            assert "else" in part["why"] or set(wrong) <= set(part["why"])


def test_answers_are_kept_with_what_was_right_and_the_first_counts(course: Course) -> None:
    player = learn.scene("00 who uses it")
    step = next(iter(made("00 who uses it")[1]))
    player.predictions = {str(step): {"answers": [[1, 0], 0], "marks": []}}
    player.predictions = {str(step): {"answers": [None, None], "gave_up": True}}
    event = ProgressLog(course.root).events("scene")
    assert [(one["said"], one["right"], one["of"]) for one in event] == [
        ("child, shell, shell", 1, 2)
    ]
    assert learn.scene("00 who uses it").predictions[str(step)]["answers"] == [[1, 0], 0]
    assert "00 who uses it: you said child, shell, shell (1 of 2 right)" in repr(
        learn.predicted("00")
    )


def test_an_unknown_scene_is_named() -> None:
    with pytest.raises(ValueError, match="there is no scene '00 nothing'; there are 00 first look"):
        learn.scene("00 nothing")


def test_a_scene_runs_under_the_rule_of_its_year() -> None:
    """The frame that the child's pipe holds: with the secret under the rule of 2005 alone."""
    for name, secret in (("12 leak", "99"), ("12 leak mended", "7")):
        (card,) = made(name)[1].values()
        assert card["parts"][0]["options"][card["parts"][0]["truth"]] == secret
