"""A plugin of pytest: tests run under the stand-in for NumPy (support/stand_in), or not at all."""

from __future__ import annotations

import random
import sys
import types

import numpy as np
import pytest

NOT_HERE = {
    "test_the_walk_of_real_geometries_is_the_chain_of_indices": "draws with numpy.random",
}
"""Tests that are left out, and why."""


def pytest_configure() -> None:
    """Refuse the real NumPy; give Hypothesis the random numbers that it holds still."""
    assert np.__version__.endswith("+shim"), f"this is NumPy itself: {np.__file__}"
    numbers = types.ModuleType("numpy.random")
    numbers.seed = random.seed  # type: ignore[attr-defined]
    numbers.get_state = random.getstate  # type: ignore[attr-defined]
    numbers.set_state = random.setstate  # type: ignore[attr-defined]
    sys.modules["numpy.random"] = np.random = numbers  # type: ignore[misc]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out NOT_HERE."""
    gone = [item for item in items if getattr(item, "originalname", item.name) in NOT_HERE]
    items[:] = [item for item in items if item not in gone]
    config.hook.pytest_deselected(items=gone)
