"""What notebooks ask: no explanation before its reveal, and something for each idea of the mail.

A question is open from the cell that asks it. A prediction is open until the cell that reveals it;
a question or a scene, which show the truth on their own card, until the next heading. While one is
open no text may offer to explain (`<details>`), but for a question that it asks itself. And nowhere
in a notebook may a sentence stand that a card says only with the truth: its explanation, or what it
answers to a wrong option.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from anonlab.course.asking.bank import QUESTIONS
from anonlab.course.asking.bank.predictions import PREDICTIONS
from anonlab.course.asking.bank.scenes import SCENES
from anonlab.course.asking.mail_lines import ASKED, LINES
from anonlab.course.authoring.prose import cut

LEAST = 7
"""A sentence of fewer words may stand anywhere."""
_ASKED = re.compile(r'^\s*(?:\w+ = )?(predict|answer|scene)\("([^"]+)"', re.MULTILINE)
_REVEALED = re.compile(r'^\s*(?:\w+ = )?reveal\(\s*"([^"]+)"', re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)
_SAID_LATE = ("why", "explain")
"""Fields of cards that are shown with the truth."""


class Cell(NamedTuple):
    """A cell of a notebook's source: the line on which it begins, and its text."""

    line: int
    is_markdown: bool
    text: str


def cells_of(text: str) -> list[Cell]:
    """Return the cells of a source; of Markdown without the comment signs."""
    found: list[Cell] = []
    for at, line in enumerate(text.splitlines(), 1):
        if re.match(r"# %%(?: |$)", line):
            found.append(Cell(at, "[markdown]" in line, ""))
        elif found:
            kept = re.sub(r"^# ?", "", line) if found[-1].is_markdown else line
            found[-1] = found[-1]._replace(text=f"{found[-1].text}{kept}\n")
    return found


def reveal_problems(notebooks: Path) -> list[str]:
    """Return one sentence for each explanation that a notebook shows before its reveal."""
    late = dict(_told_late())
    problems = []
    for path in sorted((notebooks / "source").glob("*.py")):
        cells = cells_of(path.read_text("utf-8"))
        for number, cell in enumerate(cells):
            if cell.is_markdown:
                problems += [
                    f"{path.name}:{cell.line}: only the card {late[told]!r} says, with the truth: "
                    f"“{told}”"
                    for told in sorted({each.text for each in cut(cell.text)} & set(late))
                ]
                continue
            for verb, name in _ASKED.findall(cell.text):
                problems += [
                    f"{path.name}:{other.line}: explains while {verb}({name!r}) is open: the text "
                    f"belongs behind its reveal, or into its card"
                    for other in _open(cells[number + 1 :], verb, name)
                    if "<details" in other.text and "?" not in other.text.partition("<details")[0]
                ]
    return problems


def mail_problems(notebooks: Path) -> list[str]:
    """Return one sentence for each paragraph of the mail about which no notebook asks anything."""
    texts = [path.read_text("utf-8") for path in sorted((notebooks / "source").glob("*.py"))]
    if not any(re.search(r"^mail\(", text, re.MULTILINE) for text in texts):
        return []  # a course about something else
    asked = {name for text in texts for _, name in _ASKED.findall(text)}
    known = {*SCENES, *QUESTIONS, *PREDICTIONS}
    problems = []
    for paragraph in sorted({line.paragraph for line in LINES}):
        names = ASKED.get(paragraph, ())
        problems += [f"paragraph {paragraph} of the mail: there is no scene or question {name!r}"
                     for name in names if name not in known]  # fmt: skip
        if not asked & set(names):
            asks = " or ".join(names) or "it"
            problems.append(
                f"paragraph {paragraph} of the mail: no notebook asks {asks}; ASKED in "
                "mail_lines.py names the scenes and questions"
            )
    return problems


def _open(cells: list[Cell], verb: str, name: str) -> Iterator[Cell]:
    """Yield the cells of Markdown that stand where a question is open."""
    for cell in cells:
        if verb == "predict" and name in _REVEALED.findall(cell.text):
            return
        if verb != "predict" and cell.is_markdown and _HEADING.search(cell.text):
            return
        if cell.is_markdown:
            yield cell


def _told_late() -> Iterator[tuple[str, str]]:
    """Yield (sentence, name of its card) of all that cards say with the truth."""
    for bank in (SCENES, QUESTIONS):
        for name, card in bank.items():
            for text in _late(card, False):
                yield from ((each.text, name) for each in cut(text) if each.words >= LEAST)


def _late(value: Any, late: bool) -> Iterator[str]:
    """Yield the texts in fields that are shown with the truth, at any depth."""
    if isinstance(value, str):
        if late:
            yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _late(each, late)
    elif names := getattr(value, "_fields", None) or getattr(value, "__dataclass_fields__", None):
        for name in names:
            yield from _late(getattr(value, name), late or name in _SAID_LATE)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _late(each, late)
