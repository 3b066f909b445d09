"""Tests that must not run side by side are in a group, and a group runs in one process."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif(
    "PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs all tests: no groups needed"
)
@pytest.mark.xdist_group("told")
def test_a_group_is_told_to_who_spreads_the_tests(request: pytest.FixtureRequest) -> None:
    """pytest-xdist spreads by names, and writes the group behind the name: `…@told`."""
    assert request.node.nodeid.endswith("@told")
