"""Run a history on a kernel: every operation, with its outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from anonlab.errors import FormatError, NoSuchProcess, SimulatedError
from anonlab.formats.history import ANY, INT_MAX, History, Op
from anonlab.formats.history_text import format_op as op_text
from anonlab.formats.history_text import parse
from anonlab.kernel import Kernel, Task
from anonlab.machine.words import GEOMETRIES, PAGE_SHIFT
from anonlab.mm import File
from anonlab.rmap import Rmap

MOST_FRAMES = 1 << 24
"""Frames, and swap slots, of a machine that is run: its arrays take a GiB then."""
_FEW_PAGES = 1 << 10
"""So many values are made before anybody has looked at the range that gets them."""

__all__ = ["Outcome", "Run", "apply", "as_history", "make_kernel", "op_text", "run", "run_on"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one operation ended: `error` is '' or the message of what happened to the process;
    `value` is what the call returned (an address, a tag, a list of tags), None if nothing."""

    error: str = ""
    value: Any = None


_DONE = Outcome()


@dataclass(frozen=True)
class Run:
    """A history that was run: the kernel as it is afterwards, one outcome per operation."""

    kernel: Kernel
    outcomes: tuple[Outcome, ...]


def as_history(history: History | str) -> History:
    """Return `history`, parsed if it is text; FormatError if it is neither."""
    if isinstance(history, str):
        return parse(history)
    if not isinstance(history, History):
        raise FormatError(f"a history is a History or its text, got {type(history).__name__}")
    return history


def make_kernel(history: History, design: str | Rmap = "anongroup") -> Kernel:
    """Return a new kernel on the machine that `history` wants.

    raises  FormatError for a machine that is larger than anybody's memory
    """
    machine = history.machine
    for what, size in (("frames", machine.frames), ("swap slots", machine.swap)):
        if size > MOST_FRAMES:
            raise FormatError(
                f"a machine of {size:,} {what} cannot be run, {MOST_FRAMES:,} are the most: fewer "
                "show the same"
            )
    geometry = GEOMETRIES[machine.geometry]
    return Kernel(design, machine.frames, machine.swap, geometry, machine.tables or None)


def run(history: History | str, design: str | Rmap = "anongroup") -> Run:
    """Run `history` under `design` on a machine of its own.

    raises  FormatError if an operation makes no sense to the kernel; operations that fail as
            programs fail (SimulatedError) are outcomes
    """
    history = as_history(history)
    kernel = make_kernel(history, design)
    return Run(kernel, run_on(kernel, history))


def run_on(
    kernel: Kernel,
    history: History,
    before: Callable[[Op], None] | None = None,
    after: Callable[[Op, Outcome], None] | None = None,
) -> tuple[Outcome, ...]:
    """Run `history` on `kernel`, calling `before` and `after` around each operation."""
    outcomes = []
    for op in history.ops:
        if before is not None:
            before(op)
        outcome = apply(kernel, op)
        outcomes.append(outcome)
        if after is not None:
            after(op, outcome)
    return tuple(outcomes)


def apply(kernel: Kernel, op: Op) -> Outcome:
    """Do one operation and return how it ended; FormatError if it makes no sense."""
    try:
        value = perform(kernel, op)
        return _DONE if value is None else Outcome(value=value)
    except SimulatedError as error:
        return Outcome(error=str(error))


def perform(kernel: Kernel, op: Op) -> Any:
    """Do one operation and return what its call returned, None if nothing; SimulatedError if it
    failed as a program fails, FormatError if it makes no sense."""
    try:
        return _CALLS[op.verb](kernel, op)
    except (ValueError, TypeError) as error:
        raise FormatError(f"{op_text(op)}: {error}", op.line) from error
    except MemoryError as error:
        what = "more pages than this computer has memory for"
        raise FormatError(f"{op_text(op)}: {what}", op.line) from error


def _task(kernel: Kernel, name: str, verb: str) -> Task:
    """Return the process `name`; ESRCH if the fork that should have made it failed."""
    task = kernel.processes.get(name)
    if task is None:
        raise NoSuchProcess(f"{name}: ESRCH: {verb}: there is no process {name!r}")
    return task


def _file(kernel: Kernel, name: str) -> File:
    if name not in kernel.files:
        raise ValueError(f"there is no file {name!r}; make it with '{name} = file PAGES'")
    return kernel.files[name]


