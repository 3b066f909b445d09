"""The real processes of one history: started, told what to do, waited for, and ended for certain.

They come from a nursery, a process with nothing mapped where histories happen. All of them end when
this process does, however it ends: each waits for commands from a socket whose other end is only
here. A Ctrl-C does not reach them.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from shutil import which
from types import TracebackType

from anonlab.linux import worker
from anonlab.linux.pagemap import Pagemap

SLOTS = 32
"""Processes that can live at a time, the nursery included."""
PATIENCE_S = 30
"""A command takes microseconds; one that takes so many seconds will never end."""


class Living:
    """A real process: its pid, its socket's slot, its pagemap as it is since the last execve.

    raises  ProcessLookupError if it is gone already
    """

    def __init__(self, name: str, pid: int, slot: int) -> None:
        self.name, self.pid, self.slot = name, pid, slot
        self.gone = os.pidfd_open(pid)  # readable when the process has ended
        self.pagemap = Pagemap(pid)

    def reopen(self) -> None:
        """Look at the new address space: the open file belongs to the old one."""
        self.pagemap.close()
        self.pagemap = Pagemap(self.pid)

    def close(self) -> None:
        """Close what is open."""
        self.pagemap.close()
        os.close(self.gone)


class Processes:
    """The processes of one history at a time, on one CPU; a context manager that ends them all.

    cpu     on which they run
    raises  OSError if no process can be started
    """

    def __init__(self, cpu: int) -> None:
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(SLOTS)]
        self.ours = [ours for ours, _ in pairs]
        theirs = [their.fileno() for _, their in pairs]
        sockets = ",".join(map(str, theirs))
        command = [interpreter(), "-I", "-S", worker.__file__, "nursery", sockets, "0", str(cpu)]
        try:
            self._nursery = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=theirs,
                cwd="/",
                process_group=0,
            )
        except BaseException:
            for ours in self.ours:
                ours.close()
            raise
        finally:
            for _, their in pairs:
                their.close()
        self.living: dict[str, Living] = {}
        self._free = list(range(SLOTS - 1, 0, -1))
        self._root = Living("", self._nursery.pid, 0)
        self._answer(self._root)

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every process."""
        self.end_all()
        self._nursery.kill()
        self._nursery.wait()
        self._root.close()
        for ours in self.ours:
            ours.close()

    def end_all(self) -> None:
        """End the processes of the history; the nursery stays for the next one."""
        for living in self.living.values():
            try:
                signal.pidfd_send_signal(living.gone, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for name in list(self.living):
            self._forget(name)

    def spawn(self, name: str) -> int:
        """Start a process with nothing mapped in the window; return an errno."""
        return self._born(self._root, name)

    def fork(self, parent: str, name: str) -> int:
        """Let `parent` fork; return an errno."""
        return self._born(self.living[parent], name)

    def _born(self, parent: Living, name: str) -> int:
        if not self._free:
            raise ValueError(f"{name}: at most {SLOTS - 1} real processes at a time")
        slot = self._free.pop()
        error, answer = self._ask(parent, "fork", slot)
        if error:
            self._free.append(slot)
            return error
        self.living[name] = Living(name, int(answer[0]), slot)
        return 0

    def execve(self, name: str) -> int:
        """Let a process execute the worker again; return an errno."""
        error, _ = self._ask(self.living[name], "execve")
        self.living[name].reopen()
        return error

    def exit(self, name: str) -> None:
        """Let a process end, and wait until its memory is gone."""
        self.ours[self.living[name].slot].send(b"exit")
        self._forget(name)

    def _forget(self, name: str) -> None:
        living = self.living.pop(name)
        if not select.select([living.gone], [], [], PATIENCE_S)[0]:
            raise TimeoutError(f"{name}: the real process does not end")
        self._free.append(living.slot)
        living.close()

    def call(self, name: str, verb: str, *numbers: int) -> tuple[int, list[str]]:
        """Let a process do one thing; return the errno and what it returned.

        raises  ChildProcessError if the process ended instead of answering
        """
        return self._ask(self.living[name], verb, *numbers)

    def _ask(self, living: Living, verb: str, *numbers: int) -> tuple[int, list[str]]:
        self.ours[living.slot].send(" ".join([verb, *map(str, numbers)]).encode())
        return self._answer(living)

    def _answer(self, living: Living) -> tuple[int, list[str]]:
        ours = self.ours[living.slot]
        ready, _, _ = select.select([ours.fileno(), living.gone], [], [], PATIENCE_S)
        if ours.fileno() not in ready:
            what = "ended before it answered" if ready else f"is silent for {PATIENCE_S} s"
            raise ChildProcessError(f"{living.name or 'the nursery'}: the real process {what}")
        words = ours.recv(worker.PACKET).decode().split()
        return int(words[0]), words[1:]


def interpreter() -> str:
    """Return the Python that workers run on: this one, or any where this may not be started, as
    after a change of user."""
    return sys.executable if os.access(sys.executable, os.X_OK) else which("python3") or "python3"


def any_cpu() -> int:
    """Return a CPU that this process may use."""
    return max(os.sched_getaffinity(0))
