"""How long a notebook takes: by a stated rule, and as teachers have measured it.

Nobody can plan minutes; they can be computed from what a notebook asks for, by RULE, in which each
number has its source. `notebooks/measured_minutes.csv` is where teachers write what they measured:

    notebook,minutes,learners,date,note
    04,70,23,2026-10-14,second year; with 04a and without 04b

The course map shows both; the card of a notebook ("In about 70 minutes you can") shows the rule's.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from statistics import median
from typing import NamedTuple

from anonlab.course.asking.bank import QUESTIONS
from anonlab.course.asking.bank.predictions import PREDICTIONS
from anonlab.course.asking.bank.scenes import SCENES
from anonlab.course.asking.bank.scenes.kinds import Question
from anonlab.course.asking.questions import Table
from anonlab.errors import FormatError

MEASURED = "measured_minutes.csv"
COLUMNS = ("notebook", "minutes", "learners", "date", "note")
CORE, MOST_CORE = ("00", "01", "02", "03", "04", "05", "08"), 480
"""The core track, and how long it takes at most."""
WORDS, CELL, STAGE, QUESTION, CARD, MORE = 150, 0.5, 2.0, 0.5, 1.0, 0.5
RULE = (
    (f"{WORDS} words of text are read in a minute",
     "Brysbaert 2019 (Journal of Memory and Language 109): adults read 238 words of English "
     "non-fiction, most of them 175 to 300, and readers of English as a second language fewer; "
     "the subject is new: estimate"),
    (f"a code cell takes {CELL} minutes to run and to look at", "estimate"),
    (f"a stage or a player takes {STAGE:g} minutes to step through", "estimate"),
    (f"a question in the text takes {QUESTION} minutes", "estimate"),
    (f"a card takes {CARD:g} minute, and {MORE} for each further thing that it asks", "estimate"),
    ("an exercise takes what its master says, with its statement", "its author's estimate"),
    ("drills and the scenarios before the course are not counted: everybody takes as many as they "
     "like", "the course"),
)  # fmt: skip
"""(what takes how long, where the number is from)."""
ROUNDED = 5
_CELL = re.compile(r"^# %%((?: .*)?)\n((?:(?!# %%[ \n]).*\n?)*)", re.MULTILINE)
_ASKED = re.compile(r'^\s*(?:\w+ = )?(predict|answer)\("([^"]+)", \.\.\.', re.MULTILINE)
_SCENE = re.compile(r'^\s*scene\("([^"]+)"', re.MULTILINE)
_STAGE = re.compile(r"^\s*(?:\w+ = )?(?:play|Player|compare)\(", re.MULTILINE)
_FREE = re.compile(r"^\s*(?:from |import |drill\(|baseline\(|progress\(|predicted\()")
_EXERCISE = re.compile(r"^# %%exercise (\w+)", re.MULTILINE)
_ITEM = re.compile(r"^\d+\. ", re.MULTILINE)
_DETAILS = re.compile(r"<details>.*?</details>", re.DOTALL)
_WORD = re.compile(r"\S*\w\S*")
SAID = re.compile(r"(\*\*In )(?:about )?\d+( minutes you can)")


class Minutes(NamedTuple):
    """Minutes of one notebook, by what they are for."""

    reading: float
    code: float
    answers: float
    exercises: float

    @property
    def total(self) -> int:
        """All of them, to the next five minutes."""
        return max(ROUNDED, ROUNDED * round(sum(self) / ROUNDED))


class Measured(NamedTuple):
    """What one teacher measured: the middle of a class's minutes for a notebook."""

    notebook: str
    minutes: float
    learners: int
    day: date
    note: str


def number_of(source: Path) -> str:
    """Return the number of a notebook: '05b' of 05b_a_real_program.py."""
    return source.stem.partition("_")[0]


