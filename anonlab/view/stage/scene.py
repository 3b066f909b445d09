"""What a static picture shows: one moment, the one before it if there is one, and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from anonlab.machine.words import PTE_SHIFT, PTE_WRITE, ZERO_PFN, is_present, swp_offset
from anonlab.view.story.reading import Frame, Moment
from anonlab.view.story.words import say

SIGNS = {"N": "new", "C": "changed", "G": "gone"}


def state_of(word: int) -> str:
    """Return what a word that is not 0 is: write, read, zero or swap."""
    if not is_present(word):
        return "swap"
    if word >> PTE_SHIFT == ZERO_PFN:
        return "zero"
    return "write" if word & PTE_WRITE else "read"


def place_of(word: int) -> int:
    """Return the frame of a present word, the swap slot of another one."""
    return int(word >> PTE_SHIFT if is_present(word) else swp_offset(word))


@dataclass(frozen=True)
class Scene:
    """One moment to draw. `letters` {mm: its letter}."""

    now: Moment
    before: Moment | None
    letters: Mapping[int, str]

    @cached_property
    def words(self) -> dict[tuple[int, int], int]:
        """{(mm, vpn): word} of all entries."""
        return _words(self.now)

    @cached_property
    def gone(self) -> dict[tuple[int, int], int]:
        """The entries that were there before and are not now."""
        old = _words(self.before) if self.before else {}
        return {page: word for page, word in old.items() if page not in self.words}

    @cached_property
    def signs(self) -> dict[str, str]:
        """{key: N, C or G} of everything that differs from the moment before."""
        if self.before is None:
            return {}
        old = _words(self.before)
        rows = [(f"p{mm}-{vpn}", _seen(old.get((mm, vpn))), _seen(self.words.get((mm, vpn))))
                for mm, vpn in old.keys() | self.words.keys()]  # fmt: skip
        was, now = self.before, self.now
        rows += [(f"f{pfn}", _frame(was.frames.get(pfn)), _frame(now.frames.get(pfn)))
                 for pfn in was.frames.keys() | now.frames.keys()]  # fmt: skip
        rows += [(f"m{mm}", mm in was.spaces or None, mm in now.spaces or None)
                 for mm in was.spaces.keys() | now.spaces.keys()]  # fmt: skip
        rows += [(f"s{slot}", was_slots.get(slot), now_slots.get(slot))
                 for was_slots, now_slots in [(slots_of(was), slots_of(now))]
                 for slot in was_slots.keys() | now_slots.keys()]  # fmt: skip
        return {key: _sign_of(a, b) for key, a, b in rows if a != b}

    def sign(self, key: str) -> str:
        """Return N, C, G, or '' where nothing differs."""
        return self.signs.get(key, "")

    def areas_sign(self, mm: int) -> str:
        """Return what became of the areas of an address space that stays: N, C, G, or ''; C if not
        all of them fared alike."""
        if self.before is None or mm not in self.before.spaces or mm not in self.now.spaces:
            return ""
        was, now = ({vma.start_vpn: vma for vma in moment.spaces[mm].fact.vmas}
                    for moment in (self.before, self.now))  # fmt: skip
        return _one_sign({_sign_of(was.get(at), now.get(at)) for at in was.keys() | now.keys()})

    def leaf_sign(self, mm: int, prefix: int) -> str:
        """Return what became of the leaf table for `prefix`: N, C, G, or ''."""
        if self.before is None or mm not in self.now.spaces:
            return ""
        old = self.before.spaces.get(mm)
        was, now = old.leaves if old else {}, self.now.spaces[mm].leaves
        return _sign_of(was.get(prefix), now.get(prefix))

    def name(self, seen: list[str], more: str, sign: str) -> str:
        """Return the name of an option: what one sees first, then the rest."""
        shown = " ".join([*filter(None, seen), *([say(f"mark.{sign}")] if sign else [])])
        change = f", {say(f'sign.{SIGNS[sign]}')}" if sign else ""
        return f"{shown}; {more}{change}"


def _sign_of(was: object, now: object) -> str:
    """Return N, C, G, or '' where both are equal; None is nothing."""
    return "" if was == now else "N" if was is None else "G" if now is None else "C"


def _one_sign(signs: set[str]) -> str:
    return "C" if len(signs - {""}) > 1 else "".join(signs)


def _words(moment: Moment) -> dict[tuple[int, int], int]:
    return {
        (mm, vpn): word for mm, space in moment.spaces.items() for vpn, word in space.words.items()
    }


def _seen(word: int | None) -> object:
    return None if word is None else (is_present(word), place_of(word), bool(word & PTE_WRITE))


def _frame(frame: Frame | None) -> object:
    if frame is None:
        return None
    return (frame.mapcount, frame.data, frame.count, frame.index, frame.mapping, frame.private)


def slots_of(moment: Moment) -> dict[int, tuple[int, int, int]]:
    """Return {swap slot in use: (count, content, cached pfn)}."""
    snapshot = moment.snapshot
    columns = (snapshot.swap_slot, snapshot.swap_count, snapshot.swap_data, snapshot.swap_pfn)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {slot: (count, data, pfn) for slot, count, data, pfn in rows}
