"""The lab: the judge's machine is the kernel, milestones give their own points, tests of students
are read as data."""

from __future__ import annotations

import ast
from itertools import product
from typing import Any

import pytest
from project import ROOT

from anonlab.course.authoring.exercises import Course
from anonlab.course.authoring.masters import NAME, read_master
from anonlab.course.authoring.selfcheck import run_all
from anonlab.course.judging.attempt import check_exercise
from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.student import Student
from anonlab.course.lab.histories import KINDS, answer, lab_histories, lab_history, moments
from anonlab.course.lab.judge import Divergence, follow, judge_lab, read_state
from anonlab.course.lab.own_tests import FAULTY, killed, must_pass, own_tests, read_test
from anonlab.course.lab.truth import KernelMachine
from anonlab.formats.history_text import parse

MASTER = read_master(ROOT / "solutions" / "lab1_kernel.py")
LATER = ("fork", "exit", "execve", "mremap", "pin", "unpin")
"""Methods of milestones 2 to 6, in their order."""
POINTS = {0: 12, 1: 28, 3: 38, 4: 52, 6: 88}
"""Points by how many of LATER are written."""


def written(nlater: int, walks: bool = True, own: bool = False) -> str:
    """The solution without what comes later: `nlater` of LATER are there."""
    tree = ast.parse(MASTER.solution)
    todo = ast.parse("raise NotImplementedError").body
    for node in ast.walk(tree):
        missing = (*LATER[nlater:], *(() if own else ("tests",)))
        if isinstance(node, ast.FunctionDef) and node.name in missing:
            node.body = todo
    text = ast.unparse(tree)
    return text if walks else text.replace("'pages': self.home", "'pages': {}")


def points(code: str) -> int:
    return sum(each.points for each in run_all(ROOT, MASTER, code))


@pytest.mark.parametrize(("nlater", "most"), POINTS.items())
def test_each_milestone_gives_its_own_points(nlater: int, most: int) -> None:
    assert points(written(nlater, walks=nlater == 6)) == most


def test_a_template_has_nothing_and_tests_count_alone() -> None:
    assert points(MASTER.stub) == 0
    assert points(written(6, walks=True, own=True)) == 100
    only_tests = (
        MASTER.stub[: MASTER.stub.index("def tests")]
        + (MASTER.solution[MASTER.solution.index("def tests") :])
    )
    assert points(only_tests) == 12


def test_the_kernel_itself_gets_through_every_kind_of_history() -> None:
    class Kernel:
        """A student whose machine is the kernel."""

        def Machine(self, nframes: int) -> Any:  # noqa: N802
            machine = KernelMachine(nframes)
            shown = machine.state
            machine.state = lambda: shown()._asdict()  # type: ignore[assignment, method-assign]
            return machine

    for kind in KINDS:
        for seed in range(3):
            follow(Kernel(), lab_history(kind, seed), walks=True)


def test_every_error_comes_up_where_memory_is_short() -> None:
    found = {
        (step.call.function, step.result)
        for seed in range(30)
        for step in moments(lab_history("few frames", seed))
        if isinstance(step.result, str)
    }
    assert {(call, "ENOMEM") for call in ("write", "fork", "mremap", "execve", "pin")} <= found
    assert {("read", "SIGSEGV"), ("mremap", "EFAULT"), ("mremap", "EINVAL")} <= found


def test_a_wrong_machine_is_shown_the_shortest_history() -> None:
    code = MASTER.solution.replace("words[at] &= ~WRITE\n", "pass\n")
    with pytest.raises(Wrong) as caught:
        judge_lab(Student(code), [lab_history("forks", 7)])
    assert caught.value.history is not None
    verbs = [op.verb for op in caught.value.history.ops]
    assert verbs[-1] == "fork"
    assert len(verbs) <= 5
    assert "WRITE off" in caught.value.what


