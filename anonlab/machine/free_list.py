"""The free list of everything that is handed out by number: frames, page-table rows, swap slots."""

from __future__ import annotations

import numpy as np

from anonlab.machine.words import Ints


class FreeList:
    """Numbers that are free, as a stack: what is given back last is taken first.

    A use after free so meets the new owner's data at once. A new list has its lowest number on
    top, so that lessons count up.
    size   how many are free
    least  the fewest that have been free at a time
    """

    def __init__(self, first: int, end: int) -> None:
        self._stack = np.arange(end - 1, first - 1, -1, dtype=np.int64)
        self.size = self.least = end - first

    @property
    def numbers(self) -> Ints:
        """The free numbers, int64[size]; the next one to be taken is the last."""
        return self._stack[: self.size].copy()

    def take(self, n: int) -> Ints:
        """Return `n` distinct numbers, int64[n]; the caller has seen to it that they are there."""
        top = self.size
        self.size = top - n
        if self.size < self.least:
            self.least = self.size
        return self._stack[self.size : top][::-1].copy()

    def give(self, numbers: Ints) -> None:
        """Take the distinct `numbers` back."""
        self._stack[self.size : self.size + numbers.size] = numbers
        self.size += numbers.size

    def grow(self, first: int, end: int) -> None:
        """Add the numbers from `first` to `end` - 1, none of which was ever here, below the others:
        they are taken last, the lowest of them first."""
        free, n = self.numbers, end - first
        self._stack = np.zeros(end, dtype=np.int64)
        self._stack[:n] = np.arange(end - 1, first - 1, -1)
        self._stack[n : n + free.size] = free
        self.size += n
        self.least = min(self.least, self.size)
