"""The verb with real boxes: a pool, shards and Dask give each submission what it has earned."""

from __future__ import annotations

import json
import sys

import pytest
from ordinary import needs_box, run_as_ordinary_user
from project import ROOT


@needs_box
@pytest.mark.parametrize("size", [12])
def test_all_engines_give_the_same_scores_and_the_honest_ones(size: int) -> None:
    script = str(ROOT / "benchmarks" / "grading.py")
    nothing = ("--plain", "--boxes", "--real", "--kills")  # to be timed: only whether all agree
    options = ["--submissions", str(size), *(word for name in nothing for word in (name, "0"))]
    done = run_as_ordinary_user(sys.executable, script, *options, "--json", seconds=200)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)["engines"]
    assert found["same_scores"]
    assert found["all_there"]
    assert found["dishonest"] == []
    for engine in ("pool", "shards", "dask"):
        assert sum(found[engine]["statuses"].values()) == size
        assert found[engine]["per_second"] > 0
