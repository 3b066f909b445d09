"""An answer is exactly one line of plain data, or it is broken; nothing in it hurts the grader."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonlab.box.both_ends import NotPlain, encode
from anonlab.box.plain_data import canonical, same
from anonlab.box.wire import Broken, Raised, clean, is_answer, read_answer, written

keys = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=5)
arrays = st.lists(st.integers(-5, 5), max_size=4).map(lambda items: np.array(items, np.int64))
values = st.recursive(
    keys | st.floats(allow_nan=False, allow_infinity=False) | arrays,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.sets(keys, max_size=4)
    ),
    max_leaves=20,
)
wires = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$f", "$b", "$t", "$d", "$s", "$a", "id", "x"]), inner, max_size=2
        )
    ),
    max_leaves=12,
)


def answer(ok: Any, number: Any = 1) -> bytes:
    return json.dumps({"id": number, "ok": ok}).encode()


@given(values)
def test_what_is_plain_comes_as_it_was_sent(value: Any) -> None:
    try:
        sent = encode(value)
    except NotPlain:
        return  # half a character
    assert canonical(read_answer(answer(sent), 1)) == canonical(value)


@given(wires)
@settings(max_examples=300)
def test_any_json_is_a_value_or_broken(wire: Any) -> None:
    try:
        value = read_answer(answer(wire), 1)
    except Broken:
        return
    assert same(read_answer(answer(encode(value)), 1), value)


@given(st.binary(max_size=60))
def test_any_bytes_are_broken(line: bytes) -> None:
    with pytest.raises(Broken):
        read_answer(line, 1)


@given(st.data())
@settings(max_examples=200)
def test_a_damaged_answer_is_an_answer_or_broken(data: st.DataObject) -> None:
    try:
        line = bytearray(answer(encode(data.draw(values))))
    except NotPlain:
        return
    at = data.draw(st.integers(0, len(line) - 1))
    line[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(Broken):
        read_answer(bytes(line), 1)


@pytest.mark.parametrize(
    "line",
    [
        b'{"id": 2, "ok": 1}',
        b'{"id": true, "ok": 1}',
        b'{"id": "1", "ok": 1}',
        b'{"id": 1.0, "ok": 1}',
        b'{"ok": 1}',
        b'{"id": 1}',
        b'{"id": 1, "id": 1, "ok": 1}',
        b'{"id": 1, "ok": 1, "status": "pass"}',
        b'{"id": 1, "ok": 1, "err": "x", "msg": "y"}',
        b'{"id": 1, "err": "x"}',
        b'{"id": 1, "err": 1, "msg": "y"}',
        b'{"id": 1, "err": "x", "msg": "y", "line": "3"}',
        b'{"id": 1, "ok": 1',
        b'{"id": 1, "ok": 1} {"id": 1, "ok": 1}',
        b'[{"id": 1, "ok": 1}]',
        b'{"id": 1, "ok": "\xff"}',
        b"",
    ],
)
def test_an_answer_that_is_not_to_this_question_is_broken(line: bytes) -> None:
    with pytest.raises(Broken):
        read_answer(line, 1)


@pytest.mark.parametrize(
    "ok",
    [
        1.5,
        float("nan"),
        float("inf"),
        {"$f": "nan"},
        {"$f": "inf"},
        {"$f": "1.5"},
        {"$f": "0x1.8p+0 "},
        {"$f": 1},
        {"$b": "YQ"},
        {"$b": "YQ==\n"},
        {"$b": "YR=="},  # bits that no byte has
        {"$b": "ä"},
        {"$t": 1},
        {"$t": {"$t": []}},
        {"$d": [[1]]},
        {"$d": [[1, 2, 3]]},
        {"$d": {"a": 1}},
        {"$d": [[1, 2], [1, 3]]},
        {"$d": [[1, 2], [True, 3]]},
        {"$d": [[[], 1]]},
        {"$s": [1, {"$f": "0x1.0000000000000p+0"}]},
        {"$s": [[1]]},
        {"$x": 1},
        {},
        {"a": 1, "b": 2},
        {"id": 1, "ok": 1},
        {"$a": ["object", [1], "AAAAAAAAAAA="]},
        {"$a": ["float64", [1], "AAAAAAAAAAA="]},
        {"$a": ["int64", [2], "AAAAAAAAAAA="]},
        {"$a": ["int64", [-1], "AAAAAAAAAAA="]},
        {"$a": ["int64", [True], "AAAAAAAAAAA="]},
        {"$a": ["int64", [0, 10**30], ""]},
        {"$a": ["int64", 1, "AAAAAAAAAAA="]},
        {"$a": ["int64", [1] * 31, "AAAAAAAAAAA="]},
        {"$a": ["int64", [1000, 1000, 0], ""]},
        {"$a": ["int64", [0, 200_000, 2], ""]},
        {"$a": ["bool", [3], "AAIB"]},
        {"$a": [["int64"], [1], "AAAAAAAAAAA="]},
        "\ud800",
        {"$d": [["\ud800", 1]]},
    ],
)
def test_a_value_in_another_form_than_its_own_is_broken(ok: Any) -> None:
    for value in (ok, [ok], {"$t": [ok]}):
        with pytest.raises(Broken):
            read_answer(answer(value), 1)


def test_an_int_of_more_than_4300_digits_is_broken_and_refused_alike() -> None:
    assert read_answer(b'{"id": 1, "ok": ' + b"9" * 4299 + b"}", 1) == int("9" * 4299)
    with pytest.raises(Broken):
        read_answer(b'{"id": 1, "ok": ' + b"9" * 4301 + b"}", 1)
    with pytest.raises(NotPlain, match="4,300 digits"):
        encode(1 << 15_000)


def nested(levels: int) -> bytes:
    return b'{"id": 1, "ok": ' + b"[" * levels + b"]" * levels + b"}"


def test_thirty_levels_are_a_value_and_more_are_broken() -> None:
    read_answer(nested(30), 1)
    for levels in (31, 1_000, 500_000):
        with pytest.raises(Broken):
            read_answer(nested(levels), 1)


def listed(item: bytes, number: int, kind: bytes = b"") -> bytes:
    inner = b"[" + b",".join([item] * number) + b"]"
    return b'{"id": 1, "ok": ' + (b'{"%s": %s}' % (kind, inner) if kind else inner) + b"}"


def test_limits_of_size_hold_at_their_edge() -> None:
    assert len(read_answer(listed(b"7", 200_000), 1)) == 200_000
    keys = b",".join(b"[%d, 1]" % key for key in range(10_000))
    assert len(read_answer(b'{"id": 1, "ok": {"$d": [%s]}}' % keys, 1)) == 10_000
    text = "a,[{" * 400_000  # inside a text these are no elements
    assert read_answer(answer(text), 1) == text
    for line in (
        listed(b"7", 200_001),
        listed(b"[]", 1_300_000),
        b'{"id": 1, "ok": {"$d": [%s, [-1, 1]]}}' % keys,
        b'{"id": 1, "ok": [{"$d": [%s]}, {"$d": [[1, 1]]}]}' % keys,
        answer("a" * (4 << 20)),
        answer({"$a": ["uint8", [200_001], "AAAA" * 66_667]}),
    ):
        with pytest.raises(Broken):
            read_answer(line, 1)


def test_the_dearest_answers_take_little_time() -> None:
    step = 2**61 - 1  # ints that differ by this have one hash
    colliding = b",".join(b"%d" % (number * step) for number in range(10_000))
    dear = (
        b'{"id": 1, "ok": {"$s": [' + colliding + b"]}}",
        listed(b"[]", 1_300_000),
        b'{"id": 1, "ok": "' + b'\\"' * 2_000_000 + b'"}',
        b'{"id": 1, "ok": ["' + b"[" * 2_000_000 + b'", 1]}',
        listed(b"9" * 4_290, 950),
        b'{"id":2,"ok":"' + b'\\"' * 20_000 + b"," * 1_000_001,  # a text without an end
        b'{"id":2,"ok":"' + b"\\\\" * 500_000 + b"," * 1_000_001,
        answer({"$a": ["int64", [200_000, 0], ""]}),
    )
    for line in dear:
        begin = time.process_time()
        with contextlib.suppress(Broken):
            read_answer(line, 1)
        assert time.process_time() - begin < 3


def test_an_array_without_elements_weighs_what_its_lists_would() -> None:
    for shape in ((), (0,), (3, 0), (200_000, 0), (0, 200_000)):
        value = np.zeros(shape, np.int64)
        assert read_answer(answer(encode(value)), 1).shape == shape
    for shape in ((1000, 1000, 0), (0, 200_001), (1,) * 31):
        with pytest.raises(NotPlain):
            encode(np.zeros(shape, np.int64))


def test_keys_of_one_hash_are_broken_and_ordinary_ones_are_not() -> None:
    step = 2**61 - 1
    for kind, item in (("$s", "%d"), ("$d", "[%d,1]")):
        alike = ",".join(item % (number * step) for number in range(1, 300))
        with pytest.raises(Broken, match="slow together"):
            read_answer(f'{{"id":1,"ok":{{"{kind}":[{alike}]}}}}'.encode(), 1)
    many = {number: -number for number in range(-5000, 5000)}
    assert read_answer(answer(encode(many)), 1) == many
    texts = {str(number) for number in range(9000)}
    assert read_answer(answer(encode(texts)), 1) == texts


def test_an_error_is_cut_and_cleaned() -> None:
    message = "\x1b[31m<object at 0x7f3acb0011aa>\x00\n" + "m" * 2_000
    line = json.dumps({"id": 1, "err": "K" * 200, "msg": message, "line": 10**9}).encode()
    raised = read_answer(line, 1)
    assert isinstance(raised, Raised)
    assert (len(raised.kind), len(raised.message), raised.line) == (80, 500, 0)
    assert raised.message.startswith("[31m<object at 0x…>\nmmm")


def test_cleaned_text_keeps_what_people_write() -> None:
    assert clean("größer → 0x30000\tok\n✓ 漢字") == "größer → 0x30000\tok\n✓ 漢字"


@pytest.mark.parametrize(
    ("said", "is_right"),
    [
        (b"[1,[2,3]]", True),
        (b'{"$t":[1,{"$t":[2,3]}]}', True),
        (b" [1, [2,3]] ", True),
        (b'[1,{"$a":["int64",[2],"AgAAAAAAAAADAAAAAAAAAA=="]}]', True),
        (b"[1,[2,true]]", False),
        (b"[1,[3,2]]", False),
        (b"[1,[2,3.0]]", False),
        (b'[1,[2,3]],"id":5', False),
        (b'[1,[2,3]],"id":0', False),
        (b'[1,[2,3]],"x":0', False),
        (b'0,"ok":[1,[2,3]]', False),
        (b'[1,[2,3]]}\n{"id":5,"ok":[1,[2,3]]', False),
        (b"[1,[2,3]", False),
        (b"", False),
    ],
)
def test_an_answer_is_right_in_any_letters_and_in_no_other_shape(
    said: bytes, is_right: bool
) -> None:
    """For each the same is found by reading it: twice, since it is remembered."""
    line, value = b'{"id":5,"ok":%b}' % said, (1, [2, 3])
    try:
        read = same(read_answer(line, 5), value)
    except Broken:
        read = False
    assert [read, is_answer(line, 5, written(value)), is_answer(line, 5, written(value))] == (
        [is_right] * 3
    )
    assert not is_answer(line, 50, written(value))
