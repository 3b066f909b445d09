"""Answers from a box, read by the trusted side: one line of JSON, plain data, within limits.

Everything here may have been made to hurt: to take the grader's memory or time, to look like
another answer, or to be equal to everything. Whatever is not exactly the form that a value has is
`Broken`, and the box that sent it is not asked again. Values are encoded by both_ends.py.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from anonlab.box.both_ends import (
    DEEPEST,
    DTYPES,
    MOST_ELEMENTS,
    MOST_ENTRIES,
    decode,
    encode,
    weight,
)
from anonlab.box.plain_data import same

LONGEST_LINE = 4 << 20
"""Bytes of one answer, its line end included."""
MOST_TOKENS = 5 * MOST_ELEMENTS
"""Commas and opening brackets of one answer: a value takes at most five for each element."""
MARKS = (b",", b"[", b"{")
MOST_ALIKE = 100
"""Keys of one value that may have the hash of another: whole numbers have few such pairs."""
LONGEST_KIND, LONGEST_MESSAGE = 80, 500
BRIEF = 1024
"""Bytes of an answer that is remembered as right or wrong."""
_CONTROL = re.compile(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]")


class Broken(Exception):
    """What came is not one answer in the form and the limits of the protocol."""


@dataclass(frozen=True)
class Raised:
    """The student's code raised: type, message and line of the student's file, 0 if unknown."""

    kind: str
    message: str
    line: int


class _Tagged(tuple[str, Any]):
    """A JSON object with one entry, the form of all values that JSON does not have."""


def message(op: str, **parts: Any) -> bytes:
    """Return a question without its number; values in `parts` are encoded already."""
    return json.dumps({"op": op, **parts}).encode()[1:] + b"\n"


def numbered(number: int, message: bytes) -> bytes:
    """Return one question as a line."""
    return b'{"id": %d, ' % number + message


def answered(number: int, value: bytes) -> bytes:
    """Return what a worker writes for question `number`, without the end of its line."""
    return b'{"id":%d,"ok":%b}' % (number, value)


def is_answer(line: bytes, number: int, value: bytes) -> bool:
    """Return whether a line says that question `number` has the answer `value`, to the letter, or
    in other letters that are brief. What is long may be right in other letters, too."""
    begin = answered(number, b"")[:-1]
    if not line.startswith(begin) or not line.endswith(b"}"):
        return False
    said = line[len(begin) : -1]
    return said == value or (len(said) <= BRIEF and _are_same(said, value))


@lru_cache(maxsize=8192)
def _are_same(said: bytes, value: bytes) -> bool:
    """Return whether two values are the same as they are written. A class writes a right answer in
    few ways, as a list or a tuple: each is read once. What cannot be read is not the same."""
    try:
        answer = read_answer(answered(0, said), 0)
    except Broken:
        return False
    return not isinstance(answer, Raised) and same(decode(json.loads(value)), answer)


def written(value: Any) -> bytes:
    """Return a value as the worker writes it."""
    return json.dumps(encode(value), separators=(",", ":")).encode()


def arguments(args: tuple[Any, ...]) -> list[Any]:
    """Return the arguments of a call, encoded; NotPlain if a test passes something else."""
    return [encode(arg) for arg in args]


def read_answer(line: bytes, number: int) -> Any:
    """Return the value that answers question `number`, or Raised.

    line    without its line end
    raises  Broken, and nothing else, if this is not such an answer
    """
    try:
        plain = _parse(line)
        if type(plain) is not dict or type(plain.get("id")) is not int or plain["id"] != number:
            raise Broken(f"the answer does not carry the number of its question, {number}")
        if set(plain) == {"id", "ok"}:
            return _Reader().value(plain["ok"])
        return _raised(plain)
    except Broken:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise Broken(f"the answer cannot be read ({type(error).__name__})") from None


def _parse(line: bytes) -> Any:
    """Return the JSON of an answer; small before it is anything else."""
    if len(line) > LONGEST_LINE:
        raise Broken(f"an answer of more than {LONGEST_LINE:,} bytes")
    if _marks(line) > MOST_TOKENS and _marks_outside(line) > MOST_TOKENS:
        raise Broken(f"more than {MOST_ELEMENTS:,} elements in one answer")
    return json.loads(
        line.decode("utf-8"),
        parse_float=_no_bare_float,
        parse_constant=_no_bare_float,
        object_pairs_hook=_object,
    )


def _marks(line: bytes) -> int:
    """Return how many commas and opening brackets there are."""
    return sum(line.count(mark) for mark in MARKS)


def _marks_outside(line: bytes) -> int:
    """Return how many of them stand outside of texts. No regular expression: one that looks for the
    end of a text begins anew at each quotation mark."""
    plain = line.replace(b"\\\\", b"").replace(b'\\"', b"")
    found = np.frombuffer(plain, np.uint8)
    inside = np.cumsum(found == ord('"'), dtype=np.uint8) & 1  # odd behind an opening quote
    return int(np.count_nonzero(np.isin(found, [ord(mark) for mark in MARKS]) & (inside == 0)))


def _no_bare_float(text: str) -> Any:
    raise Broken(f"a bare number {text[:20]}: floats have a form of their own")


def _object(pairs: list[tuple[str, Any]]) -> Any:
    if len(pairs) == 1:
        return _Tagged(pairs[0])
    plain = dict(pairs)
    if len(plain) != len(pairs) or len(plain) > 4:
        raise Broken("an object with repeated or foreign names")
    return plain


def _raised(plain: dict[str, Any]) -> Raised:
    if not {"id", "err", "msg"} <= set(plain) <= {"id", "err", "msg", "line"}:
        raise Broken("the answer has neither a value nor an error")
    kind, message, line = plain["err"], plain["msg"], plain.get("line", 0)
    if type(kind) is not str or type(message) is not str or type(line) is not int:
        raise Broken("an error is a type, a message and a line")
    if not 0 <= line < 1_000_000:
        line = 0
    return Raised(clean(kind)[:LONGEST_KIND], clean(message)[:LONGEST_MESSAGE], line)


def clean(text: str) -> str:
    """Return text from outside as it may stand in a report: valid Unicode, no control characters
    but newline and tab, and no addresses of objects, which change from run to run."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = _CONTROL.sub("", text.replace("\r\n", "\n"))
    return re.sub(r" at 0x[0-9a-f]{6,}", " at 0x…", text)


