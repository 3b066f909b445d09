"""Plain data passes as it is and nothing else passes; types count when values are compared."""

from __future__ import annotations

import enum
import json
from collections import Counter, OrderedDict
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonlab.box import worker
from anonlab.box.both_ends import NotPlain, decode, encode, unchanged
from anonlab.box.plain_data import canonical, same

keys = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=5)
values = st.recursive(
    keys | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.sets(keys, max_size=4)
    ),
    max_leaves=20,
)


@given(values)
def test_plain_data_goes_through_json_and_back(value: Any) -> None:
    again = decode(json.loads(json.dumps(encode(value))))
    assert again == value
    assert canonical(again) == canonical(value)


@pytest.mark.parametrize("dtype", ["bool", "int64", "uint8"])
def test_arrays_keep_type_and_shape_and_share_nothing(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    again = decode(encode(array))
    assert (again.dtype, again.shape) == (array.dtype, array.shape)
    assert np.array_equal(again, array)
    again[0, 0] = 1
    assert array[0, 0] == 0


@pytest.mark.parametrize(
    "value",
    [object(), (n for n in "ab"), float("nan"), np.array([1.5]), np.array([None]), len, 1j],
)
def test_anything_else_is_refused_with_a_sentence(value: Any) -> None:
    with pytest.raises(NotPlain, match="return"):
        encode([value])


class Flag(enum.IntFlag):
    A = 1
    B = 2


class Text(str):
    def __str__(self) -> str:
        return "another"


class Row(NamedTuple):
    a: int
    b: Any


class Shy(list[Any]):
    def __iter__(self) -> Any:
        raise RuntimeError

    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Flag.A | Flag.B, 3),
        (Text("x"), "x"),
        (Row(1, Row(Flag.B, [])), (1, (2, []))),
        (Shy([1, Flag.A]), [1, 1]),
        (OrderedDict(b=1, a=Flag.A), {"b": 1, "a": 1}),
        (Counter("aab"), {"a": 2, "b": 1}),
        ({Flag.A: np.True_}, {1: True}),
        ({Flag.A}, {1}),
        (np.float64(0.5), 0.5),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.str_("x"), "x"),
        (type("Real", (float,), {})(0.25), 0.25),
        (type("Raw", (bytes,), {})(b"ab"), b"ab"),
    ],
)
def test_a_subclass_passes_as_what_it_is_underneath(value: Any, plain: Any) -> None:
    assert canonical(value) == canonical(plain)
    assert worker.encode(value) == encode(plain)
    assert type(decode(encode(value))) is type(plain)


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([3, 1], lambda value: value.sort()),
        ([[1], [2]], lambda value: value[1].append(2)),
        ({"a": 1}, lambda value: value.clear()),
        (np.arange(4), lambda value: np.negative(value, out=value)),
        ([1], lambda value: value.append(object())),
        ({1, 2}, lambda value: value.discard(2)),
    ],
)
def test_a_changed_value_is_seen(value: Any, change: Any) -> None:
    wire = encode(value)
    mine = decode(wire)
    assert unchanged(wire, mine)
    assert worker.unchanged(wire, mine)
    change(mine)
    assert not unchanged(wire, mine)
    assert not worker.unchanged(wire, mine)


def test_too_deep_and_too_much_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(40):
        deep = [deep]
    for value in (deep, [0] * 300_000, np.zeros(300_000, dtype=np.int64)):
        with pytest.raises(NotPlain, match="at most"):
            encode(value)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, True, False),
        (1, 1.0, False),
        ({1: 1}, {True: 1}, False),
        ({1.0}, {1}, False),
        ([1, 2], (1, 2), True),
        ([1, 2], np.array([1, 2]), True),
        ([True], np.array([True]), True),
        ([1], np.array([True]), False),
        ({1: [2]}, {1: (2,)}, True),
        ({1, 2}, {2, 1}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ([1, 2], [2, 1], False),
    ],
)
def test_types_count_and_the_kind_of_sequence_does_not(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other) == equal
