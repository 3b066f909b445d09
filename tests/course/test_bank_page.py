"""The bank for teachers: every question with its answer, and none of it in what students get."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from project import ROOT

from anonlab.cli.verbs import cli
from anonlab.course.asking.bank import QUESTIONS
from anonlab.course.asking.bank.items import ITEMS
from anonlab.course.asking.bank.misconceptions import MISCONCEPTIONS
from anonlab.course.authoring.release import write_release
from anonlab.course.drills.drills import DRILLS, LEVELS
from anonlab.course.drills.paper import read_exam
from anonlab.course.teaching.bank import entries


def test_every_question_is_there_with_its_answer_and_what_beliefs_tell(tmp_path: Path) -> None:
    found = entries()
    drills, eight = len(DRILLS) * LEVELS, 2 * len(ITEMS)
    scenes = sum(entry.kind == "scene" for entry in found)
    assert len(found) == len(QUESTIONS) + drills + eight + scenes
    assert all(part.right for entry in found for part in entry.parts)
    told = {words for entry in found for part in entry.parts for _, words in part.tells}
    for row in MISCONCEPTIONS:
        assert any(words.endswith(f"Believes: {row.thought}.") for words in told), row.thought
    done = CliRunner().invoke(cli, ["course", "bank", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "bank.html").read_text("utf-8")
    assert text.count("<section>") == len(found)
    assert "http" not in text


def test_what_moodle_imports_has_one_right_option_in_each_question(tmp_path: Path) -> None:
    CliRunner().invoke(cli, ["course", "bank", "--out", str(tmp_path)])
    text = (tmp_path / "bank.gift").read_text("utf-8")
    questions = re.findall(r"^::.*\{\n((?:  [=~].*\n)+)\}$", text, re.MULTILINE)
    assert len(questions) == text.count("\n::") >= 80
    for options in questions:
        assert len(re.findall(r"^  =", options, re.MULTILINE)) == 1
        assert len(re.findall(r"^  ~", options, re.MULTILINE)) >= 1
        assert not re.search(r"(?<!\\)[{}:]", options)


def test_a_release_holds_nothing_for_teachers(tmp_path: Path) -> None:
    assignment = tmp_path / "all.toml"
    assignment.write_text('exercises = "all"\n', "utf-8")
    files = write_release(ROOT, assignment, tmp_path / "out")
    for path in files:
        assert not re.search(r"bank|teaching|rubric|slides|INSTRUCTOR", path.name, re.I), path


EXAM = """name = "Quiz"
variants = 2
seed = 7
[[question]]
bank = "05 owner"
points = 2
[[question]]
bank = "03 index"
[[question]]
bank = "08 candidates"
[[question]]
bank = "04 inverse"
[[question]]
drill = "04"
"""


def test_an_exam_may_ask_questions_of_the_notebooks(tmp_path: Path) -> None:
    path = tmp_path / "quiz.toml"
    path.write_text(EXAM, "utf-8")
    done = CliRunner().invoke(cli, ["course", "exam", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    asked = (tmp_path / "out" / "exam-A.html").read_text("utf-8")
    key = (tmp_path / "out" / "key-A.html").read_text("utf-8")
    assert "p: the parent owns the page" in asked
    assert "Nobody owns it." not in asked
    assert "Nobody owns it. The writer leaves" in key
    data = json.loads((tmp_path / "out" / "questions.json").read_text("utf-8"))
    numbers = {data[name][1]["parts"][0]["truth"] for name in "AB"}
    assert len(numbers) == 2, "numbers are drawn for each variant"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('bank = "05 nothing"', "question 1: there is no question '05 nothing'; there are "),
        ('bank = "04 order"', "question 1: '04 order' puts steps in order"),
        ('bank = "05 owner"\nlevel = 2', "question 1: bank names a question; leave out level"),
    ],
)
def test_a_question_that_cannot_be_asked_is_told(tmp_path: Path, lines: str, says: str) -> None:
    path = tmp_path / "quiz.toml"
    path.write_text(f"seed = 1\n[[question]]\n{lines}\n", "utf-8")
    with pytest.raises(ValueError, match=re.escape(says)):
        read_exam(path)
