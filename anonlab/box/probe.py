"""Is there a box on this machine, and does it hold? Asked before the first submission.

The real command runs a program that tries what must not work. What it reports is compared with what
must hold; messages of bwrap only choose the remedy that is printed. There is no way round: without
a box there is no official grade.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from anonlab.box.box import (
    LIBRARY,
    PROCESSES,
    SHM,
    TMP,
    bound_folders,
    interpreter_folders,
    program_command,
)
from anonlab.box.wire import clean

SECONDS = 30
"""A box that has not told what it can do after this time does not work."""
PROGRAM = Path(__file__).with_name("inside.py")
OLDEST = (0, 8)
ENVIRONMENT = {
    *("PATH", "HOME", "LC_ALL", "PWD", "PYTHONHASHSEED", "OPENBLAS_NUM_THREADS", "MPLBACKEND")
}
DROP = "setpriv --reuid 1001 --regid 1001 --clear-groups --no-new-privs anonlab grade …"
PRACTICE = "--unsafe-in-process grades for practice"
_ANYWHERE = (
    "grade on a machine of your own or in a virtual machine, not in a container; or see whether "
    "user.max_user_namespaces (sysctl) is 0"
)
REMEDIES = (
    (
        r"setting up uid map: Permission denied|RTM_NEWADDR",
        "AppArmor restricts user namespaces: on Ubuntu 24.04 install apparmor-profiles and load "
        "its extra profile bwrap-userns-restrict",
    ),
    (
        r"No space left on device|ENOSPC",
        "user namespaces are switched off (sysctl user.max_user_namespaces) or nested too deep: "
        "grade outside of this container",
    ),
    (
        r"Permission denied|Can't find source path",
        "the interpreter and anonlab must be readable by the user who grades: a virtual "
        "environment in a folder that all can read",
    ),
)
"""What bwrap said, and what helps."""


class Refused(Exception):
    """There is no box that holds: `reason` and `remedy`, one line each."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)  # both, or it could not come from another process
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.reason}\n{self.remedy}"


def check_box(course: Path, private: Iterable[Path] = ()) -> None:
    """Return if official grading is possible here.

    private  folders besides the course's own hidden ones that no box may see: the store, the
             folder of the submissions
    raises   Refused with the reason and the remedy
    """
    if not sys.platform.startswith("linux"):
        raise Refused(
            f"bubblewrap, the box for student code, needs Linux: this is {sys.platform}",
            f"grade in a Linux virtual machine or WSL2; {PRACTICE}",
        )
    if os.geteuid() == 0:
        raise Refused(
            "as root a box has no limit of processes, and files are read with root's rights",
            f"grade as an ordinary user: runuser -u NAME -- anonlab grade …, or {DROP}",
        )
    _programs()
    secret = [course / "solutions", course / "tests" / "exercises" / "hidden"]
    secret += [course / "tests" / "exercises" / "wrong", *private]
    _not_bound(secret)
    _look_inside([path for path in secret if path.exists()])


def _programs() -> None:
    for name, package in (("bwrap", "bubblewrap"), ("prlimit", "util-linux")):
        if shutil.which(name) is None:
            raise Refused(f"{name} is not installed", f"install {package}: apt install {package}")
    said = _run([str(shutil.which("bwrap")), "--version"], b"", 10)
    found = re.search(r"(\d+)\.(\d+)", said)
    if not found or (int(found[1]), int(found[2])) < OLDEST:
        raise Refused(
            f"bubblewrap 0.8 or newer is needed, this one says {clean(said.strip())[:60]!r}",
            "update bubblewrap: Debian 12, Ubuntu 24.04 and later have it",
        )


def _not_bound(secret: list[Path]) -> None:
    """Refuse a private folder that lies where every box can read."""
    for folder in map(Path, bound_folders()):
        for path in secret:
            if path.resolve().is_relative_to(folder.resolve()):
                raise Refused(
                    f"{path} lies in {folder}, which student code can read",
                    "move the course, the store and the submissions out of the Python environment",
                )


def _look_inside(secret: list[Path]) -> None:
    """Run the real command with a program that looks around, and refuse what it finds."""
    with tempfile.TemporaryDirectory(prefix="anonlab-probe-") as folder:
        file, canary = Path(folder, "solution.py"), Path(folder, "canary")
        file.touch()
        canary.touch()
        canaries = [canary, *(each for path in secret for each in sorted(path.glob("*"))[:3])]
        with socket.create_server(("127.0.0.1", 0)) as listener:
            asked = {
                "port": listener.getsockname()[1],
                "canaries": [str(path) for path in canaries],
                "folders": ["/", "/usr", "/dev", "/sub", "/etc", LIBRARY, *interpreter_folders()],
            }
            said = _run(program_command(file, PROGRAM), json.dumps(asked).encode() + b"\n", SECONDS)
            listener.setblocking(False)
            called = _was_called(listener)
    try:
        found = json.loads(said)
        wrong = [*_wrong(found), *(["the network of this machine was reached"] * called)]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Refused(f"the box told nothing sensible: {clean(said)[:200]!r}", _ANYWHERE) from None
    if wrong:
        raise Refused(f"the box does not hold: {'; '.join(wrong)}", _ANYWHERE)


def _was_called(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _wrong(found: dict[str, Any]) -> Iterator[str]:
    """Yield one sentence for each thing that is possible in the box and must not be, or the
    other way round."""
    mib = 1 << 20
    checks = (
        (found["uid"] != 0, "the user inside is root"),
        (found["processes"] <= 3, f"{found['processes']} processes are in sight"),
        (set(found["environment"]) <= ENVIRONMENT, "variables of the environment come through"),
        (found["submission"], "the submission is not there"),
        (not found["connects"], "the loopback address answers"),
        (not found["writable"], f"files can be made in {', '.join(found['writable'])}"),
        (not found["readable"], f"{', '.join(found['readable'])} can be read"),
        (found["tmp"] <= TMP // mib, f"{found['tmp']} MiB go into /tmp"),
        (found["shm"] <= SHM // mib, f"{found['shm']} MiB go into /dev/shm"),
        (found["tmp"] >= TMP // mib // 2, "nothing can be written to /tmp"),
        (found["forks"] <= PROCESSES, f"{found['forks']} processes can be made"),
        (not found["user_namespace"], "a new user namespace can be made"),
        (not found["numpy"], f"NumPy cannot be imported ({clean(found['numpy'])[:100]})"),
        (not found["anonlab"], f"anonlab cannot be imported ({clean(found['anonlab'])[:100]})"),
    )
    return (sentence for holds, sentence in checks if not holds)


def _run(words: list[str], asked: bytes, seconds: int) -> str:
    """Run a program of the box and return what it says.

    raises  Refused if it cannot be started, does not end in time, or ends with an error
    """
    try:
        done = subprocess.run(
            words,
            input=asked,
            capture_output=True,
            timeout=seconds,
            env={"PATH": os.environ.get("PATH", os.defpath)},
            check=False,
        )
    except OSError as error:
        raise Refused(f"{words[0]} cannot be started: {error.strerror}", _ANYWHERE) from None
    except subprocess.TimeoutExpired:
        raise Refused(f"{words[0]} did not answer within {seconds} s", _ANYWHERE) from None
    if done.returncode:
        said = clean(done.stderr.decode("utf-8", "replace")).strip() or "nothing"
        remedy = next((text for sign, text in REMEDIES if re.search(sign, said)), _ANYWHERE)
        last = said.splitlines()[-1][:200]
        raise Refused(f"no box can be started: {last} (exit status {done.returncode})", remedy)
    return done.stdout.decode("utf-8", "replace")
