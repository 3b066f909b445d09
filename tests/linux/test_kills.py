"""Whoever is killed, and when: nothing stays set, and nobody stays behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from linux_view import needs_full_view
from project import ROOT
from test_oracle import workers_of
from test_settings import needs_zram, state

from anonlab.linux.settings import swap_on

pytestmark = pytest.mark.xdist_group("settings")
SETTINGS = ("/sys/kernel/mm/transparent_hugepage/enabled", "/sys/kernel/mm/ksm/run")
VERB = [sys.executable, "-m", "anonlab", "verify", "--live", "--ops", "1000000"]
KILLS = 20
LONGEST_S = 2.0
"""A kill comes so many seconds after the start at most: before, while and after swap is made."""


def everything() -> tuple[object, ...]:
    """All settings that somebody could have left changed, and the names of all control groups."""
    groups = sorted(str(path) for path in Path("/sys/fs/cgroup").glob("*/"))
    texts = [Path(path).read_text("utf-8") for path in SETTINGS if Path(path).exists()]
    return (*state(), *texts, *groups)


def start(*more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*VERB, *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def end_of(running: subprocess.Popen[bytes]) -> None:
    """Wait until a process has ended; TimeoutExpired if it hangs, and nobody waits for it then."""
    try:
        running.wait(30)
    finally:
        running.kill()


def children(pid: int) -> Iterator[int]:
    """Living descendants of a process, nearest first."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:
        return
    for child in map(int, found):
        yield child
        yield from children(child)


def soon(true: Callable[[], bool], seconds: float = 20) -> bool:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def kill(running: subprocess.Popen[bytes], chance: random.Random) -> str:
    """Kill the verb, or first a process below it, which may be one of the guards."""
    end = chance.choice((signal.SIGINT, signal.SIGTERM, signal.SIGKILL))
    below = list(children(running.pid))
    if below and chance.random() < 0.5:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(below), signal.SIGKILL)
        time.sleep(0.2)
        what = "a process below, then"
    else:
        what = "the verb,"
    running.send_signal(end)
    return f"{what} {end.name}"


@pytest.mark.slow
@needs_zram
@needs_full_view
def test_nothing_stays_set_after_kills_at_random_moments() -> None:
    chance = random.Random(4)
    before = everything()
    for number in range(KILLS):
        with start("--allow-settings") as running:
            moment = chance.random() * LONGEST_S
            time.sleep(moment)
            family = {*children(running.pid)}
            what = kill(running, chance)
            end_of(running)
        told = f"kill {number}, after {moment:.2f} s: {what}"
        assert soon(lambda: everything() == before), f"{told}: {everything()} was {before}"
        left = soon(lambda pids=family: not any(map(alive, pids)))  # type: ignore[misc]
        assert left, f"{told}: {[pid for pid in family if alive(pid)]} live on"
    assert not workers_of(os.getpid())


def alive(pid: int) -> bool:
    """Return whether a process runs, and is none that only waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@needs_full_view
def test_without_permission_no_setting_is_touched() -> None:
    before = everything()
    with start() as running:
        assert soon(lambda: bool(workers_of(running.pid)))
        for _ in range(10):
            assert everything() == before
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        end_of(running)
    assert everything() == before


@needs_zram
@pytest.mark.parametrize("which", [0, 1])
def test_one_guard_takes_all_back_when_the_other_is_killed(which) -> None:
    before = state()
    with swap_on():
        assert state() != before
        guards = [
            pid
            for pid in children(os.getpid())
            if b"settings.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        assert len(guards) == 2
        os.kill(guards[which], signal.SIGKILL)
        if which:  # the one that set everything: the other does not wait for us
            assert soon(lambda: state() == before)
    assert soon(lambda: state() == before)
