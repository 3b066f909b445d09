"""What an ordinary user sees: less, and said to be less; and nothing where /proc hides it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from linux_view import needs_some_view
from project import ROOT

from anonlab.linux import pagemap
from anonlab.linux.oracle import Oracle

HIDDEN = (
    *("unshare", "--user", "--map-root-user", "--mount", "sh", "-c"),
    *('mount -t tmpfs none /proc && exec "$@"', "sh"),
)
"""Run the rest of the command line where /proc is empty."""


def has_namespaces() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*HIDDEN, "true"], capture_output=True, check=False).returncode == 0


needs_namespaces = pytest.mark.skipif(
    not has_namespaces(), reason="needs user namespaces, to hide /proc"
)
NOBODY = 65534
DROP = f"""
import ctypes, difflib, fcntl, json, os, sys
import numpy.ma
from anonlab.linux.oracle import Oracle
from anonlab.linux.pagemap import access
from anonlab.linux.recordings import shipped_recordings
from anonlab.live.verify import compare_batch, compare_with_recording
if os.getuid() == 0:
    recordings = dict(shipped_recordings())
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: /proc/self is ours again
"""


def as_ordinary_user(code: str) -> str:
    """Run `code` in a process that was root no longer than it took to read its modules."""
    done = subprocess.run(
        [sys.executable, "-c", DROP + code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_some_view
def test_the_weak_comparison_passes_and_is_said_to_be_weaker() -> None:
    seen = as_ordinary_user(
        "print(json.dumps([access(), vars(compare_batch(7, '', False, 0, [50] * 20, 0))]))",
    )
    (view, reason), held = json.loads(seen)
    assert view == "weak"
    assert "no frame numbers" in reason
    assert held["failures"] == []
    assert held["operations"] >= 950


@needs_some_view
def test_the_weak_view_knows_alone_and_shared_and_swap_but_no_names() -> None:
    seen = as_ordinary_user(
        "from anonlab.formats.history_text import parse\n"
        "h = parse('a = spawn\\na mmap 0x3f000 3\\na write 0x3f000 7 2\\nb = fork a\\n'\n"
        "          'b write 0x3f000 1\\na read 0x41000')\n"
        "with Oracle() as o: *_, last = o.run(h)\n"
        "print(json.dumps([[*place, *seen] for place, seen in last.observation.items()]))\n"
    )
    assert json.loads(seen) == [
        ["a", 0x3F, "alone", 0, 0, None, 7],
        ["a", 0x40, "shared", 0, 0, None, 8],
        ["a", 0x41, "zero", 0, 0, None, 0],
        ["b", 0x3F, "alone", 0, 0, None, 1],
        ["b", 0x40, "shared", 0, 0, None, 8],
    ]


@needs_some_view
def test_the_full_view_is_refused_to_an_ordinary_user_with_the_reason() -> None:
    seen = as_ordinary_user("try: Oracle('full')\nexcept ValueError as error: print(error)\n")
    assert seen.startswith("the running kernel cannot be the witness: needs CAP_SYS_ADMIN")


def test_where_proc_hides_everything_the_reason_is_told_and_recordings_judge(monkeypatch) -> None:
    def hidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pagemap.os, "open", hidden)
    assert pagemap.access() == ("", "/proc/self/pagemap: Permission denied")
    with pytest.raises(ValueError, match=r"cannot be the witness: /proc/self/pagemap: Permission"):
        Oracle()


@needs_namespaces
def test_where_proc_is_empty_the_tests_pass_on_recordings(tmp_path) -> None:
    files = ("recordings", "live_judge", "cached", "copies")
    done = subprocess.run(
        [
            *(*HIDDEN, sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"),
            *("--basetemp", str(tmp_path / "hidden")),
            *(f"tests/linux/test_{name}.py" for name in files),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ANONLAB_CI": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/proc/self/pagemap: No such file or directory" in done.stdout
    assert " passed" in done.stdout


def test_on_another_system_the_reason_is_told(monkeypatch) -> None:
    monkeypatch.setattr(pagemap.sys, "platform", "darwin")
    assert pagemap.access() == ("", "needs Linux: this is darwin")
