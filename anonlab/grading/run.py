"""Grade a class: take in, judge what is not judged yet, tell changes, write reports.

OUT/store/…                  one file for each result: anonlab.grading.store.store
OUT/students, instructor/…   reports: anonlab.grading.reports
OUT/instructor/intake.csv    every submission, and what became of it at intake
OUT/secret                   from which hidden inputs are made, where the course has no own
OUT/right/…                  right answers, worked out once for each test and seed
OUT/taken…/                  copies of the accepted files, while they are graded
OUT/intake.json              what intake made of each submission: anonlab.grading.intake.cache
"""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from anonlab.grading.config import GradingOptions, GradingRun, prepare
from anonlab.grading.intake.intake import Survey, survey_folder
from anonlab.grading.intake.receipts import read_receipts
from anonlab.grading.intake.submission import Submission
from anonlab.grading.judging.batch import (
    Batch,
    GradeFunction,
    GradingTask,
    TaskOutcome,
    refusal,
    run_batch,
)
from anonlab.grading.judging.engines import Cluster, Engine, Pool
from anonlab.grading.publish import publish_grades
from anonlab.grading.store.keys import shard_of
from anonlab.grading.store.result import Result
from anonlab.grading.store.store import Store, VerdictChange
from anonlab.grading.tasks import Intake, in_time

SLOWEST = 5
Tick = Callable[[str, int, int], None]
"""Hears of each stage ("taking in", "grading", "reports") how many are done, and of how many."""
Tell = Callable[[list[VerdictChange]], None]