def minutes_of(text: str, exercises: Mapping[str, int]) -> Minutes:
    """Return the minutes of a notebook, whose source is `text`, by RULE.

    exercises  minutes of each exercise, by number
    """
    words = cells = answers = 0.0
    for head, body in _CELL.findall(text):
        if "[markdown]" in head:
            words += len(_WORD.findall(re.sub(r"(?m)^# ?", "", body)))
            shown = re.sub(r"(?m)^# ?", "", _DETAILS.sub("", body))
            items = [item.partition("\n\n")[0].rstrip() for item in _ITEM.split(shown)[1:]]
            answers += QUESTION * sum(item.endswith("?") for item in items)
        elif asked := _ASKED.findall(body):
            answers += sum(_card(_things(*each)) for each in asked)
        elif names := _SCENE.findall(body):
            cells += STAGE * len(names)
            for question in (each for name in names for each in _scene(name)):
                answers += _card(len(question.asked))
                words += len(_WORD.findall(f"{question.ask} {question.explain}"))
        elif not _EXERCISE.search(body) and not _FREE.match(body):
            cells += STAGE if _STAGE.search(body) else CELL
    numbers = set(_EXERCISE.findall(text))
    work = sum(exercises.get(number, 0) for number in numbers)
    return Minutes(words / WORDS, cells, answers, work)


def notebook_minutes(folder: Path, exercises: Mapping[str, int]) -> dict[str, Minutes]:
    """Return the minutes of every notebook whose source is in `folder`/source, by its number."""
    return {
        number_of(path): minutes_of(path.read_text("utf-8"), exercises)
        for path in sorted((folder / "source").glob("*.py"))
    }


def minutes_problems(found: Mapping[str, Minutes]) -> list[str]:
    """Return a sentence if the core track takes longer than it may."""
    core = core_minutes(found)
    if core <= MOST_CORE:
        return []
    return [f"the core track takes {core} minutes by the rule, at most {MOST_CORE} are right"]


def core_minutes(found: Mapping[str, Minutes]) -> int:
    """Return the minutes of the core track."""
    return sum(each.total for number, each in found.items() if number in CORE)


def said(text: str, minutes: int) -> str:
    """Return the text of a notebook's card with its minutes."""
    return SAID.sub(rf"\g<1>about {minutes}\g<2>", text)


def read_measured(path: Path) -> tuple[Measured, ...]:
    """Return what teachers measured; nothing if the file is not there or has only its header.

    raises  FormatError, with the line, for another header or a row that is no measurement
    """
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = tuple(each.strip() for each in next(rows, ()))
        if header != COLUMNS:
            raise FormatError(f"{path}: the first line is {','.join(COLUMNS)}, got {header}", 1)
        return tuple(_measured(path, rows.line_num, row) for row in rows if any(row))


def middle(found: Iterable[Measured], notebook: str) -> tuple[float, int] | None:
    """Return the median of what was measured for a notebook, each class counted as often as it has
    learners, and how many learners there were; None if nobody measured it."""
    each = [row for row in found if row.notebook == notebook]
    minutes = [row.minutes for row in each for _ in range(row.learners)]
    return (median(minutes), len(minutes)) if minutes else None


def _measured(path: Path, line: int, row: list[str]) -> Measured:
    """Return one row, checked."""
    try:
        notebook, minutes, learners, day, note = (each.strip() for each in row)
        found = Measured(notebook, float(minutes), int(learners), date.fromisoformat(day), note)
    except ValueError:
        raise FormatError(
            f"{path}: {','.join(row)!r} is no row such as 04,70,23,2026-10-14,second year", line
        ) from None
    if not 0 < found.minutes < 10_000 or not 0 < found.learners < 100_000:
        raise FormatError(f"{path}: minutes and learners are more than 0, got {row}", line)
    return found


def _card(things: int) -> float:
    return CARD + MORE * (things - 1)


def _things(verb: str, name: str) -> int:
    """Return how many things a card asks; 1 for one that the bank does not have."""
    if verb == "predict":
        return len(PREDICTIONS[name].parts) if name in PREDICTIONS else 1
    question = QUESTIONS.get(name)
    return len(question.rows) if isinstance(question, Table) else 1


def _scene(name: str) -> tuple[Question, ...]:
    return SCENES[name].questions if name in SCENES else ()
