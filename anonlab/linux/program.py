"""The log of a real program, as `anonlab replay` takes it: the program runs under strace.

Which pages the program touches is not in the log; `replay` touches by its stated rule.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

CALLS = "trace=memory,process"


def record_program(command: Sequence[str], log: Path) -> int:
    """Run `command` under strace with its children, write the log, return its exit status.

    raises  ValueError if there is no command or strace cannot be started or may not trace,
            OSError if the log cannot be written
    """
    if not command:
        raise ValueError("record what? write: anonlab record -o LOG -- COMMAND")
    strace = shutil.which("strace")
    if strace is None:
        raise ValueError("strace was not found: apt install strace")
    if shutil.which(command[0]) is None:
        raise ValueError(f"there is no command {command[0]!r}")
    log.touch()  # the error of a log that cannot be written is ours to tell, with its name
    done = subprocess.run([strace, "-f", "-y", "-e", CALLS, "-o", str(log), "--", *command])
    if not log.stat().st_size:
        raise ValueError(f"strace wrote nothing to {log.name}: it may not trace here")
    return done.returncode
