"""What one page-table entry looks like: its colours, icons and words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from anonlab.machine.words import PTE_SHIFT, PTE_WRITE, ZERO_PFN, is_present, swp_offset
from anonlab.view.player.facts import Fact
from anonlab.view.player.links import tags
from anonlab.view.stage.cells import State
from anonlab.view.story.reading import Reading, ranges


def character(reading: Reading, word: int) -> tuple[object, ...]:
    """What must be equal for two neighbouring pages to share a cell at one step."""
    if not is_present(word):
        return ("swap",)
    pfn = word >> PTE_SHIFT
    frame = reading.frames.get(pfn)
    mapping = frame.mapping if frame else ""
    return (word & (1 << PTE_SHIFT) - 1, pfn == ZERO_PFN, mapping, reading.owners[pfn])


def looks(reading: Reading, pfn: int, word: int) -> tuple[str, str, str]:
    """Return CSS classes, icons and words for a present page."""
    frame = reading.frames.get(pfn)
    mappers = reading.owners.get(pfn, ())
    writable = bool(word & PTE_WRITE)
    look, icon = ("write", "") if writable else ("read", "lock")
    words = ["writable" if writable else "read-only"]
    if pfn == ZERO_PFN:
        return "zero", "zero", f"the zero page, {words[0]}"
    if frame and "anon" not in frame.flags:
        look, icon = f"file {look}-too", f"{icon} file".strip()
        words.append(f"of {frame.mapping}")
    if len(mappers) > 1:
        look += " shared"
        words.append(f"shared by {len(mappers)}")
    return look, icon, ", ".join(words)


def swapped(
    digit: str, where: str, words: list[int], facts: tuple[Fact, ...], near: Iterable[str]
) -> State:
    """Return the state of pages that are in swap slots; `near` are tags of what is around."""
    slots = [int(swp_offset(word)) for word in words]
    told = ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in ranges(sorted(set(slots))))
    centre = f"s{slots[0]}" if len(slots) == 1 else f"×{len(slots)}"
    name = f"{where}, swapped out to slot {told}"
    links = tags((f"s{slot}" for slot in slots), near)
    return State("swap", (digit, centre, "swap"), "swap", name, facts, links)


def frames_spoken(pfns: Sequence[int]) -> str:
    """Return 'frame 3' or 'frames 3 to 5, 9'."""
    told = ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in ranges(sorted(set(pfns))))
    return f"frame {told}" if len(set(pfns)) == 1 else f"frames {told}"
