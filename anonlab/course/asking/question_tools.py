"""A learner's questions in a notebook: asked on a card or as text, judged at once.

answer("02 order", ...)        a card; with an answer in place of the dots it is judged and kept
baseline(...), final(...)      the eight scenarios before and after the course
then_and_now()                 both beside each other, once both are there
"""

from __future__ import annotations

from typing import Any

from anonlab.course.asking.bank import QUESTIONS
from anonlab.course.asking.bank.items import ITEMS
from anonlab.course.asking.card_widget import CardWidget
from anonlab.course.asking.cards import (
    Verdict,
    eight_card,
    kept_verdict,
    question_card,
    question_verdict,
    typed,
)
from anonlab.course.asking.mail_lines import mail as mail  # it shows its lines beside the questions
from anonlab.course.asking.note import Note, errors_as_notes
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.asking.questions import (
    UNKNOWN,
    BankQuestion,
    Choice,
    Inverse,
    Mark,
    Number,
    letter,
    words_of,
)
from anonlab.course.authoring.exercises import Course, find_course
from anonlab.course.judging.attempt import seed_of
from anonlab.formats.history_text import parse
from anonlab.histories.splitmix import SplitMix64
from anonlab.recording.recorder import operations, record
from anonlab.view.stage.picture import picture
from anonlab.view.story.words import say


@errors_as_notes
def answer(name: str, given: Any = ..., again: bool = False) -> Note | CardWidget:
    """Ask the question `name` on a card; or judge an answer to it, element by element, and keep it.

    The first answer is the one that is shown at the end of the notebook; try as often as you like.
    again  ask with other numbers, where the question has numbers
    """
    if name not in QUESTIONS:
        raise ValueError(f"there is no question {name!r}; there are {', '.join(QUESTIONS)}")
    question, course = QUESTIONS[name], find_course()
    log = ProgressLog(course.root)
    if again:
        log.add("again", name=name)
    seed = _seed(course, log, name)
    if given is ... or not str(given).strip():
        return _card(log, name, question, seed)
    said, marks = _judged(log, name, question, seed, given)
    text = f"{question.ask(seed)}\n\nyou answered: {said}\n\n{_marks_text(marks)}"
    return Note(text, _riddle(question))


def _card(log: ProgressLog, name: str, question: BankQuestion, seed: int) -> CardWidget:
    more = f'\nOther numbers: answer("{name}", again=True)' if isinstance(question, Number) else ""
    text = f'{question.ask(seed)}\n\nTo answer: answer("{name}", "…") with {question.how}.{more}'

    def judge(answers: list[Any], last: bool) -> Verdict:
        given = typed(question, answers)
        last = last or all(each is None for each in answers)  # who does not know is told
        _, marks = _judged(log, name, question, seed, given)
        return question_verdict(question, answers, marks, last)

    return CardWidget(question_card(name, question, seed), judge, text, html=_riddle(question))


def _judged(
    log: ProgressLog, name: str, question: BankQuestion, seed: int, given: Any
) -> tuple[str, list[Mark]]:
    """Judge an answer and keep it; return it as text, and its marks."""
    marks = question.judge(given, seed)
    said = given if isinstance(given, str | int) else " ".join(map(str, given))
    right = sum(mark.right for mark in marks)
    log.add("answer", name=name, given=str(said), right=right, of=len(marks), seed=seed)
    return str(said), marks


def _riddle(question: BankQuestion) -> str:
    """Return the picture of the machine that an inverse question is about, what is new marked."""
    if not isinstance(question, Inverse):
        return ""
    start, steps = parse(question.start), operations(record(question.start + question.riddle))
    before, after = steps[len(start.ops)].snapshot, steps[-1].snapshot
    return picture(after, previous=before)._repr_html_()


def _marks_text(marks: list[Mark]) -> str:
    lines = [f"{'right' if mark.right else 'not so':7} {mark.text}" for mark in marks]
    return "\n".join([*lines, "", f"{sum(mark.right for mark in marks)} of {len(marks)} right."])


