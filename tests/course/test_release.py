"""Variants can be worked out again by the instructor only; a release gives nothing away."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from project import ROOT

from anonlab.cli.verbs import cli
from anonlab.course.authoring.exercises import Course, find_course
from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.release import GradingTerms, leaks, read_assignment, write_release
from anonlab.course.authoring.variants import variant, variant_seed, write_variant
from anonlab.course.judging.attempt import check_exercise, seed_of

MASTERS = read_masters(ROOT / "solutions")
SECRET = "a secret of some length"


def test_a_variant_is_the_same_for_ever() -> None:
    assert variant_seed("a secret", "ada", "04a") == 3990882035031175163
    assert variant_seed("a secret", " ada ", "04a") == variant_seed("a secret", "ada", "04a")


def test_variants_depend_on_secret_student_and_exercise() -> None:
    seeds = {
        variant_seed(*key)
        for key in (
            ("s", "ada", "04a"),
            ("t", "ada", "04a"),
            ("s", "bob", "04a"),
            ("s", "ada", "04b"),
        )
    }
    assert len(seeds) == 4
    for secret, student in (("", "ada"), ("s", " ")):
        with pytest.raises(ValueError, match="needs a student's id and the course's secret"):
            variant_seed(secret, student, "04a")


@pytest.mark.parametrize("secret", ["s", "too short", "aaaaaaaaaaaaaaaaaaaaaaaa", " " * 40])
def test_a_secret_that_can_be_guessed_is_refused_with_a_way_to_make_one(
    course: Course, secret: str
) -> None:
    with pytest.raises(ValueError, match="can be guessed.*secrets.token_hex"):
        variant(course, secret, "ada")


def test_every_family_of_every_exercise_is_somebodys(course: Course) -> None:
    variants = [variant(course, SECRET, f"student{number}")["families"] for number in range(60)]
    for number, exercise in course.exercises.items():
        assert {each[number] for each in variants} == set(exercise.families)


def test_a_variant_changes_what_is_asked(course: Course, right: dict[str, str]) -> None:
    assert seed_of(course, "04a") == 0
    seeds = json.loads(write_variant(course, SECRET, "ada").read_text("utf-8"))["seeds"]
    assert seed_of(course, "04a") == seeds["04a"] == variant_seed(SECRET, "ada", "04a")
    course.file("04a").write_text(right["04a"], "utf-8")
    assert check_exercise(course, "04a").ok


def assignment(folder: Path, text: str) -> Path:
    path = folder / "homework.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    """The instructor's folder, in which something can be hidden."""
    for part in ("solutions", "tests/exercises", "notebooks"):
        for source in (ROOT / part).rglob("*"):
            if source.is_file() and source.suffix in (".py", ".ipynb", ".md"):
                target = tmp_path / "teacher" / source.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())
    return tmp_path / "teacher"


def test_a_release_holds_no_canary(teacher: Path, tmp_path: Path) -> None:
    canary = "anonlab-canary-4711"
    places = [
        *(teacher / "tests" / "exercises" / "hidden").glob("*.py"),
        *(teacher / "tests" / "exercises" / "wrong").glob("*.py"),
    ]
    for path in places:
        path.write_text(path.read_text("utf-8") + f"# {canary}\n", "utf-8")
    for path in (teacher / "solutions").glob("*.py"):
        marked = rf'\1"{canary}"\n\1# </answer>'
        text = re.sub(r"^( *)# </answer>", marked, path.read_text("utf-8"), flags=re.MULTILINE)
        path.write_text(text, "utf-8")
    files = write_release(teacher, assignment(tmp_path, 'exercises = "all"\n'), tmp_path / "out")
    assert len(files) > 2 * len(MASTERS)
    assert [path for path in files if canary in path.read_bytes().decode("utf-8", "replace")] == []
    assert leaks(files, read_masters(teacher / "solutions")) == []


def test_leaks_sees_solutions_and_hidden_tests(tmp_path: Path) -> None:
    told = tmp_path / "told.py"
    told.write_text(MASTERS[0].solution, "utf-8")
    hidden = tmp_path / "hidden" / "test_x.py"
    hidden.parent.mkdir()
    hidden.write_text("", "utf-8")
    assert len(leaks((told, hidden), MASTERS)) == 2


