"""90a, public."""

from __future__ import annotations

from typing import Any


def test_checksum(student: Any, seed: int) -> None:
    """A checksum that everybody may know."""
    assert student.checksum(b"ab") == (((7 * 31 + 97) * 31) + 98) % 65521
