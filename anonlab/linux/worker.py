"""A real process that does what it is told, one system call at a time, and is otherwise still.

Run as a program of its own, with nothing but the standard library, because execve has to start it
again and again. A command is one packet of words: a verb and numbers. The answer is an errno (0 if
all went well) and numbers. Memory is touched at the worker's own addresses, by read and write of a
pipe: a touch that would be a SIGSEGV is then an EFAULT, and the worker lives on.

There are several sockets, one per process that can live at a time, made before the first process
is: a child is told its number and can be spoken to at once. When nobody is left at the other end,
the worker ends.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path

PAGE_SIZE = 4096
PACKET = 1 << 16
"""Bytes of a command or an answer, at most."""
PEEKED = 1024
"""Pages that one command looks into, at most."""
NO_VALUE = "-"
NOTHING = -1

PR_SET_MM, PR_SET_MM_MAP = 35, 14
NO_FILE = 0xFFFFFFFF
PR_SET_CHILD_SUBREAPER = 36
PR_SET_THP_DISABLE = 41
PROT_READ_WRITE, PROT_READ_EXEC = 3, 5
MAP_PRIVATE_ANONYMOUS = 0x22
IO_URING_SETUP, IO_URING_REGISTER = 425, 427
"""System calls that have the same number on every architecture."""
REGISTER_BUFFERS, UNREGISTER_BUFFERS = 0, 1
PARAMS_BYTES = 120
STACK_BYTES = 8 << 20
"""How far a stack may grow, as in the simulated machine."""

_TAG = struct.Struct("=q")
_MM_MAP = struct.Struct("=11QQII")
if sys.platform == "linux":  # elsewhere this file is imported for its numbers
    _libc = ctypes.CDLL(None, use_errno=True)
    _libc.mmap.restype = _libc.mremap.restype = ctypes.c_void_p
    _libc.read.restype = _libc.write.restype = _libc.syscall.restype = ctypes.c_ssize_t

Answer = tuple[int, list[str]]


def _call(name: str, *args: int) -> Answer:
    """Call the C library; return the errno and what a call for an address returned."""
    function = getattr(_libc, name)
    result = function(*map(ctypes.c_ulong, args))
    if result in (-1, ctypes.c_size_t(-1).value):
        return ctypes.get_errno(), []
    return 0, [str(result or 0)]


class Worker:
    """One image of one process: `sockets` are the numbers of all of them, `slot` is its own."""

    def __init__(self, sockets: list[int], slot: int) -> None:
        self.sockets, self.slot = sockets, slot
        self.source, self.sink = os.pipe()
        self.rings: dict[int, list[int]] = {}  # address -> the rings that hold the page
        self.lent = 0  # address of the code that processes in shared memory run

    def serve(self) -> None:
        """Do one command after another, until nobody is there to give one."""
        while True:
            words = os.read(self.sockets[self.slot], PACKET).decode().split()
            if not words:
                os._exit(0)
            self.answer(*COMMANDS[words[0]](self, *map(int, words[1:])))

    def answer(self, error: int, numbers: list[str]) -> None:
        """Send an answer."""
        os.write(self.sockets[self.slot], " ".join([str(error), *numbers]).encode())

    def fork(self, slot: int) -> Answer:
        """Make a child that listens to `slot`; the parent answers with its pid."""
        pid = os.fork()
        if pid:
            return 0, [str(pid)]
        self.slot = slot
        for ring in (ring for rings in self.rings.values() for ring in rings):
            os.close(ring)
        self.rings = {}
        self.serve()
        return 0, []

    def lend(self, code: int, length: int, scratch: int) -> Answer:
        """Have room for processes that borrow this memory: their code, and buffers of `scratch`
        bytes in all; answer with the address of the buffers."""
        size = -(-length // PAGE_SIZE) * PAGE_SIZE
        where = []
        for room in (size, scratch):
            error, answer = _call(
                "mmap", 0, room, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, NOTHING, 0
            )
            if error:
                return error, []
            where.append(int(answer[0]))
        ctypes.memmove(where[0], code.to_bytes(length, "little"), length)
        self.lent = where[0]
        error, _ = _call("mprotect", where[0], size, PROT_READ_EXEC)
        return error, [str(where[1])]

    def clone(self, flags: int, slot: int, buffer: int) -> Answer:
        """Make a process that runs what was lent: it listens to `slot`."""
        start = ctypes.CFUNCTYPE(*[ctypes.c_long] * 4)(self.lent)
        pid = start(flags, self.sockets[slot], buffer)
        return (0, [str(pid)]) if pid > 0 else (-pid, [])

    def execve(self) -> Answer:
        """Become this program again; the new image gives the answer."""
        sockets = ",".join(map(str, self.sockets))
        for number in self.sockets:
            os.set_inheritable(number, True)
        command = [sys.executable, "-I", "-S", __file__, "again", sockets, str(self.slot)]
        os.execv(sys.executable, command)

    def exit(self) -> Answer:
        """End at once."""
        os._exit(0)

    def heap(self, start: int) -> Answer:
        """Let the heap start and end at `start`; all else that the kernel knows of the program
        stays as it is (struct prctl_mm_map)."""
        stat = Path("/proc/self/stat").read_text("utf-8", "replace")
        fields = stat.rpartition(")")[2].split()
        code, data, stack, args = (26, 27), (45, 46), (28,), (48, 49, 50, 51)
        first, rest = ([int(fields[at - 3]) for at in some] for some in (code + data, stack + args))
        words = _MM_MAP.pack(*first, start, start, *rest, 0, 0, NO_FILE)
        if _libc.prctl(PR_SET_MM, PR_SET_MM_MAP, words, ctypes.c_ulong(len(words)), 0):
            return ctypes.get_errno(), []
        return 0, []

    def brk(self, addr: int, number: int) -> Answer:
        """Ask for another end of the heap, system call `number`; answer with what it is then."""
        return 0, [str(_libc.syscall(number, ctypes.c_ulong(addr)))]

    def pin(self, addr: int, npages: int) -> Answer:
        """Let a device hold pages: a ring of io_uring for each, with the page as its buffer."""
        held: list[int] = []
        for page in range(addr, addr + npages * PAGE_SIZE, PAGE_SIZE):
            error = self._pin(page)
            if error:
                for other in held:
                    self._unpin(other)
                return error, [str(len(held))]
            held.append(page)
        return 0, []

    def _pin(self, addr: int) -> int:
        params = ctypes.create_string_buffer(PARAMS_BYTES)
        ring = _libc.syscall(IO_URING_SETUP, 1, params)
        if ring < 0:
            return ctypes.get_errno()
        buffer = struct.pack("=2Q", addr, PAGE_SIZE)
        if _libc.syscall(IO_URING_REGISTER, ring, REGISTER_BUFFERS, buffer, 1):
            error = ctypes.get_errno()
            os.close(ring)
            return error
        self.rings.setdefault(addr, []).append(ring)
        return 0

    def unpin(self, addr: int, npages: int) -> Answer:
        """Let a device give up the newest hold of each page."""
        pages = range(addr, addr + npages * PAGE_SIZE, PAGE_SIZE)
        if not all(self.rings.get(page) for page in pages):
            return errno.EINVAL, []
        for page in pages:
            self._unpin(page)
        return 0, []

    def _unpin(self, addr: int) -> None:
        ring = self.rings[addr].pop()
        _libc.syscall(IO_URING_REGISTER, ring, UNREGISTER_BUFFERS, None, 0)
        os.close(ring)

    def write(self, addr: int, value: int, npages: int) -> Answer:
        """Write value, value + 1, … to the first bytes of the pages from `addr` on; an error comes
        with the number of the page."""
        for page in range(npages):
            os.write(self.sink, _TAG.pack(value + page))
            at = ctypes.c_void_p(addr + page * PAGE_SIZE)
            if _libc.read(self.source, at, _TAG.size) != _TAG.size:
                error = ctypes.get_errno()
                os.read(self.source, _TAG.size)
                return error, [str(page)]
        return 0, []

    def read(self, addr: int, npages: int) -> Answer:
        """Read the first bytes of the pages from `addr` on; an error comes with the number of the
        page."""
        values = []
        for page in range(npages):
            value = self._value(addr + page * PAGE_SIZE)
            if value is None:
                return ctypes.get_errno(), [str(page)]
            values.append(str(value))
        return 0, values

    def peek(self, *addrs: int) -> Answer:
        """Read the first bytes of pages that are there; NO_VALUE where that is forbidden."""
        values = map(self._value, addrs)
        return 0, [NO_VALUE if value is None else str(value) for value in values]

    def _value(self, addr: int) -> int | None:
        if _libc.write(self.sink, ctypes.c_void_p(addr), _TAG.size) != _TAG.size:
            return None
        return int(_TAG.unpack(os.read(self.source, _TAG.size))[0])


COMMANDS: dict[str, Callable[..., Answer]] = {
    "fork": Worker.fork,
    "execve": Worker.execve,
    "exit": Worker.exit,
    "lend": Worker.lend,
    "clone": Worker.clone,
    "pin": Worker.pin,
    "unpin": Worker.unpin,
    "heap": Worker.heap,
    "brk": Worker.brk,
    "mmap": lambda worker, *args: _call("mmap", *args),
    "mremap": lambda worker, *args: _call("mremap", *args),
    "munmap": lambda worker, addr, length: _call("munmap", addr, length),
    "mprotect": lambda worker, addr, length, prot: _call("mprotect", addr, length, prot),
    "madvise": lambda worker, addr, length, advice: _call("madvise", addr, length, advice),
    "mlock": lambda worker, addr, length: _call("mlock", addr, length),
    "munlock": lambda worker, addr, length: _call("munlock", addr, length),
    "write": Worker.write,
    "read": Worker.read,
    "peek": Worker.peek,
}


def settle(cpu: int) -> None:
    """Be alone on one CPU, without huge pages, deaf to Ctrl-C, and father of all orphans: children
    inherit the first three, and whoever ends is gone at once (SIGCHLD is ignored)."""
    os.sched_setaffinity(0, {cpu})
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for option in (PR_SET_CHILD_SUBREAPER, PR_SET_THP_DISABLE):
        _libc.prctl(option, 1, 0, 0, 0)
    import resource  # Windows has none, and imports this file for its numbers

    _, most = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (STACK_BYTES, most))


def main(how: str, sockets: str, slot: str, cpu: str = "") -> None:
    """Serve: as the nursery of a history, pinned to `cpu`, or again, after an execve."""
    worker = Worker([int(number) for number in sockets.split(",")], int(slot))
    if how == "nursery":
        settle(int(cpu))
    worker.answer(0, [])
    worker.serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
