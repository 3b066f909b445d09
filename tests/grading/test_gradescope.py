"""In a Gradescope autograder's folders: a score where there is one, and nothing that looks like one
where there is none. The zip for it is the same every time."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from project import ROOT
from test_formats import SCHEMAS

from anonlab.box.probe import Refused
from anonlab.cli.verbs import cli
from anonlab.course.authoring.masters import read_masters
from anonlab.grading.gradescope_run import read_metadata, run_gradescope
from anonlab.grading.gradescope_zip import SETUP, gradescope_zip
from anonlab.grading.intake.submission import Settings, Submission
from anonlab.grading.judging.grade_submission import grade_one
from anonlab.grading.store.result import Result

MASTERS = {master.number: master for master in read_masters(ROOT / "solutions")}
FORK = f"{MASTERS['04a'].name}.py"
TOML = 'name = "Fork"\nexercises = ["04a"]\n[late]\npercent_per_day = 10\n'
METADATA = {
    "id": 4711,
    "created_at": "2026-10-02T13:00:00.000000-07:00",
    "users": [{"email": "ada@x.org", "name": "Ada"}],
    "assignment": {"due_date": "2026-10-02T12:00:00.000000-07:00", "total_points": "10.0"},
}


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    toml = tmp_path_factory.mktemp("assignment") / "fork.toml"
    toml.write_text(TOML, "utf-8")
    return gradescope_zip(ROOT, toml, "a secret of some length")


@pytest.fixture
def autograder(tmp_path: Path, packed: bytes) -> Path:
    """An autograder's folder with the right answer in it."""
    root = tmp_path / "autograder"
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        wanted = [name for name in archive.namelist() if not name.startswith("anonlab/")]
        archive.extractall(root / "source", wanted)
    (root / "submission").mkdir()
    (root / "submission" / FORK).write_text(MASTERS["04a"].solution, "utf-8")
    (root / "submission_metadata.json").write_text(json.dumps(METADATA), "utf-8")
    return root


def judged(submission: Submission, settings: Settings) -> Result:
    """Judge without a box, and call it official: the box has tests of its own."""
    return replace(grade_one(submission, replace(settings, in_process=True)), official=True)


