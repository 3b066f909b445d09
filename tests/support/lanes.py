"""Which tests run where: markers that nobody writes by hand, and a share of what is long.

    make quick   what has no marker
    make test    everything, but of a `slow` test's many parameters a share only
    make proofs  every `slow` test with all its parameters, and a list of what that covered

A share is chosen by a seed and the names of the tests, so that every process chooses the same, and
the header says how to choose it again. A `slow` test keeps at least one of its parameters, unless
its mark says share=0: then only `make proofs` runs it. Tests whose marks name one `pool` count as
the parameters of one test. Without a seed nothing is left out: that is what plain `pytest` does.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

SHARE = 1 / 4
"""Of a `slow` test's parameters, unless its mark says `share=`."""
FOLDERS = {"linux", "grading"}
"""Tests in folders with these names have a marker of the same name."""
BROWSER = "browser"
"""The fixture, the group of xdist and the marker of tests that need Chromium."""

Counts = dict[str, int]
"""'slow': tests that are slow; 'share': left out by the seed; 'other': by -k, -m and their like."""
COUNTS = pytest.StashKey[Counts]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Two options: a seed, and whether to say what was covered."""
    group = parser.getgroup("anonlab")
    group.addoption(
        "--share-seed",
        default=os.environ.get("ANONLAB_SEED", ""),
        help="run a share of the slow tests, chosen by this text (default: $ANONLAB_SEED, or all)",
    )
    group.addoption("--covered", action="store_true", help="list what the slow tests covered")


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is left out yet."""
    config.stash[COUNTS] = {"slow": 0, "share": 0, "other": 0}
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Summary(config), "lanes-summary")


def pytest_report_header(config: pytest.Config) -> str:
    """Say which tests run, and how to run the same again."""
    seed = config.getoption("share_seed")
    if not seed:
        return "slow tests: all"
    return f"slow tests: a share; the same one again: ANONLAB_SEED={seed}; all: make proofs"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test by the folders that it is in, and by its need for a browser."""
    for name in sorted(FOLDERS & {*item.nodeid.split("/")}):
        item.add_marker(name)
    group = item.get_closest_marker("xdist_group")
    if BROWSER in getattr(item, "fixturenames", ()) or (group and group.args == (BROWSER,)):
        item.add_marker(BROWSER)


def kept(seed: str, names: Iterable[str], share: float) -> set[str]:
    """Return which of `names`, all of one test, run under `seed`: one at least, unless `share` is
    0."""
    order = sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    return set(order[: math.ceil(len(order) * share)])


@pytest.hookimpl(trylast=True)  # of what -k and -m leave
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the seed leaves out."""
    seed = config.getoption("share_seed")
    slow: dict[tuple[str, float], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if mark := item.get_closest_marker("slow"):
            pool = mark.kwargs.get("pool", _test(item))
            slow[pool, mark.kwargs.get("share", SHARE)].append(item)
    gone: list[pytest.Item] = []
    for (_, share), those in slow.items() if seed else ():
        chosen = kept(seed, (f"{_test(item)} {item.name}" for item in those), share)
        gone += [item for item in those if f"{_test(item)} {item.name}" not in chosen]
    if gone:
        items[:] = [item for item in items if item not in set(gone)]
        config.hook.pytest_deselected(items=gone)
    counts = config.stash[COUNTS]
    counts["slow"] = sum(len(those) for those in slow.values())
    counts["share"] = len(gone)
    counts["other"] -= len(gone)


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count what is left out, for whatever reason."""
    if items:
        items[0].config.stash[COUNTS]["other"] += len(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist tells the process that reports."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left out"] = session.config.stash[COUNTS]


def _test(item: pytest.Item) -> str:
    """Return a test without its parameters: 'tests/proof/test_x.py::test_y'."""
    parent = item.parent.nodeid if item.parent else ""
    return f"{parent}::{getattr(item, 'originalname', item.name)}"


class Summary:
    """In the process that reports: what was left out, and what was covered."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.seconds: dict[str, list[float]] = defaultdict(list)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Every worker of xdist leaves out the same; the closing line counts it once."""
        counts = getattr(node, "workeroutput", {}).get("left out")
        if counts:
            self.config.stash[COUNTS] = counts
            terminal = self.config.pluginmanager.get_plugin("terminalreporter")
            gone = counts["share"] + counts["other"]
            terminal.stats["deselected"] = [SimpleNamespace() for _ in range(gone)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how long a slow test took that passed."""
        if report.when == "call" and report.passed and "slow" in report.keywords:
            self.seconds[report.nodeid.partition("[")[0]].append(report.duration)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say both."""
        counts, seed = self.config.stash[COUNTS], self.config.getoption("share_seed")
        if counts["share"]:
            terminalreporter.line(
                f"slow tests: {counts['slow'] - counts['share']} of {counts['slow']} ran, "
                f"chosen by ANONLAB_SEED={seed}"
            )
        if self.config.getoption("covered"):
            terminalreporter.section("covered")
            for test, seconds in sorted(self.seconds.items()):
                terminalreporter.line(f"{len(seconds):5} in {sum(seconds):6.1f} s  {test}")
