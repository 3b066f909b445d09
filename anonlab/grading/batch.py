"""Grade many submissions on any engine: each is a task of its own that keeps its result itself.

A worker that dies takes nobody's result with it: what was being graded then is graded once more
alone, and is trouble of the grader if that kills its worker again; the others go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import BrokenExecutor, CancelledError, Future, as_completed
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from anonlab.grading.engines import Engine, EngineTrouble
from anonlab.grading.result import Result
from anonlab.grading.store import Store, StoreTrouble, record
from anonlab.grading.submission import Settings, Submission

Grade = Callable[[Submission, Settings], Result]
IDLE_ROUNDS = 3
"""So often workers may die with nothing at hand."""
_ONE = threading.Lock()
"""A process judges one submission at a time, however many threads an engine gives it."""


@dataclass(frozen=True)
class Task:
    """One submission to grade: `key` names what decides its result, `store` where it goes."""

    submission: Submission
    key: str
    settings: Settings
    store: Path
    grade: Grade


@dataclass(frozen=True)
class Outcome:
    """How a task ended; the result itself is in the store. `seconds` are of wall time."""

    submission: str
    status: str
    seconds: float = 0.0


@dataclass
class Batch:
    """What became of the tasks that were run. `retried` were graded once more alone."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    retried: list[str] = field(default_factory=list)
    seconds: float = 0.0


def work(task: Task) -> Outcome:
    """Grade one submission and keep the result.

    raises  StoreTrouble; all other trouble is a result
    """
    store, submission = Store(task.store, task.settings.assignment), task.submission
    with _ONE, store.running(submission.id):
        begun = time.monotonic()
        try:
            result = _complete(task, task.grade(submission, task.settings))
            record(result)
        except StoreTrouble:
            raise
        except Exception as error:  # noqa: BLE001  one submission's trouble is nobody else's
            result = trouble(task, f"the grader failed: {type(error).__name__}: {error}")
        seconds = time.monotonic() - begun
        result = replace(result, timing={**result.timing, "seconds": round(seconds, 4)})
        store.put(result)
    return Outcome(submission.id, result.status, seconds)


def _complete(task: Task, result: Result) -> Result:
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


def trouble(task: Task, reason: str) -> Result:
    """Return the result of a submission that the grader could not grade: no number."""
    bare = Result(task.submission.id, task.submission.student, "", "", "infra", reason=reason)
    return _complete(task, bare)


def refusal(task: Task) -> Result:
    """Return the result of a submission that intake has refused."""
    reason = task.submission.rejected
    bare = Result(task.submission.id, task.submission.student, "", "", "rejected", reason=reason)
    return _complete(task, bare)


def run(
    tasks: Iterable[Task], engine: Engine, tell: Callable[[Outcome], None] | None = None
) -> Batch:
    """Grade all tasks; `tell` hears of each as it ends.

    raises  StoreTrouble, EngineTrouble: what is graded is in the store
    """
    todo = {task.submission.id: task for task in tasks}
    batch, begun, idle = Batch(), time.monotonic(), 0

    def ended(outcome: Outcome) -> None:
        del todo[outcome.submission]
        batch.outcomes[outcome.submission] = outcome
        batch.seconds = time.monotonic() - begun
        if tell is not None:
            tell(outcome)

    while todo:
        before = len(todo)
        doubtful = _round(todo, engine, ended)
        for name in doubtful:
            batch.retried.append(name)
            ended(_alone(todo[name], engine))
        idle = idle + 1 if len(todo) == before else 0
        if idle >= IDLE_ROUNDS:
            raise EngineTrouble("workers die before they begin; what was graded is kept")
    return batch


def _round(
    todo: dict[str, Task], engine: Engine, ended: Callable[[Outcome], None]
) -> list[str]:  # fmt: skip
    """Run all that is to do on one executor; return what was at hand when a worker died."""
    doubtful: set[str] = set()
    with engine.executor() as executor:
        futures: dict[Future[Outcome], str] = {}
        with suppress(BrokenExecutor):  # so soon: there is another round
            for name, task in todo.items():
                futures[executor.submit(work, task)] = name
        for future in as_completed(futures):
            try:
                ended(future.result())
            except (BrokenExecutor, CancelledError):
                continue  # it may never have begun
            except StoreTrouble:
                for other in futures:
                    other.cancel()
                raise
            except Exception:  # noqa: BLE001  an engine's own word for a dead worker
                doubtful.add(futures[future])
    for name, task in list(todo.items()):
        kept = _kept(task)
        if kept is not None:  # the worker died between its result and saying so
            ended(Outcome(name, kept.status))
    if todo:
        store = _store(next(iter(todo.values())))
        doubtful |= store.suspects(set(todo))
    return sorted(doubtful & set(todo))


def _alone(task: Task, engine: Engine) -> Outcome:
    """Run one task while nothing else runs; if its worker dies again, that is its result."""
    with engine.executor(alone=True) as executor:
        try:
            return executor.submit(work, task).result()
        except StoreTrouble:
            raise
        except Exception as error:  # noqa: BLE001  as above
            told = type(error).__name__
    kept = _kept(task)
    if kept is not None:
        return Outcome(task.submission.id, kept.status)
    store = _store(task)
    store.suspects({task.submission.id})
    with engine.executor(alone=True):
        pass  # a cluster that is gone is no fault of this submission
    store.put(trouble(task, f"grading it ended its worker, twice ({told})"))
    return Outcome(task.submission.id, "infra")


def _store(task: Task) -> Store:
    return Store(task.store, task.settings.assignment)


def _kept(task: Task) -> Result | None:
    return _store(task).finished(task.submission.id, task.key)
