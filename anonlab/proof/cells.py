"""Pages as a program sees them, one cell each: no frames, page tables, VMAs or sharing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from anonlab.formats.history import ANY, Op
from anonlab.kernel import Kernel
from anonlab.machine.words import PAGE_MASK, PAGE_SHIFT

Rules = tuple[str, bool, bool, bool, str, int]
"""What a page's VMA must say of it: protection, locked, grows, shared, file, pgoff."""


CONTENTS_ONLY = ("read", "write", "pin", "unpin", "swap_out", "reclaim")
"""Verbs that change what no VMA says, unless a stack grows."""


class Cell(NamedTuple):
    """One page as a program sees it: `value` is its own content, or None while it still shows its
    file's page (zeros if there is no file, and no `pgoff` either). A shared cell never has a value
    of its own."""

    prot: str = "rw-"
    locked: bool = False
    grows: bool = False
    shared: bool = False
    file: str = ""
    pgoff: int = 0
    value: int | None = None

    def rules(self) -> Rules:
        """Return what the page's VMA must say of it."""
        return self[:6]


@dataclass
class Space:
    """An address space: cells by vpn, and the end of the heap in pages."""

    brk: int
    cells: dict[int, Cell] = field(default_factory=dict)


class Cells:
    """The cells of all processes of one kernel, by process, and the contents of files, by name."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.spaces: dict[str, Space] = {}
        self.files: dict[str, list[int]] = {}

    def value(self, cell: Cell) -> int | None:
        """Return what a program reads there; None beyond the end of the file."""
        if cell.value is not None:
            return cell.value
        if not cell.file:
            return 0
        values = self.files[cell.file]
        return values[cell.pgoff] if cell.pgoff < len(values) else None

    def change(self, op: Op, vpns: Iterable[int], **values: Any) -> None:
        """Set attributes of the actor's cells at `vpns`, all of which are there."""
        cells = self.spaces[op.who].cells
        for vpn in vpns:
            cells[vpn] = cells[vpn]._replace(**values)

    def own(self, cells: dict[int, Cell], vpns: Iterable[int]) -> None:
        """Private pages of a file are copies from now on, and no longer follow the file."""
        for vpn in vpns:
            if cells[vpn].file and not cells[vpn].shared:
                cells[vpn] = cells[vpn]._replace(value=self.value(cells[vpn]))


def pages_of(op: Op) -> range:
    """Return the page numbers of an operation's range."""
    addr = int(op.args["addr"])
    first = addr >> PAGE_SHIFT
    assert addr != ANY, f"{op.verb} needs an address"
    npages = int(op.args.get("pages", 1))
    if op.verb in ("mlock", "munlock"):  # they round, outwards
        return range(first, first + npages + bool(addr & PAGE_MASK))
    assert not addr & PAGE_MASK, f"{op.verb} at {addr:#x} cannot have succeeded"
    return range(first, first + npages)


def letters(prot: str) -> str:
    """Write the protection of a history as /proc/PID/maps does: 'rw-'."""
    return "".join(letter if letter in prot.replace("none", "") else "-" for letter in "rwx")
