"""The player: a trace as a picture that one can step through, in JupyterLab.

All frames are sent to the browser once; a click changes the picture there, whether the kernel is
busy or not. `step` is synchronised both ways, `prediction` comes back to Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython.display import display

from anonlab.formats.trace import Trace
from anonlab.view.player.export import html, player_css, player_js, save_html
from anonlab.view.player.payload import Played
from anonlab.view.stage.parts import Parts
from anonlab.view.stage.picture import picture

STATIC = "anonlab-static"
"""Class of what a notebook shows where widgets cannot live."""


class Player(anywidget.AnyWidget):
    """Show `trace` step by step, or several traces of one history side by side.

    trace        at least one step; all its snapshots of one machine. {design: trace} for two to
                 four designs side by side
    title        what the player is called; the trace's own title if not given
    predict      numbers of steps of `trace` before which the learner is asked what will change
    predictions  what `predictions` held when the learner left, to go on from there
    keep         is called with `predictions` each time there is a new one, and returns a sentence
                 about where it is kept; without it, the player says that nothing is kept
    page         file for the same player as a page of its own, written when this is shown; the
                 static form of a notebook links to it
    raises       ValueError for a trace that is empty

    `step` is the number of the step shown, from 0; setting it moves the picture. `kept` lists the
    steps of the trace that are shown. `prediction` holds what the learner marked last, and what
    of it was right; `predictions` holds the first prediction of every step, by its number, with
    what was hit, missed and too much, and `names` of these places; `keeping` says where they are
    kept. `chosen` is the place in the picture that the learner chose ("mm1-pte-30"), '' if none.

    A trace that is too large for one player comes in parts; `show_part` shows another one. The
    browser asks for it itself, which needs a running kernel; stepping within a part does not.
    """

    _esm = player_js()
    _css = player_css()
    frames = traitlets.Dict().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    prediction = traitlets.Dict().tag(sync=True)
    predictions = traitlets.Dict().tag(sync=True)
    chosen = traitlets.Unicode("").tag(sync=True)
    keeping = traitlets.Unicode("").tag(sync=True)
    wanted: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(
        self,
        trace: Played,
        title: str | None = None,
        predict: Iterable[int] | None = None,
        predictions: Mapping[str, Any] | None = None,
        page: str | Path | None = None,
        keep: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> None:
        self.trace = trace
        self._keep = keep
        self._predict = tuple(predict or ())
        self._title = title
        self.page = Path(page) if page is not None else None
        self.parts = Parts(trace, title, self._predict)
        first = self.parts.part("c0")
        super().__init__(frames=first, predictions=dict(predictions or {}))
        self._keep_predictions({"new": self.predictions})

    @property
    def kept(self) -> tuple[int, ...]:
        """The steps of the trace that the player shows, in order."""
        return tuple(self.frames["kept"])

    def show_part(self, part: str, step: int = 0) -> None:
        """Show another part of a long trace, at `step`; -1 is its last one.

        raises  ValueError if there is no such part
        """
        frames = self.parts.part(part)
        last = len(frames["steps"]) - 1
        self.step = 0
        self.frames = frames
        self.step = last if step < 0 else min(step, last)

    def play(self, trace: Played) -> None:
        """Show another trace in the same place, at its last step."""
        self.trace = trace
        self.parts = Parts(trace, self._title)
        self.show_part(self.parts.ids[-1], -1)

    @traitlets.observe("predictions")
    def _keep_predictions(self, change: Any) -> None:
        if self._keep is not None:
            try:
                self.keeping = self._keep(change["new"])
            except OSError as error:
                self.keeping = f"Not kept: {error}"

    @traitlets.observe("wanted")
    def _show_wanted(self, change: Any) -> None:
        part, step, *_ = change["new"]
        self.show_part(str(part), int(step))

    @traitlets.validate("step")
    def _valid_step(self, proposal: Any) -> int:
        step, last = int(proposal["value"]), len(self.frames["steps"]) - 1
        if not 0 <= step <= last:
            raise traitlets.TraitError(f"this player has steps 0 to {last}, got {step}")
        return step

    def _ipython_display_(self, **_: Any) -> None:
        """Show the widget, and below it what stays where widgets cannot live.

        A notebook turned into HTML keeps widgets only with scripts from the network. The second
        output is the last picture, its text twin and a link to the page, if there is one; a style
        rule hides it wherever the player was drawn.
        """
        if self.page is not None:
            self.save_html(self.page)
        made = self._repr_mimebundle_()
        data = dict((made[0] if isinstance(made, tuple) else made) or {})
        for output in ({**data, "text/plain": f"player: {self.frames['title']}"}, self._static()):
            display(output, raw=True)  # type: ignore[no-untyped-call]

    def _static(self) -> dict[str, str]:
        trace = self.trace if isinstance(self.trace, Trace) else next(iter(self.trace.values()))
        last = picture(trace.steps[-1].snapshot)
        title = escape(f"{self.frames['title']}: the last of {len(trace.steps)} steps")
        link = ""
        if self.page is not None:
            link = f'<p><a href="{escape(self.page.as_posix())}">Step through it: a page</a></p>'
        html = (
            f"<style>.jp-OutputArea:has(.anonlab-player) .{STATIC}{{display:none}}</style>"
            f'<div class="{STATIC}"><p><b>{title}</b></p>{link}{last._repr_html_()}</div>'
        )
        return {"text/html": html, "text/plain": f"{title}\n{last.text}"}

    def html(self) -> str:
        """Return the same player as one HTML page that needs neither network nor Python."""
        return html(self.trace, self._title, self._predict)

    def save_html(self, path: str | Path) -> Path:
        """Write `html()` to `path` and return the path."""
        return save_html(self.trace, path, self._title, self._predict)
