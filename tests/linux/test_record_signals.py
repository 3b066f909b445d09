"""What stops a program under `anonlab record` does not stop the record: the log is whole."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from anonlab.linux.program import SECOND_S
from anonlab.proof.replaying import replay

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="no strace")


def recorded(script: str, folder: Path, stop: Callable[[subprocess.Popen[bytes]], None]) -> str:
    """Record a shell `script` in a session of its own, `stop` it when it has made the file
    `ready`; return what anonlab said. The log must be of the whole program."""
    log, ready = folder / "log", folder / "ready"
    command = [sys.executable, "-m", "anonlab", "record", "-o", log, "--", "sh", "-c", script]
    with (
        (folder / "told").open("w") as told,
        subprocess.Popen(command, cwd=folder, start_new_session=True, stderr=told) as running,
    ):
        end = time.monotonic() + 60
        while not ready.exists() and running.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        try:
            stop(running)
            running.wait(20)
        finally:
            with suppress(ProcessLookupError):  # what a failure left behind
                os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 0, (folder / "told").read_text()
    report = replay(log)
    assert report.operations > 10
    assert not report.violations
    return (folder / "told").read_text()


def test_a_server_that_ends_its_whole_group_is_recorded_to_its_end(tmp_path) -> None:
    script = "trap '' TERM; touch ready; kill -TERM 0; exit 5"
    told = recorded(script, tmp_path, lambda running: None)
    assert told.startswith("exit status 5; the log is in")


def test_ctrl_c_ends_the_program_and_keeps_the_log(tmp_path) -> None:
    script = "trap 'exit 6' INT; touch ready; while :; do sleep 0.1; done"
    told = recorded(script, tmp_path, lambda running: os.killpg(running.pid, signal.SIGINT))
    assert told.startswith("exit status 6; the log is in")


def test_sigterm_to_anonlab_alone_is_passed_on_to_the_program(tmp_path) -> None:
    script = "trap 'exit 7' TERM; touch ready; while :; do sleep 0.1; done"
    told = recorded(script, tmp_path, lambda running: running.terminate())
    assert told.startswith("exit status 7; the log is in")


def test_a_second_ctrl_c_ends_the_record_of_what_does_not_end(tmp_path) -> None:
    def twice(running: subprocess.Popen[bytes]) -> None:
        os.killpg(running.pid, signal.SIGINT)
        time.sleep(SECOND_S + 0.2)
        os.killpg(running.pid, signal.SIGINT)

    script = "trap '' INT; touch ready; for i in $(seq 300); do sleep 0.1; done"
    told = recorded(script, tmp_path, twice)
    assert "a second signal ended the record: what goes on is not in the log" in told
