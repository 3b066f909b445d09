"""Every question of the course on one page, with its answer and with what each wrong answer tells.

It is for teachers: no release holds it. What is right is measured when the page is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from anonlab.course.asking.bank import QUESTIONS
from anonlab.course.asking.bank.items import ITEMS
from anonlab.course.asking.bank.misconceptions import MISCONCEPTIONS
from anonlab.course.asking.bank.scenes import SCENES
from anonlab.course.asking.questions import (
    BankQuestion,
    Choice,
    Inverse,
    Number,
    Order,
    Table,
    letter,
)
from anonlab.course.drills.drills import DRILLS, LEVELS, TITLES, drill_question
from anonlab.course.drills.question import DrillQuestion
from anonlab.course.teaching.entry import BankEntry, BankPart
from anonlab.course.teaching.gift import gift
from anonlab.course.teaching.topics import scene_topics
from anonlab.course.templates import filled

DRILL_SEED = 1
"""Of the drills the page has one question for each level, with these numbers."""


def entries() -> tuple[BankEntry, ...]:
    """Return all questions, notebook by notebook."""
    found = [*_scenes(), *_questions(), *_items(), *_drills()]
    return tuple(sorted(found, key=lambda entry: entry.notebook))


def write_bank(out: Path) -> tuple[Path, ...]:
    """Write the bank to the folder `out`, as a page and for Moodle (GIFT); return the files."""
    out.mkdir(parents=True, exist_ok=True)
    found = entries()
    books: dict[str, list[BankEntry]] = {}
    for entry in found:
        books.setdefault(entry.notebook, []).append(entry)
    files = {"bank.html": filled("teaching/bank.html.j2", books=books, number=len(found)),
             "bank.gift": gift(found)}  # fmt: skip
    for name, text in files.items():
        (out / name).write_text(text, "utf-8", newline="\n")
    return tuple(out / name for name in files)


def _scenes() -> Iterator[BankEntry]:
    for book in dict.fromkeys(name.split()[0] for name in SCENES):
        for topic in scene_topics(book):
            for at, question in enumerate(topic.questions, 1):
                parts = tuple(
                    BankPart(part.text, part.options, part.right, "", part.said)
                    for part in question.parts
                )
                name = f'scene("{topic.name}"), question {at}'
                yield BankEntry(book, name, "scene", question.ask, (), parts, question.explain)


def _questions() -> Iterator[BankEntry]:
    thoughts = {(row.question, row.value): row for row in MISCONCEPTIONS}
    for name, question in QUESTIONS.items():
        is_belief = any(row.question == name for row in MISCONCEPTIONS)
        parts = tuple(_parts(question))
        if isinstance(question, Choice):
            beliefs = {
                option.text: f"{option.why} Believes: {thoughts[name, option.value].thought}."
                for option in question.options
                if (name, option.value) in thoughts
            }
            tells = tuple((given, beliefs.get(given, words)) for given, words in parts[0].tells)
            parts = (
                BankPart(parts[0].text, parts[0].options, parts[0].right, parts[0].why, tells),
            )
        book = name.split()[0]
        call = f'beliefs("{book}")' if is_belief else f'answer("{name}")'
        text = "" if isinstance(question, Choice) else question.ask(0).split("\n")[0]
        yield BankEntry(book, call, type(question).__name__.lower(), text, (), parts)


def _parts(question: BankQuestion) -> Iterator[BankPart]:
    if isinstance(question, Choice):
        chosen = question.options[ord(question.right()) - ord("a")]
        tells = tuple((each.text, each.why) for each in question.options if each is not chosen)
        options = tuple(each.text for each in question.options)
        yield BankPart(question.text, options, chosen.text, chosen.why, tells)
    elif isinstance(question, Table):
        for row, right in zip(question.rows, question.right(), strict=True):
            yield BankPart(row.text, question.words, right, row.why)
    elif isinstance(question, Inverse):
        for at, (ops, why) in enumerate(question.options):
            leads = "yes" if letter(at) in question.right() else "no"
            yield BankPart("; ".join(ops.strip().splitlines()), ("yes", "no"), leads, why)
    elif isinstance(question, Order):
        yield _order(question)
    elif isinstance(question, Number):
        right = next(iter(question.judge("?", 0))).text.removeprefix("The answer is ")
        yield BankPart("The numbers are those of variant 0.", (), right, "")


def _order(question: Order) -> BankPart:
    """Return an order that is right, and what is said of steps that come too early."""
    graph = {name: set(step.after) for name, step in question.steps.items()}
    right = " → ".join(
        question.steps[name].text for name in TopologicalSorter(graph).static_order()
    )
    early = [(f"{step.text}, too early", step.why) for step in question.steps.values() if step.why]
    texts = {name: step.text for name, step in question.steps.items()}
    texts |= {name: text for name, (text, _) in question.others.items()}
    options = tuple(texts[name] for name in sorted(texts))
    return BankPart(
        "Put the steps in order.", options, right, "", (*early, *question.others.values())
    )


def _items() -> Iterator[BankEntry]:
    for at, item in enumerate(ITEMS, 1):
        for book, call, question in (
            ("00", "baseline()", item.before),
            ("10b", "final()", item.after),
        ):
            yield BankEntry(book, f"{call}, question {at}: {item.idea}", "choice", "", (),
                            tuple(_parts(question)))  # fmt: skip


def _drills() -> Iterator[BankEntry]:
    for name in DRILLS:
        for level in range(LEVELS):
            question = drill_question(name, DRILL_SEED, level)
            title = f'drill("{name}"), {TITLES[name]}, level {level}'
            yield BankEntry(name, title, "drill", question.text, question.lines,
                            tuple(_drill_parts(question)))  # fmt: skip


def _drill_parts(question: DrillQuestion) -> Iterator[BankPart]:
    for part in question.parts:
        tells = tuple((part.shown(given), words) for given, words in part.mistakes.items())
        yield BankPart(part.text, part.choices, part.shown(part.truth), part.why, tells)
