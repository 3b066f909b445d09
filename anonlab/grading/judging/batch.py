"""Grade many submissions on any engine: each is a task of its own that keeps its result itself.

A worker that dies takes nobody's result with it: what was being graded then is graded once more
alone, and is trouble of the grader if that kills its worker again; the others go on.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Future, as_completed
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from anonlab.course.judging.right_answers import RIGHT_ANSWERS
from anonlab.grading.intake.submission import Settings, Submission
from anonlab.grading.judging.engines import Engine, EngineTrouble
from anonlab.grading.store.result import Result
from anonlab.grading.store.store import Store, StoreTrouble, result_bytes

GradeFunction = Callable[[Submission, Settings], Result]
WATCH = 5.0
"""Seconds after which an engine is asked whether it still works."""
IDLE_ROUNDS = 3
"""So often workers may die with nothing at hand."""
_ONE = threading.Lock()
"""A process judges one submission at a time, however many threads an engine gives it."""


@dataclass(frozen=True)
class GradingTask:
    """One submission to grade: `key` names what decides its result, `store` where it goes."""

    submission: Submission
    key: str
    settings: Settings
    store: Path
    grade: GradeFunction


@dataclass(frozen=True)
class TaskOutcome:
    """How a task ended; the result itself is in the store. `seconds` are of wall time, `troubles`
    are sentences about what cost time only."""

    submission: str
    status: str
    seconds: float = 0.0
    troubles: tuple[str, ...] = ()


@dataclass
class Batch:
    """What became of the tasks that were run. `retried` were graded once more alone."""

    outcomes: dict[str, TaskOutcome] = field(default_factory=dict)
    retried: list[str] = field(default_factory=list)
    seconds: float = 0.0


def work(task: GradingTask) -> TaskOutcome:
    """Grade one submission and keep the result.

    raises  StoreTrouble; all other trouble is a result
    """
    store, submission = Store(task.store, task.settings.assignment), task.submission
    with _ONE, store.running(submission.id):
        begun = time.monotonic()
        try:
            result = _complete(task, task.grade(submission, task.settings))
            result_bytes(result)
        except StoreTrouble:
            raise
        except Exception as error:  # noqa: BLE001  one submission's trouble is nobody else's
            result = trouble(task, f"the grader failed: {type(error).__name__}: {error}")
        seconds = time.monotonic() - begun
        result = replace(result, timing={**result.timing, "seconds": round(seconds, 4)})
        store.put(result)
    return TaskOutcome(submission.id, result.status, seconds, RIGHT_ANSWERS.troubles())


def _complete(task: GradingTask, result: Result) -> Result:
    """Return a result under its key, with what intake knows of the submission."""
    submission = task.submission
    return replace(
        result,
        submission=submission.id,
        student=submission.student,
        assignment=task.settings.assignment,
        key=task.key,
        official=result.official and not task.settings.in_process,
        ignored=submission.ignored,
        notes=tuple(dict.fromkeys((*submission.notes, *result.notes))),
    )


def trouble(task: GradingTask, reason: str) -> Result:
    """Return the result of a submission that the grader could not grade: no number."""
    bare = Result(task.submission.id, task.submission.student, "", "", "infra", reason=reason)
    return _complete(task, bare)


def refusal(task: GradingTask) -> Result:
    """Return the result of a submission that intake has refused."""
    reason = task.submission.rejected
    bare = Result(task.submission.id, task.submission.student, "", "", "rejected", reason=reason)
    return _complete(task, bare)


def run_batch(
    tasks: Iterable[GradingTask],
    engine: Engine,
    tell: Callable[[TaskOutcome], None] | None = None,
    seconds: float = math.inf,
) -> Batch:
    """Grade all tasks; `tell` hears of each as it ends.

    seconds  of wall time for all of them; whoever is at work then is stopped
    raises   StoreTrouble, EngineTrouble: what is graded is in the store
    """
    todo = {task.submission.id: task for task in tasks}
    batch, begun, idle, most = Batch(), time.monotonic(), 0, len(todo)
    deadline = begun + seconds

    def ended(outcome: TaskOutcome) -> None:
        del todo[outcome.submission]
        batch.outcomes[outcome.submission] = outcome
        batch.seconds = time.monotonic() - begun
        if tell is not None:
            tell(outcome)

    while todo:
        before = len(todo)
        try:
            doubtful = _round(todo, engine, ended, deadline)
            for name in doubtful:
                batch.retried.append(name)
                ended(_alone(todo[name], engine, deadline))
        except OutOfTime:
            raise EngineTrouble(
                f"the time for all is over: {most - len(todo)} of {most} submissions were graded "
                f"and are kept; the same command goes on from there"
            ) from None
        idle = idle + 1 if len(todo) == before else 0
        if idle >= IDLE_ROUNDS:
            raise EngineTrouble("workers die before they begin; what was graded is kept")
    return batch


class OutOfTime(Exception):
    """The batch has no time left."""


def _round(
    todo: dict[str, GradingTask],
    engine: Engine,
    ended: Callable[[TaskOutcome], None],
    deadline: float,
) -> list[str]:
    """Run all that is to do on one executor; return what was at hand when a worker died."""
    doubtful: set[str] = set()
    names, store = set(todo), _store(next(iter(todo.values())))
    with engine.executor() as executor:
        futures: dict[Future[TaskOutcome], str] = {}
        with suppress(BrokenExecutor):  # so soon: there is another round
            for name, task in todo.items():
                futures[executor.submit(work, task)] = name
        for future in _as_they_end(
            futures, engine, deadline, lambda one: _is_kept(todo, futures[one])
        ):
            try:
                ended(future.result())
            except (BrokenExecutor, CancelledError):
                continue  # it may never have begun
            except StoreTrouble:
                raise
            except Exception:  # noqa: BLE001  an engine's own word for a dead worker
                doubtful.add(futures[future])
    for name, task in list(todo.items()):
        kept = _kept(task)
        if kept is not None:  # the worker died between its result and saying so
            ended(TaskOutcome(name, kept.status))
    doubtful |= store.suspects(names)  # those that have ended too: their marks must go
    return sorted(doubtful & set(todo))


def _as_they_end(
    futures: Iterable[Future[TaskOutcome]],
    engine: Engine,
    deadline: float,
    is_kept: Callable[[Future[TaskOutcome]], bool],
) -> Iterator[Future[TaskOutcome]]:
    """Yield futures as they end; those whose result is in the store already may be left out.

    A cluster can lose the answer of a task that has ended: its worker died with it, once it was
    computed. Such a future never ends.
    raises  OutOfTime when the deadline has come; EngineTrouble
    """
    left = set(futures)
    while left:
        seconds = min(WATCH, max(deadline - time.monotonic(), 0))
        before = len(left)
        try:
            for future in as_completed(set(left), seconds):
                left.remove(future)
                yield future
        except TimeoutError:
            if time.monotonic() >= deadline:
                raise OutOfTime from None
            engine.watch()
            if len(left) == before:  # only where nothing goes on: each look is a look at a disk
                left = {future for future in left if future.done() or not is_kept(future)}


def _is_kept(todo: Mapping[str, GradingTask], name: str) -> bool:
    return name in todo and _kept(todo[name]) is not None


def _alone(task: GradingTask, engine: Engine, deadline: float) -> TaskOutcome:
    """Run one task while nothing else runs; if its worker dies again, that is its result."""
    error_name = "its answer was lost"
    with engine.executor(alone=True) as executor:
        try:
            future = executor.submit(work, task)
            for ended in _as_they_end(
                [future], engine, deadline, lambda _: _kept(task) is not None
            ):
                return ended.result()
        except (StoreTrouble, EngineTrouble, OutOfTime):
            raise
        except Exception as error:  # noqa: BLE001  as above
            error_name = type(error).__name__
    store = _store(task)
    store.suspects({task.submission.id})
    kept = _kept(task)
    if kept is not None:
        return TaskOutcome(task.submission.id, kept.status)
    with engine.executor(alone=True):
        pass  # a cluster that is gone is no fault of this submission
    store.put(trouble(task, f"grading it ended its worker, twice ({error_name})"))
    return TaskOutcome(task.submission.id, "infra")


def _store(task: GradingTask) -> Store:
    return Store(task.store, task.settings.assignment)


def _kept(task: GradingTask) -> Result | None:
    return _store(task).finished(task.submission.id, task.key)
