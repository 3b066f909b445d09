"""Random histories that a real kernel can be asked to run as well: private anonymous memory in a
window, addresses that are always given, and nothing that one process alone cannot do.

The mixture is heavy on what tells designs apart: writes after forks, and moves.
"""

from __future__ import annotations

from anonlab.formats.history import History, Machine
from anonlab.histories import moves
from anonlab.histories.generate import Generator
from anonlab.histories.model import Space
from anonlab.histories.splitmix import SplitMix64

MACHINE = Machine("lesson", 1024, 512)
"""Room for everything: what happens when memory runs out is not asked of a real kernel."""
PROCESSES_MAX = 6
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


def witnessable(seed: int, nops: int, swap: bool = False) -> History:
    """Return a random history of `nops` operations for the simulated and a real kernel alike.

    seed    0 to 2**64 - 1
    swap    pages are swapped out now and then
    raises  ValueError if an argument is out of range
    """
    if nops < 1:
        raise ValueError(f"a history has at least one operation, got {nops}")
    maker = Asker(SplitMix64(seed))
    maker.fill(nops, swap)
    title = f"for a real kernel, seed {seed}"
    return History(tuple(maker.ops[:nops]), MACHINE, title)


class Asker(Generator):
    """The state of such a history in the making."""

    def __init__(self, rng: SplitMix64) -> None:
        super().__init__(rng, "lesson", PROCESSES_MAX)

    def fill(self, nops: int, swap: bool) -> None:
        """Add operations until there are at least `nops`: first one process with eight pages."""
        weights = dict(WEIGHTS) if swap else {**WEIGHTS, "swap_out": 0}
        self.spawn()
        self.new_area(self.anyone(), 8)
        while len(self.ops) < nops:
            who = self.anyone()
            verb = list(weights)[self.rng.weighted(list(weights.values()))]
            if verb == "fork":
                self.born("fork")
            elif not getattr(self, f"_{verb}")(who, self.spaces[who]):
                self.new_area(who, self.rng.between(1, 8))

    def new_area(self, who: str, npages: int) -> bool:
        """Map pages where nothing is, or over what is there now and then."""
        vpns, space = self.spot(npages), self.spaces[who]
        args: dict[str, int | str | bool] = {}
        if not space.free(vpns):
            args["fixed"] = True
        if self.rng.chance(1, 12):
            args["prot"] = "r"
        self.map(space, vpns, vpns.start, args)
        return self.ranged("mmap", who, vpns, **args)

    def _mmap(self, who: str, space: Space) -> bool:
        return self.new_area(who, self.rng.between(1, 8))

    def _write(self, who: str, space: Space) -> bool:
        return self.access("write", who, space, "w")

    def _read(self, who: str, space: Space) -> bool:
        return self.access("read", who, space, "r")

    def _munmap(self, who: str, space: Space) -> bool:
        return self.munmap(who, space)

    def _mprotect(self, who: str, space: Space) -> bool:
        return self.mprotect(who, space)

    def _madvise(self, who: str, space: Space) -> bool:
        return self.madvise(who, space)

    def _exit(self, who: str, space: Space) -> bool:
        return self.exit(who, space)

    def _mlock(self, who: str, space: Space) -> bool:
        return self.lock("mlock", who, space)

    def _munlock(self, who: str, space: Space) -> bool:
        return self.lock("munlock", who, space)

    def _execve(self, who: str, space: Space) -> bool:
        self.spaces[who] = Space()
        self.moved.pop(who, None)
        return self.emit("execve", who, program="sh")

    def _swap_out(self, who: str, space: Space) -> bool:
        vpns = self.some(space, 4, lambda page: not page.locked)
        return bool(vpns) and self.touch("swap_out", who, vpns or range(0))

    def _stray(self, who: str, space: Space) -> bool:
        """Touch a page that is not there or not to be written."""
        forbidden = space.where(lambda page: "w" not in page.prot)
        vpn = self.rng.choice([*forbidden, self.spot(1).start])
        return self.touch(self.rng.choice(("read", "write")), who, range(vpn, vpn + 1))

    def _mremap(self, who: str, space: Space) -> bool:
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


def _room(space: Space, end: int) -> bool:
    """True if a mapping that ends at page `end` can grow by three pages."""
    return space.free(range(end, end + 3))
