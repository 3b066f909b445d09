"""Random histories that a real kernel can be asked to run as well: memory in a window, addresses
that are always given, and nothing that one process alone cannot do.

The mixture is heavy on what tells designs apart: writes after forks, and moves.
"""

from __future__ import annotations

from collections.abc import Collection

from anonlab.formats.history import History, Machine
from anonlab.histories import moves, odd
from anonlab.histories.generate import MAKERS
from anonlab.histories.generator import Generator
from anonlab.histories.model import AddressSpace
from anonlab.histories.splitmix import SplitMix64

MACHINE, WIDE_MACHINE = (Machine(geometry, 1024, 512) for geometry in ("lesson", "x86_64"))
"""Room for everything: what happens when memory runs out is not asked of a real kernel."""
PROCESSES_MAX = 6
GUARD = 256
"""Pages that a stack leaves free below it, but for what no program may touch."""
WEIGHTS = {
    "write": 430,
    "read": 80,
    "fork": 130,
    "mremap": 140,
    "mmap": 50,
    "munmap": 35,
    "madvise": 35,
    "mprotect": 30,
    "exit": 40,
    "execve": 15,
    "mlock": 6,
    "munlock": 4,
    "stray": 5,
    "swap_out": 60,
}
"""How often each verb is tried; swap_out only where there is swap."""
KINDS = {
    "files": {"file": 20, "truncate": 12},
    "sharing": {"vfork": 30, "clone_vm": 25},
    "pins": {"pin": 30, "unpin": 25},
    "odd": {"odd": 300},
    "stacks": {"stack": 60},
    "heap": {"brk": 60},
}
"""What a history may hold besides private memory of its processes, and the verbs that come with it:
mappings of files and of shared memory, address spaces with several processes, pages that a device
holds, what is seldom asked (see `odd`), stacks, the heap."""
WIDE = ("stacks", "heap")
"""They need an address space that is larger than the lesson's."""


def random_history_for_kernel(
    seed: int, nops: int, swap: bool = False, kinds: Collection[str] = ()
) -> History:
    """Return a random history of `nops` operations for the simulated and a real kernel alike.

    seed    0 to 2**64 - 1
    swap    pages are swapped out now and then
    kinds   of KINDS; sharing and pins do not go together
    raises  ValueError if an argument is out of range
    """
    if nops < 1:
        raise ValueError(f"a history has at least one operation, got {nops}")
    maker = RealKernelGenerator(SplitMix64(seed), kinds)
    maker.fill(nops, swap)
    title = f"for a real kernel, seed {seed}"
    return History(tuple(maker.ops[:nops]), maker.machine, title)


