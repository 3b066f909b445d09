"""One verdict for each expected test: what students did, and what is the grader's trouble."""

from __future__ import annotations

import json

import pytest
from ordinary import needs_box
from small_course import SOLUTION, Small, statuses

pytestmark = [needs_box, pytest.mark.xdist_group("attacks")]

ASKS = """
def test_one(student, seed):
    '''Twice one.'''
    judge_all(student, [Question("f", (1,), 2)], {"Did you forget to double?": lambda a, r: a[0]})
"""
ASKS_MORE = """
def test_two(student, seed):
    '''Twice the seed.'''
    judge_all(student, [Question("f", (seed,), 2 * seed)], {"Did you add?": lambda a, r: a[0] + 1})
"""
STUB = """def f(x):
    \"\"\"Return twice x.\"\"\"
    raise NotImplementedError("10a: your code goes here")
"""
HEADER = '"""10a · Small\n\nWrite f.\n"""\n\n'


def test_missing_unchanged_and_wrong_are_different_zeros(small: Small) -> None:
    small.write(ASKS, ASKS_MORE)
    empty = (None, "", " \n\n")
    templates = (STUB, HEADER + STUB, "\ufeff" + HEADER + STUB, STUB.replace("\n", "\r\n"))
    for code in (*empty, *templates, "def f(x):\n    return 3\n", "# nothing here"):
        small.submit(code)
    results = small.graded()
    assert [result["status"] for result in results] == [
        *["missing"] * 3,
        *["unchanged"] * 4,
        *["graded"] * 2,
    ]
    assert statuses(results[0]) == ["missing", "missing"]
    assert statuses(results[3]) == ["unchanged", "unchanged"]
    assert statuses(results[7]) == ["fail", "fail"]
    assert {test["points"] for result in results for test in result["tests"]} == {0}


@pytest.mark.parametrize(
    "code",
    [
        "\ufeff" + SOLUTION,
        SOLUTION.replace("\n", "\r\n"),
        "# -*- coding: latin-1 -*-\n# \xe4\n".encode("latin-1") + SOLUTION.encode(),
        "print('at import')\n" + SOLUTION,
        "import numpy as np\ndef f(x):\n    return np.int64(2) * x if x < 99 else 2 * x\n",
        "import anonlab, random\n" + SOLUTION,
    ],
    ids=["BOM", "CRLF", "declared Latin-1", "prints", "NumPy scalar", "imports anonlab"],
)
def test_what_is_right_passes_in_any_dress(code: str | bytes, small: Small) -> None:
    small.write(ASKS, ASKS_MORE)
    small.submit(code)
    (result,) = small.graded()
    assert statuses(result) == ["pass", "pass"]
    if b"at import" in (code if isinstance(code, bytes) else code.encode()):
        assert result["tests"][0]["shown"]["printed"] == "at import\n"


BAD_FILES = {
    "def f(x)\n    return 2": "SyntaxError: expected ':' (line 1",
    "def f(x):\n\tif x:\n        return 2\n": "SyntaxError: inconsistent use of tabs",
    b"\n# \xe4\ndef f(x): return 2 * x\n": (
        "SyntaxError: the file is not UTF-8: save it as UTF-8 (line 2"
    ),
    b"\0": "null bytes",
    "\n\nimport nothing_like_it": (
        "ModuleNotFoundError: No module named 'nothing_like_it' (when graded, there are Python's "
        "standard library, NumPy and anonlab) (line 3"
    ),
    "import sys\nsys.exit(3)": "SystemExit: 3 (line 2",
    "1 / 0": "ZeroDivisionError: division by zero (line 1",
}


def test_a_file_that_cannot_be_loaded_says_where(small: Small) -> None:
    small.write(ASKS, ASKS_MORE)
    for code in BAD_FILES:
        small.submit(code)
    for result, message in zip(small.graded(), BAD_FILES.values(), strict=True):
        assert statuses(result) == ["error-import", "error-import"]
        assert message in result["tests"][0]["shown"]["message"]
        assert result["tests"][1]["shown"] == {}


