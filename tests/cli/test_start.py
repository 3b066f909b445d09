"""A learner's folder: made once, renewed without touching what the learner did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from project import ROOT

from anonlab.cli import start as verbs
from anonlab.cli.verbs import cli
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring import starting
from anonlab.course.authoring.exercises import find_course
from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.release import leaks, write_release
from anonlab.course.authoring.released_files import instructors_files
from anonlab.course.authoring.starting import HANDED_OUT, handout, start_folder, update_folder

EXERCISE = "exercises/ex04a_fork.py"
NOTEBOOK = "notebooks/04_fork.ipynb"
PUBLIC_TEST = "tests/exercises/public/test_ex04a_fork.py"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A learner's folder, just made."""
    return start_folder(tmp_path / "course").root


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The next version of the course, in which every file differs."""
    files = {name: data + b"\n" for name, data in handout().items()}
    monkeypatch.setattr(starting, "handout", lambda: files)
    return files


def run(*arguments: str) -> Result:
    """Run `anonlab ARGUMENTS` in this process."""
    return CliRunner().invoke(cli, arguments)


def contents(root: Path) -> dict[str, bytes]:
    """Every file below `root`, but for the kit's own notes."""
    files = (path for path in root.rglob("*") if path.is_file())
    names = {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
    return {name: data for name, data in names.items() if not name.startswith(".anonlab/")}


def test_the_folder_is_what_a_release_of_everything_gives(course: Path, tmp_path: Path) -> None:
    assignment = tmp_path / "all.toml"
    assignment.write_text('exercises = "all"\n')
    write_release(ROOT, assignment, tmp_path / "release")
    released = contents(tmp_path / "release")
    given = find_course(tmp_path / "release").exercises
    points = {number: each.points for number, each in given.items()}
    instructors = {*instructors_files("", "", points, tuple(given.values()))} | {"assignment.json"}
    assert contents(course) == {
        name: data for name, data in released.items() if name not in instructors
    }
    assert not leaks(
        tuple(course / name for name in contents(course)), read_masters(ROOT / "solutions")
    )


def test_a_second_start_changes_nothing(course: Path) -> None:
    before = contents(course)
    assert start_folder(course) == starting.Renewal(course)
    assert contents(course) == before


def test_what_was_changed_stays_and_the_newer_file_is_beside_it(
    course: Path, newer: dict[str, bytes]
) -> None:
    mine = {EXERCISE: b"def share(): ...\n", NOTEBOOK: b'{"cells": [1]}'}
    for name, data in mine.items():
        (course / name).write_bytes(data)
    done = update_folder(course)
    beside = {EXERCISE: "exercises/ex04a_fork.new.py", NOTEBOOK: "notebooks/04_fork.new.ipynb"}
    assert set(done.beside) == set(beside.values())
    after = contents(course)
    for name in mine:
        assert after.pop(name) == mine[name]
        assert after.pop(beside[name]) == newer[name]
    assert after == {name: data for name, data in newer.items() if name not in mine}
    assert update_folder(course) == starting.Renewal(course), "told once"


def test_work_is_not_set_beside_a_course_that_is_the_same(course: Path) -> None:
    (course / EXERCISE).write_text("mine\n")
    (course / "notebooks" / "mine.ipynb").write_text("{}")
    assert update_folder(course) == starting.Renewal(course)


def test_a_changed_check_makes_way(course: Path, newer: dict[str, bytes]) -> None:
    (course / PUBLIC_TEST).write_text("changed\n")
    done = update_folder(course)
    assert done.put_away == (f"{PUBLIC_TEST}.old",)
    assert (course / f"{PUBLIC_TEST}.old").read_text() == "changed\n"
    assert (course / PUBLIC_TEST).read_bytes() == newer[PUBLIC_TEST]


def test_the_log_of_answers_stays(course: Path, newer: dict[str, bytes]) -> None:
    ProgressLog(course).add("predict", name="x")
    before = ProgressLog(course).path.read_bytes()
    update_folder(course)
    assert ProgressLog(course).path.read_bytes() == before


def test_ends_of_lines_are_no_change(course: Path, newer: dict[str, bytes]) -> None:
    data = (course / EXERCISE).read_bytes()
    (course / EXERCISE).write_bytes(data.replace(b"\n", b"\r\n"))
    assert not update_folder(course).beside
    assert (course / EXERCISE).read_bytes() == newer[EXERCISE]


def test_an_interrupted_renewal_can_be_repeated(
    course: Path, newer: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    put = starting._put
    (course / EXERCISE).write_text("mine\n")

    def fails(path: Path, data: bytes) -> None:
        if path.name.startswith("test_ex05a"):
            raise OSError(28, "No space left on device", str(path))
        put(path, data)

    with monkeypatch.context() as broken:
        broken.setattr(starting, "_put", fails)
        with pytest.raises(OSError, match="No space"):
            update_folder(course)
    update_folder(course)
    after = contents(course)
    assert after.pop("exercises/ex04a_fork.new.py") == newer[EXERCISE]
    assert after == {**newer, EXERCISE: b"mine\n"}


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    said = run("start", str(tmp_path))
    assert (said.exit_code, contents(tmp_path)) == (2, {"thesis.tex": b"mine"})
    assert "is not empty and holds no course" in said.output
    assert run("update", str(tmp_path)).exit_code == 2


@pytest.mark.parametrize("name", ["assignment.json", "solutions/x.py"])
def test_what_others_look_after_is_opened_and_not_renewed(
    course: Path, newer: dict[str, bytes], name: str
) -> None:
    (course / name).parent.mkdir(exist_ok=True)
    (course / name).write_text("{}")
    before = contents(course)
    assert start_folder(course) == starting.Renewal(course)
    assert contents(course) == before
    with pytest.raises(ValueError, match="instructor" if "json" in name else "git pull"):
        update_folder(course)


def test_an_older_anonlab_keeps_its_hands_off(course: Path) -> None:
    path = course / HANDED_OUT
    path.write_text(json.dumps({**json.loads(path.read_text()), "anonlab": "99.1"}))
    said = run("update", str(course))
    assert said.exit_code == 2
    assert "is from anonlab 99.1" in said.output
    path.write_text("{")
    assert "cannot be read" in run("update", str(course)).output


def test_start_opens_jupyterlab_at_the_first_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[list[str], Path]] = []
    monkeypatch.setattr(verbs, "become", lambda command, folder: calls.append((command, folder)))
    monkeypatch.chdir(tmp_path)
    assert run("start", "--no-browser").exit_code == 0
    ((command, folder),) = calls
    assert folder == verbs.FOLDER
    assert command[1:3] == ["-m", "jupyterlab"]
    root = tmp_path / verbs.FOLDER
    assert f"--ServerApp.root_dir={root}" in command
    assert "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb" in command
    assert "--no-browser" in command
    monkeypatch.chdir(root / "exercises")
    assert run("start").exit_code == 0
    assert calls[-1][1] == root, "inside a course it is that course"
    assert "--no-browser" not in calls[-1][0]


def test_a_hub_gets_the_folder_and_no_second_jupyterlab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verbs, "become", lambda *_: pytest.fail("one JupyterLab runs already"))
    assert run("start", str(tmp_path / "course"), "--no-lab").exit_code == 0
    assert (tmp_path / "course" / NOTEBOOK).is_file()


def test_without_jupyterlab_the_folder_is_made_and_the_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verbs.importlib.util, "find_spec", lambda name: None)
    said = run("start", str(tmp_path / "course"))
    assert said.exit_code == 2
    assert "pip install 'anonlab[lab]'" in said.output
    assert "uvx --from 'anonlab[lab]' anonlab start" in said.output
    assert (tmp_path / "course" / NOTEBOOK).is_file()


def test_update_tells_what_it_did(course: Path, newer: dict[str, bytes]) -> None:
    (course / EXERCISE).write_text("mine\n")
    said = run("update", str(course)).output.splitlines()
    assert f"newer: {NOTEBOOK}" in said
    assert "newer, beside yours: exercises/ex04a_fork.new.py" in said
    assert run("update", str(course)).output == "nothing is newer\n"
