"""Tests that a student writes for the lab's machine: read as data, run on the judge's side.

A test is a text. A line is a call of the machine, which must not fail, or a call and what it must
return:

    machine(8)                          # the number of frames, if it is not 64
    spawn("p")
    mmap("p", 0x20, 2)
    write("p", 0x20, 1, 7)
    fork("p", "c")
    mappers("p", 0x20) == [("c", 0x20), ("p", 0x20)]
    read("p", 0x20, 1) == [7]

Nothing of it is run as Python. The right machine is the simulated kernel; a faulty one is the same
kernel with a mutant planted.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, NamedTuple

from anonlab.box.plain_data import same, without_sequence_types
from anonlab.course.judging.call_answers import Wrong
from anonlab.course.lab.histories import LabCall
from anonlab.course.lab.truth import FRAMES, KernelMachine
from anonlab.machine.words import LESSON
from anonlab.proof.mutants import MUTANTS, planted

MOST_TESTS, MOST_LINES, MOST_FRAMES = 30, 60, 1024
MOST_CHARACTERS = 2000
"""Of a line: Python takes hundreds of bytes for each when it reads it, on the judge's side."""
FAULTY = (
    "fork leaves the parent writable",
    "a page is reused while it is shared",
    "a page is never reused",
    "copy on write loses the contents",
    "the zero page is written",
    "a first touch reserves one frame too few",
    "exit leaks references",
    "exit leaks pins",
    "a pin is not counted",
    "exit stays in the group",
    "execve keeps the old group",
    "mremap does not update index",
    "mremap moves a shared page without a copy",
    "mremap loses the contents of what it copies",
    "mremap reserves no frames for its copies",
    "mremap leaves the old words",
    "munmap forgets to clear the words",
    "the walk stops one mapping too early",
)
"""The mutants that a student's tests are run on."""
_NAME, _VPN, _NPAGES, _VALUE = "a process", "a page number", "a number of pages", "a number"
FORMS: dict[str, tuple[str, ...]] = {
    "spawn": (_NAME,),
    "mmap": (_NAME, _VPN, _NPAGES),
    "munmap": (_NAME, _VPN, _NPAGES),
    "read": (_NAME, _VPN, _NPAGES),
    "write": (_NAME, _VPN, _NPAGES, _VALUE),
    "fork": (_NAME, _NAME),
    "exit": (_NAME,),
    "execve": (_NAME, _VPN, _VALUE),
    "mremap": (_NAME, _VPN, _NPAGES, _VPN),
    "pin": (_NAME, _VPN),
    "unpin": (_NAME, _VPN),
    "free": (),
    "mappers": (_NAME, _VPN),
    "looks": (_NAME, _VPN),
}
"""What a line of a test may call, and with what."""
_NPAGES_OF_A_PROCESS = LESSON.task_npages - 1
_FITS: dict[str, Callable[[Any], bool]] = {
    _NAME: lambda arg: type(arg) is str and 0 < len(arg) <= 20,
    _VPN: lambda arg: type(arg) is int and 0 < arg < _NPAGES_OF_A_PROCESS,
    _NPAGES: lambda arg: type(arg) is int and 0 < arg <= _NPAGES_OF_A_PROCESS,
    _VALUE: lambda arg: type(arg) is int and 0 <= arg < 1 << 60,
}


class Line(NamedTuple):
    """One line of a test: the call, and what it must return if the line says so."""

    number: int
    call: LabCall
    says: bool
    expected: Any = None


class LabTest(NamedTuple):
    """One test: the number of frames, and its lines."""

    frames: int
    lines: tuple[Line, ...]


def own_tests(student: Any) -> tuple[LabTest, ...]:
    """Return the tests that the student's `tests()` returns; Wrong that says what is no test."""
    given = without_sequence_types(student.tests())
    if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
        raise Wrong("tests() returns a list of texts, one for each test")
    if not 1 <= len(given) <= MOST_TESTS:
        raise Wrong(f"tests() returns 1 to {MOST_TESTS} tests, yours {len(given)}")
    return tuple(read_test(text, number) for number, text in enumerate(given, 1))


