"""From submissions to tasks: what each has handed in, and the name of all that decides its grade.

What intake made of a submission before is remembered. Its files are copied only when somebody is to
judge them, so that a rerun with nothing to do copies nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from anonlab.grading.config import GradingRun
from anonlab.grading.intake.cache import IntakeCache, context_of, fingerprint
from anonlab.grading.intake.entrants import Entrant
from anonlab.grading.intake.intake import accept
from anonlab.grading.intake.submission import Submission
from anonlab.grading.intake.variants import with_variant
from anonlab.grading.judging.batch import GradeFunction, GradingTask
from anonlab.grading.judging.engines import EngineTrouble
from anonlab.grading.store.keys import Common, digests
from anonlab.grading.store.store import Store
from anonlab.proof.workers import ncpus


def in_time(deadline: float, told: str) -> None:
    """Raise EngineTrouble if the time for all is over."""
    if time.monotonic() >= deadline:
        raise EngineTrouble(
            f"the time for all is over: {told}; the same command goes on from there"
        )


@dataclass
class Intake:
    """Takes in the submissions of a run.

    taken     a folder for copies, which is removed in the end
    path      where it is remembered what became of each submission
    deadline  of the whole run, by time.monotonic()
    """

    grading: GradingRun
    taken: Path
    path: Path
    judge: GradeFunction
    store: Store
    deadline: float
    _entrants: dict[str, Entrant] = field(default_factory=dict)
    _common: Common = field(init=False)

    def __post_init__(self) -> None:
        self._common = Common.of(self.grading.settings, self.grading.masters)

    def tasks(
        self, entrants: list[Entrant], tick: Callable[[int, int], None] | None
    ) -> list[GradingTask]:
        """Return a task for each submission; `tick` hears how many are done, and of how many."""
        boxed = not self.grading.settings.in_process
        cache = IntakeCache.read(self.path, context_of(self.grading.masters, boxed))
        self._entrants = {each.id: each for each in entrants}

        def take(entrant: Entrant) -> Submission:
            own = fingerprint(entrant)
            found = cache.get(entrant, own) if not entrant.rejected else None
            if found is None:
                found = self._accept(entrant)
                if not entrant.rejected:
                    cache.put(found, own)
            return found

        found = []
        with ThreadPoolExecutor(ncpus()) as pool:  # notebooks are read by processes of their own
            submissions: Iterable[Submission] = pool.map(take, entrants)
            for at, each in enumerate(submissions, 1):
                found.append(self._task(each))
                if tick is not None:
                    tick(at, len(entrants))
        cache.write()
        return found

    def with_files(self, tasks: list[GradingTask]) -> list[GradingTask]:
        """Return tasks whose files are there; one is another if its files have changed."""

        def take(task: GradingTask) -> GradingTask:
            if all(path.is_file() for path in task.submission.files.values()):
                return task
            return self._task(self._accept(self._entrants[task.submission.id]))

        with ThreadPoolExecutor(ncpus()) as pool:
            return list(pool.map(take, tasks))

    def _accept(self, entrant: Entrant) -> Submission:
        in_time(self.deadline, "submissions are still being read")
        boxed = not self.grading.settings.in_process
        target = self.taken / entrant.id
        found = accept(entrant, self.grading.masters, target, boxed)
        return replace(found, digests=digests(found))

    def _task(self, submission: Submission) -> GradingTask:
        settings = self.grading.settings
        asked = self.grading.masters if settings.variants else ()
        known = with_variant(submission, self.grading.roster, settings.secret, asked)
        key = self._common.key(known)
        return GradingTask(known, key, settings, self.store.folder.parent, self.judge)
