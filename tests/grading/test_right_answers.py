"""What is right is worked out once for a test and a seed, and no verdict is another for it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from ordinary import needs_box
from small_course import Small, statuses

from anonlab.course.judging.right_answers import RightAnswers

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
    return {**result, "timing": 0, "troubles": 0}


def worked_out(small: Small) -> int:
    path = small.folder / "counts" / "worked out"
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
    assert len([*folder.iterdir()]) == 1  # of the one that asks by itself nothing is kept
    assert folder.stat().st_mode & 0o77 == 0
    path = small.folder / "tests" / "exercises" / "public" / "test_ex10a_small.py"
    path.write_text(path.read_text().replace("[n, n])", "[n])"))
    results = small.graded(PYTHONWARNINGS="ignore")
    assert {tuple(statuses(each)) for each in results} == {("fail", "pass")}
    assert [each.name for each in kept.iterdir()] != [folder.name]


def test_what_is_damaged_is_worked_out_again_and_told(small: Small) -> None:
    kept = small.folder / "kept"
    kept.mkdir()
    small.write(HISTORIES, ASKS_BY_ITSELF)
    small.submit(RIGHT, kept=str(kept))
    (first,) = small.graded(PYTHONWARNINGS="ignore")
    (file,) = (file for folder in kept.iterdir() for file in folder.iterdir())
    assert file.stat().st_mode & 0o77 == 0
    whole = file.read_bytes()
    flipped = bytes([*whole[:-9], whole[-9] ^ 1, *whole[-8:]])
    body = zlib.compress(b'{"of": "another", "calls": []}')
    other = hashlib.sha256(body).hexdigest().encode() + b"\n" + body
    name, calls = json.loads(zlib.decompress(whole[65:])).values()
    mine = json.dumps({"of": name, "calls": [[["", "0"]] for _ in calls]}).encode()
    forged = whole[:65] + zlib.compress(mine)
    for at, data in enumerate((whole[:30], whole[:-9], b"", flipped, other, forged), 2):
        file.write_bytes(data)
        (again,) = small.graded(PYTHONWARNINGS="ignore")
        (sentence,) = again["troubles"]
        assert "worked out again" in sentence
        assert told(again) == told(first)
        assert worked_out(small) == at
        assert file.read_bytes() == whole


def test_a_changed_file_beside_the_tests_brings_other_answers(small: Small) -> None:
    """Whatever stands beside the tests, with the same size and time of writing as before."""
    kept = small.folder / "kept"
    kept.mkdir()
    reads = 'Question("f", ([1],), (Path(__file__).parents[1] / "data.txt").read_text())'
    asks = "def test_{}(student, seed):\n    judge_all(student, [{}])\n"
    small.write(asks.format("one", reads), asks.format("two", 'Question("f", ([1],), "a")'))
    data = small.folder / "tests" / "exercises" / "data.txt"
    for text in "ab":
        small.submit(f"def f(x): return {text!r}\n", kept=str(kept))
    found = []
    for text in "ab":
        data.write_text(text)
        os.utime(data, (1, 1))
        found.append([statuses(each) for each in small.graded()])  # by one process
    assert found == [[["pass", "pass"], ["fail", "fail"]], [["fail", "pass"], ["pass", "fail"]]]


def test_a_changed_file_changes_what_another_makes_of_it(small: Small) -> None:
    kept = small.folder / "kept"
    kept.mkdir()
    asks = "def test_{}(student, seed):\n    judge_all(student, [{}])\n"
    small.write(
        "TIMES = 2\n" + asks.format("one", 'Question("f", ([1],), [1] * TIMES)'),
        "from anonlab.course.judging.call_answers import load_beside\n"
        "public = load_beside(__file__, '../public/test_ex10a_small.py')\n"
        + asks.format("two", 'Question("f", ([1],), [1] * public.TIMES)'),
    )
    small.submit(RIGHT, kept=str(kept))
    small.submit("def f(x): return 3 * x\n", kept=str(kept))
    before = [*map(statuses, small.graded())]
    path = small.folder / "tests" / "exercises" / "public" / "test_ex10a_small.py"
    path.write_text(path.read_text().replace("TIMES = 2", "TIMES = 3"))
    assert [*map(statuses, small.graded())] == before[::-1]  # by one process
    assert before == [["pass", "pass"], ["fail", "fail"]]


BY_STUDENTS = """
def test_one(student, seed):
    said = [answer for answer in student.each([("f", ([n],)) for n in range(3)])]
    judge_all(student, [Question("f", ([n],), one) for n, one in enumerate(said)])
"""
CAUGHT = """
def test_two(student, seed):
    try:
        judge_all(student, [Question("f", ([1],), [1])])
    except Wrong:
        pass
    judge_all(student, [Question("f", ([5],), [5, 5])])
