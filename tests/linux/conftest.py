"""One oracle for the live tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from anonlab.linux.oracle import Oracle


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    """Ask the running kernel."""
    with Oracle() as asked:
        yield asked