def read_test(text: str, number: int = 1) -> LabTest:
    """Return the test in `text`; Wrong that names the line which is none."""
    lines = text.splitlines()
    found: list[Line] = []
    frames = FRAMES
    if len(lines) > MOST_LINES:
        raise Wrong(f"test {number} has {len(lines)} lines, allowed are {MOST_LINES}")
    for at, line in enumerate(lines, 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        if len(bare) > MOST_CHARACTERS:
            raise Wrong(
                f"test {number}, line {at}, {bare[:40]!r}…, has {len(bare):,} characters, allowed "
                f"are {MOST_CHARACTERS:,}"
            )
        try:
            read = _line(at, bare)
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            said = error.msg if isinstance(error, SyntaxError) else error
            raise Wrong(f"test {number}, line {at}, {bare[:80]!r}: {said}") from None
        if isinstance(read, int) and found:
            raise Wrong(f"test {number}, line {at}: machine(…) comes first")
        if isinstance(read, int):
            frames = read
        else:
            found.append(read)
    if not found:
        raise Wrong(f"test {number} has no line that calls the machine")
    return LabTest(frames, tuple(found))


def _line(at: int, text: str) -> Line | int:
    """Return a line, or the number of frames that `machine(…)` asks for; ValueError, SyntaxError
    if it is neither."""
    node, says, expected = ast.parse(text, mode="eval").body, False, None
    if isinstance(node, ast.Compare):
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq):
            raise ValueError("a line compares with one ==")
        says, expected, node = True, _literal(node.comparators[0]), node.left
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.keywords:
        raise ValueError('a line is a call, such as spawn("p"), or a call == what it must return')
    name, args = node.func.id, tuple(_literal(arg) for arg in node.args)
    if name == "machine" and not says:
        if len(args) != 1 or type(args[0]) is not int or not 2 <= args[0] <= MOST_FRAMES:
            raise ValueError(f"machine takes a number of frames, 2 to {MOST_FRAMES}")
        return int(args[0])
    if name not in FORMS:
        raise ValueError(f"there is no call {name!r}; there are machine, {', '.join(FORMS)}")
    form = FORMS[name]
    if len(args) != len(form):
        raise ValueError(f"{name} takes {', '.join(form) or 'nothing'}; it has {len(args)}")
    for what, arg in zip(form, args, strict=True):
        if not _FITS[what](arg):
            raise ValueError(f"{what} is asked for, not {arg!r:.40}")
    if _VPN in form and _NPAGES in form and args[1] + args[2] > _NPAGES_OF_A_PROCESS:
        raise ValueError(f"the range ends beyond page {_NPAGES_OF_A_PROCESS:#x}")
    return Line(at, LabCall(name, args), says, expected)


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        raise ValueError(f"{ast.unparse(node)[:40]!r} is no plain value") from None


def failure(test: LabTest) -> str:
    """Return what a test says of the machine that is there now, '' if it passes.

    raises  whatever a faulty machine raises, KeyError for a process that is not there
    """
    machine = KernelMachine(test.frames)
    for line in test.lines:
        got = getattr(machine, line.call.function)(*line.call.args)
        where = f"line {line.number}, {line.call}"
        if line.says and not same(line.expected, got):
            return f"{where}: the test says {line.expected!r:.80}, it is {got!r:.80}"
        if not line.says and isinstance(got, str):
            return f"{where} fails with {got}"
    return ""


def must_pass(tests: tuple[LabTest, ...]) -> None:
    """Raise Wrong if a test fails on the right machine."""
    for number, test in enumerate(tests, 1):
        try:
            said = failure(test)
        except KeyError as error:
            said = f"a process that is not there: {error}"
        except (ValueError, TypeError) as error:
            said = str(error)
        if said:
            raise Wrong(f"test {number} fails on the right machine: {said}")


def killed(tests: tuple[LabTest, ...], names: tuple[str, ...] = FAULTY) -> list[str]:
    """Return which of the faulty machines at least one test notices."""
    return [name for name in names if any(_notices(test, name) for test in tests)]


def _notices(test: LabTest, name: str) -> bool:
    with planted(MUTANTS[name]):
        try:
            return bool(failure(test))
        except Exception:  # noqa: BLE001  a faulty machine may break in any way
            return True


def kill_at_least(student: Any, least: int) -> None:
    """The student's tests pass on the right machine, and notice so many faulty ones; which, nobody
    is told."""
    tests = own_tests(student)
    must_pass(tests)
    dead = len(killed(tests))
    if dead < least:
        raise Wrong(
            f"your tests notice {dead} of {len(FAULTY)} faulty machines; {least} are asked for",
            guess="Which sentence of the statement does no test of yours hold to its word?",
        )
