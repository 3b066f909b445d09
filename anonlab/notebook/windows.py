"""The picture of a bench: its whole history while that is short, later the operations around the
one that is shown, so that an operation costs the same at any length. The bench lists all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from anonlab.formats.trace import Trace
from anonlab.notebook.live_history import LiveHistory
from anonlab.view.player.export import made_payload
from anonlab.view.player.player import Player
from anonlab.view.stage.graph import dot_layout
from anonlab.view.story.payload import Payload

MOST_OPERATIONS, BEFORE = 60, 40
"""Operations of a window, and how many of them stand before the one that is shown."""
_layout = lru_cache(maxsize=64)(dot_layout)  # most operations leave the graph as it was


class Windows:
    """One history under one design or several, a window at a time.

    live  what was run, by design; all of one history
    """

    def __init__(self, live: Mapping[str, LiveHistory], title: str) -> None:
        self.live, self.title = live, title
        self.count = len(next(iter(live.values())).ends) - 1

    def bounds(self, operation: int) -> tuple[int, int]:
        """Return (first, last) of the operations around `operation`, from 1; 0 is the start.

        Windows overlap and move by BEFORE, so that most steps stay within one.
        """
        if self.count <= MOST_OPERATIONS:
            return 0, self.count
        start = max(0, operation - 1) // BEFORE * BEFORE
        first = max(0, min(start - (MOST_OPERATIONS - BEFORE) // 2, self.count - MOST_OPERATIONS))
        return first, min(self.count, first + MOST_OPERATIONS)

    def payload(self, operation: int) -> tuple[Payload, int]:
        """Return the payload of the window around `operation`, and the step at its end."""
        first, last = self.bounds(operation)
        traces = {
            name: Trace(self.title, tuple(one.steps[max(0, one.ends[first] - 1) : one.ends[last]]))
            for name, one in self.live.items()
        }
        made = made_payload(traces if len(traces) > 1 else next(iter(traces.values())),
                            layouter=_layout)  # fmt: skip
        if (first, last) != (0, self.count):
            here = f"Operations {first + 1} to {last} of {self.count} are here: choose in the list."
            made["note"] = f"{here} {made['note']}".strip()
        at = max((number for number, row in enumerate(made["steps"]) if row[1] <= operation - 1),
                 default=0)  # fmt: skip
        return made, at


class WindowPlayer(Player):
    """A player of windows."""

    _operations: tuple[int, ...] = (0,)  # of each step that is played
    _changing = False

    @property
    def operation(self) -> int | None:
        """The number of the operation that is shown, from 1; 0 is the start, None while another
        window is put up."""
        return None if self._changing else self._operations[self.step]

    def show_windows(self, windows: Windows, operation: int, stays: bool = False) -> None:
        """Play `windows`, at the end of `operation`, counted from 1; 0 is the start.

        stays  at the step of this operation that is shown now, if that is one
        """
        made, at = windows.payload(operation)
        if stays and self.operation == operation:
            at -= self._operations[self.step + 1 :].count(operation)
        self._changing = True
        self._operations = tuple(row[1] + 1 for row in made["steps"])
        self.show_payload(made, at)
        self._changing = False
