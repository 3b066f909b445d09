"""Where the pages of a history lie in real processes, and what can be asked of these.

The window is far from everything that a program has. It begins so that the lesson's mappings lie
across a boundary of page tables at every level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from anonlab.errors import FormatError
from anonlab.formats.history import ANY, HEAP_VPN, History, Op
from anonlab.formats.history_text import format_op
from anonlab.linux import heap, pinning
from anonlab.linux import shared_mm_process as shared_mm_process
from anonlab.linux.processes import FILES
from anonlab.linux.worker import NOTHING
from anonlab.machine.words import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE

NPAGES = 4096
"""Pages between the lowest and the highest address of a history, at most."""
WINDOW_VPN = (1 << 33) - 0x40
"""Real page number of the window's first page: 0x40 pages below 2**45 bytes."""
AROUND_NPAGES = 16
"""What a read fault may map at once is an aligned range of so many pages, here as there."""
TOUCHES = ("read", "write", "pin")
BORROWING = ("vfork", "clone_vm")
VERBS = (
    *("spawn", "fork", "vfork", "clone_vm", "execve", "exit", "file", "truncate"),
    *("mmap", "munmap", "mprotect", "mremap", "madvise", "read", "write", "mlock", "munlock"),
    *("pin", "unpin", "swap_out", "brk"),
)
"""What can be asked of real processes here."""

PROT = {"r": 1, "w": 2, "x": 4}
MADV = {"dontneed": 4, "swap_out": 21}
MAP_SHARED, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS, MAP_FIXED_NOREPLACE = 1, 2, 0x10, 0x20, 0x100000
MAP_GROWSDOWN = 0x100
MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP = 1, 2, 4


class AddressWindow:
    """Where the pages of one history lie: page `first_vpn` of the history is page `first_real` of
    the real processes. `files` numbers its files.

    raises  FormatError with the line of an operation that real processes cannot do here
    """

    def __init__(self, history: History) -> None:
        geometry = history.machine.geometry
        vpns = range(0x100) if geometry == "lesson" else _reach(history)
        self.first_vpn, self.npages = vpns.start, len(vpns)
        self.first_real = WINDOW_VPN + self.first_vpn % AROUND_NPAGES
        has_heap = any(op.verb == "brk" for op in history.ops)
        self.heap = self.real(HEAP_VPN[geometry] << PAGE_SHIFT) if has_heap else 0
        self.files: dict[str, int] = {}
        self._waiting: dict[str, str] = {}  # child by vfork -> the parent that waits for it
        self._verbs: set[str] = set()
        for op in history.ops:
            if problem := self._problem(op) or self._out_of_turn(op):
                raise FormatError(f"{format_op(op)}: {problem}", op.line)
            if op.verb == "file":
                self.files[op.who] = len(self.files)

    def _problem(self, op: Op) -> str:
        """Return why an operation cannot be done, '' if it can."""
        if op.verb not in VERBS:
            return f"the oracle does {', '.join(VERBS)}"
        if op.verb == "file" and len(self.files) == FILES:
            return f"the oracle has {FILES} files"
        if ANY in (op.args.get("addr"), op.args.get("to")):
            return "the oracle needs an address: what the kernel would choose lies elsewhere"
        if op.verb == "mremap" and "dontunmap" in op.args and "to" not in op.args:
            return "the oracle needs an address: what the kernel would choose lies elsewhere"
        if op.verb == "brk":
            return heap.problem()
        if "to_read" in op.args:
            return "the oracle pins with io_uring, which wants to write: leave out read"
        return self._misplaced(op) if "addr" in op.args else ""

    def _misplaced(self, op: Op) -> str:
        """Return what is wrong with the addresses of an operation, '' if nothing is."""
        npages = max(int(op.args.get("pages", 1)), int(op.args.get("new_pages", 0)))
        for name in ("addr", "to"):
            addr = int(op.args.get(name, op.args["addr"]))
            vpn = addr >> PAGE_SHIFT
            if vpn < self.first_vpn or vpn + npages > self.first_vpn + self.npages:
                last = self.first_vpn + self.npages << PAGE_SHIFT
                return f"the oracle's window is 0x{self.first_vpn << PAGE_SHIFT:x} to 0x{last:x}"
        if op.verb in TOUCHES and int(op.args["addr"]) & PAGE_MASK:
            return "the oracle touches pages at their beginning"
        return ""

    def _out_of_turn(self, op: Op) -> str:
        """Return why an operation cannot be done at this point of the history, '' if it can."""
        actor = str(op.args.get("parent", op.who))
        if actor in self._waiting.values():
            return f"{actor} waits until its child by vfork calls execve or exit"
        self._verbs.add(op.verb)
        if op.verb == "vfork":
            self._waiting[op.who] = actor
        elif op.verb in ("execve", "exit"):
            self._waiting.pop(op.who, None)
        borrowed = self._verbs & set(BORROWING)
        if borrowed and "pin" in self._verbs:
            return "the oracle pins pages only in histories without vfork and clone_vm"
        if borrowed:
            return shared_mm_process.problem()
        return pinning.problem() if "pin" in self._verbs else ""

    def real(self, addr: int) -> int:
        """Return the real address that stands for `addr`."""
        return addr + (self.first_real - self.first_vpn << PAGE_SHIFT)

    def numbers(self, op: Op, files: Sequence[int] = ()) -> list[int]:
        """Return the numbers that tell a process what to do.

        files  the descriptors of its files
        """
        args: dict[str, Any] = op.args
        if op.verb == "brk":
            return [self.real(args["addr"]) if args["addr"] else 0]
        addr, npages = self.real(args["addr"]), int(args.get("pages", 1))
        length = npages * PAGE_SIZE
        if op.verb in _NUMBERS:
            return _NUMBERS[op.verb](self, args, addr, npages)
        if op.verb == "mmap":
            file = files[self.files[args["file"]]] if "file" in args else NOTHING
            offset = int(args.get("offset", 0)) * PAGE_SIZE
            return [addr, length, prot_bits(args.get("prot", "rw")), map_flags(args), file, offset]
        if op.verb == "mremap":
            new = self.real(args["to"]) if "to" in args else 0
            flags = MREMAP_MAYMOVE | MREMAP_FIXED if new else 0
            flags |= MREMAP_DONTUNMAP if "dontunmap" in args else 0
            return [addr, length, int(args.get("new_pages", npages)) * PAGE_SIZE, flags, new]
        advice = {"madvise": args.get("advice", ""), "swap_out": "swap_out"}.get(op.verb)
        return [addr, length, MADV[advice]] if advice else [addr, length]


