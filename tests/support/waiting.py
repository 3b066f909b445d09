"""Waiting for events: for as long as it takes, on however busy a machine."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 600
"""Only what hangs takes so long: it fails by name instead of stopping all tests."""


def wait_until(happened: Callable[[], object], what: str) -> None:
    """Return when `happened` is true; `what` says what did not, after PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, f"after {PATIENCE_S} s: {what}"
        time.sleep(0.01)
