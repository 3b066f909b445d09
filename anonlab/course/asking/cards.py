"""Questions as cards: what is asked, part by part, and what was said beside what is right.

A card is plain data, so that a browser can show it: a name, a title, a sentence, and `parts`. Each
part has a `kind` (what stands below the item number `line` of an order does not belong to it;
`short` has names for options that are long, by which an answer is told)::

    number   least, most, unit            choice, several   options
    order    items, line                  text              how (what an answer looks like)

The answers to a card are a list, one element for each part: a number, the number of an option, a
list of numbers of options or items, or text; None says "I don't know". A verdict has the same
parts, each with `right` (None where nothing is judged), `given`, `truth` and `why`; `again` if the
card may be answered once more, with a `nudge` that does not give the answer away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anonlab.course.asking.bank.predictions import Part, Prediction, choice, several
from anonlab.course.asking.questions import (
    UNKNOWN,
    BankQuestion,
    Choice,
    Inverse,
    Mark,
    Order,
    Table,
    letter,
)
from anonlab.view.story.words import say

Card = dict[str, Any]
Verdict = dict[str, Any]
DUNNO, NOTHING = "I don't know", "none"
"""Two answers that are in no question, as they are kept; a card says them in its language."""


def prediction_card(name: str, asked: Prediction) -> Card:
    """Return the card of a prediction."""
    return _card(name, say("ask.title"), asked.ask, asked.parts, say("asked.first"), 1)


def question_card(name: str, question: BankQuestion, seed: int) -> Card:
    """Return the card of a question of the bank; it has a second chance."""
    text = question.ask(seed).split("\n")[0]
    parts = question_parts(question)
    return _card(name, say("asked.question"), text, parts, say("asked.second"), 2)


def eight_card(name: str, questions: Sequence[Choice], note: str) -> Card:
    """Return one card for several choices."""
    parts = [choice(one.text, *(option.text for option in one.options)) for one in questions]
    return _card(name, say("asked.think"), "", parts, note, 1)


def _card(name: str, title: str, ask: str, parts: Sequence[Part], note: str, chances: int) -> Card:
    return {
        "name": name,
        "title": title,
        "ask": ask.replace("`", ""),
        "parts": [dict(part) for part in parts],
        "note": note,
        "chances": chances,
    }


def question_parts(question: BankQuestion) -> list[Part]:
    """Return what a question asks for, part by part."""
    if isinstance(question, Choice):
        return [choice(say("asked.one"), *(option.text for option in question.options))]
    if isinstance(question, Inverse):
        numbers = [str(at) for at in range(1, len(question.options) + 1)]
        return [several(say("asked.all"), *question.texts()) | {"short": numbers}]
    if isinstance(question, Table):
        return [choice(row.text, *question.words) for row in question.rows]
    if isinstance(question, Order):
        items = _order_texts(question)
        part: Part = {"kind": "order", "text": say("asked.order"), "items": items}
        if question.others:
            part |= {"items": [*items, say("asked.below")], "line": len(items)}
        return [part]
    return [{"kind": "text", "text": say("asked.number"), "how": say("asked.number-how")}]


def _order_texts(question: Order) -> list[str]:
    texts = {name: step.text for name, step in question.steps.items()}
    texts |= {name: text for name, (text, _) in question.others.items()}
    return [texts[name] for name in sorted(texts)]


def typed(question: BankQuestion, answers: Sequence[Any]) -> str:
    """Return the answers of a card as one would type them: "ac", "13", "0 1 2", "0x3a" or "?".

    raises  ValueError if an answer has another form than its part
    """
    check_form(question_parts(question), answers)
    given = answers[0]
    if isinstance(question, Table):
        words = [UNKNOWN if each is None else question.words[each] for each in answers]
        return " ".join(words)
    if given is None:
        return UNKNOWN
    if isinstance(question, Choice):
        return letter(given)
    if isinstance(question, Inverse):
        return "".join(str(each + 1) for each in sorted(given)) or UNKNOWN
    if isinstance(question, Order):
        line = len(_order_texts(question))
        above = given[: given.index(line)] if line in given else given
        return "".join(map(letter, above)) or UNKNOWN
    return str(given).strip() or UNKNOWN


def question_verdict(
    question: BankQuestion, answers: Sequence[Any], marks: Sequence[Mark], last: bool
) -> Verdict:
    """Return what a card says of an answer.

    last  nothing can be tried any more: the solution is shown
    """
    right = sum(mark.right for mark in marks)
    parts = question_parts(question)
    if right < len(marks) and not last:
        said = [{"right": None, "given": told(part, given), "truth": "", "why": ""}
                for part, given in zip(parts, answers, strict=True)]  # fmt: skip
        nudge = say("asked.nudge", right=right, of=len(marks))
        return {"parts": said, "again": True, "nudge": nudge, "said": ""}
    if len(parts) == len(marks):
        judged = [
            {"right": mark.right, "given": told(part, given), "truth": truth, "why": why}
            for part, given, mark, (truth, why) in zip(
                parts, answers, marks, _truths(question, marks), strict=True
            )
        ]
    else:
        judgement, truth = marks, ""
        if isinstance(question, Order):
            judgement = question.judge_in_words(typed(question, answers))
            truth = (
                ""
                if right == len(marks)
                else " → ".join(step.text for step in question.steps.values())
            )
        if isinstance(question, Inverse):
            fits = [at for at in range(len(question.options)) if letter(at) in question.right()]
            truth = told(parts[0], fits)
        why = "\n".join(f"{'✓' if mark.right else '×'} {mark.text}" for mark in judgement)
        given = told(parts[0], answers[0])
        judged = [{"right": right == len(marks), "given": given, "truth": truth, "why": why}]
    said_right = say("asked.right", right=right, of=len(marks))
    return {"parts": judged, "again": False, "nudge": "", "said": said_right}


def _truths(question: BankQuestion, marks: Sequence[Mark]) -> list[tuple[str, str]]:
    """Return what is right and why, for each part of a question whose parts are judged one by
    one."""
    if isinstance(question, Table):
        return [
            (right, row.why) for right, row in zip(question.right(), question.rows, strict=True)
        ]
    if isinstance(question, Choice):
        option = question.options[ord(question.right()) - ord("a")]
        why = marks[0].text.partition(": ")[2]
        return [(option.text, why or option.why)]  # a card has no letters
    return [("", mark.text) for mark in marks]


def kept_verdict(parts: Sequence[Part], answers: Sequence[Any], said: str) -> Verdict:
    """Return what a card says of answers that are kept and not judged."""
    rows = [{"right": None, "given": told(part, given), "truth": "", "why": ""}
            for part, given in zip(parts, answers, strict=True)]  # fmt: skip
    return {"parts": rows, "again": False, "nudge": "", "said": said}


def happened_verdict(
    parts: Sequence[Part], answers: Sequence[Any], truths: Sequence[str], said: str
) -> Verdict:
    """Return what a card says once one has seen what happened, part by part.

    truths  as text: a number, an option, or options with ", " between
    """
    rows = []
    for part, given, truth in zip(parts, answers, truths, strict=True):
        mine = shown(part, given)
        known = given is not None
        right = _same(part, mine, truth) if known else False
        rows.append(
            {"right": right, "given": told(part, given), "truth": _worded(truth), "why": ""}
        )
    return {"parts": rows, "again": False, "nudge": "", "said": said}


def truths_of(parts: Sequence[Part], truth: Any) -> list[str]:
    """Return what happened, as text for each part: of a list its elements in order; where a card
    has one part, all of it."""
    elements = [truth] if isinstance(truth, str | int) else list(truth)
    if len(parts) == 1:
        names = [str(each) for each in _options(parts[0])]
        listed = sorted(map(str, elements), key=lambda each: (each not in names, each))
        return [", ".join(listed) or NOTHING]
    return [*map(str, elements), *[""] * len(parts)][: len(parts)]


def _same(part: Part, mine: str, truth: str) -> bool:
    if part["kind"] == "several":
        return set(_listed(mine)) == set(_listed(truth))
    return mine.strip().lower() == truth.strip().lower()


def _listed(text: str) -> list[str]:
    return [each for each in text.split(", ") if each not in ("", NOTHING)]


def shown(part: Part, given: Any) -> str:
    """Return one answer as people read it, and as it is kept."""
    if given is None:
        return DUNNO
    names = part.get("short", part.get("options", part.get("items")))
    if part["kind"] == "order":
        return _order_shown(part, given)
    if isinstance(names, list):
        chosen = [given] if isinstance(given, int) else list(given)
        return ", ".join(str(names[each]) for each in chosen) or NOTHING
    return str(given)


def told(part: Part, given: Any) -> str:
    """Return one answer as a card says it."""
    return _worded(shown(part, given))


def _worded(text: str) -> str:
    return {DUNNO: say("card.dunno"), NOTHING: say("card.nothing")}.get(text, text)


def _order_shown(part: Part, given: Sequence[int]) -> str:
    """Return an order as people read it; what stands below the line is told apart."""
    names, line = part["items"], part.get("line")
    assert isinstance(names, list)
    texts = [None if each == line else str(names[each]) for each in given]
    at = texts.index(None) if None in texts else len(texts)
    above, below = (list(filter(None, some)) for some in (texts[:at], texts[at:]))
    return say("card.order", items=" → ".join(above), others="; ".join(below))


def check_form(parts: Sequence[Part], answers: Any) -> None:
    """Raise ValueError, in a sentence, unless `answers` are answers to `parts`."""
    if not isinstance(answers, list) or len(answers) != len(parts):
        raise ValueError(f"{len(parts)} answers are asked for, one for each part")
    for at, (part, given) in enumerate(zip(parts, answers, strict=True), 1):
        if given is not None and not _fits(part, given):
            raise ValueError(f"part {at}: {_wanted(part)}; got {given!r:.60}")


def _fits(part: Part, given: Any) -> bool:
    kind, whole = part["kind"], type(given) is int
    if kind == "number":
        return whole and int(str(part["least"])) <= given <= int(str(part["most"]))
    if kind == "text":
        return isinstance(given, str) and len(given) <= 2000
    names = part.get("options", part.get("items"))
    size = len(names) if isinstance(names, list) else 0
    if kind == "choice":
        return whole and 0 <= given < size
    numbers = given if isinstance(given, list) else [None]
    inside = all(type(each) is int and 0 <= each < size for each in numbers)
    return inside and len(set(numbers)) == len(numbers)


def _wanted(part: Part) -> str:
    if part["kind"] == "number":
        return f"a whole number from {part['least']} to {part['most']} is asked for"
    return {
        "choice": "one option is asked for",
        "several": "options are asked for, each once",
        "order": "items are asked for, each once",
    }.get(str(part["kind"]), "text is asked for")


def prediction_text(parts: Sequence[Part], answers: Sequence[Any]) -> str:
    """Return the answers to a prediction as it is kept: "2, 0", "shell 0x30000, child 0x30000"."""
    if all(given is None for given in answers):
        return "I do not know"
    return ", ".join(
        UNKNOWN if given is None else shown(part, given)
        for part, given in zip(parts, answers, strict=True)
    )


def cannot_score(parts: Sequence[Part], answer: str) -> str:
    """Return what of a typed prediction cannot be scored, as a sentence; '' if all can."""
    from anonlab.course.asking.scores import recognised

    low = answer.lower()
    if any(word in low for word in ("know", UNKNOWN)) or not parts:
        return ""
    options = [str(each) for part in parts for each in _options(part)]
    if options:
        found = recognised(answer, {each.lower() for each in options})
        few = not found and "none" not in low
        return f"Nothing in it is one of: {', '.join(dict.fromkeys(options))}." if few else ""
    numbers = recognised(answer, {"0"})
    if len(numbers) != len(parts):
        asked = "one number is" if len(parts) == 1 else f"{len(parts)} numbers are"
        return f"It cannot be scored whole: {asked} asked for, and {len(numbers)} are in it."
    return ""


def _options(part: Part) -> list[Any]:
    names = part.get("options", [])
    return names if isinstance(names, list) else []


def example(parts: Sequence[Part]) -> str:
    """Return what a typed answer looks like."""
    words: Mapping[str, str] = {"number": "2", "text": "0x12", "several": "", "choice": ""}
    shapes = []
    for part in parts:
        names = _options(part)
        shapes.append(str(names[0]) if names else words.get(str(part["kind"]), "…"))
    return f'"{", ".join(shapes)}"'
