"""Plain data: all that may pass between tests and a student's code, and when two of it are equal.

None, bool, int, float, str, bytes, list, tuple, dict, set, and integer or bool NumPy arrays. A
subclass passes as what it is underneath: a named tuple as a tuple, a flag as an int. On a laptop
every argument and result takes the way through this form and back, so that aliases, types
and objects behave as they do where the student's code runs in another process.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from anonlab.box.both_ends import decode

DEEPEST = 30
MOST_ELEMENTS = 200_000
MOST_ENTRIES = 10_000
"""Entries of all dicts and sets in one value: keys can be chosen to be slow together."""
MOST_BITS = 14_280
"""An int has at most 4,300 digits: Python writes no longer ones."""
DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")

BASES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (int, int.__int__),
    (float, float.__float__),
    (str, str.__str__),
    (bytes, lambda value: bytes(memoryview(value))),
    (tuple, lambda value: tuple(tuple.__iter__(value))),
    (list, lambda value: list(list.__iter__(value))),
    (dict, lambda value: dict(dict.items(value))),
    (set, lambda value: set(set.__iter__(value))),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
)
"""A plain type, and how a value of a subclass becomes one whatever the subclass redefines."""


class NotPlain(ValueError):
    """A value that cannot pass; the message is for whoever returned it."""


def encode(value: Any) -> Any:
    """Return `value` in the form that JSON can carry; NotPlain if it is not plain data."""
    budget = [MOST_ELEMENTS, MOST_ENTRIES]
    return _encode(value, DEEPEST, budget)


def _encode(value: Any, depth: int, budget: list[int]) -> Any:
    if value is None or type(value) in (bool, int, str):
        return _writable(value)
    value = underneath(value)
    if isinstance(value, np.ndarray):
        return _array(value, budget)
    if isinstance(value, np.integer | np.floating | np.bool_):
        value = value.item()
    if type(value) in (bool, int, str):
        return _writable(value)
    if type(value) is float:
        if not math.isfinite(value):
            raise NotPlain(f"return plain data: {value} is no number that can be compared")
        return {"$f": value.hex()}
    if type(value) in (bytes, bytearray):
        return {"$b": base64.b64encode(value).decode()}
    if type(value) in (list, tuple, dict, set, frozenset):
        return _container(value, depth, budget)
    raise NotPlain(f"return plain data (numbers, text, lists, …): got {type(value).__name__}")


def underneath(value: Any) -> Any:
    """Return a value of a subclass as the plain type that it derives from, by the methods of that
    type; any other value as it is."""
    for base, plain in BASES:
        if isinstance(value, base):
            return value if type(value) is base else plain(value)
    return value


def _writable(value: Any) -> Any:
    """Return a value that JSON has, if it can be written."""
    if type(value) is int and value.bit_length() > MOST_BITS:
        raise NotPlain("return plain data: an int has at most 4,300 digits")
    if type(value) is str and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise NotPlain("return plain data: a text has half a character (a surrogate)") from None
    return value


def _container(value: Any, depth: int, budget: list[int]) -> Any:
    budget[0] -= len(value)
    if depth == 0 or budget[0] < 0:
        raise NotPlain(
            f"return plain data: at most {DEEPEST} levels and {MOST_ELEMENTS:,} elements in all"
        )
    if type(value) in (dict, set, frozenset):
        budget[1] -= len(value)
        if budget[1] < 0:
            raise NotPlain(
                f"return plain data: at most {MOST_ENTRIES:,} entries of dicts and sets in all"
            )
    if type(value) is dict:
        pairs = [[_encode(part, depth - 1, budget) for part in item] for item in value.items()]
        return {"$d": pairs}
    items = [_encode(item, depth - 1, budget) for item in value]
    if type(value) is list:
        return items
    return {"$t": items} if type(value) is tuple else {"$s": items}


def _array(value: np.ndarray[Any, Any], budget: list[int]) -> Any:
    budget[0] -= value.size
    if value.dtype.name not in DTYPES or budget[0] < 0:
        raise NotPlain(
            f"return arrays of integers or bools with at most {MOST_ELEMENTS:,} elements: "
            f"got {value.dtype}[{value.size}]"
        )
    raw = np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes()
    return {"$a": [value.dtype.name, list(value.shape), base64.b64encode(raw).decode()]}


def unchanged(wire: Any, value: Any) -> bool:
    """Return whether a value is still what it was decoded from."""
    try:
        now = encode(value)
        return bool(now == wire) or bool(now == encode(decode(wire)))
    except NotPlain:
        return False


def without_sequence_types(value: Any) -> Any:
    """Return `value` with every array and tuple as a list: which of the three is not asked."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [without_sequence_types(item) for item in value]
    if isinstance(value, dict):
        return {key: without_sequence_types(item) for key, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def same(expected: Any, answer: Any) -> bool:
    """Return whether two values are equal, their types at every depth included: 1 is not True.
    Which kind of sequence holds the items does not count."""
    return canonical(without_sequence_types(expected)) == canonical(without_sequence_types(answer))


def canonical(value: Any) -> str:
    """Return a text that two plain values have in common only if they are the same."""
    return json.dumps(_sorted(encode(value)), sort_keys=True)


def _sorted(wire: Any) -> Any:
    """Put the entries of dicts and sets in one order."""
    if isinstance(wire, list):
        return [_sorted(item) for item in wire]
    if not isinstance(wire, dict):
        return wire
    ((kind, body),) = wire.items()
    if kind in ("$d", "$s"):
        return {kind: sorted((_sorted(item) for item in body), key=json.dumps)}
    return {kind: _sorted(body) if kind == "$t" else body}
