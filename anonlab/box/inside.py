"""Looks around in a box and tells what can be done there; probe.py runs it instead of the worker.

One file without imports of anonlab. It reads a line of JSON, {"port", "canaries", "folders"}, and
writes one. It tries what an attacker would try, in small: if there is no box around it, it does no
harm to the machine.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

MOST_FORKS = 40
MOST_MIB = 160
CLONE_NEWUSER = 0x10000000


def writable(folders: list[str]) -> list[str]:
    """Return the folders in which a file can be made."""
    found = []
    for folder in folders:
        path = Path(folder, f".anonlab-probe-{os.getpid()}")
        with contextlib.suppress(OSError):
            path.write_bytes(b"")
            path.unlink()
            found.append(folder)
    return found


def room(folder: str, most: int) -> int:
    """Return how many MiB can be written to `folder`, but not more than `most`."""
    block, written = b"x" * (1 << 20), 0
    names: list[Path] = []
    with contextlib.suppress(OSError):
        while written < most:
            names.append(Path(folder, f"anonlab-probe-{os.getpid()}-{len(names)}"))
            with names[-1].open("wb", buffering=0) as file:
                for _ in range(16):
                    written += file.write(block) == len(block)
    for name in names:
        name.unlink(missing_ok=True)
    return written


def forks() -> int:
    """Return how many children one process can have, but not more than MOST_FORKS."""
    children = []
    with contextlib.suppress(OSError):
        for _ in range(MOST_FORKS):
            pid = os.fork()
            if not pid:
                time.sleep(20)
                os._exit(0)
            children.append(pid)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return len(children)


def connects(port: int) -> bool:
    """Return whether the loopback address of the machine answers."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 2):
        return True
    return False


def readable(paths: list[str]) -> list[str]:
    """Return the files that can be opened."""
    found = []
    for path in paths:
        with contextlib.suppress(OSError), Path(path).open("rb"):
            found.append(path)
    return found


def makes_user_namespace() -> bool:
    """Return whether a new user namespace can be made; last, because it stays."""
    import ctypes

    return bool(ctypes.CDLL(None).unshare(CLONE_NEWUSER) == 0)


def imports(name: str) -> str:
    """Return why a module cannot be imported, '' if it can."""
    try:
        importlib.import_module(name)
    except Exception as error:  # noqa: BLE001  all that stands in the way
        return f"{type(error).__name__}: {error}"
    return ""


def main() -> None:
    """Look around, and tell."""
    asked = json.loads(sys.stdin.readline())
    sys.path += sys.argv[2].split(os.pathsep)
    found: dict[str, Any] = {
        "uid": os.getuid(),
        "processes": sum(name.isdigit() for name in os.listdir("/proc")),  # noqa: PTH208
        "environment": sorted(os.environ),
        "submission": Path(sys.argv[1]).is_file(),
        "connects": connects(asked["port"]),
        "writable": writable(asked["folders"]),
        "readable": readable(asked["canaries"]),
        "tmp": room("/tmp", MOST_MIB),
        "shm": room("/dev/shm", MOST_MIB),
        "forks": forks(),
        "numpy": imports("numpy"),
        "anonlab": imports("anonlab"),
        "user_namespace": makes_user_namespace(),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