@dataclass
class RunSummary:
    """What became of a class. `resumed` submissions were judged by an earlier run; `broken` are
    tests that gave nobody a verdict, and then no reports are written."""

    statuses: Counter[str] = field(default_factory=Counter)
    resumed: int = 0
    per_second: float = 0.0
    retried: int = 0
    slowest: list[tuple[str, float]] = field(default_factory=list)
    changes: list[VerdictChange] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True if nothing was rejected and the grader had no trouble."""
        return not (self.statuses["rejected"] or self.statuses["infra"] or self.broken)

    def count(self, results: list[Result], superseded: int) -> None:
        """Count results by status."""
        self.statuses = Counter(each.status for each in results)
        if superseded:
            self.statuses["superseded"] = superseded

    def to_json(self) -> dict[str, Any]:
        """Return what `anonlab grade --json` prints."""
        return {
            "submissions": self.statuses.total(),
            "graded": self.statuses["graded"],
            "statuses": dict(sorted(self.statuses.items())),
            "per_second": round(self.per_second, 2),
            "resumed": self.resumed,
            "infra": self.statuses["infra"],
            "retried": self.retried,
            "slowest": {name: round(seconds, 2) for name, seconds in self.slowest},
        }


def grade_class(
    options: GradingOptions,
    judge: GradeFunction,
    check: Callable[[], Any],
    tick: Tick | None = None,
    tell: Tell | None = None,
) -> RunSummary:
    """Grade all submissions of a class; return what became of them.

    judge   grades one submission: anonlab.grading.judging.grade_submission.grade_one
    check   raises if no box works; called on each machine that will grade, before anything is read
    tick    hears how far each stage is; `tell` hears what a regrade will change, before it does
    raises  ValueError, FormatError, OSError for what cannot be used, and what `check` raises
    """
    with ExitStack() as stack:
        engine: Engine = Pool(options.jobs)
        if options.scheduler:
            cluster = Cluster(options.scheduler)
            stack.callback(cluster.close)
            engine = cluster
        if not options.in_process:
            engine.everywhere(check)
        deadline = time.monotonic() + (
            math.inf if options.minutes is None else options.minutes * 60
        )
        prepare(options)
        grading = GradingRun.read(options)
        store = Store(options.out.resolve() / "store", grading.assignment.name)
        shard, shards = options.shard or (0, 1)
        stack.enter_context(
            store.locked(
                options.shard is not None, lambda name: shard_of(name, shards) == shard % shards
            )
        )
        return _grade(grading, store, engine, judge, tick, tell, deadline)


def _grade(
    grading: GradingRun,
    store: Store,
    engine: Engine,
    judge: GradeFunction,
    tick: Tick | None,
    tell: Tell | None,
    deadline: float,
) -> RunSummary:
    options, found = grading.options, _survey(grading)
    shard, shards = options.shard or (0, 1)
    mine = [each for each in found.entrants if shard_of(each.id, shards) == shard % shards]
    suffix = "" if shards == 1 else f"-{shard}-of-{shards}"
    taken = options.out.resolve() / f"taken{suffix}"
    shutil.rmtree(taken, ignore_errors=True)
    path = options.out / f"intake{suffix}.json"
    intake = Intake(grading, taken, path, judge, store, deadline)
    try:
        tasks = intake.tasks(mine, _stage(tick, "taking in"))
        stage = _stage(tick, "grading")
        graded, kept = _judge(tasks, store, engine, options, intake, stage)
    finally:
        shutil.rmtree(taken, ignore_errors=True)
    results = _results(tasks, store, kept)
    graded.count(results, len(found.superseded) if options.shard is None else 0)
    graded.broken = _broken(grading, results, judge)
    if graded.broken:
        return graded
    in_time(deadline, "all is graded, and kept; reports are to come")
    _publish({task.submission.id: task.key for task in tasks}, store, graded, tell)
    if options.shard is None:
        submissions = [task.submission for task in tasks]
        reports = _stage(tick, "reports")
        graded.notes += publish_grades(grading, found, submissions, results, reports)
    else:
        graded.notes += ["reports are written by a run without --shard, when all shards are done"]
    return graded


def _stage(tick: Tick | None, name: str) -> Callable[[int, int], None] | None:
    return None if tick is None else partial(tick, name)


def _survey(grading: GradingRun) -> Survey:
    """Return what is in the folder of submissions."""
    options, zone = grading.options, grading.assignment.clock
    receipts = None
    if options.received:
        receipts = read_receipts(options.received, grading.roster, zone)
    return survey_folder(
        options.folder, grading.roster, grading.masters, receipts, grading.due(), grading.groups,
        options.names, zone,
    )  # fmt: skip


def _publish(keys: dict[str, str], store: Store, graded: RunSummary, tell: Tell | None) -> None:
    """Say what a regrade changes, then let it take the place of the old results."""
    graded.changes = store.changes(keys)
    if graded.changes and tell is not None:
        tell(graded.changes)
    store.publish(keys)


def _judge(
    tasks: list[GradingTask],
    store: Store,
    engine: Engine,
    options: GradingOptions,
    intake: Intake,
    tick: Callable[[int, int], None] | None,
) -> tuple[RunSummary, dict[str, Result]]:
    """Judge what is not finished; all results are in the store then. Return those that were there
    already by submission, too. What is judged may be another task than before: its files are
    copied now."""
    kept, todo = _in_store(tasks, store, options.force)
    for at, task in zip(todo, intake.with_files([tasks[at] for at in todo]), strict=True):
        tasks[at] = task
        if task.submission.rejected:  # it has changed since
            store.put(refusal(task))
    todo = [at for at in todo if not tasks[at].submission.rejected]
    wanted = sum(not task.submission.rejected for task in tasks)
    done = wanted - len(todo)

    def ended(_: TaskOutcome) -> None:
        nonlocal done
        done += 1
        if tick is not None:
            tick(done, wanted)

    if tick is not None and todo:
        tick(done, wanted)
    mine = [tasks[at] for at in todo]
    left = intake.deadline - time.monotonic()
    batch = run_batch(mine, engine, ended, left) if mine else Batch()
    slowest = sorted(batch.outcomes.values(), key=lambda each: -each.seconds)[:SLOWEST]
    return RunSummary(
        resumed=wanted - len(todo),
        per_second=len(batch.outcomes) / batch.seconds if batch.seconds else 0.0,
        retried=len(batch.retried),
        slowest=[(each.submission, each.seconds) for each in slowest],
        notes=list(dict.fromkeys(one for each in batch.outcomes.values() for one in each.troubles)),
    ), kept


def _in_store(
    tasks: list[GradingTask], store: Store, force: bool
) -> tuple[dict[str, Result], list[int]]:
    """Return what is finished by submission, refusals included, and the places of what is not."""
    kept: dict[str, Result] = {}
    todo: list[int] = []
    for at, task in enumerate(tasks):
        name = task.submission.id
        found = None
        if task.submission.rejected:
            found = store.under(name, task.key)
            if found is None:
                store.put(found := refusal(task))
        elif not force:
            found = store.finished(name, task.key)
        if found is None:
            todo.append(at)
        else:
            kept[name] = found
    return kept, todo


def _results(tasks: Iterable[GradingTask], store: Store, kept: dict[str, Result]) -> list[Result]:
    """Return the result of each task, with what the roster and intake say today."""
    found = []
    for task in tasks:
        submission = task.submission
        result = kept.get(submission.id) or store.under(submission.id, task.key)
        assert result is not None, f"{submission.id} was graded, but its result is not in the store"
        found.append(
            replace(
                result,
                student=submission.student,
                ignored=submission.ignored,
                notes=tuple(dict.fromkeys((*submission.notes, *result.notes))),
            )
        )
    return found


def _broken(grading: GradingRun, results: list[Result], judge: GradeFunction) -> list[str]:
    """Return a sentence for each test that gave nobody a verdict, not even the course's solution:
    it is the test that is wrong. One submission alone cannot bring that about."""
    asked: Counter[str] = Counter()
    infra: Counter[str] = Counter()
    for test in (test for result in results for test in result.tests):
        if test.status not in ("missing", "unchanged", "skipped"):
            asked[f"{test.exercise} {test.test}"] += 1
            infra[f"{test.exercise} {test.test}"] += test.status == "infra"
    doubtful = {name for name, times in infra.items() if times and times == asked[name]}
    if doubtful:
        solved = _of_the_solution(grading, {name.partition(" ")[0] for name in doubtful}, judge)
        doubtful -= {
            f"{test.exercise} {test.test}" for test in solved.tests if test.status != "infra"
        }
    return [
        f"{name} gave no verdict for any of {times} submissions: no grades were published"
        for name, times in infra.items()
        if name in doubtful
    ]


def _of_the_solution(grading: GradingRun, numbers: set[str], judge: GradeFunction) -> Result:
    """Return what the course's own solutions of these exercises get."""
    with tempfile.TemporaryDirectory(prefix="anonlab-") as folder:
        files = {}
        for number in numbers:
            master = grading.masters[number]
            files[number] = Path(folder, f"{master.name}.py")
            files[number].write_text(master.solution, "utf-8")
        points = {number: grading.settings.points[number] for number in numbers}
        settings = replace(grading.settings, points=points)
        return judge(Submission("solution", "", files), settings)
