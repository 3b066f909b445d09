"""Where no box holds, official grading is refused, with reason and remedy; nothing falls back."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from ordinary import needs_box, open_folder, run_as_ordinary_user

from anonlab.box import probe
from anonlab.box.probe import Refused, check_box

HERE = Path(__file__).parent
REFUSED = {
    "fails": "no box can be started: bwrap: no",
    "says nothing": "the box told nothing sensible",
    "says something else": "the box told nothing sensible: 'ok",
    "hangs": "did not answer within 2 s",
    "apparmor": "setting up uid map",
    "no namespaces": "Creating new namespace failed",
    "runs it on the machine": "the box does not hold",
    "lets the network in": "the loopback address answers",
    "keeps the processes in sight": "processes are in sight",
    "leaves the root open": "files can be made in /",
    "has no sizes": "MiB go into /tmp",
    "has no limits": "40 processes can be made",
    "lets the environment in": "variables of the environment come through",
    "lets user namespaces in": "a new user namespace can be made",
    "shows the course": "can be read",
    "has no NumPy": "NumPy cannot be imported",
    "is not there": "bwrap is not installed",
    "is old": "bubblewrap 0.8 or newer is needed, this one says 'bubblewrap 0.7.0'",
}
REMEDY = {
    "apparmor": "bwrap-userns-restrict",
    "no namespaces": "user.max_user_namespaces",
    "is not there": "apt install bubblewrap",
    "is old": "update bubblewrap",
}


@pytest.fixture(scope="module")
def told() -> dict[str, list[str]]:
    """What was said under each bwrap."""
    with open_folder() as folder:
        program = str(HERE / "probed.py")
        done = run_as_ordinary_user(sys.executable, program, str(folder), seconds=200)
    assert done.returncode == 0, done.stderr
    result: dict[str, list[str]] = json.loads(done.stdout)
    return result


@needs_box
@pytest.mark.xdist_group("attacks")
@pytest.mark.parametrize("name", REFUSED)
def test_a_bwrap_is_refused_that(name: str, told: dict[str, list[str]]) -> None:
    assert told[name], "it was accepted"
    reason, remedy = told[name]
    assert REFUSED[name] in reason
    assert REMEDY.get(name, "") in remedy
    assert "\n" not in reason + remedy


@needs_box
@pytest.mark.xdist_group("attacks")
def test_the_real_one_holds(told: dict[str, list[str]]) -> None:
    assert told["the real one"] == []
    assert told["works"] == []


@needs_box
@pytest.mark.xdist_group("attacks")
def test_a_program_without_a_box_is_seen_in_many_ways(told: dict[str, list[str]]) -> None:
    reason = told["runs it on the machine"][0]
    for part in ("processes are in sight", "the loopback address answers", "can be read"):
        assert part in reason


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
    monkeypatch.setattr(probe, "_programs", lambda: None)
    monkeypatch.setattr(probe, "_look_inside", lambda secret: None)
    monkeypatch.setattr(probe, "bound_folders", lambda: ["/usr", str(tmp_path / "venv")])
    course = tmp_path / "link" if private != "store" else tmp_path / "course"
    with pytest.raises(Refused, match="which student code can read"):
        check_box(course, [tmp_path / "link" / "store"] if private == "store" else [])
    check_box(tmp_path / "course", [tmp_path / "elsewhere"])
