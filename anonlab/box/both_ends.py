"""What both ends of a box's pipe do alike: values are decoded, a changed argument is named.

It runs in the box, in front of worker.py, so it imports nothing that takes time, and nothing of
anonlab.
"""

from __future__ import annotations

import binascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
        flat = np.frombuffer(binascii.a2b_base64(raw), np.dtype(name).newbyteorder("<"))
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
