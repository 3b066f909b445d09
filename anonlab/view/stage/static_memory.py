"""Physical memory and swap of a static picture, and the arrows that end there."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import groupby

from anonlab.formats.snapshot import FileFact
from anonlab.machine.words import PTE_WRITE, ZERO_PFN, is_present
from anonlab.view.stage.lettering import BOLD, first_that_fits, fit, width_of
from anonlab.view.stage.scene import Scene, slots_of
from anonlab.view.stage.shapes import Arrow, Box, Group, Option, Point, Words
from anonlab.view.stage.static_lines import Line, frame_lines
from anonlab.view.stage.static_tables import PITCH, Tail
from anonlab.view.story.reading import Frame
from anonlab.view.story.words import say

TOP, TALL, LOW = 52.0, 62.0, 30.0
"""px: first frame, pitch of frames of two lines, pitch of frames of one."""
MOST_TALL = 8
_SPREAD = 13.0
"""px between two arrows that end at one frame, at most."""
MOST_ARROWS = 400


class Memory:
    """Frames and swap slots in a column of `width` px from `x` on."""

    def __init__(self, scene: Scene, x: float, width: float) -> None:
        self.scene, self.x, self.width = scene, x, width
        self.files = {file.mapping: file for file in scene.now.snapshot.files}
        self.mappings = dict(
            zip(scene.now.snapshot.pfn.tolist(), scene.now.snapshot.mapping.tolist(), strict=True)
        )
        self.users = _users(scene)
        self.ends: dict[tuple[str, int], tuple[float, float]] = {}  # (y, height) by frame or slot
        self.options: list[Option] = []
        self.words: list[Words] = []
        self.bottom = self._frames()
        self.swap: list[Option] = []
        self.swap_words: list[Words] = []
        self.bottom = self._swap(self.bottom)

    def groups(self) -> Iterator[Group]:
        """Yield memory, and swap where slots are in use."""
        yield Group(say("picture.memory"), 0, (), tuple(self.words), tuple(self.options))
        if self.swap:
            yield Group(say("swap.group"), 0, (), tuple(self.swap_words), tuple(self.swap))

    def _frames(self) -> float:
        scene, snapshot = self.scene, self.scene.now.snapshot
        used = {pfn: self._likeness(pfn) for pfn in scene.now.frames if pfn != ZERO_PFN}
        changed = [int(key[1:]) for key in scene.signs if key[0] == "f"]
        lines = frame_lines(used, snapshot.nframes, [pfn for pfn in changed if pfn])
        self.words.append(Words(self.x, 21, say("picture.memory"), "title"))
        told = say("picture.used", used=len(scene.now.frames), nframes=snapshot.nframes)
        self.words.append(Words(self.x, 39, told, "muted"))
        y = TOP
        if ZERO_PFN in self.users:
            self._zero(y)
            y += LOW
        tall = len(lines) <= MOST_TALL
        for line in lines:
            height = (TALL if tall else LOW) - 8
            if line.kind == "row":
                self._frame(line.first, y, height)
            elif line.kind == "run":
                self._run(line, y, height)
            else:
                self.words.append(Words(self.x, y + 15, say("frames.more", n=line.pages), "muted"))
            y += height + 8
        return y + self._rest(lines, y)

    def _likeness(self, pfn: int) -> Hashable:
        look, letters = self._look(pfn), tuple(self._letters(pfn))
        return (look, letters, self.mappings.get(pfn))

    def _letters(self, pfn: int) -> list[str]:
        mms = dict.fromkeys(mm for mm, _ in self.users.get(pfn, ()))
        return [self.scene.letters[mm] for mm in mms]

    def _file(self, pfn: int) -> FileFact | None:
        return self.files.get(self.mappings.get(pfn, 0))

    def _look(self, pfn: int) -> str:
        if pfn not in self.scene.now.frames:
            return "gone" if self.scene.sign(f"f{pfn}") == "G" else "free"
        if self._file(pfn) is not None:
            return "file"
        return "write" if any(write for _, write in self.users.get(pfn, ())) else "read"

    def _zero(self, y: float) -> None:
        box = Box(self.x, y, self.width, 22, 6, "zero")
        text = say("frame.zero")
        words = (Words(self.x + 14, y + 15.5, "0", "strong"),
                 Words(self.x + 40, y + 15.5, text, "strong"))  # fmt: skip
        more = say("frame.name", pfn=0, free="", mapcount=0, n=0, owner="")
        self.ends["f", ZERO_PFN] = (y + 11, 22)
        self.options.append(Option("f0", self.scene.name(["0", text], more, ""), box, words))

    def _frame(self, pfn: int, y: float, height: float) -> None:
        frame = self.scene.now.frames.get(pfn)
        sign = self.scene.sign(f"f{pfn}")
        box = Box(self.x, y, self.width, height, 6, self._look(pfn))
        self.ends["f", pfn] = (y + height / 2, height)
        words = self._inside(frame, pfn, box)
        more = say(
            "frame.name",
            pfn=pfn,
            free="" if frame else 1,
            mapcount=frame.mapcount if frame else 0,
            n=frame.mapcount if frame else 0,
            owner=frame.mapping if frame and self._file(pfn) is None else "",
        )
        name = self.scene.name([each.text for each in words], more, sign)
        mark = (self.x + self.width - 1, y + 3)
        self.options.append(Option(f"f{pfn}", name, box, tuple(words), sign=sign, mark=mark))

    def _inside(self, frame: Frame | None, pfn: int, box: Box) -> list[Words]:
        """Return what stands in a frame: two lines of words where there is room, else one."""
        tall = box.height >= 44
        left, right = box.x + 14, box.x + box.width - 14
        base = box.y + (20 if tall else box.height / 2 + 4.6)
        number, each = ("number", 18.0) if tall else ("strong", 13.0)
        start = left + max(26.0, width_of(str(pfn), each, BOLD) + 8)
        words = [Words(left, base + (2 if tall else 0), str(pfn), number)]
        if frame is None:
            return [*words, Words(start, base, say("frame.free"), "plain")]
        holds, sharing = self._holds(frame), self._sharing(pfn)
        letters = " ".join(self._letters(pfn))
        beside = width_of(sharing, 12) + 10 if tall else 0
        letters = fit(letters, box.width / 2, 12, BOLD) if letters else ""
        if not tall:
            beside = width_of(letters, 12, BOLD) + 10 if letters else 0
        what = fit(holds, right - start - beside, 13, BOLD)
        words.append(Words(start, base, what, "strong"))
        if not tall:
            room = right - start - width_of(what, 13, BOLD) - 12 - beside
            if short := first_that_fits([sharing], room, 12):
                at = start + width_of(what, 13, BOLD) + 12
                words.append(Words(at, base, short, "small"))
            return (
                [*words, Words(right, base, letters, "small strong", "end")] if letters else words
            )
        words.append(Words(right, base, sharing, "small", "end"))
        return [*words, *self._second_line(frame, letters, start, box)]

    def _second_line(self, frame: Frame, letters: str, start: float, box: Box) -> Iterator[Words]:
        base = box.y + box.height - 8.5
        left, right = box.x + 14, box.x + box.width - 14
        if letters:
            yield Words(left, base, letters, "small strong")
            start = max(start, left + width_of(letters, 12, BOLD) + 10)
        if self._file(frame.pfn) is None:
            slot = say("frame.slot", slot=frame.private) if frame.private else ""
            args = {"index": frame.index, "count": frame.count, "n": frame.count}
            tries = [slot, say("frame.index-count", **args), say("frame.index", **args)]
            if deep := first_that_fits(tries, right - start, 12):
                yield Words(start, base, deep, "small")

    def _holds(self, frame: Frame) -> str:
        file = self._file(frame.pfn)
        if file is None:
            return say("frame.holds", data=frame.data)
        return say("frame.file", file=file.name, page=frame.index)

    def _sharing(self, pfn: int) -> str:
        users = len(self.users.get(pfn, ()))
        if users > 1:
            return say("frame.shared", n=users)
        return say("frame.one") if users else say("frame.nobody")

    def _run(self, line: Line, y: float, height: float) -> None:
        """Draw neighbouring frames that are alike, or free, as one line."""
        used = sum(pfn in self.scene.now.frames for pfn in range(line.first, line.last + 1))
        look = self._look(line.first)
        box = Box(self.x, y, self.width, height, 6, look)
        args = {"first": line.first, "last": line.last, "used": used, "n": line.pages}
        key = "frames.all" if used else "frames.free"
        letters = " ".join(self._letters(line.first))
        text = fit(say(key, **args), self.width - 40 - width_of(letters, 12, BOLD), 12)
        words = [Words(self.x + 14, y + height / 2 + 4.4, text, "small")]
        if letters:
            right = self.x + self.width - 14
            words.append(Words(right, y + height / 2 + 4.4, letters, "small strong", "end"))
        for pfn in range(line.first, line.last + 1):
            self.ends["f", pfn] = (y + height / 2, height)
        name = self.scene.name([each.text for each in words], say("frames.all-name", **args), "")
        self.options.append(Option(f"rf{line.first}", name, box, tuple(words)))

    def _rest(self, lines: Sequence[Line], y: float) -> float:
        """Say below the frames which have no box: the zero page, and those that are free."""
        first = max((line.last for line in lines), default=0) + 1
        last = self.scene.now.snapshot.nframes - 1
        cut = any(line.kind == "more" for line in lines)
        numbers = "" if cut or first > last else f"{first}–{last}" if first < last else f"{last}"
        zero = ZERO_PFN not in self.users
        if not (zero or numbers):
            return 0
        text = say("frame.rest", zero=zero, numbers=numbers, both=zero and bool(numbers))
        self.words.append(Words(self.x, y + 12, text, "muted"))
        return 22

    def _swap(self, y: float) -> float:
        slots = slots_of(self.scene.now)
        if not slots:
            return y
        told = say("swap.used", used=len(slots), n=self.scene.now.snapshot.nswap)
        self.swap_words.append(Words(self.x, y + 24, told, "title"))
        y += 34
        looks = {slot: ("slot", *fact[:1]) for slot, fact in slots.items()}
        known = {slot: looks[slot] for slot in slots}
        for line in frame_lines(known, max(slots) + 1, ()):
            here = [slot for slot in range(line.first, line.last + 1) if slot in slots]
            if not here:
                continue
            self._slot(line, {slot: slots[slot] for slot in here}, y)
            y += LOW
        return y

    def _slot(self, line: Line, facts: dict[int, tuple[int, int, int]], y: float) -> None:
        box = Box(self.x, y, self.width, 22, 6, "swap")
        left, right, base = self.x + 14, self.x + self.width - 14, y + 15.5
        for slot in facts:
            self.ends["s", slot] = (y + 11, 22)
        slot, (count, data, pfn) = next(iter(facts.items()))
        if line.kind == "row":
            number, what = say("swap.slot", slot=slot), say("swap.holds", data=data)
            start = left + width_of(number, 13, BOLD) + 10
            cached = [say("swap.cached", pfn=pfn)] if pfn > 0 else []
            more = first_that_fits(cached, right - start - width_of(what, 12) - 8, 12)
            words = [Words(left, base, number, "strong"),
                     Words(start, base, fit(what, right - start, 12), "small")]  # fmt: skip
            words += [Words(right, base, more, "small", "end")] if more else []
            key, told = f"s{slot}", say("swap.name", slot=slot, free="", pfn=pfn, n=count)
        else:
            args = {"first": line.first, "last": line.last, "used": len(facts), "n": len(facts)}
            words = [Words(left, base, say("swap.run", **args), "small")]
            key, told = f"rs{slot}", say("swap.run-name", **args)
        sign = self.scene.sign(key)
        name = self.scene.name([each.text for each in words], told, sign)
        mark = (self.x + self.width - 1, y + 3)
        self.swap.append(Option(key, name, box, tuple(words), sign=sign, mark=mark))

    def arrows(self, tails: Sequence[Tail], right: float) -> Iterator[Arrow]:
        """Yield an arrow for every entry; those of one line that go to one line share a path."""
        bundles = self._bundles(tails)
        beside: dict[float, list[int]] = {}
        for number, (end, _) in enumerate(bundles):
            beside.setdefault(end[0], []).append(number)
        for number, (end, bundle) in enumerate(bundles[:MOST_ARROWS]):
            y, height = end
            all_there = beside[y]
            step = min(_SPREAD, (height - 10) / len(all_there))
            place = all_there.index(number)
            y += (place - (len(all_there) - 1) / 2) * step
            count = len(bundle)
            if step < _SPREAD and len(all_there) > 1:  # no room for a number each: all in one
                total = sum(len(bundles[other][1]) for other in all_there)
                count = total if place == 0 and total > len(all_there) else 1
            yield from _bundle(bundle, right + 4, (self.x, y), count)

    def left_out(self, tails: Sequence[Tail]) -> int:
        """Return how many arrows there are more than are drawn."""
        return sum(len(bundle) for _, bundle in self._bundles(tails)[MOST_ARROWS:])

    def _bundles(self, tails: Sequence[Tail]) -> list[tuple[tuple[float, float], list[Tail]]]:
        """Return (y and height of the end, entries that share a path); what ends in frames that
        have no line is said there."""
        bundles = [(end, list(each)) for (_, end), each in groupby(tails, self._way)]
        return [(end, bundle) for end, bundle in bundles if end is not None]

    def _way(self, tail: Tail) -> tuple[tuple[int, Point], tuple[float, float] | None]:
        kind = "s" if tail.state == "swap" else "f"
        return (tail.mm, tail.at), self.ends.get((kind, tail.place))


def _users(scene: Scene) -> dict[int, list[tuple[int, bool]]]:
    """Return {frame: (mm, may it write) of every present entry}."""
    out: dict[int, list[tuple[int, bool]]] = {}
    for mm, space in scene.now.spaces.items():
        for word in space.words.values():
            if is_present(word):
                out.setdefault(word >> 12, []).append((mm, bool(word & PTE_WRITE)))
    return out


def _bundle(bundle: Sequence[Tail], across: float, end: Point, arrows: int) -> Iterator[Arrow]:
    """Yield the arrows of entries that share a path; `arrows` is what its head says, if not 1."""
    first = bundle[0]
    (x1, y1), (x2, y2) = first.at, end
    bend = max(18.0, (x2 - (across if first.lane >= 0 else x1)) * 0.5)
    if first.lane >= 0:
        path = (
            f"M{x1:g} {y1:g}C{x1 + 9:g} {y1:g} {x1 + 3:g} {first.lane:g} {x1 + 13:g} {first.lane:g}"
            f"L{across:g} {first.lane:g}"
            f"C{across + bend:g} {first.lane:g} {x2 - 9 - bend:g} {y2:.1f} {x2 - 9:g} {y2:.1f}"
        )
    else:
        path = f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - 9 - bend:g} {y2:.1f} {x2 - 9:g} {y2:.1f}"
    head = f"M{x2:g} {y2:.1f}l-10 -5v10z"
    count = say("arrow.count", n=arrows) if arrows > 1 else ""
    for at, tail in enumerate(bundle):
        slot = tail.place if tail.state == "swap" else -1
        pfn = -1 if tail.state == "swap" else tail.place
        yield Arrow(
            f"p{tail.mm}-{tail.pages[0]}", pfn, slot, tail.state, "" if at else path, head,
            (x1 - 5, y1), tail.changed, "" if at else count, (x2 - 14, y2 - 6),
        )  # fmt: skip


__all__ = ["PITCH", "Memory"]
