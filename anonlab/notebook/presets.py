"""What a bench can begin with: a machine and a short history for each lesson, and the library.

A lesson's preset stops before the thing that the lesson is about; `tries` are lines to go on with.
"""

from __future__ import annotations

from typing import NamedTuple

from anonlab.histories import library
from anonlab.rmap import DESIGNS
from anonlab.view.story.align import MOST_TRACKS

START = """\
machine lesson frames 32 swap 8
shell = spawn
shell mmap 0x30000 4
shell write 0x30000 7 2
"""
"""What a bench without a history begins with."""


class Preset(NamedTuple):
    """A beginning: its name for people, its text, the designs that it shows, lines to try."""

    words: str
    text: str
    designs: tuple[str, ...] = ()
    tries: tuple[str, ...] = ()


_SMALL = "machine lesson frames 16 swap 4\n"
_FAMILY = f"{_SMALL}shell = spawn\nshell mmap 0x30000 4\nshell write 0x30000 7 3\n"
_FORKED = f"{_FAMILY}child = fork shell\n"

LESSONS = {
    "01": Preset(
        "01 · Page tables",
        f"# 01: Which table, which slot?\n{_SMALL}shell = spawn\nshell mmap 0x38000 4\n",
        tries=("shell write 0x39000 5", "shell mmap 0x90000 2", "shell read 0x38000"),
    ),
    "02": Preset(
        "02 · VMAs",
        f"# 02: One area, until something cuts it\n{_SMALL}editor = spawn\neditor mmap 0x30000 6\n",
        tries=("editor munmap 0x32000 1", "editor mprotect 0x34000 1 r", "editor mmap 0x32000 1"),
    ),
    "03": Preset(
        "03 · Anonymous pages",
        f"# 03: A promise of memory, not yet touched\n{_SMALL}p = spawn\np mmap 0x30000 8\n",
        tries=("p read 0x30000", "p write 0x30000 7", "p write 0x34000 9 2"),
    ),
    "04": Preset(
        "04 · fork",
        f"# 04: A shell that is about to fork\n{_FAMILY}shell read 0x33000\n",
        tries=("child = fork shell", "child read 0x30000", "grandchild = fork child"),
    ),
    "05": Preset(
        "05 · Copy on write",
        f"# 05: Shared by two, and nobody has written yet\n{_FORKED}",
        tries=("child write 0x30000 100", "shell write 0x30000 50", "shell write 0x31000 51"),
    ),
    "06": Preset(
        "06 · execve and exit",
        f"# 06: A child that has not called execve yet\n{_FORKED}child write 0x30000 9\n",
        tries=("child execve ls", "child exit", "shell write 0x31000 8"),
    ),
    "07": Preset(
        "07 · mremap",
        f"# 07: Shared pages that are about to move\n{_FORKED}child write 0x30000 99\n",
        ("anongroup", "anon_vma_chain"),
        ("child mremap 0x30000 4 to 0x80000", "shell mremap 0x30000 4 to 0x50000"),
    ),
    "08": Preset(
        "08 · The walk, swap-out and reclaim",
        f"# 08: Three processes, one page: who maps it?\n{_FORKED}grandchild = fork child\n",
        tries=("shell swap_out 0x30000", "child read 0x30000", "reclaim 3"),
    ),
    "09": Preset(
        "09 · Designs compared",
        "# 09: A server and its workers\nmachine lesson frames 32 swap 8\n"
        "server = spawn\nserver mmap 0x30000 3\nserver write 0x30000 1 3\n"
        "w1 = fork server\nw2 = fork server\n",
        ("anongroup", "anon_vma_chain"),
        ("w1 write 0x30000 11", "w3 = fork server", "w2 exit"),
    ),
}
"""A beginning for each lesson, by number."""


def preset(name: str) -> Preset:
    """Return the preset of a lesson ("05"), of the library ("prefork"), or "" for a small start.

    raises  ValueError with the names that there are
    """
    if name in LESSONS:
        return LESSONS[name]
    if not name:
        return Preset("a small start", START)
    if name in library.names():
        return Preset(name, library.text(name))
    raise ValueError(f"there is no preset {name!r}: there are {', '.join(every())}")


def every() -> list[str]:
    """Return the names of all presets."""
    return [*LESSONS, *library.names()]


def checked_designs(designs: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of designs that stand side by side, or raise ValueError."""
    for name in designs:
        if name not in DESIGNS:
            raise ValueError(f"design is one of {', '.join(DESIGNS)}; got {name!r}")
    if len(set(designs)) < len(designs) or len(designs) > MOST_TRACKS:
        raise ValueError(f"one to {MOST_TRACKS} different designs stand side by side")
    return designs
