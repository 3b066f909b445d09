"""What a student is told: the first thing that is wrong, the shortest history, a known mistake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonlab.box.both_ends import encode
from anonlab.course.judging.call_answers import (
    Question,
    Wrong,
    difference,
    judge,
    judge_all,
)
from anonlab.course.judging.families import FAMILIES, histories, history_of_family
from anonlab.course.judging.made_questions import keep_questions
from anonlab.course.judging.marks import needs
from anonlab.course.judging.runner import run_tests
from anonlab.course.judging.state import before_after, words_text
from anonlab.course.judging.student import Student, StudentError
from anonlab.formats.history import History
from anonlab.formats.history_text import parse


@pytest.mark.parametrize(
    ("expected", "answer", "says"),
    [
        ([1], None, "a sequence is expected, yours is None (a forgotten return?)"),
        ([1, 2], [1], "2 items are expected, yours has 1"),
        ([1, 2, 3], [1, 5, 3], "item 1 is wrong"),
        ([1, 2], [2, 1], "the items are right, their order is not"),
        ([1, 2], [1, "2"], "item 1 is wrong: an int is expected, yours is a str"),
        (1, True, "an int is expected, yours is a bool"),
        (1, 2, "the answer is wrong"),
        (None, [1], "None is expected, yours is a sequence"),
    ],
)
def test_type_then_length_then_content_then_order(expected: Any, answer: Any, says: str) -> None:
    assert difference(expected, answer) == says


def forks(history: History) -> Iterator[Question]:
    """How many processes there are after each fork."""
    for moment in before_after(history):
        if moment.op.verb == "fork" and not moment.outcome.error:
            yield Question("count", (len(moment.before.words),), len(moment.after.words))


def test_a_failure_shows_the_shortest_history_and_the_known_mistake() -> None:
    guesses = {
        "Did you add two?": lambda args, right: right + 1,
        "Did you forget the child?": lambda args, right: right - 1,
    }
    student = Student("def count(n):\n    return n\n")
    with pytest.raises(Wrong) as caught:
        judge(student, histories(["forked"], 1), forks, guesses)
    assert caught.value.guess == "Did you forget the child?"
    assert caught.value.history is not None
    assert [op.verb for op in caught.value.history.ops] == ["spawn", "fork"]
    text = str(caught.value)
    for part in ("count(1)", "expected    2", "yours       1", "p1 = spawn", "fork p1"):
        assert part in text
    assert judge(Student("def count(n):\n    return n + 1\n"), histories(["forked"], 1), forks) > 5


def test_a_history_is_shown_with_plain_arguments_and_without_what_fails() -> None:
    """What is wrong is any answer about a written page; the history has more of everything."""

    def written(history: History) -> Iterator[Question]:
        for moment in before_after(history):
            if moment.op.verb == "write":
                assert not moment.outcome.error, "no question is asked about what fails"
                yield Question("f", (), 1)

    history = parse(
        "machine lesson frames 128 swap 64\np = spawn\np mmap 0x50000 9 rw\nc = vfork p\n"
        "c write 0x54000 200 3\n"
    )
    with pytest.raises(Wrong) as caught:
        judge(Student("def f():\n    return 2\n"), [history], written)
    assert str(caught.value).splitlines()[-5:] == [
        "the shortest history that shows it:",
        "  p = spawn",
        "  p mmap 0x50000 1",
        "  c = fork p",
        "  c write 0x50000 1",
    ]


def test_of_the_first_failures_the_one_with_early_verbs_is_shown() -> None:
    late = "p = spawn\np mmap 0x30000 1\np write 0x30000 1\np swap_out 0x30000\n"
    early = "p = spawn\np mmap 0x30000 1\nc = fork p\nd = fork p\ne = fork c\n"

    def counts(history: History) -> Iterator[Question]:
        """One question, if so many operations are there, or a swap-out."""
        verbs = [op.verb for op in history.ops]
        if verbs.count("fork") == 3 or "swap_out" in verbs:
            yield Question("f", (), 1)

    with pytest.raises(Wrong) as caught:
        judge(Student("def f():\n    return 2\n"), map(parse, (late, early, late)), counts)
    assert caught.value.history is not None
    assert "swap_out" not in [op.verb for op in caught.value.history.ops]


@pytest.mark.parametrize(
    "args",
    [
        ([1, 0x3067, (2,), ("rw-", None, True)],),
        (np.array([], dtype=np.int64), -1, 1.5),
        (np.array([0x3067, 0, 0, 0, 0, 0, 0, 0, 7, 8]), np.array([1 << 63], dtype=np.uint64)),
        (np.zeros(64, dtype=np.int64), np.array([True, False]), {"a": b"x"}),
    ],
)
def test_a_call_can_be_pasted(args: tuple[Any, ...]) -> None:
    call = Question("f", args, None).call
    given = eval(call, {"np": np, "f": lambda *values: values})
    assert encode(list(given)) == encode(list(args)), call
    assert "12391" not in call, "words are hex"


def test_the_bits_of_a_word_are_told_one_by_one_where_words_are_asked_for() -> None:
    student = Student("def f(n):\n    return [n, 0x5041]\n")
    with pytest.raises(Wrong) as caught:
        judge_all(student, [Question("f", (7,), [7, 0x3043], "", words_text)])
    assert (
        caught.value.bits
        == "of 0x5041: WRITE is off, it should be on; the frame is 5, it should be 3"
    )
    with pytest.raises(Wrong) as caught:
        judge_all(student, [Question("f", (7,), [7, 0x3043])])
    assert caught.value.bits == ""
    with pytest.raises(Wrong) as caught:
        judge_all(student, [Question("f", (7,), [7, 0x1722], "", words_text)])
    assert caught.value.bits == "", "a swap entry has no such bits"


def test_a_mistake_is_named_only_if_it_explains_every_answer() -> None:
    student = Student("def f(n):\n    return n if n < 3 else 0\n")
    questions = [Question("f", (n,), n + 1) for n in range(5)]
    with pytest.raises(Wrong) as caught:
        judge_all(student, questions, {"Did you add nothing?": lambda args, right: args[0]})
    assert caught.value.guess == ""


def test_an_error_of_the_students_code_names_its_line() -> None:
    student = Student("def f(n):\n    return [][n]\n", "ex.py")
    with pytest.raises(Wrong, match=r"IndexError: list index out of range \(line 2"):
        judge_all(student, [Question("f", (1,), 2)])


def test_a_test_without_questions_is_our_fault() -> None:
    with pytest.raises(AssertionError, match="gave 0 questions, 1 are needed"):
        judge(Student("x = 1"), histories(["lone"], 1), forks)


TESTS = """
from anonlab.box.both_ends import encode
from anonlab.course.judging.call_answers import Question, judge_all
from anonlab.course.judging.made_questions import keep_questions
from anonlab.course.judging.marks import needs