def test_a_release_has_what_was_chosen_and_works(
    teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        'name = "Homework 1"\nexercises = ["05a", "04a"]\ndue = 2026-10-01T12:00:00Z\n'
        'hints = "none"\n[points]\n04a = 20\n'
    )
    out = tmp_path / "out"
    write_release(teacher, assignment(tmp_path, text), out)
    plain = json.loads((out / "assignment.json").read_text("utf-8"))
    assert plain["numbers"] == ["04a", "05a"]
    assert plain["points"] == {"04a": 20, "05a": 10}
    assert plain["due"] == "2026-10-01T12:00:00+00:00"
    monkeypatch.delenv("ANONLAB_COURSE", raising=False)
    course = find_course(out / "notebooks")
    assert list(course.exercises) == ["04a", "05a"]
    assert course["04a"].hints == ()
    assert not (out / "solutions").exists()
    report = check_exercise(course, "04a")
    assert [each.status for each in report.verdicts] == ["stub", "skipped", "skipped"]
    with pytest.raises(ValueError, match="is not empty"):
        write_release(teacher, tmp_path / "homework.toml", out)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("exercises = [", "homework.toml"),
        ('exercises = ["99z"]', "there is no exercise '99z'"),
        ('exercises = ["04a"]\n[points]\n05a = 3', "there is no exercise '05a' in it"),
        ('exercises = ["04a"]\n[points]\n04a = -3', "points are whole numbers"),
        ("due = 2026-10-01", "due is a time with its zone"),
        ('hints = "some"', "hints is 'free' or 'none'"),
        ("exercise = 1", "unknown field 'exercise'"),
        ('name = "x"\n\nexercise = 1', "homework.toml, line 3: unknown field 'exercise'"),
        ("[grades]\nx = 1", "homework.toml, line 1: unknown field 'grades'"),
        ("[grading]\ncall_second = 1", "homework.toml, line 2: unknown field 'call_second'"),
        ("[grading]\ncall_seconds = 0", "call_seconds is a number above 0"),
        ("[grading]\njudge_mebibytes = 8", "judge_mebibytes is a whole number from 256"),
        ("[grading]\njudge_mebibytes = 1e3", "judge_mebibytes is a whole number from 256"),
        ("[grading]\nbox_seconds = true", "box_seconds is a number above 0"),
        ("[grading]\nbox_seconds = nan", "box_seconds is a number above 0"),
        ('[grading]\nhidden = "no"', "hidden is one of 'after_published'"),
        ("[grading]\nsecret_env = 3", "secret_env is the name"),
        ("[grading]\nvariants = 1", "variants is true or false"),
        ("grading = 3", "grading is a table"),
        ("late = 3", "late is a table"),
    ],
)
def test_a_wrong_assignment_is_a_sentence(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_assignment(assignment(tmp_path, text), MASTERS)


def test_an_assignment_says_how_it_is_graded(tmp_path: Path) -> None:
    text = (
        'exercises = ["04a"]\n[late]\npercent_per_day = 10\n[grading]\nhidden = "hidden"\n'
        'secret_env = "SECRET_OF_05"\ncall_seconds = 5\nbox_seconds = 60.0\n'
    )
    read = read_assignment(assignment(tmp_path, text), MASTERS)
    assert read.late == {"percent_per_day": 10}
    assert read.grading == GradingTerms("hidden", "SECRET_OF_05", 5, 60.0)
    plain = read_assignment(assignment(tmp_path, 'exercises = ["04a"]\n'), MASTERS)
    assert (plain.late, plain.grading) == ({}, GradingTerms())
    assert plain.grading.secret_env == "ANONLAB_SECRET"


def test_variants_and_checks_on_the_shell(course: Course, right: dict[str, str]) -> None:
    run = CliRunner().invoke
    plain = json.loads(
        run(cli, ["course", "variant", "--student", "ada", "--secret", SECRET]).stdout
    )
    assert plain["seeds"]["04a"] == variant_seed(SECRET, "ada", "04a")
    refused = run(cli, ["course", "variant", "--student", "ada"], env={"ANONLAB_SECRET": ""})
    assert (refused.exit_code, "secret" in refused.stderr) == (2, True)
    failed = run(cli, ["check", "4a"])
    assert (failed.exit_code, "Not written yet" in failed.stdout) == (1, True)
    course.file("04a").write_text(right["04a"], "utf-8")
    assert run(cli, ["check", "04a"]).exit_code == 0
    assert run(cli, ["check", "99z"]).exit_code == 2
