"""What is right on the cards of a notebook, so that a page can judge them where no Python runs.

The cell that `notebooks.py` appends to a notebook calls `page_truths`. A card is asked as a learner
asks it: every option is locked once, and the verdicts are written down.
"""

from __future__ import annotations

from itertools import chain, combinations
from typing import Any

from anonlab.course.asking import card_widget, question_tools
from anonlab.course.asking.bank import QUESTIONS
from anonlab.course.asking.cards import question_parts
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.asking.questions import Number, Order
from anonlab.course.authoring.exercises import find_course
from anonlab.histories.splitmix import SplitMix64

MOST_OPTIONS = 7
"""With more options there are too many sets of them to try: such a card is for JupyterLite."""


def page_truths() -> dict[str, Any]:
    """Return what a page needs for each card that this notebook has shown, by its name."""
    return {name: truths(widget) for name, widget in list(card_widget._shown.items())}


def truths(widget: card_widget.CardWidget) -> Any:
    """Return one element for each part of a card, "kept" if nothing is judged on it, None if a page
    cannot judge it."""
    parts, question = widget.card["parts"], QUESTIONS.get(widget.card["name"])
    kinds = {part["kind"] for part in parts}
    if isinstance(question, Order):
        return [order_rules(question)]
    if isinstance(question, Number):
        return [number_truth(widget.card["name"], question)]
    if kinds == {"choice"}:
        return choice_truths(widget, parts)
    if kinds == {"several"} and len(parts) == 1 and len(parts[0]["options"]) <= MOST_OPTIONS:
        return several_truth(widget, parts[0])
    verdict = widget._judge([None] * len(parts), True)
    return "kept" if all(part["right"] is None for part in verdict["parts"]) else None


def choice_truths(widget: card_widget.CardWidget, parts: list[Any]) -> Any:
    """Return the right option of each part, and what is said to each."""
    sizes = [len(part["options"]) for part in parts]
    found: list[dict[str, Any]] = [{"why": {}} for _ in parts]
    for option in range(max(sizes)):
        answers = [min(option, size - 1) for size in sizes]
        for one, given, judged in zip(
            found, answers, widget._judge(answers, True)["parts"], strict=True
        ):
            if judged["right"] is None:
                return "kept"
            one["why"][str(given)] = judged["why"]
            if judged["right"]:
                one["truth"] = given
    return found


def several_truth(widget: card_widget.CardWidget, part: Any) -> Any:
    """Return the right set of options, and what is said to each set."""
    numbers = range(len(part["options"]))
    sets = chain.from_iterable(combinations(numbers, size) for size in range(len(numbers) + 1))
    found: dict[str, Any] = {"why": {}}
    for each in map(list, sets):
        (judged,) = widget._judge([each], True)["parts"]
        if judged["right"] is None:
            return "kept"
        found["why"][",".join(map(str, each))] = judged["why"]
        if judged["right"]:
            found["truth"] = each
    return [found]


def order_rules(question: Order) -> dict[str, Any]:
    """Return which items must come after which, by number, and which do not belong."""
    number = {name: at for at, name in enumerate(sorted({*question.steps, *question.others}))}
    assert len(question_parts(question)[0]["items"]) >= len(number)  # type: ignore[arg-type]
    steps = [
        {"item": number[name], "after": [number[each] for each in step.after], "why": step.why}
        for name, step in question.steps.items()
    ]
    others = [{"item": number[name], "why": why} for name, (_, why) in question.others.items()]
    return {"steps": steps, "others": others}


def number_truth(name: str, question: Number) -> dict[str, Any]:
    """Return the right number of the question that stands on the card."""
    course = find_course()
    seed = question_tools._seed(course, ProgressLog(course.root), name)
    return {"number": question.make(SplitMix64(seed))[1], "said": question.why}
