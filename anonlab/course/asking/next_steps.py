"""What comes after "public checks passed": the drill of the notebook, the next exercise, another
way to solve this one."""

from __future__ import annotations

from datetime import date

from anonlab.course.asking.drill_rounds import drill_state
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring.exercises import Course, Exercise
from anonlab.course.drills.drills import DRILLS, LEVELS, TITLES


def what_next(course: Course, number: str) -> str:
    """Return what a learner may do after exercise `number`, a line each; calls are for a
    notebook."""
    log = ProgressLog(course.root)
    lines = [
        drill_line(log, course[number].number[:2]),
        _exercise_line(course, log, number),
        _solution_line(course, number),
    ]
    return "\n".join(["What next?", *(f"  {line}" for line in lines if line)])


def drill_line(log: ProgressLog, name: str, today: date | None = None) -> str:
    """Return where a learner is with the drill of a notebook; "" if it has none."""
    if name not in DRILLS:
        return ""
    state, call = drill_state(log, name), f'drill("{name}")'
    if state.is_due(today or date.today()):
        return f"{call} is due again: {state.row} of {LEVELS} in a row"
    if state.is_kept:
        return f"{call} is done, and kept"
    if state.is_done:
        return f"{call} is done; due again on {state.due}"
    return f"{call} asks fresh questions on {TITLES[name]}: {state.row} of {LEVELS} in a row"


def next_exercise(course: Course, log: ProgressLog, number: str = "") -> Exercise | None:
    """Return the exercise to do next: the first open one behind `number`, then the first open one
    of all; a lab only when nothing else is open. None if all have passed."""
    numbers = list(course.exercises)
    at = numbers.index(course[number].number) + 1 if number else 0
    ways = sorted(numbers[at:] + numbers[:at], key=lambda each: each.startswith("lab"))
    return next((course[each] for each in ways if not log.has_passed(each)), None)


def _exercise_line(course: Course, log: ProgressLog, number: str) -> str:
    following = next_exercise(course, log, number)
    if following is None:
        return "every exercise here has passed its public checks: final() in 10b looks back"
    where = notebook_of(course, following.number)
    return (
        f"%%exercise {following.number}{f' in {where}' if where else ''}: {following.title}, "
        f"about {following.minutes} minutes"
    )


def notebook_of(course: Course, number: str) -> str:
    """Return the file name of the notebook of an exercise; "" for a lab, or if it is not here."""
    books = sorted((course.root / "notebooks").glob(f"{number[:2]}_*.ipynb"))
    return books[0].name if books else ""


def _solution_line(course: Course, number: str) -> str:
    if not (course.root / "solutions").is_dir():
        return "another way to solve it: compare with somebody; the solutions are not in this copy"
    return f'solution("{course[number].number}") shows another way, and what it costs'
