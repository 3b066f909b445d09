"""No hint and no worked example is a piece of the graded answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from project import ROOT

from anonlab.course.authoring.fading import examples_that_tell, hints_that_tell
from anonlab.course.authoring.masters import read_masters

MASTERS = {master.number: master for master in read_masters(ROOT / "solutions")}


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        ("04a", "Try `np.where(present, words & ~WRITE, words)`."),
        ("04a", "Under other names: `np.where(here, entries & ~W, entries)`."),
        ("06a", "Take one off: count[pfns] -= 1\nmapcount[pfns] -= 1"),
        ("05b", "spawn, mmap, write, fork, and then a write by the child"),
    ],
)
def test_a_hint_that_is_a_piece_of_the_answer_is_named(number: str, hint: str) -> None:
    master = replace(MASTERS[number], hints=("Look at the words.", hint))
    (problem,) = hints_that_tell(master)
    assert problem.startswith("hint 2 is a piece of the answer: ")


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        ("04a", "`np.where(late, 0, marks)` gives 0 where `late` is true."),
        ("04a", "`word & ~WRITE` switches a bit off."),
        ("05b", "Is it a write, a fork or an mmap that the mutant changes?"),
    ],
)
def test_another_case_is_no_piece_of_the_answer(number: str, hint: str) -> None:
    assert hints_that_tell(replace(MASTERS[number], hints=(hint,))) == []


def test_a_worked_example_that_is_the_answer_is_named(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    source = tmp_path / "source" / "08_it.py"
    text = "# ## 6 · Worked example\n#\n# Look.\n\n# %%\n{}\n\n# ## 7 · Modify\n{}\n"
    answer = "[entry if word & 1 and word >> 12 == pfn else word for word in words]"
    source.write_text(text.format(answer, ""), "utf-8")
    (problem, *_) = examples_that_tell(tmp_path, [MASTERS["08a"]])
    assert "08_it: its worked example is a piece of the answer of 08a" in problem
    source.write_text(text.format("len(words)", answer), "utf-8")
    assert examples_that_tell(tmp_path, [MASTERS["08a"]]) == [], "what follows is no example"
