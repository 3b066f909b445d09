"""What learners use needs no name that Windows' Python lacks (support/windows_names.py)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import windows_names
from project import ROOT

from anonlab.course.authoring.masters import read_master
from anonlab.course.authoring.starting import start_folder

SPIN = """
import signal
import windows_names

windows_names.take_away()
from anonlab.course.judging.marks import OutOfTime, time_limit

def spin():
    while True:
        try:
            while True:
                len("")
        except Exception:
            pass

try:
    with time_limit(0.2):
        spin()
except OutOfTime:
    print("stopped")
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
try:
    with time_limit(60):
        signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("Ctrl-C")
"""


SUPPORT = ROOT / "tests" / "support"
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{SUPPORT}{os.pathsep}{ROOT}", "PYTHONUTF8": "1"}


def run(folder: Path, *words: str, status: int = 0) -> str:
    """Run `words` with windows_names.py in `folder`; return what was said."""
    done = subprocess.run(
        [sys.executable, windows_names.__file__, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == status, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A learner's folder."""
    return start_folder(tmp_path_factory.mktemp("home") / "course").root


def test_the_names_are_away(course: Path) -> None:
    lost = {name for names in windows_names.NAMES.values() for name in names.split()}
    assert {"fork", "pread", "setitimer", "SIGALRM", "MAP_PRIVATE", "sched_getaffinity"} <= lost
    assert "needs Linux: this is win32" in run(course, "verb", "doctor", "--all")
    tried = "import os, windows_names as w; w.take_away(); import fcntl"
    done = subprocess.run([sys.executable, "-c", tried], env=ENVIRONMENT, capture_output=True)
    assert b"No module named 'fcntl'" in done.stderr
    tried = "import os, windows_names as w; w.take_away(); assert hasattr(os, 'lseek'); os.pread"
    done = subprocess.run([sys.executable, "-c", tried], env=ENVIRONMENT, capture_output=True)
    assert b"module 'os' has no attribute 'pread'" in done.stderr


def test_checks_are_kept_one_after_the_other(course: Path) -> None:
    assert "Not written yet" in run(course, "verb", "check", "04a", status=1)
    solution = read_master(ROOT / "solutions" / "ex04a_fork.py").solution
    (course / "exercises" / "ex04a_fork.py").write_text(solution, "utf-8")
    assert "Public checks passed" in run(course, "verb", "check", "04a")
    log = (course / ".anonlab" / "progress.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["ok"] for line in log] == [False, True]


def test_pages_replays_and_a_folder_are_made(course: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    run(course, "verb", "view", "fork_and_write", "--html", str(page))
    assert "</html>" in page.read_text("utf-8")
    log = ROOT / "tests" / "histories" / "data" / "nasty.log"
    assert json.loads(run(course, "verb", "replay", str(log), "--json"))["violations"] == 0
    said = run(tmp_path, "lab", "start", "mine", "--no-browser")
    assert "-m jupyterlab" in said
    assert "--no-browser" in said
    assert (tmp_path / "mine" / "notebooks" / "00_start_here.ipynb").is_file()


@pytest.mark.parametrize(
    ("name", "cells"), [("00_start_here", 99), ("04_fork", 99), ("10_the_running_kernel", 99)]
)
def test_notebooks_run(course: Path, name: str, cells: int) -> None:
    assert " cells" in run(course, "cells", f"notebooks/{name}.ipynb", str(cells))


def test_a_loop_without_end_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SPIN],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["stopped", "Ctrl-C"]
