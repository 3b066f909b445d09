"""The player: a trace as a picture that one can step through, in JupyterLab.

All frames are sent to the browser once; a click changes the picture there, whether the kernel is
busy or not. `step` is synchronised both ways, `prediction` comes back to Python.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from anonlab.formats.trace import Trace
from anonlab.view.export import html, player_css, save_html
from anonlab.view.payload import payload

PLAYER_JS = Path(__file__).with_name("player.js")


class Player(anywidget.AnyWidget):
    """Show `trace` step by step.

    trace    at least one step; all its snapshots of one machine
    title    what the player is called; the trace's own title if not given
    predict  numbers of steps of `trace` before which the learner is asked what will change
    raises   ValueError for a trace that is empty or too large for a player

    `step` is the number of the step shown, from 0; setting it moves the picture. `kept` lists the
    steps of the trace that are shown: all, or the last of each operation where the trace is
    large. `prediction` holds what the learner marked last, and what of it was right.
    """

    _esm = PLAYER_JS
    _css = player_css()
    frames = traitlets.Dict().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    prediction = traitlets.Dict().tag(sync=True)

    def __init__(
        self, trace: Trace, title: str | None = None, predict: Iterable[int] | None = None
    ) -> None:
        self.trace = trace
        super().__init__(frames=payload(trace, title, predict or ()))

    @property
    def kept(self) -> tuple[int, ...]:
        """The steps of the trace that the player shows, in order."""
        return tuple(self.frames["kept"])

    @traitlets.validate("step")
    def _valid_step(self, proposal: Any) -> int:
        step, last = int(proposal["value"]), len(self.frames["steps"]) - 1
        if not 0 <= step <= last:
            raise traitlets.TraitError(f"this player has steps 0 to {last}, got {step}")
        return step

    def html(self) -> str:
        """Return the same player as one HTML page that needs neither network nor Python."""
        return html(self.trace, self.frames["title"])

    def save_html(self, path: str | Path) -> Path:
        """Write `html()` to `path` and return the path."""
        return save_html(self.trace, path, self.frames["title"])
