"""Processes that work at the same time: a ProcessPoolExecutor that is right wherever it is opened.

In scripts without a main guard, in notebooks, under pytest: workers are new processes, so no one
with threads is forked, and they do not run the caller's script again. They leave Ctrl-C to their
caller, and end when it does.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any, TypeVar

T = TypeVar("T")
SHARED_MEMORY = "/dev/shm"
NO_SHARED_MEMORY = (
    "processes that work together need this folder, writable for everybody: mount a tmpfs there, "
    "as Docker and Kubernetes do"
)


def ncpus() -> int:
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def map_processes(function: Callable[..., T], jobs: Iterable[Sequence[Any]]) -> Iterator[T]:
    """Call `function`, of a module, with the arguments of each of `jobs`; yield the results in
    their order.

    One processor needs no process of its own. Workers end with the iteration, whatever they are at.
    """
    todo = list(jobs)
    nworkers = min(ncpus(), len(todo))
    if nworkers < 2:
        yield from (function(*job) for job in todo)
        return
    with process_pool(nworkers) as pool:
        yield from pool.map(function, *zip(*todo, strict=True))


@contextmanager
def process_pool(nworkers: int) -> Iterator[Executor]:
    """Open a pool of `nworkers` processes, which ends with the block.

    Left without an error, all that was submitted is done first; with one, workers end at once. A
    worker that dies breaks the pool for good (BrokenProcessPool).

    raises  OSError with the folder, if this system lets processes share no memory
    """
    context = _Context()
    theirs, ours = context.Pipe(duplex=False)
    try:
        pool = ProcessPoolExecutor(
            nworkers, mp_context=context, initializer=_obey, initargs=(theirs,)
        )
    except OSError as error:
        for end in (theirs, ours):
            end.close()
        if error.errno not in (errno.EACCES, errno.ENOENT, errno.EPERM, errno.EROFS):
            raise
        raise OSError(error.errno, NO_SHARED_MEMORY, SHARED_MEMORY) from error
    try:
        with _no_ctrl_c():
            for _ in range(nworkers):
                pool.submit(int)  # starts a worker: they are whole, or there is none
        yield pool
        pool.shutdown()
    finally:
        ours.close()  # if we are interrupted or killed, so do the workers end
        pool.shutdown(cancel_futures=True)
        theirs.close()


def _obey(caller: Connection) -> None:
    """Let a worker end at once when its caller does, and leave Ctrl-C to the caller."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # see _no_ctrl_c

    def wait() -> None:
        try:
            caller.recv_bytes()
        except (EOFError, OSError):
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


class _Worker(SpawnProcess):
    """A new process that knows nothing of the caller's script.

    The standard library lets it run the script again, but for what a main guard keeps from it, so
    that functions of the script can be called there. Ours are in modules: a script without a guard
    would only begin its work anew.
    """

    _starting = threading.Lock()

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802  multiprocessing's name
        with _Worker._starting:
            script = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")  # without a file: nothing to run
            try:
                return SpawnProcess._Popen(process_obj)
            finally:
                sys.modules["__main__"] = script


@contextmanager
def _no_ctrl_c() -> Iterator[None]:
    """Put Ctrl-C off until the block is left; processes that are started in it do not get it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    pressed: list[int] = []
    main = threading.current_thread() is threading.main_thread()  # where Ctrl-C arrives
    handler = signal.signal(signal.SIGINT, lambda *_: pressed.append(1)) if main else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # processes inherit it
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if main:
            signal.signal(signal.SIGINT, handler or signal.SIG_DFL)
        if pressed:
            signal.raise_signal(signal.SIGINT)


class _Context(SpawnContext):
    """Starts workers."""

    Process = _Worker
