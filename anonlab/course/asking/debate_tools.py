"""The debate of 2004 in a notebook: what was said, and what came out when it was tried."""

from __future__ import annotations

from html import escape
from typing import Any

from anonlab.course.asking.bank.debate import SAID, TOPICS
from anonlab.course.asking.bank.objections import OBJECTIONS, Objection
from anonlab.course.asking.bank.predictions import PREDICTIONS
from anonlab.course.asking.card_widget import CardWidget
from anonlab.course.asking.cards import (
    Verdict,
    example,
    happened_verdict,
    prediction_card,
    prediction_text,
)
from anonlab.course.asking.note import Note, TableNote, errors_as_notes
from anonlab.course.asking.prediction_tools import predict, reveal
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.asking.review import keep_score
from anonlab.course.authoring.exercises import find_course
from anonlab.histories.run import run
from anonlab.rmap import DESIGNS


@errors_as_notes
def debate(topic: str) -> Note:
    """Show what was said about `topic` in 2003 and 2004, with a link to each mail."""
    said = [each for each in SAID if each.topic == topic]
    if not said:
        raise ValueError(f"topic is one of {', '.join(TOPICS)}; got {topic!r}")
    lines = []
    for each in said:
        quoted = f"“{each.words}” " if each.words else ""
        lines += [f"{each.who}, {each.when}: {quoted}{each.idea}", f"    {each.url}"]
    rows = [
        (
            f'<a href="{escape(each.url)}">{escape(each.who)}</a><br>{escape(each.when)}',
            f"“{escape(each.words)}”" if each.words else "",
            escape(each.idea),
        )
        for each in said
    ]
    heads = ("who and when", "in their words", "the idea, in ours")
    return TableNote("\n".join(lines), topic, heads, rows)


@errors_as_notes
def objection(name: str, answer: Any = ...) -> Note | CardWidget:
    """Ask which designs an objection speaks against; then run its history under all of them, and
    show the numbers beside your answer. The first answer counts."""
    if name not in OBJECTIONS:
        raise ValueError(f"objection is one of {', '.join(OBJECTIONS)}; got {name!r}")
    tried, key = OBJECTIONS[name], f"11 {name}"
    log = ProgressLog(find_course().root)
    if answer is not ...:
        predict(key, answer)
        found = measured_objection(name)
        return reveal(key, told(tried, found), truth=against(tried, found), among=DESIGNS)
    asked = PREDICTIONS[key]

    def judge(answers: list[Any], last: bool) -> Verdict:
        said = prediction_text(asked.parts, answers)
        log.add("predict", name=key, answer=said, answers=answers)
        return judged(answers)

    def judged(answers: list[Any]) -> Verdict:
        found = measured_objection(name)
        truth = against(tried, found)
        keep_score(log, key, log.events("predict", name=key)[0], truth, DESIGNS)
        right = [", ".join(sorted(truth, key=list(DESIGNS).index))]
        return happened_verdict(asked.parts, answers, right, " ".join(told(tried, found)))

    text = (f"{asked.ask}\n  {asked.parts[0]['text']}\n\nTo answer: "
            f"objection({name!r}, {example(asked.parts)})")  # fmt: skip
    card = prediction_card(key, asked)
    first = next(iter(log.events("predict", name=key)), None)
    if first is None or not isinstance(first.get("answers"), list):
        return CardWidget(card, judge, text)
    answers = list(first["answers"])
    return CardWidget(card, judge, text, answers, judged(answers))


def told(tried: Objection, found: dict[str, int]) -> list[str]:
    """Return what was claimed, what was counted, and what that says, a sentence each."""
    most = sorted(set(found.values()), reverse=True)
    counts = [f"{number} for {_names([d for d, n in found.items() if n == number])}"
              for number in most[:-1]]  # fmt: skip
    return [tried.claim, f"Counted, {tried.unit}: {', '.join(counts)}, {most[-1]} for the others.",
            tried.verdict]  # fmt: skip


def _names(designs: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(designs[:-1]), designs[-1])))


def against(tried: Objection, found: dict[str, int]) -> set[str]:
    """Return the designs that the numbers speak against."""
    return {design for design, number in found.items() if tried.stands_out(number)}


def measured_objection(name: str) -> dict[str, int]:
    """Return what the history of an objection counts under each design, by name."""
    tried = OBJECTIONS[name]
    return {design: tried.count(run(tried.history, design).kernel) for design in DESIGNS}
