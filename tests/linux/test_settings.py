"""Swap for the length of a block: nothing stays set, however the block ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from linux_view import needs_full_view
from project import ROOT

from anonlab.linux import settings
from anonlab.linux.settings import swap_on
from anonlab.live.verify import compare_live

needs_zram = pytest.mark.skipif(
    not os.access(settings.CONTROL / "hot_add", os.R_OK) or os.getuid() != 0,
    reason="needs CAP_SYS_ADMIN and zram: this machine has no swap to give",
)
pytestmark = pytest.mark.xdist_group("settings")


def state() -> tuple[str, str, list[str]]:
    swaps = Path("/proc/swaps").read_text("utf-8")
    return swaps, settings.CLUSTER.read_text("ascii"), sorted(map(str, Path("/dev").glob("zram*")))


@needs_zram
def test_swap_is_there_inside_the_block_only() -> None:
    before = state()
    with swap_on():
        assert "/dev/zram" in Path("/proc/swaps").read_text("utf-8")
        assert settings.CLUSTER.read_text("ascii").strip() == "0"
    assert state() == before
    with pytest.raises(KeyboardInterrupt), swap_on():
        raise KeyboardInterrupt
    assert state() == before


@needs_zram
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_everything_is_taken_back_when_the_process_that_asked_is_gone(end) -> None:
    before = state()
    code = (
        "from anonlab.linux.settings import swap_on\nimport time\n"
        "with swap_on():\n    print('ready', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as asking:
        assert asking.stdout is not None
        assert asking.stdout.readline() == b"ready\n"
        assert state() != before
        asking.send_signal(end)
        asking.wait(20)
    for _ in range(200):
        if state() == before:
            break
        time.sleep(0.05)
    assert state() == before


@needs_zram
@needs_full_view
def test_histories_that_swap_equal_the_running_kernel() -> None:
    held = compare_live(1_500, 7, allow_settings=True)
    assert held.failures == []
    assert held.explained["skipped_pageout"] > 0


def test_without_a_guard_the_reason_is_told(monkeypatch) -> None:
    monkeypatch.setattr(settings.sys, "executable", "/bin/false")
    with pytest.raises(ValueError, match="no swap here: the guard ended"), swap_on():
        raise AssertionError("there is no guard")


def test_a_guard_whose_asker_is_gone_before_it_begins_sets_nothing(monkeypatch):
    ours, theirs = os.pipe()
    os.close(theirs)
    with os.fdopen(ours) as ended:
        monkeypatch.setattr(settings.sys, "stdin", ended)
        monkeypatch.setattr(settings, "_set_up", lambda journal: pytest.fail("it began"))
        settings._guard(settings.Journal(-1))
