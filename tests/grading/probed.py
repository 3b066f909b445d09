"""A program: ask for a box with many a hole in its walls, and tell what was said as JSON. Run by
test_probe.py as an ordinary user; `python probed.py FOLDER`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from toy_course import TOY

from anonlab.box import boxes, calls, probe, walls

LETS_IN = {
    "files be read": "openat newfstatat",
    "files be seen": "statx newfstatat stat",
    "files be written": "open openat unlink",
    "sockets": "socket",
    "processes": "clone clone3 fork",
    "programs": "execve",
    "locks and leases": "fcntl flock",
    "keyrings": "keyctl add_key",
    "memory that no limit counts": "memfd_create",
    "shared memory": "shmget",
    "signals": "kill",
    "traces": "ptrace process_vm_readv",
    "rings": "io_uring_setup",
    "name spaces": "unshare setns",
    "more walls": "prctl seccomp",
    "pipes": "pipe2",
    "limits": "prlimit64",
}


def asked() -> list[str]:
    """What is said."""
    try:
        probe.check_box(TOY)
    except probe.Refused as refused:
        return [refused.reason, refused.remedy]
    return []


def under(change: Callable[[], Any], undo: Callable[[], Any]) -> list[str]:
    """What is said after a change; no zygote of before is used."""
    boxes._close()
    boxes._living.clear()
    calls.filter_program.cache_clear()
    change()
    try:
        return asked()
    finally:
        undo()


def main(folder: Path) -> None:
    """Ask with each hole, and without."""
    python, library, list_of_calls = sys.executable, calls.LIBRARY, calls.COMPUTING
    told = {}

    def allow(names: str) -> None:
        calls.COMPUTING = f"{list_of_calls} {names}"

    def run(script: str) -> None:
        fake = folder / "python"
        fake.write_text(f"#!/bin/sh\n{script}\n")
        fake.chmod(0o755)
        sys.executable = str(fake)

    def anew() -> None:
        calls.COMPUTING, calls.LIBRARY, sys.executable = list_of_calls, library, python
        calls._library.cache_clear()

    for name, names in LETS_IN.items():
        told[name] = under(lambda names=names: allow(names), anew)  # type: ignore[misc]
    told["no library"] = under(lambda: setattr(calls, "LIBRARY", "libnothing.so.2"), anew)
    told["Python ends"] = under(lambda: run("echo no such luck >&2; exit 3"), anew)
    told["another program"] = under(lambda: run("sleep 0.2; echo ok"), anew)
    told["no NumPy"] = under(lambda: run(f'exec {python} -I -c "import nothing_like_it"'), anew)
    boxes.START_SECONDS = 2
    told["Python hangs"] = under(lambda: run("sleep 20"), anew)
    boxes.START_SECONDS = 60
    told["nothing"] = under(anew, anew)
    told["limits of"] = [str(walls.MEMORY), str(walls.CPU_SECONDS)]
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
