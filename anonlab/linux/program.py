"""The log of a real program, as `anonlab replay` takes it: the program runs under strace, and the
kernel tells its page faults where it may. Otherwise `replay` touches by its stated rule."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from anonlab.linux.merge_faults import merge_page_faults
from anonlab.linux.page_faults import FaultEvent, PageFaults
from anonlab.linux.processes import interpreter

CALLS = "trace=memory,process"
TIMES = "--absolute-timestamps=unix,ns"
GATE = "import os,sys; os.read(int(sys.argv[1]), 1); os.execv(sys.argv[2], sys.argv[2:])"
"""Waits until somebody listens to the faults, then becomes strace."""
DRAIN_S = 0.01


def record_program(command: Sequence[str], log: Path, quiet: bool = False) -> tuple[int, str]:
    """Run `command` under strace with its children, write the log; return its exit status, and what
    is to be known of the page faults in the log.

    quiet   what it prints goes nowhere, and it has nothing to read
    raises  ValueError if there is no Linux, no command, or strace cannot be started or may not
            trace, OSError if the log cannot be written
    """
    if not command:
        raise ValueError("record what? write: anonlab record -o LOG -- COMMAND")
    if sys.platform != "linux":
        raise ValueError(f"recording needs Linux: this is {sys.platform}")
    strace = shutil.which("strace")
    if strace is None:
        raise ValueError("strace was not found: apt install strace")
    if shutil.which(command[0]) is None:
        raise ValueError(f"there is no command {command[0]!r}")
    log.touch()  # the error of a log that cannot be written is ours to tell, with its name
    with tempfile.TemporaryDirectory(prefix="anonlab-record-") as folder:
        plain = Path(folder) / "log"
        words = [strace, "-f", "-y", TIMES, "-e", CALLS, "-o", str(plain), "--", *command]
        status, faults, reason = _run(words, subprocess.DEVNULL if quiet else None)
        text = plain.read_text("utf-8", "surrogateescape") if plain.exists() else ""
    if not text:
        raise ValueError(f"strace wrote nothing to {log.name}: it may not trace here")
    if faults is not None:
        lines = merge_page_faults(text.splitlines(), faults.events)
        text = "".join(f"{line}\n" for line in lines)
    log.write_text(text, "utf-8", "surrogateescape")
    return status, reason or _told(faults)


def _run(words: Sequence[str], where: int | None) -> tuple[int, PageFaults | None, str]:
    """Run strace and listen to the faults of what it runs; return the exit status, the faults, or
    None and why there are none. `where` is what it reads and prints to: None is what we do."""
    source, gate = os.pipe()
    started = [interpreter(), "-I", "-S", "-c", GATE, str(source), *words]
    with subprocess.Popen(started, stdin=where, stdout=where, pass_fds=[source]) as running:
        os.close(source)
        try:
            faults = PageFaults(running.pid)
        except OSError as error:
            why = f"no page faults: {error.strerror}"
        else:
            why = ""
        finally:
            os.close(gate)  # whatever happens: strace waits for it
        if why:
            return running.wait(), None, why
        with closing(faults):
            while True:
                try:
                    status = running.wait(DRAIN_S)
                except subprocess.TimeoutExpired:
                    faults.drain()
                    continue
                faults.drain()
                return status, faults, ""


def _told(faults: PageFaults | None) -> str:
    """Say how good the record of the page faults is."""
    if faults is None:
        return ""
    nfaults = sum(isinstance(event, FaultEvent) for event in faults.events)
    where = "" if faults.source.kernel else ", but for those in system calls"
    lost = f"; {faults.lost} were lost" if faults.lost else ""
    return f"with its page faults{where}{lost}" if nfaults else "it had no page faults"
