"""What a learner calls to work on an exercise; `anonlab.learn` offers it.

Every tool returns a Note, which shows itself: as text everywhere, with pictures in a notebook. In a
cell of its own, `%%exercise 04a` stands over the code of exercise 04a.
"""

from __future__ import annotations

import sys
from html import escape

from anonlab.course.asking.next_steps import what_next
from anonlab.course.asking.note import Note, errors_as_notes
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.asking.progress_map import map_text, progress_map
from anonlab.course.authoring.exercises import Course, find_course
from anonlab.course.authoring.masters import read_masters
from anonlab.course.judging.attempt import (
    check_everything,
    check_exercise,
    reset_exercise,
    seed_of,
    write_cell,
)
from anonlab.course.judging.call_answers import load_tests
from anonlab.course.judging.history_answers import mutant_failure
from anonlab.course.judging.runner import ExerciseReport
from anonlab.formats.history_text import parse
from anonlab.proof.mutants import MUTANTS
from anonlab.recording.recorder import operations, record
from anonlab.view.stage.picture import picture

ASK_AFTER = 3
"""After so many failed runs of one check it asks for a hypothesis."""


@errors_as_notes
def check(number: str, because: str = "", everything: bool = False) -> Note:
    """Run the public checks of the exercise with this number, "04a".

    because     what you think is wrong, if you like to keep it
    everything  run the hidden checks too, where they are
    """
    if not everything:
        return _checked(number, because)
    course = find_course()
    report = check_everything(course, number, because)
    return Note(f"{report}{_what_next(course, report)}", _pictures(report))


def _checked(number: str, because: str = "", above: int | None = None) -> Note:
    """Check the file; `above` says where the lines of a cell begin in it (check_exercise)."""
    course = find_course()
    report = check_exercise(course, number, because, above)
    return Note(f"{report}{_what_next(course, report)}", _pictures(report))


@errors_as_notes
def statement(number: str) -> Note:
    """Show what an exercise asks of you in particular, where that depends on your variant."""
    course = find_course()
    exercise = course[number]
    module = load_tests(course.tests(exercise.number))
    if not hasattr(module, "statement"):
        return Note(f"{exercise.number} asks the same of everybody: read {exercise.name}.py")
    return Note(f"{exercise.number}: {module.statement(seed_of(course, exercise.number))}")


@errors_as_notes
def hint(number: str) -> Note:
    """Open the next hint of an exercise; all that are open are shown."""
    course = find_course()
    exercise, log = course[number], ProgressLog(course.root)
    opened = min(log.hints(exercise.number) + 1, len(exercise.hints))
    log.add("hint", exercise=exercise.number, hint=opened)
    lines = [f"hint {at} of {len(exercise.hints)}: {text}"
             for at, text in enumerate(exercise.hints[:opened], 1)]  # fmt: skip
    if opened == len(exercise.hints):
        lines.append("That is the last one.")
    return Note("\n\n".join(lines))


@errors_as_notes
def progress() -> Note:
    """Show what is done and what is open in each notebook, which drills are due, and what is next;
    `anonlab progress --page FILE` makes a page of it."""
    return Note(map_text(progress_map(find_course())))


@errors_as_notes
def reset(number: str) -> Note:
    """Put the template of an exercise back; your file is kept beside it."""
    path, beside = reset_exercise(find_course(), number)
    kept = f"; what you had is in {beside.name}" if beside else ""
    return Note(f"{path.name} is the template again{kept}.")


@errors_as_notes
def solution(number: str, anyway: bool = False) -> Note:
    """Show the solution with its commentary: after your checks have passed, or `anyway`."""
    course = find_course()
    exercise, log = course[number], ProgressLog(course.root)
    folder = course.root / "solutions"
    if not folder.is_dir():
        return Note(
            "The solutions are not part of this copy of the course: ask who gave it to you."
        )
    if not log.has_passed(exercise.number) and not anyway:
        return Note(
            f'The solution opens when your public checks pass; solution("{exercise.number}", '
            "anyway=True) opens it now, and this is written down."
        )
    log.add("solution", exercise=exercise.number, anyway=not log.has_passed(exercise.number))
    master = next(each for each in read_masters(folder) if each.number == exercise.number)
    return Note(f"{master.commentary}\n\n{master.solution}")


@errors_as_notes
def run_mutant(mutant: str, history: str) -> Note:
    """Run a history on a kernel with one changed line, and say whether the checks see it."""
    if mutant not in MUTANTS:
        raise ValueError(f"there is no mutant {mutant!r}; there are {', '.join(MUTANTS)}")
    failure = mutant_failure(parse(history), mutant)
    verdict = f"killed: {failure}" if failure else "it lives: no check saw anything wrong"
    return Note(f"mutant: {mutant}\n{verdict}")


@errors_as_notes
def exercise(line: str, cell: str) -> Note:
    """`%%exercise 04a`: write the cell to the exercise's file, and run its public checks."""
    words = line.split()
    if not words or words[1:] not in ([], ["--take-cell"]):
        return Note("Write %%exercise and a number, such as: %%exercise 04a")
    course, number = find_course(), words[0]
    written = write_cell(course, number, cell, take_cell=words[1:] == ["--take-cell"])
    if written.how == "kept both":
        assert written.beside is not None
        return Note(
            f"{written.path.name} has work that this cell has not, so nothing was overwritten. "
            f"The cell is kept in {written.beside.name}.\n"
            f'To check the file: check("{number}"). To take the cell instead (the file is kept '
            f"beside it): %%exercise {number} --take-cell\n\n{written.difference}"
        )
    above = None
    if written.how in ("written", "same"):  # the file is a header, an empty line, the cell
        blank = cell[: len(cell) - len(cell.lstrip())].count("\n")
        above = course[number].header.count("\n") - blank
    note = _checked(number, above=above)
    if written.how == "template":
        note.text = (
            f"This cell is still the template; your work is in {written.path.name}, and that is "
            f"what was checked.\n\n{note.text}"
        )
    if written.beside is not None:
        note.text = f"What the file had is in {written.beside.name}.\n\n{note.text}"
    return note


def _what_next(course: Course, report: ExerciseReport) -> str:
    log = ProgressLog(course.root)
    if report.ok:
        return f"\n\n{what_next(course, report.number)}"
    failed = len(log.events("check", exercise=report.number, ok=False))
    ask = ""
    if failed > ASK_AFTER:
        ask = (
            f'\nThis was failed run {failed}. What do you think is wrong? check("{report.number}", '
            'because="…") keeps it, if you like.'
        )
    return f'\nhint("{report.number}") opens a hint.{ask}'


def _pictures(report: ExerciseReport) -> str:
    """Return the last operation of the shortest failing history, before and after, as HTML."""
    wrong = next((each.wrong for each in report.verdicts if each.wrong is not None), None)
    if wrong is None or wrong.history is None or not wrong.history.ops:
        return ""
    steps = operations(record(wrong.history))
    before, after = (steps[-2], steps[-1]) if len(steps) > 1 else (steps[-1], steps[-1])
    drawn = picture(after.snapshot, before.snapshot)._repr_html_()
    first = picture(before.snapshot)._repr_html_()
    return (
        f"<p>Before <code>{escape(after.text)}</code>:</p>{first}"
        f"<p>After it, as it is right:</p>{drawn}"
    )


def register_magic() -> None:
    """Make %%exercise known, if this is a notebook's kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        shell.register_magic_function(exercise, "cell", "exercise")
