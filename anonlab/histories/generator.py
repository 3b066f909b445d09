"""A random history in the making: what is chosen, what is remembered, a method for each verb."""

from __future__ import annotations

from collections.abc import Callable

from anonlab.formats.history import ANY, Op
from anonlab.histories.model import AddressSpace, MappedPage
from anonlab.histories.places import HEAP_VPN, TOP_VPN, WINDOWS
from anonlab.histories.splitmix import SplitMix64
from anonlab.machine.words import GEOMETRIES, PAGE_SHIFT

FILES_MAX = 4
PROGRAMS = ("sh", "ls", "wc", "make", "cc1")


class Generator:
    """The state of a history in the making; each method named after a verb adds one operation."""

    def __init__(self, rng: SplitMix64, geometry: str, max_processes: int) -> None:
        self.rng = rng
        self.ops: list[Op] = []
        self.max_processes = max_processes
        self.npages = GEOMETRIES[geometry].npages
        self.heap, self.top = HEAP_VPN[geometry], TOP_VPN[geometry]
        self.windows = WINDOWS[geometry]
        self.spaces: dict[str, AddressSpace] = {}
        self.dead: list[str] = []
        self.files: list[str] = []
        self.lengths: dict[str, int] = {}
        self.names = 0
        self.areas = 0
        self.tag = 0
        self.swapoff_from = 0
        self.moved: dict[str, tuple[range, int]] = {}

    def emit(self, verb: str, who: str = "", **args: int | str | bool) -> bool:
        """Add one operation; returns True."""
        self.ops.append(Op(verb, who, args))
        return True

    # -- choosing -------------------------------------------------------------------------------

    def anyone(self) -> str:
        """Return the name of a living process."""
        return self.rng.choice(list(self.spaces))

    def name(self, letter: str = "p") -> str:
        """Return a name that was never used."""
        self.names += 1
        return f"{letter}{self.names}"

    def spot(self, npages: int) -> range:
        """Return `npages` pages somewhere in the windows, at times on both sides of an edge."""
        window = self.rng.choice(self.windows)
        start = window.start + self.rng.below(max(1, len(window) - npages + 1))
        return range(start, start + npages)

    def some(
        self, space: AddressSpace, limit: int, wanted: Callable[[MappedPage], bool] | None = None
    ) -> range | None:
        """Return up to `limit` mapped pages in a row that are `wanted`; None if there are none."""
        accept = wanted or (lambda page: True)
        found = space.where(accept)
        if not found:
            return None
        return space.run(self.rng.choice(found), self.rng.between(1, limit), accept)

    def in_file(self, page: MappedPage) -> bool:
        """True unless the page lies beyond the end of its file."""
        return not page.file or page.pgoff < self.lengths[page.file]

    # -- what makes something new, and what the machine does ------------------------------------

    def spawn(self) -> bool:
        """Start a process with an empty address space, if there is room for one more."""
        if len(self.spaces) >= self.max_processes:
            return self.exit(self.anyone())
        name = self.name()
        self.spaces[name] = AddressSpace(heap_end=self.heap)
        return self.emit("spawn", name)

    def file(self) -> bool:
        """Make a file, or change the length of one if there are enough."""
        if len(self.files) >= FILES_MAX:
            return self.truncate()
        name = self.name("f")
        self.files.append(name)
        self.lengths[name] = self.rng.between(1, 12)
        return self.emit("file", name, pages=self.lengths[name])

    def truncate(self) -> bool:
        """Change the length of a file, or make one if there is none."""
        if not self.files:
            return self.file()
        name = self.rng.choice(self.files)
        self.lengths[name] = self.rng.below(self.lengths[name] + 3)
        return self.emit("truncate", file=name, npages=self.lengths[name])

    def reclaim(self) -> bool:
        """Free some frames."""
        return self.emit("reclaim", pages=self.rng.between(1, 8))

    def swapoff(self) -> bool:
        """Bring everything back from swap, near the end: there is no swap after it."""
        return self.emit("swapoff") if len(self.ops) >= self.swapoff_from else self.reclaim()

    def born(self, verb: str) -> bool:
        """Add fork, vfork or clone_vm, or an exit if there are enough processes."""
        if len(self.spaces) >= self.max_processes:
            return self.exit(self.anyone())
        return bool(self.forked(verb, self.anyone()))

    def forked(self, verb: str, parent: str) -> str:
        """Add a fork, vfork or clone_vm of `parent` and return the child's name."""
        name, space = self.name(), self.spaces[parent]
        self.spaces[name] = space.copy() if verb == "fork" else space
        self.emit(verb, name, parent=parent)
        return name

    # -- what a process does --------------------------------------------------------------------

    def exit(self, who: str, space: AddressSpace | None = None) -> bool:
        """Let `who` exit, unless it is the last process."""
        if len(self.spaces) == 1:
            return self.born("fork") if self.max_processes > 1 else self.reclaim()
        del self.spaces[who]
        self.moved.pop(who, None)
        self.dead.append(who)
        return self.emit("exit", who)

    def execve(self, who: str, space: AddressSpace) -> bool:
        """Start a program: a new address space with nothing but a stack."""
        npages = self.rng.between(1, 3)
        self.areas += 1
        page = MappedPage("rw", "", 0, False, self.areas, grows=True)
        stack = range(self.top - npages, self.top)
        self.spaces[who] = AddressSpace({v: page._replace(pgoff=v) for v in stack}, self.heap)
        self.moved.pop(who, None)
        args: dict[str, int | str | bool] = {"program": self.rng.choice(PROGRAMS)}
        if npages != 2 or self.rng.chance(1, 2):
            args["args"] = npages
        return self.emit("execve", who, **args)

    def mmap(self, who: str, space: AddressSpace) -> bool:
        """Map some pages of any kind: private or shared, anonymous or of a file."""
        vpns = self.spot(self.rng.between(1, 8))
        args: dict[str, int | str | bool] = {"addr": vpns.start << PAGE_SHIFT, "pages": len(vpns)}
        if self.rng.chance(1, 5):
            args["prot"] = self.rng.choice(("r", "r", "none", "rx", "w", "rwx", "rw", "x", "wx"))
        pgoff = vpns.start
        if self.files and self.rng.chance(1, 3):
            args["file"] = self.rng.choice(self.files)
            pgoff = self.rng.below(3)
            if pgoff:
                args["offset"] = pgoff
        if self.rng.chance(2, 7):
            args["shared"] = True
        if not space.free(vpns) or self.rng.chance(1, 20):
            args["fixed"] = True
        elif "file" not in args and "shared" not in args and self.rng.chance(1, 12):
            args["growsdown"] = True
        if "fixed" not in args and "growsdown" not in args and self.rng.chance(1, 16):
            return self.emit("mmap", who, **{**args, "addr": ANY, "pages": 1})
        self.map(space, vpns, pgoff, args)
        return self.emit("mmap", who, **args)

    def map(
        self, space: AddressSpace, vpns: range, pgoff: int, args: dict[str, int | str | bool]
    ) -> None:
        """Remember that `vpns` are mapped, from page `pgoff` of what they show."""
        self.areas += 1
        prot, file = str(args.get("prot", "rw")), str(args.get("file", ""))
        shared, grows = "shared" in args, "growsdown" in args
        if shared and not file:
            # A nameless object behind it, which does not grow when a mapping of it does.
            file, pgoff = f"shared {self.areas}", 0
            self.lengths[file] = len(vpns)
        for number, vpn in enumerate(vpns):
            space.pages[vpn] = MappedPage(
                prot, file, pgoff + number, shared, self.areas, grows=grows
            )

    def munmap(self, who: str, space: AddressSpace) -> bool:
        """Unmap some pages, holes among them."""
        if not space.pages:
            return False
        start = self.rng.choice(list(space.pages))
        vpns = range(start, min(self.top, start + self.rng.between(1, 5)))
        space.unmap(vpns)
        return self.ranged("munmap", who, vpns)

    def ranged(self, verb: str, who: str, vpns: range, **args: int | str | bool) -> bool:
        """Add an operation that takes an address and a number of pages."""
        return self.emit(verb, who, addr=vpns.start << PAGE_SHIFT, pages=len(vpns), **args)

    def mprotect(self, who: str, space: AddressSpace) -> bool:
        """Change the protection of some pages."""
        vpns = self.some(space, 6)
        if not vpns:
            return False
        prot = self.rng.choice(("rw", "rw", "rw", "r", "r", "none", "rx", "rwx"))
        space.change(vpns, prot=prot)
        return self.ranged("mprotect", who, vpns, prot=prot)

    def madvise(self, who: str, space: AddressSpace) -> bool:
        """Give up the contents of some pages."""
        vpns = self.some(space, 4, lambda page: not page.locked)
        return bool(vpns) and self.ranged("madvise", who, vpns or range(0), advice="dontneed")

    def brk(self, who: str, space: AddressSpace) -> bool:
        """Grow or shrink the heap, or ask where it ends."""
        if self.rng.chance(1, 12):
            return self.emit("brk", who, addr=0)
        end = self.heap + self.rng.between(0, 8)
        space.unmap(range(end, space.heap_end))
        added = range(space.heap_end, end)
        self.map(space, added, added.start, {})
        space.heap_end = end
        return self.emit("brk", who, addr=end << PAGE_SHIFT)

    def access(self, verb: str, who: str, space: AddressSpace, letter: str) -> bool:
        """Read or write some pages whose protection has `letter`."""
        bottoms = list(space.stack_bottoms())
        if bottoms and self.rng.chance(1, 6):
            return self.grow_stack(verb, who, space, self.rng.choice(bottoms))
        vpns = self.some(space, 6, lambda page: letter in page.prot and self.in_file(page))
        return bool(vpns) and self.touch(verb, who, vpns or range(0))

    def touch(self, verb: str, who: str, vpns: range) -> bool:
        """Add a read or write; every write has contents of its own."""
        args: dict[str, int | str | bool] = {"addr": vpns.start << PAGE_SHIFT}
        if verb == "write":
            self.tag += 16
            args["value"] = self.tag
        if len(vpns) > 1:
            args["pages"] = len(vpns)
        return self.emit(verb, who, **args)

    def grow_stack(self, verb: str, who: str, space: AddressSpace, bottom: int) -> bool:
        """Touch the page below the stack."""
        page = space.pages[bottom]
        space.pages[bottom - 1] = page._replace(pgoff=page.pgoff - 1)
        return self.touch(verb, who, range(bottom - 1, bottom))

    def lock(self, verb: str, who: str, space: AddressSpace) -> bool:
        """Lock or unlock some pages in memory."""
        lock = verb == "mlock"
        usable = {"rw", "r", "rwx", "rx"}
        vpns = self.some(
            space, 3, lambda p: p.prot in usable and p.locked != lock and self.in_file(p)
        )
        if not vpns:
            return False
        space.change(vpns, locked=lock)
        return self.ranged(verb, who, vpns)

    def pin(self, who: str, space: AddressSpace) -> bool:
        """Let a device hold some pages."""
        vpns = self.some(space, 2, lambda page: "rw" in page.prot and self.in_file(page))
        if not vpns:
            return False
        space.pins += vpns
        return self.touch("pin", who, vpns)

    def unpin(self, who: str, space: AddressSpace) -> bool:
        """Let a device give up a page."""
        if not space.pins:
            return self.pin(who, space)
        vpn = space.pins.pop(self.rng.below(len(space.pins)))
        return self.touch("unpin", who, range(vpn, vpn + 1))

    def swap_out(self, who: str, space: AddressSpace) -> bool:
        """Swap out some pages."""
        vpns = self.some(space, 4, lambda page: not page.file and "w" in page.prot)
        return bool(vpns) and self.touch("swap_out", who, vpns or range(0))
