"""What goes wrong in a student's code: the same verdict and sentence on a laptop and at grading."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from ordinary import needs_box
from project import ROOT
from small_course import IMPORTS, Small, statuses

from anonlab.box.worker import NO_FILES, NO_MODULE, NO_PROGRAMS
from anonlab.cli.verbs import cli
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring.exercises import Course, build_exercises, find_course
from anonlab.course.authoring.masters import read_masters
from anonlab.course.judging.attempt import reset_exercise, write_cell
from anonlab.course.judging.places_to_run import PlaceToRun, best_place, in_process, the_child
from anonlab.course.judging.runner import run_tests

BOX, CHILD, HERE = best_place(), the_child("a test"), in_process("a test")
SAVE = "SyntaxError: the file is not UTF-8: save it as UTF-8 (line"
UNLOADABLE = {
    "n = int(input())\ndef f(x): return 2": "EOFError: input() is not available when graded: leave",
    "import sys\nsys.stdin.readline().split()[0]\n": "IndexError: list index out of range (line 2",
    b"\n# \xe4\ndef f(x): return 2 * x\n": f"{SAVE} 2",
    b"s = '\xa4 \xe4'\n": f"{SAVE} 1",
    "def f(x)\n    return 2": "SyntaxError: expected ':' (line 1",
    "import sys\nsys.exit(3)": "SystemExit: 3 (line 2",
}
WALLED = {
    "raise BaseException('base')": "BaseException: base (line 1",
    "raise KeyboardInterrupt": "KeyboardInterrupt:  (line 1",
    "open('/etc/hostname')": f"PermissionError: {NO_FILES} (line 1",
    "import pathlib\npathlib.Path('x').write_text('y')": f"PermissionError: {NO_FILES} (line 2",
    "import subprocess\nsubprocess.run(['true'])": f"PermissionError: {NO_PROGRAMS} (line 2",
    "import os\nos.fork()": f"PermissionError: {NO_PROGRAMS} (line 2",
    "import socket\nsocket.socket()": f"PermissionError: {NO_PROGRAMS} (line 2",
    "import pytest": f"ModuleNotFoundError: No module named 'pytest' ({NO_MODULE}) (line 1",
}
ENDED = {
    "import os\nos._exit(0)": ("crash", "it ended without an answer (exit status 0)"),
    "import os\nos.abort()": ("crash", "it ended without an answer (signal "),
    "while True: pass": ("timeout", "no answer after 1 s: is there a loop that never ends?"),
    "import time\ntime.sleep(9)": ("timeout", "no answer after 1 s: is there a loop that never e"),
}
"""What ends the process of the code, and cannot be told by a process that has the code in it."""
CALLED = {
    "def f(x): return chr(0xd800)": "return plain data: a text has half a character (a surrogate)",
    "def f(x): return input()": "EOFError: input() is not available when graded (line 1",
    "def f(x): raise BaseException(x)": "BaseException: 1 (line 1",
    "def f(x): return open('data.txt').read()": f"PermissionError: {NO_FILES} (line 1",
    "import threading\ndef f(x):\n    threading.Thread(target=f).start()": NO_PROGRAMS,
}
"""What is told of a call, wherever there is a process of its own."""
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
    judge_all(student, [Question("f", (2,), 4)])
"""
MORE = ASKS.replace("one", "two")


def written(code: str | bytes) -> bytes:
    return code.encode() if isinstance(code, str) else code


