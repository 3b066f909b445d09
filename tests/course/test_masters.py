"""Masters: read without running them, refused with a sentence, and what they make is current."""

from __future__ import annotations

from pathlib import Path

import pytest
from project import ROOT

from anonlab.course.authoring.exercises import (
    build_exercises,
    exercise_drift,
    find_course,
    generated,
    read_catalogue,
)
from anonlab.course.authoring.masters import read_master, read_masters
from anonlab.course.authoring.overview import map_of
from anonlab.errors import FormatError

MASTER = '''"""09z · A title

What is to be done.
"""

EXERCISE = {
    "objectives": ["know it"],
    "minutes": 5,
    "public": {"test_it": 2},
    "hidden": {"test_more": 3},
    "families": ["lone"],
    "hints": ["look"],
    "commentary": "why",
}

import numpy as np


def double(n):
    """Return twice n."""
    # <answer>
    return 2 * n
    # </answer>
'''


def written(folder: Path, text: str = MASTER, name: str = "ex09z_title.py") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_a_master_makes_stub_and_solution(tmp_path: Path) -> None:
    master = read_master(written(tmp_path))
    assert (master.number, master.title, master.points) == ("09z", "A title", 5)
    assert "2 * n" not in master.stub
    assert '    raise NotImplementedError("09z: your code goes here")\n' in master.stub
    assert "answer>" not in master.solution
    assert master.answers == ("    return 2 * n\n",)


def test_reading_a_master_runs_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, MASTER + "\nraise SystemExit\n")
    assert read_master(path).number == "09z"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("09z · A title", "09y · A title", 'the docstring begins "09z'),
        ('"minutes": 5', '"minutes": 0', "minutes is a int"),
        ('"hints": ["look"],', "", "EXERCISE has objectives"),
        ('"test_it": 2', '"it": 2', "public is"),
        ('{"test_more": 3}', "dict(test_more=3)", "plain data"),
        ("# <answer>", "# answer", "nothing stands between"),
        ("return 2 * n", "return 2 *", "invalid syntax"),
        ("EXERCISE", "FACTS", "no EXERCISE"),
    ],
)
def test_a_wrong_master_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        read_master(written(tmp_path, MASTER.replace(old, new)))


def test_names_and_numbers_of_masters(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="exNNx_topic"):
        read_master(written(tmp_path, name="fork.py"))
    with pytest.raises(FileNotFoundError, match="name the folder"):
        read_masters(tmp_path / "nowhere")
    (tmp_path / "fork.py").unlink()
    written(tmp_path)
    written(tmp_path, name="ex09z_other.py")
    with pytest.raises(FormatError, match="both exercise 09z"):
        read_masters(tmp_path)


def test_built_exercises_are_what_their_masters_make() -> None:
    masters = read_masters(ROOT / "solutions")
    for name, text in generated(masters).items():
        path = ROOT / "exercises" / name
        assert path.exists(), f"{name} is missing: run `anonlab course build`"
        if name in ("catalogue.json", "conftest.py"):
            assert path.read_text("utf-8") == text, f"{name}: run `anonlab course build`"
    assert set(read_catalogue(ROOT / "exercises" / "catalogue.json")) == {m.number for m in masters}


def test_drift_names_missing_changed_and_foreign_files(tmp_path: Path) -> None:
    masters = (read_master(written(tmp_path)),)
    folder = tmp_path / "exercises"
    assert len(exercise_drift(masters, folder)) == 3
    assert len(build_exercises(masters, folder)) == 3
    assert build_exercises(masters, folder) == ()
    assert exercise_drift(masters, folder) == ()
    (folder / "ex09z_title.py").write_text("mine", "utf-8")
    (folder / "ex01a_old.py").write_text("old", "utf-8")
    changed, foreign = exercise_drift(masters, folder)
    assert "is not what its master makes" in changed
    assert "has no master" in foreign


def test_a_course_is_found_from_anywhere_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANONLAB_COURSE", raising=False)
    build_exercises((read_master(written(tmp_path)),), tmp_path / "exercises")
    (tmp_path / "notebooks" / "deep").mkdir(parents=True)
    course = find_course(tmp_path / "notebooks" / "deep")
    assert course["9Z"].title == course["ex09z"].title == "A title"
    with pytest.raises(ValueError, match="there are 09z"):
        course["04a"]
    monkeypatch.setenv("ANONLAB_COURSE", str(tmp_path))
    assert find_course().root == tmp_path
    (tmp_path / "exercises" / "catalogue.json").write_text("{", "utf-8")
    with pytest.raises(FormatError, match="build it again"):
        find_course()
    with pytest.raises(FileNotFoundError, match="go to the folder of the course"):
        find_course(Path("/"))


def test_the_course_map_has_every_exercise_once() -> None:
    masters = read_masters(ROOT / "solutions")
    text = (ROOT / "notebooks" / "COURSE_MAP.md").read_text("utf-8")
    assert text == map_of(ROOT / "notebooks", masters), "run `anonlab course build`"
    for master in masters:
        assert text.count(f"| {master.number} {master.title} |") == 1
    assert f"| {sum(master.points for master in masters)} |" in text
