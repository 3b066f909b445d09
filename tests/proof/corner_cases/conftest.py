"""Every operation of every corner case is checked, and failing ones must change nothing."""

from __future__ import annotations

import pytest
from structure import COLUMNS
from watched import A, watch, written

from anonlab import DESIGNS, AnonGroupOptions, Kernel, Task

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


@pytest.fixture
def child(parent: Task) -> Task:
    return parent.fork("child")


@pytest.fixture
def pair(kernel: Kernel) -> tuple[Kernel, Task, Task]:
    """A parent and a child that share the page at A, which the parent touched first."""
    parent = written(kernel, [7])
    return kernel, parent, parent.fork("child")


@pytest.fixture
def swapped(pair: tuple[Kernel, Task, Task]) -> tuple[Kernel, Task, Task]:
    """The same, the page on swap."""
    assert pair[1].swap_out(A) == 1
    return pair


@pytest.fixture(params=POLICIES)
def policy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def either(policy: str) -> Kernel:
    """A kernel under each mremap policy: what a test claims with it does not depend on that."""
    return Kernel(AnonGroupOptions(mremap_policy=policy))


@pytest.fixture(params=COLUMNS)
def column(request: pytest.FixtureRequest) -> Kernel:
    """A kernel under each design that moves offsets, not pages: what a test claims with it holds
    in all of these columns."""
    return Kernel(DESIGNS[request.param]())
