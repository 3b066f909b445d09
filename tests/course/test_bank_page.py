"""The bank for teachers: every question with its answer, and none of it in what students get."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner
from project import ROOT

from anonlab.cli.verbs import cli
from anonlab.course.asking.bank import QUESTIONS
from anonlab.course.asking.bank.items import ITEMS
from anonlab.course.asking.bank.misconceptions import MISCONCEPTIONS
from anonlab.course.authoring.release import write_release
from anonlab.course.drills.drills import DRILLS, LEVELS
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
