"""A drill's question as plain data: what is shown, what is asked, what is right and why.

Nothing here knows how it looks: a notebook, a terminal and a page of paper each show it their way.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from anonlab.course.asking.questions import UNKNOWN, Mark, words_of

NUMBER, CHOICE = "number", "choice"
"""The kinds of parts: a number in decimal or hex; one of the words in `choices`."""


@dataclass(frozen=True)
class Part:
    """One thing that is asked.

    truth     the answer: a word of `choices`, or a number in decimal
    mistakes  what somebody answers who thinks something wrong, and what is said to that
    why       what is said to everybody else
    in_hex    a number is shown in hex
    """

    text: str
    kind: str
    truth: str
    why: str
    choices: tuple[str, ...] = ()
    mistakes: dict[str, str] = field(default_factory=dict)
    in_hex: bool = False

    def shown(self, answer: str) -> str:
        """Return an answer as it is written for people."""
        if self.kind == NUMBER and self.in_hex and answer.isdigit():
            return f"{int(answer):#x}"
        return answer

    @property
    def how(self) -> str:
        """What an answer looks like."""
        return "a number such as 58 or 0x3a" if self.kind == NUMBER else " or ".join(self.choices)


@dataclass(frozen=True)
class DrillQuestion:
    """One question of a drill: equal drill, level and seed make equal questions.

    level  0 to 4: how far the learner is; questions grow harder
    text   what it is about, one or two sentences; `lines` are what is shown, a history or a table
    """

    drill: str
    level: int
    seed: int
    text: str
    lines: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def how(self) -> str:
        """What an answer to all parts looks like."""
        if len(self.parts) == 1:
            return self.parts[0].how
        return f"{len(self.parts)} answers with commas: " + "; ".join(p.how for p in self.parts)


def number(
    text: str, truth: int, why: str, mistakes: dict[int, str] | None = None, in_hex: bool = False
) -> Part:
    """Return a part that asks for a number; a mistake that would be right is none."""
    wrong = {str(value): said for value, said in (mistakes or {}).items() if value != truth}
    return Part(text, NUMBER, str(truth), why, (), wrong, in_hex)


def choice(
    text: str,
    truth: str,
    choices: tuple[str, ...],
    why: str,
    mistakes: dict[str, str] | None = None,
) -> Part:
    """Return a part that asks for one of `choices`."""
    assert truth in choices, f"{truth!r} is not among {choices}"
    wrong = {value: said for value, said in (mistakes or {}).items() if value != truth}
    return Part(text, CHOICE, truth, why, choices, wrong)


def yes_no(text: str, truth: bool, why: str, if_wrong: str = "") -> Part:
    """Return a part that asks yes or no."""
    right, wrong = ("yes", "no") if truth else ("no", "yes")
    return choice(text, right, ("yes", "no"), why, {wrong: if_wrong} if if_wrong else {})


def judge(question: DrillQuestion, given: object) -> list[Mark]:
    """Return a mark for each part; ValueError if the answer has not the form that is asked for."""
    mine = words_of(given)
    if len(mine) != len(question.parts):
        one = "one answer is" if len(question.parts) == 1 else f"{len(question.parts)} answers are"
        raise ValueError(f"{one} asked for, got {len(mine)}; write {question.how}")
    return [mark(part, answer) for part, answer in zip(question.parts, mine, strict=True)]


def mark(part: Part, answer: str) -> Mark:
    """Return the mark of one part's answer; ValueError for what is no answer to it."""
    right = part.shown(part.truth)
    if answer == UNKNOWN:
        return Mark(False, f"The answer is {right}. {part.why}")
    mine = _number(part, answer) if part.kind == NUMBER else answer
    if part.kind == CHOICE and mine not in part.choices:
        raise ValueError(f"{answer!r} is no answer to “{part.text}”; write {part.how}")
    if mine == part.truth:
        return Mark(True, f"{right}. {part.why}")
    return Mark(False, f"{answer}: no, it is {right}. {part.mistakes.get(mine, part.why)}")


def _number(part: Part, answer: str) -> str:
    try:
        return str(int(answer, 0))
    except ValueError:
        raise ValueError(f"{answer!r} is no number; write {part.how}") from None
