"""Every belief has a question that says it, wrongly, in its own words, and a scene or a reason."""

from __future__ import annotations

import re
from typing import Any

import pytest
from project import ROOT

from anonlab import learn
from anonlab.course.asking.bank import QUESTIONS
from anonlab.course.asking.bank.beliefs import BELIEFS
from anonlab.course.asking.bank.beliefs_later import LATER
from anonlab.course.asking.bank.misconceptions import MISCONCEPTIONS, Misconception
from anonlab.course.asking.bank.scenes import SCENES
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.asking.questions import Choice
from anonlab.course.authoring.exercises import Course

ROWS = 28
"""15 of teaching, 11 that were found voiced, 2 that are likely."""
BY_HAND = {
    "03 touch": "0", "03 zeros": "1", "04 not present": "1", "03 mapcount": "how many",
    "03 fault": "fault", "04 memory": "0", "04 image": "tables", "05 shared memory": "9",
    "05 read-only": "copy", "05 the child": "p", "05 owner": "c", "05 once more": "0",
    "05 one word": "1", "05 two copies": "9", "05 grandchild": "1", "05 address": "same",
    "05 thread": "0", "05 room": "ENOMEM", "06 exit": "0", "06 execve": "2", "06 the parent": "4",
    "07 index": "both", "08 one number": "1", "08 knows": "0", "08 belongs": "3",
    "08 candidate": "1", "08 first": "3", "06 overcommit": "6",
}  # fmt: skip
"""What is right, from the sources that are named in the table, not from the machine."""


def test_all_rows_are_there_once() -> None:
    assert [row.number for row in MISCONCEPTIONS] == list(range(1, ROWS + 1))
    assert {row.question for row in MISCONCEPTIONS} == {*BELIEFS, *LATER}


@pytest.mark.parametrize("row", MISCONCEPTIONS, ids=lambda row: str(row.number))
def test_a_wrong_option_says_the_belief_in_its_own_words(row: Misconception) -> None:
    question = QUESTIONS[row.question]
    assert isinstance(question, Choice)
    (option,) = [each for each in question.options if each.value == row.value]
    assert row.thought in option.text
    assert option.why
    right = question.options[ord(question.right()) - ord("a")]
    assert right.value == BY_HAND[row.question] != row.value


@pytest.mark.parametrize("row", MISCONCEPTIONS, ids=lambda row: str(row.number))
def test_a_scene_shows_what_is_so_or_a_reason_says_why_not(row: Misconception) -> None:
    assert bool(row.scene) != bool(row.reason), row.thought
    assert row.scene in {"", *SCENES}


def test_the_place_of_an_option_does_not_tell_what_is_right() -> None:
    places = [question.right() for question in {**BELIEFS, **LATER}.values()]
    assert max(places.count(each) for each in set(places)) <= 0.6 * len(places)


def test_beliefs_are_asked_judged_and_kept_by_the_name_of_their_question(course: Course) -> None:
    assert "1. A server has written three pages" in repr(learn.beliefs("6"))
    said = repr(learn.beliefs("06", "b?ba"))
    assert "not so  1. b: The worker still uses them." in said
    assert "not so  2. The answer is b." in said
    assert "right   3. b: The shell has all that it had." in said
    assert "1 of 4 right." in said
    assert len(ProgressLog(course.root).events("answer", name="06 exit")) == 1
    card: Any = learn.beliefs("06")
    card.lock([0, 1, None, 0])
    assert [part["right"] for part in card.verdict["parts"]] == [True, True, False, False]
    assert card.verdict["parts"][0]["why"] == "A page is free when its last user has gone."
    assert len(ProgressLog(course.root).events("answer", name="06 exit")) == 2


@pytest.mark.parametrize(
    ("notebook", "given", "says"),
    [("06", "ab", "4 letters are asked for"), ("06", "abza", "no option 'z'"), ("99", ..., "'99'")],
)
def test_answers_that_cannot_be_read_are_told_and_none_is_kept(
    course: Course, notebook: str, given: Any, says: str
) -> None:
    assert says in repr(learn.beliefs(notebook, given))
    assert not ProgressLog(course.root).events("answer")


def test_each_notebook_with_beliefs_asks_them() -> None:
    asked = {
        name
        for path in (ROOT / "notebooks" / "source").glob("*.py")
        for name in re.findall(r'^beliefs\("(\d\d)"\)', path.read_text("utf-8"), re.MULTILINE)
    }
    assert asked == {name.split()[0] for name in (*BELIEFS, *LATER)}
