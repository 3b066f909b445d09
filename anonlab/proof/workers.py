"""Work shared among processes: plain Python processes that are told what to do line by line.

This works alike in scripts, in notebooks and under pytest, whatever start method multiprocessing
prefers, and no process with threads is forked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any


def ncpus() -> int:
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def share(task: str, jobs: Iterable[list[Any]]) -> Iterator[Any]:
    """Call a function with the arguments of each of `jobs`; yield the results in their order.

    task    'package.module:function'; arguments and results are plain data (JSON)
    One processor needs no process of its own. Workers end with the iteration, whatever they are at.
    """
    todo = list(jobs)
    nworkers = min(ncpus(), len(todo))
    if nworkers < 2:
        function = _function(task)
        for job in todo:
            yield json.loads(json.dumps(function(*job)))
        return
    with ExitStack() as stack:
        idle: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
        pool = stack.enter_context(ThreadPoolExecutor(nworkers))
        for _ in range(nworkers):
            worker = _start(task)
            stack.callback(_end, worker)
            idle.put(worker)
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)

        def run(job: list[Any]) -> Any:
            worker = idle.get()
            try:
                return _ask(worker, job)
            finally:
                idle.put(worker)

        yield from pool.map(run, todo)


def _function(task: str) -> Any:
    module, _, name = task.partition(":")
    return getattr(import_module(module), name)


def _start(task: str) -> subprocess.Popen[str]:
    """Start a worker that imports this very anonlab."""
    path = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-c", f"from anonlab.proof.workers import work; work({task!r})"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,  # Ctrl-C is for the caller, who then ends the workers
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
    )


def _ask(worker: subprocess.Popen[str], job: list[Any]) -> Any:
    """Let `worker` do one job."""
    assert worker.stdin is not None, "workers have a standard input"
    assert worker.stdout is not None, "workers have a standard output"
    with suppress(BrokenPipeError):  # of a worker that is gone: it has no answer either
        worker.stdin.write(json.dumps(job) + "\n")
        worker.stdin.flush()
    answer = worker.stdout.readline()
    if not answer:
        raise RuntimeError(f"a worker ended with status {worker.wait()}")
    return json.loads(answer)


def _end(worker: subprocess.Popen[str]) -> None:
    """End `worker`, whatever it is at."""
    worker.kill()
    with suppress(BrokenPipeError), worker:
        pass


def work(task: str) -> None:
    """Be a worker: read jobs from standard input until it ends, write what comes out."""
    try:
        function = _function(task)
        for line in sys.stdin:
            sys.stdout.write(json.dumps(function(*json.loads(line))) + "\n")
            sys.stdout.flush()
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(1)  # whoever asked has gone: nothing is left to say
