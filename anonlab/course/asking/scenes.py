"""A scene: one cell with a story on the stage, its questions, the truth and the explanation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from anonlab.course.asking.bank.scenes import SCENES
from anonlab.course.asking.bank.scenes.kinds import Asked, Question, Scene
from anonlab.course.asking.cards import FIRST_COUNTS, Card, shown
from anonlab.course.asking.prediction_tools import tabs_of
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring.exercises import find_course
from anonlab.formats.trace import Trace
from anonlab.proof.famous_bugs import RULES
from anonlab.recording.recorder import record

TITLE = "Before you look"


def scene(name: str) -> Any:
    """Return the scene `name` on the stage.

    It stops where something is asked. An answer is kept with your progress; the first one counts.
    raises  ValueError for a name that no scene has
    """
    from anonlab.view.player.player import Player

    if name not in SCENES:
        raise ValueError(f"there is no scene {name!r}; there are {', '.join(SCENES)}")
    trace, cards = made(name)
    try:
        log = ProgressLog(find_course().root)
    except (ValueError, OSError):  # a scene can be looked at anywhere; nothing is kept then
        return Player(trace, cards=cards, tabs=tabs_of(name))
    kept = {str(event["step"]): event["kept"] for event in reversed(log.events("scene", name=name))}
    keep = _keeper(log, name, cards)
    return Player(trace, cards=cards, predictions=kept, keep=keep, tabs=tabs_of(name))


@cache
def made(name: str) -> tuple[Trace, dict[int, Card]]:
    """Return the trace of a scene from where it opens, and its cards by step."""
    what = SCENES[name]
    design = RULES[what.rule]() if what.rule else "anongroup"
    whole = record(what.story, design, title=what.title)
    first = last_step(whole, what.opens) if what.opens else 0
    trace = Trace(what.title, whole.steps[first:])
    return trace, dict(_card(name, trace, number, one) for number, one in enumerate(what.questions))


def last_step(trace: Trace, text: str) -> int:
    """Return the last step of the operation `text`; ValueError if the trace has none such."""
    found = [number for number, step in enumerate(trace.steps) if step.text == text]
    if not found:
        raise ValueError(f"the story {trace.title!r} has no operation {text!r}")
    return found[-1]


def _card(name: str, trace: Trace, number: int, question: Question) -> tuple[int, Card]:
    """Return the step before which a question is asked, and its card, truth included."""
    steps = [at for at, step in enumerate(trace.steps) if step.text == question.before]
    if not steps or not steps[0]:
        raise ValueError(f"scene {name!r}: {question.before!r} does not follow its opening")
    before, after = trace.steps[steps[0] - 1], trace.steps[steps[-1]]
    parts = [_part(one, one.truth(before, after)) for one in question.asked]
    card = {"name": f"{name} {number + 1}", "title": TITLE, "ask": question.ask, "parts": parts}
    return steps[0], card | {"note": FIRST_COUNTS, "chances": 1, "explain": question.explain}


def _part(asked: Asked, truth: Any) -> dict[str, Any]:
    """Return a part with what is right: a number, or the numbers of options."""
    part = dict(asked.part)
    options = part.get("options")
    if isinstance(options, list):
        truth = [options.index(each) for each in truth] if part["kind"] == "several" else (
            options.index(truth))  # fmt: skip
    return part | {"truth": truth} | ({"why": asked.why} if asked.why else {})


def _keeper(
    log: ProgressLog, name: str, cards: Mapping[int, Card]
) -> Callable[[Mapping[str, Any]], str]:
    """Return what keeps the answers of a scene, each step's once."""

    def keep(predictions: Mapping[str, Any]) -> str:
        known = {str(event["step"]) for event in log.events("scene", name=name)}
        for step, kept in predictions.items():
            if step not in known and int(step) in cards:
                log.add("scene", name=name, step=int(step), kept=kept,
                        **judged(cards[int(step)], kept))  # fmt: skip
        return "Kept with your progress in this course."

    return keep


def judged(card: Card, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was said, as text, and how much of it was right."""
    answers = list(kept.get("answers") or [None] * len(card["parts"]))
    pairs = list(zip(card["parts"], answers, strict=False))
    right = sum(_same(part, given) for part, given in pairs)
    said = ", ".join(shown(part, given) for part, given in pairs)
    return {"said": said, "right": right, "of": len(card["parts"])}


def _same(part: Mapping[str, Any], given: Any) -> bool:
    if part["kind"] == "several" and given is not None:
        return sorted(given) == sorted(part["truth"])
    return given is not None and bool(given == part["truth"])


__all__ = ["SCENES", "Scene", "scene"]
