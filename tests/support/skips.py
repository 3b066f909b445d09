"""What may be skipped where: with ANONLAB_CI=1 a test that did not run fails the run.

A skipped test is excused if its reason begins with one of ALLOWED: things that a CI machine cannot
be expected to have. A test that was left out is excused if the seed of `lanes` left it out, and
`slow` tests only: nothing that decides is lost to a -k or a -m that somebody forgot.
"""

from __future__ import annotations

import os

import pytest
from lanes import COUNTS

ALLOWED = (
    "needs CAP_SYS_ADMIN",
    "needs user namespaces",
    "needs x86-64",
    "needs Linux",
)
"""Beginnings of the reasons for which a test may be skipped on a CI machine."""


class SkipWatch:
    """Collect the tests that did not run and fail the run if CI could have run one of them."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
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
        if others := self.config.stash[COUNTS]["other"]:
            self.refused.append((f"{others} tests", "left out, and not by the seed"))
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
        config.pluginmanager.register(SkipWatch(config), "skip-watch")
