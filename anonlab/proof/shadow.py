"""Shadow memory: what every program must find in its memory and may do with it, kept without
frames, page tables, VMAs or sharing, and compared in full with what the machine really holds.

A shadow knows pages as cells of a dictionary. fork copies the dictionary. That is slow and cannot
be wrong about copy on write, because it has none, nor about splits and merges.
"""

from __future__ import annotations

import zlib
from collections.abc import Set as AbstractSet

import numpy as np

from anonlab.formats.history import Op
from anonlab.histories.run import Outcome
from anonlab.kernel import Kernel
from anonlab.kernel.syscalls import HALF_DONE
from anonlab.machine.words import PAGE_SHIFT, ZERO_PFN, swp_offset
from anonlab.mm import Mm, prot_letters
from anonlab.proof.cells import CONTENTS_ONLY, Cell, Rules, Space, letters, pages_of
from anonlab.proof.half_done import HalfDone
from anonlab.proof.page_table_scan import Scan


class Shadow(HalfDone):
    """The memory of all processes of one kernel, followed operation by operation."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        self._shmem = 0
        self._rules: dict[int, tuple[int, dict[int, Rules]]] = {}
        self._new_rules: set[str] = set()

    def follow(self, op: Op, outcome: Outcome) -> None:
        """Do to the shadow what `op` did; a failed operation did nothing, unless it says so.

        raises  AssertionError if a read returned something else
        """
        if outcome.error and not outcome.error.endswith(HALF_DONE):
            return
        if op.verb not in CONTENTS_ONLY or outcome.error:
            self._new_rules.add(op.who)
        act = getattr(self, f"_{op.verb}{'_stopped' if outcome.error else ''}", None)
        if act is not None:
            act(op, outcome)

    def compare(
        self, kernel: Kernel, truth: Scan, mms: AbstractSet[int] | None = None
    ) -> list[str]:
        """Return every difference between the shadow and the machine as a sentence.

        mms  numbers of the address spaces to look at, None for all; files are always looked at
        """
        if mms is None:
            self._rules.clear()
            self._new_rules.update(self.spaces)
        spaces = {
            name: space
            for name, space in self.spaces.items()
            if mms is None or (mm := kernel.processes[name].mm) is None or mm.number in mms
        }
        wrong = self._memory_differences(kernel, truth, spaces) if spaces else []
        return wrong + self._rule_differences(kernel, spaces) + self._file_differences(kernel)

    def _memory_differences(
        self, kernel: Kernel, truth: Scan, spaces: dict[str, Space]
    ) -> list[str]:
        wrong = []
        held: dict[int, dict[int, int]] = {mm: {} for mm in kernel.mms}
        data = _contents(kernel, truth)
        for mm, vpn, value in zip(truth.mms.tolist(), truth.vpns.tolist(), data, strict=True):
            held[mm][vpn] = value
        for name, space in spaces.items():
            mm_now = kernel.processes[name].mm
            pages = held[mm_now.number] if mm_now else {}
            for vpn, cell in space.cells.items():
                if cell.value is None and vpn not in pages:
                    continue  # it shows zeros or its file: only own contents can be lost
                expected = self.value(cell) if cell.value is None else cell.value
                found = pages.get(vpn, 0)
                if expected is not None and found != expected:
                    wrong.append(
                        f"{name} at {kernel.geometry.address(vpn)}: {expected} was written, "
                        f"memory holds {found}"
                    )
        return wrong

    def _rule_differences(self, kernel: Kernel, spaces: dict[str, Space]) -> list[str]:
        wrong = []
        for name, space in spaces.items():
            mm = kernel.processes[name].mm
            known = mm is None or self._rules.get(mm.number, (-1,))[0] == mm.version
            if known and name not in self._new_rules:
                continue
            found = self._rules_of(mm) if mm else {}
            expected = {vpn: cell.rules() for vpn, cell in space.cells.items()}
            for vpn in sorted(found.keys() | expected.keys()) if found != expected else ():
                if found.get(vpn) != expected.get(vpn):
                    wrong.append(
                        f"{name} at {kernel.geometry.address(vpn)}: right is "
                        f"{expected.get(vpn, 'no VMA')}, there is {found.get(vpn, 'none')}"
                    )
        self._new_rules.clear()
        return wrong

    def _rules_of(self, mm: Mm) -> dict[int, Rules]:
        """Return what the VMAs of `mm` say of their pages, kept until one of them changes."""
        version, rules = self._rules.get(mm.number, (-1, {}))
        if version != mm.version:
            rules = _rules(mm)
            self._rules[mm.number] = mm.version, rules
        return rules

    def _file_differences(self, kernel: Kernel) -> list[str]:
        wrong = []
        for name, values in list(self.files.items()):
            if name not in kernel.files:
                cells = (cell for space in self.spaces.values() for cell in space.cells.values())
                if any(cell.file == name for cell in cells):
                    wrong.append(f"file {name} is gone, but still mapped")
                else:
                    del self.files[name]  # shared memory without users, and nobody can find it
                continue
            file = kernel.files[name]
            slots = kernel.swap.data[file.slots]
            stored = np.where(file.slots != 0, slots, file.store)
            found = np.where(file.cache != 0, kernel.mem_map.data[file.cache], stored).tolist()
            if found != values:
                wrong.append(f"file {name}: {values} was written, {found} is there")
        return wrong

    # One method per verb; verbs that no program notices have none.

    def _spawn(self, op: Op, outcome: Outcome) -> None:
        mm = self.kernel.processes[op.who].mm
        assert mm is not None, f"{op.who} has just started and has no memory"
        self.spaces[op.who] = Space(mm.start_brk)

    def _file(self, op: Op, outcome: Outcome) -> None:
        self.files[op.who] = self.kernel.files[op.who].store.tolist()

    def _truncate(self, op: Op, outcome: Outcome) -> None:
        name, npages = str(op.args["file"]), int(op.args["npages"])
        values = self.files[name][:npages]
        self.files[name] = values + [0] * (npages - len(values))
        for space in self.spaces.values():
            for vpn, cell in space.cells.items():
                if cell.file == name and cell.pgoff >= npages:
                    space.cells[vpn] = cell._replace(value=None)

    def _fork(self, op: Op, outcome: Outcome) -> None:
        parent = self.spaces[str(op.args["parent"])]
        cells = {
            vpn: cell._replace(locked=False) if cell.locked else cell
            for vpn, cell in parent.cells.items()
        }
        self.spaces[op.who] = Space(parent.brk, cells)

    def _vfork(self, op: Op, outcome: Outcome) -> None:
        self.spaces[op.who] = self.spaces[str(op.args["parent"])]

    _clone_vm = _vfork

    def _execve(self, op: Op, outcome: Outcome) -> None:
        program, npages = str(op.args["program"]), int(op.args.get("args", 2))
        mm = self.kernel.processes[op.who].mm
        assert mm is not None, f"{op.who} called execve and has no memory"
        first = self.kernel.geometry.task_npages - npages
        tag = zlib.crc32(program.encode())
        cells = {first + page: Cell(value=tag + page, grows=True) for page in range(npages)}
        self.spaces[op.who] = Space(mm.start_brk, cells)

    def _exit(self, op: Op, outcome: Outcome) -> None:
        del self.spaces[op.who]

    def _mmap(self, op: Op, outcome: Outcome) -> None:
        args, npages = op.args, int(op.args["pages"])
        name, pgoff = str(args.get("file", "")), int(args.get("offset", 0))
        shared = bool(args.get("shared", False))
        if shared and not name:
            self._shmem += 1
            name, pgoff = f"shmem{self._shmem}", 0
            self.files[name] = [0] * npages
        prot, grows = letters(str(args.get("prot", "rw"))), bool(args.get("growsdown", False))
        cell = Cell(prot, grows=grows, shared=shared, file=name)
        for page in range(npages):
            vpn = (outcome.value >> PAGE_SHIFT) + page
            self.spaces[op.who].cells[vpn] = cell._replace(pgoff=pgoff + page if name else 0)

    def _munmap(self, op: Op, outcome: Outcome) -> None:
        for vpn in pages_of(op):
            self.spaces[op.who].cells.pop(vpn, None)

    def _mremap(self, op: Op, outcome: Outcome) -> None:
        cells, pages = self.spaces[op.who].cells, pages_of(op)
        npages = int(op.args.get("new_pages", len(pages)))
        head = cells[pages.start]
        moved = [cells.get(vpn) for vpn in pages[:npages]]  # holes move along
        while len(moved) < npages:
            pgoff = head.pgoff + len(moved) if head.file else 0
            moved.append(head._replace(pgoff=pgoff, value=None))
        for vpn in pages:
            cell = cells.pop(vpn, None)  # what is only cut off may have holes
            if cell is not None and "dontunmap" in op.args:
                cells[vpn] = cell._replace(value=None, locked=False)
        first = outcome.value >> PAGE_SHIFT
        cells.update((first + page, cell) for page, cell in enumerate(moved) if cell is not None)
        if "dontunmap" in op.args:
            self._unlock_around(op.who, pages)
        if head.locked and "w" in head.prot:
            # Memory may have run out before these came in: the machine knows.
            task, gained = self.kernel.processes[op.who], range(first + len(pages), first + npages)
            self.own(cells, [vpn for vpn in gained if task.page(vpn << PAGE_SHIFT) is not None])

    def _unlock_around(self, who: str, pages: range) -> None:
        """MREMAP_DONTUNMAP unlocks the whole of each VMA that it takes from: how far these reach
        beyond the range, the machine knows."""
        cells, mm = self.spaces[who].cells, self.kernel.processes[who].mm
        for vpn in (pages.start, pages.stop - 1):
            vma = mm.find_vma(vpn) if mm is not None else None
            for near in range(vma.start_vpn, vma.end_vpn) if vma is not None else ():
                cells[near] = cells[near]._replace(locked=False)

    def _madvise(self, op: Op, outcome: Outcome) -> None:
        self.change(op, pages_of(op), value=None)

    def _mprotect(self, op: Op, outcome: Outcome) -> None:
        self.protect(op, pages_of(op))

    def _munlock(self, op: Op, outcome: Outcome) -> None:
        self.change(op, pages_of(op), locked=False)

    def _brk(self, op: Op, outcome: Outcome) -> None:
        space = self.spaces[op.who]
        new = outcome.value >> PAGE_SHIFT
        for vpn in range(new, space.brk):
            space.cells.pop(vpn, None)
        space.cells.update(dict.fromkeys(range(space.brk, new), Cell()))
        space.brk = new

    def _write(self, op: Op, outcome: Outcome) -> None:
        cells, value = self._touched(op), int(op.args["value"])
        for page, vpn in enumerate(pages_of(op)):
            cell = cells[vpn]
            if cell.shared:
                self.files[cell.file][cell.pgoff] = value + page
            else:
                cells[vpn] = cell._replace(value=value + page)

    def _read(self, op: Op, outcome: Outcome) -> None:
        cells = self._touched(op)
        expected = [self.value(cells[vpn]) for vpn in pages_of(op)]
        assert outcome.value == expected, f"{op.who} read {outcome.value}, right is {expected}"

    def _touched(self, op: Op) -> dict[int, Cell]:
        """Return the cells of the actor; a stack has grown down to the first page touched."""
        cells, first = self.spaces[op.who].cells, pages_of(op).start
        if first not in cells:
            top = min(vpn for vpn in cells if vpn > first)
            self._new_rules.add(op.who)
            assert cells[top].grows, f"{op.who} touched {first << PAGE_SHIFT:#x}, where nothing is"
            cells.update(dict.fromkeys(range(first, top), cells[top]._replace(value=None)))
        return cells

    def _pin(self, op: Op, outcome: Outcome) -> None:
        """A device takes the range for writing if its first page may be written."""
        cells, pages = self._touched(op), pages_of(op)
        self.own(cells, pages if "w" in cells[pages.start].prot else range(0))

    def _mlock(self, op: Op, outcome: Outcome) -> None:
        """Locked pages come into memory, writable ones as if they were written."""
        vpns = pages_of(op)
        self.change(op, vpns, locked=True)
        cells = self.spaces[op.who].cells
        self.own(cells, [vpn for vpn in vpns if "w" in cells[vpn].prot])


def _rules(mm: Mm) -> dict[int, Rules]:
    """Return what the VMAs of `mm` say of each of their pages."""
    rules = {}
    for vma in mm.vmas:
        same = (prot_letters(vma.prot), vma.locked, vma.growsdown, vma.shared)
        vpns = range(vma.start_vpn, vma.end_vpn)
        if vma.file is None:
            rules.update(dict.fromkeys(vpns, (*same, "", 0)))
            continue
        for page, vpn in enumerate(vpns):
            rules[vpn] = (*same, vma.file.name, vma.pgoff + page)
    return rules


def _contents(kernel: Kernel, truth: Scan) -> list[int]:
    """Return the content tag behind every word of the scan, in memory, swap cache or swap."""
    mem, swap = kernel.mem_map, kernel.swap
    present = truth.present
    pfns = np.where(present, truth.pfns, ZERO_PFN)
    slots = np.where(present, 0, swp_offset(truth.words))
    cached = swap.cache[slots]
    swapped = np.where(cached != 0, mem.data[cached], swap.data[slots])
    data: list[int] = np.where(present, mem.data[pfns], swapped).tolist()
    return data
