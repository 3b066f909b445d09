"""The suite can be spread over processes: groups hold, and every process knows the same names."""

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


def test_no_name_of_a_test_is_made_of_data(request: pytest.FixtureRequest) -> None:
    """A zip in a name has the time of day in it, and no two processes collect the same test."""
    names = [item.nodeid for item in request.session.items]
    assert [name for name in names if len(name) > 300 or "\\x00" in name] == []
