"""Families of histories: what a test asks about, and what one student's variant is made of.

Each family is a way for histories to go; a seed gives one history of it, the same on every machine
and version, because the numbers come from `splitmix`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from anonlab.formats.history import History, Machine
from anonlab.formats.history_text import parse
from anonlab.histories.generate import add
from anonlab.histories.generator import Generator
from anonlab.histories.splitmix import SplitMix64
from anonlab.machine.words import Geometry

MACHINE = Machine("lesson", 128, 64)
ODD = (Geometry(2, 5), Geometry(3, 3), Geometry(1, 6))
"""Machines whose page tables are neither two levels deep nor 16 slots wide."""
HIGH = parse(
    "machine x86_64 frames 64 swap 16\np = spawn\np mmap 0x30000 2\np write 0x30000 7\n"
    "p mmap 0x7f5a3c2e1000 4\np write 0x7f5a3c2e1000 7 3\nc = fork p\nc write 0x7f5a3c2e1000 8\n"
    "p swap_out 0x7f5a3c2e2000\n"
)
"""Pages above the first four gigabytes, as a program of today has them, for `X86_64`."""
_TOUCH = {"write": 40, "read": 15, "mmap": 15}
FAMILIES: dict[str, dict[str, int]] = {
    "lone": _TOUCH,
    "forked": {**_TOUCH, "fork": 20},
    "family": {**_TOUCH, "fork": 25, "exit": 15, "execve": 6},
    "swapped": {**_TOUCH, "fork": 25, "swap_out": 40},
    "areas": {**_TOUCH, "munmap": 25, "mprotect": 25},
    "moved": {**_TOUCH, "fork": 15, "mremap": 35},
    "moved_swapped": {**_TOUCH, "fork": 15, "mremap": 25, "swap_out": 25},
    "pinned": {**_TOUCH, "fork": 20, "pin": 15, "unpin": 8},
    "pinned_moved": {**_TOUCH, "fork": 10, "pin": 20, "mremap": 30},
    "files": {**_TOUCH, "file": 10, "fork": 15, "mmap": 40},
    "mixed": {
        **_TOUCH,
        **{"fork": 15, "exit": 8, "execve": 4, "munmap": 8, "mprotect": 8},
        **{"mremap": 10, "swap_out": 10, "madvise": 5},
    },
}
"""How often each verb is tried, in parts of their sum, by the family's name."""


@lru_cache(maxsize=4096)
def history_of_family(family: str, seed: int, nops: int = 24) -> History:
    """Return the history of `family` that belongs to `seed`; ValueError for an unknown family."""
    if family not in FAMILIES:
        raise ValueError(f"a family is one of {', '.join(FAMILIES)}; got {family!r}")
    weights = FAMILIES[family]
    maker = Generator(SplitMix64(seed), MACHINE.geometry, 4)
    maker.spawn()
    while len(maker.ops) < nops:
        verb = list(weights)[maker.rng.weighted(list(weights.values()))]
        add(maker, verb)
    return History(tuple(maker.ops[:nops]), MACHINE, f"{family}, seed {seed}")


def histories(
    families: Sequence[str], seed: int, number: int = 16, nops: int = 24
) -> Iterator[History]:
    """Yield `number` histories, the families in turn; the seed chooses which comes first."""
    rng = SplitMix64(seed)
    first = rng.below(len(families))
    for turn in range(number):
        family = families[(first + turn) % len(families)]
        yield history_of_family(family, rng.next64(), nops)
