"""The points for array operations: asked about pages of every kind, and lost for loops only."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from project import ROOT

from anonlab.course.authoring.masters import read_masters
from anonlab.course.judging.array_cost import FEW, MANY, MORE, judge_steps
from anonlab.course.judging.call_answers import Question, Wrong, load_tests
from anonlab.course.judging.student import Student

PUBLIC = ROOT / "tests" / "exercises" / "public"
GRADED = [
    each for each in read_masters(ROOT / "solutions") if "test_array_operations" in each.public
]


def asked(number: str) -> list[list[Question]]:
    """The pairs of questions of an exercise, FEW pages and MANY, for some seeds."""
    (path,) = PUBLIC.glob(f"test_ex{number}_*.py")
    module = load_tests(path)
    if number == "01a":
        return [list(module.wide(seed)) for seed in range(3)]
    verbs = [("read 0x20000",), ("write 0x20000 9",)] if number == "03a" else [()]
    return [
        [module.long(npages, *verb, seed) for npages in (FEW, MANY)]
        for verb in verbs
        for seed in range(5)
    ]


def kind(number: str, word: int) -> str:
    """What a word is in an exercise."""
    if number == "10a" and not word >> 63:
        return "not there"
    if number == "10a":
        return "of a file" if word >> 61 & 1 else "alone" if word >> 56 & 1 else "shared"
    if not word & 1:
        return "swap" if word else "hole"
    return "zero page" if word >> 12 == 0 else "page"


@pytest.mark.parametrize(("number", "nkinds"), [("01a", 4), ("03a", 3), ("04a", 4), ("10a", 4)])
def test_pages_of_every_kind_come_up_in_both(number: str, nkinds: int) -> None:
    for pair in asked(number):
        for question, npages in zip(pair, (FEW, MANY), strict=True):
            of_words = question.right if number == "01a" else question.args[0].tolist()
            counts = Counter(kind(number, word) for word in of_words)
            assert sum(counts.values()) == npages
            assert len(counts) == nkinds, counts
            assert min(counts.values()) >= (1 if number == "01a" else npages // 5), counts


def test_every_statement_prints_the_numbers_of_the_scale() -> None:
    assert [each.number for each in GRADED] == ["01a", "03a", "04a", "10a"]
    for master in GRADED:
        text = " ".join(master.statement.split())
        assert f"1 of the {master.points} points is for array operations. For {MANY} " in text
        assert f"at most {MORE} steps more than for {FEW}" in text


def judged(code: str) -> Any:
    """What is said of a function `f` that should return its argument plus 1."""
    pair = [Question("f", (np.arange(n),), list(range(1, n + 1))) for n in (FEW, MANY)]
    try:
        judge_steps(
            Student(code),
            *pair,
            "`a + 1` adds to all",
            {"Did you forget?": lambda args, right: args[0]},
        )
    except Wrong as wrong:
        return wrong
    return None


def test_a_loop_is_told_what_was_counted_and_what_would_be_right() -> None:
    assert judged("def f(a): return a + 1") is None
    text = str(judged("def f(a):\n    return [each + 1 for each in a]"))
    for part in (
        "right, but page by page: 10",
        f"steps for {FEW} pages, 80",
        f"at most {MORE} steps more for {MANY} pages than for {FEW}",
        "yours       700 more",
        "a step is a line that runs",
        "needs no loop: `a + 1` adds to all",
    ):
        assert part in text, text


def test_a_wrong_answer_is_wrong_before_it_is_slow() -> None:
    assert judged("def f(a): return a").guess == "Did you forget?"
    other = "import sys\ndef f(a): return a + 1 if sys.gettrace() is None else a"
    assert judged(other).what == "the answer is another one while steps are counted"
