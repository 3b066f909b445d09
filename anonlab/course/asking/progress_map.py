"""What a learner has done in each notebook, what is open, and which drills are due.

Progress is read from the log alone. Running a cell twice, a restart, an older version of anonlab
or a damaged line change nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from anonlab.course.asking.bank import QUESTIONS
from anonlab.course.asking.bank.predictions import PREDICTIONS
from anonlab.course.asking.bank.scenes import SCENES
from anonlab.course.asking.drill_rounds import AHEAD, DrillState, drill_state, time_of
from anonlab.course.asking.next_steps import next_exercise, notebook_of
from anonlab.course.asking.progress_log import Event, ProgressLog
from anonlab.course.asking.review import progress_lines
from anonlab.course.authoring.exercises import Course
from anonlab.course.drills.drills import DRILLS, LEVELS
from anonlab.view.story.reading import plural

PASSED, BEGUN, OPEN = "passed", "started", "open"
"""What an exercise is."""
EIGHT = {"before": "00 baseline", "after": "10b final"}
"""The eight scenarios before and after the course, each as one question."""
GIVEN: dict[str, frozenset[str]] = {
    "predict": frozenset(PREDICTIONS),
    "answer": frozenset(QUESTIONS),
    "scene": frozenset(name for name, scene in SCENES.items() if scene.questions),
    "items": frozenset(EIGHT.values()),
}
"""The kinds of events that are answers, and the names of what asks for them."""


@dataclass(frozen=True)
class ExerciseState:
    """One exercise: `state` is passed, started or open, of its public checks."""

    number: str
    title: str
    state: str
    points: int
    most: int
    hints: int
    has_passed_all: bool
    """The hidden checks passed as well, once."""


@dataclass(frozen=True)
class NotebookState:
    """One notebook: its exercises, its drill, and how many of its questions were answered."""

    number: str
    title: str
    exercises: tuple[ExerciseState, ...]
    drill: DrillState | None
    answered: int
    asked: int

    @property
    def is_done(self) -> bool:
        """True if all its exercises have passed, and its drill was done once."""
        parts = [each.state == PASSED for each in self.exercises]
        parts += [self.drill.is_done] if self.drill else []
        return all(parts) if parts else bool(self.asked) and self.answered == self.asked

    @property
    def is_begun(self) -> bool:
        """True if anything in it was done."""
        drilled = self.drill is not None and (self.drill.row > 0 or self.drill.is_done)
        return drilled or self.answered > 0 or any(e.state != OPEN for e in self.exercises)


@dataclass(frozen=True)
class ProgressMap:
    """All notebooks, in order; `following` is the next exercise, `days` those with an entry in the
    log; `notes` say what could not be read."""

    notebooks: tuple[NotebookState, ...]
    today: date
    following: str
    days: tuple[date, ...]
    lines: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def due(self) -> tuple[str, ...]:
        """The drills that are due."""
        drills = {each.number: each.drill for each in self.notebooks if each.drill}
        return tuple(name for name, drill in drills.items() if drill.is_due(self.today))

    @property
    def points(self) -> tuple[int, int]:
        """Points of public checks so far, and all there are."""
        done = [each for book in self.notebooks for each in book.exercises]
        return sum(each.points for each in done), sum(each.most for each in done)


def progress_map(course: Course, now: datetime | None = None) -> ProgressMap:
    """Return what was done in `course` until `now`, which has a zone."""
    log, moment = ProgressLog(course.root), now or datetime.now().astimezone()
    times = [time_of(event, moment.tzinfo) for event in log.events()]
    known = [when for when in times if when is not None and when <= moment + AHEAD]
    following = next_exercise(course, log)
    return ProgressMap(
        tuple(_notebook(course, log, *each, moment) for each in notebooks_of(course).items()),
        moment.date(),
        following.number if following else "",
        tuple(sorted({when.date() for when in known})),
        tuple(progress_lines(log)),
        _notes(log, len(times) - len(known)),
    )


def notebooks_of(course: Course) -> dict[str, str]:
    """Return the titles of the notebooks by number: of the files, and of what exercises and drills
    belong to; labs stand under ""."""
    titles = dict.fromkeys([*(n[:2] for n in course.exercises if not n.startswith("lab"))], "")
    titles |= dict.fromkeys(DRILLS, "")
    for path in (course.root / "notebooks").glob("*_*.ipynb"):
        number, _, rest = path.stem.partition("_")
        titles[number] = rest.replace("_", " ")
    labs = {"": "labs"} if any(n.startswith("lab") for n in course.exercises) else {}
    return dict(sorted(titles.items())) | labs


def _notebook(
    course: Course, log: ProgressLog, number: str, title: str, now: datetime
) -> NotebookState:
    own = [n for n in course.exercises if ("" if n.startswith("lab") else n[:2]) == number]
    asked = {(what, name) for what, names in GIVEN.items() for name in names}
    given = {(what, _name(event)) for what in GIVEN for event in log.events(what)}
    return NotebookState(
        number,
        title,
        tuple(_exercise(course, log, each) for each in own),
        drill_state(log, number, now) if number in DRILLS else None,
        sum(name.split()[0] == number for _, name in given & asked),
        sum(name.split()[0] == number for _, name in asked),
    )


def _name(event: Event) -> str:
    """Return the name of what an event answers."""
    return str(EIGHT.get(str(event.get("which")), event.get("name", "")))


def _exercise(course: Course, log: ProgressLog, number: str) -> ExerciseState:
    exercise = course[number]
    started = bool(log.events("check", exercise=number))
    most = sum(exercise.public.values())
    return ExerciseState(
        number,
        exercise.title,
        PASSED if log.has_passed(number) else BEGUN if started else OPEN,
        min(log.best(number), most),
        most,
        min(log.hints(number), len(exercise.hints)),
        bool(log.events("check_all", exercise=number, ok=True)),
    )


def _notes(log: ProgressLog, odd_times: int) -> tuple[str, ...]:
    """Return what in the log could not be read: nothing is dropped silently."""
    damaged = log.damaged()
    notes = []
    if damaged:
        notes.append(f"{plural(damaged, 'line')} of the log cannot be read: left out.")
    if odd_times:
        notes.append(f"{plural(odd_times, 'line')} of the log without a time, or with one that is "
                     "still to come: what was done counts, its day does not.")  # fmt: skip
    return tuple(notes)


def map_text(done: ProgressMap) -> str:
    """Return the map as text: each notebook, what is due, and what is next."""
    lines = []
    for book in done.notebooks:
        lines += [_heading(book, done.today), *map(_exercise_text, book.exercises)]
    points, most = done.points
    lines += ["", f"{points} of {most} public points; hidden checks run at grading."]
    lines += [*done.lines, *done.notes]
    if done.due:
        lines.append(f"Due today: {', '.join(map(drill_call, done.due))}.")
    lines += [f"Next: {done.following}."] if done.following else []
    return "\n".join(lines)


def drill_call(name: str) -> str:
    """Return what a learner writes to be drilled."""
    return f'drill("{name}")'


def _heading(book: NotebookState, today: date) -> str:
    mark = "✓" if book.is_done else "·" if book.is_begun else " "
    asked = f"; {book.answered} of {book.asked} questions" if book.asked else ""
    drill = f"; drill {drill_words(book.drill, today)}" if book.drill else ""
    return f"{mark} {book.number} {book.title}".rstrip() + f"{asked}{drill}"


def drill_words(state: DrillState, today: date) -> str:
    """Return where a learner is with a drill, in a few words."""
    if state.is_due(today):
        return "due again"
    if state.is_kept:
        return "done, and kept"
    if state.is_done:
        return f"done, due again on {state.due}"
    return f"{state.row} of {LEVELS} in a row" if state.row else "open"


def _exercise_text(each: ExerciseState) -> str:
    hints = f", {plural(each.hints, 'hint')}" if each.hints else ""
    whole = ", all checks passed" if each.has_passed_all else ""
    return (
        f"    {each.number:4} {each.state:8} {each.points:2} of {each.most:2} public points"
        f"{hints}{whole}  {each.title}"
    )


__all__ = ["ProgressMap", "map_text", "notebook_of", "progress_map"]
