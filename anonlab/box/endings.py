"""How a student's process may end, and the time that it has. Every system has this module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

RIGHT = object()
"""Stands for an answer that is the right one, to the letter."""


class BoxEnded(BaseException):
    """The box is gone; `status` says why, `message` is for people.

    No `except Exception` of a test catches it: there is nobody to ask any more.
    """

    def __init__(
        self,
        status: str,
        message: str,
        waited: bool = False,
        starved: bool = False,
    ) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.waited = waited
        """True for a time-out in which the box waited for a processor: the machine was busy."""
        self.printed = ""
        """What was printed while the code was loaded, if that is what has ended it."""
        self.starved = starved
        """True for a time-out of a box that did not get the time that it may use."""


@dataclass
class Clock:
    """Seconds that one call may take, and that an exercise of a submission has left for all."""

    call_seconds: float
    left: float

    @property
    def limit(self) -> float:
        """Seconds that the next call may take."""
        return min(self.call_seconds, max(self.left, 0))

    def late(self, limit: float) -> str:
        """Say that a call of `limit` seconds has brought no answer."""
        if limit < self.call_seconds:
            return "the time for all calls together is used up"
        return f"no answer after {limit:g} s: is there a loop that never ends?"


class Process(Protocol):
    """A process with a student's code: a box (box.py), or one that has no walls (child.py)."""

    ended: BoxEnded | None

    def load(self, code: bytes, name: str) -> Any:
        """Run the student's code, which came as the file `name`."""

    def ask(self, op: str, **parts: Any) -> Any:
        """Return the answer to one question, or Raised; BoxEnded if there is none in time."""

    def ask_each(self, op: str, questions: Sequence[dict[str, Any]]) -> Iterator[Any]:
        """Yield the answers to many questions."""

    def ask_known(self, questions: Sequence[tuple[bytes, bytes]]) -> Iterator[Any]:
        """Ask messages of wire.py; yield RIGHT for each answer that is right to the letter."""

    def begin_call(self) -> None:
        """Let what is printed from here on be of another call."""

    @property
    def printed(self) -> str:
        """What was printed, cleaned and cut."""

    @property
    def printed_by_call(self) -> str:
        """What was printed since `begin_call`."""

    def kill(self) -> None:
        """End the process."""
