"""The player: a trace as a picture that one can step through, in JupyterLab.

The whole trace is sent to the browser once, as numbers; a click changes the picture there, whether
the kernel is busy or not. `step` is synchronised both ways, `predictions` come back to Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython.display import display

from anonlab.formats.trace import Trace
from anonlab.view.player.export import (
    cards_for,
    html,
    made_payload,
    packed,
    player_css,
    player_js,
)
from anonlab.view.stage.picture import picture
from anonlab.view.story.payload import TABS, Payload, Played
from anonlab.view.story.words import say
from anonlab.view.templates import filled

STATIC = "anonlab-static"
"""Class of what a notebook shows where widgets cannot live."""


class Player(anywidget.AnyWidget):
    """Show `trace` step by step, or several traces of one history side by side.

    trace        at least one step; all its snapshots of one machine. {design: trace} for two to
                 four designs side by side
    title        what the player is called; the trace's own title if not given
    predict      numbers of steps of `trace` before which the learner is asked what will change
    predictions  what `predictions` held when the learner left, to go on from there
    page         file for the same player as a page of its own, written when this is shown; the
                 static form of a notebook links to it
    keep         is called with `predictions` each time there is a new one, and returns a sentence
                 about where it is kept; without it, the player says that nothing is kept
    tabs         what can be opened below the picture, of story.payload.TABS; a lesson names those
                 whose topic has come
    cards        {step: the question that is asked before it}, for other questions than `predict`
    judge        is called with (step, answers) of a card without a truth of its own, and returns
                 its verdict
    raises       ValueError for a trace that is empty, a step or a tab that is not there

    `step` is the number of the step shown, from 0; setting it moves the picture. `predictions`
    holds the first answers of every step, by its number: `answers`, and for marks in the picture
    what was `hit`, `missed` and `extra`; `keeping` says where they are kept. `chosen` is the place
    in the picture that the learner chose ("p1-48": page 48 of address space 1), '' if none.
    """

    _esm = property(lambda self: player_js())
    _css = player_css()
    frames = traitlets.Any().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    predictions = traitlets.Dict().tag(sync=True)
    chosen = traitlets.Unicode("").tag(sync=True)
    keeping = traitlets.Unicode("").tag(sync=True)
    wanted: traitlets.List[Any] = traitlets.List().tag(sync=True)
    verdict = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        trace: Played,
        title: str | None = None,
        predict: Iterable[int] | None = None,
        predictions: Mapping[str, Any] | None = None,
        page: str | Path | None = None,
        keep: Callable[[Mapping[str, Any]], str] | None = None,
        tabs: Iterable[str] = TABS,
        cards: Mapping[int, Any] | None = None,
        judge: Callable[[int, list[Any]], dict[str, Any]] | None = None,
    ) -> None:
        self.trace = trace
        self._keep, self._judge = keep, judge
        self._title, self._tabs = title, tuple(tabs)
        self._cards = {**cards_for(predict or ()), **(cards or {})}
        self.page = Path(page) if page is not None else None
        self._last = 0
        super().__init__(frames=self._packed(self._payload()), predictions=dict(predictions or {}))
        if not self.predictions:
            self._keep_predictions({"new": {}})

    def _payload(self) -> Payload:
        return made_payload(self.trace, self._title, self._cards, self._tabs)

    def _packed(self, made: Payload) -> Payload | str:
        self._last = len(made["steps"]) - 1
        return packed(made)

    def play(self, trace: Played, step: int = -1) -> None:
        """Show another trace in the same place, at `step`; -1 is its last one."""
        self.trace, self._cards = trace, {}
        self.show_payload(self._payload(), step)

    def show_payload(self, made: Payload, step: int = -1) -> None:
        """Show a payload, at `step`; -1 is its last one."""
        frames = self._packed(made)
        with self.hold_sync():
            self.step = 0
            self.frames = frames
            self.step = self._last if step < 0 else min(step, self._last)

    @traitlets.observe("predictions")
    def _keep_predictions(self, change: Any) -> None:
        if self._keep is not None:
            try:
                self.keeping = self._keep(change["new"])
            except OSError as error:
                self.keeping = say("keep.failed", error=error)

    @traitlets.observe("wanted")
    def _answer_wanted(self, change: Any) -> None:
        """Judge the answers of a card, if there is somebody to judge them."""
        if change["new"][:1] == ["judge"] and self._judge is not None:
            _, step, answers, number = change["new"]
            self.verdict = {**self._judge(int(step), answers), "number": number}

    @traitlets.validate("step")
    def _valid_step(self, proposal: Any) -> int:
        step = int(proposal["value"])
        if not 0 <= step <= self._last:
            raise traitlets.TraitError(f"this player has steps 0 to {self._last}, got {step}")
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
        data["text/plain"] = say("player.name", title=self._name())
        for output in (data, self._static()):
            display(output, raw=True)  # type: ignore[no-untyped-call]

    def _first_trace(self) -> Trace:
        return self.trace if isinstance(self.trace, Trace) else next(iter(self.trace.values()))

    def _name(self) -> str:
        return self._first_trace().title if self._title is None else self._title

    def _static(self) -> dict[str, str]:
        trace = self._first_trace()
        last = picture(trace.steps[-1].snapshot)
        title = say("page.last", title=self._name(), n=len(trace.steps))
        page = self.page.as_posix() if self.page is not None else ""
        drawn = last._repr_html_()
        made = filled("player/notebook.html.j2", kind=STATIC, title=title, page=page, picture=drawn)
        return {"text/html": made, "text/plain": f"{title}\n{last.text}"}

    def html(self) -> str:
        """Return the same player as one HTML page that needs neither network nor Python."""
        return html(self.trace, self._title, cards=self._cards, tabs=self._tabs)

    def save_html(self, path: str | Path) -> Path:
        """Write `html()` to `path` and return the path."""
        target = Path(path)
        target.write_text(self.html(), encoding="utf-8")
        return target
