"""What drills tell: short histories in the making, and the machine after them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from anonlab.course.drills.question import Part
from anonlab.course.judging.state import BeforeAfter, MachineState, before_after
from anonlab.formats.history_text import parse
from anonlab.histories.splitmix import SplitMix64
from anonlab.machine.words import PAGE_SHIFT, PTE_PRESENT, PTE_SHIFT, PTE_WRITE

BASE = 0x30
"""The first page of most stories."""


class Shape(NamedTuple):
    """What a maker returns: the text, the lines that are shown, and the parts."""

    text: str
    lines: tuple[str, ...]
    parts: tuple[Part, ...]


Maker = Callable[[SplitMix64], Shape]


class Story:
    """A history in the making, line by line; what the machine is after it is the truth."""

    def __init__(self, rng: SplitMix64, pages: int = 0) -> None:
        self.rng = rng
        self.lines: list[str] = []
        self.pages = pages
        self.tag = 0
        if pages:
            self.say("p = spawn", f"p mmap {address(BASE)} {pages}")

    def say(self, *lines: str) -> None:
        """Add lines."""
        self.lines += lines

    def write(self, who: str, vpn: int, pages: int = 1) -> None:
        """Let `who` write; every write has numbers of its own."""
        self.tag += 10
        more = f" {pages}" if pages > 1 else ""
        self.say(f"{who} write {address(vpn)} {self.tag}{more}")

    def read(self, who: str, vpn: int, pages: int = 1) -> None:
        """Let `who` read."""
        self.say(f"{who} read {address(vpn)}{f' {pages}' if pages > 1 else ''}")

    def fork(self, child: str, parent: str = "p") -> None:
        """Let `parent` fork."""
        self.say(f"{child} = fork {parent}")

    def some(self) -> tuple[int, int]:
        """Return the first page and the length of a stretch of the story's pages."""
        length = self.rng.between(1, self.pages)
        return BASE + self.rng.below(self.pages - length + 1), length

    def steps(self, design: str = "anongroup") -> tuple[BeforeAfter, ...]:
        """Return every operation with the machine before and after it; none may fail."""
        steps = before_after(parse("\n".join(self.lines) + "\n"), design)
        failed = [step for step in steps if step.outcome.error]
        assert not failed, f"{failed[0].op}: {failed[0].outcome.error}"
        return steps

    def after(self, design: str = "anongroup") -> MachineState:
        """Return the machine after the story."""
        return self.steps(design)[-1].after

    def shape(self, text: str, *parts: Part) -> Shape:
        """Return a shape that shows this story."""
        return Shape(text, tuple(self.lines), parts)


def address(vpn: int) -> str:
    """Return the address of a page."""
    return f"{vpn << PAGE_SHIFT:#x}"


def used(state: MachineState) -> int:
    """How many frames are in use; the zero page does not count."""
    return sum(count > 0 for count in state.count[1:])


def pfn_of(state: MachineState, who: str, vpn: int) -> int:
    """The frame that `who` maps at `vpn`; 0 for the zero page and for nothing."""
    word = state.words[who].get(vpn, 0)
    return word >> PTE_SHIFT if word & PTE_PRESENT else 0


def writable(state: MachineState, who: str, vpn: int) -> bool:
    """Whether the word of `who` at `vpn` has WRITE on."""
    return bool(state.words[who].get(vpn, 0) & PTE_WRITE)


def mapped(state: MachineState, who: str) -> list[int]:
    """The pages of `who` that map a frame of their own, ascending."""
    return [vpn for vpn in sorted(state.words[who]) if pfn_of(state, who, vpn)]
