"""How many steps a student's code makes: a line that runs, a call of a function, a turn of a loop.

It runs in the box, beside worker.py, and on a laptop. Only code whose global names are the
student's is counted: lambdas, comprehensions, generators and methods too, but not what NumPy does
inside. The number is the same on every machine; seconds are not. Like every answer of a box it is a
claim: who forges it gains the points for cost, never those for being right.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

MOST = 100_000
"""Here counting ends: the code goes on at its own pace."""
TAKEN_AWAY = "your code took away sys.settrace, which counts its steps: leave it alone"


class Steps:
    """Counts inside its block, in this thread, the steps of code with the global names `names`.

    Whoever traced before, a debugger or coverage, pauses in the block and goes on after it.

    raises  RuntimeError at the end of the block if the code has stopped the counting
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self.made = 0
        self._names = names
        self._before: Callable[..., Any] | None = None

    def __enter__(self) -> Steps:
        self._before = sys.gettrace()
        sys.settrace(self._entered)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        counting = sys.gettrace() == self._entered
        sys.settrace(self._before)
        if kind is None and not counting and self.made < MOST:
            raise RuntimeError(TAKEN_AWAY)

    def _entered(self, frame: FrameType, event: str, arg: object) -> Any:
        """Count a call, or a generator that goes on; ask for the lines of the student's only."""
        if frame.f_globals is not self._names:
            return None
        return self._ran(frame, "line", arg)

    def _ran(self, frame: FrameType, event: str, arg: object) -> Any:
        """Count a line. A turn of a loop is one too, also where the loop stands in one line."""
        self.made += event == "line"
        if self.made >= MOST:
            sys.settrace(None)
            return None
        return self._ran