BAD_CALLS = {
    "def f(x):\n    return input()": ("fail", "input() is not available when graded"),
    "def g(x):\n    return 1": ("fail", "your file has no function 'f': was it renamed?"),
    "def f():\n    return 1": ("fail", "takes 0 positional arguments but 1 was given"),
    "def f(x):\n    x.y": ("fail", "'int' object has no attribute 'y' (line 2 of your file)"),
    "def f(x):\n    return (i for i in 'ab')": ("protocol", "return plain data"),
    "def f(x):\n    return float('nan')": ("protocol", "nan is no number"),
    "def f(x):\n    return 1 << 20000": ("protocol", "4,300 digits"),
    "def f(x):\n    a = []\n    a.append(a)\n    return a": ("protocol", "at most 30 levels"),
    "def f(x):\n    return f": ("protocol", "got function"),
    "def f(x):\n    raise NotImplementedError": ("fail", "Not written yet, line 2 of your file."),
    "def f(x):\n    while True: pass": ("timeout", "no answer after 1 s"),
    "import os\ndef f(x):\n    os._exit(0)": ("crash", "without an answer (exit status 0)"),
    "import os\ndef f(x):\n    os.abort()": ("crash", "without an answer (signal "),
}


def test_a_call_that_goes_wrong_has_its_status_and_its_sentence(small: Small) -> None:
    small.write(ASKS, ASKS_MORE)
    for code in BAD_CALLS:
        small.submit(code)
    for result, (status, message) in zip(small.graded(), BAD_CALLS.values(), strict=True):
        assert statuses(result) == [status, status], message
        assert message in result["tests"][0]["shown"]["message"]


def test_hints_of_hidden_tests_are_shown_and_nothing_else(small: Small) -> None:
    small.write(ASKS, ASKS_MORE)
    small.submit("def f(x):\n    print('I saw', x)\n    return x + 1 if x > 1 else x\n")
    (result,) = small.graded()
    public, hidden = result["tests"]
    assert public["hint"] == "Did you forget to double?"
    assert (public["shown"]["call"], public["shown"]["expected"], public["shown"]["got"]) == (
        *("f(1)", "2", "1"),
    )
    assert hidden["hint"] == "Did you add?"
    assert hidden["shown"] == {}
    seed = str(hidden["private"]["seed"])
    assert seed in hidden["private"]["printed"]
    visible = json.dumps([[t["title"], t["hint"], t["shown"]] for t in result["tests"]])
    assert seed not in visible


def test_inputs_are_keyed_by_secret_and_submission(small: Small) -> None:
    small.write(ASKS, ASKS_MORE)
    small.submit(SOLUTION)
    small.submit(SOLUTION, student="u2")
    small.submit(SOLUTION + "# other\n")
    small.submit(SOLUTION, secret="other")
    seeds = [result["tests"][1]["private"]["seed"] for result in small.graded()]
    assert seeds[0] == seeds[1]
    assert len(set(seeds)) == 3


def test_a_variant_asks_what_its_student_was_asked(small: Small) -> None:
    small.write(ASKS + "\ndef statement(seed):\n    return 'yours'\n", ASKS_MORE)
    small.submit(SOLUTION, student="u1")
    small.submit(SOLUTION, student="u1", variants=True)
    small.submit(SOLUTION + "#", student="u1", variants=True)
    small.submit(SOLUTION, student="u2", variants=True)
    none, one, same, other = (
        [test["private"]["seed"] for test in result["tests"]] for result in small.graded()
    )
    assert none == [0, 0]
    assert one == same
    assert one[0] == one[1]
    assert other[0] not in (0, one[0])


def test_points_sum_up_to_what_the_exercise_counts_for(small: Small) -> None:
    small.write(ASKS, ASKS_MORE + ASKS_MORE.replace("two", "three"))
    small.submit(SOLUTION)
    small.submit(SOLUTION, points={"10a": 7})
    ten, seven = small.graded()
    assert sum(test["points"] for test in ten["tests"]) == 10
    assert [test["most"] for test in seven["tests"]] == [2.333333, 2.333333, 2.333334]


def test_grading_twice_gives_the_same_bytes(small: Small) -> None:
    small.write(ASKS, ASKS_MORE)
    code = "print({'a', 'b', 'c', 'd'}, object())\ndef f(x):\n    raise ValueError({'p', 'q'}, f)\n"
    small.submit(code)
    results = []
    for hash_seed in ("1", "2"):
        (result,) = small.graded(PYTHONHASHSEED=hash_seed)
        result.pop("timing")
        results.append(json.dumps(result, sort_keys=True))
    assert results[0] == results[1]


