"""What both ends of a box's pipe do alike: values are encoded and decoded, a changed argument is
named.

It runs in the box, in front of worker.py, so it imports nothing that takes time, and nothing of
anonlab. NumPy is looked up, not imported: who never imported it has no array.
"""

from __future__ import annotations

import binascii
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEEPEST = 30
MOST_ELEMENTS = 200_000
MOST_ENTRIES = 10_000
"""Entries of all dicts and sets in one value: keys can be chosen to be slow together."""
MOST_BITS = 14_280
"""An int has at most 4,300 digits: Python writes no longer ones."""
DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


class NotPlain(ValueError):
    """A value that cannot pass; the message is for whoever returned it."""


def encode(value: Any) -> Any:
    """Return `value` in the form that JSON can carry; NotPlain if it is not plain data."""
    return _encode(value, DEEPEST, [MOST_ELEMENTS, MOST_ENTRIES])


def _encode(value: Any, depth: int, room: list[int]) -> Any:
    """Return `value` as JSON can carry it. room: elements, and entries of dicts and sets, left."""
    if value is None or type(value) is bool:
        return value
    if type(value) is int:
        if value.bit_length() > MOST_BITS:
            raise NotPlain("return plain data: an int has at most 4,300 digits")
        return value
    if type(value) is str:
        return text(value)
    if type(value) is float:
        return real(value)
    if type(value) in (bytes, bytearray):
        return {"$b": binascii.b2a_base64(value, newline=False).decode()}
    if type(value) in (list, tuple, dict, set, frozenset):
        return container(value, depth, room)
    plain = underneath(value)
    return of_numpy(value, depth, room) if plain is value else _encode(plain, depth, room)


def underneath(value: Any) -> Any:
    """Return a value of a subclass as the plain type that it derives from, by the methods of that
    type; any other value as it is."""
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes):
        return bytes(memoryview(value))
    if isinstance(value, dict):
        return dict(dict.items(value))
    bases: tuple[Any, ...] = (tuple, list, set, frozenset)
    for base in bases:
        if isinstance(value, base):
            return base(base.__iter__(value))
    return value


def text(value: str) -> str:
    """Return a text that can be written in UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotPlain("return plain data: a text has half a character (a surrogate)") from None
    return value


def real(value: float) -> dict[str, str]:
    """Return a float in the form that keeps every bit."""
    if value - value != 0:  # infinity and NaN
        raise NotPlain(f"return plain data: {value} is no number that can be compared")
    return {"$f": value.hex()}


def container(value: Any, depth: int, room: list[int]) -> Any:
    """Return a container with all that is in it."""
    room[0] -= len(value)
    if depth == 0 or room[0] < 0:
        raise NotPlain(
            f"return plain data: at most {DEEPEST} levels and {MOST_ELEMENTS:,} elements in all"
        )
    if type(value) in (dict, set, frozenset):
        room[1] -= len(value)
        if room[1] < 0:
            raise NotPlain(
                f"return plain data: at most {MOST_ENTRIES:,} entries of dicts and sets in all"
            )
    if type(value) is dict:
        pairs = [[_encode(part, depth - 1, room) for part in item] for item in value.items()]
        return {"$d": pairs}
    items = [_encode(item, depth - 1, room) for item in value]
    if type(value) is list:
        return items
    return {"$t": items} if type(value) is tuple else {"$s": items}


def weight(shape: Any) -> int:
    """Return for how many elements an array counts. One of shape (1000, 1000, 0) has none, and is a
    million lists for whoever wants it as lists."""
    found = 1
    for part in shape:
        found *= max(1, part)
    return int(found)


def of_numpy(value: Any, depth: int, room: list[int]) -> Any:
    """Return an array or a scalar of NumPy; anything else cannot be sent."""
    np = sys.modules.get("numpy")
    if np is None:
        raise NotPlain(f"return plain data (numbers, text, lists, …): got {type(value).__name__}")
    if isinstance(value, np.integer | np.floating | np.bool_):
        return _encode(value.item(), depth, room)
    if not isinstance(value, np.ndarray):
        raise NotPlain(f"return plain data (numbers, text, lists, …): got {type(value).__name__}")
    room[0] -= weight(value.shape)
    name = name_of(value.dtype)
    if name not in DTYPES or room[0] < 0 or value.ndim > depth:
        raise NotPlain(
            f"return arrays of integers or bools with at most {MOST_ELEMENTS:,} elements: "
            f"got {value.dtype}[{value.size}]"
        )
    if value.itemsize > 1 and not (LITTLE and value.dtype.isnative):
        value = value.astype(value.dtype.newbyteorder("<"))
    coded = binascii.b2a_base64(value.tobytes(), newline=False).decode()
    return {"$a": [name, list(value.shape), coded]}


LITTLE = sys.byteorder == "little"
_names: dict[Any, str] = {}
"""Names of dtypes: NumPy makes each anew when it is asked."""


def name_of(dtype: Any) -> str:
    """Return the name of a dtype."""
    name = _names.get(dtype)
    if name is None:
        name = str(dtype.name)
        if name in DTYPES:
            _names[dtype] = name
    return name


def unchanged(wire: Any, value: Any) -> bool:
    """Return whether a value is still what it was decoded from."""
    try:
        now = encode(value)
        return bool(now == wire) or bool(now == encode(decode(wire)))
    except NotPlain:
        return False


def decode(wire: Any) -> Any:
    """Return the value that `encode` made `wire` of, sharing nothing with it."""
    if isinstance(wire, list):
        return [decode(item) for item in wire]
    if not isinstance(wire, dict):
        return wire
    ((kind, body),) = wire.items()
    if kind == "$f":
        return float.fromhex(body)
    if kind == "$b":
        return binascii.a2b_base64(body)
    if kind == "$a":
        import numpy as np

        name, shape, raw = body
        dtype = name if LITTLE else np.dtype(name).newbyteorder("<")
        flat = np.frombuffer(binascii.a2b_base64(raw), dtype)
        return flat.reshape(shape).astype(name)
    if kind == "$d":
        return {decode(key): decode(value) for key, value in body}
    return (tuple if kind == "$t" else set)(decode(item) for item in body)


def changed_text(target: Any, at: int) -> str:
    """Say which argument of a function was changed; the first is 0."""
    code = getattr(target, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code is not None else ()
    which = names[at] if at < len(names) else str(at + 1)
    name = getattr(target, "__name__", "your function")
    return f"{name} changes its argument {which}, which must stay as it is"