def _nbytes(op: Op, name: str = "pages") -> int:
    return int(op.args.get(name, 1)) << PAGE_SHIFT


def _mmap(kernel: Kernel, op: Op) -> int:
    args: dict[str, Any] = op.args
    file = _file(kernel, args["file"]) if "file" in args else None
    return _task(kernel, op.who, op.verb).mmap(
        _nbytes(op),
        None if args["addr"] == ANY else args["addr"],
        args.get("prot", "rw"),
        args.get("shared", False),
        file,
        args.get("offset", 0) << PAGE_SHIFT,
        args.get("fixed", False),
        args.get("growsdown", False),
    )


def _mremap(kernel: Kernel, op: Op) -> int:
    args = op.args
    new = int(args["to"]) if "to" in args and args["to"] != ANY else None
    return _task(kernel, op.who, op.verb).mremap(
        int(args["addr"]),
        _nbytes(op),
        _nbytes(op, "new_pages") if "new_pages" in args else None,
        new=new,
        dontunmap=bool(args.get("dontunmap", False)),
    )


def _write(kernel: Kernel, op: Op) -> None:
    task, args = _task(kernel, op.who, op.verb), op.args
    addr, value, npages = int(args["addr"]), int(args["value"]), int(args.get("pages", 1))
    if not 0 < npages <= _FEW_PAGES:
        task.pages_of("write", addr, npages << PAGE_SHIFT)  # a bad range has no values
    if value + npages - 1 > INT_MAX:
        task.pages_of("write", addr, npages << PAGE_SHIFT)
        raise ValueError(f"the last page would hold more than {INT_MAX}")
    task.write_range(addr, np.arange(value, value + npages, dtype=np.int64))


def _execve(kernel: Kernel, op: Op) -> None:
    args = int(op.args.get("args", 2))
    _task(kernel, op.who, op.verb).execve(str(op.args["program"]), args)


def _on_range(kernel: Kernel, op: Op) -> Any:
    """A call that takes an address and a length: munmap, mlock, swap_out, …"""
    return getattr(_task(kernel, op.who, op.verb), op.verb)(op.args["addr"], _nbytes(op))


def _on_range_with(name: str) -> Callable[[Kernel, Op], None]:
    """A call that takes an address, a length and the argument `name`: mprotect, madvise."""

    def call(kernel: Kernel, op: Op) -> None:
        method = getattr(_task(kernel, op.who, op.verb), op.verb)
        method(op.args["addr"], _nbytes(op), op.args[name])

    return call


def _pin(kernel: Kernel, op: Op) -> list[int]:
    task = _task(kernel, op.who, op.verb)
    call = task.pin_to_read if op.args.get("to_read") else task.pin
    return call(int(op.args["addr"]), _nbytes(op))


def _read(kernel: Kernel, op: Op) -> list[int]:
    task = _task(kernel, op.who, op.verb)
    tags: list[int] = task.read_range(int(op.args["addr"]), _nbytes(op)).tolist()
    return tags


def _new(kernel: Kernel, op: Op) -> None:
    """fork, vfork and clone_vm: a call of the parent that makes a process."""
    getattr(_task(kernel, str(op.args["parent"]), op.verb), op.verb)(op.who)


_CALLS: dict[str, Callable[[Kernel, Op], Any]] = {
    "spawn": lambda kernel, op: kernel.spawn(op.who) and None,
    "file": lambda kernel, op: kernel.file(op.who, int(op.args["pages"])) and None,
    "truncate": lambda kernel, op: kernel.truncate(
        _file(kernel, str(op.args["file"])), int(op.args["npages"])
    ),
    "reclaim": lambda kernel, op: kernel.reclaim(int(op.args["pages"])),
    "swapoff": lambda kernel, op: kernel.swapoff(),
    "fork": _new,
    "vfork": _new,
    "clone_vm": _new,
    "execve": _execve,
    "exit": lambda kernel, op: _task(kernel, op.who, op.verb).exit(),
    "mmap": _mmap,
    "mremap": _mremap,
    "brk": lambda kernel, op: _task(kernel, op.who, op.verb).brk(int(op.args["addr"])),
    "read": _read,
    "pin": _pin,
    "write": _write,
    "mprotect": _on_range_with("prot"),
    "madvise": _on_range_with("advice"),
    **dict.fromkeys(("munmap", "mlock", "munlock", "unpin", "swap_out"), _on_range),
}
