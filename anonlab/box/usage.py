"""What a box has used of a processor. Time is blamed on whoever had it, not on whoever waited.

A call exceeds its limit when the box used more time of a processor, or slept longer, than it may.
Time in which it could have run, and got no processor, is nobody's fault.
"""

from __future__ import annotations

import os
import time

CEILING = 20
"""After so many times its limit a call is stopped, whoever had the processor."""
BUSY, WAITED = 0.8, 0.1
"""Who used more than this share of the limit on a processor was not kept waiting; nor was who
waited for one less than that share of it: a call that sleeps waits for none."""


class Schedule:
    """The kernel's account of one thread: seconds on a processor, seconds of waiting for one."""

    def __init__(self, path: str) -> None:
        self._last = 0.0, 0.0
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # a kernel without it: nobody knows who has waited
            self._file = -1
        self.known = self._file >= 0

    def read(self) -> tuple[float, float]:
        """Return (on a processor, waiting for one); the last known of a thread that is gone."""
        if self._file >= 0:
            try:
                ran, waited, _ = os.pread(self._file, 64, 0).split()
                self._last = int(ran) / 1e9, int(waited) / 1e9
            except (OSError, ValueError):
                pass
        return self._last

    def close(self) -> None:
        """Read no more."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class Timer:
    """One call of a box: how much of its time is used up.

    box, own  the accounts of the box and of the thread that asks it
    limit     seconds that the call may take
    """

    def __init__(self, box: Schedule, own: Schedule, limit: float) -> None:
        self._box, self._own = box, own
        self.limit = limit
        self.begin = time.monotonic()
        self.deadline = self.begin + limit
        self._before = box.read(), own.read()

    @property
    def ran(self) -> float:
        """Seconds that the box was on a processor."""
        return self._box.read()[0] - self._before[0][0]

    @property
    def waited(self) -> float:
        """Seconds in which the box, or who asks it, could have run and got no processor."""
        now = self._box.read()[1], self._own.read()[1]
        return now[0] - self._before[0][1] + now[1] - self._before[1][1]

    @property
    def used(self) -> float:
        """Seconds that count: those of the wall, without those of waiting for a processor."""
        wall = time.monotonic() - self.begin
        return wall if wall < BRIEF else max(wall - self.waited, self.ran)

    def over(self) -> bool:
        """Return whether the time is used up; if not, there is a new deadline."""
        now = time.monotonic()
        left = min(self.limit - self.used, self.begin + CEILING * self.limit - now)
        self.deadline = now + max(left, LEAST)
        return left <= 0

    @property
    def kept_waiting(self) -> bool:
        """True if the machine was busy: the box used little of a processor, and waited for one.
        Who slept has no second try, unless the kernel does not tell the two apart."""
        if self.ran >= BUSY * self.limit:
            return self.starved
        return self.starved or self.waited >= WAITED * self.limit or not self._box.known

    @property
    def starved(self) -> bool:
        """True if the box did not get the time that it may use."""
        return self.used < self.limit


BRIEF = 0.002
"""Seconds of a call for which nobody looks at accounts."""
LEAST = 0.001