def test_three(student, seed):
    try:
        judge_all(student, [])
    except AssertionError:
        judge_all(student, [Question("f", ([4],), [4, 4])])
    else:
        raise Wrong("nothing was asked")
"""


def test_no_student_has_a_part_in_what_is_kept(small: Small) -> None:
    kept = small.folder / "kept"
    kept.mkdir()
    small.write(BY_STUDENTS, CAUGHT)
    codes = {
        "def f(x): return 'mine'\n": ("pass", "fail", "fail"),
        RIGHT: ("pass", "pass", "pass"),
        "def f(x): return [x, 7]\n": ("pass", "fail", "fail"),
        "def f(x): return x if x == [1] else 2 * x\n": ("pass", "pass", "pass"),
        "def f(x): return 2 * x if x != [5] else 0\n": ("pass", "fail", "pass"),
    }
    for code in [*codes, *codes]:
        small.submit(code, kept=str(kept))
    assert [*map(tuple, map(statuses, small.graded()))] == [*codes.values()] * 2
    bodies = [path.read_bytes().partition(b"\n")[2] for path in kept.glob("*/*")]
    (known,) = (json.loads(zlib.decompress(body)) for body in bodies)
    assert known["of"].split()[1] == "test_two"
    assert [[json.loads(right) for _, right in calls] for calls in known["calls"]] == [
        [[1]],
        [[5, 5]],
    ]


TWO_TRIES = """
import sys
def waiting():
    frame = sys._getframe()
    while frame.f_code.co_name != "serve":
        frame = frame.f_back
    return frame.f_locals["questions"].peek().count(b"\\n")
def f(x): return 2 * x if {} else 0
"""


def test_who_answers_wrongly_has_no_second_try(small: Small) -> None:
    """Code can tell the two ways of asking apart, or throw dice."""
    kept = small.folder / "kept"
    kept.mkdir()
    small.write(HISTORIES, ASKS_BY_ITSELF)
    for code in (RIGHT, TWO_TRIES.format("x != [1] or waiting() < 5")):
        small.submit(code, kept=str(kept))
    right, other = small.graded()
    assert statuses(right) == ["pass", "pass"]
    assert statuses(other) == ["fail", "pass"]
    assert "asked the same again" in other["tests"][0]["shown"]["message"]


COUNTS = """
def test_one(student, seed):
    right = [count("runs")] * 2
    judge_all(student, [Question("f", ([n],), right) for n in range(3)])
"""


def test_where_what_is_kept_is_not_right_nobody_is_blamed(small: Small) -> None:
    kept = small.folder / "kept"
    kept.mkdir()
    small.write(COUNTS, ASKS_BY_ITSELF)
    for number in (1, 3, 3):
        small.submit(f"def f(x): return [{number}, {number}]\n", kept=str(kept))
    results = small.graded()
    assert [*map(statuses, results)] == [["pass", "pass"]] * 3
    assert [len(each["troubles"]) for each in results] == [0, 1, 0]


def test_a_box_cannot_read_what_is_right(small: Small) -> None:
    kept = small.folder / "kept"
    kept.mkdir()
    small.write(HISTORIES, ASKS_BY_ITSELF)
    small.submit(RIGHT, kept=str(kept))
    small.graded()
    (file,) = (file for folder in kept.iterdir() for file in folder.iterdir())
    for names in (f"os.listdir({str(kept)!r})", f"open({str(file)!r}, 'rb').read()"):
        small.submit(f"import os\ndef f(x): return len({names}) and 2 * x\n", kept=str(kept))
        message = small.graded()[-1]["tests"][0]["shown"]["message"]
        assert "cannot open files" in message


def test_two_graders_at_once_find_whole_files(tmp_path: Path) -> None:
    """Each writes and reads the same names under digests that come and go."""
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        found = [*pool.map(keeps_and_reads, [(tmp_path, at) for at in range(4)])]
    assert found == [[]] * 4


def keeps_and_reads(where: tuple[Path, int]) -> list[str]:
    """Keep and read for a while; return what was troubled."""
    folder, at = where
    mine: list[Any] = [[(b"asked", b"right" * 2000)]]
    found = []
    for turn in range(150):
        one = RightAnswers()
        one.digest, one.folder = "d", folder / ("d" if turn % 20 else f"d{at}")
        with one.of_test("a test") as test:
            test.found = mine if test.known is None else []
        assert test.known in (None, mine)
        if turn % 10 == at:
            shutil.rmtree(folder / "d", ignore_errors=True)
        found += [each for each in one.troubles() if "damaged" in each]
    return found
