"""Seeded random histories over all verbs: mostly valid, with deliberate mistakes among them.

A seed gives the same history on every machine and version, because the numbers come from
`splitmix`. Targets are chosen by process and page, never by what a reverse-map design would do, so
one history means the same to all designs.

Addresses lie in a small window, so that mappings collide, merge and split. In the lesson geometry
it is 48 of the 256 pages; in the others it lies across boundaries of tables at every level.
"""

from __future__ import annotations

from collections.abc import Callable

from anonlab.formats.history import VERBS, History, Machine
from anonlab.histories.generator import Generator
from anonlab.histories.mistakes import make_mistake
from anonlab.histories.model import AddressSpace
from anonlab.histories.moves import mremap
from anonlab.histories.places import FRAMES
from anonlab.histories.splitmix import SplitMix64
from anonlab.histories.stories import tell_story
from anonlab.machine.words import GEOMETRIES

WEIGHTS = {
    "write": 300,
    "read": 110,
    "mmap": 110,
    "mremap": 110,
    "fork": 85,
    "exit": 45,
    "munmap": 35,
    "mprotect": 40,
    "madvise": 25,
    "brk": 25,
    "swap_out": 60,
    "reclaim": 15,
    "mlock": 10,
    "munlock": 12,
    "pin": 12,
    "unpin": 14,
    "execve": 25,
    "vfork": 8,
    "clone_vm": 10,
    "truncate": 8,
    "file": 12,
    "spawn": 3,
    "swapoff": 5,
}
"""How often each verb is tried, in parts of their sum."""
STORIES = 20
"""So many of 1000 choices are a story, several operations that belong together."""


def generate(
    seed: int,
    nops: int,
    geometry: str = "lesson",
    frames: int | None = None,
    swap: int | None = None,
    max_processes: int = 6,
    faulty: float = 0.05,
) -> History:
    """Return a random history.

    seed           0 to 2**64 - 1
    nops           operations, >= 1
    frames, swap   of the machine; None for the default of the geometry
    max_processes  processes alive at a time, >= 1; the last one never exits
    faulty         share of operations that are mistakes, 0 to 1
    raises         ValueError if an argument is out of range
    """
    if geometry not in GEOMETRIES:
        raise ValueError(f"unknown geometry {geometry!r}: there are {', '.join(GEOMETRIES)}")
    if nops < 1 or max_processes < 1 or not 0 <= faulty <= 1:
        raise ValueError(
            f"generate needs nops >= 1, max_processes >= 1 and 0 <= faulty <= 1, "
            f"got {nops}, {max_processes}, {faulty}"
        )
    frames, swap = (
        default if asked is None else asked
        for asked, default in zip((frames, swap), FRAMES[geometry], strict=True)
    )
    maker = Generator(SplitMix64(seed), geometry, max_processes)
    fill(maker, nops, round(faulty * 1000))
    machine = Machine(geometry, frames, swap)
    return History(tuple(maker.ops[:nops]), machine, f"generated, seed {seed}")


def fill(maker: Generator, nops: int, faulty: int) -> None:
    """Add operations until there are at least `nops`; `faulty` of 1000 are mistakes."""
    verbs, weights = list(WEIGHTS), list(WEIGHTS.values())
    maker.swapoff_from = nops * 4 // 5
    maker.spawn()
    while len(maker.ops) < nops:
        if maker.rng.chance(faulty, 1000):
            make_mistake(maker)
        elif maker.rng.chance(STORIES, 1000):
            tell_story(maker)
        else:
            add(maker, verbs[maker.rng.weighted(weights)])


def add(maker: Generator, verb: str) -> None:
    """Add `verb` by anyone; an mmap where nothing is mapped that it could be done to."""
    if VERBS[verb].form != "who":
        MAKERS[verb](maker)
        return
    who = maker.anyone()
    if not DOERS[verb](maker, who, maker.spaces[who]):
        maker.mmap(who, maker.spaces[who])


MAKERS: dict[str, Callable[[Generator], bool]] = {
    "spawn": Generator.spawn,
    "file": Generator.file,
    "truncate": Generator.truncate,
    "reclaim": Generator.reclaim,
    "swapoff": Generator.swapoff,
    "fork": lambda maker: maker.born("fork"),
    "vfork": lambda maker: maker.born("vfork"),
    "clone_vm": lambda maker: maker.born("clone_vm"),
}
DOERS: dict[str, Callable[[Generator, str, AddressSpace], bool]] = {
    "exit": Generator.exit,
    "execve": Generator.execve,
    "mmap": Generator.mmap,
    "munmap": Generator.munmap,
    "mprotect": Generator.mprotect,
    "mremap": mremap,
    "madvise": Generator.madvise,
    "brk": Generator.brk,
    "read": lambda maker, who, space: maker.access("read", who, space, "r"),
    "write": lambda maker, who, space: maker.access("write", who, space, "w"),
    "mlock": lambda maker, who, space: maker.lock("mlock", who, space),
    "munlock": lambda maker, who, space: maker.lock("munlock", who, space),
    "pin": Generator.pin,
    "unpin": Generator.unpin,
    "swap_out": Generator.swap_out,
}
assert WEIGHTS.keys() == VERBS.keys() == MAKERS.keys() | DOERS.keys()
