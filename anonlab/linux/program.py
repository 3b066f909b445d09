"""The log of a real program, as `anonlab replay` takes it: the program runs under strace, and the
kernel tells its page faults where it may. Otherwise `replay` touches by its stated rule."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import FrameType

from anonlab.linux.merge_faults import merge_page_faults
from anonlab.linux.page_faults import FaultEvent, PageFaults
from anonlab.linux.processes import interpreter

CALLS = "trace=memory,process"
TIMES = "--absolute-timestamps=unix,ns"
GATE = "import os,sys; os.read(int(sys.argv[1]), 1); os.execv(sys.argv[2], sys.argv[2:])"
"""Waits until somebody listens to the faults, then becomes strace."""
DRAIN_S = 0.01
FROM_A_TERMINAL = ("SIGINT", "SIGQUIT")
"""Signals that a terminal sends to the program, too; by name, for Windows lacks some."""
FROM_A_PROCESS = ("SIGTERM", "SIGHUP")
"""Signals that come to us alone, or that a server sends to its whole group when it ends."""
SECOND_S = 1.0
"""A signal so long after the first is a second one, not an echo of it."""


def record_program(command: Sequence[str], log: Path, quiet: bool = False) -> tuple[int, str]:
    """Run `command` under strace with its children, write the log; return its exit status, and what
    is to be known of the page faults in the log.

    What stops the program does not stop the record: see `_guarded`.

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
        with _guarded() as guard:
            status, faults, reason = _run(words, subprocess.DEVNULL if quiet else None, guard)
        text = plain.read_text("utf-8", "surrogateescape") if plain.exists() else ""
    if not text:
        raise ValueError(f"strace wrote nothing to {log.name}: it may not trace here")
    if faults is not None:
        lines = merge_page_faults(text.splitlines(), faults.events)
        text = "".join(f"{line}\n" for line in lines)
    log.write_text(text, "utf-8", "surrogateescape")
    ended = (
        "; a second signal ended the record: what goes on is not in the log" if guard.ended else ""
    )
    return status, (reason or _told(faults)) + ended


class _Guard:
    """Takes the signals that would end us while the program runs, and the log with us.

    The first one is the program's: a terminal has told it, and what came to us is passed on. We go
    on until it has ended. A second one, SECOND_S later, ends strace: the program goes on alone.
    """

    def __init__(self) -> None:
        self.running: subprocess.Popen[bytes] | None = None
        self.ended = False
        self._first = 0.0

    def take(self, number: int, _frame: FrameType | None) -> None:
        if self.running is None:
            return
        self._first = self._first or time.monotonic()
        if time.monotonic() - self._first >= SECOND_S:
            self.ended = True
            self.running.kill()
        elif signal.Signals(number).name in FROM_A_PROCESS:
            for pid in _children(self.running.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)


@contextmanager
def _guarded() -> Iterator[_Guard]:
    """Hold the signals off that end this process. Ignored ones stay ignored, and only Python's main
    thread may do this: in another one nothing is held off."""
    guard, before = _Guard(), {}
    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in (*FROM_A_TERMINAL, *FROM_A_PROCESS)):
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, guard.take)
    try:
        yield guard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _children(pid: int) -> list[int]:
    """Return the child processes of a process; none where /proc does not tell them."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _run(
    words: Sequence[str], where: int | None, guard: _Guard
) -> tuple[int, PageFaults | None, str]:
    """Run strace and listen to the faults of what it runs; return the exit status, the faults, or
    None and why there are none. `where` is what it reads and prints to: None is what we do."""
    source, gate = os.pipe()
    started = [interpreter(), "-I", "-S", "-c", GATE, str(source), *words]
    with subprocess.Popen(started, stdin=where, stdout=where, pass_fds=[source]) as running:
        guard.running = running
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
