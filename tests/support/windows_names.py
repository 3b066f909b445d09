"""Run `anonlab ARGUMENTS`, or the code cells of a notebook, in a Python without the names that
Windows' Python lacks.

    python windows_names.py verb check 04a
    python windows_names.py lab start FOLDER        prints the command, and starts no JupyterLab
    python windows_names.py cells notebooks/00_start_here.ipynb 40

The list is of names that the library reference marks "Availability: Unix" or a narrower word. They
are away for anonlab, for the checks of exercises and for cells of notebooks only: the standard
library and other packages go on as the system's own, since their way on Windows is not here.
"""

from __future__ import annotations

import builtins
import json
import mmap
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

MODULES = ("fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty")
NAMES: dict[ModuleType, str] = {
    os: """
        WEXITSTATUS chown chroot confstr ctermid eventfd fchdir fchmod fchown fork forkpty
        get_blocking getegid geteuid getgid getgroups getloadavg getpgid getpgrp getpriority
        getresuid getsid getuid killpg lchown lockf memfd_create mkfifo mknod nice openpty
        pidfd_open posix_fadvise posix_fallocate posix_spawn posix_spawnp pread preadv pwrite
        pwritev readv sched_getaffinity sched_getscheduler sched_setaffinity sched_yield sendfile
        setegid seteuid setgid setgroups setpgid setpriority setsid setuid splice statvfs sync
        sysconf tcgetpgrp tcsetpgrp uname wait wait3 wait4 waitid writev O_CLOEXEC O_DIRECTORY
        O_NOFOLLOW O_NONBLOCK O_SYNC
    """,
    signal: """
        ITIMER_REAL SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGUSR1 SIGUSR2
        alarm getitimer pause pthread_kill pthread_sigmask setitimer siginterrupt sigpending
        sigtimedwait sigwait sigwaitinfo
    """,
    mmap: """
        MADV_DONTNEED MADV_NOHUGEPAGE MAP_ANON MAP_ANONYMOUS MAP_PRIVATE MAP_SHARED PROT_EXEC
        PROT_READ PROT_WRITE
    """,
    select: "epoll poll",
    socket: "AF_UNIX CMSG_LEN SCM_RIGHTS",
    time: "CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID clock_gettime clock_settime",
}

OURS = ("anonlab", "test_ex", "__main__")
"""Beginnings of the names of modules for which the names are away."""


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.startswith(OURS)


class Poor(ModuleType):
    """A module that lacks some names where ours look."""

    def __getattribute__(self, name: str) -> Any:
        """Return what the module has, if it may be seen from where it is asked for."""
        lacks: dict[str, Any] = object.__getattribute__(self, "__dict__").get(LACKS, {})
        if name in lacks and _is_ours(sys._getframe(1).f_globals.get("__name__")):
            if lacks[name] is None:
                raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
            return lacks[name]
        return super().__getattribute__(name)


LACKS = "_lacks_for_ours"


def take_away() -> None:
    """Take the names away."""
    for module, names in NAMES.items():
        setattr(module, LACKS, dict.fromkeys(names.split()))
        module.__class__ = Poor
    setattr(sys, LACKS, {"platform": "win32"})
    sys.__class__ = Poor  # type: ignore[assignment]
    everything = builtins.__import__

    def importing(name: str, globals: Any = None, *rest: Any, **named: Any) -> Any:  # noqa: A002  its own name
        if name.split(".")[0] in MODULES and _is_ours((globals or {}).get("__name__")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return everything(name, globals, *rest, **named)

    builtins.__import__ = importing


def run_cells(path: Path, most: int) -> None:
    """Run the first `most` code cells of the notebook `path`; end with the first error."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    os.chdir(path.parent)
    cells = json.loads(path.read_text("utf-8"))["cells"]
    codes = [cell for cell in cells if cell["cell_type"] == "code"][:most]
    for cell in codes:
        done = shell.run_cell("".join(cell["source"]), silent=True, store_history=False)
        error = done.error_before_exec or done.error_in_exec
        mine = "exercise" in cell["metadata"].get("tags", ())
        if error and not (mine and isinstance(error, NotImplementedError)):
            raise SystemExit(f"{path.name}: {type(error).__name__}: {error}")
    sys.stdout.write(f"\n{len(codes)} cells\n")


def main(what: str, *words: str) -> None:
    """Do what the command line says."""
    take_away()
    if what == "cells":
        run_cells(Path(words[0]).resolve(), int(words[1]))
        return
    from anonlab.cli import start
    from anonlab.cli.verbs import cli

    if what == "lab":
        start.become = lambda command, folder: sys.stdout.write(" ".join(command)) and 0
    cli(list(words), prog_name="anonlab")


if __name__ == "__main__":
    sys.path[0] = ""  # not this folder: its names are not on Windows either
    main(*sys.argv[1:])