def told(place: PlaceToRun, code: str | bytes) -> tuple[str, str]:
    """Status and message of one test of f, for this code, where a learner works."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tests" / "exercises" / "public" / "test_ex10a_small.py"
        path.parent.mkdir(parents=True)
        path.write_text(IMPORTS + ASKS)
        students = place.students(written(code), Path("ex10a_small.py"), seconds=1)
        (verdict,) = run_tests(path, {"test_one": 1}, students)
    return verdict.status, verdict.message


@needs_box
@pytest.mark.xdist_group("attacks")
def test_whatever_goes_wrong_is_told_alike_at_both_places(small: Small) -> None:
    small.write(ASKS, MORE)
    assert BOX.name == "box"
    codes = [*UNLOADABLE, *WALLED, *ENDED, *CALLED, *LOADABLE]
    for code in codes:
        small.submit(code)
    results = dict(zip(codes, small.graded(), strict=True))
    for code, message in {**UNLOADABLE, **WALLED}.items():
        assert statuses(results[code]) == ["error-import", "error-import"]
        graded = results[code]["tests"][0]["shown"]["message"]
        for place in (BOX, CHILD, *([HERE] if code in UNLOADABLE else [])):
            status, said = told(place, code)
            assert status == "error-import", code
            assert message in said.replace("your code raised", "")
            assert message in graded
    for code, (status, message) in ENDED.items():
        assert statuses(results[code]) == [status, status]
        for place in (BOX, CHILD):
            assert told(place, code)[0] == status
            assert message in told(place, code)[1]
            assert message in results[code]["tests"][0]["shown"]["message"]
    for code, message in CALLED.items():
        for place in (BOX, CHILD):
            assert told(place, code)[0] == "fail"
            assert message in told(place, code)[1]
        assert message in results[code]["tests"][0]["shown"]["message"]
    for code in LOADABLE:
        assert statuses(results[code]) == ["pass", "pass"]
        for place in (BOX, CHILD, HERE):
            assert told(place, code) == ("pass", "")


@pytest.mark.parametrize("place", [BOX, CHILD, HERE], ids=lambda place: place.name)
def test_what_the_failing_call_printed_is_shown_and_no_more(place: PlaceToRun) -> None:
    code = (
        "import os\nprint('at import')\ndef f(x):\n    print('call', x)\n"
        "    if x == 2:\n        for n in range(100_000): print('line', n)\n    return {}\n"
    )
    status, said = told(place, code.format("2 * x"))
    assert (status, said) == ("pass", "")
    status, said = told(place, code.format("2 * x if x < 2 else 5"))
    assert status == "fail"
    lines = said.splitlines()
    at = lines.index("it printed:")
    assert lines[at + 1 : at + 3] == ["  call 2", "  line 0"]
    assert lines[at + 20 : at + 22] == ["  line 18", "  … and 99,981 more lines"]
    assert "at import" not in said
    assert "call 1" not in said


@pytest.mark.parametrize("place", [BOX, CHILD], ids=lambda place: place.name)
def test_a_printing_loop_is_bounded_and_what_it_said_is_shown(place: PlaceToRun) -> None:
    status, said = told(place, "print('first', flush=True)\nwhile True: print('more' * 99)")
    assert status in ("timeout", "limit-output")
    assert "it printed:\n  first\n  more" in said
    assert len(said) < 10_000


def test_where_nothing_is_refused_it_is_said_beforehand() -> None:
    code = b"import threading\ndef f(x):\n    return open(x)\n"
    assert not BOX.warning(code)
    assert "a test" in CHILD.warning(b"x = 1")
    assert CHILD.warning(code).endswith(f"{NO_FILES}\n{NO_PROGRAMS}")
    assert "a test" in HERE.warning(b"\x00 def")


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


@needs_box
def test_a_check_that_ends_its_process_is_kept_as_a_try(course: Course) -> None:
    course.file("04a").write_text("import os\nos._exit(0)\n")
    done = CliRunner().invoke(cli, ["check", "04a"])
    assert done.exit_code == 1, done.output
    assert "it ended without an answer (exit status 0)" in done.output
    (kept,) = ProgressLog(course.root).events("check", exercise="04a")
    assert (kept["ok"], kept["points"]) == (False, 0)
    assert set(kept["tests"].values()) <= {"crash", "skipped"}


def test_a_file_of_another_encoding_is_set_aside_as_it_is(course: Course) -> None:
    path, latin = course.file("04a"), b"# \xe4\nx = 1\n"
    path.write_bytes(latin)
    found = write_cell(course, "04a", "x = 2")
    assert (found.how, path.read_bytes()) == ("kept both", latin)
    assert found.difference.isprintable() or "\ufffd" in found.difference
    beside = reset_exercise(course, "04a")[1]
    assert beside is not None
    assert beside.read_bytes() == latin
