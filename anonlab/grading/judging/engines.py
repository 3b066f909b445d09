"""What runs tasks: executors with the interface of concurrent.futures, here or on a Dask cluster.

An engine is opened once and gives an executor for each round. Workers end with the batch, whatever
becomes of the process that started them.
"""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from anonlab.proof.workers import ncpus, process_pool
from anonlab.version import __version__

SECONDS = 20
"""To reach a scheduler."""
WITHOUT_WORKERS = 90
"""Seconds after which a scheduler whose workers are all gone is not waited for any more."""


class EngineTrouble(ValueError):
    """No work can be done; the message says why. What was graded is kept."""


def installed() -> dict[str, str]:
    """Return what has to be the same wherever one class is graded: versions, and anonlab's code."""
    found = {"python": platform.python_version()}
    for package in ("numpy", "pytest"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "none"
    code = hashlib.sha256()
    for path in sorted(Path(__file__).parents[2].rglob("*.py")):
        code.update(path.read_bytes())
    return {**found, "anonlab": f"{__version__} with code {code.hexdigest()[:8]}"}


class Engine(Protocol):
    """Where tasks run."""

    def executor(self, alone: bool = False) -> AbstractContextManager[Executor]:
        """Open an executor; with `alone` it does one task at a time. Left with an error, it cancels
        what is not done.

        raises  EngineTrouble if nothing can be run there
        """

    def everywhere(self, check: Callable[[], Any]) -> None:
        """Call `check` on each machine that will work, and raise what it raises."""

    def watch(self) -> None:
        """Say that work is waited for; EngineTrouble if nobody is there to do it."""


class Pool:
    """Processes on this machine; `jobs` of them, one for each processor if 0."""

    def __init__(self, jobs: int = 0) -> None:
        self.jobs = jobs or ncpus()

    @contextmanager
    def executor(self, alone: bool = False) -> Iterator[Executor]:
        """Open a new pool: one dead worker breaks a pool for good."""
        with process_pool(1 if alone else self.jobs) as pool:
            yield pool

    def everywhere(self, check: Callable[[], Any]) -> None:
        """Call `check` here."""
        check()

    def watch(self) -> None:
        """A pool without workers says so itself."""


class Cluster:
    """The workers of a Dask scheduler at `address`; they see the same files as we do.

    raises  EngineTrouble if there is no scheduler, or distributed is not installed
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise EngineTrouble(
                "a scheduler needs the package distributed: pip install 'anonlab[dask]'"
            ) from None
        try:
            self.client = Client(address, timeout=SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise EngineTrouble(f"no scheduler of Dask answers at {address} ({error})") from None
        self._seen = time.monotonic()  # when there were workers

    @contextmanager
    def executor(self, alone: bool = False) -> Iterator[Executor]:
        """Return the cluster's own executor, which starts dead workers again."""
        if self.client.status != "running":
            raise EngineTrouble("the scheduler is gone; what was graded is kept")
        executor = self.client.get_executor(pure=False)
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)  # all that counts has ended; what is left is cancelled

    def everywhere(self, check: Callable[[], Any]) -> None:
        """Call `check` on each worker, once each is known to have what this machine has."""
        try:
            workers = self.client.run(installed)
        except (ImportError, AttributeError) as error:
            raise EngineTrouble(
                f"a worker has no anonlab, or another one ({error}): install the same there"
            ) from None
        if not workers:
            raise EngineTrouble("the scheduler has no workers: start some")
        ours = installed()
        for address, theirs in workers.items():
            for name in ours:
                if theirs.get(name) != ours[name]:
                    raise EngineTrouble(
                        f"the worker at {address} has {name} {theirs.get(name)}, this machine has "
                        f"{ours[name]}: install the same on both, or grades could differ"
                    )
        self.client.run(check)

    def watch(self) -> None:
        """Wait a while for new workers: a nanny, or a queue of jobs, may be starting some."""
        now = time.monotonic()
        if self.client.scheduler_info()["workers"]:
            self._seen = now
        elif now - self._seen > WITHOUT_WORKERS:
            raise EngineTrouble(
                f"the scheduler has had no workers for {WITHOUT_WORKERS} s; what was graded is "
                f"kept: start some, and the same command goes on"
            )

    def close(self) -> None:
        """Leave the cluster as it is."""
        self.client.close()
