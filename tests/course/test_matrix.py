"""Exercises as a set: right for all variants, goals and mutants within reach."""

from __future__ import annotations

import pytest
from project import ROOT

from anonlab.course.authoring.masters import Master, read_masters
from anonlab.course.authoring.selfcheck import run_all
from anonlab.course.judging.call_answers import load_tests
from anonlab.course.judging.goals import GOALS, goal
from anonlab.course.judging.history_answers import mutant_failure
from anonlab.course.judging.student import Student
from anonlab.formats.history_text import parse

MASTERS = read_masters(ROOT / "solutions")
each_exercise = pytest.mark.parametrize("master", MASTERS, ids=lambda master: master.number)
ANSWERED_FOR_SELF_STUDY = {"04b", "05b", "06b", "08b"}
"""Exercises that ask something else of each variant; their solutions answer seed 0."""


@each_exercise
def test_a_solution_is_right_for_other_variants_too(master: Master) -> None:
    if master.number in ANSWERED_FOR_SELF_STUDY:
        return
    verdicts = run_all(ROOT, master, master.solution, seed=0xFEED_F00D_5EED)
    assert [each.message for each in verdicts if each.points != each.most] == []


def test_every_topic_notebook_has_two_exercises() -> None:
    numbers = [master.number for master in MASTERS]
    for notebook in ("01", "02", "03", "04", "05", "06", "07", "08", "09"):
        assert sum(number.startswith(notebook) for number in numbers) >= 2


def test_a_test_file_names_the_families_of_its_master() -> None:
    for master in MASTERS:
        tests = load_tests(ROOT / "tests" / "exercises" / "public" / f"test_{master.name}.py")
        if hasattr(tests, "FAMILIES"):
            assert master.families == tests.FAMILIES, master.number


def test_every_mutant_of_05b_can_be_killed_in_its_number_of_operations() -> None:
    hidden = load_tests(
        ROOT / "tests" / "exercises" / "hidden" / "test_ex05b_kill_a_mutant_hidden.py"
    )
    for short, name in hidden.public.MUTANTS.items():
        assert mutant_failure(parse(hidden.OURS[short]), name), name


def test_every_mutant_of_08b_can_be_killed() -> None:
    public = load_tests(ROOT / "tests" / "exercises" / "public" / "test_ex08b_mutants.py")
    history = parse("""
        p = spawn
        p mmap 0x30000 4
        p write 0x30000 7 3
        p swap_out 0x30000 2
        c = fork p
        c mremap 0x31000 1 to 0x50000
        p read 0x31000
        c read 0x50000
        p read 0x30000
        c mmap 0x60000 1
        c write 0x60000 1
        c mremap 0x60000 1 to 0x70000
        c exit
    """)
    for name in {name for names in public.SETS.values() for name in names}:
        assert mutant_failure(history, name), name


def test_goals_of_04b_are_all_reached_and_differ() -> None:
    goals = [goal(seed) for seed in range(60)]
    assert len({str(each) for each in goals}) > 2 * len(GOALS)
    assert all(4 <= each.nops <= 7 for each in goals)


def test_the_solution_of_04b_answers_self_study_only() -> None:
    master = next(each for each in MASTERS if each.number == "04b")
    code = Student(master.solution)
    assert "child write 0x31000 9" in code.history()
    seeds = [seed for seed in range(1, 20) if str(goal(seed)) != str(goal(0))]
    verdicts = run_all(ROOT, master, master.solution, seeds[0])
    assert "leads to another state" in verdicts[0].message
