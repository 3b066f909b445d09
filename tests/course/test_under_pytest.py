"""pytest as everybody knows it, in a folder that an instructor hands out and in a checkout.

The folder is worked on with an environment of its own: the wheel, pytest and pytest-xdist.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from packages import build_wheel, clean_environment
from project import ROOT

from anonlab.course.authoring.exercises import find_course, read_catalogue
from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.release import write_release

pytestmark = pytest.mark.xdist_group("wheel")
SOLUTIONS = {master.number: master.solution for master in read_masters(ROOT / "solutions")}
CATALOGUE = read_catalogue(ROOT / "exercises" / "catalogue.json")
GIVEN = ("01a", "01b", "02a", "02b", "03a", "04a", "04b", "05a")
HALF = SOLUTIONS["04a"].replace("return parent, np.where", "return words, np.where")
"""04a with a wrong `share_range`."""
ALWAYS = {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200", "PYTEST_XDIST_AUTO_NUM_WORKERS": "2"}
"""What the environment of every run says; the last is what `-n auto` means."""
Outcomes = dict[tuple[str, str], tuple[str, str, str]]
"""By class and name: outcome, and points of how many."""


@dataclass(frozen=True)
class Place:
    """A folder with exercises, and the Python that runs pytest there."""

    folder: Path
    python: Path

    def write(self, number: str, code: str) -> None:
        """Be the student."""
        find_course(self.folder).file(number).write_text(code, "utf-8")

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `pytest WORDS` there."""
        kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "HOME")
        inherited = {name: os.environ[name] for name in kept if name in os.environ}
        return subprocess.run(
            [str(self.python), "-m", "pytest", *words],
            cwd=self.folder,
            env={
                **inherited,
                **ALWAYS,
                **environ,
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def outcomes(self, *words: str) -> Outcomes:
        """Run `pytest WORDS` there and return what --junitxml says."""
        done = self.run(*words, "--junitxml=checks.xml")
        assert done.returncode in (0, 1), done.stdout + done.stderr
        found: Outcomes = {}
        for case in ElementTree.parse(self.folder / "checks.xml").iter("testcase"):
            told = [child.tag for child in case if child.tag != "properties"]
            says = {each.get("name"): each.get("value", "") for each in case.iter("property")}
            key = (case.get("classname", ""), case.get("name", ""))
            found[key] = ((told or ["passed"])[0], says["points"], says["most"])
        return found


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A release of three exercises, and an environment with the wheel and no more than it needs."""
    folder = tmp_path_factory.mktemp("released")
    wheel = build_wheel(tmp_path_factory.mktemp("dist"))
    python = clean_environment(folder / "venv", wheel, "pytest", "pytest-xdist")
    (folder / "hw1.toml").write_text(
        f'name = "Homework 1"\nexercises = {list(GIVEN)}\n[points]\n04a = 25\n'
    )
    write_release(ROOT, folder / "hw1.toml", folder / "hw1", wheel)
    return Place(folder / "hw1", python)


@pytest.fixture(params=["released", "checkout"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A student's copy of the release, or a checkout, with no answers in it."""
    if request.param == "released":
        given: Place = request.getfixturevalue("released")
        shutil.copytree(given.folder, tmp_path / "hw1", ignore=shutil.ignore_patterns("notebooks"))
        return Place(tmp_path / "hw1", given.python)
    for name in ("exercises", "tests/exercises", "tests/support"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return Place(tmp_path, Path(sys.executable))


def test_the_environment_has_no_more_than_the_wheel_asks_for(released: Place) -> None:
    code = "import anonlab, pytest, xdist; print(anonlab.__file__); import hypothesis"
    done = subprocess.run(
        [released.python, "-c", code],
        cwd=released.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert str(released.python.parents[1]) in done.stdout
    assert "No module named 'hypothesis'" in done.stderr


def test_all_ways_to_ask_give_the_same_answer(place: Place) -> None:
    place.write("01b", SOLUTIONS["01b"])
    place.write("04a", HALF)
    of_04a = {
        ("exercises.ex04a_fork", "test_share_page"): ("passed", "2", "2"),
        ("exercises.ex04a_fork", "test_share_range"): ("failure", "0", "1"),
        ("exercises.ex04a_fork", "test_array_operations"): ("skipped", "0", "1"),
    }
    everything = place.outcomes("exercises")
    assert everything.items() >= of_04a.items()
    assert everything["exercises.ex01b_which_address", "test_addresses"] == ("passed", "2", "2")
    assert everything["exercises.ex04b_family", "test_reaches_the_state"][0] == "failure"
    assert place.outcomes("exercises", "-n", "auto") == everything
    one = "exercises/ex04a_fork.py"
    for words in (["exercises", "-k", "04a"], [one], [one, "-n", "auto"]):
        assert place.outcomes(*words) == of_04a
    if place.folder.name == "hw1":
        assert place.outcomes() == place.outcomes(".") == everything
        assert place.outcomes("-k", "04a") == of_04a


def test_what_the_output_names_can_be_run_alone_and_again(place: Place) -> None:
    place.write("01b", SOLUTIONS["01b"])
    place.write("04a", HALF)
    place.write("04b", "def history():\n    return ''\n")
    said = place.run("exercises/ex04a_fork.py", "exercises/ex04b_family.py").stdout
    pasted = re.findall(r"^FAILED (\S+) - ", said, re.MULTILINE)
    assert pasted[0] == "exercises/ex04a_fork.py::test_share_range"
    assert list(place.outcomes(pasted[0])) == [("exercises.ex04a_fork", "test_share_range")]
    first = place.run("exercises/ex04a_fork.py", "exercises/ex04b_family.py", "-x").stdout
    assert first.count("\nFAILED ") == 1
    place.run("exercises")
    place.write("04a", SOLUTIONS["04a"])
    again = place.outcomes("exercises", "--lf")
    assert again["exercises.ex04a_fork", "test_share_range"] == ("passed", "1", "1")
    assert ("exercises.ex04a_fork", "test_share_page") not in again
    assert ("exercises.ex01b_which_address", "test_addresses") not in again


def test_a_check_is_not_passed_because_what_it_needs_was_not_asked_for(place: Place) -> None:
    done = place.run("exercises/ex04a_fork.py::test_share_range")
    assert (done.returncode, "needs “share_page gives" in done.stdout) == (1, True)
    done = place.run("exercises/ex04a_fork.py")
    assert "SKIPPED [1] exercises/ex04a_fork.py:1: needs “share_page gives" in done.stdout


RENAMED = {
    "ex01b_which_address": "ex01b.py",
    "ex04a_fork": "Ex04a_fork.py",
    "ex04b_family": "ex04b_family (1).py",
    "ex02b_merge": "mine.py",
}
"""What becomes of files. The last one is not recognised."""


def test_a_file_that_is_missing_or_renamed_fails(place: Place) -> None:
    folder = place.folder / "exercises"
    (folder / "ex01a_walk.py").unlink()
    for name, other in RENAMED.items():
        (folder / f"{name}.py").rename(folder / other)
    said = place.run("exercises", "-k", f"01a or {' or '.join(RENAMED)}").stdout
    for name in ("ex01a_walk", *RENAMED):
        (line, *_) = re.findall(rf"^exercises/{name}.py is missing\..*", said, re.MULTILINE)
        other = RENAMED.get(name, "")
        assert (f" There is {other}: was it renamed?" in line) == (other not in ("", "mine.py"))
    lost = [each for each in CATALOGUE.values() if each.name in ("ex01a_walk", *RENAMED)]
    assert f" {sum(len(each.public) for each in lost)} failed" in said.splitlines()[-1]
    done = place.run("exercises/ex01b.py")
    assert done.returncode == 2
    assert "the file of this exercise is ex01b_which_address.py" in done.stdout


BROKEN = {
    "01a": (None, r"Not written yet, line \d+ of your file: 01a: your code goes here\.$"),
    "01b": ("while True: pass\n", r"no answer after 1 s: is there a loop that never ends\?$"),
    "02a": (
        "def split(area, vpn):\n    while True: pass\n",
        r"no answer after 1 s: is there a loop that never ends\?$",
    ),
    "02b": (
        "def merge(lower, upper):\n    return (lower, upper\n",
        r"Your code raised SyntaxError: '\(' was never closed \(line 2 of your file\)\.\n"
        r"     2 \|     return \(lower, upper\n {20}\^$",
    ),
    "03a": (
        "import numpy\nimport nothing_there\n",
        r"No module named 'nothing_there' \(when graded, .* \(line 2 of your file\)\.\n"
        r"     2 \| import nothing_there$",
    ),
    "04a": ("share = 1\n", "your file has no function 'share_page': was it renamed\\?"),
    "05a": ("import sys\nsys.exit(0)\n", r"Your code raised SystemExit: 0 \(line 2 of your file\)"),
}
"""What students write, and what the log says of the first check of each."""


def test_what_is_wrong_is_a_sentence_in_a_log(place: Place) -> None:
    for number, (code, _) in BROKEN.items():
        if code is not None:
            place.write(number, code)
    wanted = ("exercises", "-k", " or ".join(BROKEN), "--exercise-seconds", "1")
    done = place.run(*wanted, CI="true")
    log, summary = re.split("=+ short test summary info =+\n", done.stdout)
    for number, (code, says) in BROKEN.items():
        told = re.split(rf"^_+ {number} test_\w+ _+\n", log, flags=re.MULTILINE)[1]
        told = re.split(r"^_+ .* _+\n", told, flags=re.MULTILINE)[0].rstrip("\n")
        assert re.search(says, told), told
        assert code is not None or "\n" not in told, "a stub is one line"
    assert "Traceback" not in log
    assert "site-packages" not in log, "it is about the student's file, not about ours"
    lines = summary.splitlines()[:-1]
    assert [line for line in lines if not line.startswith(("FAILED ", "SKIPPED "))] == []
    assert done.returncode == 1


def test_the_kit_s_damage_is_told_too(place: Place) -> None:
    tests = place.folder / "tests" / "exercises" / "public" / "test_ex04a_fork.py"
    tests.unlink()
    done = place.run("exercises", "-k", "04a")
    assert (done.returncode, "the tests of this exercise are missing" in done.stdout) == (1, True)
    (place.folder / "exercises" / "catalogue.json").write_text("{")
    done = place.run("exercises")
    assert (done.returncode, "is no catalogue of exercises" in done.stdout) == (2, True)


def test_what_students_read_names_files_and_checks_that_are_there(released: Place) -> None:
    course, folder = find_course(released.folder), released.folder
    assert list(course.exercises) == sorted(GIVEN)
    readme = (folder / "README.md").read_text("utf-8")
    for number in GIVEN:
        assert f"`{course.file(number).name}`" in readme
    done = released.run("exercises/ex01a_walk.py::test_indices")
    assert "exercises/ex01a_walk.py::test_indices" in readme
    assert "1 failed" in done.stdout
    requirements = (folder / "requirements.txt").read_text("utf-8")
    (wheel,) = (folder / "wheels").iterdir()
    assert "--find-links wheels" in requirements
    assert wheel.name.startswith(re.search(r"anonlab==\S+", requirements)[0].replace("==", "-"))  # type: ignore[index]


def test_the_workflow_for_github_gives_the_points_of_every_check(released: Place) -> None:
    text = (released.folder / ".github" / "workflows" / "classroom.yml").read_text("utf-8")
    plain = yaml.safe_load(text)
    (job,) = plain["jobs"].values()
    graded = {each["id"]: each["with"] for each in job["steps"] if "id" in each}
    prefix = "python -m pytest "
    asked = [each["command"].removeprefix(prefix) for each in graded.values()]
    said = released.run("--collect-only", "-q").stdout
    assert asked == [line for line in said.splitlines() if "::" in line]
    points = [each["max-score"] for each in graded.values() if "04a" in each["test-name"]]
    assert points == [5, 3, 2], "40 % of 25"
    all_public = sum(sum(CATALOGUE[number].public.values()) for number in GIVEN)
    assert sum(each["max-score"] for each in graded.values()) == all_public - 4 + 10
    reporter = job["steps"][-1]
    assert reporter["with"]["runners"].split(",") == list(graded)
    assert reporter["env"] == {
        f"{name.upper()}_RESULTS": f"${{{{steps.{name}.outputs.result}}}}" for name in graded
    }


def test_a_wheel_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hw1.toml").write_text('exercises = ["04a"]\n')
    with pytest.raises(ValueError, match="is not the file anonlab-.*whl, which `make wheel` makes"):
        write_release(ROOT, tmp_path / "hw1.toml", tmp_path / "hw1", tmp_path / "anonlab-9.whl")
    assert not (tmp_path / "hw1").exists()
