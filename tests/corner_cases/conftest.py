"""Every operation of every corner case is checked, and failing ones must change nothing."""

from __future__ import annotations

import pytest
from structure import COLUMNS
from watched import watch

from anonlab import DESIGNS, AnonGroup, Kernel, Task

POLICIES = ("count", "mapcount")


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    watch(monkeypatch)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def parent(kernel: Kernel) -> Task:
    return kernel.spawn("parent")


@pytest.fixture(params=POLICIES)
def policy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def either(policy: str) -> Kernel:
    """A kernel under each mremap policy: what a test claims with it does not depend on that."""
    return Kernel(AnonGroup(mremap_policy=policy))


@pytest.fixture(params=COLUMNS)
def column(request: pytest.FixtureRequest) -> Kernel:
    """A kernel under each design that moves offsets, not pages: what a test claims with it holds
    in all of these columns."""
    return Kernel(DESIGNS[request.param]())
