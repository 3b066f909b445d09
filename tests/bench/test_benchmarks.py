"""The benchmark prints what it promises, on tiny sizes; how fast anything is, no test says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from anonlab.linux.yardstick import SOURCE

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "kernel.py"
TINY = ("--pages", "3,1100", "--mms", "2,5", "--repetitions", "1")
STEPS = {"first_touch", "read_zero", "fork", "cow_copy", "cow_reuse", "mremap", "munmap"}

needs_compiler = pytest.mark.skipif(
    not (shutil.which("gcc") or shutil.which("cc")), reason="no C compiler"
)
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the comparison needs Linux")


def run(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARK), *options]
    return subprocess.run(command, capture_output=True, text=True, env=environment or None)


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What one run prints as JSON."""
    done = run("--json", *TINY)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_linux
@needs_compiler
def test_json_is_one_object_of_the_promised_shape(report):
    assert list(report) == [
        "rows", "walk_ns_per_mm", "single_fault_us", "single_fault_recorded_us", "import_ms",
    ]  # fmt: skip
    steps = [(row["name"], row["pages"]) for row in report["rows"]]
    assert len(steps) == 14
    assert set(steps) == {(step, pages) for step in STEPS for pages in (3, 1100)}
    for row in report["rows"]:
        assert list(row) == [
            "name", "pages", "simulated_ns_per_page", "real_ns_per_page", "ratio",
        ]  # fmt: skip
    assert list(report["walk_ns_per_mm"]) == ["2", "5"]


@needs_linux
@needs_compiler
def test_every_figure_is_a_positive_number_and_a_ratio_is_simulated_over_real(report):
    for row in report["rows"]:
        assert row["simulated_ns_per_page"] > 0
        assert row["real_ns_per_page"] > 0
        assert row["ratio"] == pytest.approx(
            row["simulated_ns_per_page"] / row["real_ns_per_page"], rel=0.01, abs=1e-3
        )
    rest = [report[name] for name in ("single_fault_us", "single_fault_recorded_us", "import_ms")]
    assert all(figure > 0 for figure in (*report["walk_ns_per_mm"].values(), *rest))


@needs_linux
@needs_compiler
def test_the_table_names_every_step_its_budgets_and_the_tag_that_stands_for_a_page():
    done = run(*TINY)
    assert done.returncode == 0, done.stderr
    for word in (*STEPS, "verdict", "<= 75 ns per mm", "<= 40 µs", "<= 60 µs", "<= 50 ms"):
        assert word in done.stdout
    assert "8-byte content tag" in " ".join(done.stdout.split())


@needs_linux
def test_without_a_compiler_the_error_says_which_one_to_install(tmp_path):
    done = run("--json", *TINY, PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "no C compiler" in done.stderr
    assert "gcc" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--pages", "0"), "whole numbers >= 1"),
        (("--pages", "16,"), "whole numbers >= 1"),
        (("--mms", "many"), "whole numbers >= 1"),
        (("--repetitions", "0"), "must be >= 1"),
    ],
)
def test_a_wrong_option_is_refused_with_what_would_be_right(options, complaint):
    done = run(*options)
    assert done.returncode == 2
    assert complaint in done.stderr


@needs_linux
def test_a_size_that_does_not_fit_into_memory_is_refused_before_anything_is_measured():
    done = run("--json", "--pages", str(10**12))
    assert done.returncode == 1
    assert "MiB of memory" in done.stderr
    assert "at most --pages" in done.stderr


@needs_linux
@needs_compiler
def test_the_c_program_refuses_a_line_that_is_no_repetition(tmp_path):
    program = tmp_path / "yardstick"
    source = SOURCE
    compiler = shutil.which("gcc") or shutil.which("cc")
    subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-o", program, source], check=True)
    done = subprocess.run([program, "0"], input="16\n", capture_output=True, text=True)
    assert done.returncode == 1
    assert "expected 'PAGES SEQUENCES', both >= 1, got '16'" in done.stderr


@needs_linux
@needs_compiler
def test_the_verb_prints_the_same_with_every_budget_and_its_verdict(tmp_path):
    chart = tmp_path / "chart.svg"
    command = [sys.executable, "-m", "anonlab", "bench", "--json", "--chart", str(chart), *TINY]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    assert len(report["rows"]) == 14
    names = [held["what"] for held in report["budgets"]]
    assert "walk of one page, group of 5 mms" in names
    assert "import anonlab beyond NumPy" in names
    over = [held for held in report["budgets"] if not held["within"]]
    assert done.returncode == bool(over)
    assert all(held["measured"] > held["budget"] for held in over)
    assert {"kernel", "machine", "python", "numpy", "date", "note"} <= report.keys()
    assert [peer["name"] for peer in report["peers"]] == ["PyOS"]
    assert "1,100 pages: the simulator and Linux" in chart.read_text("utf-8")
    assert "fork: simulated " in chart.with_name(chart.name + ".txt").read_text("utf-8")


def test_the_verb_refuses_wrong_sizes_in_one_line():
    command = [sys.executable, "-m", "anonlab", "bench", "--pages", "0"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "whole numbers >= 1" in done.stderr
    assert "Traceback" not in done.stderr


def test_measuring_leaves_the_processors_of_the_caller_as_they_were():
    import os

    from anonlab.bench.report import measure

    before = os.sched_getaffinity(0)
    with pytest.raises(RuntimeError, match="MiB of memory"):
        measure([10**12], [1])
    assert os.sched_getaffinity(0) == before


def test_a_budget_is_held_where_the_method_can_judge_only():
    from anonlab.bench.report import budgets, row

    report = {
        "rows": [
            row("fork", 20, 9.0, 1.0),
            row("fork", 200, 8.0, 10.0),
            row("fork", 16384, 9.0, 10.0),
        ],
        "walk_ns_per_mm": {"1000": 74.0},
        "single_fault_us": 41.0,
        "single_fault_recorded_us": 59.0,
        "import_ms": 20.0,
    }
    assert [(held["what"], held["within"]) for held in budgets(report)] == [
        ("fork, 200 pages, ratio", True),
        ("fork, 16,384 pages, ratio", False),
        ("walk of one page, group of 1,000 mms", True),
        ("one fault in a lesson", False),
        ("one fault in a lesson, recorded", True),
        ("import anonlab beyond NumPy", True),
    ]
