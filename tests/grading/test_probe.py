"""Where no box holds, official grading is refused, with reason and remedy; nothing falls back."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from ordinary import needs_box, open_folder, run_as_ordinary_user
from project import ROOT

from anonlab.box import probe
from anonlab.box.probe import Refused, check_box

HERE = Path(__file__).parent
FILTERED = str(ROOT / "tests" / "support" / "filtered.py")
HOLES = {
    "files be read": "openat",
    "files be seen": "statx",
    "files be written": "open",
    "sockets": "socket",
    "processes": "a process",
    "programs": "execve",
    "locks and leases": "fcntl, flock",
    "keyrings": "keyctl",
    "memory that no limit counts": "memfd_create",
    "shared memory": "shmget",
    "signals": "kill",
    "traces": "ptrace",
    "rings": "io_uring_setup",
    "name spaces": "unshare",
    "more walls": "prctl",
    "pipes": "pipe2",
    "limits": "limits of others",
}
NO_BOX = {
    "no library": ("libnothing.so.2 is not installed", "apt install libseccomp2"),
    "Python ends": ("no such luck", "seccomp"),
    "another program": ("no box can be started", "seccomp"),
    "no NumPy": ("nothing_like_it", "seccomp"),
    "Python hangs": ("does not answer", "seccomp"),
}


@pytest.fixture(scope="module")
def told() -> dict[str, list[str]]:
    """What was said with each hole."""
    with open_folder() as folder:
        program = str(HERE / "probed.py")
        done = run_as_ordinary_user(sys.executable, program, str(folder), seconds=200)
    assert done.returncode == 0, done.stderr
    result: dict[str, list[str]] = json.loads(done.stdout)
    return result


@needs_box
@pytest.mark.xdist_group("attacks")
@pytest.mark.parametrize("name", HOLES)
def test_a_box_is_refused_that_lets_in(name: str, told: dict[str, list[str]]) -> None:
    assert told[name], "it was accepted"
    reason, _ = told[name]
    assert "the box does not hold: it allows " in reason
    assert HOLES[name] in reason


@needs_box
@pytest.mark.xdist_group("attacks")
@pytest.mark.parametrize("name", NO_BOX)
def test_where_no_box_stands_reason_and_remedy_are_one_line_each(
    name: str, told: dict[str, list[str]]
) -> None:
    (reason, remedy), (part, help_) = told[name], NO_BOX[name]
    assert part in reason
    assert help_ in remedy
    assert "\n" not in reason + remedy


@needs_box
@pytest.mark.xdist_group("attacks")
def test_a_box_without_holes_is_accepted(told: dict[str, list[str]]) -> None:
    assert told["nothing"] == []


@needs_box
@pytest.mark.xdist_group("attacks")
@pytest.mark.parametrize("kind", ["", "container", "no Landlock", "container,no Landlock"])
def test_a_box_stands_everywhere_and_says_what_it_refuses(kind: str) -> None:
    filtered = [sys.executable, FILTERED, kind] if kind else []
    words = (*filtered, sys.executable, "-m", "anonlab", "grade", "--check", "--json")
    done = run_as_ordinary_user(*words)
    facts = json.loads(done.stdout)
    assert done.returncode == 0
    assert facts["official"]
    assert facts["allowed"] == ["NumPy", "the library", "anonlab", "64 MiB of memory"]
    names = "a process", "a thread", "reading a file", "openat", "socket", "keyctl", "fcntl"
    assert {*names, "memfd_create", "kill", "io_uring_setup"} <= set(facts["refused"])
    if "Landlock" in kind:
        assert not facts["landlock"]


@needs_box
@pytest.mark.xdist_group("attacks")
def test_without_seccomp_nothing_is_official(tmp_path: Path) -> None:
    words = (sys.executable, FILTERED, "no seccomp", sys.executable, "-m", "anonlab", "grade")
    done = run_as_ordinary_user(*words, "--check", "--json")
    assert done.returncode == 3
    facts = json.loads(done.stdout)
    assert not facts["official"]
    assert "seccomp" in facts["reason"]
    assert "Docker" in facts["remedy"]
    assert "Traceback" not in done.stderr


def test_root_is_refused_with_the_way_to_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(Refused, match="as root") as told:
        check_box(HERE)
    assert "setpriv --reuid" in told.value.remedy


def test_another_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(Refused, match="needs Linux: this is darwin"):
        check_box(HERE)


@pytest.mark.parametrize("private", ["tests/exercises/hidden", "store"])
def test_what_is_hidden_may_not_lie_where_boxes_read(
    private: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "venv" / private).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "venv")
    monkeypatch.setattr(os, "geteuid", lambda: 1001)
    monkeypatch.setattr(probe, "look_inside", lambda secret: None)
    monkeypatch.setattr(probe, "package_folder", lambda: tmp_path / "venv")
    course = tmp_path / "link" if private != "store" else tmp_path / "course"
    with pytest.raises(Refused, match="which student code can import"):
        check_box(course, [tmp_path / "link" / "store"] if private == "store" else [])
    check_box(tmp_path / "course", [tmp_path / "elsewhere"])
