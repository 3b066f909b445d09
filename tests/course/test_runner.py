"""pytest runs the tests of an exercise as if it were alone on the machine, and leaves nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from anonlab.course.judging.runner import run_tests
from anonlab.course.judging.student import Student

TEST = "def test_it(student, seed):\n    '''It is right.'''\n    {body}\n"


def status(
    tmp_path: Path, body: str = "assert student.f(seed) == seed", code: str = "def f(n): return n"
) -> str:
    """How a test with this body ends for this code."""
    path = tmp_path / "test_ex99a_it.py"
    path.write_text(TEST.format(body=body), "utf-8")
    (verdict,) = run_tests(path, {"test_it": 1}, lambda: Student(code), seed=7, seconds=1)
    return verdict.status


def test_nothing_around_the_tests_has_a_say_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    (tmp_path / "conftest.py").write_text("raise RuntimeError", "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n", "utf-8")
    status(tmp_path)
    places = (dict(os.environ), list(sys.path), set(sys.modules), Path.cwd())
    assert status(tmp_path, code="def f(n):\n    print('mine')\n    return n") == "pass"
    assert (dict(os.environ), list(sys.path), set(sys.modules), Path.cwd()) == places
    assert capsys.readouterr() == ("", ""), "of what passes a learner sees nothing"
    left = {path.name for path in tmp_path.iterdir()} - {"__pycache__"}
    assert left == {"conftest.py", "pytest.ini", "test_ex99a_it.py"}


def test_a_test_that_has_changed_is_run_as_it_is_now(tmp_path: Path) -> None:
    assert status(tmp_path) == "pass"
    assert status(tmp_path, "student.g()") == "fail"


def test_code_that_never_ends_while_it_is_loaded_is_stopped(tmp_path: Path) -> None:
    assert status(tmp_path, code="while True: pass") == "timeout"


def test_who_interrupts_is_obeyed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        status(tmp_path, code="def f(n): raise KeyboardInterrupt")


@pytest.mark.parametrize("body", ["[][0]", "import pytest; pytest.fail('no')"])
def test_a_test_that_stumbles_is_our_fault_and_says_so(tmp_path: Path, body: str) -> None:
    with pytest.raises((IndexError, pytest.fail.Exception)):
        status(tmp_path, body)


def test_a_fixture_of_the_tests_own_is_made_and_every_case_counts(tmp_path: Path) -> None:
    path = tmp_path / "test_ex99a_it.py"
    path.write_text(
        "import pytest\n\n@pytest.fixture\ndef three():\n    return 3\n\n"
        "@pytest.mark.parametrize('n', [1, 2, 4])\n"
        "def test_it(student, three, n):\n    assert n\n    student.f(n - three)\n",
        "utf-8",
    )
    code = "def f(n): return 1 / (n + 1)"
    (verdict,) = run_tests(path, {"test_it": 5}, lambda: Student(code))
    assert (verdict.status, verdict.points) == ("fail", 0)
    assert "ZeroDivisionError" in verdict.message
