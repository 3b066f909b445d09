"""What a notebook shows and asks, as one kind of thing: scenes, and what people say.

A topic is a story that can be played, and the questions on its way with their answers, as text. The
slides, the plans and the bank of questions are made of topics.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anonlab.course.asking.bank.beliefs import BELIEFS
from anonlab.course.asking.bank.beliefs_later import LATER
from anonlab.course.asking.bank.misconceptions import MISCONCEPTIONS, Misconception
from anonlab.course.asking.bank.scenes import SCENES
from anonlab.course.asking.cards import shown
from anonlab.course.asking.questions import Choice
from anonlab.course.asking.scenes import made
from anonlab.formats.history_text import parse
from anonlab.recording.recorder import record
from anonlab.view.story.align import align
from anonlab.view.story.payload import Played

MARKED = "see the picture"
"""What is right where places in the picture were asked for that are no entries."""
_PLACE = re.compile(r"p(\d+)-(\d+)")
"""An entry in the picture: address space and page number."""


@dataclass(frozen=True)
class TopicPart:
    """One thing that is asked: its text, what one may choose, what is right, and what is said to
    other answers: (answer, words)."""

    text: str
    options: tuple[str, ...]
    right: str
    said: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TopicQuestion:
    """What is asked before the step `step`; the operation is over with the step `ends`."""

    step: int
    ends: int
    ask: str
    parts: tuple[TopicPart, ...]
    explain: str


@dataclass(frozen=True)
class Topic:
    """A story with its questions. `beliefs` are those that its questions are about."""

    name: str
    title: str
    played: Played
    last: int
    questions: tuple[TopicQuestion, ...]
    beliefs: tuple[Misconception, ...]

    @property
    def notebook(self) -> str:
        """The number of its notebook."""
        return self.name.split()[0]


def scene_topics(notebook: str) -> tuple[Topic, ...]:
    """Return the scenes of a notebook, in order."""
    return tuple(_of_scene(name) for name in SCENES if name.split()[0] == notebook)


def belief_topics(notebook: str) -> tuple[Topic, ...]:
    """Return what people say about the subject of a notebook, each with the story that shows it."""
    asked = {**BELIEFS, **LATER}
    return tuple(_of_belief(n, asked[n]) for n in asked if n.split()[0] == notebook)


def _of_scene(name: str) -> Topic:
    played, cards = made(name)
    operations = [step.operation for step in align(played).words]
    ordered, names = sorted(cards.items()), _names(played)
    return Topic(
        name,
        SCENES[name].title,
        played,
        len(operations) - 1,
        tuple(_question(step, card, operations, names) for step, card in ordered),
        tuple(each for each in MISCONCEPTIONS if each.scene == name),
    )


def _names(played: Played) -> dict[int, str]:
    """Return the names of the processes by the numbers of their address spaces."""
    steps = align(played).tracks[0].steps
    return {process.mm: process.name for step in steps for process in step.snapshot.processes}


def _question(
    step: int, card: Mapping[str, Any], operations: list[int], names: Mapping[int, str]
) -> TopicQuestion:
    over = len(operations) - 1 - operations[::-1].index(operations[step])
    ends = max(step, int(card.get("shows", over)))
    parts = tuple(_part(part, names) for part in card["parts"])
    return TopicQuestion(step, ends, str(card.get("ask", "")), parts, str(card.get("explain", "")))


def _part(part: Mapping[str, Any], names: Mapping[int, str]) -> TopicPart:
    options = tuple(map(str, part.get("options", part.get("items", ()))))
    said = part.get("why", {})
    return TopicPart(
        str(part.get("text", "")),
        options,
        answer_text(part, part["truth"], names),
        tuple((_answer(part, options, key), str(words)) for key, words in said.items()),
    )


def _answer(part: Mapping[str, Any], options: tuple[str, ...], key: str) -> str:
    """Return the answer that a reaction belongs to: the number of an option, several of them with
    commas, a number, or "else"."""
    if key == "else":
        return "anything else"
    if not options:
        return key
    numbers = [int(each) for each in key.split(",") if each.isdigit()]
    named = [options[each] for each in numbers if each < len(options)]
    return ", ".join(named) or ("none" if part["kind"] == "several" else key)


def answer_text(part: Mapping[str, Any], given: Any, names: Mapping[int, str]) -> str:
    """Return an answer to a part of a card as text; places in the picture as "shell 0x30000"."""
    if part["kind"] == "mark":
        places = [_PLACE.fullmatch(str(each)) for each in given]
        if not all(places):
            return MARKED
        known = [f"{names.get(int(p[1]), p[1])} {int(p[2]) << 12:#x}" for p in places if p]
        return ", ".join(known) or "none"
    unit = str(part.get("unit", ""))
    unit = unit.removesuffix("s") if given == 1 else unit
    return f"{shown(dict(part), given)} {unit}".strip()


def _of_belief(name: str, question: Choice) -> Topic:
    trace = record(parse(question.history), title=question.text)
    last = len(trace.steps) - 1
    operation = trace.steps[last].operation
    first = next(at for at, step in enumerate(trace.steps) if step.operation == operation)
    right = question.options[ord(question.right()) - ord("a")]
    said = tuple((each.text, each.why) for each in question.options if each is not right)
    part = TopicPart(question.text, tuple(o.text for o in question.options), right.text, said)
    about = tuple(each for each in MISCONCEPTIONS if each.question == name)
    asked = TopicQuestion(first, last, "", (part,), right.why)
    return Topic(name, "What people say", trace, last, (asked,), about)
