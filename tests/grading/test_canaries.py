"""What a judge and a box really gave, as students see it: nothing of hidden inputs, sources, seeds,
or of others' work."""

from __future__ import annotations

import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from ordinary import needs_box
from project import ROOT

from anonlab.course.authoring.masters import read_masters
from anonlab.grading.intake.submission import Settings, Submission
from anonlab.grading.judging.grade_submission import grade_one
from anonlab.grading.reports import ClassFacts, write_all
from anonlab.grading.reports.late import Terms, grade
from anonlab.grading.store.result import Result

NAME = "ex04a_fork"
INPUT, SOURCE, SECRET, OTHER = (f"canary-{name}" for name in ("input", "source", "secret", "other"))
HIDDEN = f'''
"""{SOURCE}"""
from anonlab.course.judging.call_answers import Question, Wrong, judge_all

def test_other_histories(student, seed):
    """A hidden check"""  # {SOURCE}
    judge_all(student, [Question("tell", ("{INPUT}",), "{SOURCE}", "about {INPUT}")])

def test_pages_and_ranges(student, seed):
    """Another hidden check"""
    student.boom("{INPUT}")
'''
THIEF = """
def share_page(word):
    return tell(word)

share_range = share_page

def tell(what):
    print("told:", what)
    return [what, "seen"]

def boom(what):
    print("told:", what)
    raise ValueError(what)
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    """A thief's result, whose code tells all that it is given, and another student's."""
    folder = tmp_path_factory.mktemp("canaries")
    for part in ("solutions", "tests/exercises/public", "tests/exercises/hidden"):
        (folder / part).mkdir(parents=True)
    shutil.copyfile(ROOT / "solutions" / f"{NAME}.py", folder / "solutions" / f"{NAME}.py")
    public = f"tests/exercises/public/test_{NAME}.py"
    shutil.copyfile(ROOT / public, folder / public)
    (master,) = read_masters(folder / "solutions")
    names = dict(zip(("test_other_histories", "test_pages_and_ranges"), master.hidden, strict=True))
    hidden = HIDDEN
    for ours, theirs in names.items():
        hidden = hidden.replace(ours, theirs)
    (folder / f"tests/exercises/hidden/test_{NAME}_hidden.py").write_text(hidden, "utf-8")
    settings = Settings(folder, "HW", {"04a": 10}, SECRET)
    found = []
    for student, code in (("thief", THIEF), (OTHER, f"print('{OTHER}')\n{THIEF}")):
        path = folder / student / f"{NAME}.py"
        path.parent.mkdir()
        path.write_text(code, "utf-8")
        found.append(grade_one(Submission(student, student, {"04a": path}), settings))
    return [replace(each, key=f"{at:064d}") for at, each in enumerate(found)]


@needs_box
def test_the_canaries_are_in_what_instructors_see(results: list[Result]) -> None:
    thief, other = results
    assert {test.status for test in thief.tests} <= {"fail", "skipped"}
    private = repr([test.private for test in thief.tests if test.hidden])
    assert INPUT in private
    assert SOURCE in private
    assert OTHER in repr(other)


@needs_box
def test_no_canary_is_in_what_the_student_sees(results: list[Result], tmp_path: Path) -> None:
    write_all(tmp_path, [grade(each, None, Terms()) for each in results], ClassFacts("HW"))
    seeds = [str(test.private["seed"]) for test in results[0].tests if test.hidden]
    assert all(len(seed) > 5 for seed in seeds)
    seen = [*(tmp_path / "students").glob("thief.*"), tmp_path / "instructor/gradescope/thief.json"]
    assert len(seen) == 3
    for path in seen:
        text = unescape(path.read_text("utf-8"))
        told = [word for word in (INPUT, SOURCE, SECRET, OTHER, *seeds) if word in text]
        assert told == [], path.name
        assert "A hidden check" in text
        assert "told: " in text or path.suffix == ".json", "public checks tell what was printed"
