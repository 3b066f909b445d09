"""Questions on paper: homework with its answers, and exams in variants, each with its key.

An exam is a TOML file::

    name = "Midterm"
    variants = 2            # A and B: the same shapes, other numbers
    seed = 4711             # whoever knows it knows the exam
    minutes = 45            # optional, printed
    [[question]]
    drill = "04"
    level = 3               # optional: 0 to 4
    points = 4              # optional: 1
    [[question]]
    bank = "05 owner"       # a question of the notebooks, by name
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from anonlab.course.asking.questions import letter
from anonlab.course.drills.drills import LEVELS, TITLES, drill_question
from anonlab.course.drills.from_bank import bank_question
from anonlab.course.drills.question import DrillQuestion
from anonlab.course.templates import filled
from anonlab.histories.splitmix import SplitMix64

MOST_VARIANTS, MOST_QUESTIONS = 26, 100


@dataclass(frozen=True)
class PaperItem:
    """One question on paper, and its points; 0 prints none."""

    question: DrillQuestion
    points: int = 0


@dataclass(frozen=True)
class Slot:
    """A place in an exam: each variant has another question of the same shape there, or the
    question `bank` of the notebooks."""

    drill: str
    level: int
    points: int
    bank: str = ""


@dataclass(frozen=True)
class Exam:
    """What an exam's file says."""

    name: str
    variants: int
    seed: int
    minutes: int
    slots: tuple[Slot, ...]


def homework(
    drills: Sequence[str], number: int, seed: int, level: int | None = None
) -> list[PaperItem]:
    """Return `number` questions for each of `drills`, growing harder if no `level` is given."""
    if not 1 <= number <= MOST_QUESTIONS:
        raise ValueError(f"the number of questions is 1 to {MOST_QUESTIONS}, got {number}")
    rng, found = SplitMix64(seed), []
    for drill in drills:
        for at in range(number):
            of = at * LEVELS // number if level is None else level
            found.append(PaperItem(drill_question(drill, rng.next64(), of)))
    return found


def paper(title: str, items: Sequence[PaperItem], ask: bool, answers: bool, note: str = "") -> str:
    """Return one HTML page: the questions with room to answer (`ask`), the answers, or both."""
    return filled(
        "drills/paper.html.j2",
        title=title,
        items=items,
        titles=TITLES,
        ask=ask,
        answers=answers,
        note=note,
        total=sum(item.points for item in items),
    )


def paper_text(items: Sequence[PaperItem]) -> str:
    """Return questions as text, the answers below all of them."""
    asked, told = [], []
    for at, item in enumerate(items, 1):
        question = item.question
        parts = [f"   {letter(n)}) {part.text}" for n, part in enumerate(question.parts)]
        shown = [f"       {line}" for line in question.lines]
        asked.append("\n".join([f"{at}. {question.text}", *shown, *parts]))
        told += [
            f"{at}{letter(n)}) {part.shown(part.truth)}   {part.why}"
            for n, part in enumerate(question.parts)
        ]
    return "\n\n".join(asked) + "\n\nAnswers\n\n" + "\n".join(told) + "\n"


def read_exam(path: Path) -> Exam:
    """Return the exam in a TOML file; ValueError that names what is wrong with it."""
    try:
        plain = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None
    _known(str(path), plain, {"name", "variants", "seed", "minutes", "question"})
    entries = plain.get("question")
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{path}: it has no questions; each is a table [[question]]")
    if "seed" not in plain:
        raise ValueError(f"{path}: seed is missing: a number that only you know")
    slots = tuple(_slot(f"{path}, question {at}", entry) for at, entry in enumerate(entries, 1))
    return Exam(
        str(plain.get("name", path.stem)),
        _number(str(path), plain, "variants", 1, 1, MOST_VARIANTS),
        _number(str(path), plain, "seed", 0, 0, (1 << 63) - 1),
        _number(str(path), plain, "minutes", 0, 0, 1000),
        slots,
    )


def _slot(where: str, entry: Any) -> Slot:
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: a question is a table [[question]]")
    _known(where, entry, {"drill", "level", "points", "bank"})
    points = _number(where, entry, "points", 1, 0, 1000)
    if "bank" in entry:
        return Slot("", 0, points, _bank(where, entry))
    drill = entry.get("drill")
    if drill not in TITLES:
        raise ValueError(f"{where}: drill is one of {', '.join(TITLES)} as text, got {drill!r}")
    level = _number(where, entry, "level", 0, 0, LEVELS - 1)
    return Slot(drill, level, points)


def _bank(where: str, entry: dict[str, Any]) -> str:
    """Return the name of the question of the notebooks that an entry asks for."""
    if extra := sorted({"drill", "level"} & set(entry)):
        raise ValueError(f"{where}: bank names a question; leave out {extra[0]}")
    try:
        bank_question(str(entry["bank"]), 0)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return str(entry["bank"])


def _known(where: str, plain: dict[str, Any], fields: set[str]) -> None:
    if unknown := sorted(set(plain) - fields):
        raise ValueError(f"{where}: unknown field {unknown[0]!r}; there are {sorted(fields)}")


def _number(
    where: str, plain: dict[str, Any], name: str, otherwise: int, low: int, high: int
) -> int:
    value = plain.get(name, otherwise)
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{where}: {name} is a number from {low} to {high}, got {value!r}")
    return value


def exam_items(exam: Exam, variant: int) -> list[PaperItem]:
    """Return the questions of one variant, 0 for A. Equal exams give equal questions."""
    found = []
    for at, slot in enumerate(exam.slots):
        rng = SplitMix64((exam.seed * 1_000_003 + at) % (1 << 64))
        for _ in range(variant + 1):
            seed = rng.next64()
        if slot.bank:
            question = bank_question(slot.bank, seed)
        else:
            question = drill_question(slot.drill, seed, slot.level)
        found.append(PaperItem(question, slot.points))
    return found


def write_exam(path: Path, out: Path) -> tuple[Path, ...]:
    """Write every variant of the exam in `path` to the new folder `out`: a page to hand out, its
    key, and the questions as data. Return the files.

    raises  ValueError for a wrong exam, or if `out` holds something already
    """
    exam = read_exam(path)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} is not empty: an exam goes into a new folder")
    out.mkdir(parents=True, exist_ok=True)
    time = f"{exam.minutes} minutes" if exam.minutes else ""
    data, files = {}, []
    for number in range(exam.variants):
        name, items = letter(number).upper(), exam_items(exam, number)
        title = f"{exam.name}, variant {name}" if exam.variants > 1 else exam.name
        data[name] = [{**asdict(item.question), "points": item.points} for item in items]
        pages = {
            f"exam-{name}.html": paper(title, items, True, False, time),
            f"key-{name}.html": paper(f"{title}: answers", items, False, True),
        }
        for file, text in pages.items():
            files.append(_written(out / file, text))
    files.append(_written(out / "questions.json", json.dumps(data, indent=1) + "\n"))
    return tuple(files)


def _written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8", newline="\n")
    return path
