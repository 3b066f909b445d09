"""The kinds of questions that are answered with a few letters, words or numbers, and their judges.

    Choice    one option, by letter; what is right is measured on a history
    Inverse   which operations led here? right are the options that lead to the same machine
    Order     put steps in order, by letters: a DAG says what must come before what
    Table     one word for each row; what is right is measured row by row
    Number    a number that is measured on a history of the learner's own variant

Every kind is asked and answered as text, and judged element by element.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from anonlab.course.asking.measures import Measure
from anonlab.course.judging.state import state_after
from anonlab.formats.history_text import parse
from anonlab.histories.splitmix import SplitMix64

UNKNOWN = "?"
"""How a learner says: I do not know."""


class Mark(NamedTuple):
    """One element of an answer: was it right, and what is said about it."""

    right: bool
    text: str


class Option(NamedTuple):
    """What a learner reads, the value it stands for, and what is said to who chooses it."""

    text: str
    value: str
    why: str


def letter(number: int) -> str:
    """Return 'a' for 0, 'b' for 1, …"""
    return chr(ord("a") + number)


def lettered(texts: Sequence[str]) -> str:
    """Return one line for each text, with its letter."""
    return "\n".join(f"  {letter(at)}  {text}" for at, text in enumerate(texts))


def words_of(given: object) -> list[str]:
    """Return the elements of an answer: of a list, or of a text at commas and spaces."""
    if isinstance(given, list | tuple | set | frozenset):
        return [str(each).strip().lower() for each in given]
    return [word for word in re.split(r"[\s,;]+", str(given).strip().lower()) if word]


@dataclass(frozen=True)
class Choice:
    """One of `options`: the one whose value is what `measure` finds in `history`."""

    text: str
    history: str
    measure: Measure
    options: tuple[Option, ...]

    @property
    def how(self) -> str:
        """What an answer looks like."""
        return 'one letter, such as "a"; "?" says that you do not know'

    def ask(self, seed: int) -> str:
        """Return the question as text."""
        return f"{self.text}\n{lettered([option.text for option in self.options])}"

    def right(self) -> str:
        """Return the letter of the right option."""
        value = self.measure(self.history)
        return next(letter(n) for n, each in enumerate(self.options) if each.value == value)

    def judge(self, given: object, seed: int) -> list[Mark]:
        """Return one mark; ValueError for what is no option."""
        chosen = _one(given, len(self.options))
        if chosen == UNKNOWN:
            return [Mark(False, f"The answer is {self.right()}. {self._why(self.right())}")]
        return [Mark(chosen == self.right(), f"{chosen}: {self._why(chosen)}")]

    def _why(self, chosen: str) -> str:
        return self.options[ord(chosen) - ord("a")].why


@dataclass(frozen=True)
class Inverse:
    """Which of `options`, each the operations after `start`, leads to where `riddle` leads?"""

    text: str
    start: str
    riddle: str
    options: tuple[tuple[str, str], ...]
    """(operations, what is said of them)."""

    @property
    def how(self) -> str:
        """What an answer looks like."""
        return 'all numbers that fit, such as "13"; "?" says that you do not know'

    def ask(self, seed: int) -> str:
        """Return the question as text."""
        return "\n".join([self.text, *(f"  {each}" for each in self.texts())])

    def texts(self) -> list[str]:
        """Return the options with their numbers: processes have letters."""
        ops = ["; ".join(ops.strip().splitlines()) for ops, _ in self.options]
        return [f"{at}: {each}" for at, each in enumerate(ops, 1)]

    def right(self) -> str:
        """Return the letters of all options that lead to the same machine."""
        wanted = state_after(parse(self.start + self.riddle))
        return "".join(
            letter(at)
            for at, (ops, _) in enumerate(self.options)
            if state_after(parse(self.start + ops)) == wanted
        )

    def judge(self, given: object, seed: int) -> list[Mark]:
        """Return a mark for each option; letters stand for their numbers, too."""
        numbers = {str(at): letter(at - 1) for at in range(1, len(self.options) + 1)}
        words = [numbers.get(each, each) for each in "".join(words_of(given))]
        if wrong := [each for each in words if each not in {*numbers.values(), UNKNOWN}]:
            raise ValueError(f"there is no option {wrong[0]!r}: 1 to {len(numbers)}, or ?")
        chosen, right = _letters(words, len(self.options)), self.right()
        marks = []
        for at, (text, (_, why)) in enumerate(zip(self.texts(), self.options, strict=True)):
            mine, fits = letter(at) in chosen, letter(at) in right
            verdict = "This leads here" if fits else "This does not lead here"
            did = "you chose it" if mine else "you did not choose it"
            said = f", {'and' if mine == fits else 'but'} {did}" if chosen else ""
            marks.append(Mark(mine == fits, f"{text}\n    {verdict}{said}: {why}"))
        return marks


class OrderStep(NamedTuple):
    """A step to put in order: after which others it must come, and why."""

    text: str
    after: str = ""
    why: str = ""


@dataclass(frozen=True)
class Order:
    """Put `steps` in order, without those of `others`, which do not belong. The order in which
    `steps` are written down is a right one."""

    text: str
    steps: dict[str, OrderStep]
    others: dict[str, tuple[str, str]]
    """Letter -> (text, what is said to who takes it in)."""

    @property
    def how(self) -> str:
        """What an answer looks like."""
        return "the letters in your order, without what does not belong"

    def ask(self, seed: int) -> str:
        """Return the question as text, all letters in the order of the alphabet."""
        texts = self._texts()
        return f"{self.text}\n{lettered([texts[name] for name in sorted(texts)])}"

    def judge(self, given: object, seed: int) -> list[Mark]:
        """Return a mark for each step that is there in time, missing, or does not belong."""
        mine = "".join(words_of(given))
        if unknown := [each for each in mine if each not in {*self.steps, *self.others, UNKNOWN}]:
            raise ValueError(f"there is no step {unknown[0]!r}; write {self.how}")
        if twice := [each for each in mine if mine.count(each) > 1]:
            raise ValueError(f"{twice[0]!r} is there twice; write {self.how}")
        named = {name: f"{name} ({text})" for name, text in self._texts().items()}
        return self._marks(mine, sorted(self.steps), named, {name: name for name in named})

    def judge_in_words(self, mine: str) -> list[Mark]:
        """Return the marks of the letters `mine` for who sees no letters: steps in a right order,
        by what they say."""
        texts = self._texts()
        quoted = {name: f"“{text}”" for name, text in texts.items()}
        return self._marks(mine, list(self.steps), texts, quoted)

    def _texts(self) -> dict[str, str]:
        texts = {name: step.text for name, step in self.steps.items()}
        return texts | {name: text for name, (text, _) in self.others.items()}

    def _marks(
        self, mine: str, names: Sequence[str], named: Mapping[str, str], short: Mapping[str, str]
    ) -> list[Mark]:
        marks = []
        for name in names:
            step, early = self.steps[name], mine[mine.index(name) :] if name in mine else ""
            late = [short[other] for other in step.after if other in early]
            if not early:
                marks.append(Mark(False, f"{named[name]} is missing"))
            elif late:
                marks.append(
                    Mark(False, f"{named[name]} comes too early: {late[0]} first. {step.why}")
                )
            else:
                why = f". {step.why}" if step.why else ""
                marks.append(Mark(True, f"{named[name]}{why}"))
        wrong = [(name, why) for name, (_, why) in sorted(self.others.items()) if name in mine]
        return marks + [Mark(False, f"{named[name]} does not belong: {why}") for name, why in wrong]


class TableRow(NamedTuple):
    """A row of a table: the case in words, the history that is it, and the reason; `measure` where
    it is not that of the table."""

    text: str
    history: str
    why: str
    measure: Measure | None = None


@dataclass(frozen=True)
class Table:
    """One of `words` for each row: what `measure` finds in the row's history."""

    text: str
    measure: Measure
    words: tuple[str, ...]
    rows: tuple[TableRow, ...]

    @property
    def how(self) -> str:
        """What an answer looks like."""
        return f"{len(self.rows)} words, one for each row: {_or(self.words)} or ?"

    def ask(self, seed: int) -> str:
        """Return the question as text."""
        return f"{self.text}\n{lettered([row.text for row in self.rows])}"

    def right(self) -> list[str]:
        """Return the right word of each row."""
        return [(row.measure or self.measure)(row.history) for row in self.rows]

    def judge(self, given: object, seed: int) -> list[Mark]:
        """Return a mark for each row."""
        mine = words_of(given)
        if len(mine) != len(self.rows) or not {*mine} <= {*self.words, UNKNOWN}:
            raise ValueError(f"write {self.how}")
        return [
            Mark(word == right, f"row {letter(at)}: {right}. {row.why}")
            for at, (word, right, row) in enumerate(zip(mine, self.right(), self.rows, strict=True))
        ]


