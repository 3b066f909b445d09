"""A process as the kernel keeps it (struct task_struct): a name and an address space."""

from __future__ import annotations

from anonlab.mm.mm import Mm


class Process:
    """One process. `mm` is None once it has exited; execve replaces it, vfork and threads share it.

    program  what its last execve named; '' if it never called one
    """

    def __init__(self, name: str, pid: int, parent: str, mm: Mm, program: str) -> None:
        self.name = name
        self.pid = pid
        self.parent = parent
        self.mm: Mm | None = mm
        self.program = program

    @property
    def alive(self) -> bool:
        """False once the process has exited."""
        return self.mm is not None

    def __repr__(self) -> str:
        return f"<Process {self.name}, pid {self.pid}{'' if self.alive else ', gone'}>"