def test_one(student, seed):
    '''One is right.'''
    judge_all(student, [Question("one", (), 1)])

@needs("test_one")
def test_two(student, seed):
    '''Two is right.'''
    judge_all(student, [Question("two", (), 2)])
"""
POINTS = {"test_one": 2, "test_two": 3}


def verdicts(tmp_path: Path, code: str, seconds: int = 20) -> list[tuple[str, int]]:
    path = tmp_path / "test_x.py"
    path.write_text(TESTS, "utf-8")
    found = run_tests(path, POINTS, lambda: Student(code), 0, seconds)
    assert all(each.message for each in found if each.status != "pass")
    return [(each.status, each.points) for each in found]


def test_every_way_to_fail_has_its_status(tmp_path: Path) -> None:
    one, two = "def one(): return 1\n", "def two(): return 2\n"
    assert verdicts(tmp_path, one + two) == [("pass", 2), ("pass", 3)]
    assert verdicts(tmp_path, one) == [("pass", 2), ("fail", 0)]
    assert verdicts(tmp_path, two) == [("fail", 0), ("skipped", 0)]
    assert verdicts(tmp_path, "def one(:") == [("error-import", 0), ("skipped", 0)]
    assert verdicts(tmp_path, "import nothing_of_this_name") == [
        ("error-import", 0),
        ("skipped", 0),
    ]
    stub = "def one(): raise NotImplementedError\n"
    assert verdicts(tmp_path, stub) == [("stub", 0), ("skipped", 0)]
    assert verdicts(tmp_path, "raise SystemExit") == [("error-import", 0), ("skipped", 0)]
    loop = (
        "def one():\n    while True:\n        try:\n            len('')\n"
        "        except Exception:\n            pass\n"
    )
    assert verdicts(tmp_path, loop, seconds=1) == [("timeout", 0), ("skipped", 0)]


def test_a_student_is_reached_through_plain_data_only() -> None:
    student = Student(
        "import numpy as np\nkept = []\n"
        "def keep(x):\n    kept.append(x)\n    return [*x, 1]\n"
        "def bad():\n    return (n for n in 'ab')\n"
        "class Relay:\n    def __init__(self, n): self.n = n\n"
        "    def add(self, m): self.n += m; return self.n\n"
        "_secret = len\n"
    )
    mine = [0]
    assert student.keep(mine) == [0, 1]
    assert mine == [0]
    relay = student.Relay(3)
    assert [relay.add(1), relay.add(np.int64(2))] == [4, 6]
    assert student.map("keep", [([5],), ([6],)]) == [[5, 1], [6, 1]]
    with pytest.raises(StudentError, match="got generator"):
        student.bad()
    with pytest.raises(StudentError, match="no function 'gone'"):
        student.gone()
    with pytest.raises(StudentError, match="no method 'drop'"):
        relay.drop()
    with pytest.raises(AttributeError):
        student._secret()


def test_a_family_gives_the_same_history_for_ever() -> None:
    first = history_of_family("forked", 7, 4)
    assert [op.verb for op in first.ops] == ["spawn", "mmap", "fork", "mmap"]
    for family in FAMILIES:
        assert history_of_family(family, 3).ops == history_of_family(family, 3).ops
    with pytest.raises(ValueError, match="a family is one of lone"):
        history_of_family("none", 1)


def test_needs_is_kept_on_the_test() -> None:
    @needs("test_one")
    def test_it(student: Any, seed: int) -> None:
        """It."""

    assert test_it.needs == "test_one"  # type: ignore[attr-defined]


def test_questions_are_made_once_for_many_students_and_anew_for_other_tests() -> None:
    made: list[str] = []

    def questions(history: History) -> list[Question]:
        made.append(history.title)
        return [Question("f", (1,), 2)]

    def others(history: History) -> list[Question]:
        return [Question("f", (1,), 3)]

    one, two = (History((), title=name) for name in ("one", "two"))
    right = Student("def f(x):\n    return 2 * x\n")
    keep_questions(3)
    try:
        assert judge(right, [one, two], questions) == judge(right, [one, two], questions) == 2
        assert made == ["one", "two"]
        with pytest.raises(Wrong):
            judge(right, [one], others)
        judge(right, [History((), title=str(at)) for at in range(9)], questions)
        judge(right, [one], questions)
        assert made[-1] == "one", "only so many are kept"
    finally:
        keep_questions(0)
    judge(right, [one], questions)
    judge(right, [one], questions)
    assert made[-2:] == ["one", "one"]