def _seed(course: Course, log: ProgressLog, name: str) -> int:
    """Return the seed of a question: the learner's own, moved on for each time again."""
    exercise = f"{name[:2]}a"
    base = seed_of(course, exercise) if exercise in course.exercises else 0
    rng = SplitMix64(base)
    for _ in range(len(log.events("again", name=name))):
        base = rng.below(1 << 60)
    return base


@errors_as_notes
def baseline(given: Any = ...) -> Note | CardWidget:
    """Ask the eight scenarios before the course, or keep your answers to them: eight letters."""
    return _eight("before", given)


@errors_as_notes
def final(given: Any = ...) -> Note | CardWidget:
    """Ask eight scenarios of the same kind after the course, or keep your answers to them."""
    return _eight("after", given)


def _eight(when: str, given: Any) -> Note | CardWidget:
    questions: list[Choice] = [getattr(item, when) for item in ITEMS]
    tool = "baseline" if when == "before" else "final"
    if given is ... or not str(given).strip():
        return _eight_card(when, tool, questions)
    letters = "".join(words_of(given))
    allowed = [{UNKNOWN, *"abcdefgh"[: len(question.options)]} for question in questions]
    if len(letters) != len(questions):
        raise ValueError(f"{len(questions)} letters are asked for, got {len(letters)}: {letters}")
    for at, (one, known) in enumerate(zip(letters, allowed, strict=True), 1):
        if one not in known:
            raise ValueError(f"question {at} has no option {one!r}; nothing is kept yet")
    return Note(_keep_eight(when, letters))


def _keep_eight(when: str, letters: str) -> str:
    ProgressLog(find_course().root).add("items", which=when, given=letters)
    then = "Right answers come after the second time." if when == "before" else "Now look back."
    return f"kept: {letters}. They carry no points. {then}"


def _eight_card(when: str, tool: str, questions: list[Choice]) -> CardWidget:
    texts = [f"{at}. {question.ask(0)}" for at, question in enumerate(questions, 1)]
    how = (
        f'{tool}("…") keeps your answers: eight letters in order, such as '
        f'"{"?" * len(ITEMS)}"; ? says that you do not know, and is a good answer.'
    )
    note = say("asked.no-points")
    card = eight_card(tool, questions, note)

    def judge(answers: list[Any], last: bool) -> Verdict:
        letters = "".join(UNKNOWN if each is None else letter(each) for each in answers)
        return kept_verdict(card["parts"], answers, _keep_eight(when, letters))

    return CardWidget(card, judge, "\n\n".join([*texts, how]))


@errors_as_notes
def then_and_now() -> Note:
    """Show what you thought before the course, what you think now, and what happens."""
    log = ProgressLog(find_course().root)
    first, last = (_letters_given(log, when) for when in ("before", "after"))
    if not last:
        return Note("Answer the eight questions first: final(…). Then look back.")
    lines, right = [], {"before": 0, "after": 0}
    for at, item in enumerate(ITEMS):
        lines.append(f"{at + 1}. {item.after.text}")
        for word, when, given in (("then", "before", first), ("now", "after", last)):
            if given:
                question: Choice = getattr(item, when)
                correct = given[at] == question.right()
                right[when] += correct
                mark = "right" if correct else "not so"
                lines.append(f"   {word:5}{mark:7} {_option(question, given[at])}")
        question = item.after
        chosen = question.right() if last[at] == UNKNOWN else last[at]
        if last[at] != question.right():
            lines.append(f"   answer       {_option(question, question.right())}")
        lines += [f"   why          {question.options[ord(chosen) - ord('a')].why}", ""]
    before = f"{right['before']} of {len(ITEMS)} then, " if first else "Not asked then; "
    return Note("\n".join([*lines, f"{before}{right['after']} of {len(ITEMS)} now. No points."]))


def _letters_given(log: ProgressLog, when: str) -> str:
    """Return the letters that count: the first before the course, the last after it."""
    events = log.events("items", which=when)
    return str(events[0 if when == "before" else -1]["given"]) if events else ""


def _option(question: Choice, chosen: str) -> str:
    if chosen == UNKNOWN:
        return "I do not know"
    return question.options[ord(chosen) - ord("a")].text
