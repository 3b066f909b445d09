"""A process in an address space that is another's as well: what vfork and CLONE_VM make.

It cannot run Python, because the interpreter's memory has an owner already. So it runs a loop of
machine code that uses no memory but a buffer of its own, not even the stack: it reads a system call
from its socket, does it, and writes the result; the rest of the work is done here. Words are 64
bits: a command is ten of them (number, six arguments, socket and buffer to go on with if the result
is 0, which is how a child finds its own), an answer is one.

source  Documentation/arch/x86/entry_64.rst; arch/x86/entry/syscalls/syscall_64.tbl (v6.18)
"""

from __future__ import annotations

import errno
import os
import platform
import struct
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from anonlab.linux.heap import MALLOC
from anonlab.linux.worker import NO_VALUE
from anonlab.machine.words import PAGE_SIZE

START = bytes.fromhex(
    "53 55"  #                          push rbx; push rbp
    "4889f3 4889d5"  #                  mov rbx, rsi: the child's socket; mov rbp, rdx: its buffer
    "31f6 31d2 4531d2 4531c0"  #        stack and thread words: none; rdi has the flags
    "b838000000 0f05"  #                clone
    "4885c0 7403"  #                    the child goes on at `answer`
    "5d 5b c3"  #                       the parent returns its pid
    # answer:
    "48894500"  #                       mov [rbp], rax
    "89df 4889ee ba08000000"  #         write(socket, buffer, 8)
    "b801000000 0f05"
    # next:
    "89df 4889ee ba50000000"  #         read(socket, buffer, 80)
    "31c0 0f05"
    "4885c0 7e2d"  #                    nobody is left at the other end: `end`
    "488b4500 488b7d08 488b7510"  #     the number, and six arguments
    "488b5518 4c8b5520 4c8b4528 4c8b4d30"
    "0f05 4885c0"
    "480f445d38 480f446d40"  #          cmovz rbx, [rbp+56]; cmovz rbp, [rbp+64]
    "ebab"  #                           jmp answer
    # end:
    "b8e7000000 31ff 0f05"  #           exit_group(0)
)
"""long start(flags, socket, buffer): clone, of which the child never returns."""
SCRATCH = 2 * PAGE_SIZE
"""Bytes of the buffer of one process."""
FORK_FLAGS = {"fork": 17, "vfork": 17 | 0x100 | 0x4000, "clone_vm": 17 | 0x100}
"""SIGCHLD, CLONE_VM, CLONE_VFORK."""
READ, WRITE, MMAP, MPROTECT, MUNMAP = 0, 1, 9, 10, 11
MREMAP, MADVISE, GETPID, CLONE, EXECVE, MLOCK, MUNLOCK, EXIT = 25, 28, 39, 56, 59, 149, 150, 231
NUMBERS = {
    **{"mmap": MMAP, "mprotect": MPROTECT, "munmap": MUNMAP, "mremap": MREMAP},
    **{"madvise": MADVISE, "mlock": MLOCK, "munlock": MUNLOCK},
}
"""Verbs that are one system call."""
_COMMAND = struct.Struct("=7q3Q")
_RESULT = struct.Struct("=q")
_TAG = struct.Struct("=q")
_PEEK = _TAG.size + 1
"""A packet of contents is longer than an answer, so that the two can be told apart."""


class PacketChannel(Protocol):
    """How one speaks with a process: packets there and back."""

    def send(self, packet: bytes) -> None:
        """Send a packet."""

    def receive(self) -> bytes:
        """Wait for a packet; ChildProcessError if the process ends instead."""


class SharedMmProcess(NamedTuple):
    """A process that runs the loop: the `line` to it, its socket and buffer as it knows them."""

    channel: PacketChannel
    socket: int
    buffer: int

    def syscall(self, number: int, *args: int, child: tuple[int, int] | None = None) -> int:
        """Let it do a system call; return the result, a negative errno if it failed.

        child  socket and buffer of the process that the call makes: that one answers, and first
        """
        self.send(number, *args, child=child)
        return self.result()

    def send(self, number: int, *args: int, child: tuple[int, int] | None = None) -> None:
        """Let it begin a system call."""
        six = [*args, *[0] * (6 - len(args))]
        self.channel.send(_COMMAND.pack(number, *six, *(child or self[1:]), 0))

    def result(self) -> int:
        """Wait for the result of a system call."""
        return int(_RESULT.unpack(self.channel.receive())[0])

    def call(self, verb: str, numbers: Sequence[int]) -> tuple[int, list[str]]:
        """Do what a verb says, as a worker of Python would: return errno and numbers."""
        if verb == "write":
            return self._write(*numbers)
        if verb == "read":
            return self._read([numbers[0] + page * PAGE_SIZE for page in range(numbers[1])])
        if verb == "peek":
            looked = (self._read([addr]) for addr in numbers)
            return 0, [NO_VALUE if error else values[0] for error, values in looked]
        if verb == "brk":
            addr, number = numbers
            return 0, [str(self.syscall(number, addr))]
        result = self.syscall(NUMBERS[verb], *numbers)
        return (-result, []) if -4096 < result < 0 else (0, [str(result)])

    def _write(self, addr: int, value: int, npages: int) -> tuple[int, list[str]]:
        for page in range(npages):
            self.send(READ, self.socket, addr + page * PAGE_SIZE, _TAG.size)
            self.channel.send(_TAG.pack(value + page))
            if (result := self.result()) < 0:
                return -result, [str(page)]
        return 0, []

    def _read(self, addrs: Sequence[int]) -> tuple[int, list[str]]:
        values: list[str] = []
        for addr in addrs:
            self.send(WRITE, self.socket, addr, _PEEK)
            packet = self.channel.receive()
            if len(packet) != _PEEK:
                return -_RESULT.unpack(packet)[0], [str(len(values))]
            values.append(str(_TAG.unpack_from(packet)[0]))
            self.result()
        return 0, values

    def execve(self, command: Sequence[str]) -> None:
        """Let it become another program, which gives the answer.

        raises  OSError if the command and what it needs of the environment do not fit the buffer
        """
        words = [word.encode() + b"\0" for word in command]
        kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
        words += [f"{name}={value}".encode() + b"\0" for name, value in (kept | MALLOC).items()]
        pointers, at = [], self.buffer + _COMMAND.size
        for word in words:
            pointers.append(at)
            at += len(word)
        at += -at % 8
        table = [*pointers[: len(command)], 0, *pointers[len(command) :], 0]
        block = b"".join(words).ljust(at - self.buffer - _COMMAND.size, b"\0")
        block += struct.pack(f"={len(table)}Q", *table)
        if len(block) > SCRATCH - _COMMAND.size:
            raise OSError(errno.E2BIG, os.strerror(errno.E2BIG), command[0])
        self.send(READ, self.socket, self.buffer + _COMMAND.size, len(block))
        self.channel.send(block)
        self.result()
        self.send(EXECVE, pointers[0], at, at + 8 * (len(command) + 1))


def problem() -> str:
    """Return why no such process can be made here, '' if it can."""
    machine = platform.machine()
    return "" if machine == "x86_64" else f"needs x86-64 for vfork and clone_vm: this is {machine}"
