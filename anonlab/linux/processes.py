"""The real processes of one history: started, told what to do, waited for, and ended for certain;
and the files that they map, in memory and without a name.

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
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from types import TracebackType

from anonlab.linux import heap, worker
from anonlab.linux.pagemap import Pagemap
from anonlab.linux.shared_mm_process import (
    CLONE,
    EXIT,
    FORK_FLAGS,
    GETPID,
    SCRATCH,
    START,
    SharedMmProcess,
)
from anonlab.machine.words import PAGE_SIZE

SLOTS = 32
"""Processes that can live at a time, the nursery included."""
FILES = 8
"""Files that a history can have."""
PATIENCE_S = 30
"""A command takes microseconds; one that takes so many seconds will never end."""


class RealProcess:
    """A real process: its pid, its socket's slot, its pagemap as it is since the last execve.

    scratch    address of the buffers of shared_mm processes in its memory, 0 until there is one
    shared_mm  set if it runs in another's memory, so that it is spoken to in another way
    vforked    its child by vfork, for which it waits
    raises    ProcessLookupError if it is gone already
    """

    def __init__(self, name: str, pid: int, slot: int, ours: socket.socket) -> None:
        self.name, self.pid, self.slot, self.ours = name, pid, slot, ours
        self.scratch = 0
        self.shared_mm: SharedMmProcess | None = None
        self.vforked: RealProcess | None = None
        self.gone = os.pidfd_open(pid)  # readable when the process has ended
        self.pagemap = Pagemap(pid)

    def send(self, packet: bytes) -> None:
        """Send a packet to the process."""
        self.ours.send(packet)

    def receive(self) -> bytes:
        """Wait for a packet; ChildProcessError if the process ends instead, or is silent."""
        ready, _, _ = select.select([self.ours.fileno(), self.gone], [], [], PATIENCE_S)
        if self.ours.fileno() not in ready:
            what = "ended before it answered" if ready else f"is silent for {PATIENCE_S} s"
            raise ChildProcessError(f"{self.name or 'the nursery'}: the real process {what}")
        return self.ours.recv(worker.PACKET)

    def answer(self) -> tuple[int, list[str]]:
        """Wait for the answer of a worker: an errno and what was returned."""
        words = self.receive().decode().split()
        return int(words[0]), words[1:]

    def ask(self, verb: str, *numbers: int) -> tuple[int, list[str]]:
        """Let a worker do one thing and wait for the answer."""
        self.send(" ".join([verb, *map(str, numbers)]).encode())
        return self.answer()

    def reopen(self) -> None:
        """Look at the new address space: the open file belongs to the old one."""
        self.pagemap.close()
        self.pagemap = Pagemap(self.pid)

    def areas(self) -> Iterator[tuple[int, int, str]]:
        """Yield (first page, end, protection as in rw-) of each mapping."""
        for line in Path(f"/proc/{self.pid}/maps").read_text("utf-8", "replace").splitlines():
            where, prot, _ = line.split(maxsplit=2)
            start, end = (int(addr, 16) // PAGE_SIZE for addr in where.split("-"))
            yield start, end, prot[:3]

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
        self.theirs = [their.fileno() for _, their in pairs]
        self.files = [os.memfd_create("anonlab") for _ in range(FILES)]
        self.inodes = [os.fstat(file).st_ino for file in self.files]
        sockets = ",".join(map(str, self.theirs))
        command = [interpreter(), "-I", "-S", worker.__file__, "nursery", sockets, "0", str(cpu)]
        try:
            self._nursery = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[*self.theirs, *self.files],
                cwd="/",
                env=os.environ | heap.MALLOC,
                process_group=0,
            )
        except BaseException:
            self._close_ours()
            raise
        finally:
            for _, their in pairs:
                their.close()
        self.living: dict[str, RealProcess] = {}
        self._free = list(range(SLOTS - 1, 0, -1))
        self._root = RealProcess("", self._nursery.pid, 0, self.ours[0])
        self._root.answer()

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
        self._close_ours()

    def _close_ours(self) -> None:
        for ours in self.ours:
            ours.close()
        for file in self.files:
            os.close(file)

    def end_all(self) -> None:
        """End the processes of the history; the nursery stays for the next one."""
        for living in self.living.values():
            try:
                signal.pidfd_send_signal(living.gone, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for name in list(self.living):
            self._forget(name)
        for file in self.files:
            os.ftruncate(file, 0)

    def spawn(self, name: str) -> int:
        """Start a process with nothing mapped in the window; return an errno."""
        return self._born("fork", self._root, name)

    def fork(self, verb: str, parent: str, name: str) -> int:
        """Let `parent` do what `verb` says, fork, vfork or clone_vm; return an errno."""
        return self._born(verb, self.living[parent], name)

    def _born(self, verb: str, parent: RealProcess, name: str) -> int:
        if not self._free:
            raise ValueError(f"{name}: at most {SLOTS - 1} real processes at a time")
        slot = self._free.pop()
        if parent.shared_mm is not None or verb != "fork":
            error = self._borrowed(verb, parent, name, slot)
        else:
            error, answer = parent.ask("fork", slot)
            if not error:
                self.living[name] = RealProcess(name, int(answer[0]), slot, self.ours[slot])
                self.living[name].scratch = parent.scratch
        if error:
            self._free.append(slot)
        return error

    def _borrowed(self, verb: str, parent: RealProcess, name: str, slot: int) -> int:
        """Make a process that runs the loop of borrowed memory."""
        if not parent.scratch:
            code = int.from_bytes(START, "little")
            error, answer = parent.ask("lend", code, len(START), SLOTS * SCRATCH)
            if error:
                return error
            parent.scratch = int(answer[0])
        number, buffer = self.theirs[slot], parent.scratch + slot * SCRATCH
        flags = FORK_FLAGS[verb]
        if parent.shared_mm is None:
            parent.send(f"clone {flags} {slot} {buffer}".encode())
        else:
            parent.shared_mm.send(CLONE, flags, child=(number, buffer))
        line = _NewProcess(self.ours[slot], parent)
        if error := line.first(parent.shared_mm is not None):
            return error
        pid = SharedMmProcess(line, number, buffer).syscall(GETPID)
        child = self.living[name] = RealProcess(name, pid, slot, self.ours[slot])
        child.scratch, child.shared_mm = parent.scratch, SharedMmProcess(child, number, buffer)
        if verb == "vfork":
            parent.vforked = child
        else:
            self._answered(parent)
        return 0

    def execve(self, name: str) -> int:
        """Let a process execute the worker again; return an errno."""
        living = self.living[name]
        if living.shared_mm is None:
            error, _ = living.ask("execve")
        else:
            python = interpreter()
            sockets = ",".join(map(str, self.theirs))
            words = [python, "-I", "-S", worker.__file__, "again", sockets, str(living.slot)]
            living.shared_mm.execve(words)
            living.shared_mm = None
            error, _ = living.answer()
        living.scratch = 0
        living.reopen()
        self._released(living)
        return error

    def exit(self, name: str) -> None:
        """Let a process end, and wait until its memory is gone."""
        living = self.living[name]
        if living.shared_mm is None:
            living.send(b"exit")
        else:
            living.shared_mm.send(EXIT)
        self._forget(name)
        self._released(living)

    def _released(self, child: RealProcess) -> None:
        """Hear the parent that has waited for its child by vfork, if there is one."""
        for parent in self.living.values():
            if parent.vforked is child:
                parent.vforked = None
                self._answered(parent)

    def _answered(self, parent: RealProcess) -> None:
        """Take the pid of a child that we know already."""
        if parent.shared_mm is None:
            parent.answer()
        else:
            parent.shared_mm.result()

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
        living = self.living[name]
        if living.shared_mm is not None:
            return living.shared_mm.call(verb, numbers)
        return living.ask(verb, *numbers)

    def look(self, name: str, addrs: list[int]) -> list[str]:
        """Read the first bytes of pages that are there; NO_VALUE where that is forbidden. A child
        by vfork looks for the parent that waits: the memory is the same."""
        living = self.living[name]
        while living.vforked is not None:
            living = living.vforked
        return self.call(living.name, "peek", *addrs)[1]

    def write_file(self, number: int, tags: list[int]) -> None:
        """Make a file as long as it has `tags`, one at the beginning of each page."""
        file = self.files[number]
        self.resize_file(number, len(tags))
        for page, tag in enumerate(tags):
            os.pwrite(file, tag.to_bytes(8, sys.byteorder), page * PAGE_SIZE)

    def resize_file(self, number: int, npages: int) -> None:
        """Change the length of a file."""
        os.ftruncate(self.files[number], npages * PAGE_SIZE)


class _NewProcess:
    """The way to a process that is being born: its pid is not known yet, its parent's is."""

    def __init__(self, ours: socket.socket, parent: RealProcess) -> None:
        self.ours, self.parent = ours, parent

    def send(self, packet: bytes) -> None:
        """Send a packet to the child."""
        self.ours.send(packet)

    def receive(self) -> bytes:
        """Wait for a packet of the child; ChildProcessError if nothing comes."""
        waited = [self.ours.fileno(), self.parent.gone]
        if self.ours.fileno() not in select.select(waited, [], [], PATIENCE_S)[0]:
            raise ChildProcessError(f"{self.parent.name}: a child does not answer")
        return self.ours.recv(worker.PACKET)

    def first(self, borrowed: bool) -> int:
        """Wait for the first sign of the child; return 0, or the errno of the parent's call."""
        theirs = self.parent.ours
        ready, _, _ = select.select([self.ours, theirs], [], [], PATIENCE_S)
        if self.ours not in ready and theirs in ready:
            packet = theirs.recv(worker.PACKET, socket.MSG_PEEK)
            number = -int.from_bytes(packet, sys.byteorder, signed=True) if borrowed else 0
            error = max(0, number) if borrowed else int(packet.split()[0])
            if error:
                theirs.recv(worker.PACKET)
                return error
        self.receive()
        return 0


def interpreter() -> str:
    """Return the Python that workers run on: this one, or any where this may not be started, as
    after a change of user."""
    return sys.executable if os.access(sys.executable, os.X_OK) else which("python3") or "python3"


def any_cpu() -> int:
    """Return a CPU that this process may use."""
    return max(os.sched_getaffinity(0))
