"""One oracle for the live tests of a file, and one test at a time that changes settings."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from anonlab.linux.oracle import Oracle


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    """Ask the running kernel."""
    with Oracle() as asked:
        yield asked


@pytest.fixture
def alone() -> Iterator[None]:
    """Wait until no other process tests settings: what one makes, another would find left behind.

    A lock and not a group: pytest-xdist 3.8 forms no groups under pytest 9.2.
    """
    name = f"anonlab-tests-of-settings-{os.getuid()}"  # nobody can open another user's
    with (Path(tempfile.gettempdir()) / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