_NUMBERS: dict[str, Callable[[AddressWindow, dict[str, Any], int, int], list[int]]] = {
    "write": lambda window, args, addr, npages: [addr, int(args["value"]), npages],
    "mprotect": lambda window, args, addr, npages: [
        *(addr, npages * PAGE_SIZE, prot_bits(args["prot"]))
    ],
    **dict.fromkeys(("read", "pin", "unpin"), lambda window, args, addr, npages: [addr, npages]),
}


def map_flags(args: dict[str, Any]) -> int:
    """Return the flags of an mmap."""
    flags = MAP_SHARED if "shared" in args else MAP_PRIVATE
    flags |= 0 if "file" in args else MAP_ANONYMOUS
    flags |= MAP_GROWSDOWN if "growsdown" in args else 0
    return flags | (MAP_FIXED if "fixed" in args else MAP_FIXED_NOREPLACE)


def prot_bits(letters: str) -> int:
    """Return the bits of a protection such as 'rw'."""
    return 0 if letters == "none" else sum(PROT[letter] for letter in letters)


def _reach(history: History) -> range:
    """Return the page numbers from the lowest to the highest of a history, and of the heap."""
    has_heap = any(op.verb == "brk" for op in history.ops)
    vpns = [HEAP_VPN[history.machine.geometry]] if has_heap else []
    for op in history.ops:
        if op.verb == "brk" and not op.args["addr"]:
            continue  # it only asks
        npages = max(int(op.args.get("pages", 1)), int(op.args.get("new_pages", 0)))
        for name in ("addr", "to"):
            if (addr := int(op.args.get(name, ANY))) != ANY:
                vpns += [addr >> PAGE_SHIFT, (addr >> PAGE_SHIFT) + npages]
    low, high = min(vpns, default=0), max(vpns, default=0)
    if high - low > NPAGES:
        raise FormatError(
            f"the addresses lie {high - low} pages apart; the oracle's window has {NPAGES}"
        )
    return range(low, max(high, low + 1))


def possible_kinds() -> list[str]:
    """Return which kinds of histories can be asked of real processes here beside the plain ones:
    files, sharing (of an address space), pins, odd (what is seldom asked), stacks, heap."""
    problems = {
        **dict.fromkeys(("files", "odd", "stacks"), ""),
        "sharing": shared_mm_process.problem(),
        "pins": pinning.problem(),
        "heap": heap.problem(),
    }
    return [kind for kind, problem in problems.items() if not problem]
