"""What is graded and how: options, and all that is read before a submission is looked at."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from anonlab.course.authoring.masters import Master, read_masters
from anonlab.course.authoring.release import Assignment, everything, read_assignment
from anonlab.course.authoring.variants import check_secret
from anonlab.grading.intake.groups import Groups, read_groups
from anonlab.grading.intake.roster import Roster, read_roster
from anonlab.grading.intake.submission import Settings
from anonlab.grading.reports.late import LatePolicy, Terms, read_adjustments, read_extensions

OURS = ("store", "students", "instructor", "secret", "give-back")
"""What a folder holds that an earlier run has written to."""


@dataclass(frozen=True)
class GradingOptions:
    """What to grade and how; paths of tables are None where there are none.

    folder      of the submissions; `out` for everything that is written
    course      the instructor's folder: solutions/, tests/exercises/public and hidden
    names       whose a submission's name is: the group `student` of this pattern, and nothing else
    lms         files that a learning management system exported, to be filled
    give_back   pack feedback as a system takes it back: give_back.KINDS, None for none
    jobs        processes, 0 for one on each processor
    shard       (i, n): only every n-th submission; reports are written by the run without it
    scheduler   address of a Dask scheduler, "" for processes of this machine
    force       judge again what is judged already
    minutes     of wall time for the whole batch; what is graded by then is kept
    in_process  no box: for practice, and every output says so
    """

    folder: Path
    out: Path
    roster: Path
    course: Path = Path()
    assignment: Path | None = None
    received: Path | None = None
    extensions: Path | None = None
    adjustments: Path | None = None
    groups: Path | None = None
    names: re.Pattern[str] | None = None
    lms: tuple[Path, ...] = ()
    give_back: str | None = None
    jobs: int = 0
    shard: tuple[int, int] | None = None
    scheduler: str = ""
    force: bool = False
    minutes: float | None = None
    in_process: bool = False


def prepare(options: GradingOptions) -> None:
    """Refuse folders that nothing should be written to."""
    out, folder = options.out.resolve(), options.folder.resolve()
    if not folder.is_dir():
        raise ValueError(f"{options.folder} is no folder of submissions")
    if out.is_relative_to(folder) or folder.is_relative_to(out):
        raise ValueError(f"{options.out} and {options.folder} lie in each other: keep them apart")
    if out.is_dir() and any(out.iterdir()) and not any((out / name).exists() for name in OURS):
        raise ValueError(f"{options.out} holds other files: name a new folder, or one of grades")
    out.mkdir(0o700, parents=True, exist_ok=True)


@dataclass(frozen=True)
class GradingRun:
    """All that is read before the first submission is looked at."""

    options: GradingOptions
    masters: dict[str, Master]
    assignment: Assignment
    roster: Roster
    terms: Terms
    settings: Settings
    groups: Groups

    @classmethod
    def read(cls, options: GradingOptions) -> GradingRun:
        """Read course, assignment, roster and tables.

        raises  ValueError, FormatError, OSError for what cannot be used
        """
        masters = read_masters(options.course / "solutions")
        if options.assignment is None:
            assignment = everything(masters)
        else:
            assignment = read_assignment(options.assignment, masters)
        due = datetime.fromisoformat(assignment.due) if assignment.due else None
        roster = read_roster(options.roster)
        extensions, adjustments = options.extensions, options.adjustments
        terms = Terms(
            due,
            LatePolicy.from_plain(assignment.late),
            read_extensions(extensions, roster, due, assignment.clock) if extensions else {},
            read_adjustments(adjustments, roster) if adjustments else {},
            assignment.clock or UTC,
        )
        wanted = {each.number: each for each in masters if each.number in assignment.numbers}
        return cls(
            options, wanted, assignment, roster, terms, _settings(options, assignment),
            read_groups(options.groups, roster) if options.groups else Groups(),
        )  # fmt: skip

    def due(self) -> dict[str, datetime]:
        """Return until when a submission is in time, by student; nobody if there is no deadline."""
        if self.terms.due is None:
            return {}
        return {
            student: self.terms.extensions.get(student, self.terms.due) + self.terms.policy.grace
            for student in self.roster.people
        }


def _settings(options: GradingOptions, assignment: Assignment) -> Settings:
    terms = assignment.grading
    secret = os.environ.get(terms.secret_env, "")
    if terms.variants and not secret:
        raise ValueError(
            f"variants were made with the course's secret: it is wanted in {terms.secret_env}, "
            "an environment variable that is empty"
        )
    if secret:
        check_secret(secret, terms.secret_env)
    return Settings(
        options.course.resolve(), assignment.name, assignment.points,
        secret or _own_secret(options.out / "secret"), terms.call_seconds, terms.box_seconds,
        options.in_process, terms.variants, options.out.resolve() / "right",
        terms.judge_mebibytes,
    )  # fmt: skip


def _own_secret(path: Path) -> str:
    """Return the secret that is kept with the grades: nobody can foresee hidden inputs, and a
    regrade repeats them. It is made once, also if several shards begin at once."""
    if not path.exists():
        handle, temporary = tempfile.mkstemp(dir=path.parent)  # for its owner only
        try:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(32))
            with suppress(FileExistsError):
                os.link(temporary, path)
        finally:
            Path(temporary).unlink()
    return path.read_text("ascii")
