"""Bytes that were valid, damaged: flipped, cut, spliced, repeated; JSON with odd values inside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

DEEP = (30, 100, 400, 800, 950, 985, 995, 1200)


def nested(depth: int) -> str:
    """Lists in lists, as JSON."""
    return "[" * depth + "]" * depth


ODD = (
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "NaN",
    "-Infinity",
    "1e999",
    '""',
    "[]",
    "{}",
    '"\\ud800"',
    '"\\u0000"',
    '"%s"' % ("x" * 300),
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "1" + "0" * 30,
    "9" * 4299,
    '{"a": 1, "a": 2}',
    '"2026-03-01"',
    "1e3",
    '"machine"',
    '"..\\/x"',
    *map(nested, DEEP),
)


@st.composite
def damaged(draw: st.DrawFn, valid: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Return one of `valid` after one to four accidents; `words` are pieces of its language."""
    data = draw(st.sampled_from(valid))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 40)))
        kind = draw(st.sampled_from(("flip", "cut", "short", "copy", "word", "words", "bytes")))
        if kind == "flip" and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]
        elif kind == "cut":
            data = data[:at] + data[end:]
        elif kind == "short":
            data = data[:at]
        elif kind == "copy":
            other = draw(st.sampled_from(valid))
            begin = draw(st.integers(0, len(other)))
            piece = other[begin : begin + draw(st.integers(1, 60))]
            data = data[:at] + piece * draw(st.sampled_from((1, 1, 2, 30))) + data[end:]
        elif kind in ("word", "words") and words:
            times = 1 if kind == "word" else draw(st.integers(2, 40))
            data = data[:at] + draw(st.sampled_from(words)) * times + data[end:]
        else:
            data = data[:at] + draw(st.binary(max_size=8)) + data[end:]
    return data


@st.composite
def odd_json(draw: st.DrawFn, valid: Sequence[bytes]) -> bytes:
    """Return one of `valid`, JSON or lines of JSON, in which a value or two are others, a name is
    missing, twice or another."""
    lines = draw(st.sampled_from(valid)).decode("utf-8-sig").splitlines()
    at = draw(st.integers(0, len(lines) - 1))
    plain = json.loads(lines[at])
    for _ in range(draw(st.integers(1, 2))):
        _change(draw, plain)
    lines[at] = written(plain)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


class Raw(str):
    """JSON that stands for itself."""

    __slots__ = ()


def _change(draw: st.DrawFn, plain: Any) -> None:
    inner = plain
    for _ in range(draw(st.integers(0, 6))):
        keys = list(inner) if isinstance(inner, dict) else range(len(inner))
        below = [key for key in keys if isinstance(inner[key], dict | list) and inner[key]]
        if not below:
            break
        inner = inner[draw(st.sampled_from(below))]
    keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
    if not keys:
        return
    key, value = draw(st.sampled_from(keys)), Raw(draw(st.sampled_from(ODD)))
    how = draw(st.sampled_from(("value", "value", "value", "gone", "more", "twice")))
    if how == "value":
        inner[key] = value
    elif how == "gone":
        del inner[key]
    elif isinstance(inner, list):
        inner.insert(key, inner[key] if how == "twice" else value)
    elif how == "more":
        inner[draw(st.sampled_from(("x", "\ud800", "", "version")))] = value
    else:
        inner[_Again(key)] = value


class _Again(str):
    """A name that is there already."""

    __slots__ = ()

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __eq__(self, other: object) -> bool:
        return self is other


def written(plain: Any) -> str:
    """Return JSON in which a name may stand twice."""
    if isinstance(plain, Raw):
        return str.__str__(plain)
    if isinstance(plain, dict):
        pairs = (f"{json.dumps(str(key))}:{written(value)}" for key, value in plain.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(plain, list):
        return "[" + ",".join(map(written, plain)) + "]"
    return json.dumps(plain)
