"""The judge's end of zygotes: start one, let it fork a box, end the box.

A process that judges has one zygote, started when it needs its first box, or two: one more for the
files that name a big module. They end with that process, however it ends.
"""

from __future__ import annotations

import atexit
import base64
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from anonlab.box.calls import NoBox, filter_program, number_of
from anonlab.box.library import SELDOM

START_SECONDS = 60.0
"""A zygote, or a box, that does not stand after this time is trouble of the grader."""
PROGRAM = "import sys; sys.path += sys.argv[2:]; from anonlab.box.zygote import main; main()"
ENVIRONMENT = {
    "PYTHONHASHSEED": "0",  # a set of the student's has one order, whenever it is graded
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "MPLBACKEND": "Agg",
    # A library of linear algebra starts a thread for each processor, if it is not told.
    **{f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL", "BLIS", "NUMEXPR")},
}


class Zygote:
    """A zygote of this process.

    seldom    it has loaded big modules, too
    landlock  it gives up files by Landlock, where the kernel has that
    raises    NoBox if it cannot be started
    """

    def __init__(self, seldom: bool = False, landlock: bool = True) -> None:
        self._lock = threading.Lock()
        orders = {
            "filter": base64.b64encode(filter_program()).decode(),
            "seccomp": number_of("seccomp"),
            "keyctl": number_of("keyctl"),
            "seldom": seldom,
            "landlock": landlock,
        }
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        ours.settimeout(START_SECONDS)
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [
                        *(sys.executable, "-S", "-P", "-B", "-c", PROGRAM, str(theirs.fileno())),
                        *module_folders(),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    pass_fds=[theirs.fileno()],
                    env=ENVIRONMENT,
                    cwd="/",
                    start_new_session=True,
                )
        except OSError as error:
            ours.close()
            raise NoBox(f"Python cannot be started: {error}") from None
        self.landlock = bool(self.ask(orders)["landlock"])

    @property
    def lives(self) -> bool:
        """True while it can be asked."""
        return self._socket.fileno() >= 0 and self._process.poll() is None

    def ask(self, order: dict[str, Any], descriptors: tuple[int, ...] = ()) -> dict[str, Any]:
        """Return what the zygote answers to one order.

        raises  NoBox if it says that it cannot, or nothing at all: then it is gone
        """
        with self._lock:
            try:
                socket.send_fds(self._socket, [json.dumps(order).encode()], descriptors)
                data = self._socket.recv(1 << 12)
            except OSError as error:
                data, why = b"", f"{type(error).__name__}"
            else:
                why = "it ended"
            if not data:
                said = self.close() or "no reason given"
                raise NoBox(f"the zygote of boxes does not answer ({why}): {said}")
        told: dict[str, Any] = json.loads(data)
        if "error" in told:
            raise NoBox(f"the zygote of boxes: {told['error']}")
        return told

    def close(self) -> str:
        """End it, and with it all its boxes; return what it said, '' a second time."""
        self._socket.close()
        self._process.kill()
        self._process.wait()
        said = self._process.stderr
        if said is None or said.closed:
            return ""
        with said:
            return said.read(1 << 16).decode("utf-8", "replace").strip()[-500:]


@contextmanager
def no_landlock() -> Iterator[None]:
    """Inside the block, boxes are as they are on a kernel without Landlock."""
    global _landlock
    _landlock = False
    try:
        yield
    finally:
        _landlock = True


_landlock = True
_living: dict[tuple[int, bool, bool], Zygote] = {}
_starting = threading.Lock()


def zygote(code: bytes = b"") -> Zygote:
    """Return a zygote for a student's code, that lives and is of this very process."""
    seldom = any(name.partition(".")[0].encode() in code for name in SELDOM[1:])
    seldom = seldom or SELDOM[0].encode() in code
    key = os.getpid(), seldom, _landlock
    with _starting:
        if key in _living and not _living[key].lives:
            _living.pop(key).close()
        if key not in _living:
            _living[key] = Zygote(seldom, _landlock)
        return _living[key]


def end_boxes() -> int:
    """End all boxes of this process; return how many there were still."""
    own = [each for key, each in list(_living.items()) if key[0] == os.getpid() and each.lives]
    return sum(each.ask({"sweep": True})["ended"] for each in own)


@atexit.register
def _close() -> None:
    for key, each in _living.items():
        if key[0] == os.getpid():
            with suppress(OSError):
                each.close()


def package_folder() -> Path:
    """Return the folder of anonlab itself."""
    return Path(__file__).resolve().parents[1]


def module_folders() -> list[str]:
    """Return where a zygote finds NumPy and the like, and anonlab: what `site` would add, and the
    folder of the package, last."""
    ends = ("site-packages", "dist-packages")
    return [*(path for path in sys.path if path.endswith(ends)), str(package_folder().parent)]
