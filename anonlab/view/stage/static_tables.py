"""The page tables of a static picture: three beside each other, more of them below, on one grid."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from anonlab.formats.snapshot import VmaFact
from anonlab.view.stage.lettering import BOLD, MONO, first_that_fits, fit, width_of
from anonlab.view.stage.scene import Scene, place_of, state_of
from anonlab.view.stage.shapes import Box, Group, Option, Point, Words
from anonlab.view.stage.static_lines import Line, table_lines
from anonlab.view.story.reading import is_whole
from anonlab.view.story.words import say

MOST_BESIDE = 3
WIDTHS = {1: (230.0, 26.0), 2: (206.0, 26.0), 3: (170.0, 16.0)}
"""{tables beside each other: (px of one, px between two)}."""
LEFT, PITCH, BOX = 12.0, 32.0, 23.0
_LOOKS_TAKEN = 186.0
"""px below which a table has no icons and short words."""


class Tail(NamedTuple):
    """Where an arrow begins, and what it is for: the entries `pages` of one line, which go to the
    same place. `lane` is the height at which it passes other tables, -1 for none."""

    mm: int
    pages: tuple[int, ...]
    state: str
    place: int
    at: Point
    lane: float
    changed: bool


class Band:
    """Up to three tables beside each other, from `top` px down."""

    def __init__(self, scene: Scene, mms: Sequence[int], top: float) -> None:
        self.scene, self.mms, self.top = scene, mms, top
        self.geometry = scene.now.snapshot.geometry
        self.whole = is_whole(self.geometry)
        self.width, gap = WIDTHS[max(1, min(MOST_BESIDE, len(mms)))]
        self.xs = [LEFT + at * (self.width + gap) for at in range(len(mms))]
        self.right = self.xs[-1] + self.width if self.xs else LEFT
        self.slim = self.width < _LOOKS_TAKEN
        self.room = (66.0 if self.slim else 70.0) if self.whole else 88.0
        self.lines = table_lines(self.geometry, self._areas(), self._likeness())
        self.rows = top + (76 if self.whole else 46)
        self.bottom = self.rows + len(self.lines) * PITCH
        self.tails: list[Tail] = []

    def _areas(self) -> Iterator[VmaFact]:
        for mm in self.mms:
            yield from self.scene.now.spaces[mm].fact.vmas

    def _likeness(self) -> dict[int, Hashable]:
        looks: dict[int, list[Hashable]] = {}
        both = {**self.scene.gone, **self.scene.words}
        for (mm, vpn), word in both.items():
            if mm in self.mms:
                sign = self.scene.sign(f"p{mm}-{vpn}")
                looks.setdefault(vpn, []).append((mm, state_of(word), sign))
        return {vpn: tuple(look) for vpn, look in looks.items()}

    def groups(self) -> Iterator[Group]:
        """Yield the tables; fills `tails`."""
        for column, mm in enumerate(self.mms):
            yield _Table(self, mm, column).group()


class _Table:
    """One page table of a band."""

    def __init__(self, band: Band, mm: int, column: int) -> None:
        self.band, self.scene, self.mm, self.column = band, band.scene, mm, column
        self.space = self.scene.now.spaces[mm]
        self.who = self.scene.now.who(mm)
        self.x, self.width = band.xs[column], band.width
        self.boxes: list[Box] = []
        self.words: list[Words] = []
        self.options: list[Option] = []
        self.marks: list[tuple[str, Point]] = []

    def group(self) -> Group:
        self._head()
        for number, line in enumerate(self.band.lines):
            y = self.band.rows + number * PITCH + PITCH / 2
            if line.kind == "title":
                self._title(line, y)
            elif line.kind == "more":
                self._more(line, y)
            elif used := self._used(line):
                self._entries(line, used, y)
            elif self._covered(line):
                self._empty(line, y)
        name = say("picture.table", who=self.who)
        top = self.band.top
        rules = (f"M{self.x:g} {top + 50.5:g}H{self.x + self.width:g}",) * self.band.whole
        shapes = (tuple(self.boxes), tuple(self.words), tuple(self.options))
        return Group(name, self.mm, *shapes, rules, tuple(self.marks))

    def _head(self) -> None:
        x, top, right = self.x, self.band.top, self.x + self.width
        letter = self.scene.letters[self.mm]
        start = x + 8 + width_of(letter, 15, BOLD)
        sign = self.scene.sign(f"m{self.mm}")
        room = right - start
        name = fit(self.who, room, 15, BOLD)
        self.words.append(Words(x, top + 21, letter, "letter"))
        self.words.append(Words(start, top + 21, name, "title"))
        left = room - width_of(name, 15, BOLD) - 12
        home = f" · {self.space.fact.home}" if self.space.fact.home else ""
        more = first_that_fits([f"mm {self.mm}{home}", f"mm {self.mm}"], left, 12)
        if sign == "N":
            more = first_that_fits([say("sign.new")], left, 12)
        if more:
            self.words.append(Words(right, top + 21, more, "muted", "end"))
        sign = self.scene.areas_sign(self.mm)
        text = self._areas_text(self.width - (24 if sign else 0))
        self.words.append(Words(x, top + 39, text, "muted code"))
        if sign:
            self.marks.append((sign, (x + width_of(text, 12, MONO) + 14, top + 33)))
        if self.band.whole:
            self._strip()

    def _areas_text(self, room: float) -> str:
        vmas, shape = self.space.fact.vmas, self.band.geometry
        if not vmas:
            return say("picture.no-area")
        tries = []
        for pages in (True, False):
            told = []
            for vma in vmas:
                count = say("picture.pages", n=vma.end_vpn - vma.start_vpn) if pages else ""
                shared = say("picture.shared") if vma.shared else ""
                parts = [shape.address(vma.start_vpn), count, vma.prot, shared, vma.file]
                told.append(" ".join(filter(None, parts)))
            tries.append(", ".join(told))
        last = say("picture.areas", n=len(vmas)) if len(vmas) > 1 else tries[1]
        return first_that_fits([*tries, last], room, 12, MONO) or fit(last, room, 12, MONO)

    def _strip(self) -> None:
        """Draw the areas on a ruler and the top table as a strip of cells below it."""
        slots, top = self.band.geometry.slots, self.band.top
        cell, pages = self.width / slots, slots * slots
        for vma in self.space.fact.vmas:
            wide = max(4.0, self.width * (vma.end_vpn - vma.start_vpn) / pages)
            at = min(self.x + self.width - wide, self.x + self.width * vma.start_vpn / pages)
            paint = "file area" if vma.file else "area"
            self.boxes.append(Box(round(at, 1), top + 44, round(wide, 1), 6, 0, paint))
        for slot in range(slots):
            paint = "on" if slot in self.space.leaves else "off"
            x = self.x + slot * cell
            self.boxes.append(Box(round(x, 2), top + 54, round(cell, 2), 18, 0, paint))
            ink = "accent-ink" if paint == "on" else ""
            middle = round(x + cell / 2, 1)
            self.words.append(
                Words(middle, top + 67.3, f"{slot:x}", "muted code", "middle", ink=ink)
            )

    def _title(self, line: Line, y: float) -> None:
        """Draw the slots that lead to a leaf table."""
        shape = self.band.geometry
        prefix = line.first >> shape.bits
        first, last = prefix << shape.bits, (prefix + 1 << shape.bits) - 1
        has = prefix in self.space.leaves or shape.levels == 1
        whole = Line("run", first, last)
        sign = self.scene.leaf_sign(self.mm, prefix)
        if not has and not sign and not self._covered(whole) and not self._used(whole):
            return
        if sign:
            self.marks.append((sign, (self.x + self.width - 13, y)))
        if shape.levels == 1:
            self.words.append(Words(self.x, y + 4.5, say("picture.only-table"), "muted"))
            return
        path = [prefix >> shape.bits * up & shape.slots - 1 for up in range(shape.levels - 1)][::-1]
        x = self.x
        if self.band.whole:
            x = self._chip(x, y, f"{path[0]:x}", 18, 3, has)
            key = "picture.leaf" if has else "picture.no-leaf"
            self.words.append(Words(x + 7, y + 4.5, say(key, slot=f"{path[0]:x}"), "muted"))
            return
        wide = [12 + width_of(str(slot), 12, MONO) for slot in path]
        while len(path) > 1 and sum(wide) + 13 * len(wide) > self.width - (26 if sign else 0):
            path, wide = path[1:], wide[1:]
        for slot, width in zip(path, wide, strict=True):
            x = self._chip(x, y, str(slot), width, 9, has)
            self.words.append(Words(x + 3, y + 4.5, "›", "muted"))
            x += 13

    def _chip(self, x: float, y: float, text: str, width: float, radius: float, on: bool) -> float:
        paint = "on" if on else "missing"
        self.boxes.append(Box(round(x, 1), y - 9.5, round(width, 1), 19, radius, paint))
        ink = "accent-ink" if on else ""
        middle = round(x + width / 2, 1)
        self.words.append(Words(middle, y + 4.5, text, "muted code", "middle", ink=ink))
        return x + width

    def _used(self, line: Line) -> list[tuple[int, int]]:
        """Return (vpn, word) of the entries of a line, those that are gone now included."""
        both = (self.scene.words, self.scene.gone)
        vpns = range(line.first, line.last + 1) if line.pages < 4096 else ()
        return [(vpn, words[self.mm, vpn]) for vpn in vpns for words in both
                if (self.mm, vpn) in words]  # fmt: skip

    def _covered(self, line: Line) -> bool:
        vmas = self.space.fact.vmas
        return any(vma.start_vpn <= line.last and vma.end_vpn > line.first for vma in vmas)

    def _box(self, y: float, paint: str) -> Box:
        room = self.band.room
        return Box(self.x + room, y - BOX / 2, self.width - room - 2, BOX, 5, paint)

    def _address(self, vpn: int, y: float) -> Words:
        shape = self.band.geometry
        text = shape.address(vpn)
        bold = (0, 0)
        if not self.band.whole:
            slot = str(vpn & shape.slots - 1)
            text, bold = f"{slot} …{text[-6:]}", (0, len(slot))
        elif shape.slots == 16:
            bold = (len(text) - 4, len(text) - 3)
        return Words(self.x, y + 4.5, text, "code", bold=bold)

    def _entries(self, line: Line, used: list[tuple[int, int]], y: float) -> None:
        if line.kind == "row":
            self._slot(*used[0], y)
        else:
            self._run(line, used, y)

    def _slot(self, vpn: int, word: int, y: float) -> None:
        """Draw one entry, or where one was."""
        key = f"p{self.mm}-{vpn}"
        sign = self.scene.sign(key)
        gone = (self.mm, vpn) not in self.scene.words
        state, place = ("gone" if gone else state_of(word)), place_of(word)
        box = self._box(y, state)
        label = self._address(vpn, y)
        icon = state if state in ("write", "read", "zero") and not self.band.slim else ""
        start, right = box.x + (33 if icon else 16), self.x + self.width - 17
        number = "" if gone else str(place)
        room = right - start - width_of(number, 13, BOLD) - 6
        text = fit(first_that_fits(self._state_words(state, vpn), room, 12)
                   or self._state_words(state, vpn)[-1], room, 12)  # fmt: skip
        words = [label, Words(start, y + 4.4, text, "small")]
        words += [Words(right, y + 4.6, number, "strong", "end")] if number else []
        args = {"vpn": vpn, "who": self.who, "pfn": place, "slot": place}
        more = say("slot.none" if gone else f"slot.{state}", **args)
        name = self.scene.name([label.text, text, number], more, sign)
        self.options.append(Option(key, name, box, tuple(words), icon, (box.x + 16, y - 1), sign,
                                   (box.x, y)))  # fmt: skip
        if not gone:
            self._tail((vpn,), state, place, y, bool(sign))

    def _state_words(self, state: str, vpn: int) -> list[str]:
        if state == "gone":
            return [say("state.gone")]
        words = [say(f"state.{state}"), say(f"state.{state}-short")]
        vma = self.scene.now.vma_at(self.mm, vpn)
        if vma is None or not vma.shared or state not in ("write", "read"):
            return words
        shared = say("picture.shared")
        return [f"{words[0]}, {shared}", f"{words[1]}, {shared}", shared]

    def _run(self, line: Line, used: list[tuple[int, int]], y: float) -> None:
        """Draw pages that are alike as one line; an arrow for each place that they go to."""
        states = {state_of(word) for _, word in used}
        signs = {self.scene.sign(f"p{self.mm}-{vpn}") for vpn, _ in used}
        sign = signs.pop() if len(signs) == 1 else "C"
        box = self._box(y, states.pop() if len(states) == 1 else "strip")
        label = self._address(line.first, y)
        here = [(vpn, word) for vpn, word in used if (self.mm, vpn) in self.scene.words]
        frames = span_text([place_of(word) for _, word in here])
        text = say("run.pages", n=line.pages)
        words = [label, Words(box.x + 16, y + 4.4, text, "small")]
        right = self.x + self.width - 17
        if width_of(text, 12) + width_of(frames, 13, BOLD) > right - box.x - 22:
            frames = ""
        words += [Words(right, y + 4.6, frames, "strong", "end")] if frames else []
        args = {"n": line.pages, "first": line.first, "last": line.last, "who": self.who}
        more = say("run.all-name", mapped=len(here), frames=frames, **args)
        name = self.scene.name([label.text, text, frames], more, sign)
        key = f"r{self.mm}-{line.first}"
        self.options.append(Option(key, name, box, tuple(words), sign=sign, mark=(box.x, y)))
        for vpn, word in here:
            self._tail((vpn,), state_of(word), place_of(word), y, bool(sign))

    def _tail(
        self, pages: tuple[int, ...], state: str, place: int, y: float, changed: bool
    ) -> None:
        band = self.band
        others = len(band.mms) - 1 - self.column
        lane = y + PITCH / 2 + (self.column - (len(band.mms) - 2) / 2) * 4 if others else -1.0
        at = (self.x + self.width - 2, y)
        band.tails.append(Tail(self.mm, pages, state, place, at, lane, changed))

    def _empty(self, line: Line, y: float) -> None:
        box, label = self._box(y, "none"), self._address(line.first, y)
        if line.kind == "row":
            text = say("state.none")
            key, more = f"p{self.mm}-{line.first}", say("slot.none", vpn=line.first, who=self.who)
        else:
            text = say("run.empty", n=line.pages)
            key, more = (
                f"r{self.mm}-{line.first}",
                say("run.empty-name", n=line.pages, who=self.who),
            )
        words = (label, Words(box.x + 16, y + 4.4, fit(text, box.width - 20, 12), "small"))
        name = self.scene.name([label.text, text], more, "")
        self.options.append(Option(key, name, box, words))

    def _more(self, line: Line, y: float) -> None:
        if self.column == 0:
            self.words.append(Words(self.x, y + 4.5, say("run.more", n=line.pages), "muted"))


def span_text(numbers: Sequence[int]) -> str:
    """Return '5–80' for numbers that follow each other, else how many there are."""
    some = sorted(set(numbers))
    if not some:
        return ""
    if len(some) == 1:
        return str(some[0])
    if some[-1] - some[0] + 1 == len(some):
        return f"{some[0]}–{some[-1]}"
    return f"{len(some)}×"
