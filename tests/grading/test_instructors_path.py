"""An instructor's path, from the wheel: choose, release, collect, grade, correct, give back."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from classroom import RIGHT, notebook, put, zipped
from ordinary import as_ordinary_user, give, needs_box, open_folder
from packages import build_wheel, clean_environment
from project import ROOT

pytestmark = [needs_box, pytest.mark.xdist_group("wheel"), pytest.mark.slow(share=0)]
CLASS = 40
SECRET = "the secret of the class"
HW = """name = "Homework 1"
exercises = ["04a", "05a"]
due = 2026-10-24T22:00:00
zone = "Europe/Berlin"
[late]
percent_per_day = 10
[grading]
variants = true
"""
ONE, OTHER = "ex04a_fork.py", "ex05a_cow.py"
BOTH = {ONE: RIGHT[ONE], OTHER: RIGHT[OTHER]}


@dataclass
class Instructor:
    """Somebody with a wheel, a folder of the course and no checkout of anonlab."""

    home: Path
    course: Path

    def run(self, *words: str, status: int = 0, folder: Path | None = None) -> str:
        """What `anonlab …` prints, in the course or another folder."""
        give(self.home)
        done = subprocess.run(
            as_ordinary_user(str(self.home / "venv" / "bin" / "python"), "-m", "anonlab", *words),
            cwd=folder or self.course, capture_output=True, text=True, timeout=900, check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "ANONLAB_SECRET": SECRET,
                 "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    def grade(self, *more: str) -> dict[str, dict[str, str]]:
        """Grade what Canvas has handed over; return grades by student."""
        out = str(self.home / "grades")
        told = self.run(
            "grade", str(self.home / "canvas"), "--roster", str(self.home / "canvas.csv"),
            "--assignment", str(self.home / "hw1.toml"), "--out", out, "--json",
            "--received", str(self.home / "received.csv"), *more,
        )  # fmt: skip
        self.told = json.loads(next(each for each in told.splitlines() if each.startswith("{")))
        rows = (self.home / "grades/instructor/grades.csv").read_text("utf-8").splitlines()
        return {row["student_id"]: row for row in csv.DictReader(rows)}


@pytest.fixture(scope="module")
def instructor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instructor]:
    wheel = build_wheel(tmp_path_factory.mktemp("dist"))
    with open_folder() as folder:
        clean_environment(folder / "venv", wheel)
        (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
        for path in [each for each in packages.iterdir() if each.is_symlink()]:
            lent = path.resolve()  # a box sees what is in the environment, and not where links lead
            path.unlink()
            copy = shutil.copytree if lent.is_dir() else shutil.copyfile
            copy(lent, path)
        for part in ("solutions", "tests/exercises", "notebooks"):
            kept = shutil.ignore_patterns("__pycache__", "source")
            shutil.copytree(ROOT / part, folder / "course" / part, ignore=kept)
        yield Instructor(folder, folder / "course")


def student(at: int) -> str:
    return str(1000 + at)


def handed_in(at: int) -> dict[str, str | bytes]:
    """What student `at` uploads: the number decides how, and how good it is."""
    if at == 38:
        return {"my homework.docx": "see attached"}
    if at % 4 == 1:
        return {ONE: RIGHT[ONE]}
    if at % 4 == 2:
        return {"all.ipynb": notebook(*(f"%%exercise {n[2:5]}\n{BOTH[n]}" for n in BOTH))}
    return {"hw.zip": zipped({f"hw\\{n}": BOTH[n] for n in BOTH})} if at % 4 == 3 else dict(BOTH)


def test_from_the_choice_of_exercises_to_what_students_get_back(instructor: Instructor) -> None:
    home = instructor.home
    book = "Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (77)\n" + "".join(
        f'"Last{at}, First",{student(at)},{at:07},login{at},1,\n' for at in range(CLASS)
    )
    put(home, {"hw1.toml": HW, "canvas.csv": book})

    # Hand out: a zip for each, which works for its student with nothing but the wheel.
    words = ("--assignment", str(home / "hw1.toml"), "--roster", str(home / "canvas.csv"))
    instructor.run("course", "release", "--out", str(home / "out"), *words, "--variants")
    assert len([*(home / "out").glob("*.zip")]) == CLASS
    with zipfile.ZipFile(home / "out" / f"{student(0)}.zip") as archive:
        archive.extractall(home / "zero")
    work = home / "zero" / "homework-1"
    assert "fail" not in instructor.run("check", "04a", folder=work, status=1)
    put(work / "exercises", {ONE: RIGHT[ONE], OTHER: RIGHT[OTHER]})
    assert "Public checks passed" in instructor.run("check", "04a", folder=work)
    instructor.run("export", folder=work)

    # Collect, as Canvas does: one file for each attachment, with numbers of its own.
    uploads = {at: handed_in(at) for at in range(CLASS - 1)}
    uploads[0] = {f"{student(0)}.zip": (work / f"{student(0)}.zip").read_bytes()}
    for at, files in uploads.items():
        for more, (name, data) in enumerate(files.items()):
            late = "_LATE" if at == 5 else ""
            put(home / "canvas", {f"last{at}first{late}_{student(at)}_{500 + 9 * at + more}_{name}":
                                  data})  # fmt: skip
    on_time, late = "2026-10-24T21:00:00", "2026-10-25T21:30:00"
    put(home, {"received.csv": "student_id,received\n" + "".join(
        f"{student(at)},{late if at == 5 else on_time}\n" for at in uploads)})  # fmt: skip

    # Grade.
    grades = instructor.grade()
    most = float(grades[student(0)]["max"])
    full = {at for at in range(CLASS - 2) if at % 4 != 1}
    assert {at for at in range(CLASS) if grades[student(at)]["raw"] == f"{most:g}"} == full
    assert {grades[student(at)]["raw"] for at in range(1, CLASS - 2, 4)} == {"10"}
    assert [grades[student(at)]["status"] for at in (38, 39)] == ["missing", "missing"]
    assert (grades[student(5)]["days_late"], grades[student(5)]["final"]) == ("1", "9")
    summary = json.loads((home / "grades/instructor/summary.json").read_text("utf-8"))
    assert {(each["student"], each["status"]) for each in summary["attention"]} == {
        (student(38), "missing")
    }

    # Extend one, adjust one: nothing is run again.
    put(home, {
        "extensions.csv": "student_id,due,reason\n0000005,2026-10-26T22:00:00,ill\n",
        "adjustments.csv": "SIS Login ID;points;reason;author\nlogin9;1,5;spoke up;kim\n",
    })  # fmt: skip
    more = ("--extensions", str(home / "extensions.csv"), "--adjustments",
            str(home / "adjustments.csv"))  # fmt: skip
    grades = instructor.grade(*more)
    assert instructor.told["per_second"] == 0.0
    assert (grades[student(5)]["final"], grades[student(9)]["final"]) == ("10", "11.5")

    # Regrade: another weight. Then give back, and fill the grade book.
    put(home, {"hw1.toml": HW.replace("[late]", "[points]\n04a = 30\n[late]")})
    more = (*more, "--give-back", "canvas", "--lms", str(home / "canvas.csv"))
    grades = instructor.grade(*more)
    assert (grades[student(5)]["final"], grades[student(9)]["final"]) == ("30", "31.5")
    regrades = (home / "grades/store").rglob("regrades.csv")
    assert student(5) in next(regrades).read_text("utf-8")
    filled = (home / "grades/instructor/lms/canvas.csv").read_text("utf-8")
    cells = {row["ID"]: row["Homework 1 (77)"] for row in csv.DictReader(io.StringIO(filled))}
    assert cells == {student(at): grades[student(at)]["final"] for at in range(CLASS)}
    with zipfile.ZipFile(home / "grades/give-back/canvas.zip") as archive:
        back = {name.split("_")[-3]: archive.read(name).decode() for name in archive.namelist()}
    assert set(back) == {student(at) for at in range(CLASS - 1)}
    assert "31.5" in back[student(9)]
    assert "spoke up" in back[student(9)]
