"""Attacks earn what their honest part earns and leave nothing; in one interpreter they win."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from attacks import ATTACKS, NAMES
from ordinary import NEEDED, give, needs_box, open_folder, run_as_ordinary_user
from toy_course import RIGHT, TOY, code_of

pytestmark = [needs_box, pytest.mark.xdist_group("attacks")]

HERE = Path(__file__).parent
SHOWN_AT_MOST = 70_000
"""Characters of printed text that a result keeps of one box."""


@pytest.fixture(scope="module")
def graded() -> tuple[dict[str, Any], dict[str, Any]]:
    """What came of every attack, graded one after the other in one process."""
    with open_folder() as folder:
        program = str(HERE / "attacked.py")
        done = run_as_ordinary_user(sys.executable, program, str(folder), seconds=300)
    assert done.returncode == 0, done.stderr
    told, facts = json.loads(done.stdout)
    return told, facts


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_earns_what_its_honest_part_earns(name: str, graded: Any) -> None:
    told = graded[0][name]
    right = name == "00 right"
    assert told["status"] == "graded"
    assert [test for test, hidden, *_ in told["tests"] if hidden] == list(NAMES)
    for test, _, status, points in told["tests"]:
        assert status in ATTACKS[name].status, f"{test}: {status}"
        assert (points > 0) == right, f"{test}: {points}"


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_sees_nothing_and_leaves_nothing(name: str, graded: Any) -> None:
    told = graded[0][name]
    assert told["left"] == [], "processes"
    assert told["files"] == sorted(
        f"{name.replace(' ', '-')}/{file}" for file in ["ex90a_toy.py", *ATTACKS[name].files]
    )
    assert not any(told["hidden_shown"])
    assert "CANARY" not in told["visible"]
    for canary in ("SOURCE", "SECRET", "ENVIRONMENT"):
        assert f"CANARY-OF-THE-{canary}" not in told["private"]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", told["visible"])


def test_nobody_called_home_and_the_neighbour_is_whole(graded: Any) -> None:
    facts = graded[1]
    assert not facts["called"]
    assert facts["neighbour"]


def test_the_grader_needs_little_memory(graded: Any) -> None:
    assert graded[1]["megabytes"] < 400


def test_a_loop_is_loaded_once(graded: Any) -> None:
    assert graded[0]["13 loops for ever at import"]["seconds"] < 5  # one call may take 1.5 s


def test_limits_hold(graded: Any) -> None:
    told = graded[0]
    forked = re.findall(r"FORKED (\d+)", told["14 forks without end"]["printed"])
    assert forked
    assert max(map(int, forked)) <= 16
    filled = re.findall(r"FILLED (\d+)", told["20 fills every place"]["printed"])
    assert filled
    assert max(map(int, filled)) <= 80
    flood = told["16 floods both outputs"]
    assert len(flood["printed"]) < 5 * SHOWN_AT_MOST
    assert flood["seconds"] < 10
    assert "CONNECTED" not in told["17 calls home"]["printed"]
    assert "found" not in told["32 keeps the input for the next box"]["printed"]


def test_text_of_a_submission_cannot_steer_a_terminal(graded: Any) -> None:
    told = graded[0]["33 an error that is a weapon"]
    assert "]0;owned<script>" in told["visible"]  # without the escape; reports quote the rest
    assert len(told["visible"]) < 2000


# -- the positive control ------------------------------------------------------------------------


def bare(name: str, folder: Path) -> tuple[int, int]:
    """Run plain pytest in the submission's folder, inside a box that protects this machine; return
    its exit code and how many hidden tests its report says are passed."""
    work = folder / "submission"
    for path in (work, folder / "neighbour", folder / "out"):
        path.mkdir()
    (folder / "neighbour" / "solution.py").write_text(RIGHT)
    (work / "solution.py").write_text(code_of(name, folder))
    for other, text in ATTACKS[name].files.items():
        (work / other).write_text(text)
    hidden = TOY / "tests" / "exercises" / "hidden"
    (work / "test_hidden.py").write_text((hidden / "test_ex90a_toy_hidden.py").read_text())
    (work / "toy_reference.py").write_text((hidden / "toy_reference.py").read_text())
    (work / "bare_student.py").write_text((HERE / "bare_student.py").read_text())
    give(folder)
    report = folder / "out" / "report.xml"
    readable = [word for path in sorted({*NEEDED}) for word in ("--ro-bind", path, path)]
    done = run_as_ordinary_user(
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/", "/"),
        *("--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", *readable),
        *("--bind", str(folder), str(folder), "--chdir", str(work), "--setenv", "HOME", "/tmp"),
        *("prlimit", "--nproc=64", f"--as={2 << 30}", f"--fsize={8 << 20}", "--cpu=20", "--"),
        *(sys.executable, "-m", "pytest", "-q", "-p", "bare_student", "-p", "no:cacheprovider"),
        *("test_hidden.py", f"--junitxml={report}"),
        seconds=60,
        variables={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": ""},
    )
    if not report.exists():
        return done.returncode, 0
    cases = list(ET.parse(report).iter("testcase"))
    return done.returncode, sum(not list(case) for case in cases)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ATTACKS if ATTACKS[name].bare is not None])
def test_in_one_interpreter_the_attack_wins(name: str) -> None:
    with open_folder() as folder:
        code, passed = bare(name, folder)
    assert passed == ATTACKS[name].bare
    if name.startswith("01"):
        assert code == 0, "a run that ended before its first test looks like success"
