"""The selftest agrees with a course that is right, and names what is wrong with one that is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from project import ROOT

from anonlab.cli.verbs import cli
from anonlab.grading.judging.selftest import KnownAnswer, Verdict, grade_known, selftest
from anonlab.grading.store.result import Result
from anonlab.proof import workers

NUMBER, NAME = "04a", "ex04a_fork"
WRONG = 9
"""Known wrong answers of 04a."""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of one exercise, which a test may spoil."""
    for name in (
        f"solutions/{NAME}.py",
        f"tests/exercises/public/test_{NAME}.py",
        f"tests/exercises/hidden/test_{NAME}_hidden.py",
        f"tests/exercises/wrong/{NAME}.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_solutions_are_full_templates_zero_and_wrong_answers_less(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "ncpus", lambda: 1)  # no other processes need to start
    seen: list[tuple[int, int]] = []
    told = selftest(course, box=False, progress=lambda done, total: seen.append((done, total)))
    told.pop("seconds")
    assert told == {
        "exercises": 1,
        "solutions": {"total": 1, "full": 1},
        "templates": {"total": 1, "unchanged": 1, "zero": 1},
        "wrong_answers": {"total": WRONG, "below_full": WRONG},
        "tests_compared": 0,
        "back_ends": ["in-process"],
        "problems": [],
    }
    assert seen == [(done, WRONG + 3) for done in range(1, WRONG + 4)]


@pytest.mark.parametrize("kind", ["solution", "template, changed"])
def test_both_back_ends_come_to_the_same_verdicts(kind: str) -> None:
    answer = KnownAnswer(ROOT, NUMBER, 10, kind, 0)
    assert grade_known(answer, box=True) == Verdict([], compared=5)


def run(course: Path, kind: str, at: int = 0) -> list[str]:
    return grade_known(KnownAnswer(course, NUMBER, 10, kind, at), box=False).problems


def test_a_solution_that_fails_a_hidden_test_is_named(course: Path) -> None:
    path = course / "tests/exercises/hidden" / f"test_{NAME}_hidden.py"
    text = path.read_text("utf-8")
    name = next(line for line in text.splitlines() if line.startswith("def test_"))
    name = name.removeprefix("def ").partition("(")[0]
    path.write_text(f"{text}\n\ndef {name}(student, seed):\n    assert False, 'too strict'\n")
    (problem, *_) = run(course, "solution")
    assert problem.startswith(f"04a, solution: {name} ends with fail: too strict")


def test_a_template_that_passes_a_test_is_named(course: Path) -> None:
    path = course / "tests/exercises/public" / f"test_{NAME}.py"
    with path.open("a") as file:
        file.write("\n\ndef test_share_page(student, seed):\n    pass\n")
    assert run(course, "template, changed") == ["04a, template, changed: test_share_page passes"]


def test_a_wrong_answer_that_gets_full_points_is_named(course: Path) -> None:
    path = course / "tests/exercises/wrong" / f"{NAME}.py"
    spoil(path, '"return word, parent & ~ACCESSED"', '"return parent, parent & ~ACCESSED"')
    problems = run(course, "wrong answer", 0)
    assert problems == ["04a, wrong answer “leave the parent's word writable”: it gets full points"]


def test_a_test_that_is_broken_is_named(course: Path) -> None:
    path = course / "tests/exercises/public" / f"test_{NAME}.py"
    with path.open("a") as file:
        file.write("\n\ndef test_share_page(student, seed):\n    raise KeyError('typo')\n")
    (problem,) = run(course, "solution")
    assert problem == "04a, solution: test_share_page has trouble of its own: KeyError: 'typo'"
    path.write_text("syntax error here\n", "utf-8")
    (problem,) = run(course, "solution")
    assert problem.startswith("04a, solution: ")


def test_back_ends_that_differ_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import anonlab.grading.judging.selftest as module

    real = module.grade_one

    def two_faced(submission: Any, settings: Any) -> Result:
        text = submission.files[NUMBER].read_text("utf-8")
        if not settings.in_process:
            submission.files[NUMBER].write_text(f"{text}\nshare_range = None\n", "utf-8")
        inside = module.Settings(**{**vars(settings), "in_process": True})
        return real(submission, inside)

    monkeypatch.setattr(module, "grade_one", two_faced)
    problems = grade_known(KnownAnswer(ROOT, NUMBER, 10, "solution", 0), box=True).problems
    assert any("in the box: test_share_range ends with fail" in each for each in problems)
    assert any("ends with pass (1.0) in this process, with fail (0.0) in the box" in each
               for each in problems)  # fmt: skip


def test_the_verb_prints_one_object_and_fails_for_a_course_that_is_wrong(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "ncpus", lambda: 1)
    args = ["grade", "--selftest", "--unsafe-in-process", "--course", str(course), "--json"]
    told = CliRunner().invoke(cli, args)
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["problems"] == []
    path = course / "tests/exercises/wrong" / f"{NAME}.py"
    spoil(path, '"return word, parent & ~ACCESSED"', '"return parent, parent & ~ACCESSED"')
    told = CliRunner().invoke(cli, args)
    assert told.exit_code == 1
    assert "it gets full points" in told.stderr
    assert json.loads(told.stdout)["wrong_answers"] == {"total": WRONG, "below_full": WRONG - 1}


def test_an_exercise_that_there_is_not_is_refused(course: Path) -> None:
    with pytest.raises(ValueError, match="there is no exercise '09z'; there are"):
        selftest(course, {"09z": 10}, box=False)
