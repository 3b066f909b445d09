"""The mappings of a strace log: one handler per call, and the touch rule for what is new.

A handler returns "" when its line became an operation, else the reason why it did not.
"""

from __future__ import annotations

from collections import deque

from anonlab.formats.history import RESERVED
from anonlab.histories.places import HEAP_VPN
from anonlab.histories.strace import calls
from anonlab.histories.strace.areas import LogArea, LogAreas
from anonlab.histories.strace.tasks import (
    NOT_UNDERSTOOD,
    STACK,
    TOUCHED,
    LogBirth,
    LogTask,
    LogTasks,
)
from anonlab.machine.words import PAGE_MASK, PAGE_SHIFT

HEAP = HEAP_VPN["x86_64"]
NOT_IN_LOG = "mapping not in the log"
STACK_NPAGES = 2048
"""So far the stack of a program may grow."""
SHARED_MEMORY = ("/dev/shm/", "/memfd:")
"""How paths of POSIX shared memory begin."""


def heap_page(space: LogAreas, vpn: int) -> int | None:
    """Return where page `vpn` of the log's heap lies here; None if it is no page of the heap."""
    heap = space.heap
    return vpn + HEAP - heap[0] if heap and heap[0] <= vpn < heap[1] else None


class LogImporter(LogTasks):
    """Operations so far, and what is known of processes, address spaces and files.

    segments  bytes of SysV shared memory, by its number in the log
    changed   mappings that calls on all memory changed
    effects   calls that have an effect of their own, by name: (calls, pages)
    """

    def __init__(self, births: dict[int, deque[LogBirth]], recorded: bool = False) -> None:
        super().__init__(births, recorded)
        self.files: dict[str, int] = {}
        self.paths: dict[str, str] = {}
        self.open: dict[tuple[int, int], str] = {}
        self.cached: set[tuple[str, int]] = set()
        self.offsets_in_pages = False
        self.segments: dict[str, int] = {}
        self.effects: dict[str, tuple[int, int]] = {}
        self.changed = 0

    def replace(self, space: LogAreas, start: int, end: int, new: list[LogArea]) -> list[LogArea]:
        """Put `new` areas in the place of whatever lies in [start, end), and return that."""
        before = space.resident
        old = space.replace(start, end, new)
        self.count(space.resident - before)
        return old

    def vpns(self, space: LogAreas, addr: int, length: int) -> range | None:
        """Return the pages of a range of the log, as placed here; None if it is too long."""
        start = calls.fold(addr, self.line) >> PAGE_SHIFT
        in_heap = heap_page(space, start)
        if in_heap is not None:
            start = in_heap
        elif STACK.stop - STACK_NPAGES <= start + space.stack_shift < STACK.stop:
            start += space.stack_shift
        npages = calls.pages((addr & PAGE_MASK) + length)
        return range(start, start + npages) if 0 < length <= calls.LENGTH_MAX else None

    def new_area(self, task: LogTask, area: LogArea, flags: str = "") -> None:
        """Take a new area into the books, and fill it as `flags` say, or touch it by the rule."""
        touched = 0
        if "w" in area.prot and not (area.file and area.shared):
            touched = min(area.end - area.start, 1 if area.file else TOUCHED)
            area = area.written(touched)
        self.replace(task.space, area.start, area.end, [area])
        if area.prot != "none" and (task.space.locks or "MAP_LOCKED" in flags):
            self.lock(task, range(area.start, area.end))
        elif area.prot != "none" and "MAP_POPULATE" in flags:
            self.populate(task, range(area.start, area.end))
        elif touched:
            first = area.start if area.upward else area.end - touched
            self.touch(task, range(first, first + touched))
        elif area.file and "r" in area.prot:
            self.touch(task, range(area.start, area.start + 1), "read")

    def mmap2(self, task: LogTask, args: str, result: str) -> str:
        """The mmap of machines with 32 bits."""
        return self.mapped(task, calls.mmap_args(args, self.offsets_in_pages), result)

    def mmap(self, task: LogTask, args: str, result: str) -> str:
        """A new mapping of memory or of a file."""
        return self.mapped(task, calls.mmap_args(args), result)

    def mapped(self, task: LogTask, call: calls.Mmap | None, result: str) -> str:
        """Take a new mapping in."""
        addr = calls.address(result, self.line)
        if call is None or addr is None or addr & PAGE_MASK or call.offset & PAGE_MASK:
            return NOT_UNDERSTOOD
        if "MAP_HUGETLB" in call.flags:
            return "huge pages (MAP_HUGETLB)"
        if not 0 < call.length <= calls.LENGTH_MAX or call.offset > calls.LENGTH_MAX:
            return NOT_UNDERSTOOD
        start, npages = addr >> PAGE_SHIFT, calls.pages(call.length)
        in_heap = heap_page(task.space, start)
        if in_heap is not None:  # as musl does
            start, addr = in_heap, in_heap << PAGE_SHIFT
        op = self.mmap_op(task, call, start, npages)
        self.ops.add_range("mmap", task.name, self.line, addr, npages, tuple(op.items()))
        file = str(op.get("file", ""))
        if file:
            self.cached.add((file, call.offset))
        upward = "MAP_STACK" not in call.flags and "MAP_GROWSDOWN" not in call.flags
        shared = "MAP_SHARED" in call.flags
        area = LogArea(start, start + npages, call.prot, file, shared, upward=upward)
        self.new_area(task, area, call.flags)
        for name in ("MAP_LOCKED", "MAP_POPULATE"):
            if name in call.flags:
                self.effect(name, npages)
        if call.path.startswith(SHARED_MEMORY):
            self.effect("POSIX shared memory", npages)
        return ""

    def mmap_op(
        self, task: LogTask, call: calls.Mmap, start: int, npages: int
    ) -> dict[str, int | str | bool]:
        """Return the arguments of the operation that stands for an mmap, but for its range."""
        op: dict[str, int | str | bool] = {}
        if call.prot != "rw":
            op["prot"] = call.prot
        fixed = "MAP_FIXED" in call.flags and "MAP_FIXED_NOREPLACE" not in call.flags
        if "MAP_ANON" not in call.flags and call.fd >= 0:
            op["file"] = self.file(task, call, fixed)
            if call.offset:
                op["offset"] = call.offset >> PAGE_SHIFT
        if "MAP_SHARED" in call.flags:
            op["shared"] = True
        # The log is right: where the real kernel found room, nothing that we believe in may stand.
        if fixed or task.space.overlapping(start, start + npages):
            op["fixed"] = True
        if "MAP_GROWSDOWN" in call.flags:
            op["growsdown"] = True
        return op

    def file(self, task: LogTask, call: calls.Mmap, fixed: bool) -> str:
        """Return the name of the file that `call` maps, and see that it is long enough."""
        key = (task.group, call.fd)
        if call.path:
            path = call.path
        elif key in self.open and (fixed or call.offset):
            path = self.open[key]
        else:
            path = f"file-{call.length}" if not call.offset else f"file-fd{call.fd}-p{task.group}"
        self.open[key] = path
        if path not in self.paths:
            name = base = calls.base_name(path, "file")
            while name in self.files or name in RESERVED or calls.LIKE_PROCESS.match(name):
                name = f"{base}-{len(self.files) + 1}"
            self.paths[path] = name
        name = self.paths[path]
        end = (call.offset >> PAGE_SHIFT) + calls.pages(call.length)
        self.files[name] = max(self.files.get(name, 0), end)
        return name

    def munmap(self, task: LogTask, args: str, result: str) -> str:
        """A range is unmapped; holes in it are allowed."""
        found = calls.range_args(args)
        vpns = self.vpns(task.space, *found[:2]) if found else None
        if vpns is None:
            return NOT_UNDERSTOOD
        if not self.replace(task.space, vpns.start, vpns.stop, []):
            return NOT_IN_LOG
        return self.ranged("munmap", task, vpns)

    def ranged(self, verb: str, task: LogTask, vpns: range, **args: int | str | bool) -> str:
        """Add an operation that takes an address and a number of pages."""
        addr = vpns.start << PAGE_SHIFT
        self.ops.add_range(verb, task.name, self.line, addr, len(vpns), tuple(args.items()))
        return ""

    def mprotect(self, task: LogTask, args: str, result: str) -> str:
        """The protection of a range changes; private pages that become writable are written."""
        found = calls.range_args(args)
        vpns = self.vpns(task.space, *found[:2]) if found else None
        if found is None or vpns is None:
            return NOT_UNDERSTOOD
        old = task.space.covered(vpns.start, vpns.stop)
        if not old:
            return NOT_IN_LOG
        prot = calls.prot_letters(found[2])
        if not prot:
            return NOT_UNDERSTOOD
        new = [a.piece(max(a.start, vpns.start), min(a.end, vpns.stop)) for a in old]
        first = old[0]
        write = "w" in prot and "w" not in first.prot and not first.shared
        if write:
            new[0] = new[0]._replace(touched=min(new[0].touched + 1, new[0].end - new[0].start))
        after = [area.allowed(prot) for area in new]
        if after != old:
            self.replace(task.space, vpns.start, vpns.stop, after)
        self.ranged("mprotect", task, vpns, prot=prot)
        if write:
            vpn = new[0].start if first.upward else new[0].end - 1
            self.touch(task, range(vpn, vpn + 1))
        return ""

    def mremap(self, task: LogTask, args: str, result: str) -> str:
        """A mapping moves, grows or shrinks."""
        found = calls.mremap_args(args)
        addr = calls.address(result, self.line)
        if found is None or addr is None or addr & PAGE_MASK:
            return NOT_UNDERSTOOD
        old = self.vpns(task.space, found[0], found[1])
        new = self.vpns(task.space, addr, found[2])
        if old is None or new is None:
            return "mremap of length 0"
        areas = task.space.covered(old.start, old.stop)
        if not areas:
            return NOT_IN_LOG
        op: dict[str, int | str | bool] = {}
        if len(new) != len(old):
            op["new_pages"] = len(new)
        if new.start != old.start:
            op["to"] = new.start << PAGE_SHIFT
        if "MREMAP_DONTUNMAP" in found[3]:
            op["dontunmap"] = True
        self.ranged("mremap", task, old, **op)
        self.remapped(task, areas[0], old, new, "dontunmap" in op)
        return ""

    def remapped(self, task: LogTask, area: LogArea, old: range, new: range, stays: bool) -> None:
        """Move the area in the books, and write what was added to it."""
        touched = min(len(new), area.touched)
        if not stays:
            self.replace(task.space, old.start, old.stop, [])
        added = range(new.start + len(old), new.stop)[:TOUCHED]
        if area.file:
            self.files[area.file] += max(0, len(new) - len(old))
        if area.file or "w" not in area.prot:
            added = added[:0]
        moved = area._replace(start=new.start, end=new.stop, touched=touched + len(added))
        if len(new) > len(old):
            moved = moved._replace(full=False)
        self.replace(task.space, new.start, new.stop, [moved])
        self.touch(task, added)

    def brk(self, task: LogTask, args: str, result: str) -> str:
        """The heap grows or shrinks, or tells where it ends."""
        end = calls.address(result, self.line)
        if end is None:
            return NOT_UNDERSTOOD
        space, page = task.space, calls.pages(end)
        if args in ("NULL", "0"):
            space.heap = space.heap or (page, page)
            return "brk that only asks"
        if space.heap is None:
            space.heap = (page, page)
            return "brk of a heap that began before the log"
        base, old = space.heap
        if page == old or page < base:
            return "brk that changes nothing"
        place = range(HEAP + old - base, HEAP + page - base)
        if space.overlapping(place.start, place.stop) or place.stop > STACK.start:
            return "no room for the heap here"
        space.heap = (base, page)
        self.emit("brk", task.name, {"addr": HEAP + page - base << PAGE_SHIFT})
        if page > old:
            self.new_area(task, LogArea(place.start, place.stop, "rw", "", False))
        else:
            self.replace(space, place.stop, HEAP + old - base, [])
        return ""

    def on_covered(
        self, verb: str, task: LogTask, found: tuple[int, int, str], **args: int | str | bool
    ) -> str:
        """Add `verb` if the log mapped the whole range."""
        vpns = self.vpns(task.space, found[0], found[1])
        if vpns is None:
            return NOT_UNDERSTOOD
        if not task.space.covered(vpns.start, vpns.stop):
            return NOT_IN_LOG
        return self.ranged(verb, task, vpns, **args)

    def effect(self, name: str, npages: int) -> None:
        """Count a call that has an effect of its own on `npages` pages."""
        calls_so_far, pages_so_far = self.effects.get(name, (0, 0))
        self.effects[name] = (calls_so_far + 1, pages_so_far + npages)

    def lock(self, task: LogTask, vpns: range) -> None:
        """Lock pages that the log mapped: all of them come into memory."""
        self.ranged("mlock", task, vpns)
        self.fill(task, vpns)
        self.written += len(vpns)

    def populate(self, task: LogTask, vpns: range) -> None:
        """Bring pages that the log mapped into memory: private memory that may be written is."""
        for area in task.space.overlapping(vpns.start, vpns.stop):
            place = range(max(area.start, vpns.start), min(area.end, vpns.stop))
            write = "w" in area.prot and not area.shared
            self.access(task, place, "write" if write else "read")
            self.filled += len(place)
        self.fill(task, vpns)

    def fill(self, task: LogTask, vpns: range) -> None:
        """Take into the books that all of `vpns` are in memory."""
        new = []
        for area in task.space.overlapping(vpns.start, vpns.stop):
            piece = area.piece(max(area.start, vpns.start), min(area.end, vpns.stop))
            own = area.own and "w" in area.prot
            new.append(piece._replace(touched=piece.end - piece.start, full=own or area.full))
        self.replace(task.space, vpns.start, vpns.stop, new)

    def stack(self, task: LogTask, args: str, result: str) -> str:
        """The stack that execve made; it lies at the top here."""
        found = calls.range_args(args)
        if found is None:
            return NOT_UNDERSTOOD
        end = calls.fold(found[0], self.line) + found[1] >> PAGE_SHIFT
        task.space.stack_shift = STACK.stop - end
        return "where the stack lies"

    def page_fault(self, task: LogTask, args: str, result: str) -> str:
        """The program touched a page: a touch that may be either is a write where that is allowed.

        A page below the stack makes it grow.
        """
        place, _, kind = args.partition(", ")
        addr = calls.address(place, self.line)
        vpns = None if addr is None else self.vpns(task.space, addr, 1)
        if vpns is None or kind not in ("read", "write", "touch"):
            return NOT_UNDERSTOOD
        found = task.space.overlapping(vpns.start, vpns.stop)
        if not found:
            if not STACK.stop - STACK_NPAGES <= vpns.start < STACK.start:
                return "page fault in memory that no line mapped"
            bottom = task.space.overlapping(vpns.start, STACK.stop)[0]
            found = [LogArea(vpns.start, bottom.start, "rw", "", False, upward=False)]
            task.space.replace(vpns.start, bottom.start, found)
        writable = "w" in found[0].prot
        if found[0].prot == "none" or (kind == "write" and not writable):
            return "page fault against the protection"
        self.faults += 1
        self.touched(task, vpns, "write" if writable and kind != "read" else "read")
        return ""