@dataclass(frozen=True)
class Number:
    """A number, in hex or decimal: `make` gives (question, right answer) for a variant."""

    make: Callable[[SplitMix64], tuple[str, int]]
    why: str

    @property
    def how(self) -> str:
        """What an answer looks like."""
        return 'a number such as 0x3a or 58; "?" says that you do not know'

    def ask(self, seed: int) -> str:
        """Return the question as text."""
        return self.make(SplitMix64(seed))[0]

    def judge(self, given: object, seed: int) -> list[Mark]:
        """Return one mark; ValueError for what is no number."""
        right = self.make(SplitMix64(seed))[1]
        text = f"{right if right < 10 else f'{right:#x}, which is {right}'}. {self.why}"
        if str(given).strip() == UNKNOWN:
            return [Mark(False, f"The answer is {text}")]
        try:
            mine = given if isinstance(given, int) else int(str(given).strip(), 0)
        except ValueError:
            raise ValueError(f"{given!r} is no number; write {self.how}") from None
        return [Mark(mine == right, text if mine == right else f"{given}: no. It is {text}")]


BankQuestion = Choice | Inverse | Order | Table | Number


def _one(given: object, number: int) -> str:
    """Return the one letter of an answer, or UNKNOWN."""
    chosen = _letters(given, number) or [UNKNOWN]
    if len(chosen) != 1:
        raise ValueError(f"one letter is asked for, got {len(chosen)}")
    return chosen[0]


def _letters(given: object, number: int) -> list[str]:
    """Return the letters of an answer; ValueError for a letter that is no option."""
    chosen = [each for each in "".join(words_of(given)) if each != UNKNOWN]
    if wrong := [each for each in chosen if not "a" <= each <= letter(number - 1)]:
        raise ValueError(f"there is no option {wrong[0]!r}: a to {letter(number - 1)}, or ?")
    return sorted(set(chosen))


def _or(words: Sequence[str]) -> str:
    return ", ".join(words)
