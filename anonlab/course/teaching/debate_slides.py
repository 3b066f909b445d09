"""Slides of a debate: what its people wrote, and each objection as a question that numbers answer.

They follow the cells of the notebook: `debate("search")` becomes slides with the mails of that
topic, `objection("malloc")` a question and its answer. What stands in quotation marks is from a
mail; the link to it is in the notes for the speaker.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from anonlab.course.asking.bank.debate import SAID
from anonlab.course.asking.bank.objections import OBJECTIONS
from anonlab.course.asking.bank.predictions import PREDICTIONS
from anonlab.course.asking.debate_tools import against, measured_objection, told
from anonlab.course.teaching.slide_kinds import VOTE, Slide
from anonlab.course.teaching.topics import TopicPart
from anonlab.rmap import DESIGNS

MOST_MAILS = 3
"""So many mails stand on one slide."""
_CALL = re.compile(r'^(debate|objection|scene)\("([^"]+)"', re.MULTILINE)


class DebateSlides(NamedTuple):
    """The slides of a debate: before the first scene of its notebook, and after the last one."""

    before: tuple[Slide, ...] = ()
    after: tuple[Slide, ...] = ()

    @property
    def titles(self) -> tuple[str, ...]:
        """What the first slide of the deck lists."""
        slides = (*self.before, *self.after)
        return tuple(dict.fromkeys(each.title for each in slides if each.kind == "said"))


def debate_slides(notebook: Path) -> DebateSlides:
    """Return the slides of the debate that the file `notebook` tells; none if it tells none."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    code = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    calls = [call for text in code for call in _CALL.findall(text)]
    first = next((at for at, (verb, _) in enumerate(calls) if verb == "scene"), 0)
    before, after = calls[:first], calls[first:]
    return DebateSlides(tuple(_slides(before)), tuple(_slides(after)))


def _slides(calls: list[tuple[str, str]]) -> Iterator[Slide]:
    for verb, name in calls:
        if verb == "debate":
            yield from _mails(name)
        elif verb == "objection":
            yield from _tried(name)


def _mails(topic: str) -> Iterator[Slide]:
    said = [each for each in SAID if each.topic == topic]
    for at in range(0, len(said), MOST_MAILS):
        shown = tuple(said[at : at + MOST_MAILS])
        read = "Let students read the words aloud. What is not in quotation marks is ours."
        links = (f"{each.who}, {each.when}: {each.url}" for each in shown)
        yield Slide("said", f"The debate: {topic}", (read, *links), said=shown)


def _tried(name: str) -> Iterator[Slide]:
    """Yield an objection as a question, and what its history counts as the answer."""
    tried, asked = OBJECTIONS[name], PREDICTIONS[f"11 {name}"]
    found = measured_objection(name)
    _, counted, verdict = told(tried, found)
    right = ", ".join(each for each in DESIGNS if each in against(tried, found))
    part = TopicPart(f"{asked.ask} {asked.parts[0]['text']}", tuple(DESIGNS), right, ())
    history = ("The history:", *tried.history.strip().splitlines())
    yield Slide("question", "An objection", (VOTE, *history), tried.claim, parts=(part,))
    yield Slide("answer", tried.claim, (verdict,), f"{counted} {verdict}", parts=(part,))