def test_a_failed_call_must_leave_no_trace() -> None:
    text = "p = spawn\np mmap 0x20000 2\np write 0x20000 1 2\nq = fork p\np write 0x20000 9 2\n"
    history = parse(f"machine lesson frames 4 swap 0\n{text}")
    assert moments(history)[-1].result == "ENOMEM"
    code = MASTER.solution.replace(
        'if len(new) > len(self.unused):\n            return "ENOMEM"\n',
        'if len(new) > len(self.unused):\n            self.words[who] = dict(words)\n'
        '            self.last_group += 1\n            return "ENOMEM"\n',
    )  # fmt: skip
    follow(Student(code), history, walks=True)  # what cannot be seen is no trace
    code = code.replace(
        "self.last_group += 1\n            return", "self._copy(who, 0x20, 3); return"
    )
    with pytest.raises(Divergence, match="changes nothing; yours did"):
        follow(Student(code), history, walks=False)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (None, "state() returns a dict"),
        ({"words": {}}, "state() returns a dict"),
        ({"words": {"p": [3]}, "pages": {}, "groups": {}, "free": 1}, '["words"] is {process'),
        ({"words": {"p": {1: -5}}, "pages": {}, "groups": {}, "free": 1}, '["words"] is {process'),
        ({"words": {}, "pages": {1: [(2, 3), 4]}, "groups": {}, "free": 1}, '["pages"] is {frame'),
        ({"words": {}, "pages": {}, "groups": {(1,): []}, "free": 1}, '["groups"] is {group'),
        ({"words": {}, "pages": {}, "groups": {}, "free": True}, '["free"] is a number'),
    ],
)
def test_a_state_that_is_none_is_called_by_its_form(state: Any, says: str) -> None:
    with pytest.raises(Divergence) as caught:
        read_state(state)
    assert says in caught.value.what


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no line that calls"),
        ("spawn(p)", "is no plain value"),
        ("import os", "invalid syntax"),
        ("spawn('p') != 3", "compares with one =="),
        ("spawn('p', 2)", "spawn takes a process; it has 2"),
        ("open('/etc/passwd')", "there is no call 'open'"),
        ("mmap('p', 0x20, 0)", "a number of pages is asked for, not 0"),
        ("mmap('p', 0x70, 256)", "a number of pages is asked for"),
        ("mmap('p', 0x70, 200)", "ends beyond page 0xff"),
        ("spawn('p')\nmachine(8)", "machine(…) comes first"),
        ("machine(10**9)", "is no plain value"),
        ("machine(1000000000)", "2 to 1024"),
        ("().__class__", "a line is a call"),
        ("spawn('p')\n" * 61, "61 lines, allowed are 60"),
        ("spawn('p') == " + "(" * 300 + ")" * 300, "line 1"),
    ],
)
def test_a_line_that_is_none_is_named(text: str, says: str) -> None:
    with pytest.raises(Wrong) as caught:
        read_test(text, 1)
    assert says in caught.value.what


def test_a_test_that_is_wrong_itself_is_named_with_its_line() -> None:
    for text, says in (
        ("spawn('p')\nread('p', 0x20, 1) == [0]", "line 2, read('p', 0x20, 1): the test says [0]"),
        ("spawn('p')\nread('p', 0x20, 1)", "line 2, read('p', 0x20, 1) fails with SIGSEGV"),
        ("exit('q')", "a process that is not there: 'q'"),
        ("spawn('p')\nspawn('p')", "'p'"),
    ):
        with pytest.raises(Wrong) as caught:
            must_pass((read_test(text),))
        assert says in caught.value.what