def results(root: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((root / "results" / "results.json").read_text("utf-8"))
    SCHEMAS["gradescope"].validate(told)
    return told


def nothing(*_: Any) -> None:
    """A check that a box has passed."""


def test_a_right_answer_that_is_a_day_late_gets_its_points_less_lateness(autograder: Path) -> None:
    assert run_gradescope(autograder, judged, nothing) == ""
    told = results(autograder)
    assert told["score"] == 9.0
    assert sum(test["score"] for test in told["tests"]) == 10
    assert "days late: 1, which costs 1 points" in told["output"]
    assert len(told["extra_data"]["key"]) == 64


def test_a_template_gets_zero_and_nothing_at_all_gets_no_score(autograder: Path) -> None:
    master = MASTERS["04a"]
    path = autograder / "submission" / FORK
    path.write_text(f"{master.header}\n{master.stub}", "utf-8")
    run_gradescope(autograder, judged, nothing)
    told = results(autograder)
    assert (told["score"], told["extra_data"]["status"]) == (0.0, "unchanged")
    path.rename(path.with_name("fork.py"))
    run_gradescope(autograder, judged, nothing)
    told = results(autograder)
    assert "score" not in told
    assert told["extra_data"]["status"] == "missing"
    assert "no file named ex04a_fork.py" in told["output"]


def test_without_a_box_there_is_no_score_and_the_reason_is_told(autograder: Path) -> None:
    def no_box(*_: Any) -> None:
        raise Refused("no libseccomp", "install it")

    assert run_gradescope(autograder, judged, no_box) == ("no libseccomp; install it")
    told = results(autograder)
    assert "score" not in told
    assert told["tests"] == []
    assert told["output"].startswith("Not graded: the grader had trouble.")
    assert "libseccomp" not in json.dumps(told)


def test_a_fault_of_the_grader_gives_no_score_and_tells_students_nothing(autograder: Path) -> None:
    def broken(*_: Any) -> Result:
        raise RuntimeError("hidden canary")

    assert run_gradescope(autograder, broken, nothing) == "RuntimeError: hidden canary"
    told = results(autograder)
    assert "score" not in told
    assert "canary" not in json.dumps(told)
    (autograder / "submission_metadata.json").write_text("{", "utf-8")
    assert "JSONDecodeError" in run_gradescope(autograder, judged, nothing)
    assert "score" not in results(autograder)


def test_what_a_box_did_not_judge_is_never_official(autograder: Path) -> None:
    def unofficial(submission: Submission, settings: Settings) -> Result:
        return grade_one(submission, replace(settings, in_process=True))

    assert "unofficial" in run_gradescope(autograder, unofficial, nothing)
    assert "score" not in results(autograder)


def test_a_submission_that_is_refused_says_why(autograder: Path) -> None:
    (autograder / "submission" / "link.py").symlink_to("/etc/passwd")
    run_gradescope(autograder, judged, nothing)
    told = results(autograder)
    assert "score" not in told
    assert told["extra_data"]["status"] == "rejected"
    assert "link.py" in told["output"]


def test_an_extension_in_gradescope_counts(tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(METADATA), "utf-8")
    said = read_metadata(path)
    assert said.received is not None
    assert said.due is not None
    assert (said.received - said.due).total_seconds() == 3600
    own = {"assignment": {"due_date": "2026-10-09T12:00:00-07:00"}, "email": "ada@x.org"}
    path.write_text(json.dumps({**METADATA, "users": [own]}), "utf-8")
    later = read_metadata(path)
    assert later.due is not None
    assert (later.due - said.due).days == 7
    assert later.student == "ada@x.org"
    path.write_text(json.dumps({**METADATA, "created_at": "2026-10-02T13:00:00"}), "utf-8")
    with pytest.raises(ValueError, match="without a zone"):
        read_metadata(path)


def test_the_zip_is_the_same_every_time(packed: bytes, tmp_path: Path) -> None:
    toml = tmp_path / "fork.toml"
    toml.write_text(TOML, "utf-8")
    assert gradescope_zip(ROOT, toml, "a secret of some length") == packed
    assert gradescope_zip(ROOT, toml, "another secret of some length") != packed
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        times = {each.date_time for each in archive.infolist()}
    assert times == {(2004, 3, 13, 0, 0, 0)}, "nothing of today"


def test_the_zip_holds_what_grading_needs_of_its_exercises_only(packed: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        modes = {each.filename: each.external_attr >> 16 & 0o777 for each in archive.infolist()}
    assert {modes[name] for name in ("setup.sh", "run_autograder")} == {0o755}
    assert modes["secret"] == 0o600
    course = {name for name in modes if name.startswith("course/")}
    assert course == {
        "course/exercises/catalogue.json",
        "course/exercises/conftest.py",
        f"course/exercises/{FORK}",
        f"course/solutions/{FORK}",
        f"course/tests/exercises/public/test_{FORK}",
        f"course/tests/exercises/hidden/test_{FORK[:-3]}_hidden.py",
    }
    assert {"anonlab/grading/reports/pages/feedback.html", "anonlab/box/worker.py",
            "pyproject.toml"} <= {*modes}  # fmt: skip
    assert not [name for name in modes if "__pycache__" in name or name.startswith((".", "/"))]


@pytest.mark.parametrize("name", ["setup.sh", "run_autograder"])
def test_the_scripts_are_shell(packed: bytes, name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        script = archive.read(name)
    subprocess.run(["bash", "-n"], input=script, check=True)
    if name == "run_autograder":
        assert b"runuser -u grader" in script, "never as root"


def test_the_zip_needs_a_secret_and_overwrites_nothing(tmp_path: Path) -> None:
    toml, out = tmp_path / "fork.toml", tmp_path / "autograder.zip"
    toml.write_text(TOML, "utf-8")
    args = ["course", "release", "--gradescope", "--assignment", str(toml), "--out", str(out)]
    told = CliRunner().invoke(cli, [*args, str(ROOT)], env={"ANONLAB_SECRET": ""})
    assert (told.exit_code, out.exists()) == (2, False)
    assert "set ANONLAB_SECRET" in told.output
    told = CliRunner().invoke(cli, [*args, "--secret", "a secret of some length", str(ROOT)])
    assert told.exit_code == 0, told.output
    assert out.stat().st_mode & 0o777 == 0o600
    told = CliRunner().invoke(cli, [*args, "--secret", "a secret of some length", str(ROOT)])
    assert told.exit_code == 2
    assert "exists: name a new file" in told.output


def test_the_package_in_the_zip_grades_from_its_own_folder(packed: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(tmp_path / "autograder" / "source")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import anonlab.grading.gradescope_run as run, anonlab\n"
        "assert anonlab.__file__.startswith(sys.argv[1]), anonlab.__file__\n"
        "from anonlab.grading.reports.pages import page\n"
        "print(run.run_gradescope(run.Path(sys.argv[1]).parent, check=lambda *_: None))\n"
    )
    source = tmp_path / "autograder" / "source"
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    said = subprocess.run(
        [sys.executable, "-P", "-c", program, str(source)],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "submission_metadata.json" in said.stdout, "it looked for the submission, and had none"
    assert shutil.which("bash")


def built(tmp_path: Path, version: str, check: str) -> subprocess.CompletedProcess[str]:
    """Run setup.sh with stand-ins for programs of the machine; its folders are below tmp_path."""
    script = tmp_path / "setup.sh"
    script.write_text(SETUP.replace("/opt/", f"{tmp_path}/opt/"), "utf-8")
    folder = tmp_path / "bin"
    folder.mkdir()
    old = int(version < "3.11")
    python = f'case "$1" in -c) exit {old};; --version) echo Python {version}; exit;; esac'
    pip = 'mkdir -p "$3/bin"; echo exit 0 > "$3/bin/pip"; chmod +x "$3/bin/pip"'
    for name, text in {
        **dict.fromkeys(("apt-get", "id", "useradd", "chown", "chmod"), "exit 0"),
        "python3": f'{python}\n[ "$2" = venv ] || exit 9\n{pip}',
        "runuser": f'echo "$@"; {check}',
    }.items():
        (folder / name).write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{text}\n")
        (folder / name).chmod(0o755)
    return subprocess.run(
        ["/bin/bash", str(script)], capture_output=True, text=True, check=False,
        env={"PATH": str(folder)},
    )  # fmt: skip


def test_an_old_python_fails_the_build_with_the_image_to_choose(tmp_path: Path) -> None:
    done = built(tmp_path, "3.10.12", "exit 0")
    assert done.returncode == 1
    assert "this image has Python 3.10.12" in done.stderr
    assert "Ubuntu 24.04" in done.stderr


def test_a_machine_without_a_box_fails_the_build_and_not_each_submission(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    done = built(tmp_path / "one", "3.12.3", "exit 0")
    assert done.returncode == 0, done.stderr
    assert "-u grader --" in done.stdout
    assert "anonlab grade --check --course /autograder/source/course" in done.stdout
    assert built(tmp_path / "two", "3.12.3", "exit 3").returncode == 3
