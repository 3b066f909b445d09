"""`anonlab course check` of the shipped course, part by part, so that a run of the tests shares the
parts among its processes: together they are what the verb proves, each run once."""

from __future__ import annotations

import pytest
from project import ROOT

from anonlab.course.authoring.masters import NAME
from anonlab.course.authoring.selfcheck import course_jobs, part, read_course

ALL = course_jobs(ROOT)
JOBS = [job for job in ALL if job[0] != "mutants"]
MUTANTS = [job for job in ALL if job[0] == "mutants"]
LABS = [job for job in MUTANTS if job[2].startswith("lab")]
"""One takes minutes: its solution is a file of 200 lines."""
SHORT = [job for job in MUTANTS if job not in LABS]


@pytest.mark.slow(share=1 / 6)
@pytest.mark.parametrize("job", SHORT, ids=[name for _, _, name in SHORT])
def test_every_mutant_of_a_solution_loses_points_or_is_listed_as_right(job: list[str]) -> None:
    no_survivors(job)


@pytest.mark.slow(share=0)
@pytest.mark.parametrize("job", LABS, ids=[name for _, _, name in LABS])
def test_every_mutant_of_a_lab_loses_points_or_is_listed_as_right(job: list[str]) -> None:
    no_survivors(job)


def no_survivors(job: list[str]) -> None:
    found = part(*job)
    assert (found["problems"], found["survivors"]) == ([], [])
    assert found["mutants"][job[2]]["total"] >= 15


@pytest.mark.parametrize("job", JOBS, ids=[f"{kind} {name}" for kind, _, name in JOBS])
def test_every_part_of_the_course_is_whole(job: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    found = part(*job)
    assert found["problems"] == []
    assert found["total"] == found["caught"] == found["explained"]
    assert found["total"] >= (3 if job[0] == "exercise" else 0)


def test_reading_the_course_finds_no_problem() -> None:
    """Built, released, short sentences, terms in order, nothing told while it is asked, minutes."""
    assert read_course(ROOT).problems == []


def test_no_exercise_and_no_notebook_is_left_out() -> None:
    names = [NAME.match(path.stem) for path in (ROOT / "exercises").glob("*.py")]
    numbers = {name[1] for name in names if name}
    books = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {name for _, _, name in JOBS} == numbers | books
    assert len(JOBS) == len(numbers) + len(books)
    assert {name for _, _, name in MUTANTS} == numbers
