from __future__ import annotations

import contextlib
import json
import re

import pytest
from history_strategies import histories
from hypothesis import given, settings
from hypothesis import strategies as st

from anonlab.errors import FormatError
from anonlab.formats.history import History, Op
from anonlab.formats.history_text import parse


@settings(deadline=None)
@given(histories())
def test_json_makes_the_round_trip_lines_included(history):
    again = History.loads(history.dumps())
    assert again == history
    assert [op.line for op in again.ops] == [op.line for op in history.ops]


def test_format_and_version_are_written():
    plain = parse("a = spawn").to_json()
    assert plain["format"] == "anonlab-history"
    assert plain["version"] == 1


def broken(**changes: object) -> str:
    return json.dumps({**parse("a = spawn\na exit").to_json(), **changes})


SPAWN = {"verb": "spawn", "who": "a", "args": {}, "line": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[", "line 1: not JSON"),
        ("[]", "expected an object with format 'anonlab-history'"),
        ('{"format": "anonlab-trace"}', "got 'anonlab-trace'"),
        (broken(version=2), "version 2 is not known here; this anonlab reads version 1"),
        (broken(version=None), "version None"),
        (broken(colour="red"), "the fields are format, version, title, machine, ops"),
        (broken(title=3), "title must be str, got 3"),
        (broken(machine={"geometry": "lesson"}), "machine: the fields are geometry, frames, swap"),
        (broken(machine={"geometry": "moon", "frames": 9, "swap": 9}), "unknown machine 'moon'"),
        (broken(machine={"geometry": "lesson", "frames": True, "swap": 9}), "frames must be int"),
        (broken(ops=[3]), "operation 0: the fields are verb, who, args, line"),
        (broken(ops=[{**SPAWN, "verb": "jump"}]), "operation 0: unknown verb 'jump'"),
        (broken(ops=[{**SPAWN, "args": {"x": 1}}]), "operation 0: spawn has no argument 'x'"),
        (broken(ops=[SPAWN, SPAWN]), "operation 1: 'a' is already a process"),
        (broken(ops=[SPAWN, {**SPAWN, "verb": "read", "args": {"addr": "1"}}]), "addr must be a"),
        (broken(ops=[{**SPAWN, "verb": "exit"}]), "there is no process 'a' yet"),
    ],
)
def test_what_is_wrong_with_a_json_history_is_said(text, problem):
    with pytest.raises(FormatError, match=re.escape(problem)):
        History.loads(text)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.sampled_from(["title", "machine", "ops"]), PLAIN), PLAIN)
def test_any_json_is_a_history_or_a_format_error(changes, anything):
    good = parse("a = spawn\na exit").to_json()
    op = {"verb": anything, "who": "a", "args": anything, "line": 1}
    for plain in (
        {**good, **changes},
        {**good, "ops": [anything]},
        {**good, "ops": [op]},
        anything,
    ):
        with contextlib.suppress(FormatError):
            History.from_json(plain)


def test_operations_that_say_the_same_are_equal_wherever_they_stand():
    assert Op("exit", "a", {}, 3) == Op("exit", "a", {}, 9)
    assert Op("exit", "a", {}) != Op("exit", "b", {})


def test_a_machine_without_a_word_on_page_tables_has_as_many_as_it_needs():
    plain = parse("machine lesson tables 5\na = spawn").to_json()
    assert History.from_json(plain).machine.tables == 5
    del plain["machine"]["tables"]
    assert History.from_json(plain).machine.tables == 0
    plain["machine"]["tables"] = -1
    with pytest.raises(FormatError, match="a machine has 0 to 2"):
        History.from_json(plain)
