"""A program: grade what files of JSON ask for, and tell the results as JSON. Run as somebody who is
not root; it reads names of files from its standard input, each a list of {"course", "files",
"settings", "student"}, and answers each with a line."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from anonlab.box import boxes
from anonlab.box.usage import Timer
from anonlab.course.judging.right_answers import RIGHT_ANSWERS
from anonlab.grading.intake.submission import Settings, Submission
from anonlab.grading.judging import plugin
from anonlab.grading.judging.grade_submission import grade_one

WAITED = Timer.waited


def graded(job: Any) -> dict[str, Any]:
    """Return the result of one job."""
    plugin.TEST_SECONDS = job.get("test_seconds", 120)
    Timer.waited = property(lambda _: job["waited"]) if "waited" in job else WAITED  # type: ignore[assignment,method-assign]
    if "python" in job:
        sys.executable = job["python"]
        boxes._close()
        boxes._living.clear()
    if "forget" in job:
        RIGHT_ANSWERS.forget()
    files = {number: Path(path) for number, path in job["files"].items()}
    if "kept" in job["settings"]:
        job["settings"]["kept"] = Path(job["settings"]["kept"])
    settings = Settings(Path(job["course"]), **job["settings"])
    found = asdict(grade_one(Submission("s", job["student"], files), settings))
    return {**found, "troubles": RIGHT_ANSWERS.troubles()}


for name in sys.stdin:
    jobs = json.loads(Path(name.strip()).read_text())
    sys.stdout.write(json.dumps([graded(job) for job in jobs]) + "\n")
    sys.stdout.flush()
