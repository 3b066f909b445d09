"""The drills by notebook, and the endless row of questions of each."""

from __future__ import annotations

from anonlab.course.drills.kernels import DESIGNS, RUNNING
from anonlab.course.drills.moving import EXITS, MOVES, WALKS
from anonlab.course.drills.question import DrillQuestion
from anonlab.course.drills.sharing import ANON, COW, FORK
from anonlab.course.drills.stories import Maker
from anonlab.course.drills.tables import PAGE_TABLES, VMAS
from anonlab.histories.splitmix import SplitMix64

DRILLS: dict[str, tuple[Maker, ...]] = {
    "01": PAGE_TABLES,
    "02": VMAS,
    "03": ANON,
    "04": FORK,
    "05": COW,
    "06": EXITS,
    "07": MOVES,
    "08": WALKS,
    "09": DESIGNS,
    "10": RUNNING,
}
"""The shapes of each notebook's questions, the easiest first."""
TITLES = {
    "01": "Page tables",
    "02": "VMAs",
    "03": "Anonymous pages",
    "04": "fork",
    "05": "Copy on write",
    "06": "exit and execve",
    "07": "mremap",
    "08": "The walk, and swap",
    "09": "Designs compared",
    "10": "The running kernel",
}
LEVELS = 5
"""Levels of a drill: so many right in a row, and it is done."""


def drill_question(drill: str, seed: int, level: int = 0) -> DrillQuestion:
    """Return the question of a drill that belongs to a seed.

    level   0 to 4: which of the drill's shapes
    raises  ValueError for an unknown drill or level
    """
    if drill not in DRILLS:
        raise ValueError(f"there is no drill {drill!r}; there are {', '.join(DRILLS)}")
    if not 0 <= level < LEVELS:
        raise ValueError(f"a level is 0 to {LEVELS - 1}, got {level}")
    shapes = DRILLS[drill]
    shape = shapes[level * len(shapes) // LEVELS](SplitMix64(seed))
    return DrillQuestion(drill, level, seed, *shape)
