"""drill("04"): fresh questions on a notebook's subject, harder each time, until five in a row are
right.

The questions are plain data (course/drills); here they are shown as text and typed answers kept.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from anonlab.course.asking.drill_rounds import drill_state
from anonlab.course.asking.note import Note, errors_as_notes
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.asking.questions import Mark
from anonlab.course.authoring.exercises import Course, find_course
from anonlab.course.drills.drills import DRILLS, LEVELS, TITLES, drill_question
from anonlab.course.drills.question import DrillQuestion, judge
from anonlab.course.judging.attempt import seed_of
from anonlab.histories.splitmix import SplitMix64


@errors_as_notes
def drill(name: str, given: Any = ...) -> Note:
    """Ask the next question of a drill, "01" to "10"; or judge an answer to it, and ask the next.

    given  your answers to the parts, with commas between them; "?" says that you do not know
    """
    name = str(name).strip().rjust(2, "0")
    course = find_course()
    log = ProgressLog(course.root)
    question = next_question(course, log, name)
    if given is ... or not str(given).strip():
        return Note(f"{_head(log, name)}\n\n{question_text(question)}")
    marks = judge(question, given)
    right = sum(mark.right for mark in marks)
    said = given if isinstance(given, str | int) else ", ".join(map(str, given))
    log.add(
        "drill",
        name=name,
        given=str(said),
        right=right,
        of=len(marks),
        level=question.level,
        seed=question.seed,
    )
    parts = [question_text(question, ask=False), f"you answered: {said}", _marks_text(marks)]
    parts += [_verdict(log, name), question_text(next_question(course, log, name))]
    return Note("\n\n".join(parts))


def next_question(course: Course, log: ProgressLog, name: str) -> DrillQuestion:
    """Return the question that comes next: its seed depends on the learner's variant and on how
    many were answered, its level on how many in a row were right.

    raises  ValueError for an unknown drill
    """
    if name not in DRILLS:
        raise ValueError(f"there is no drill {name!r}; there are {', '.join(DRILLS)}")
    exercise = f"{name}a"
    base = seed_of(course, exercise) if exercise in course.exercises else 0
    rng = SplitMix64((base + int(name)) % (1 << 64))
    for _ in range(len(log.events("drill", name=name)) + 1):
        seed = rng.next64()
    return drill_question(name, seed, min(streak(log, name), LEVELS - 1))


def streak(log: ProgressLog, name: str) -> int:
    """Return how many of the last answers were right, without one that was not; 0 if the drill is
    due again."""
    return drill_state(log, name).row


def is_done(log: ProgressLog, name: str) -> bool:
    """Return whether five in a row have ever been right."""
    return drill_state(log, name).is_done


def question_text(question: DrillQuestion, ask: bool = True) -> str:
    """Return a question as text; `ask` says how to answer."""
    lines = [question.text, *(f"    {line}" for line in question.lines)]
    many = len(question.parts) > 1
    lines += [f"{f'{at}. ' if many else ''}{p.text}" for at, p in enumerate(question.parts, 1)]
    if ask:
        lines.append(f'To answer: drill("{question.drill}", "…") with {question.how}.')
    return "\n".join(lines)


def _head(log: ProgressLog, name: str) -> str:
    state = drill_state(log, name)
    done = " It is done; go on as long as you like." if state.is_done else ""
    if state.is_due(date.today()):
        done = " It was done, and is due again."
    return f"Drill {name}, {TITLES[name]}: {state.row} of {LEVELS} in a row.{done}"


def _verdict(log: ProgressLog, name: str) -> str:
    state = drill_state(log, name)
    row = state.row
    if row == LEVELS:
        again = f" It is due again on {state.due}." if state.due else " It is kept: no more rounds."
        return f"{LEVELS} in a row: drill {name} is done.{again} Another one, if you like:"
    if row == 0:
        return "The row begins anew:"
    return f"{row} in a row. The next one:"


def _marks_text(marks: list[Mark]) -> str:
    return "\n".join(f"{'right' if mark.right else 'not so':7} {mark.text}" for mark in marks)
