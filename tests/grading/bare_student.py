"""For the positive control: `student` is the imported module itself, in pytest's own process."""

from __future__ import annotations

from types import ModuleType

import pytest


@pytest.fixture
def student() -> ModuleType:
    """What many classroom graders do."""
    import solution

    return solution


@pytest.fixture
def seed() -> int:
    """Any."""
    return 5
