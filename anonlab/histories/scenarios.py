"""Histories of any size, with the pages that are worth a walk at their end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from anonlab.formats.history import History
from anonlab.formats.history_text import parse
from anonlab.machine.words import PAGE_SIZE

Place = tuple[str, int]
"""(process, byte address)."""


@dataclass(frozen=True)
class Scenario:
    """A history, and which of its pages to look for afterwards: {claim: places of pages}."""

    history: History
    walks: dict[str, tuple[Place, ...]] = field(default_factory=dict)


SHARED, MIDDLE, PARENTS, LAST, FIRST, OWN = (0x30000 + page * PAGE_SIZE for page in range(6))
"""One page of `prefork` for each question."""
MOVED = 0x80000
"""Where `movers` move to."""


def _in_range(what: str, number: int) -> None:
    if not 1 <= number <= 10_000:
        raise ValueError(f"{what} must be from 1 to 10000, got {number}")


def _scenario(lines: list[str], walks: dict[str, tuple[Place, ...]]) -> Scenario:
    return Scenario(parse("\n".join(lines) + "\n"), walks)


def prefork(children: int = 10) -> Scenario:
    """A server forks `children` workers, none of which ever calls execve or exit.

    Each worker writes a page of its own; some pages stay shared by all, or by two.
    raises  ValueError unless 1 <= children <= 10,000
    """
    _in_range("children", children)
    workers = [f"c{number}" for number in range(1, children + 1)]
    middle = workers[(children + 1) // 2 - 1]
    lines = [
        f"machine x86_32 frames {3 * children + 64} swap 0",
        "server = spawn",
        f"server mmap {SHARED:#x} 6",
        f"server write {SHARED:#x} 1 6",
        *(f"{worker} = fork server" for worker in workers),
        f"{middle} write {MIDDLE:#x} 100",
        f"server write {PARENTS:#x} 101",
        *(f"{who} write {LAST:#x} 102" for who in ("server", *workers) if who != workers[-1]),
        *(f"{who} write {FIRST:#x} 103" for who in ("server", *workers) if who != workers[0]),
        *(f"{worker} write {OWN:#x} 104" for worker in workers),
    ]
    walks: dict[str, tuple[Place, ...]] = {
        "the own page of the middle child": ((middle, MIDDLE),),
        "the parent's own page": (("server", PARENTS),),
        "a page that all share": (("server", SHARED),),
        "the parent's page that only the last child kept": ((workers[-1], LAST),),
        "the parent's page that only the first child kept": ((workers[0], FIRST),),
        "the own pages of all children": tuple((worker, OWN) for worker in workers),
    }
    return _scenario(lines, walks)


def written_in_place(children: int = 10) -> Scenario:
    """As `prefork`; then the last worker writes a page of its parent's that nobody else has kept.

    raises  ValueError unless 1 <= children <= 10,000
    """
    before = prefork(children).history
    last = f"c{children}"
    op = parse(f"{last} = spawn\n{last} mmap {LAST:#x} 1\n{last} write {LAST:#x} 105\n").ops[-1]
    history = History((*before.ops, op), before.machine)
    return Scenario(history, {"a page that was the parent's": ((last, LAST),)})


def fork_chain(depth: int = 10) -> Scenario:
    """Each generation forks the next and exits; only the last one lives.

    raises  ValueError unless 1 <= depth <= 10,000
    """
    _in_range("depth", depth)
    lines = [
        "machine x86_32 frames 64 swap 0",
        "g0 = spawn",
        f"g0 mmap {SHARED:#x} 2",
        f"g0 write {SHARED:#x} 1 2",
    ]
    for old in range(depth):
        lines += [f"g{old + 1} = fork g{old}", f"g{old} exit"]
    last = f"g{depth}"
    lines.append(f"{last} write {MIDDLE:#x} 9")
    walks: dict[str, tuple[Place, ...]] = {
        "the page of the first generation": ((last, SHARED),),
        "the own page of the last generation": ((last, MIDDLE),),
    }
    return _scenario(lines, walks)


def pipeline(commands: int = 10) -> Scenario:
    """A shell starts `commands` programs: each child writes one page, then calls execve.

    raises  ValueError unless 1 <= commands <= 10,000
    """
    _in_range("commands", commands)
    programs = [f"c{number}" for number in range(1, commands + 1)]
    lines = [
        f"machine x86_32 frames {6 * commands + 64} swap 0",
        "shell = spawn",
        f"shell mmap {SHARED:#x} 6",
        f"shell write {SHARED:#x} 1 6",
    ]
    for who in programs:
        lines += [f"{who} = fork shell", f"{who} write {OWN:#x} 2", f"{who} execve program"]
        lines += [f"{who} mmap {SHARED:#x} 2", f"{who} write {SHARED:#x} 3 2"]
    walks: dict[str, tuple[Place, ...]] = {
        "a page of the shell": (("shell", SHARED),),
        "a page of every program": tuple((who, SHARED) for who in programs),
    }
    return _scenario(lines, walks)


def movers(children: int = 10) -> Scenario:
    """Children that share four pages with their parent move them, and each writes one of them.

    raises  ValueError unless 1 <= children <= 10,000
    """
    _in_range("children", children)
    names = [f"c{number}" for number in range(1, children + 1)]
    lines = [
        f"machine x86_32 frames {6 * children + 64} swap 0",
        "parent = spawn",
        f"parent mmap {SHARED:#x} 4",
        f"parent write {SHARED:#x} 1 4",
    ]
    for who in names:
        lines += [f"{who} = fork parent", f"{who} mremap {SHARED:#x} 4 to {MOVED:#x}"]
        lines += [f"{who} write {MOVED:#x} 9"]
    walks: dict[str, tuple[Place, ...]] = {
        "a page that was moved and written": tuple((who, MOVED) for who in names),
        "a page that was moved only": tuple((who, MOVED + PAGE_SIZE) for who in names),
    }
    return _scenario(lines, walks)


def swap_storm(children: int = 10) -> Scenario:
    """Memory runs out under a server: all of its pages, and those of its workers, go to swap, and
    all workers bring the shared ones back.

    raises  ValueError unless 1 <= children <= 10,000
    """
    _in_range("children", children)
    names = [f"c{number}" for number in range(1, children + 1)]
    lines = [
        f"machine x86_32 frames {4 * children + 64} swap {4 * children + 64}",
        "server = spawn",
        f"server mmap {SHARED:#x} 6",
        f"server write {SHARED:#x} 1 6",
        *(f"{who} = fork server" for who in names),
        *(f"{who} write {OWN:#x} 2" for who in names),
        f"server swap_out {SHARED:#x} 6",
        *(f"{who} swap_out {OWN:#x} 1" for who in names),
        *(f"{who} read {SHARED:#x} 2" for who in names),
    ]
    return _scenario(lines, {"a page that came back": ((names[0], SHARED),)})


SCENARIOS: dict[str, Callable[[int], Scenario]] = {
    "prefork": prefork,
    "written_in_place": written_in_place,
    "fork_chain": fork_chain,
    "pipeline": pipeline,
    "movers": movers,
    "swap_storm": swap_storm,
}
"""By name; the number is how many processes are forked."""