FITTING: dict[str, tuple[str, ...]] = {
    "machine": ("8",),
    "spawn": ("'q'",),
    "mmap": ("'p'", "0x40", "2"),
    "munmap": ("'p'", "0x20", "1"),
    "read": ("'p'", "0x20", "1"),
    "write": ("'p'", "0x20", "2", "7"),
    "fork": ("'p'", "'c'"),
    "exit": ("'p'",),
    "execve": ("'p'", "0x20", "7"),
    "mremap": ("'p'", "0x20", "1", "0x40"),
    "pin": ("'p'", "0x20"),
    "unpin": ("'p'", "0x20"),
    "free": (),
    "mappers": ("'p'", "0x20"),
    "looks": ("'p'", "0x20"),
    "brk": ("'p'",),
    "p.spawn": (),
    "(1)": (),
}
ODD_VALUES = (
    "'p'", "'q'", "''", "'%s'" % ("x" * 30), "'\\ud800'", "b'p'", "0", "1", "-1", "0x1f", "0x20",
    "0x21", "200", "0xfd", "0x400", "1 << 70", "9" * 30, "1" + "0" * 13, "1.5", "1e999", "1j",
    "True", "None", "...", "x", "f()", "*[1]", "*()", "**{}", "k=1", "lambda: 1", "1 == 1", "1 < 2",
    "[1]", "[('p', 0x20)]", "{1: [2]}", "{1, 2}", "{[1]: 2}", "{[]}", "1)", "(", "", "#",
    "-" * 1900 + "1", "x" + "[0]" * 600, "[" + "1," * 900 + "]", "[" + "1," * 1000 + "]",
    "[" * 90 + "]" * 90, "(" * 900 + ")" * 900,
)  # fmt: skip


@pytest.mark.parametrize("name", FITTING)
def test_any_value_at_any_place_of_a_line_is_read_or_refused(name: str) -> None:
    """No error but Wrong, and no message without end."""
    fitting = FITTING[name]
    calls = [fitting, *(fitting[:at] for at in range(len(fitting)))]
    for at, odd in product(range(len(fitting) + 1), ODD_VALUES):
        calls += [(*fitting[:at], odd, *fitting[at + more :]) for more in (0, 1)]
    lines = [f"{name}({', '.join(given)})" for given in calls]
    lines += [f"{lines[0]} {sign} {odd}" for odd in ODD_VALUES for sign in ("==", "<", "== 1 <")]
    before = "spawn('p')\nmmap('p', 0x20, 2)\nwrite('p', 0x20, 1, 7)\n"
    for line in lines:
        try:
            must_pass((read_test(line if name == "machine" else before + line),))
        except Wrong as wrong:
            assert 0 < len(wrong.what) <= 400


def test_every_faulty_machine_can_be_noticed_and_not_by_an_empty_test() -> None:
    tests = own_tests(Student(MASTER.solution))
    must_pass(tests)
    assert killed(tests) == list(FAULTY)
    assert killed((read_test("spawn('p')"),)) == []


def test_who_is_gone_is_asked_nothing() -> None:
    steps = moments(parse("p = spawn\nq = fork p\nq exit\nq read 0x20000\np mmap 0x20000 1\n"))
    assert [step.call.function for step in steps] == ["spawn", "fork", "exit", "mmap"]
    machine = KernelMachine()
    assert [answer(machine, step.call) for step in steps] == [step.result for step in steps]


def test_a_lab_is_called_by_its_number_everywhere(course: Course) -> None:
    assert course["lab1"].name == course["LAB1"].name == "lab1_kernel"
    course.file("lab1").write_text(f"{MASTER.header}\n{written(0)}", "utf-8")
    report = check_exercise(course, "lab1")
    assert (report.points, report.most, report.hidden) == (6, 40, 60)
    assert NAME.match("exlab1_kernel") is None


def test_the_solution_is_right_for_other_seeds_and_no_error_depends_on_its_order() -> None:
    student = Student(MASTER.solution)
    for seed in (13840471372803545991, 77):
        for kind in KINDS:
            for history in lab_histories((kind,), seed, 3):
                follow(student, history, walks=True)


def test_a_wrong_move_keeps_its_destination_when_it_is_shrunk() -> None:
    code = MASTER.solution.replace("if self._is_shared(words.get(at, 0))", "if False")
    with pytest.raises(Wrong, match="mremap") as caught:
        judge_lab(Student(code), lab_histories(("moves",), 13840471372803545991, 6))
    assert caught.value.history is not None
    assert "to" in caught.value.history.ops[-1].args
