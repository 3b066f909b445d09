"""The picture of a bench, a few operations at a time: its cost does not grow with the history.

The player asks for the window before or after by itself, so one can step through everything.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from anonlab.formats.trace import Trace
from anonlab.notebook.live_history import LiveHistory
from anonlab.view.player.payload import Payload
from anonlab.view.player.player import Player
from anonlab.view.stage.graph import dot_layout
from anonlab.view.stage.parts import Parts

MOST_STEPS, FEW_STEPS = 10, 4
"""A window has so many new steps at most, or those of one operation; FEW_STEPS where there are many
page tables to draw."""
MOST_SPACES = 3
"""More address spaces, in all lanes, are many."""
_layout = lru_cache(maxsize=64)(dot_layout)  # most operations leave the graph as it was


class Windows:
    """The parts of one history under one design or several, for a Player.

    live  what was run, by design; all of one history
    """

    def __init__(self, live: Mapping[str, LiveHistory], title: str) -> None:
        self.live, self.title = live, title
        ends = next(iter(live.values())).ends
        spaces = sum(len(one.steps[-1].snapshot.mms) for one in live.values())
        most = MOST_STEPS if spaces <= MOST_SPACES else FEW_STEPS
        self.starts = [0]  # windows[n] are the operations from starts[n] on
        for count in range(1, len(ends)):
            if ends[count] - ends[self.starts[-1]] > most and count - 1 > self.starts[-1]:
                self.starts.append(count - 1)
        self.count = len(ends) - 1

    @property
    def ids(self) -> list[str]:
        """The windows, in order."""
        return [f"c{number}" for number in range(len(self.starts))]

    def place_of(self, operation: int) -> str:
        """Return the window with operation `operation`, from 1; 0 is the start."""
        return f"c{bisect_right(self.starts, max(operation - 1, 0)) - 1}"

    def part(self, wanted: str) -> Payload:
        """Return the payload of one window.

        raises  ValueError if there is no such window
        """
        if wanted not in self.ids:
            raise ValueError(f"there are the windows c0 to {self.ids[-1]}, got {wanted!r}")
        number = int(wanted[1:])
        first, after = self._bounds(number)
        traces = {name: Trace(self.title, tuple(one.steps[one.ends[first] - 1 : one.ends[after]]))
                  for name, one in self.live.items()}  # fmt: skip
        played = traces if len(traces) > 1 else next(iter(traces.values()))
        drawn = Parts(played, layouter=_layout)
        made = drawn.part(drawn.ids[-1])
        named = [[one, self._words(at)] for at, one in enumerate(self.ids)]
        return {**made, "parts": {"here": wanted, "list": named if len(named) > 1 else []}}

    def _bounds(self, number: int) -> tuple[int, int]:
        after = self.starts[number + 1] if number + 1 < len(self.starts) else self.count
        return self.starts[number], after

    def _words(self, number: int) -> str:
        first, after = self._bounds(number)
        return f"operations {first + 1} to {after}" if after > first + 1 else f"operation {after}"


class WindowPlayer(Player):
    """A player of windows; `show_operation` shows one operation."""

    parts: Any

    def show_windows(self, windows: Windows, operation: int) -> None:
        """Play `windows`, at the end of `operation`, counted from 1; 0 is the start."""
        self.parts = windows
        self.show_operation(operation)

    def show_operation(self, operation: int) -> None:
        """Show the end of `operation` of what is played."""
        wanted = self.parts.place_of(operation)
        made = self.parts.part(wanted)
        last = max((at for at, step in enumerate(made["steps"])
                    if step["operation"] <= operation - 1), default=0)  # fmt: skip
        with self.hold_sync():
            self.step = 0
            self.frames = made
            self.step = last
