"""Grade 10,000 submissions of templates, and once more: `python benchmarks/big_class.py`.

Nothing of a template is run, so this is what intake, store and reports cost. Prints seconds of the
first run and of the rerun, seconds of the rerun after one of the submissions has changed, and the
most memory that the grader and its processes had, at once and each. Needs Linux; as root it
runs itself as an ordinary user. Exit status 1 if a budget is not held.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # measure the anonlab beside this file
sys.path.insert(1, str(Path(__file__).parents[1] / "tests" / "support"))

from ordinary import as_ordinary_user, give
from project import ROOT

from anonlab.course.authoring.masters import read_masters

EXERCISES = ("01a", "04a", "05a")
RERUN_SECONDS, MEGABYTES = 30, 500
"""Budgets: of a rerun with nothing to do for 10,000, and of the grader with all its processes."""


def make_class(folder: Path, size: int) -> None:
    """Write a class that handed in templates: roster, assignment, receipts, submissions."""
    masters = [each for each in read_masters(ROOT / "solutions") if each.number in EXERCISES]
    students = [f"s{at:05}" for at in range(size)]
    (folder / "roster.csv").write_text(
        "student_id,name,email\n"
        + "".join(f"{each},Ada {each},{each}@uni.example\n" for each in students),
        "utf-8",
    )
    (folder / "received.csv").write_text(
        "student_id,received\n" + "".join(f"{each},2026-10-01T12:00:00Z\n" for each in students),
        "utf-8",
    )
    (folder / "hw.toml").write_text(
        f'name = "hw"\nexercises = {json.dumps(EXERCISES)}\ndue = 2026-10-02T00:00:00Z\n', "utf-8"
    )
    for student in students:
        target = folder / "in" / student
        target.mkdir(parents=True)
        for master in masters:
            text = f"{master.header}\n{master.stub}"
            (target / f"{master.name}.py").write_text(text, "utf-8")


def below(pid: int) -> set[int]:
    """Return a process and all that it started."""
    found, todo = {pid}, [pid]
    while todo:
        for path in Path(f"/proc/{todo.pop()}/task").glob("*/children"):
            with suppress(OSError):
                children = {int(each) for each in path.read_text("ascii").split()} - found
                found |= children
                todo += children
    return found


def kilobytes(pid: int, field: str) -> int:
    """Return a line of a process's status, 0 if it is gone."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
        return int(next(line for line in lines if line.startswith(f"{field}:")).split()[1])
    return 0


def processor() -> float:
    """Return the processor time of all that was run so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(folder: Path) -> dict[str, Any]:
    """Grade the class; return seconds and megabytes."""
    words = [
        *(sys.executable, "-m", "anonlab", "grade", str(folder / "in"), "--json"),
        *("--roster", str(folder / "roster.csv"), "--assignment", str(folder / "hw.toml")),
        *("--received", str(folder / "received.csv"), "--course", str(ROOT)),
        *("--out", str(folder / "out")),
    ]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "ANONLAB_SECRET": "the secret of the class"}
    begun, before, together, each = time.monotonic(), processor(), 0, 0
    with (folder / "log").open("w") as log, (folder / "said").open("w") as said:
        grader = subprocess.Popen(words, stdout=said, stderr=log, cwd=ROOT, env=variables)
        while grader.poll() is None:
            sizes = [kilobytes(pid, "VmRSS") for pid in below(grader.pid)]
            together, each = max(together, sum(sizes)), max(each, *sizes)
            time.sleep(0.2)
    if grader.returncode not in (0, 1):
        raise RuntimeError((folder / "log").read_text())
    found = json.loads((folder / "said").read_text())
    return {
        "seconds": round(time.monotonic() - begun, 1),
        "processor_seconds": round(processor() - before, 1),
        "megabytes_together": round(together / 1024),
        "megabytes_one_process": round(each / 1024),
        "statuses": found["statuses"],
        "resumed": found["resumed"],
    }


def main() -> None:
    """Measure and print; exit with 1 if a budget is not held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not os.geteuid():
        words = as_ordinary_user(sys.executable, __file__, *sys.argv[1:])
        environment = {**os.environ, "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
        sys.exit(subprocess.run(words, env=environment, check=False).returncode)
    with tempfile.TemporaryDirectory(prefix="anonlab-class-") as name:
        folder = Path(name)
        make_class(folder, options.submissions)
        give(folder)
        report = {"submissions": options.submissions, "first": run(folder), "rerun": run(folder)}
        last = folder / "in" / f"s{options.submissions - 1:05}" / "ex04a_fork.py"
        last.write_text("def share_page(word):\n    return word\n", "utf-8")
        report["one_changed"] = run(folder)
    print(json.dumps(report, indent=None if options.json else 1))
    runs = [report[each] for each in ("first", "rerun", "one_changed")]
    most = RERUN_SECONDS * max(1, options.submissions / 10_000)
    slow = report["rerun"]["seconds"] > most  # by the clock: on two quiet processors
    large = any(each["megabytes_together"] > MEGABYTES for each in runs)
    if slow or large:
        print(f"budgets: {most:g} s for the rerun, {MEGABYTES} MB", file=sys.stderr)
    sys.exit(int(slow or large))


if __name__ == "__main__":
    main()