def test_the_laptop_and_the_box_say_the_same(small: Small) -> None:
    small.write(ASKS, ASKS_MORE)
    codes = [SOLUTION, "def f(x):\n    return x\n", *list(BAD_CALLS)[:6], *BAD_FILES]
    codes = [code for code in codes if "input" not in str(code) and isinstance(code, str)]
    for in_process in (False, True):
        for code in codes:
            small.submit(code, in_process=in_process)
    results = small.graded()
    boxed, laptop = results[: len(codes)], results[len(codes) :]
    for one, other in zip(boxed, laptop, strict=True):
        assert (one["official"], other["official"]) == (True, False)
        points = [[(t["test"], t["points"], t["hint"]) for t in r["tests"]] for r in (one, other)]
        assert points[0] == points[1]


# -- one test and its box ------------------------------------------------------------------------

COUNTER = "n = 0\ndef f(x):\n    global n\n    n += 1\n    if x < 0:\n        1 / 0\n    return n\n"


def test_every_test_has_a_box_of_its_own_unless_it_shares_one(small: Small) -> None:
    fresh = "def test_{0}(student, seed):\n    assert student.f(1) == {1}\n"
    shared = "@one_box\n" + fresh
    small.write(
        fresh.format("a", 1) + fresh.format("b", 1),
        "".join(shared.format(name, at) for at, name in enumerate("cdefg", 1)),
    )
    small.submit(COUNTER)
    (result,) = small.graded()
    assert statuses(result) == ["pass"] * 7
    assert result["timing"]["repeats"] == 0


def test_after_a_crash_those_that_share_get_a_new_box(small: Small) -> None:
    small.write(
        "def test_a(student, seed):\n    assert student.f(1) == 1\n",
        "@one_box\ndef test_b(student, seed):\n    student.f(0)\n"
        "@one_box\ndef test_c(student, seed):\n    assert student.f(1) == 2\n"
        "@one_box\ndef test_d(student, seed):\n    student.f(7)\n"
        "@one_box\ndef test_e(student, seed):\n    assert student.f(1) == 1\n",
    )
    small.submit(COUNTER.replace("1 / 0", "pass") + "    if x == 7: __import__('os')._exit(1)\n")
    small.submit(
        COUNTER.replace("    return n", "    if x == 7: __import__('os')._exit(1)\n    return n")
    )
    (_, result) = small.graded()
    assert statuses(result) == ["pass", "pass", "pass", "crash", "pass"]


def test_many_calls_in_one_message_and_objects(small: Small) -> None:
    small.write(
        "def test_a(student, seed):\n"
        "    assert student.map('f', [(1,), (2,)]) == [2, 4]\n"
        "    one, other = student.Sum(1), student.Sum(10)\n"
        "    assert (one.add(1), other.add(1), one.add(1)) == (2, 11, 3)\n",
        "def test_b(student, seed):\n"
        "    try:\n        student.map('f', [(1,), ('a', 2)])\n"
        "    except Exception as error:\n        assert error.kind == 'TypeError'\n"
        "    for ask in (lambda: student._f(1), lambda: student.Sum(1)._x(),\n"
        "                lambda: student.map('_f', [])):\n"
        "        try:\n            ask()\n            assert False\n"
        "        except AttributeError:\n            pass\n",
    )
    small.submit(
        SOLUTION + "class Sum:\n    def __init__(self, n): self.n = n\n"
        "    def add(self, k):\n        self.n += k\n        return self.n\n    _x = add\n_f = f\n"
    )
    (result,) = small.graded()
    assert statuses(result) == ["pass", "pass"], result["tests"]


def test_the_time_of_an_exercise_ends_for_all_its_tests(small: Small) -> None:
    ask = "def test_{}(student, seed):\n    assert student.f(1) == 2\n"
    small.write(ask.format("a"), "".join(ask.format(name) for name in "bcd"))
    small.submit("import time\ndef f(x):\n    time.sleep(0.7)\n    return 2 * x\n", box_seconds=1.9)
    (result,) = small.graded()
    assert statuses(result)[0] == "pass"
    assert statuses(result)[-1] == "timeout"


# -- trouble of the grader -----------------------------------------------------------------------


def test_trouble_of_a_test_is_nobodys_zero(small: Small) -> None:
    broken = "def test_b(student, seed):\n    count('b')\n    {}['nothing']\n"
    after = "@needs('test_b')\ndef test_c(student, seed):\n    pass\n"
    small.write(ASKS, broken + after)
    small.submit(SOLUTION)
    (result,) = small.graded()
    assert result["status"] == "infra"
    assert statuses(result) == ["pass", "infra", "infra"]
    assert [test["points"] for test in result["tests"]][1:] == [None, None]
    assert "KeyError: 'nothing'" in result["tests"][1]["private"]["message"]
    counts = small.folder / "counts" / "b"
    assert counts.read_text() == "4"  # twice again, and on the solution


