"""What is right is worked out once for a test and a seed, and no verdict is another for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ordinary import needs_box
from small_course import Small, statuses

pytestmark = [needs_box, pytest.mark.xdist_group("attacks")]

HISTORIES = """
from anonlab.course.judging.call_answers import judge
from anonlab.formats.history import History, Machine
def twice(history):
    count("worked out")
    return [Question("f", ([n],), [n, n]) for n in range(1, 41)]
def test_one(student, seed):
    '''Twice one.'''
    assert judge(student, [History((), Machine())], twice, {"Once?": lambda a, r: a[0]}) == 40
    judge_all(student, [Question("f", (seed % 7,), 2 * (seed % 7))])
"""
ASKS_BY_ITSELF = """
def test_two(student, seed):
    count("asked")
    mine = student.f([3])
    judge_all(student, [Question("f", ([3],), mine)])
"""
RIGHT = "def f(x): return 2 * x\n"
CALLS = "calls = []\ndef f(x):\n    calls.append(x)\n    return "
FIRST = "def f(x):\n    if x == [20]: {}\n    return 2 * x\n"
STUDENTS = {
    RIGHT: ("pass", "pass"),
    "def f(x): return (*x, *x) if x else 0\n": ("pass", "pass"),
    "def f(x):\n    print(x)\n    return 2 * x\n": ("pass", "pass"),
    "def f(x): return x\n": ("fail", "pass"),
    "def f(x): return 2 * x if x != [33] else 0\n": ("fail", "pass"),
    "def f(x): return [1.0 * n for n in 2 * x] if x else 0\n": ("fail", "pass"),
    "def f(x): raise ValueError(x)\n": ("fail", "fail"),
    "def f(x): raise NotImplementedError\n": ("fail", "fail"),
    "def f(x):\n    if x: x.append(1)\n    return 2 * x[:1] if x else 0\n": ("fail", "fail"),
    f"{CALLS}2 * x if len(calls) > 1 else 0\n": ("fail", "fail"),  # wrong once, and never again
    f"{CALLS}2 * x if len(calls) < 40 else 0\n": ("fail", "pass"),
    f"import os\n{FIRST}".format("os._exit(3)"): ("crash", "pass"),
    FIRST.format("\n        while True: pass"): ("timeout", "pass"),
    f"import os\n{FIRST}".format("os.write(4, b'{}')"): ("protocol", "pass"),
}


def told(result: Any) -> Any:
    """A result without what may differ."""
    return {**result, "timing": 0}


def worked_out(small: Small) -> int:
    path = small.folder / "tests" / "exercises" / "public" / "counts" / "worked out"
    return int(path.read_text()) if path.exists() else 0


def test_kept_answers_change_the_time_and_nothing_else(small: Small) -> None:
    kept = small.folder / "kept"
    kept.mkdir()
    small.write(HISTORIES, ASKS_BY_ITSELF)
    codes = list(STUDENTS)
    for code in codes:  # before anything is kept
        small.submit(code)
        small.jobs[-1]["forget"] = True
    for code in [RIGHT, *codes]:
        small.submit(code, kept=str(kept))
    results = small.graded()
    alone, after = results[: len(codes)], results[len(codes) + 1 :]
    for code, one, other in zip(codes, alone, after, strict=True):
        assert tuple(statuses(one)) == STUDENTS[code], code
        assert told(one) == told(other), code
    again = small.graded(PYTHONWARNINGS="ignore")[len(codes) + 1 :]  # by another process
    assert [told(each) for each in again] == [told(each) for each in after]


def test_right_answers_are_worked_out_once_and_found_again(small: Small) -> None:
    kept = small.folder / "kept"
    kept.mkdir()
    small.write(HISTORIES, ASKS_BY_ITSELF)
    for at in range(4):
        small.submit(f"{RIGHT}# {at}\n", kept=str(kept))
    small.jobs[0]["forget"] = True
    assert {tuple(statuses(each)) for each in small.graded()} == {("pass", "pass")}
    assert worked_out(small) == 1
    assert small.graded(PYTHONWARNINGS="ignore")
    assert worked_out(small) == 1
    (folder,) = kept.iterdir()
    (file,) = folder.iterdir()  # of the one that asks by itself nothing is kept
    assert folder.stat().st_mode & 0o77 == 0
    damaged = Path(file)
    os.truncate(damaged, 30)
    assert statuses(small.graded(PYTHONWARNINGS="ignore")[0]) == ["pass", "pass"]
    assert worked_out(small) == 2
    path = small.folder / "tests" / "exercises" / "public" / "test_ex10a_small.py"
    path.write_text(path.read_text().replace("[n, n])", "[n])"))
    results = small.graded(PYTHONWARNINGS="ignore")
    assert {tuple(statuses(each)) for each in results} == {("fail", "pass")}
    assert [each.name for each in kept.iterdir()] != [folder.name]
