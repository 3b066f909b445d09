"""The oracle: runs a history on real processes and tells what every page is after each operation.

A page number of the history is a page of a window far from everything that a program has. The
window begins so that the lesson's mappings lie across a boundary of page tables at every level.
Only the window is looked at. Everything is still while it is: each process waits for its next
command.
"""

from __future__ import annotations

import errno
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from anonlab.errors import FormatError
from anonlab.formats.history import ANY, History, Op
from anonlab.formats.history_text import format_op
from anonlab.formats.recording import FULL, Recording, Shown
from anonlab.formats.sight import ALONE, PAGE, SHARED, SWAP, ZERO, Names, Place, Seen, Sight
from anonlab.formats.words import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE
from anonlab.linux import pagemap
from anonlab.linux.pagemap import Frames, access
from anonlab.linux.processes import Living, Processes, any_cpu
from anonlab.linux.worker import NO_VALUE, PEEKED

WINDOW_NPAGES = 4096
"""Pages between the lowest and the highest address of a history, at most."""
WINDOW_VPN = (1 << 33) - 0x40
"""Real page number of the window's first page: 0x40 pages below 2**45 bytes."""
PROT = {"r": 1, "w": 2, "x": 4}
MADV = {"dontneed": 4, "swap_out": 21}
VERBS = (
    *("spawn", "fork", "execve", "exit", "mmap", "munmap", "mprotect", "mremap", "madvise"),
    *("read", "write", "mlock", "munlock", "swap_out"),
)
"""What can be asked of real processes here."""
_TOUCHES = ("read", "write")


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

    def run(self, history: History) -> Iterator[Shown]:
        """Run `history`; yield what the kernel shows after each operation, when it is asked for.

        raises  FormatError before anything is run if the history holds what this cannot do
        """
        window = Window(history)
        self.processes.end_all()
        names = Names()
        for op in history.ops:
            error, values = self._do(op, window)
            yield Shown(error, values, names.name(self._look(window)))

    def record(self, history: History) -> Recording:
        """Return the recording of `history`."""
        return Recording(facts(), self.view, history, tuple(self.run(history)))

    # -- doing ----------------------------------------------------------------------------------

    def _do(self, op: Op, window: Window) -> tuple[str, tuple[int, ...]]:
        """Do one operation; return the name of the errno or signal, and what a read returned."""
        actor = str(op.args.get("parent", op.who))
        if op.verb != "spawn" and actor not in self.processes.living:
            return "ESRCH", ()
        if op.verb in _BIRTHS_AND_DEATHS:
            return _name(_BIRTHS_AND_DEATHS[op.verb](self.processes, op) or 0), ()
        verb = "madvise" if op.verb == "swap_out" else op.verb
        error, numbers = self.processes.call(op.who, verb, *window.numbers(op))
        if error == errno.EFAULT and op.verb in _TOUCHES:
            return "SIGSEGV", ()
        return _name(error), tuple(map(int, numbers)) if op.verb == "read" else ()

    # -- looking --------------------------------------------------------------------------------

    def _look(self, window: Window) -> Sight:
        """Return what is seen now, with frame and slot numbers in the place of names."""
        sight: dict[Place, Seen] = {}
        known: dict[int, Seen] = {}
        for name, living in self.processes.living.items():
            words = living.pagemap.words(window.first_real, window.npages)
            found = {number: word for number, word in enumerate(words) if word}
            zeros = self._zeros(living, window) if found else set()
            seen = {n: self._seen(word, n in zeros, known) for n, word in found.items()}
            values = self._values(name, window, [n for n in seen if seen[n].state != SWAP])
            for number, each in seen.items():
                place = (name, window.first_vpn + number)
                sight[place] = each._replace(value=values.get(number))
        return sight

    def _zeros(self, living: Living, window: Window) -> set[int]:
        """Return which pages of the window are the zero page, where frames cannot tell."""
        if self.frames is not None:
            return set()
        first = window.first_real
        return {vpn - first for vpn in living.pagemap.zero_pages(first, window.npages)}

    def _seen(self, word: int, zero: bool, known: dict[int, Seen]) -> Seen:
        """Return what a word of pagemap says, with the help of what is `known` of its frame."""
        number = word & pagemap.PM_PFN
        if word & pagemap.PM_SWAPPED:
            return Seen(SWAP, number if self.frames else 0)
        if zero:
            return Seen(ZERO)
        if self.frames is None:
            return Seen(ALONE if word & pagemap.PM_EXCLUSIVE else SHARED)
        if number not in known:
            flags = self.frames.flags(number)
            if flags & pagemap.KPF_ZERO_PAGE:
                known[number] = Seen(ZERO)
            else:
                exclusive = bool(flags & pagemap.KPF_ANON_EXCLUSIVE)
                known[number] = Seen(PAGE, number, self.frames.mapcount(number), exclusive)
        return known[number]

    def _values(self, name: str, window: Window, numbers: list[int]) -> dict[int, int]:
        """Let a process look into its pages; they are there, so nothing changes."""
        values: dict[int, int] = {}
        for first in range(0, len(numbers), PEEKED):
            some = numbers[first : first + PEEKED]
            addrs = (window.first_real + number << PAGE_SHIFT for number in some)
            _, answer = self.processes.call(name, "peek", *addrs)
            pairs = zip(some, answer, strict=True)
            values |= {number: int(word) for number, word in pairs if word != NO_VALUE}
        return values


