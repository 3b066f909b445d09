"""Plain data: all that may pass between tests and a student's code, and when two of it are equal.

None, bool, int, float, str, bytes, list, tuple, dict, set, and integer or bool NumPy arrays. A
subclass passes as what it is underneath: a named tuple as a tuple, a flag as an int. On a laptop
every argument and result takes the way through this form and back, so that aliases, types
and objects behave as they do where the student's code runs in another process.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from anonlab.box.both_ends import encode


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