def apart(keys: list[Any]) -> None:
    """Refuse keys that were chosen to have one hash: a dict compares each with all of them.

    raises  Broken; TypeError for what cannot be a key
    """
    if len(keys) > MOST_ALIKE and len({*map(hash, keys)}) < len(keys) - MOST_ALIKE:
        raise Broken("keys of a dict or a set that are slow together")


class _Reader:
    """Decodes one value and counts what it holds."""

    def __init__(self) -> None:
        self.elements = MOST_ELEMENTS
        self.entries = MOST_ENTRIES

    def value(self, wire: Any, depth: int = DEEPEST) -> Any:
        """Return the value, or raise Broken; the smallest things come most often."""
        if wire is None or type(wire) in (bool, int):
            return wire
        if type(wire) is str:
            wire.encode("utf-8")  # half a character is refused: UnicodeEncodeError, a ValueError
            return wire
        if type(wire) is list:
            self.count(wire, depth)
            return [item if type(item) is int else self.value(item, depth - 1) for item in wire]
        if type(wire) is not _Tagged:
            raise Broken("an object that is no value")
        kind, body = wire
        if kind == "$f":
            return self.real(body)
        if kind == "$b":
            return self.raw(body)
        if kind == "$a":
            return self.array(body, depth)
        if kind not in ("$t", "$d", "$s") or type(body) is not list:
            raise Broken(f"a value of unknown form {clean(kind)[:10]!r}")
        self.count(body, depth, keyed=kind != "$t")
        if kind == "$d":
            return self.entries_of(body, depth)
        items = [self.value(item, depth - 1) for item in body]
        return tuple(items) if kind == "$t" else self.members(items)

    def count(self, items: list[Any], depth: int, keyed: bool = False) -> None:
        """Take a container's items from what is left."""
        self.elements -= len(items)
        self.entries -= len(items) if keyed else 0
        if depth < 1:
            raise Broken(f"more than {DEEPEST} levels")
        if self.elements < 0:
            raise Broken(f"more than {MOST_ELEMENTS:,} elements")
        if self.entries < 0:  # keys can be chosen so that each is compared with all others
            raise Broken(f"more than {MOST_ENTRIES:,} entries of dicts and sets")

    def entries_of(self, body: list[Any], depth: int) -> dict[Any, Any]:
        """Return a dict."""
        keys: list[Any] = []
        values: list[Any] = []
        for pair in body:
            if type(pair) is not list or len(pair) != 2:
                raise Broken("an entry of a dict that is no pair")
            keys.append(self.value(pair[0], depth - 1))
            values.append(self.value(pair[1], depth - 1))
        apart(keys)
        found = dict(zip(keys, values, strict=True))
        if len(found) != len(body):
            raise Broken("a repeated key")
        return found

    def members(self, items: list[Any]) -> set[Any]:
        """Return a set."""
        apart(items)
        found = set(items)
        if len(found) != len(items):
            raise Broken("a repeated member of a set")
        return found

    def real(self, body: Any) -> float:
        """Return a float that is written in the one form it has."""
        value = float.fromhex(body) if type(body) is str and len(body) < 40 else math.nan
        if not math.isfinite(value) or value.hex() != body:
            raise Broken("a float that is none")
        return value

    def raw(self, body: Any) -> bytes:
        """Return bytes that are written in the one form they have."""
        if type(body) is not str:
            raise Broken("bytes that are none")
        found = binascii.a2b_base64(body.encode("ascii"), strict_mode=True)
        if base64.b64encode(found).decode() != body:
            raise Broken("bytes in another form than their own")
        return found

    def array(self, body: Any, depth: int) -> np.ndarray[Any, Any]:
        """Return an array whose dtype, shape and bytes agree."""
        if type(body) is not list or len(body) != 3 or body[0] not in DTYPES:
            raise Broken("an array of unknown form")
        name, shape = body[0], body[1]
        if type(shape) is not list or len(shape) > depth:
            raise Broken("an array without a shape, or with too many dimensions")
        if not all(type(part) is int and 0 <= part <= MOST_ELEMENTS for part in shape):
            raise Broken("an array with a wrong shape")
        raw = self.raw(body[2])
        dtype = np.dtype(name).newbyteorder("<")
        size = math.prod(shape)
        self.elements -= weight(shape)
        if self.elements < 0 or size * dtype.itemsize != len(raw):
            raise Broken("an array whose shape and bytes do not agree, or with too many elements")
        if name == "bool" and raw.strip(b"\x00\x01"):
            raise Broken("a bool that is neither true nor false")
        return np.frombuffer(raw, dtype).reshape(shape).astype(name)
