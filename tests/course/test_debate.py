"""The debate of 2004: each objection comes out as it was computed by hand, and mails have links."""

from __future__ import annotations

import re

import pytest

from anonlab import learn
from anonlab.course.asking.bank.debate import SAID, TOPICS
from anonlab.course.asking.bank.objections import OBJECTIONS
from anonlab.course.asking.bank.predictions import PREDICTIONS
from anonlab.course.asking.debate_tools import measured_objection
from anonlab.course.authoring.exercises import Course
from anonlab.rmap import DESIGNS

COMPUTED = {
    "malloc": {"anongroup": 6},
    "inherited": {"anongroup": 6, "per_mm_space": 6, "anon_vma": 16},
    "offsets": {"anongroup": 9, "per_mm_space": 8},
    "reading": {"anongroup": 8, "anonmm": 8},
    "swapped": {"anongroup": 8, "anonmm": 8},
    "merging": dict.fromkeys(("per_mm_space", "anon_vma", "anon_vma_chain", "cow_context"), 2),
    "vma": {"pte_chain": 9, "anongroup": 9, "anonmm": 9},
    "strangers": {"anongroup": 36},
}
"""Worked out by hand from what each design keeps; all other designs have the least number."""
LEAST = {"reading": 0, "swapped": 0, "vma": 0, "strangers": 4}


@pytest.mark.parametrize("name", OBJECTIONS)
def test_an_objection_comes_out_as_it_was_worked_out_by_hand(name: str) -> None:
    wanted = {**dict.fromkeys(DESIGNS, LEAST.get(name, 1)), **COMPUTED[name]}
    found = measured_objection(name)
    assert found == wanted
    stands_out = {design for design, number in found.items() if OBJECTIONS[name].stands_out(number)}
    assert stands_out == set(COMPUTED[name])


def test_every_objection_is_asked_before_it_is_tried(course: Course) -> None:
    for name in OBJECTIONS:
        assert f"11 {name}" in PREDICTIONS
        card = learn.objection(name)
        assert card.verdict == {}
        assert OBJECTIONS[name].verdict not in repr(card)
    card.lock([[list(DESIGNS).index("anongroup")]])
    assert OBJECTIONS[name].verdict in card.verdict["said"]
    assert [row["right"] for row in card.verdict["parts"]] == [True]
    again = learn.objection(name)
    assert again.verdict["said"] == card.verdict["said"]


def test_an_answer_may_be_typed(course: Course) -> None:
    said = repr(learn.objection("vma", "pte_chain, anongroup, anonmm"))
    assert "9 for pte_chain, anongroup and anonmm, 0 for the others." in said
    assert OBJECTIONS["vma"].verdict in said


def test_every_mail_has_a_topic_a_day_and_a_link_that_can_be_followed() -> None:
    for said in SAID:
        assert said.topic in TOPICS
        assert re.fullmatch(r"\d{1,2} (Feb 2003|Mar 2004|May 2004)", said.when)
        assert re.fullmatch(r"https://lore\.kernel\.org/r/[\w.@%-]+", said.url)
    for topic in TOPICS:
        note = learn.debate(topic)
        shown, drawn = repr(note), note._repr_html_()
        for said in SAID:
            assert (said.url in shown) == (said.topic == topic)
            assert (said.url in drawn) == (said.topic == topic)


def test_what_is_not_there_is_named_with_what_is() -> None:
    assert "topic is one of price" in repr(learn.debate("weather"))
    assert "objection is one of malloc" in repr(learn.objection("weather"))
