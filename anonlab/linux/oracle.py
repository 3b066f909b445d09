"""The oracle: runs a history on real processes and tells what every page is after each operation.

A page number of the history is a page of a window far from everything that a program has, and only
the window is looked at. Everything is still while it is: each process waits for its next command.
"""

from __future__ import annotations

import errno
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from anonlab.formats.history import History, Op
from anonlab.formats.observation import (
    ALONE,
    FILE,
    PAGE,
    SHARED,
    SWAP,
    ZERO,
    Areas,
    Observation,
    PageNames,
    PageSeen,
    Place,
    file_tags,
)
from anonlab.formats.recording import FULL, OpEffect, Recording
from anonlab.linux import heap, pagemap
from anonlab.linux.address_window import TOUCHES, AddressWindow
from anonlab.linux.areas import areas_of
from anonlab.linux.pagemap import Frames, access
from anonlab.linux.processes import Processes, RealProcess, any_cpu
from anonlab.linux.worker import NO_VALUE, PEEKED
from anonlab.machine.words import PAGE_SHIFT

_BIRTHS = ("fork", "vfork", "clone_vm")


class Oracle:
    """A kernel that is asked; a context manager, because it keeps real processes.

    view    FULL or WEAK; '' for as much as this process may see
    cpu     on which all processes run: a page that was touched on another CPU may still be held
            by that CPU's batch, which makes the kernel copy it
    raises  ValueError if this kernel does not show as much to this process
    """

    def __init__(self, view: str = "", cpu: int | None = None) -> None:
        may = access()
        self.view = view or may.view
        if not may.view or (self.view == FULL and may.view != FULL):
            raise ValueError(f"the running kernel cannot be the witness: {may.reason}")
        self.frames = Frames() if self.view == FULL else None
        self.processes = Processes(any_cpu() if cpu is None else cpu)

    def __enter__(self) -> Oracle:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.processes.close()
        if self.frames is not None:
            self.frames.close()

    def run(self, history: History) -> Iterator[OpEffect]:
        """Run `history`; yield what the kernel shows after each operation, when it is asked for.

        raises  FormatError before anything is run if the history holds what this cannot do
        """
        window = AddressWindow(history)
        self.processes.end_all()
        names = PageNames()
        for op in history.ops:
            error, values = self._do(op, window)
            yield OpEffect(error, values, names.name(self._look(window)), self._areas(window))

    def record(self, history: History) -> Recording:
        """Return the recording of `history`."""
        return Recording(kernel_facts(), self.view, history, tuple(self.run(history)))

    # -- doing ----------------------------------------------------------------------------------

    def _do(self, op: Op, window: AddressWindow) -> tuple[str, tuple[int, ...]]:
        """Do one operation; return the name of the errno or signal, and what a read returned."""
        actor = str(op.args.get("parent", op.who))
        if op.verb not in ("spawn", *_FILES) and actor not in self.processes.living:
            return "ESRCH", ()
        if op.verb in _FILES:
            return _FILES[op.verb](self.processes, op, window), ()
        if op.verb in _BIRTHS_AND_DEATHS:
            error = _BIRTHS_AND_DEATHS[op.verb](self.processes, op) or 0
            if window.heap and not error and op.verb in ("spawn", "execve"):
                error, _ = self.processes.call(op.who, "heap", window.heap)
            return _name(error), ()
        verb = "madvise" if op.verb == "swap_out" else op.verb
        asked = window.numbers(op, self.processes.files)
        if op.verb == "brk":
            return self._brk(op.who, *asked), ()
        error, numbers = self.processes.call(op.who, verb, *asked)
        if error == errno.EFAULT and op.verb in TOUCHES:
            return self._signal(op, window, int(numbers[0])), ()
        return _name(error), tuple(map(int, numbers)) if op.verb == "read" else ()

    def _brk(self, who: str, addr: int) -> str:
        """Ask for another end of the heap; return the name of the errno that the manual gives, as
        the kernel says only where the heap ends now."""
        _, numbers = self.processes.call(who, "brk", addr, heap.BRK[platform.machine()])
        end = int(numbers[0])
        return "" if addr in (0, end) else "EINVAL" if addr < end else "ENOMEM"

    def _signal(self, op: Op, window: AddressWindow, page: int) -> str:
        """Return what a touch that the kernel refused at `page` of `op` would have been for a
        program: SIGBUS where a mapping allows it, beyond the end of what is mapped."""
        vpn = (window.real(int(op.args["addr"])) >> PAGE_SHIFT) + page
        for start, end, prot in self.processes.living[op.who].areas():
            if start <= vpn < end:
                return (
                    "SIGBUS" if "w" in prot or (op.verb == "read" and prot != "---") else "SIGSEGV"
                )
        return "SIGSEGV"

    # -- looking --------------------------------------------------------------------------------

    def _look(self, window: AddressWindow) -> Observation:
        """Return what is seen now, with frame and slot numbers in the place of names."""
        observation: dict[Place, PageSeen] = {}
        known: dict[int, PageSeen] = {}
        for name, living in self.processes.living.items():
            words = living.pagemap.words(window.first_real, window.npages)
            found = {number: word for number, word in enumerate(words) if word}
            zeros = self._zeros(living, window) if found else set()
            seen = {n: self._seen(word, n in zeros, known) for n, word in found.items()}
            values = self._values(name, window, [n for n in seen if seen[n].state != SWAP])
            for number, each in seen.items():
                place = (name, window.first_vpn + number)
                observation[place] = each._replace(value=values.get(number))
        return observation

    def _areas(self, window: AddressWindow) -> Areas:
        """Return the VMAs in the window of each process that has some."""
        inodes = self.processes.inodes
        files = {inodes[number]: name for name, number in window.files.items()}
        found = {}
        for name, living in sorted(self.processes.living.items()):
            areas = areas_of(living.pid, window.first_real, window.npages, files)
            if areas:
                found[name] = tuple(
                    area._replace(
                        start_vpn=area.start_vpn + window.first_vpn,
                        end_vpn=area.end_vpn + window.first_vpn,
                    )
                    for area in areas
                )
        return found

    def _zeros(self, living: RealProcess, window: AddressWindow) -> set[int]:
        """Return which pages of the window are the zero page, where frames cannot tell."""
        if self.frames is not None:
            return set()
        first = window.first_real
        return {vpn - first for vpn in living.pagemap.zero_pages(first, window.npages)}

    def _seen(self, word: int, zero: bool, known: dict[int, PageSeen]) -> PageSeen:
        """Return what a word of pagemap says, with the help of what is `known` of its frame."""
        number = word & pagemap.PM_PFN
        if word & pagemap.PM_SWAPPED:
            return PageSeen(SWAP, number if self.frames else 0)
        if zero:
            return PageSeen(ZERO)
        if self.frames is None and word & pagemap.PM_FILE:
            return PageSeen(FILE)
        if self.frames is None:
            return PageSeen(ALONE if word & pagemap.PM_EXCLUSIVE else SHARED)
        if number not in known:
            flags = self.frames.flags(number)
            if flags & pagemap.KPF_ZERO_PAGE:
                known[number] = PageSeen(ZERO)
            elif not flags & pagemap.KPF_ANON:
                known[number] = PageSeen(FILE, number, self.frames.mapcount(number))
            else:
                exclusive = bool(flags & pagemap.KPF_ANON_EXCLUSIVE)
                known[number] = PageSeen(PAGE, number, self.frames.mapcount(number), exclusive)
        return known[number]

    def _values(self, name: str, window: AddressWindow, numbers: list[int]) -> dict[int, int]:
        """Let a process look into its pages; they are there, so nothing changes."""
        values: dict[int, int] = {}
        for first in range(0, len(numbers), PEEKED):
            some = numbers[first : first + PEEKED]
            addrs = [window.first_real + number << PAGE_SHIFT for number in some]
            answer = self.processes.look(name, addrs)
            pairs = zip(some, answer, strict=True)
            values |= {number: int(word) for number, word in pairs if word != NO_VALUE}
        return values