_BIRTHS_AND_DEATHS: dict[str, Callable[[Processes, Op], int | None]] = {
    "spawn": lambda processes, op: processes.spawn(op.who),
    "fork": lambda processes, op: processes.fork(str(op.args["parent"]), op.who),
    "execve": lambda processes, op: processes.execve(op.who),
    "exit": lambda processes, op: processes.exit(op.who),
}


class Window:
    """Where the pages of one history lie: page `first_vpn` of the history is page `first_real` of
    the real processes.

    raises  FormatError with the line of an operation that real processes cannot do here
    """

    def __init__(self, history: History) -> None:
        vpns = range(0x100) if history.machine.geometry == "lesson" else _reach(history)
        self.first_vpn, self.npages = vpns.start, len(vpns)
        self.first_real = WINDOW_VPN
        for op in history.ops:
            if problem := self._problem(op):
                raise FormatError(f"{format_op(op)}: {problem}", op.line)

    def _problem(self, op: Op) -> str:
        """Return why an operation cannot be done, '' if it can."""
        if op.verb not in VERBS:
            return f"the oracle does {', '.join(VERBS)}"
        for name in ("file", "shared", "growsdown"):
            if name in op.args:
                return "the oracle knows private anonymous memory only"
        if ANY in (op.args.get("addr"), op.args.get("to")):
            return "the oracle needs an address: what the kernel would choose lies elsewhere"
        if op.verb == "mremap" and "dontunmap" in op.args and "to" not in op.args:
            return "the oracle needs an address: what the kernel would choose lies elsewhere"
        if "addr" not in op.args:
            return ""
        npages = max(int(op.args.get("pages", 1)), int(op.args.get("new_pages", 0)))
        for name in ("addr", "to"):
            addr = int(op.args.get(name, op.args["addr"]))
            vpn = addr >> PAGE_SHIFT
            if vpn < self.first_vpn or vpn + npages > self.first_vpn + self.npages:
                last = self.first_vpn + self.npages << PAGE_SHIFT
                return f"the oracle's window is 0x{self.first_vpn << PAGE_SHIFT:x} to 0x{last:x}"
        if op.verb in _TOUCHES and int(op.args["addr"]) & PAGE_MASK:
            return "the oracle touches pages at their beginning"
        return ""

    def real(self, addr: int) -> int:
        """Return the real address that stands for `addr`."""
        return addr + (self.first_real - self.first_vpn << PAGE_SHIFT)

    def numbers(self, op: Op) -> list[int]:
        """Return the numbers that tell a worker what to do."""
        args: dict[str, Any] = op.args
        addr, npages = self.real(args["addr"]), int(args.get("pages", 1))
        length = npages * PAGE_SIZE
        if op.verb == "write":
            return [addr, int(args["value"]), npages]
        if op.verb == "read":
            return [addr, npages]
        if op.verb == "mmap":
            return [addr, length, _prot(args.get("prot", "rw")), int("fixed" in args)]
        if op.verb == "mprotect":
            return [addr, length, _prot(args["prot"])]
        if op.verb == "mremap":
            new = self.real(args["to"]) if "to" in args else 0
            new_length = int(args.get("new_pages", npages)) * PAGE_SIZE
            return [addr, length, new_length, new, int("dontunmap" in args)]
        advice = {"madvise": args.get("advice", ""), "swap_out": "swap_out"}.get(op.verb)
        return [addr, length, MADV[advice]] if advice else [addr, length]


def _reach(history: History) -> range:
    """Return the page numbers from the lowest to the highest of a history."""
    vpns = [0]
    for op in history.ops:
        npages = max(int(op.args.get("pages", 1)), int(op.args.get("new_pages", 0)))
        for name in ("addr", "to"):
            if (addr := int(op.args.get(name, ANY))) != ANY:
                vpns += [addr >> PAGE_SHIFT, (addr >> PAGE_SHIFT) + npages]
    low, high = min(vpns[1:], default=0), max(vpns)
    if high - low > WINDOW_NPAGES:
        raise FormatError(
            f"the addresses lie {high - low} pages apart; the oracle's window has {WINDOW_NPAGES}"
        )
    return range(low, max(high, low + 1))


def _prot(letters: str) -> int:
    return 0 if letters == "none" else sum(PROT[letter] for letter in letters)


def _name(error: int) -> str:
    """Return the name of an errno, '' for none."""
    return errno.errorcode.get(error, str(error)) if error else ""


def facts() -> dict[str, Any]:
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
