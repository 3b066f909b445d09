"""A judge for tests of what is around judging: each line of an answer says what happens."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from pathlib import Path

from anonlab.grading.intake.submission import Settings, Submission
from anonlab.grading.judging.batch import GradingTask
from anonlab.grading.judging.engines import Pool
from anonlab.grading.store.result import Result, TestResult


def judge(submission: Submission, settings: Settings) -> Result:
    """Points are a digest of the answer. `die` ends the process, `die FILE` only the first time,
    `sleep SECONDS` takes time, `raise` is a fault of the judge's own, `infra` of the test's."""
    if not submission.files:
        verdict = TestResult("04a", "test_it", "It", False, "missing", 0.0, 10.0)
        return Result(submission.id, submission.student, "", "", "missing", (verdict,))
    number, path = next(iter(submission.files.items()))
    text = path.read_text("utf-8")
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "die" and not (rest and Path(rest).exists()):
            if rest:
                Path(rest).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "raise":
            raise RuntimeError("the judge is ill")
        if word == "sleep":
            time.sleep(float(rest))
    if text.startswith("infra"):
        verdict = TestResult(number, "test_it", "It", False, "infra", None, 10.0)
        return Result(submission.id, submission.student, "", "", "infra", (verdict,))
    points = hashlib.sha256(text.encode()).digest()[0] % 11
    status = "pass" if points == 10 else "fail"
    test = TestResult(number, "test_it", "It", False, status, float(points), 10.0)
    return Result(submission.id, submission.student, settings.assignment, "", "graded", (test,),
                  timing={"judge": time.perf_counter()})  # fmt: skip


def ill(submission: Submission, settings: Settings) -> Result:
    """A test that gives nobody a verdict, whatever is handed in."""
    verdict = TestResult("04a", "test_it", "It", False, "infra", None, 10.0)
    return Result(submission.id, submission.student, "", "", "infra", (verdict,))


def tasks(folder: Path, answers: dict[str, str], version: str = "1") -> list[GradingTask]:
    """A task for each answer, by submission, with the store in folder/store."""
    settings = Settings(folder, "hw 1", {"04a": 10})
    made = []
    for name, text in answers.items():
        path = folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        key = hashlib.sha256(f"{text} {version}".encode()).hexdigest()
        submission = Submission(name, f"student of {name}", {"04a": path})
        made.append(GradingTask(submission, key, settings, folder / "store", judge))
    return made


def pool() -> Pool:
    """Two processes, whatever the machine has."""
    return Pool(2)
