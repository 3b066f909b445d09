"""90a, hidden: four tests. CANARY-OF-THE-SOURCE"""

from __future__ import annotations

import random
from typing import Any

from toy_reference import reference_checksum


def test_random_bytes(student: Any, seed: int) -> None:
    """A checksum of bytes that nobody has seen."""
    data = b"CANARY-OF-THE-INPUT" + random.Random(seed).randbytes(40)
    expected = reference_checksum(data)
    answer = student.checksum(data)
    assert answer == expected, f"{data!r}: {answer!r}"


def test_empty(student: Any, seed: int) -> None:
    """A checksum of nothing."""
    expected = reference_checksum(b"")
    assert student.checksum(b"") == expected


def test_top(student: Any, seed: int) -> None:
    """The largest three of ten."""
    numbers = random.Random(seed + 1).sample(range(1000), 10)
    expected = sorted(numbers, reverse=True)[:3]
    assert student.top(numbers, 3) == expected


def test_relay(student: Any, seed: int) -> None:
    """A class that keeps something."""
    relay = student.Relay(3)
    expected = 7
    assert relay.push(4) + 0 == expected
    expected = 5
    assert relay.push(-2) == expected
