"""One submission in the folders of a Gradescope autograder: `anonlab grade --gradescope`.

ROOT/submission/                the student's files
ROOT/submission_metadata.json   who, when, and until when
ROOT/source/course/             the course with its tests; assignment.toml and secret beside it:
                                `anonlab course release --gradescope` makes all three
ROOT/results/results.json       what Gradescope reads

Without a box there is no score: the file then says so, and so does the exit status.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from anonlab.box.probe import Refused, check_box
from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.release import Assignment, read_assignment
from anonlab.grading.intake.entrants import Entrant
from anonlab.grading.intake.intake import accept
from anonlab.grading.intake.submission import Settings, Submission
from anonlab.grading.judging.grade_submission import grade_one
from anonlab.grading.reports.clean import clean, clean_result
from anonlab.grading.reports.gradescope import results_json
from anonlab.grading.reports.late import Grade, LatePolicy, Terms, grade, moment
from anonlab.grading.store.keys import Common
from anonlab.grading.store.result import Result

ROOT = Path("/autograder")
NO_SCORE = "Not graded: the grader had trouble. This is no grade; your instructor can see why."
Judge = Callable[[Submission, Settings], Result]


@dataclass(frozen=True)
class Metadata:
    """What Gradescope says of a submission. `student` is the e-mail address of who sent it; both
    times are in UTC, None where Gradescope has none."""

    submission: str
    student: str
    received: datetime | None
    due: datetime | None


def read_metadata(path: Path) -> Metadata:
    """Return what is in submission_metadata.json; ValueError for times without a zone."""
    plain = json.loads(path.read_text("utf-8"))
    users = [each for each in plain.get("users") or [] if isinstance(each, dict)]
    first = users[0] if users else {}
    own = first.get("assignment") or {}  # somebody with an extension has other dates
    due = own.get("due_date") or (plain.get("assignment") or {}).get("due_date")
    return Metadata(
        str(plain.get("id", "submission")),
        str(first.get("email", "")),
        _time(plain.get("created_at")),
        _time(due),
    )


def _time(text: Any) -> datetime | None:
    return moment(str(text)) if text else None


def run_gradescope(
    root: Path = ROOT,
    judge: Judge = grade_one,
    check: Callable[..., Any] = check_box,
) -> str:
    """Grade what lies in `root` and write results.json; return '' or why there is no score.

    check  raises Refused if no box works here
    """
    try:
        made, trouble = _graded(root, judge, check)
    except Refused as refused:
        trouble = f"{refused.reason}; {refused.remedy}"
        made = without_score(NO_SCORE)  # what helps is for whoever runs the grader
    except Exception as error:  # noqa: BLE001  whatever happens, Gradescope must not read a number
        trouble = f"{type(error).__name__}: {error}"
        made = without_score(NO_SCORE)
    folder = root / "results"
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / ".results.json"
    temporary.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", "utf-8")
    temporary.replace(folder / "results.json")
    return trouble


def without_score(why: str) -> dict[str, Any]:
    """Return a results.json that has no number for Gradescope to show."""
    return {
        "output": clean(why),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"status": "infra", "key": "", "submission": "", "anonlab": ""},
        "tests": [],
    }


def _graded(root: Path, judge: Judge, check: Callable[..., Any]) -> tuple[dict[str, Any], str]:
    course = root / "source" / "course"
    check(course, [root / "submission", root / "results"])
    masters = read_masters(course / "solutions")
    assignment = read_assignment(root / "source" / "assignment.toml", masters)
    said = read_metadata(root / "submission_metadata.json")
    wanted = {each.number: each for each in masters if each.number in assignment.numbers}
    settings = _settings(root, course, assignment)
    folder = Path(tempfile.mkdtemp(prefix="anonlab-"))
    try:
        entrant = Entrant(
            said.submission, said.student, ((root / "submission", ""),), said.received
        )
        submission = accept(entrant, wanted, folder / "taken")
        if submission.rejected:
            result = _rejected(submission, settings)
        else:
            result = judge(submission, settings)
        key = Common.of(settings, wanted).key(submission)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    made = _grade(replace(result, key=key), said, assignment)
    titles = {number: master.title for number, master in wanted.items()}
    plain = results_json(made, assignment.name, titles, assignment.grading.hidden)
    return plain, _trouble(result)


def _settings(root: Path, course: Path, assignment: Assignment) -> Settings:
    kept = root / "source" / "secret"
    secret = kept.read_text("utf-8").strip() if kept.is_file() else ""
    secret = secret or os.environ.get(assignment.grading.secret_env, "")
    if not secret:
        raise ValueError(f"no secret: neither {kept} nor {assignment.grading.secret_env} has one")
    terms = assignment.grading
    return Settings(
        course.resolve(), assignment.name, assignment.points, secret,
        terms.call_seconds, terms.box_seconds, variants=terms.variants,
        judge_mebibytes=terms.judge_mebibytes,
    )  # fmt: skip


def _grade(result: Result, said: Metadata, assignment: Assignment) -> Grade:
    due = said.due or (datetime.fromisoformat(assignment.due) if assignment.due else None)
    zone = assignment.clock or UTC
    terms = Terms(due, LatePolicy.from_plain(assignment.late), zone=zone)
    return grade(clean_result(result), said.received, terms)


def _rejected(submission: Submission, settings: Settings) -> Result:
    return Result(
        submission.id, submission.student, settings.assignment, "", "rejected",
        reason=submission.rejected,
    )  # fmt: skip


def _trouble(result: Result) -> str:
    """Return what the instructor's log says of a submission that the grader could not grade."""
    troubled = [test for test in result.tests if test.status == "infra"]
    lines = [f"{test.exercise} {test.test}: {test.private.get('message', 'no verdict')}"
             for test in troubled]  # fmt: skip
    return "\n".join([*([result.reason] if result.status == "infra" else []), *lines]).strip()
