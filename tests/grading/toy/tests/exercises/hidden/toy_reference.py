"""What is right, in a module of its own, where a search of sys.modules finds it."""

from __future__ import annotations


def reference_checksum(data: bytes) -> int:
    """Return the right checksum."""
    value = 7
    for byte in data:
        value = (value * 31 + byte) % 65521
    return value
