"""A prediction beside what happened, element by element: hit, missed, or too much.

An answer is what a learner typed: a list, or a text such as "0, 1, 2". The truth is a list, where
places count, or a set, where they do not. An answer in which nothing can be recognised, such as
"I do not know", has no score: it is an answer all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Truth = list[Any] | set[Any] | str | int


@dataclass(frozen=True)
class Score:
    """Elements of a prediction: those that happened, those that were not thought of, and those
    that did not happen."""

    hits: tuple[str, ...]
    missed: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def total(self) -> int:
        """How many elements there are to judge."""
        return len(self.hits) + len(self.missed) + len(self.extra)

    def __str__(self) -> str:
        parts = [
            f"{word}: {', '.join(some)}"
            for word, some in (
                ("right", self.hits),
                ("missed", self.missed),
                ("too much", self.extra),
            )
            if some
        ]
        said = f"{len(self.hits)} of {self.total} right."
        return said if len(self.hits) == self.total else f"{said} {'; '.join(parts)}"


def score(answer: Any, truth: Truth, among: Iterable[Any] = ()) -> Score | None:
    """Compare a prediction with what happened; None if nothing in it can be recognised.

    among  what else could have been named, for a truth in words
    """
    wanted = [_plain(each) for each in ([truth] if isinstance(truth, str | int) else truth)]
    if isinstance(truth, set):
        wanted.sort()
    mine = recognised(answer, {*wanted, *map(_plain, among)})
    if not mine:
        return None
    if isinstance(truth, set):
        named = list(dict.fromkeys(mine))
        return Score(
            tuple(each for each in wanted if each in named),
            tuple(each for each in wanted if each not in named),
            tuple(each for each in named if each not in wanted),
        )
    return _in_places(mine, wanted)


def _in_places(mine: list[str], wanted: list[str]) -> Score:
    """Compare place by place; what is not right is told with its place."""
    named = [*mine, *["nothing"] * len(wanted)][: max(len(mine), len(wanted))]
    hits = tuple(right for right, said in zip(wanted, named, strict=False) if right == said)
    missed = tuple(
        f"{right} (you said {said})" if len(wanted) == 1 else f"{right} at place {at}, not {said}"
        for at, (right, said) in enumerate(zip(wanted, named, strict=False), 1)
        if right != said
    )
    return Score(hits, missed, tuple(named[len(wanted) :]))


def _plain(element: Any) -> str:
    """Return an element as it is compared: in lower case, numbers without zeros in front."""
    text = " ".join(str(element).lower().split())
    return " ".join(_number(word) for word in text.split())


def _number(word: str) -> str:
    try:
        return hex(int(word, 0)) if word.startswith("0x") else str(int(word))
    except ValueError:
        return word


def recognised(answer: Any, known: set[str]) -> list[str]:
    """Return the elements in an answer. In a text these are the numbers, where all that is known
    are numbers, and else the parts that are known: between commas, or word by word."""
    if isinstance(answer, list | tuple | set | frozenset):
        return [_plain(each) for each in answer]
    text = str(answer).lower()
    if all(re.fullmatch(r"\d+|0x[0-9a-f]+", each) for each in known):
        return [_plain(each) for each in re.findall(r"\b(?:0x[0-9a-f]+|\d+)\b", text)]
    parts = [_plain(part.strip(" '\"()[]{}.")) for part in re.split(r"[,;\n]| and ", text)]
    if any(part in known for part in parts):
        return [part for part in parts if part in known]
    words = [_plain(word) for word in re.split(r"[^\w.]+", text) if word]
    return [word for word in words if word in known]
