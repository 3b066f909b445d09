"""Worked examples fade: neither they nor a hint are the graded answer.

A hint may show another case, in which the same idea does something else. What is compared is code,
token by token: a long run that an answer has as well gives it away, whatever its names are; and of
a history, its verbs in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from anonlab.course.authoring.masters import Master
from anonlab.formats.history import VERBS

_TOKEN = re.compile(r"[^\W\d]\w*|0x[0-9A-Fa-f]+|\d+|<<|>>|<=|>=|==|!=|[^\w\s]")
_WORDS = re.compile(r"[^\W\d]\w*")
_COMMENT = re.compile(r"#.*")
_KEPT = {"if", "else", "for", "in", "and", "or", "not", "while", "return"}
_CALL = {",", ".", "(", ")", "=", "'", '"', "`"}
LONGEST_RUN = 10
"""So many tokens in a row are a coincidence, or what Python asks for."""
_EXAMPLE = re.compile(r"^# ## \d+ · Worked example$(.*?)^# ## \d+ · ", re.MULTILINE | re.DOTALL)


def hints_that_tell(master: Master) -> list[str]:
    """Return one sentence for each hint of `master` that is a piece of its answer."""
    return [
        f"hint {at} is a piece of the answer: {piece}"
        for at, hint in enumerate(master.hints, 1)
        if (piece := told(hint, master.answers))
    ]


def examples_that_tell(notebooks: Path, masters: Iterable[Master]) -> list[str]:
    """Return one sentence for each worked example of a notebook that is a piece of an answer."""
    found, answers = [], [(master.number, master.answers) for master in masters]
    for path in sorted((notebooks / "source").glob("*.py")):
        for example in _EXAMPLE.findall(path.read_text("utf-8")):
            found += [
                f"{path.stem}: its worked example is a piece of the answer of {number}: {piece}"
                for number, answer in answers
                if (piece := told(example, answer))
            ]
    return found


def told(text: str, answers: Iterable[str]) -> str:
    """Return the piece of `answers` that `text` has as well, '' if it has none of any length."""
    answer = "\n".join(answers)
    verbs = [word for word in _WORDS.findall(answer) if word in VERBS]
    given = [word for word in _WORDS.findall(text) if word in VERBS]
    if len(verbs) > 3 and any(given[at : at + len(verbs)] == verbs for at in range(len(given))):
        return ", ".join(verbs)
    return _common(_TOKEN.findall(text), _TOKEN.findall(_COMMENT.sub("", answer)))


def _common(mine: list[str], other: list[str]) -> str:
    """Return a run of tokens that both have, but for names, and that is longer than LONGEST_RUN; a
    list of names, or a call, is none."""
    size = LONGEST_RUN + 1
    runs = {tuple(map(_plain, other[at : at + size])) for at in range(len(other) - size + 1)}
    for at in range(len(mine) - size + 1):
        run = tuple(map(_plain, mine[at : at + size]))
        if run in runs and len({*run} - _CALL - _KEPT - {"name"}) > 1:
            return " ".join(mine[at : at + size])
    return ""


def _plain(token: str) -> str:
    return token if token in _KEPT or not _WORDS.fullmatch(token) else "name"
