"""Processes that work together: where a system lets them share nothing, the folder is named."""

from __future__ import annotations

import errno
import subprocess
import sys
from typing import Any

import pytest
from project import ROOT

from anonlab.proof import workers


def test_where_no_memory_is_shared_the_error_names_the_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def closed(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(workers, "_Pool", closed)
    with (
        pytest.raises(PermissionError, match="need this folder") as caught,
        workers.process_pool(2),
    ):
        pass
    assert caught.value.filename == "/dev/shm"


CTRL_C_UNDER_A_LOCK = """
import os, signal, sys, threading
from anonlab.proof import workers

taken = 0

def see(frame, event, arg):
    global taken
    if event == "return" and frame.f_code is threading.Condition.__enter__.__code__:
        if frame.f_back.f_code is threading.Semaphore.acquire.__code__:
            taken += 1
            if taken == 8:
                os.kill(os.getpid(), signal.SIGINT)
    return see

workers.ncpus = lambda: 2
sys.settrace(see)
print(sum(workers.map_processes(abs, [[n] for n in range(20)])))
"""


def test_ctrl_c_does_not_lock_a_pool_up() -> None:
    """Catches a pool that takes Ctrl-C while it holds a lock that its own thread wants."""
    ended = subprocess.run(
        [sys.executable, "-c", CTRL_C_UNDER_A_LOCK],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "KeyboardInterrupt" in ended.stderr
    assert ended.stdout == ""


def test_another_trouble_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(workers, "_Pool", full)
    with pytest.raises(OSError, match="Too many open files"), workers.process_pool(2):
        pass
