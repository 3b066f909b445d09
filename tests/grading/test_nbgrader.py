"""An assignment for nbgrader: the reference is full, the template 0, and nothing is given away."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from classroom import MASTERS, put
from click.testing import CliRunner
from packages import build_wheel
from project import ROOT

from anonlab.cli.verbs import cli
from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.release import leaks

ALL = {master.number: master for master in read_masters(ROOT / "solutions")}
HW = 'name = "Homework 1"\nexercises = ["04a", "05a"]\n[points]\n04a = 20\n05a = 7\n'
HOLE = re.compile(r"^( *)### BEGIN SOLUTION\n(?:.*\n)*?\1### END SOLUTION$", re.MULTILINE)
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(?:.*\n)*?### END HIDDEN TESTS", re.MULTILINE)


def exported(folder: Path, hw: str = HW) -> Path:
    """The folder of an assignment as it was exported."""
    put(folder, {"hw.toml": hw})
    words = ["course", "export", "--nbgrader", "--out", str(folder / "nb"),
             "--assignment", str(folder / "hw.toml"), str(ROOT)]  # fmt: skip
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert "its grades can be forged" in done.stderr
    (found,) = (folder / "nb" / "source").iterdir()
    return found


def score(cells: list[Any], answer: str) -> tuple[float, float]:
    """The points of a notebook whose solution is `answer`, and of all; cells run one by one."""
    names: dict[str, Any] = {}
    got = most = 0.0
    for cell in cells:
        facts = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] != "code":
            continue
        most += facts.get("points", 0)
        try:
            exec(answer if facts["solution"] else cell["source"], names)
            got += facts.get("points", 0)
        except (AssertionError, NotImplementedError):
            assert facts["grade"] or facts["solution"]
    return got, most


@pytest.mark.slow
@pytest.mark.parametrize("number", list(ALL))
def test_the_reference_is_full_and_the_template_is_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    folder = exported(tmp_path, f'exercises = ["{number}"]\n[points]\n{number} = 13\n')
    monkeypatch.chdir(folder)
    master = ALL[number]
    cells = nbformat.read(folder / f"{master.name}.ipynb", 4).cells
    assert score(cells, master.solution) == (pytest.approx(13), pytest.approx(13))
    assert score(cells, master.stub) == (0, pytest.approx(13))


def test_what_nbgrader_leaves_holds_no_answer(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    released, kept = [], []
    for path in folder.glob("*.ipynb"):
        sources = [cell.source for cell in nbformat.read(path, 4).cells]
        for source in sources:
            assert ("### BEGIN SOLUTION" in source) == ("### END SOLUTION" in source)
        left = [
            HIDDEN.sub("", HOLE.sub(r"\1raise NotImplementedError()", each)) for each in sources
        ]
        for name, texts, files in (("left", left, released), ("all", sources, kept)):
            files.append(tmp_path / f"{path.stem}-{name}.txt")
            files[-1].write_text("\n".join(texts), "utf-8")
    released += [path for path in folder.rglob("*.py") if path.is_file()]
    assert leaks(tuple(released), tuple(MASTERS.values())) == []
    assert len(leaks(tuple(kept), tuple(MASTERS.values()))) == 2, "they were there"


def test_it_is_the_same_each_time_and_never_written_over(tmp_path: Path) -> None:
    one, other = exported(tmp_path / "a"), exported(tmp_path / "b")
    for path in one.glob("*.ipynb"):
        assert path.read_bytes() == (other / path.name).read_bytes()
    words = ["course", "export", "--nbgrader", "--out", str(tmp_path / "a" / "nb"),
             "--assignment", str(tmp_path / "a" / "hw.toml"), str(ROOT)]  # fmt: skip
    done = CliRunner().invoke(cli, words)
    assert (done.exit_code, "exists: name another folder" in done.output) == (2, True)
    assert "say for which system" in CliRunner().invoke(cli, [*words[:2], *words[3:]]).output


@pytest.fixture
def nbgrader(tmp_path: Path) -> Path:
    """The programs of an environment with nbgrader in it, and with this anonlab."""
    home = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    (tmp_path / "dist").mkdir()
    wheel = build_wheel(tmp_path / "dist")
    words = [str(home / "bin" / "pip"), "install", "--quiet", "nbgrader>=0.9,<1", str(wheel)]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=900)
    if done.returncode:
        pytest.skip("needs a package index: nbgrader cannot be installed")
    return home / "bin"


@pytest.mark.slow(share=0)
def test_nbgrader_itself_generates_autogrades_and_exports(tmp_path: Path, nbgrader: Path) -> None:
    folder = exported(tmp_path)
    course, name = folder.parents[1], folder.name
    path = os.pathsep.join((str(nbgrader), os.environ["PATH"]))
    home = {**os.environ, "PATH": path, "HOME": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "1"}

    def run(*words: str) -> None:
        done = subprocess.run([str(nbgrader / "nbgrader"), *words], cwd=course, env=home,
                              capture_output=True, text=True, timeout=600, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr

    run("generate_assignment", name)
    for student in ("reference", "template"):
        shutil.copytree(course / "release" / name, course / "submitted" / student / name)
    for each in (course / "submitted" / "reference" / name).glob("*.ipynb"):
        plain = json.loads(each.read_text("utf-8"))
        for cell in plain["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("solution"):
                cell["source"] = MASTERS[each.stem[2:5]].solution
        each.write_text(json.dumps(plain), "utf-8")
    run("autograde", name, "--create")
    run("export")
    rows = csv.DictReader((course / "grades.csv").read_text("utf-8").splitlines())
    scores = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in rows}
    assert scores == {"reference": (27, 27), "template": (0, 27)}
