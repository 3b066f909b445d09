"""A cell never overwrites newer work, a reset keeps the old file, a check is kept at once."""

from __future__ import annotations

import pytest

from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring.exercises import Course
from anonlab.course.judging.attempt import check_exercise, reset_exercise, write_cell

MINE = "def share_page(word):\n    return word, word\n"


def test_a_cell_replaces_the_template_and_what_it_wrote_itself(course: Course) -> None:
    path = course.file("04a")
    assert write_cell(course, "04a", MINE).how == "written"
    assert path.read_text("utf-8") == f"{course['04a'].header}\n{MINE}"
    assert write_cell(course, "04a", MINE).how == "same"
    assert write_cell(course, "4a", MINE + "# more\n").how == "written"
    assert path.read_text("utf-8").endswith("# more\n")


def test_a_cell_that_is_the_template_changes_nothing(course: Course) -> None:
    stub = course["04a"].stub
    assert write_cell(course, "04a", stub).how == "same"
    write_cell(course, "04a", MINE)
    assert write_cell(course, "04a", stub).how == "template"
    assert MINE in course.file("04a").read_text("utf-8")


def test_work_from_an_editor_is_never_overwritten(course: Course) -> None:
    write_cell(course, "04a", MINE)
    path = course.file("04a")
    newer = path.read_text("utf-8") + "# from an editor\n"
    path.write_text(newer, "utf-8")
    written = write_cell(course, "04a", MINE + "# from a cell\n")
    assert written.how == "kept both"
    assert path.read_text("utf-8") == newer
    assert written.beside is not None
    assert "# from a cell" in written.beside.read_text("utf-8")
    assert "-# from an editor" in written.difference
    assert "+# from a cell" in written.difference


def test_another_notebooks_work_is_newer_work(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "one.ipynb")
    write_cell(course, "04a", MINE)
    monkeypatch.setenv("JPY_SESSION_NAME", "two.ipynb")
    assert write_cell(course, "04a", MINE + "# two\n").how == "kept both"
    assert write_cell(course, "04a", MINE + "# two\n", take_cell=True).how == "written"
    monkeypatch.setenv("JPY_SESSION_NAME", "one.ipynb")
    assert write_cell(course, "04a", MINE + "# one\n").how == "kept both"
    assert course.file("04a").read_text("utf-8").endswith("# two\n")
    assert [path.name for path in course.root.glob("exercises/*.old1.py")] == ["ex04a_fork.old1.py"]


def test_a_reset_keeps_the_old_file_beside(course: Course) -> None:
    assert reset_exercise(course, "04a")[1] is None
    for number in (1, 2):
        write_cell(course, "04a", MINE)
        path, beside = reset_exercise(course, "04a")
        assert course["04a"].stub in path.read_text("utf-8")
        assert beside is not None
        assert beside.name == f"ex04a_fork.old{number}.py"
        assert MINE in beside.read_text("utf-8")
    path.unlink()
    assert reset_exercise(course, "04a") == (path, None)


def test_a_check_is_kept_with_its_points(course: Course, right: dict[str, str]) -> None:
    report = check_exercise(course, "04a")
    assert (report.ok, report.points, report.most, report.hidden) == (False, 0, 4, 6)
    write_cell(course, "04a", right["04a"])
    report = check_exercise(course, "04a", because="the parent")
    assert report.summary == (
        "Public checks passed; hidden ones run at grading (4 of 4 points, 6 more at grading)."
    )
    first, second = ProgressLog(course.root).events("check", exercise="04a")
    assert (first["ok"], first["tests"]["test_share_page"]) == (False, "stub")
    assert (second["ok"], second["points"], second["because"]) == (True, 4, "the parent")


def test_a_missing_file_and_an_unknown_exercise_are_sentences(course: Course) -> None:
    course.file("04a").unlink()
    with pytest.raises(FileNotFoundError, match="get the template back with reset"):
        check_exercise(course, "04a")
    with pytest.raises(ValueError, match="there is no exercise '99z'"):
        check_exercise(course, "99z")


def test_a_damaged_variant_is_a_sentence(course: Course) -> None:
    (course.root / "exercises" / "variant.json").write_text("[]", "utf-8")
    with pytest.raises(ValueError, match="ask for it again"):
        check_exercise(course, "04a")
