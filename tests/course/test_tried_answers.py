"""Answers that people wrote who had seen the statements only: the unusual right ones get all
points, the plausible wrong ones do not; who goes from page to page loses what the statement says,
and no more. Those that were sharp are kept in tests/exercises/tried."""

from __future__ import annotations

from pathlib import Path

import pytest
from project import ROOT

from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.selfcheck import run_all

MASTERS = {master.number: master for master in read_masters(ROOT / "solutions")}
TRIED = ROOT / "tests" / "exercises" / "tried"


@pytest.mark.slow(pool="tried answers")
@pytest.mark.parametrize("path", sorted(TRIED.glob("*/*.py")), ids=lambda path: path.stem)
def test_the_points_are_what_the_answer_is_worth(path: Path) -> None:
    number, _, _ = path.name.partition("__")
    verdicts = run_all(ROOT, MASTERS[number], path.read_text("utf-8"))
    lost = [f"{each.test}: {each.message}" for each in verdicts if each.points < each.most]
    if path.parent.name == "right":
        assert not lost, "\n".join(lost)
    elif path.parent.name == "loops":
        (only,) = lost
        assert only.startswith("test_array_operations: right, but page by page"), only
    else:
        assert lost, "it is wrong, and gets all points"
