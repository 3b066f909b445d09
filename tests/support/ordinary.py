"""Run something as an ordinary user, also where the tests run as root: grading refuses root.

As root, mounts of a name space of its own first make a view of the machine in which that user can
read what he needs: the interpreter, the environment, the project, often lie below a home that is
closed to others.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from project import ROOT

USER = 1001
"""A number is enough: it needs no account."""
NEEDED = (sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parent.parent), str(ROOT))


SETPRIV = str(shutil.which("setpriv") or "setpriv")

needs_box = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")


def closed_above(path: Path) -> Path | None:
    """Return the outermost folder above `path` that other users cannot enter; None if all can."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


def opening(paths: list[str]) -> str:
    """Return a shell script that shows `paths` to everybody, and nothing else below a folder that
    is closed to others."""
    closed = [(path, top) for path in sorted({*paths}) if (top := closed_above(Path(path)))]
    if not closed:
        return ""
    lines = ["mount -t tmpfs -o mode=755 none /mnt"]
    for at, (path, _) in enumerate(closed):
        lines += [f"mkdir /mnt/{at}", f"mount --rbind {shlex.quote(path)} /mnt/{at}"]
    lines += [f"mount -t tmpfs -o mode=755 none {shlex.quote(str(top))}"
              for top in sorted({top for _, top in closed})]  # fmt: skip
    for at, (path, _) in enumerate(closed):
        lines += [f"mkdir -p {shlex.quote(path)}", f"mount --rbind /mnt/{at} {shlex.quote(path)}"]
    return "\n".join([*lines, "umount -R -l /mnt"])


def as_ordinary_user(*words: str) -> list[str]:
    """Return the command that runs `words` as somebody who is not root."""
    if os.geteuid():
        return list(words)
    script = f'set -e\n{opening(list(NEEDED))}\nexec "$@"'
    return [
        *("unshare", "--mount", "sh", "-c", script, "sh"),
        *(SETPRIV, "--reuid", str(USER), "--regid", str(USER), "--clear-groups"),
        *("--no-new-privs", "--pdeathsig", "KILL", "--", *words),
    ]


def contained(folder: Path, *words: str) -> list[str]:
    """Return the command that runs `words` so that it can harm nothing: no network, no other
    processes, nothing to write but `folder`. It is for attacks on something that is no box."""
    script = "\n".join(
        [
            "set -e",
            opening(list(NEEDED)) if not os.geteuid() else "",
            f"mount --bind {folder} {folder}",
            "mount -o remount,bind,ro /",
            "mount -t tmpfs -o size=16m none /dev/shm",
            "mount -t proc none /proc",
            'exec "$@"',
        ]
    )
    user = ["--user", "--map-current-user", "--keep-caps"] if os.geteuid() else []
    drop = ["--inh-caps", "-all", "--ambient-caps", "-all"]
    if not os.geteuid():
        drop = ["--reuid", str(USER), "--regid", str(USER), "--clear-groups"]
    return [
        *("unshare", *user, "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child"),
        *("sh", "-c", script, "sh", SETPRIV, *drop, "--no-new-privs", "--", *words),
    ]


def environment(variables: dict[str, str] | None = None) -> dict[str, str]:
    """Return the environment of what is run: this project and its tests can be imported."""
    paths = map(str, (ROOT, ROOT / "tests", ROOT / "tests" / "support"))
    folders = {"PYTHONPATH": os.pathsep.join(paths), "HOME": "/tmp"}
    return {**os.environ, **folders, "PYTHONDONTWRITEBYTECODE": "1", **(variables or {})}


def run_as_ordinary_user(
    *words: str, seconds: float = 120, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `words` as an ordinary user, with this project importable, and return what came."""
    return subprocess.run(
        as_ordinary_user(*words),
        capture_output=True,
        text=True,
        timeout=seconds,
        env=environment(variables),
        check=False,
    )


@contextmanager
def open_folder() -> Iterator[Path]:
    """Yield a new folder that belongs to the ordinary user, and remove it in the end."""
    with tempfile.TemporaryDirectory(prefix="anonlab-test-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        give(folder)
        yield folder


def give(folder: Path) -> None:
    """Let a folder and all in it belong to the ordinary user."""
    if not os.geteuid():
        for path in (folder, *folder.rglob("*")):
            os.chown(path, USER, USER)
