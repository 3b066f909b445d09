"""What the cells of a program are after a call that was stopped half way and says so (see
anonlab/kernel/syscalls.py): page by page, up to the page that stopped it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from anonlab.formats.history import Op
from anonlab.histories.run import Outcome
from anonlab.machine.words import PAGE_SHIFT
from anonlab.proof.cells import Cell, Cells, letters, pages_of


class HalfDone(Cells):
    """One method per verb that can be stopped."""

    def _read_stopped(self, op: Op, outcome: Outcome) -> None:
        """A stack has grown down to the first page, and may not be touched all the same."""
        cells, first = self.spaces[op.who].cells, pages_of(op).start
        top = min(vpn for vpn in cells if vpn > first)
        assert cells[top].grows, f"{op.who}: what has grown at {first << PAGE_SHIFT:#x} is no stack"
        cells.update(dict.fromkeys(range(first, top), cells[top]._replace(value=None)))

    _write_stopped = _read_stopped

    def _mremap_stopped(self, op: Op, outcome: Outcome) -> None:
        """The destination is unmapped, and with it the source."""
        first = int(op.args["to"]) >> PAGE_SHIFT
        for vpn in range(first, first + int(op.args["new_pages"])):
            self.spaces[op.who].cells.pop(vpn, None)

    def _madvise_stopped(self, op: Op, outcome: Outcome) -> None:
        """Holes do not stop it, locked memory does."""
        part = self._up_to(op, lambda cell: cell is not None and cell.locked)
        cells = self.spaces[op.who].cells
        self.change(op, [vpn for vpn in part if vpn in cells], value=None)

    def _mprotect_stopped(self, op: Op, outcome: Outcome) -> None:
        """A hole stops it, and a shared mapping of a file that cannot be written."""
        writable = {name: file.writable for name, file in self.kernel.files.items()}
        write = "w" in str(op.args["prot"])

        def stops(cell: Cell | None) -> bool:
            return cell is None or (write and cell.shared and not writable[cell.file])

        self.protect(op, self._up_to(op, stops))

    def protect(self, op: Op, vpns: Iterable[int]) -> None:
        """Let pages have another protection. Locked private memory that becomes writable is filled,
        as far as there are frames: the machine knows."""
        cells, prot = self.spaces[op.who].cells, letters(str(op.args["prot"]))
        before = {vpn: cells[vpn] for vpn in vpns}
        self.change(op, before, prot=prot)
        if "w" not in prot:
            return
        task = self.kernel.processes[op.who]
        filled = [vpn for vpn in before if before[vpn].locked and "w" not in before[vpn].prot]
        pages = [(vpn, task.page(vpn << PAGE_SHIFT)) for vpn in filled]
        self.own(cells, [vpn for vpn, page in pages if page and "anon" in page.flags])

    def _munlock_stopped(self, op: Op, outcome: Outcome) -> None:
        self.change(op, self._up_to(op, lambda cell: cell is None), locked=False)

    def _mlock_stopped(self, op: Op, outcome: Outcome) -> None:
        """A hole stops it. A page that cannot be touched stops only what comes into memory."""
        cells = self.spaces[op.who].cells
        locked = self._up_to(op, lambda cell: cell is None)
        self.change(op, locked, locked=True)
        if len(locked) == len(pages_of(op)):
            there = self._up_to(op, lambda cell: cell is None or self._untouchable(cell))
            self.own(cells, [vpn for vpn in there if "w" in cells[vpn].prot])

    def _untouchable(self, cell: Cell) -> bool:
        beyond = cell.file != "" and cell.pgoff >= len(self.files[cell.file])
        return cell.prot == "---" or beyond

    def _up_to(self, op: Op, stops: Callable[[Cell | None], bool]) -> range:
        """Return the pages of an operation before the first that stops it."""
        cells, pages = self.spaces[op.who].cells, pages_of(op)
        stop = next((vpn for vpn in pages if stops(cells.get(vpn))), pages.stop)
        return range(pages.start, stop)
