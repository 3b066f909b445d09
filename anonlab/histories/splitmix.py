"""SplitMix64: the generator of numbers behind every seeded history.

Specified here to the last bit, so that a seed means the same on every machine and version, which
Python's `random` does not promise. All arithmetic is modulo 2**64.

    state      = state + 0x9E3779B97F4A7C15
    z          = (state ^ state >> 30) * 0xBF58476D1CE4E5B9
    z          = (z ^ z >> 27) * 0x94D049BB133111EB
    next64     = z ^ z >> 31
    below(n)   = x % n of the first x = next64 that is below 2**64 - 2**64 % n: every rest is
                 equally likely
    chance     = below(denominator) < numerator
    choice     = sequence[below(len(sequence))]
    weighted   = the first place i whose weights[0] + … + weights[i] exceeds below(sum of weights)
    fork       = a new stream with the seed next64

Guy Steele, Doug Lea and Christine Flood, "Fast splittable pseudorandom number generators" (OOPSLA
2014); constants of Sebastiano Vigna's public-domain splitmix64.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")
_MASK = (1 << 64) - 1


class SplitMix64:
    """A stream of numbers.

    seed    0 to 2**64 - 1
    raises  ValueError for any other seed
    """

    def __init__(self, seed: int) -> None:
        if not 0 <= seed <= _MASK:
            raise ValueError(f"a seed is a whole number from 0 to 2**64 - 1, got {seed}")
        self.state = seed

    def next64(self) -> int:
        """Return the next number, 0 to 2**64 - 1."""
        self.state = self.state + 0x9E3779B97F4A7C15 & _MASK
        z = (self.state ^ self.state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & _MASK
        return z ^ z >> 31

    def below(self, n: int) -> int:
        """Return one of 0 to n - 1, each equally likely; ValueError unless 1 <= n <= 2**64."""
        if not 1 <= n <= _MASK + 1:
            raise ValueError(f"below(n) needs 1 <= n <= 2**64, got {n}")
        limit = _MASK + 1 - (_MASK + 1) % n
        number = self.next64()
        while number >= limit:
            number = self.next64()
        return number % n

    def between(self, low: int, high: int) -> int:
        """Return low + below(high - low + 1): a number from low to high, both included."""
        return low + self.below(high - low + 1)

    def chance(self, numerator: int, denominator: int) -> bool:
        """True in `numerator` of `denominator` cases."""
        return self.below(denominator) < numerator

    def choice(self, items: Sequence[_T]) -> _T:
        """Return one of `items`, each equally likely; ValueError if there is none."""
        return items[self.below(len(items))]

    def weighted(self, weights: Sequence[int]) -> int:
        """Return the place of one of `weights`, each as likely as its weight says."""
        rest = self.below(sum(weights))
        for place, weight in enumerate(weights):
            rest -= weight
            if rest < 0:
                return place
        raise AssertionError("the weights sum to more than their sum")

    def fork(self) -> SplitMix64:
        """Return a new stream, seeded with the next number of this one."""
        return SplitMix64(self.next64())
