"""Run something as an ordinary user, also where the tests run as root: grading refuses root.

As root, bubblewrap first makes a view of the machine in which that user can read what he needs: the
interpreter, the environment, the project, often lie below a home that is closed to others.
"""

from __future__ import annotations

import os
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


def has_box() -> bool:
    """True if bubblewrap is there; where CI runs, its absence is a failure and no skip."""
    return bool(shutil.which("bwrap")) or bool(os.environ.get("ANONLAB_CI"))


needs_box = pytest.mark.skipif(
    not has_box() or not sys.platform.startswith("linux"),
    reason="needs Linux" if not sys.platform.startswith("linux") else "bubblewrap is not installed",
)


def closed_above(path: Path) -> Path | None:
    """Return the outermost folder above `path` that other users cannot enter; None if all can."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


def opened(paths: list[str]) -> list[str]:
    """Return bubblewrap's options that show `paths` to everybody, and nothing else below a closed
    folder."""
    options: list[str] = []
    made: set[Path] = set()
    bound: set[Path] = set()
    for path in sorted({Path(each) for each in paths}):
        top = closed_above(path)
        if top is None:
            continue
        if top not in made:
            options += ["--perms", "0755", "--tmpfs", str(top)]
            made.add(top)
        if any(path.is_relative_to(each) for each in bound):
            continue
        for folder in reversed(path.parents):
            if folder not in made and folder.is_relative_to(top):
                options += ["--perms", "0755", "--dir", str(folder)]
                made.add(folder)
        options += ["--ro-bind", str(path), str(path)]
        bound.add(path)
    return options


def as_ordinary_user(*words: str) -> list[str]:
    """Return the command that runs `words` as somebody who is not root."""
    if os.geteuid():
        return list(words)
    return [
        *(
            shutil.which("bwrap") or "bwrap",
            "--bind",
            "/",
            "/",
            "--dev-bind",
            "/dev",
            "/dev",
            "--die-with-parent",
        ),
        *opened(list(NEEDED)),
        *("--", shutil.which("setpriv") or "setpriv", "--reuid", str(USER), "--regid", str(USER)),
        *("--clear-groups", "--no-new-privs", "--", *words),
    ]


def environment(variables: dict[str, str] | None = None) -> dict[str, str]:
    """Return the environment of what is run: this project and its tests can be imported."""
    folders = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "HOME": "/tmp"}
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
