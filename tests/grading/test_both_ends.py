"""The laptop and the box give the same verdicts on the course's own exercises, test by test."""

from __future__ import annotations

from typing import Any

import pytest
from ordinary import needs_box
from project import ROOT
from small_course import Small

from anonlab.course.authoring.masters import Master, read_masters
from anonlab.course.authoring.selfcheck import read_wrongs
from anonlab.grading.reports.drawn import drawings

pytestmark = [needs_box, pytest.mark.xdist_group("attacks")]

MASTERS = {master.number: master for master in read_masters(ROOT / "solutions")}
SHARE = ("01b", "02b", "03a", "04b", "05a", "06b", "09a")
"""One of each kind: words, areas, arrays, states, ranges, histories, a design. `anonlab grade
--selftest` does all."""


def submit(small: Small, master: Master, code: str, in_process: bool) -> None:
    """Add a submission to the course's own exercise `master`."""
    path = small.folder / f"in{len(small.jobs)}" / f"{master.name}.py"
    path.parent.mkdir()
    path.write_text(code)
    settings = {"assignment": "hw", "points": {master.number: master.points}, "secret": "s"}
    small.jobs.append(
        {
            "course": str(ROOT),
            "files": {master.number: str(path)},
            "settings": {**settings, "in_process": in_process},
            "student": "u1",
        }
    )


@pytest.mark.parametrize("number", SHARE)
def test_both_ends_agree(number: str, small: Small) -> None:
    master = MASTERS[number]
    _, old, new = read_wrongs(ROOT, master)[0]
    for code in (master.solution, master.solution.replace(old, new)):
        for in_process in (False, True):
            submit(small, master, code, in_process)
    right, right_here, wrong, wrong_here = small.graded()
    for boxed, here in ((right, right_here), (wrong, wrong_here)):
        assert [verdict(t) for t in boxed["tests"]] == [verdict(t) for t in here["tests"]]
    assert sum(t["points"] for t in right["tests"]) == master.points
    assert sum(t["points"] for t in wrong["tests"]) < master.points
    if number == "05a":
        shown = wrong["tests"][0]["shown"]
        assert shown["history"].startswith("machine lesson")
        before, after = drawings(shown["history"])
        assert before.says.removeprefix("Before ") in shown["history"]
        assert "frame" in after.twin


def verdict(test: dict[str, Any]) -> tuple[Any, ...]:
    """What both ends must say alike: how a value cannot be sent is the box's own word."""
    status = "fail" if test["status"] == "protocol" else test["status"]
    return test["test"], status, test["points"], test["hint"], test["private"]["seed"]
