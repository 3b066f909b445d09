"""What a step is: loops of every form are counted page by page, work on whole arrays is not."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from ordinary import needs_box

from anonlab.box.both_ends import encode
from anonlab.box.box import Box, Clock
from anonlab.box.steps import MOST, Steps
from anonlab.box.wire import Raised
from anonlab.course.judging.marks import OutOfTime, time_limit
from anonlab.course.judging.student import Student, StudentError

LOOPS = {
    "for": "out = []\n    for each in a: out.append(one(each))\n    return out",
    "for in one line": "for _ in a: pass\n    return a",
    "while": "at = len(a)\n    while at: at -= 1\n    return a",
    "walrus": "at = 0\n    while (at := at + 1) < len(a): pass\n    return a",
    "list": "return [each + 1 for each in a]",
    "dict": "return list({at: each for at, each in enumerate(a)}.values())",
    "generator": "return list(each + 1 for each in a)",
    "map": "return list(map(one, a))",
    "a lambda": "return sorted(a, key=lambda each: -each)",
    "reduce": "import functools\n    return functools.reduce(lambda x, y: x + y, a)",
    "vectorize": "return np.vectorize(one)(a)",
    "frompyfunc": "return list(np.frompyfunc(one, 1, 1)(a))",
    "apply_along_axis": "return np.apply_along_axis(one, 1, a[:, None])",
    "recursion": "return f(a[1:]) + 1 if len(a) else 0",
    "an iterator": "return list(Each(a))",
    "one in ten": "return [each for each in a[::10]]",
}
ARRAYS = {
    "an expression": "return np.where(a & 1, a & ~2, a)",
    "a mask": "b = a.copy()\n    b[a > 3] = one(7)\n    return b",
    "levels": "for level in range(4): a = a >> level\n    return a",
    "64 bits": "return sum((a >> bit & 1) << bit for bit in range(63))",
    "halves": "while len(a) > 1: a = a[: len(a) // 2]\n    return a",
    "kinds": "return [int(np.count_nonzero(a & 3 == kind)) for kind in np.unique(a & 3)]",
    "a lookup": "return np.array([one(0), one(1)])[a & 1]",
    "a list made in C": "return a.tolist()",
}
CODE = """
import sys
import numpy as np
def one(x):
    return x + 1
class Each:
    def __init__(self, a): self.left = a.tolist()
    def __iter__(self): return self
    def __next__(self):
        if self.left: return self.left.pop()
        raise StopIteration
def f(a):
    {}
"""


def more(body: str) -> int:
    """So many steps more for 800 numbers than for 100."""
    student = Student(CODE.format(body))
    few, many = (student.counted("f", (np.arange(n),))[1] for n in (100, 800))
    return many - few


@pytest.mark.parametrize("name", LOOPS)
def test_every_form_of_a_loop_is_counted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(5000)
        assert more(LOOPS[name]) >= 70
    finally:
        sys.setrecursionlimit(deep)


@pytest.mark.parametrize("name", ARRAYS)
def test_work_on_whole_arrays_takes_as_many_steps_for_more(name: str) -> None:
    assert more(ARRAYS[name]) < 10


def test_who_traced_before_goes_on_after() -> None:
    seen: list[str] = []

    def tracer(frame: object, event: str, arg: object) -> None:
        seen.append(event)

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        Student(CODE.format("return one(a)")).counted("f", (1,))
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
    assert "call" in seen


def test_who_stops_the_counting_is_told() -> None:
    with pytest.raises(StudentError, match=r"your code took away sys\.settrace"):
        more("sys.settrace(None)\n    return a")


def test_a_loop_without_end_ends_in_time_and_counting_has_an_end() -> None:
    before = sys.gettrace()
    with pytest.raises(OutOfTime), time_limit(0.5):
        more("while True: pass")
    assert sys.gettrace() is before
    names = {"MOST": MOST}
    exec("def f():\n    for at in range(2 * MOST): pass\n", names)
    with Steps(names) as steps:
        names["f"]()  # type: ignore[operator]
    assert steps.made == MOST


@needs_box
@pytest.mark.parametrize("name", ["for", "vectorize", "generator", "64 bits"])
def test_a_box_counts_as_a_laptop_does(name: str) -> None:
    code = CODE.format({**LOOPS, **ARRAYS}[name])
    args = (np.arange(100),)
    wire = [encode(each) for each in args]
    with Box(code.encode(), Clock(3, 10)) as box:
        assert box.load(code.encode(), "code.py") is None
        answer, made = box.ask("counted", fn="f", args=wire)
        assert made == Student(code).counted("f", args)[1]
        assert encode(answer) == encode(box.ask("call", fn="f", args=wire))
        wrong = box.ask("counted", fn="one", args=[None])
    assert isinstance(wrong, Raised)
    assert (wrong.kind, wrong.line) == ("TypeError", 5)
