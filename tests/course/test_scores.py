"""A prediction is compared with what happened, element by element."""

from __future__ import annotations

import pytest

from anonlab.course.asking.scores import Score, score


@pytest.mark.parametrize("said", ["0, 1, 3", [0, 1, 3], "0 then 1, and 3 in the end"])
def test_numbers_count_place_by_place(said: object) -> None:
    found = score(said, [0, 1, 2])
    assert found == Score(("0", "1"), ("2 at place 3, not 3",), ())
    assert (len(found.hits), found.total) == (2, 3)


def test_places_that_are_missing_or_too_many() -> None:
    few, many = score("1", [1, 2]), score("1 2 3", [1, 2])
    assert few == Score(("1",), ("2 at place 2, not nothing",), ())
    assert many == Score(("1", "2"), (), ("3",))


def test_a_set_knows_hit_missed_and_too_much() -> None:
    found = score("shell 0x30000, child 0x31000", {"shell 0x30000", "child 0x30000"},
                  {"child 0x31000"})  # fmt: skip
    assert found == Score(("shell 0x30000",), ("child 0x30000",), ("child 0x31000",))
    assert str(found) == (
        "1 of 3 right. right: shell 0x30000; missed: child 0x30000; too much: child 0x31000"
    )


def test_words_are_found_in_a_sentence() -> None:
    found = score("I think that anonmm has it.", {"anonmm", "pte_chain"}, {"anongroup"})
    assert found == Score(("anonmm",), ("pte_chain",), ())
    assert score("the child", "child", ("parent", "nobody")) == Score(("child",), (), ())
    assert score("the parent", "child", ("parent",)) == Score((), ("child (you said parent)",), ())


@pytest.mark.parametrize("said", ["I do not know", "", "?", "several"])
def test_what_cannot_be_recognised_has_no_score(said: str) -> None:
    assert score(said, [1, 2]) is None
    assert score(said, {"anonmm"}, {"anongroup"}) is None


def test_addresses_are_compared_as_addresses() -> None:
    found = score("0x032000 and 0X31000", {"0x31000", "0x32000"})
    assert found == Score(("0x31000", "0x32000"), (), ())
