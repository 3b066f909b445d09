"""Attacks earn what their honest part earns, harm nobody and leave nothing; in one interpreter they
win."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from attacked import HONEST
from attacks import ATTACKS, NAMES
from ordinary import (
    contained,
    environment,
    give,
    needs_box,
    open_folder,
    run_as_ordinary_user,
)
from project import ROOT
from toy_course import ALL, RIGHT, TOY, code_of

pytestmark = [needs_box, pytest.mark.xdist_group("attacks")]

HERE = Path(__file__).parent
FILTERED = str(ROOT / "tests" / "support" / "filtered.py")
SHOWN_AT_MOST = 70_000
"""Characters of printed text that a result keeps of one box."""
WALLS = {
    "a machine": [],
    "a container": [sys.executable, FILTERED, "container"],
    "no Landlock": [sys.executable, FILTERED, "container,no Landlock"],
}
ALWAYS = [
    name for name in ALL
    if name[:2] in ("00", "13", "14", "16", "17", "18", "20", "32", "33", "40", "41", "42", "81")
]  # fmt: skip
"""These are graded whenever tests run."""
CHUNK = 10
CHUNKS = [[*ALL][at : at + CHUNK] for at in range(0, len(ALL), CHUNK)]


def graded_class(attacks: list[str], wall: str) -> dict[str, Any]:
    """What came of a class of honest students and of these attackers."""
    with open_folder() as folder:
        program = str(HERE / "attacked.py")
        done = run_as_ordinary_user(
            *WALLS[wall], sys.executable, program, str(folder), *attacks, seconds=600
        )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def hold(told: dict[str, Any]) -> None:
    """Hold what came of a class against what must."""
    assert told["status"] == told["quiet"][0] == 0, told["said"]
    assert "summary.html" in told["published"]
    assert told["left"] == []
    assert told["files"], "something that was handed in was changed"
    assert not told["called"], "somebody called home"
    attackers = len(told["students"]) - HONEST
    assert told["seconds"] < 2 * told["quiet"][1] + 15 * attackers
    for student, (name, found) in told["students"].items():
        assert found["status"] == "graded", student
        hidden = [test for test, hidden, *_ in found["tests"] if hidden]
        assert hidden == list(NAMES)
        for test, is_hidden, status, points in found["tests"]:
            if name in ("", "00 right"):
                assert status == "pass", f"{student}, {name}: {test} {status}, {found}"
            else:
                assert not points, f"{name}: {test} gives {points}"
                if is_hidden:
                    assert status in ALL[name].status, f"{name}: {test} {status}"
        sees_nothing(name, found)


def sees_nothing(name: str, found: dict[str, Any]) -> None:
    """Nothing that is secret is in what students see, or in what came out of a box."""
    assert not any(found["hidden_shown"])
    assert "CANARY" not in found["visible"] + found["pages"], name
    for canary in ("SOURCE", "SECRET", "ENVIRONMENT"):
        assert f"CANARY-OF-THE-{canary}" not in found["private"], name
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", found["visible"]), name
    done = r"(SHM|MSG|SEM|KEY|LOCKED|MERGED|X32|DOWN|READ|RING|AIO|OPEN|MOUNTED|ROOT).*True"
    assert not re.search(done, found["printed"]), f"{name}: {found['printed'][:300]}"
    for word in ("FOUND ", "SOCKET", "RING", "AIO", "UNSHARED", "MOUNTED", "HUGE", "MERGED",
                 "READ", "I386", "SEEN", "CONNECTED", "found "):  # fmt: skip
        assert word not in found["printed"], f"{name}: {found['printed'][:300]}"


@pytest.fixture(scope="module")
def graded() -> dict[str, Any]:
    """A class with attackers of every family."""
    return graded_class(ALWAYS, "a machine")


def test_attackers_earn_what_is_theirs_and_harm_nobody(graded: dict[str, Any]) -> None:
    hold(graded)


@pytest.mark.slow(share=1 / 12)
@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize("at", range(len(CHUNKS)))
def test_no_attack_harms_anybody_anywhere(at: int, wall: str) -> None:
    hold(graded_class(CHUNKS[at], wall))


def attacker(graded: dict[str, Any], name: str) -> dict[str, Any]:
    """What came of one attack; its name begins so."""
    (found,) = [found for kind, found in graded["students"].values() if kind.startswith(name)]
    told: dict[str, Any] = found
    return told


def test_a_loop_is_loaded_once(graded: dict[str, Any]) -> None:
    seconds = attacker(graded, "13")["seconds"]  # one call may take 1.5 s, twice if it had to wait
    assert seconds < 5 + graded["quiet"][1]  # which is longer where others work, too


def test_limits_hold(graded: dict[str, Any]) -> None:
    assert "FORKED 0" in attacker(graded, "14")["printed"]
    assert "FILLED 0" in attacker(graded, "20")["printed"]
    assert "MEMFDS 0" in attacker(graded, "42")["printed"]
    flood = attacker(graded, "16")
    assert len(flood["printed"]) < 5 * SHOWN_AT_MOST
    assert flood["seconds"] < 10


def test_text_of_a_submission_cannot_steer_a_terminal(graded: dict[str, Any]) -> None:
    told = attacker(graded, "33")
    assert "]0;owned<script>" in told["visible"]  # without the escape; reports quote the rest
    assert "<script>alert" not in told["pages"]
    assert len(told["visible"]) < 2000


# -- the positive control ------------------------------------------------------------------------


def bare(name: str, folder: Path) -> tuple[int, int]:
    """Run plain pytest in the submission's folder, where it can harm nothing else; return its exit
    code and how many hidden tests its report says are passed."""
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
    done = subprocess.run(
        contained(
            folder,
            *("env", "-C", str(work), "prlimit", "--nproc=64", f"--as={2 << 30}"),
            *(f"--fsize={8 << 20}", "--cpu=20", "--", sys.executable, "-m", "pytest", "-q"),
            *("-p", "bare_student", "-p", "no:cacheprovider", "test_hidden.py"),
            f"--junitxml={report}",
        ),
        capture_output=True, text=True, timeout=60, check=False,
        env=environment({"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": ""}),
    )  # fmt: skip
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