def test_trouble_that_goes_away_leaves_a_verdict(small: Small) -> None:
    small.write(ASKS, "def test_b(student, seed):\n    if count('b') < 3: raise OSError('full')\n")
    small.submit(SOLUTION)
    (result,) = small.graded()
    assert statuses(result) == ["pass", "pass"]
    assert result["timing"]["repeats"] == 2


def test_who_breaks_a_test_fails_it(small: Small) -> None:
    small.write(ASKS, "def test_b(student, seed):\n    assert student.f(3) + 1 == 7\n")
    small.submit("def f(x):\n    return 'six'\n")
    (result,) = small.graded()
    assert statuses(result) == ["fail", "fail"]
    assert "TypeError" in result["tests"][1]["private"]["trouble"]


def test_what_a_fixture_finds_when_a_test_is_over_counts(small: Small) -> None:
    """Here it finds that the function was asked twice: the same for everybody, so trouble."""
    keeps = "import pytest\n@pytest.fixture\ndef kept():\n    yield []\n"
    asks = "    assert count('b') < 2, 'asked twice'\n"
    test = "def test_b(student, seed, kept):\n    count('b')\n    assert student.f(3) == 6\n"
    small.write(ASKS, keeps + asks + test)
    small.submit(SOLUTION)
    (result,) = small.graded()
    assert statuses(result) == ["pass", "infra"]
    assert "asked twice" in result["tests"][1]["private"]["message"]


def test_what_fails_in_a_subtest_does_not_pass(small: Small) -> None:
    """pytest's own fixture keeps to itself what was raised in it: the judge would see nothing."""
    part = "    with subtests.test(): assert student.f(1) == 0\n"
    small.write(ASKS, "def test_b(student, seed, subtests):\n" + part)
    small.submit(SOLUTION)
    (result,) = small.graded()
    assert statuses(result) == ["pass", "infra"]
    assert "fixture 'subtests' not found" in result["tests"][1]["private"]["message"]


@pytest.mark.parametrize(
    "hidden",
    ["def test_b(student, seed) return\n", "import nothing_like_it\ndef test_b(a): pass\n"],
)
def test_a_test_file_that_is_none_is_trouble(hidden: str, small: Small) -> None:
    small.write(ASKS, "def test_b(student, seed):\n    pass\n")
    path = small.folder / "tests" / "exercises" / "hidden" / "test_ex10a_small_hidden.py"
    path.write_text(hidden)
    small.submit(SOLUTION)
    (result,) = small.graded()
    assert result["status"] == "infra"
    assert statuses(result)[-1] == "infra"


def test_a_test_that_is_not_there_is_trouble(small: Small) -> None:
    small.write(ASKS, "def test_b(student, seed):\n    pass\n")
    path = small.folder / "tests" / "exercises" / "hidden" / "test_ex10a_small_hidden.py"
    path.write_text("def test_other(student, seed):\n    pass\n")
    small.submit(SOLUTION)
    (result,) = small.graded()
    assert statuses(result) == ["pass", "infra"]
    assert "is there such a test?" in result["tests"][1]["private"]["message"]


def test_who_sleeps_or_loops_has_a_time_out_at_once_and_who_waited_is_asked_again(
    small: Small,
) -> None:
    ask = "def test_{0}(student, seed):\n    assert student.{0}(count('{0}')) == 1\n"
    small.write(ask.format("slow"), ask.format("sleep") + ask.format("loop"))
    code = (
        "import time\ndef slow(n):\n    time.sleep(9 if n == 1 else 0)\n    return 1\n"
        "def sleep(n):\n    time.sleep(9)\ndef loop(n):\n    while True: pass\n"
    )
    for waited in (0.25, 0.0):  # seconds for which no processor was free, whatever this machine is
        small.submit(code, call_seconds=0.5)
        small.jobs[-1]["waited"] = waited
    busy, quiet = small.graded()
    assert statuses(busy) == ["pass", "timeout", "timeout"]
    assert busy["timing"]["repeats"] == 1
    assert statuses(quiet) == ["pass", "timeout", "timeout"]
    assert quiet["timing"]["repeats"] == 0
    counted = small.folder / "counts"
    assert (counted / "sleep").read_text() == "3"
    assert (counted / "loop").read_text() in ("2", "3")  # 3 where the machine was busy as well