_BIRTHS_AND_DEATHS: dict[str, Callable[[Processes, Op], int | None]] = {
    "spawn": lambda processes, op: processes.spawn(op.who),
    **dict.fromkeys(
        _BIRTHS,
        lambda processes, op: processes.fork(op.verb, str(op.args["parent"]), op.who),
    ),
    "execve": lambda processes, op: processes.execve(op.who),
    "exit": lambda processes, op: processes.exit(op.who),
}


def _new_file(processes: Processes, op: Op, window: AddressWindow) -> str:
    processes.write_file(window.files[op.who], file_tags(op.who, int(op.args["pages"])))
    return ""


def _truncate(processes: Processes, op: Op, window: AddressWindow) -> str:
    processes.resize_file(window.files[str(op.args["file"])], int(op.args["npages"]))
    return ""


_FILES = {"file": _new_file, "truncate": _truncate}


def _name(error: int) -> str:
    """Return the name of an errno, '' for none."""
    return errno.errorcode.get(error, str(error)) if error else ""


def kernel_facts() -> dict[str, Any]:
    """Return what is to be known of the running kernel: release (its number alone), machine, page
    size and the settings that matter."""
    numbers = []
    for part in platform.release().replace("-", ".").split(".")[:3]:
        if not part.isdigit():
            break
        numbers.append(part)
    return {
        "release": ".".join(numbers),
        "machine": platform.machine(),
        "page_size": os.sysconf("SC_PAGESIZE"),
        "settings": {
            "transparent_hugepage": "off for the processes",
            "ksm": _setting("/sys/kernel/mm/ksm/run"),
            "page_cluster": _setting("/proc/sys/vm/page-cluster"),
            "swap": "on" if has_swap() else "off",
            "cpus": 1,
        },
    }


def _setting(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError:
        return "unknown"


def has_swap() -> bool:
    """Return whether the running kernel can swap."""
    return Path("/proc/swaps").read_text("utf-8").count("\n") > 1
