"""Rules for all tests: what may be skipped where, and how CI treats the rest.

With ANONLAB_CI=1 in the environment a skipped test fails the run, unless its reason begins with
one of ALLOWED: things that a CI machine cannot be expected to have.
"""

from __future__ import annotations

import os

import pytest

ALLOWED = (
    "needs CAP_SYS_ADMIN",
    "needs user namespaces",
    "needs x86-64",
    "needs Linux",
)
"""Beginnings of the reasons for which a test may be skipped on a CI machine."""

collect_ignore = ["grading/toy"]
"""A course of its own, for the tests of grading: its tests want a student."""


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Call a value by its argument where it is too long for a name, or no text at all."""
    too_long = isinstance(val, str) and len(val) > 100
    return argname if too_long or isinstance(val, bytes) else None


class SkipWatch:
    """Collect the skipped tests of a run and fail it if CI could have run one of them."""

    def __init__(self) -> None:
        self.refused: list[tuple[str, str]] = []  # (test or file, reason)

    def see(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Note a skip that is not allowed; expected failures are none."""
        if not report.skipped or hasattr(report, "wasxfail"):
            return
        longrepr = report.longrepr
        reason = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
        reason = reason.removeprefix("Skipped: ")
        if not reason.startswith(ALLOWED):
            self.refused.append((report.nodeid, reason))

    pytest_runtest_logreport = see
    pytest_collectreport = see

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn a passing run with refused skips into a failing one."""
        if self.refused and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name every refused skip with its reason."""
        if self.refused:
            terminalreporter.section("skipped here, though CI must run it", red=True)
            for nodeid, reason in self.refused:
                terminalreporter.line(f"{nodeid}: {reason}")


def pytest_configure(config: pytest.Config) -> None:
    """Watch skips in CI: once, in the process that reports, not in xdist's workers."""
    if os.environ.get("ANONLAB_CI") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipWatch(), "skip-watch")