@pytest.mark.parametrize("python", ["exit 1", "exit 0", "echo '{\"id\": 0}'; exit 0", ""])
def test_a_box_that_does_not_stand_is_nobodys_fault(python: str, small: Small) -> None:
    small.write(ASKS, ASKS_MORE)
    if python:
        (small.folder / "python").write_text(f"#!/bin/sh\n{python}\n")
        (small.folder / "python").chmod(0o755)
    small.submit(SOLUTION)
    small.jobs[-1]["python"] = str(small.folder / "python")
    (result,) = small.graded(PYTHONWARNINGS="ignore")
    assert result["status"] == "infra"
    assert statuses(result) == ["infra", "infra"]
    assert {test["points"] for test in result["tests"]} == {None}


def test_without_a_box_a_loop_ends_too(small: Small) -> None:
    small.write(ASKS, ASKS_MORE)
    small.submit("while True: pass\n", in_process=True)
    small.jobs[-1]["test_seconds"] = 1
    (result,) = small.graded()
    assert statuses(result) == ["timeout", "timeout"]
    assert result["timing"]["repeats"] == 0


def test_nobody_can_make_a_failure_dear_to_explain(small: Small) -> None:
    small.write(
        "def test_a(student, seed):\n"
        "    assert student.f(1) == '\\n'.join(f'{n} is a number' for n in range(2000))\n",
        "def test_b(student, seed):\n    assert student.g(1) == list(range(100_000))\n",
    )
    small.submit(
        "def f(x):\n    return '\\n'.join(f'{n} was a number' for n in range(2000, 0, -1))\n"
        "def g(x):\n    return list(range(150_000, 0, -1))\n"
    )
    (result,) = small.graded(CI="1")  # where pytest explains at length
    assert statuses(result) == ["fail", "fail"]
    assert result["timing"]["seconds"] < 10
    assert result["tests"][0]["shown"]["message"] == "what the check asserts does not hold"


def test_a_failed_premise_is_named(small: Small) -> None:
    small.write(ASKS + "@needs('test_one')\ndef test_b(student, seed):\n    pass\n", ASKS_MORE)
    small.submit("def f(x):\n    return 0\n")
    small.submit(SOLUTION)
    wrong, right = small.graded()
    assert statuses(wrong) == ["fail", "skipped", "fail"]
    assert wrong["tests"][1]["shown"] == {"message": "needs “Twice one”, which has not passed"}
    assert statuses(right) == ["pass"] * 3


def test_nothing_around_configures_the_run(small: Small) -> None:
    small.write(ASKS, ASKS_MORE)
    evil = "def pytest_collection_modifyitems(items):\n    items.clear()\n"
    for folder in (small.folder, small.folder / "tests" / "exercises" / "hidden"):
        (folder / "conftest.py").write_text(evil)
        (folder / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")
    small.submit(SOLUTION)
    (result,) = small.graded(PYTEST_ADDOPTS="--collect-only", PYTEST_PLUGINS="nothing_like_it")
    assert statuses(result) == ["pass", "pass"]


def test_a_test_file_that_changes_between_two_is_read_anew(small: Small) -> None:
    small.write(
        ASKS,
        "def test_b(student, seed):\n    p = Path(__file__)\n"
        "    p.write_text(p.read_text().replace('p = ', 'assert False, 1; p = '))\n",
    )
    small.submit(SOLUTION)
    small.submit(SOLUTION)
    first, second = small.graded()
    assert statuses(first) == ["pass", "pass"]
    assert statuses(second) == ["pass", "fail"]


TAKES_MUCH = """
import resource
def test_one(student, seed):
    count("begun")
    bytearray(2 << 30)
def test_two(student, seed):
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
"""
MADE_TO = """
def test_three(student, seed):
    bytearray(len(student.f([1])) << 28)
"""


def test_the_judge_may_take_so_much_memory_and_no_more(small: Small) -> None:
    """A test that takes too much gives nobody a verdict; an answer that makes it take too much is a
    wrong one. Whoever comes next has a judge that works."""
    small.write(TAKES_MUCH, MADE_TO)
    greedy_code = "def f(x): return 9 * x\n"
    for code, most in ((SOLUTION, 1024), (greedy_code, 1024), (SOLUTION, 8192)):
        small.submit(code, judge_mebibytes=most)
    right, greedy, much = small.graded()
    assert statuses(right) == ["infra", "pass", "pass"]
    assert statuses(greedy) == ["infra", "pass", "fail"]
    assert statuses(much) == ["pass", "pass", "pass"]
    sentences = [right["tests"][0]["private"]["message"], greedy["tests"][2]["private"]["trouble"]]
    assert all(each.startswith("the judge's memory is used up") for each in sentences)
