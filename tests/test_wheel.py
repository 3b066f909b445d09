"""The wheel carries the course and no answers, and is all that a learner needs."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ordinary import as_ordinary_user, give, needs_box, open_folder
from packages import build_wheel
from packaging.requirements import Requirement
from project import ROOT

from anonlab.course.authoring.exercises import generated
from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.release import leaks
from anonlab.course.authoring.released_files import CONFIGURATION
from anonlab.course.authoring.starting import CATALOGUE, handout

pytestmark = pytest.mark.xdist_group("wheel")
HANDOUT = "anonlab/course/handout/"
SECRET = ("solutions", "hidden", "wrong")
"""Folders whose files learners must not get."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that is made from it."""
    folder = tmp_path_factory.mktemp("dist")
    build_wheel(folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    """The wheel."""
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def home(wheel: Path) -> Iterator[Path]:
    """An ordinary user's folder with an environment in it, made from the wheel alone.

    What the wheel needs of others is lent by the environment of the tests; its editable anonlab is
    not seen there.
    """
    with open_folder() as folder:
        subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True
        )
        (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
        lent = Path(pytest.__file__).parents[1]
        (packages / "lent.pth").write_text(f"{lent}\n")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
        give(folder)
        yield folder


def run(home: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `words` with the Python of `home` as an ordinary user in `folder`."""
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR")
    environ = {name: os.environ[name] for name in kept if name in os.environ}
    return subprocess.run(
        as_ordinary_user(str(home / "venv" / "bin" / "python"), *words),
        cwd=folder,
        env={**environ, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_neither_wheel_nor_sdist_holds_an_answer(built: Path, wheel: Path) -> None:
    masters = read_masters(ROOT / "solutions")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(built / "wheel")
    (archive_path,) = built.glob("*.tar.gz")
    with tarfile.open(archive_path) as tar:
        names |= {name.split("/", 1)[1] for name in tar.getnames() if "/" in name}
    wrong = [name for name in names if set(SECRET) & set(Path(name).parts)]
    assert not wrong
    assert not [name for name in names if "_hidden" in name]
    given = tuple(path for path in (built / "wheel" / HANDOUT).rglob("*") if path.is_file())
    assert not leaks(given, masters)
    # The rule sees what it is there for.
    assert leaks((ROOT / "tests" / "exercises" / "hidden" / "test_ex04a_fork_hidden.py",), masters)


def test_the_wheel_holds_what_learners_get_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = {
            name.removeprefix(HANDOUT): archive.read(name)
            for name in archive.namelist()
            if name.startswith(HANDOUT)
        }
        others = [name for name in archive.namelist() if not name.startswith("anonlab")]
    made = {name for name in handout() if name.startswith("exercises/")} | {*CONFIGURATION}
    assert found == {name: each for name, each in handout().items() if name not in made} | {
        CATALOGUE: generated(read_masters(ROOT / "solutions"))["catalogue.json"].encode()
    }
    assert not others


@needs_box
def test_the_wheel_alone_is_a_course(home: Path) -> None:
    done = run(home, home, "-m", "anonlab", "start", "course", "--help")
    assert done.returncode == 0, done.stderr
    begin = (
        "import sys; from pathlib import Path; import anonlab; import anonlab.cli.start as start\n"
        "assert Path(anonlab.__file__).is_relative_to(sys.prefix), anonlab.__file__\n"
        "start.become = lambda command, folder: print(*command) or 0\n"
        "from anonlab.cli.verbs import cli; cli(['start', 'course', '--no-browser'])\n"
    )
    done = run(home, home, "-c", begin)
    assert done.returncode == 0, done.stderr
    assert "-m jupyterlab" in done.stdout
    course = home / "course"
    done = run(home, course, "-m", "anonlab", "check", "04a")
    assert (done.returncode, "Not written yet" in done.stdout) == (1, True), done.stderr
    for master in read_masters(ROOT / "solutions"):
        (course / "exercises" / f"{master.name}.py").write_text(master.solution, "utf-8")
    done = run(home, course, "-m", "anonlab", "check", "04a")
    assert (done.returncode, "Public checks passed" in done.stdout) == (0, True), done.stderr
    done = run(home, course, "-m", "pytest", "-q")
    last = done.stdout.splitlines()[-1]
    assert (done.returncode, " passed" in last, " skipped" in last) == (0, True, False), done.stdout
    notebook = ("nbconvert", "--to", "notebook", "--execute", "--stdout")
    done = run(home, course, "-m", *notebook, "notebooks/00_start_here.ipynb")
    assert done.returncode == 0, done.stderr[-3000:]


def test_each_extra_has_its_own_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        lines = archive.read(name).decode().splitlines()
    needs = [Requirement(line.split(": ", 1)[1]) for line in lines if "Requires-Dist: " in line]
    # without the extras: a marker may leave a package out where there is none, as in a browser
    core = {each.name for each in needs if "extra" not in str(each.marker)}
    assert core == {
        *("anywidget", "click", "graphviz", "ipykernel", "ipywidgets", "jinja2", "nbformat"),
        *("numpy", "packaging", "pytest", "rich"),
    }
    assert {
        each.name for each in needs if each.marker and 'extra == "lab"' in str(each.marker)
    } == {"jupyterlab"}
