"""A question of the notebooks' bank as one for paper: its options are boxes, its answer a key."""

from __future__ import annotations

from anonlab.course.asking.bank import QUESTIONS
from anonlab.course.asking.questions import Choice, Inverse, Number, Table, letter
from anonlab.course.drills.question import DrillQuestion, Part, choice, number, yes_no
from anonlab.histories.splitmix import SplitMix64


def bank_question(name: str, seed: int) -> DrillQuestion:
    """Return the question `name` of the bank; numbers are drawn by `seed`.

    raises  ValueError for an unknown question, or one that cannot be asked on paper
    """
    if name not in QUESTIONS:
        raise ValueError(f"there is no question {name!r}; there are {', '.join(QUESTIONS)}")
    question, text = QUESTIONS[name], ""
    lines: tuple[str, ...] = ()
    parts: tuple[Part, ...]
    if isinstance(question, Choice):
        parts = (_of_choice(question),)
    elif isinstance(question, Table):
        text = question.text
        parts = tuple(
            choice(row.text, right, question.words, row.why)
            for row, right in zip(question.rows, question.right(), strict=True)
        )
    elif isinstance(question, Inverse):
        text, lines = question.text, tuple(question.start.strip().splitlines())
        right = question.right()
        parts = tuple(
            yes_no("; ".join(ops.strip().splitlines()), letter(at) in right, why)
            for at, (ops, why) in enumerate(question.options)
        )
    elif isinstance(question, Number):
        asked, truth = question.make(SplitMix64(seed))
        parts = (number(asked, truth, question.why, in_hex=truth > 9),)
    else:
        raise ValueError(f"{name!r} puts steps in order: it cannot be asked on paper")
    return DrillQuestion(name.split()[0], 0, seed, text, lines, parts)


def _of_choice(question: Choice) -> Part:
    right = question.options[ord(question.right()) - ord("a")]
    mistakes = {option.text: option.why for option in question.options}
    options = tuple(option.text for option in question.options)
    return choice(question.text, right.text, options, right.why, mistakes)
