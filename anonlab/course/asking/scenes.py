"""A scene: one cell with a story on the stage, its questions, the truth and the explanation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from anonlab.course.asking.bank.scenes import SCENES
from anonlab.course.asking.bank.scenes.kinds import EACH, Asked, Question, Scene
from anonlab.course.asking.cards import Card, shown
from anonlab.course.asking.prediction_tools import tabs_of
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring.exercises import find_course
from anonlab.formats.catalogue import Catalogue, current
from anonlab.formats.trace import Step, Trace
from anonlab.proof.famous_bugs import RULES
from anonlab.recording.recorder import record
from anonlab.view.story.align import Aligned, align
from anonlab.view.story.payload import Played
from anonlab.view.story.words import say


def scene(name: str) -> Any:
    """Return the scene `name` on the stage.

    It stops where something is asked. An answer is kept with your progress; the first one counts.
    raises  ValueError for a name that no scene has
    """
    from anonlab.view.player.player import Player

    if name not in SCENES:
        raise ValueError(f"there is no scene {name!r}; there are {', '.join(SCENES)}")
    played, cards = made(name)
    try:
        log = ProgressLog(find_course().root)
    except (ValueError, OSError):  # a scene can be looked at anywhere; nothing is kept then
        return Player(played, cards=cards, tabs=tabs_of(name))
    kept = {str(event["step"]): event["kept"] for event in reversed(log.events("scene", name=name))}
    keep = _keeper(log, name, cards)
    return Player(played, cards=cards, predictions=kept, keep=keep, tabs=tabs_of(name))


def made(name: str) -> tuple[Played, dict[int, Card]]:
    """Return what a scene plays from where it opens, and its cards by step."""
    return _made(name, current())


@lru_cache(100)
def _made(name: str, _spoken: Catalogue) -> tuple[Played, dict[int, Card]]:
    what = SCENES[name]
    traces = {design: _opened(what, design) for design in what.designs}
    played: Played = next(iter(traces.values())) if len(traces) == 1 else traces
    steps = align(traces)
    cards = dict(_card(name, steps, number, one) for number, one in enumerate(what.questions))
    for step, card in cards.items():  # a question on the way is not passed by
        card["shows"] = min([card["shows"], *(each - 1 for each in cards if each > step)])
    return played, cards


def _opened(what: Scene, design: str) -> Trace:
    story = what.story if isinstance(what.story, str) else what.story()
    whole = record(story, RULES[what.rule]() if what.rule else design, title=what.title)
    return Trace(what.title, whole.steps[last_step(whole, what.opens) if what.opens else 0 :])


def last_step(trace: Trace, text: str) -> int:
    """Return the last step of the operation `text`; ValueError if the trace has none such."""
    found = [number for number, step in enumerate(trace.steps) if step.text == text]
    if not found:
        raise ValueError(f"the story {trace.title!r} has no operation {text!r}")
    return found[-1]


def _card(name: str, played: Aligned, number: int, question: Question) -> tuple[int, Card]:
    """Return the step before which a question is asked, and its card, truth included."""
    steps = [at for at, step in enumerate(played.words) if step.text == question.before]
    if not steps or not steps[0]:
        raise ValueError(f"scene {name!r}: {question.before!r} does not follow its opening")
    asked = [at for at in steps if question.at in ("", played.words[at].label)]
    if not asked:
        raise ValueError(f"scene {name!r}: {question.before!r} has no step {question.at!r}")
    ends = {track.name: (track.steps[track.at[steps[0] - 1]], track.steps[track.at[steps[-1]]])
            for track in played.tracks}  # fmt: skip
    parts = [_part(one, _truth(f"scene {name!r}", one, ends)) for one in question.asked]
    card = {"name": f"{name} {number + 1}", "title": say("ask.title"), "ask": question.ask,
            "parts": parts, "note": say("asked.first"), "chances": 1, "explain": question.explain,
            "shows": steps[-1]}  # fmt: skip
    return asked[0], card


def _truth(scene: str, asked: Asked, ends: Mapping[str, tuple[Step, Step]]) -> Any:
    """Return what is right, from the steps before and after the operation under each design;
    ValueError if no design has more than all others."""
    if asked.design != EACH:
        return asked.truth(*ends[asked.design or next(iter(ends))])
    found: dict[str, Any] = {name: asked.truth(*steps) for name, steps in ends.items()}
    if asked.part["kind"] == "several":
        return [name for name, each in found.items() if each]
    first, *rest = sorted(found, key=lambda name: -found[name])
    if rest and found[rest[0]] == found[first]:
        raise ValueError(f"{scene}: {first} and {rest[0]} both have {found[first]}: none is right")
    return first


def _part(asked: Asked, truth: Any) -> dict[str, Any]:
    """Return a part with what is right: a number, the numbers of options, or places."""
    part = dict(asked.part)
    options = part.get("options")
    if isinstance(options, list):
        truth = sorted(map(options.index, truth)) if part["kind"] == "several" else (
            options.index(truth))  # fmt: skip
    elif part["kind"] == "mark":
        truth = sorted(truth)
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
        return say("asked.kept")

    return keep


def judged(card: Card, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was said and what happened, as text, and how much was right: of marks each place
    counts, of anything else each part."""
    parts = card["parts"]
    answers = list(kept.get("answers") or [None] * len(parts))
    names = dict(kept.get("names") or {})
    counts = [_counts(part, given) for part, given in zip(parts, answers, strict=False)]
    return {
        "said": "; ".join(_shown(*pair, names) for pair in zip(parts, answers, strict=False)),
        "happened": "; ".join(_shown(part, part["truth"], names) for part in parts),
        "right": sum(right for right, _ in counts),
        "of": sum(of for _, of in counts),
    }


def _counts(part: Mapping[str, Any], given: Any) -> tuple[int, int]:
    """Return how many elements of a part were right, and how many there are."""
    if part["kind"] == "mark":
        mine, truth = set(given or ()), set(part["truth"])
        return len(mine & truth), len(mine | truth)
    if part["kind"] == "several" and given is not None:
        return int(sorted(given) == sorted(part["truth"])), 1
    return int(given is not None and bool(given == part["truth"])), 1


def _shown(part: Mapping[str, Any], given: Any, names: Mapping[str, str]) -> str:
    """Return an answer as people read it; `names` are those of places in the picture."""
    if part["kind"] == "mark" and given is not None:
        return ", ".join(names.get(key, key) for key in sorted(given)) or "none"
    return shown(dict(part), given)


__all__ = ["SCENES", "Scene", "scene"]
