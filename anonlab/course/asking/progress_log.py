"""What a learner has done, in `.anonlab/progress.jsonl` of the course's folder.

One JSON object per line, appended at once and never changed, so that nothing is lost when a kernel
restarts, and two notebooks can write at a time. A line that a crash cut short loses itself only.
The file stays on the learner's machine.

    {"when": "2026-03-01T10:00:00+00:00", "what": "check", "exercise": "04a", "points": 2, …}
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from anonlab.errors import FormatError
from anonlab.formats.json_text import parse_json

Event = dict[str, Any]
FIELDS: dict[str, type] = {
    "name": str, "exercise": str, "given": str, "digest": str, "marks": dict, "kept": dict,
    "points": int, "most": int, "hint": int, "right": int, "of": int,
}  # fmt: skip
"""What fields hold, in events that have them; a line in which one does not is damaged."""
NEEDED = {"scene": ("name", "step", "kept"), "write": ("digest",), "items": ("given",)}
"""Fields without which an event of a kind says nothing."""
MARKS, LONGEST_STEP = ("hit", "missed", "extra"), 9
"""What a mark in a picture may have; digits of the number of its step."""
_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
"""Without O_BINARY Windows writes two bytes for the end of a line."""


class ProgressLog:
    """The events of the course in `root`, oldest first."""

    def __init__(self, root: Path) -> None:
        self.path = root / ".anonlab" / "progress.jsonl"

    def add(self, what: str, **facts: Any) -> Event:
        """Append one event; it is on disk when this returns.

        raises  OSError if the folder cannot be written to
        """
        event = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "what": what, **facts}
        line = json.dumps(event, ensure_ascii=False).encode() + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, _APPEND, 0o644)
        try:
            with _alone(descriptor):
                if os.fstat(descriptor).st_size:
                    os.lseek(descriptor, -1, os.SEEK_END)
                    if os.read(descriptor, 1) != b"\n":
                        line = b"\n" + line  # somebody crashed in the middle of a line
                while line:
                    line = line[os.write(descriptor, line) :]
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return event

    def events(self, what: str = "", **facts: Any) -> list[Event]:
        """Return the events, or those of one kind with the given facts; damaged lines are left
        out."""
        return [
            event
            for event in self._read()
            if what in ("", event["what"])
            and all(event.get(name) == value for name, value in facts.items())
        ]

    def damaged(self) -> int:
        """Return how many lines are there that are no events; empty ones do not count."""
        return sum(bool(line.strip()) for line in self._lines()) - len(self.events())

    def _lines(self) -> list[str]:
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return []
        return raw.decode("utf-8", "replace").split("\n")

    def _read(self) -> Iterator[Event]:
        for line in self._lines():
            try:
                event = parse_json(line)
            except FormatError:
                continue
            if isinstance(event, dict) and _is_event(event):
                yield event

    def picture_marks(self, name: str) -> dict[str, Any]:
        """Return the marks in the picture of the player `name`: the first of every step, by its
        number."""
        first: dict[str, Any] = {}
        for event in self.events("marked", name=name):
            for step, mark in event.get("marks", {}).items():
                first.setdefault(step, mark)
        return first

    def best(self, number: str) -> int:
        """Return the most points that public checks of exercise `number` have given."""
        checks = self.events("check", exercise=number)
        return max((event.get("points", 0) for event in checks), default=0)

    def has_passed(self, number: str) -> bool:
        """Return whether the public checks of exercise `number` have ever all passed."""
        return bool(self.events("check", exercise=number, ok=True))

    def hints(self, number: str) -> int:
        """Return how many hints of exercise `number` are open."""
        hints = self.events("hint", exercise=number)
        return max((event.get("hint", 0) for event in hints), default=0)


def _is_event(event: Event) -> bool:
    """Return whether all fields are what their readers expect: a crash or a person may have
    changed a line."""
    wanted = {"what": str, **FIELDS}
    plain = all(isinstance(event[name], kind) for name, kind in wanted.items() if name in event)
    return (
        plain
        and "what" in event
        and ("right" in event or not event.get("of"))
        and all(name in event for name in NEEDED.get(event["what"], ()))
        and all(_is_mark(step, mark) for step, mark in event.get("marks", {}).items())
    )


def _is_mark(step: str, mark: Any) -> bool:
    """Return whether this is what a player keeps of one step."""
    return (
        step.isdecimal()
        and len(step) <= LONGEST_STEP
        and isinstance(mark, dict)
        and all(_are_texts(mark.get(kind, [])) for kind in MARKS)
        and isinstance(mark.get("names", {}), dict)
        and _are_texts(list(mark.get("names", {}).values()))
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


@contextmanager
def _alone(descriptor: int) -> Iterator[None]:
    """Hold the file's lock inside the block, where the system has such locks."""
    try:
        from fcntl import LOCK_EX, LOCK_UN, flock
    except ImportError:  # no such locks here (Windows, a browser): short appends hardly ever meet
        yield
        return
    try:
        flock(descriptor, LOCK_EX)
    except OSError:  # some network file systems have none either
        yield
        return
    try:
        yield
    finally:
        flock(descriptor, LOCK_UN)
