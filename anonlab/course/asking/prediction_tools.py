"""What a learner calls to predict, and to see what happens; `anonlab.learn` offers it.

Questions with one right answer are asked by question_tools.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from anonlab.course.asking.bank.predictions import PREDICTIONS, Prediction
from anonlab.course.asking.card_widget import CardWidget, shown_card
from anonlab.course.asking.cards import (
    Verdict,
    cannot_score,
    example,
    happened_verdict,
    kept_verdict,
    prediction_card,
    prediction_text,
    truths_of,
)
from anonlab.course.asking.note import Note, errors_as_notes
from anonlab.course.asking.progress_log import Event, ProgressLog
from anonlab.course.asking.review import keep_score, review_text
from anonlab.course.asking.scores import Truth
from anonlab.course.authoring.exercises import find_course
from anonlab.formats.trace import Trace
from anonlab.view.story.payload import TABS
from anonlab.view.story.words import say

FIRST_OPENED = {"text": "01", "address": "01", "vmas": "02", "rmap": "03", "cost": "08"}
"""The notebook in which each tab of a player is opened, since its topic has come."""
UNKNOWN_WORDS = "I do not know"


@errors_as_notes
def predict(name: str, answer: Any = ..., why: str = "") -> Note | CardWidget:
    """Ask for a prediction on a card; or keep one, before you see what happens.

    "I do not know" is an answer too. The first one counts; later ones are kept beside it.
    """
    log, asked = ProgressLog(find_course().root), PREDICTIONS.get(name)
    if not str(answer).strip() or answer is ...:
        if asked is None:
            return Note(f"Write your answer in place of the dots; {name!r} is not kept yet.")
        return _card(log, name, asked)
    first = not log.events("predict", name=name)
    said = ", ".join(map(str, answer)) if isinstance(answer, list | tuple | set) else str(answer)
    log.add("predict", name=name, answer=said, **({"why": why} if why else {}))
    lines = [f"kept: {name}: {said}"]
    lines += [] if first else ["The first answer counts; this one is kept beside it."]
    lines += [cannot_score(asked.parts, said)] if asked else []
    return Note("\n".join(filter(None, lines)))


def _card(log: ProgressLog, name: str, asked: Prediction) -> CardWidget:
    """Return the card of a prediction; one that was answered before shows the first answer."""
    kept = log.events("predict", name=name)
    card = prediction_card(name, asked)

    def judge(answers: list[Any], last: bool) -> Verdict:
        said = prediction_text(asked.parts, answers)
        log.add("predict", name=name, answer=said, answers=answers)
        return kept_verdict(asked.parts, answers, say("asked.then"))

    shapes = "\n".join(f"  {part['text']}" for part in asked.parts)
    text = (
        f"{asked.ask}\n{shapes}\n\nTo answer: predict({name!r}, {example(asked.parts)}); "
        f"{UNKNOWN_WORDS!r} is an answer too."
    )
    if not kept:
        return CardWidget(card, judge, text)
    first = kept[0]
    said = say("asked.said", answer=first.get("answer", ""))
    answers = first.get("answers")
    if answers is None:  # it was typed
        return CardWidget(card, judge, text, [None] * len(asked.parts), _only(said))
    return CardWidget(card, judge, text, answers, kept_verdict(asked.parts, answers, said))


def _only(said: str) -> Verdict:
    return {"parts": [], "again": False, "nudge": "", "said": said}


@errors_as_notes
def predicted(notebook: str) -> Note:
    """Show your predictions of the notebook with this number, the first for each question, beside
    what happened, and your answers to its questions."""
    return Note(review_text(ProgressLog(find_course().root), notebook))


def play(
    trace: Trace | Mapping[str, Trace], name: str, gate: bool = True, ask: Iterable[int] = ()
) -> Any:
    """Return the player for `trace`, or for {design: trace}, once the prediction `name` is kept.

    gate  False plays at once; that is written down and costs nothing
    ask   numbers of steps before which the player asks for marks in the picture; they are kept

    The player has the tabs whose topic has come by the notebook that `name` begins with.
    """
    from anonlab.view.player.player import Player

    tabs = tabs_of(name)
    try:
        log = ProgressLog(find_course().root)
    except (ValueError, OSError):  # a trace can be looked at anywhere; nothing is kept then
        nowhere = say("asked.nowhere")
        return Player(trace, predict=ask, keep=lambda _: nowhere, tabs=tabs)
    if gate and not log.events("predict", name=name):
        return Note(f"{_first(name)} Then run this cell again, or play(…, gate=False).")
    if not gate:
        log.add("ungated", name=name)
    marks, keeper = log.picture_marks(name), _keeper(log, name)
    return Player(trace, predict=ask, predictions=marks, keep=keeper, tabs=tabs)


def _first(name: str) -> str:
    """Say that a prediction is missing, and how to make it."""
    return (
        f"First predict: answer the card above, or predict({name!r}, your answer). "
        f"{UNKNOWN_WORDS!r} is an answer, too."
    )


def tabs_of(name: str) -> tuple[str, ...]:
    """Return the tabs whose topic has come in the notebook with the number that `name` begins
    with: "04 fork" has all that 00 to 04 opened. A name without a number has all."""
    number = name[:2]
    if not number.isdecimal():
        return TABS
    return tuple(tab for tab in TABS if FIRST_OPENED[tab] <= number)


def _keeper(log: ProgressLog, name: str) -> Callable[[Mapping[str, Any]], str]:
    """Return what keeps the marks in the player `name`, each step's once."""

    def keep(predictions: Mapping[str, Any]) -> str:
        known = log.picture_marks(name)
        new = {step: mark for step, mark in predictions.items() if step not in known}
        if new:
            log.add("marked", name=name, marks=new)
        return say("asked.kept")

    return keep


@errors_as_notes
def reveal(
    name: str,
    lines: Iterable[object],
    gate: bool = True,
    truth: Truth | None = None,
    among: Iterable[Any] = (),
) -> Note:
    """Show what happened, one line each, beside the prediction `name`, and what explains it; not
    before there is a prediction.

    truth  what happened, element by element: a list where places count, or a set; the first
           prediction is compared with it, and the score is kept
    among  what else could have been predicted, where the truth is in words
    """
    log = ProgressLog(find_course().root)
    kept = log.events("predict", name=name)
    if gate and not kept:
        return Note(f"{_first(name)} Then run this cell again.")
    shown = [f"you said: {kept[0].get('answer', '')}"] if kept else []
    if kept and truth is not None:
        shown.append(keep_score(log, name, kept[0], truth, among))
        _show_on_card(name, kept[0], truth, shown[-1])
    asked = PREDICTIONS.get(name)
    why = ["", asked.explain] if asked and asked.explain else []
    return Note("\n".join([*shown, *([""] if shown else []), *map(str, lines), *why]))


def _show_on_card(name: str, first: Event, truth: Truth, said: str) -> None:
    """Put what happened beside what was said, on the card that asked."""
    card, asked, answers = shown_card(name), PREDICTIONS.get(name), first.get("answers")
    if card is None or asked is None or answers is None:
        return
    truths = truths_of(asked.parts, truth)
    counted = said.partition("\n")[2].partition(". ")[0]  # the card itself says which ones
    card.verdict = happened_verdict(asked.parts, answers, truths, f"{counted}." if counted else "")
