"""A learner's work goes into one archive, and what is wrong with it is said before."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from project import ROOT

from anonlab import learn
from anonlab.cli.verbs import cli
from anonlab.course.asking import exercise_tools
from anonlab.course.authoring.exercises import Course
from anonlab.course.authoring.masters import read_masters
from anonlab.course.judging import work_archive
from anonlab.course.judging.work_archive import archive_name, export_work
from anonlab.grading.intake.accept import accept_files


def test_an_archive_has_every_exercise_and_the_log(
    course: Course, right: dict[str, str], tmp_path: Path
) -> None:
    exercise_tools.exercise("04a", right["04a"])
    done = export_work(course, tmp_path / "ada.zip")
    assert done.begun == 1
    assert len(done.notes) == len(course.exercises) - 1
    with zipfile.ZipFile(done.path) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert archive.read("exercises/ex04a_fork.py") == course.file("04a").read_bytes()
        assert b'"what": "check"' in archive.read("progress.jsonl")
    wanted = {f"exercises/{course.file(number).name}" for number in course.exercises}
    assert set(names) == wanted | {"progress.jsonl"}
    assert not any(part.startswith(".") for name in names for part in name.split("/"))


def test_grading_takes_what_was_exported(
    course: Course, right: dict[str, str], tmp_path: Path
) -> None:
    exercise_tools.exercise("04a", right["04a"])
    handed_in = tmp_path / "handed-in"
    handed_in.mkdir()
    export_work(course, handed_in / "ada.zip")
    masters = {master.number: master for master in read_masters(ROOT / "solutions")}
    files, _, notes, *_ = accept_files(handed_in, masters, tmp_path / "taken", boxed=False)
    assert notes == ()
    assert set(files) == set(masters)
    assert files["04a"].read_bytes() == course.file("04a").read_bytes()


def test_equal_work_makes_equal_bytes(course: Course, tmp_path: Path) -> None:
    learn.predict("03 frames", "1, 2")
    first = export_work(course, tmp_path / "a.zip").path.read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    course.file("04a").touch()
    assert export_work(course, tmp_path / "b.zip").path.read_bytes() == first
    learn.predict("03 frames", "1, 3")
    assert export_work(course, tmp_path / "b.zip", force=True).path.read_bytes() != first


def test_each_lack_is_told(course: Course, tmp_path: Path) -> None:
    course.file("05a").unlink()
    course.file("06a").write_text("def exit_mm(:\n", "utf-8")
    course.file("07a").write_text("x = " + "-" * 100_000 + "1\n", "utf-8")
    notes = export_work(course, tmp_path / "a.zip").notes
    assert '05a: ex05a_cow.py is missing; reset("05a") brings it back' in notes
    assert "06a: ex06a_exit.py, line 1 is not Python: invalid syntax" in notes
    assert "04a: ex04a_fork.py is still the template" in notes
    assert any(note.startswith("07a: ") and "nested too deep" in note for note in notes)


def test_nothing_too_much_and_a_file_that_is_there_are_refused(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a.zip"
    with pytest.raises(ValueError, match="nothing to hand in"):
        export_work(course, out)
    learn.predict("03 frames", "1, 2")
    monkeypatch.setattr(work_archive, "MOST_BYTES", 1000)
    with pytest.raises(ValueError, match=r"bytes, the limit is 1,000: exercises/.* alone has"):
        export_work(course, out)
    assert list(tmp_path.glob("*.zip")) == []
    monkeypatch.undo()
    monkeypatch.setenv("ANONLAB_COURSE", str(course.root))
    out.write_text("mine")
    with pytest.raises(ValueError, match="is there already"):
        export_work(course, out)
    assert out.read_text() == "mine"


def test_an_archive_is_called_after_its_student(course: Course) -> None:
    assert archive_name(course) == "anonlab-work.zip"
    variant = course.root / "exercises" / "variant.json"
    variant.write_text('{"student": "007", "seeds": {}}', "utf-8")
    assert archive_name(course) == "007.zip"
    assert archive_name(course, "ada@example.org") == "ada@example.org.zip"
    for wrong in ("../ada", "7" * 101):
        with pytest.raises(ValueError, match="makes no name of a file"):
            archive_name(course, wrong)
    variant.write_text("[]", "utf-8")
    with pytest.raises(ValueError, match="cannot be read .*: ask for it again"):
        archive_name(course)


def test_the_verb_says_what_it_wrote(course: Course) -> None:
    refused = CliRunner().invoke(cli, ["export"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "nothing to hand in" in refused.stderr
    learn.predict("03 frames", "1, 2")
    done = CliRunner().invoke(cli, ["export", "--student", "ada"])
    assert done.exit_code == 0
    assert done.stdout.endswith(f"ada.zip: 0 of {len(course.exercises)} exercises begun\n")
    assert "04a: ex04a_fork.py is still the template" in done.stderr
    assert (course.root / "ada.zip").is_file()
