"""A statement's promises and an exercise's tests belong together; each gap is a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from project import ROOT

from anonlab.course.authoring.contract import contract_problems, unbroken
from anonlab.course.authoring.masters import read_master, read_masters
from anonlab.errors import FormatError

MASTERS = read_masters(ROOT / "solutions")
PROMISES = {"first": ("no order", "test_a"), "short": ("too long", "test_b", "test_c")}


def problems(
    ids: str = "first short",
    promises: Mapping[str, tuple[str, ...]] = PROMISES,
    tests: str = "test_a test_b test_c",
    messages: str = "no order,too long",
) -> list[str]:
    return contract_problems(ids.split(), promises, tests.split(), messages.split(","))


def test_a_contract_that_holds_has_no_problems() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("gap", "says"),
    [
        ({"ids": "first short other"}, "no test is named for the promise [^other]"),
        ({"ids": "first"}, "the statement has no promise [^short]"),
        ({"ids": "first short first"}, "the statement has the promise [^first] twice"),
        ({"tests": "test_a test_b"}, "[^short]: there is no test_c"),
        ({"tests": "test_a test_b test_c test_d"}, "test_d tests what no promise says"),
        ({"messages": "no order"}, "[^short]: no known wrong answer says 'too long'"),
    ],
)
def test_each_gap_is_a_sentence(gap: dict[str, str], says: str) -> None:
    assert says in problems(**gap)


def test_a_promise_is_held_if_one_of_its_tests_fails_for_what_breaks_it() -> None:
    assert unbroken("too long", PROMISES, ["test_c"]) == []
    assert unbroken("too long", PROMISES, ["test_a"]) == ["short"]
    assert unbroken("another", PROMISES, []) == []


def test_students_read_points_and_no_ids(tmp_path: Path) -> None:
    (source,) = (ROOT / "solutions").glob("ex05b_*.py")
    text = source.read_text("utf-8")
    master = read_master(source)
    assert "[=test_is_short] more if the history" in text
    assert "You get 3 more if the history has at most two operations more than ours." in (
        master.header.replace("\n", " ")
    )
    assert not re.search(r"\[[=^]", "".join(each.header + each.stub for each in MASTERS))
    for old, new, says in (
        ("[=test_is_short]", "[=test_gone]", "points of 'test_gone': no such test"),
        ('"kills": (', '"kills": [], "x": (', "promises is {id: "),
    ):
        broken = tmp_path / source.name
        broken.write_text(text.replace(old, new), "utf-8")
        with pytest.raises(FormatError, match=re.escape(says)):
            read_master(broken)


def test_every_statement_promises_something_for_every_test() -> None:
    for master in MASTERS:
        assert len(master.promises) >= 3, master.number
        held = {test for _, *tests in master.promises.values() for test in tests}
        assert held == {*master.public, *master.hidden}, master.number
