"""beliefs("05"): what people say about a notebook's subject, each belief as a question.

One card asks all of a notebook's questions; each answer is judged, told why, and kept by the name
of its question.
"""

from __future__ import annotations

from typing import Any

from anonlab.course.asking.bank.beliefs import BELIEFS
from anonlab.course.asking.bank.beliefs_later import LATER
from anonlab.course.asking.card_widget import CardWidget
from anonlab.course.asking.cards import Verdict, eight_card, shown
from anonlab.course.asking.note import Note, errors_as_notes
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.asking.questions import UNKNOWN, Choice, Mark, letter, words_of
from anonlab.course.authoring.exercises import find_course
from anonlab.view.story.words import say

ALL: dict[str, Choice] = {**BELIEFS, **LATER}


@errors_as_notes
def beliefs(notebook: str, given: Any = ...) -> Note | CardWidget:
    """Ask what people often say about the subject of a notebook, "03" to "10"; or judge answers.

    given  one letter for each question, such as "ab?a"; "?" says that you do not know
    """
    name = str(notebook).strip().rjust(2, "0")
    asked = {each: question for each, question in ALL.items() if each.split()[0] == name}
    if not asked:
        books = ", ".join(dict.fromkeys(each.split()[0] for each in ALL))
        raise ValueError(f"there are no beliefs about {notebook!r}; there are some about {books}")
    if given is ... or not str(given).strip():
        return _card(name, asked)
    letters = "".join(words_of(given))
    if len(letters) != len(asked):
        raise ValueError(f"{len(asked)} letters are asked for, got {len(letters)}: {letters}")
    marks = _judged(asked, list(letters))
    lines = [f"{'right' if mark.right else 'not so':7} {at}. {mark.text}"
             for at, mark in enumerate(marks, 1)]  # fmt: skip
    return Note("\n".join([*lines, "", _counted(marks)]))


def _card(name: str, asked: dict[str, Choice]) -> CardWidget:
    questions = list(asked.values())
    texts = [f"{at}. {question.ask(0)}" for at, question in enumerate(questions, 1)]
    how = f'To answer: beliefs("{name}", "…") with {len(asked)} letters; ? says: I do not know.'
    card = eight_card(f"beliefs {name}", questions, say("asked.beliefs")) | {
        "title": say("asked.people")
    }

    def judge(answers: list[Any], last: bool) -> Verdict:
        marks = _judged(asked, [UNKNOWN if each is None else letter(each) for each in answers])
        rows = [
            {
                "right": mark.right,
                "given": shown(part, given),
                "truth": question.options[ord(question.right()) - ord("a")].text,
                "why": mark.text.partition(": ")[2] or mark.text,
            }
            for part, given, mark, question in zip(
                card["parts"], answers, marks, questions, strict=True
            )
        ]
        return {"parts": rows, "again": False, "nudge": "", "said": _counted(marks)}

    return CardWidget(card, judge, "\n\n".join([*texts, how]))


def _judged(asked: dict[str, Choice], letters: list[str]) -> list[Mark]:
    """Judge an answer to each question, then keep all of them; ValueError keeps none."""
    marks = [q.judge(one, 0)[0] for q, one in zip(asked.values(), letters, strict=True)]
    log = ProgressLog(find_course().root)
    for name, one, mark in zip(asked, letters, marks, strict=True):
        log.add("answer", name=name, given=one, right=int(mark.right), of=1, seed=0)
    return marks


def _counted(marks: list[Mark]) -> str:
    return f"{sum(mark.right for mark in marks)} of {len(marks)} right."
