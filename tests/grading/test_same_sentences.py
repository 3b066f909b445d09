"""A file that cannot be loaded: the same verdict and sentence on a laptop and at grading."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from ordinary import needs_box
from project import ROOT
from small_course import Small, statuses

from anonlab.cli.verbs import cli
from anonlab.course.authoring.exercises import Course, build_exercises, find_course
from anonlab.course.authoring.masters import read_masters
from anonlab.course.judging.attempt import reset_exercise, write_cell
from anonlab.course.judging.student import LoadError, Student

SAVE = "SyntaxError: the file is not UTF-8: save it as UTF-8 (line"
UNLOADABLE = {
    "n = int(input())\ndef f(x): return 2": "EOFError: input() is not available when graded: leave",
    "import sys\nsys.stdin.readline().split()[0]\n": "IndexError: list index out of range (line 2",
    b"\n# \xe4\ndef f(x): return 2 * x\n": f"{SAVE} 2",
    b"s = '\xa4 \xe4'\n": f"{SAVE} 1",
    "def f(x)\n    return 2": "SyntaxError: expected ':' (line 1",
    "import sys\nsys.exit(3)": "SystemExit: 3 (line 2",
}
LOADABLE = (
    "\ufeffdef f(x): return 2 * x\n",
    "# coding: latin-1\n# \xe4\ndef f(x): return 2 * x\n".encode("latin-1"),
    "import sys\nsys.stdin.read()\ndef f(x): return 2 * x\n",
    "def f(x): return 2 * x\nif __name__ == '__main__':\n    input()\n",
)
ASKS = """
def test_one(student, seed):
    '''Twice one.'''
    judge_all(student, [Question("f", (1,), 2)])
"""
MORE = ASKS.replace("one", "two")


def written(code: str | bytes) -> bytes:
    return code.encode() if isinstance(code, str) else code


@needs_box
@pytest.mark.xdist_group("attacks")
def test_what_cannot_be_loaded_is_told_alike_at_both_places(small: Small) -> None:
    small.write(ASKS, MORE)
    for code in (*UNLOADABLE, *LOADABLE):
        small.submit(code)
    results = small.graded()
    for (code, message), result in zip(UNLOADABLE.items(), results, strict=False):
        assert statuses(result) == ["error-import", "error-import"]
        with pytest.raises(LoadError) as caught:
            Student(written(code))
        assert message in str(caught.value)
        assert str(caught.value) in result["tests"][0]["shown"]["message"]
    for code, result in zip(LOADABLE, results[len(UNLOADABLE) :], strict=True):
        assert statuses(result) == ["pass", "pass"]
        assert Student(written(code)).f(4) == 8


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A learner's copy of the course."""
    build_exercises(read_masters(ROOT / "solutions"), tmp_path / "exercises")
    tests = tmp_path / "tests" / "exercises" / "public"
    tests.mkdir(parents=True)
    name = "test_ex04a_fork.py"
    source = ROOT / "tests" / "exercises" / "public" / name
    (tests / name).write_text(source.read_text("utf-8"), "utf-8")
    monkeypatch.setenv("ANONLAB_COURSE", str(tmp_path))
    return find_course()


@pytest.mark.parametrize("code", list(UNLOADABLE), ids=range(len(UNLOADABLE)))
def test_the_prompt_says_what_grading_says(course: Course, code: str | bytes) -> None:
    course.file("04a").write_bytes(written(code))
    done = CliRunner().invoke(cli, ["check", "04a"], input="7\n7\n")
    assert done.exit_code == 1, done.output
    assert "error-im" in done.output
    assert UNLOADABLE[code] in done.output


def test_a_file_of_another_encoding_is_set_aside_as_it_is(course: Course) -> None:
    path, latin = course.file("04a"), b"# \xe4\nx = 1\n"
    path.write_bytes(latin)
    found = write_cell(course, "04a", "x = 2")
    assert (found.how, path.read_bytes()) == ("kept both", latin)
    assert found.difference.isprintable() or "\ufffd" in found.difference
    beside = reset_exercise(course, "04a")[1]
    assert beside is not None
    assert beside.read_bytes() == latin
