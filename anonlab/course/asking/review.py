"""Predictions and answers that a learner has given, shown again beside what happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from anonlab.course.asking.progress_log import Event, ProgressLog
from anonlab.course.asking.scores import Truth, score
from anonlab.view.story.reading import plural

MARK_WORDS = {"hit": "right", "missed": "missed", "extra": "too many"}
"""What may become of a mark in a player's picture, and the word for it."""


def keep_score(
    log: ProgressLog, name: str, prediction: Event, truth: Truth, among: Iterable[Any] = ()
) -> str:
    """Compare a prediction with what happened, keep it, and return it as a line.

    It is kept once: running a cell again changes nothing.
    """
    parts = [str(each) for each in ([truth] if isinstance(truth, str | int) else truth)]
    happened = ", ".join(sorted(parts) if isinstance(truth, set) else parts)
    found = score(prediction.get("answer", ""), truth, among)
    facts = {"right": len(found.hits), "of": found.total} if found else {}
    if not log.events("scored", name=name):
        log.add("scored", name=name, happened=happened, **facts)
    if found is None:
        return f"it was: {happened}"
    return f"it was: {happened}\n{found}"


def first_by_name(events: Iterable[Event]) -> dict[str, Event]:
    """Return the first event for each name, in order."""
    found: dict[str, Event] = {}
    for event in events:
        found.setdefault(str(event.get("name", "")), event)
    return found


def review_text(log: ProgressLog, notebook: str) -> str:
    """Return the predictions and answers of a notebook, the first of each, with their scores."""
    scored = first_by_name(log.events("scored"))
    lines = []
    for name, event in first_by_name(log.events("predict")).items():
        if _is_of(notebook, name):
            lines.append(f"{name}: you said {event.get('answer', '')}{_beside(scored.get(name))}")
    for name, event in first_by_name(log.events("answer")).items():
        if _is_of(notebook, name):
            lines.append(f"{name}: you answered {event.get('given', '')}{_of(event)}")
    lines += [
        f"{event['name']}: you said {event.get('said', '')}{_beside(event)}"
        for event in log.events("scene")
        if _is_of(notebook, str(event.get("name", "")))
    ]
    lines += _picture_marks(log, notebook)
    return (
        "\n".join(lines) or f"no predictions{f' for notebook {notebook}' if notebook else ''} yet"
    )


def _is_of(notebook: str, name: str) -> bool:
    """Whether "05 table" is of notebook "05", which "05b pipeline" is not; all are of ""."""
    return notebook in ("", name.partition(" ")[0])


def _picture_marks(log: ProgressLog, notebook: str) -> list[str]:
    """Return what was predicted in the pictures of a notebook, place by place."""
    names = dict.fromkeys(str(event.get("name", "")) for event in log.events("marked"))
    out = []
    for name in (name for name in names if _is_of(notebook, name)):
        marks = log.picture_marks(name)
        counts = [sum(len(mark.get(kind, ())) for mark in marks.values()) for kind in MARK_WORDS]
        counted = ", ".join(
            f"{n} {word}" for n, word in zip(counts, MARK_WORDS.values(), strict=True)
        )
        out.append(f"{name}, in the picture: {counted} in {len(marks)} steps")
        for step, mark in sorted(marks.items(), key=lambda item: int(item[0])):
            said = [
                f"{word}: {', '.join(mark.get('names', {}).get(at, at) for at in mark[kind])}"
                for kind, word in MARK_WORDS.items()
                if mark.get(kind)
            ]
            known = [] if mark.get("known", True) else ["you did not know"]
            out.append(f"    step {step}, {mark.get('title', '')}: {'; '.join(known + said)}")
    return out


def _beside(event: Event | None) -> str:
    if event is None:
        return ""
    if "happened" not in event:  # a scene of an earlier release
        return _of(event)
    return f"; it was {event.get('happened', '')}{_of(event)}"


def _of(event: Event) -> str:
    return f" ({event['right']} of {event['of']} right)" if event.get("of") else ""


def progress_lines(log: ProgressLog) -> list[str]:
    """Return what `progress()` says of predictions and questions: that they were made counts."""
    lines = []
    drills = log.events("drill")
    if drills:
        right = sum(event.get("right") == event.get("of") for event in drills)
        names = ", ".join(sorted({str(event.get("name", "")) for event in drills}))
        lines.append(f"{plural(len(drills), 'drill question')} ({names}); {right} were right.")
    scenes = log.events("scene")  # each answer of a scene is kept once
    predictions = first_by_name(log.events("predict"))
    scored = [*first_by_name(log.events("scored")).values(), *scenes]
    answers = first_by_name(log.events("answer"))
    for kind, given, marks in (
        ("prediction", len(predictions) + len(scenes), scored),
        ("answer", len(answers), list(answers.values())),
    ):
        if given:
            right = sum(int(event.get("right", 0)) for event in marks)
            of = sum(int(event.get("of", 0)) for event in marks)
            lines.append(f"{plural(given, kind)}; {right} of {of} elements were right at first.")
    return lines
