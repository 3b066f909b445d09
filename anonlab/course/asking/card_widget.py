"""A question as a card in the cell: it asks, takes the answer, and shows the truth beside it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import anywidget
import traitlets
from IPython.display import display

from anonlab.course.asking.cards import Card, Verdict, check_form
from anonlab.view.player.export import CARD, module_js, player_css
from anonlab.view.player.player import STATIC

Judge = Callable[[list[Any], bool], Verdict]
"""Takes the answers, and whether this is the last try; keeps them and returns the verdict."""
_shown: WeakValueDictionary[str, CardWidget] = WeakValueDictionary()


def card_js() -> str:
    """Return the card's module, in the chosen language."""
    return module_js([*CARD, Path(__file__).with_name("card.js")])


class CardWidget(anywidget.AnyWidget):
    """Show a card, and let `judge` say what is right.

    card     what is asked (`course.asking.cards`)
    judge    is called with each answer
    text     the same question as text, for front ends without widgets and for those who type
    answers  what was answered before, if the card is locked already; `verdict` belongs to it
    html     what the card is about: a picture of ours, shown above the question

    `verdict` is empty until the card is locked; `tries` counts the answers.
    """

    _esm = property(lambda self: card_js())
    _css = player_css() + Path(__file__).with_name("card.css").read_text(encoding="utf-8")
    card = traitlets.Dict().tag(sync=True)
    answers: traitlets.List[Any] = traitlets.List().tag(sync=True)
    verdict = traitlets.Dict().tag(sync=True)
    html = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        card: Card,
        judge: Judge,
        text: str,
        answers: list[Any] | None = None,
        verdict: Verdict | None = None,
        html: str = "",
    ) -> None:
        super().__init__(card=card, answers=answers or [], verdict=verdict or {}, html=html)
        self.text, self._judge, self.tries = text, judge, 0
        _shown[card["name"]] = self
        self.on_msg(lambda _, content, __: self._heard(content))

    def _heard(self, content: Any) -> None:
        if isinstance(content, dict) and "lock" in content:
            self.lock(content["lock"])

    def lock(self, answers: Any) -> None:
        """Answer the card; a mistake of form is said on it."""
        try:
            check_form(self.card["parts"], answers)
            self.tries += 1
            verdict = self._judge(answers, self.tries >= self.card["chances"])
            self.answers = answers
        except (ValueError, OSError) as error:
            verdict = {"parts": [], "again": True, "nudge": str(error), "said": ""}
        self.verdict = {**verdict, "try": self.tries}  # the same words again are another verdict

    def _ipython_display_(self, **_: Any) -> None:
        """Show the card, and below it the question as text where widgets cannot live."""
        made = self._repr_mimebundle_()
        data = dict((made[0] if isinstance(made, tuple) else made) or {})
        text = f'<pre style="white-space:pre-wrap">{escape(self.text)}</pre>'
        html = (
            f"<style>.jp-OutputArea:has(.anonlab-card) .{STATIC}{{display:none}}</style>"
            f'<div class="{STATIC}">{text}{self.html}</div>'
        )
        static = {"text/html": html, "text/plain": self.text}
        for output in ({**data, "text/plain": self.text}, static):
            display(output, raw=True)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return self.text


def shown_card(name: str) -> CardWidget | None:
    """Return the card `name` that was shown last, if it still is."""
    return _shown.get(name)