class RealKernelGenerator(Generator):
    """The state of such a history in the making."""

    def __init__(self, rng: SplitMix64, kinds: Collection[str] = ()) -> None:
        self.machine = WIDE_MACHINE if set(WIDE) & set(kinds) else MACHINE
        super().__init__(rng, self.machine.geometry, PROCESSES_MAX)
        self.kinds = kinds
        if self.machine is WIDE_MACHINE:  # by the heap, and a guard gap above that
            self.windows = tuple(
                range(self.heap + first, self.heap + first + 24) for first in (0, 24 + GUARD - 8)
            )
        self.waiting: dict[str, str] = {}  # child by vfork -> parent

    def fill(self, nops: int, swap: bool) -> None:
        """Add operations until there are at least `nops`: first one process with eight pages."""
        weights = dict(WEIGHTS) if swap else {**WEIGHTS, "swap_out": 0}
        for kind in self.kinds:
            weights |= KINDS[kind]
        self.spawn()
        self.new_area(self.anyone(), 8)
        while len(self.ops) < nops:
            who = self.anyone()
            verb = list(weights)[self.rng.weighted(list(weights.values()))]
            if verb in ("fork", "vfork", "clone_vm"):
                self.born(verb)
            elif verb in ("file", "truncate"):
                MAKERS[verb](self)
            elif not getattr(self, f"_{verb}")(who, self.spaces[who]):
                self.new_area(who, self.rng.between(1, 8))

    def anyone(self) -> str:
        """Return the name of a process that does not wait for its child by vfork."""
        waiting = self.waiting.values()
        return self.rng.choice([who for who in self.spaces if who not in waiting])

    def emit(self, verb: str, who: str = "", **args: int | str | bool) -> bool:
        """Add one operation, and know who waits after it."""
        if verb == "vfork":
            self.waiting[who] = str(args["parent"])
        elif verb in ("execve", "exit"):
            self.waiting.pop(who, None)
        return super().emit(verb, who, **args)

    def new_area(self, who: str, npages: int) -> bool:
        """Map pages where nothing is, or over what is there now and then."""
        vpns, space = self.spot(npages), self.spaces[who]
        args: dict[str, int | str | bool] = {}
        if not space.free(vpns):
            args["fixed"] = True
        if "odd" in self.kinds and self.rng.chance(1, 4):
            args["prot"] = self.rng.choice(odd.PROTS)
        elif self.rng.chance(1, 12):
            args["prot"] = "r"
        if "stacks" in self.kinds and self.rng.chance(1, 3):
            args["growsdown"] = True
            self.map(space, vpns, vpns.start, args)
            return self.ranged("mmap", who, vpns, **args)
        pgoff = self.shown(args) if "files" in self.kinds else None
        self.map(space, vpns, vpns.start if pgoff is None else pgoff, args)
        return self.ranged("mmap", who, vpns, **args)

    def shown(self, args: dict[str, int | str | bool]) -> int | None:
        """Let a new area show a file, or be shared, or neither; return its offset in the file."""
        pgoff = None
        if self.files and self.rng.chance(1, 2):
            args["file"] = self.rng.choice(self.files)
            pgoff = self.rng.below(3)
            if pgoff:
                args["offset"] = pgoff
        if self.rng.chance(1, 3):
            args["shared"] = True
        return pgoff

    def _mmap(self, who: str, space: AddressSpace) -> bool:
        return self.new_area(who, self.rng.between(1, 8))

    def _write(self, who: str, space: AddressSpace) -> bool:
        return self.access("write", who, space, "w")

    def _read(self, who: str, space: AddressSpace) -> bool:
        return self.access("read", who, space, "r")

    def _munmap(self, who: str, space: AddressSpace) -> bool:
        return self.munmap(who, space)

    def _mprotect(self, who: str, space: AddressSpace) -> bool:
        return self.mprotect(who, space)

    def _madvise(self, who: str, space: AddressSpace) -> bool:
        return self.madvise(who, space)

    def _exit(self, who: str, space: AddressSpace) -> bool:
        return self.exit(who, space)

    def _mlock(self, who: str, space: AddressSpace) -> bool:
        return self.lock("mlock", who, space)

    def _munlock(self, who: str, space: AddressSpace) -> bool:
        return self.lock("munlock", who, space)

    def _pin(self, who: str, space: AddressSpace) -> bool:
        return self.pin(who, space)

    def _unpin(self, who: str, space: AddressSpace) -> bool:
        return self.unpin(who, space)

    def _execve(self, who: str, space: AddressSpace) -> bool:
        self.spaces[who] = AddressSpace(heap_end=self.heap)
        self.moved.pop(who, None)
        return self.emit("execve", who, program="sh")

    def _odd(self, who: str, space: AddressSpace) -> bool:
        """Do what is seldom asked."""
        return self.rng.choice(odd.ODD)(self, who, space)

    def _stack(self, who: str, space: AddressSpace) -> bool:
        return odd.below_a_stack(self, who, space)

    def _brk(self, who: str, space: AddressSpace) -> bool:
        return odd.end_of_heap(self, who, space)

    def _swap_out(self, who: str, space: AddressSpace) -> bool:
        vpns = self.some(space, 4, lambda page: not page.locked)
        return bool(vpns) and self.touch("swap_out", who, vpns or range(0))

    def _stray(self, who: str, space: AddressSpace) -> bool:
        """Touch a page that is not there or not to be written."""
        forbidden = space.where(lambda page: "w" not in page.prot or not self.in_file(page))
        vpn = self.rng.choice([*forbidden, self.spot(1).start])
        return self.touch(self.rng.choice(("read", "write")), who, range(vpn, vpn + 1))

    def _mremap(self, who: str, space: AddressSpace) -> bool:
        """Move, move back, shrink, grow in place, or move out of some pages."""
        if who in self.moved and self.rng.chance(1, 3):
            vpns, back = self.moved.pop(who)
            if space.pages.keys() >= set(vpns):
                return moves.move(self, who, space, vpns, range(back, back + len(vpns)))
        if not space.pages:
            return False
        vpns = space.one_vma(self.rng.choice(list(space.pages)), self.rng.between(1, 6))
        flavour = self.rng.weighted((70, 8, 8, 6, 8))
        if flavour == 1:
            return moves.shrink(self, who, space, vpns)
        if flavour == 2 and _room(space, vpns.stop):
            return moves.grow(self, who, space, vpns)
        npages = len(vpns) + (self.rng.between(1, 3) if flavour == 3 else 0)
        spot = moves.target(self, vpns, npages)
        return moves.move(self, who, space, vpns, spot, dontunmap=flavour == 4)


def _room(space: AddressSpace, end: int) -> bool:
    """True if a mapping that ends at page `end` can grow by three pages."""
    return space.free(range(end, end + 3))
