"""What runs in a process without walls (child.py): the same worker as in a box, and what a box
refuses refused by Python's own events (sys.addaudithook). That keeps nobody in who wants to get
out; it tells honest code beforehand what it will hear when graded.
"""

from __future__ import annotations

import _thread
import errno
import importlib
import importlib.abc
import os
import sys
import threading
from contextlib import suppress
from typing import Any

from anonlab.box.child import CPU_SECONDS
from anonlab.box.library import SELDOM, seed
from anonlab.box.worker import Session, say, serve

FILES = (
    *("os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod"),
    *("os.link", "os.symlink", "os.truncate", "os.utime", "os.walk", "os.fwalk", "os.chdir"),
    *("shutil.", "tempfile.", "glob.", "sqlite3.connect"),
)
PROGRAMS = (
    *("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn"),
    *("os.startfile", "os.kill", "socket.__new__", "_thread.start"),
)
"""How the names of events begin that a box refuses; `open` is looked at by itself."""
IMPORTS = "<frozen importlib"
"""The files in which Python imports modules; those open files for it."""
MEMORY = 1 << 30
"""Bytes of address space, as in a box."""
KNOWN = {*sys.stdlib_module_names, "student", "numpy", "anonlab"}
KNOWN |= {name.partition(".")[0] for name in SELDOM}


def main() -> None:
    """Answer the questions of standard input on standard output; what is printed goes to the
    standard error."""
    questions, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    asked = open(questions, "rb")  # noqa: SIM115, PTH123
    session = Session()
    importlib.import_module("numpy")
    seed_all()
    limit()
    sys.meta_path.insert(0, Known(session))
    for module, name in ((_thread, "start_new_thread"), (threading, "_start_new_thread")):
        setattr(module, name, no_thread)  # Python 3.11 has no event for it
    sys.addaudithook(refuse)
    say(answers, {"id": 0, "ok": None})
    serve(session, asked, answers)


def no_thread(*args: object) -> None:
    """Refuse a thread, in the words of Python."""
    raise RuntimeError("can't start new thread")


def seed_all() -> None:
    """Begin with the random numbers of a box."""
    for name in ("random", "numpy.random"):
        importlib.import_module(name)
    seed()


def limit() -> None:
    """Bound memory and time of a processor, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def refuse(event: str, args: tuple[Any, ...]) -> None:
    """Be an audit hook: raise what the kernel raises in a box."""
    if event == "open":
        if type(args[0]) is not int and not importing():
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(args[0]))
    elif event.startswith(FILES):
        if not importing():
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), event)
    elif event.startswith(PROGRAMS):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


def importing() -> bool:
    """Return whether it is an import that has caused this event."""
    return sys._getframe(2).f_code.co_filename.startswith(IMPORTS)


class Known(importlib.abc.MetaPathFinder):
    """Refuses to find what a box does not have, if the student's own file imports it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Find nothing; ModuleNotFoundError for what nobody should find."""
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_code.co_filename.startswith(IMPORTS):
            frame = frame.f_back
        if frame.f_code.co_filename == self._session.path and name.partition(".")[0] not in KNOWN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
