"""The page tables of one address space: its VMAs on an address line, and every entry in its slot.

Small tables (the lesson machine) are drawn whole. Large ones are folded to the places that are
ever populated: neighbouring pages that look alike at every step of the trace share one cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log2

from anonlab.formats.snapshot import VmaFact
from anonlab.machine.words import PTE_SHIFT, PTE_WRITE, ZERO_PFN, Geometry, is_present
from anonlab.view.player.facts import mm_fact, pte_fact, table_fact, upper_fact, vma_fact
from anonlab.view.player.links import Links, tags
from anonlab.view.stage.cells import Cell, Panel, Spot, State, fit
from anonlab.view.stage.entries import character, frames_spoken, looks, swapped
from anonlab.view.story.reading import Reading, is_whole, plural, table_names

WIDTH = 336.0
"""px of one panel: eight cells of 42."""
PTE_WIDTH, PTE_HEIGHT, ROW_HEIGHT = 42.0, 54.0, 20.0
_SIZES = {"head": 44.0, "bar": 26.0, "top": 26.0, "leaf": 22.0, "gap": 14.0}
PTE_SPOTS = (Spot(6, 14, "dg"), Spot(20, 32, "pf mid"), Spot(20, 46, "rw mid"))


class TablePanel:
    """The picture of address space `mm` over all `readings` of a trace.

    letters  {mm: letter} of the whole trace
    links    what belongs together in all panels
    """

    def __init__(
        self,
        mm: int,
        readings: Sequence[Reading],
        letters: Mapping[int, str],
        links: Links,
    ) -> None:
        self.mm, self.letter, self.links = mm, letters[mm], links
        self.mine = [reading for reading in readings if mm in reading.spaces]
        self.geometry = self.mine[0].snapshot.geometry
        self.whole = is_whole(self.geometry)
        self.first = readings.index(self.mine[0])
        self.order = {id(reading): at for at, reading in enumerate(readings)}
        self.runs = self._whole_slots() if self.whole else self._folded_runs()
        self._place()

    def _whole_slots(self) -> dict[int, list[range]]:
        """Return {prefix: one range per slot} for every leaf table that ever exists."""
        slots = self.geometry.slots
        prefixes = sorted({at for r in self.mine for at in r.spaces[self.mm].leaves})
        return {
            at: [range(vpn, vpn + 1) for vpn in range(at * slots, (at + 1) * slots)]
            for at in prefixes
        }

    def _folded_runs(self) -> dict[int, list[range]]:
        """Return {prefix: runs of pages that look alike at every step}."""
        stories: dict[int, list[object]] = {}
        for at, reading in enumerate(self.mine):
            for vpn, word in reading.spaces[self.mm].words.items():
                stories.setdefault(vpn, []).append((at, *character(reading, word)))
        runs: dict[int, list[range]] = {}
        for vpn in sorted(stories):
            row = runs.setdefault(vpn >> self.geometry.bits, [])
            if row and row[-1].stop == vpn and stories[vpn - 1] == stories[vpn]:
                row[-1] = range(row[-1].start, vpn + 1)
            else:
                row.append(range(vpn, vpn + 1))
        return runs

    # ---- places ---------------------------------------------------------------------------

    def _place(self) -> None:
        self.name = f"mm{self.mm}"
        self.cells: list[Cell] = []
        self.chips: list[tuple[int, int]] = []
        texts = (Spot(0, 0, "chip"), Spot(26, 16, "h"), Spot(26, 33, "s"))
        self._add(
            "head", "head", 0, 0, WIDTH, _SIZES["head"], (Spot(9, 17, "chip mid"), *texts[1:])
        )
        y = self._place_vmas(_SIZES["head"] + 4)
        y = self._place_top(y) if self.whole else self._place_levels(y)
        for prefix, runs in self.runs.items():
            y = self._place_leaf(y, prefix, runs)
        who = self.mine[0].who(self.mm)
        caption = f"page table of {who}, address space {self.letter}"
        self.panel = Panel(self.name, "spaces", caption, WIDTH, y, tuple(self.cells))

    def _add(
        self, name: str, kind: str, x: float, y: float, w: float, h: float,
        spots: tuple[Spot, ...],
    ) -> None:  # fmt: skip
        self.cells.append(Cell(f"{self.name}-{name}", kind, x, y, w, h, spots))

    def _place_vmas(self, y: float) -> float:
        vmas = [vma for reading in self.mine for vma in reading.spaces[self.mm].fact.vmas]
        edges = sorted({edge for vma in vmas for edge in (vma.start_vpn, vma.end_vpn)})
        self.spans = [
            (low, high)
            for low, high in pairwise(edges)
            if any(vma.start_vpn <= low < vma.end_vpn for vma in vmas)
        ]
        self._add("areas", "cap", 0, y, WIDTH, 16, (Spot(0, 11, "s"),))
        y += 18
        for (low, _), x, width in zip(self.spans, *_line(self.spans), strict=True):
            self._add(f"span-{low:x}", "span", x, y, width, 16, (Spot(width / 2, 12, "sp mid"),))
        y += _SIZES["bar"] if self.spans else 0
        self.starts = sorted({vma.start_vpn for vma in vmas})
        for start in self.starts:
            spots = (Spot(8, 13, "mono"), Spot(_columns(self.geometry), 13, "v"))
            self._add(f"vma-{start:x}", "vma", 0, y, WIDTH, ROW_HEIGHT, spots)
            y += ROW_HEIGHT
        return y + _SIZES["gap"]

    def _place_top(self, y: float) -> float:
        slots = self.geometry.slots
        width = WIDTH / slots
        self._add("top", "cap", 0, y, WIDTH, 16, (Spot(0, 11, "s"),))
        y += 18
        for slot in range(slots):
            spots = (Spot(width / 2, 17, "tp mid"),)
            self._add(f"top-{slot:x}", "top", slot * width, y, width, _SIZES["top"], spots)
        y += _SIZES["top"]
        bottom = y
        for at, prefix in enumerate(self.runs):
            x = (prefix + 0.5) * width
            to = y + _SIZES["gap"] + at * (_SIZES["leaf"] + 2 * PTE_HEIGHT + _SIZES["gap"])
            wire = f"M{x:g} {bottom:g}V{to + 4:g}"
            self.cells.append(Cell(f"{self.name}-wire-{prefix:x}", "wire", 0, 0, 0, 0, (), wire))
        return y + _SIZES["gap"]

    def _place_levels(self, y: float) -> float:
        """A line for every level above the leaves, with the slots that ever lead somewhere."""
        self._add("top", "cap", 0, y, WIDTH, 16, (Spot(0, 11, "s"),))
        y += 18
        for level, name in enumerate(table_names(self.geometry)[:-1]):
            shift, row = self.geometry.bits * (self.geometry.levels - 2 - level), 0
            self._add(f"level-{name}", "cap", 0, y, 40, 24, (Spot(0, 16, "s"),))
            for at, prefix in enumerate(sorted({leaf >> shift for leaf in self.runs})):
                row, column = divmod(at, 7)
                box = (42 + column * PTE_WIDTH + 1, y + row * 24, 40, 22)
                self._add(f"top-{level}-{prefix:x}", "top", *box, (Spot(20, 15, "tp mid"),))
                self.chips.append((level, prefix))
            y += 24 * (1 + row)
        return y + _SIZES["gap"]

    def _place_leaf(self, y: float, prefix: int, runs: list[range]) -> float:
        self._add(f"leaf-{prefix:x}", "cap", 0, y, WIDTH, _SIZES["leaf"], (Spot(0, 15, "s lf"),))
        y += _SIZES["leaf"]
        for place, run in enumerate(runs):
            row, column = divmod(place, 8)
            x, top = column * PTE_WIDTH, y + row * PTE_HEIGHT
            self._add(f"pte-{run.start:x}", "pte", x + 1, top + 1, 40, PTE_HEIGHT - 2, PTE_SPOTS)
        return y + -(-len(runs) // 8) * PTE_HEIGHT + _SIZES["gap"]

    # ---- states ---------------------------------------------------------------------------

    def states(self, reading: Reading) -> dict[str, State]:
        """Return what the cells of this address space show in `reading`."""
        if self.mm not in reading.spaces:
            return {f"{self.name}-head": self._absent(reading)}
        out = {"head": self._head(reading)}
        out |= self._vma_states(reading)
        out |= self._top_states(reading) if self.whole else self._level_states(reading)
        for prefix, runs in self.runs.items():
            out[f"leaf-{prefix:x}"] = self._leaf_state(reading, prefix)
            for run in runs:
                out[f"pte-{run.start:x}"] = self._run_state(reading, run)
        return {f"{self.name}-{name}": state for name, state in out.items()}

    def _absent(self, reading: Reading) -> State:
        early = self.order.get(id(reading), self.first) < self.first
        word = "does not exist yet" if early else "is gone"
        alive = [r for r in self.mine if r.spaces[self.mm].fact.processes] or self.mine
        who = alive[0 if early else -1].who(self.mm)
        title = fit(f"page table of {who}", 300, 15)
        return State("void", (self.letter, title, word), "", f"page table of {who}: {word}")

    def _head(self, reading: Reading) -> State:
        fact = reading.spaces[self.mm].fact
        who = reading.who(self.mm)
        nodes = {node.id: node.label for node in reading.snapshot.nodes}
        home = nodes.get(fact.home, fact.home)
        under = [f"mm {fact.mm}", home, f"top table in row {fact.pgd}"]
        texts = (
            self.letter,
            fit(f"page table of {who}", 300, 15),
            fit(" · ".join(word for word in under if word), 300),
        )
        name = f"page table of {who}, address space {self.letter}"
        links = tags([f"m{self.mm}"], [self.links.thing(fact.home)])
        return State("on", texts, "", name, (mm_fact(fact),), links)

    def _vma_states(self, reading: Reading) -> dict[str, State]:
        vmas = reading.spaces[self.mm].fact.vmas
        out = {f"vma-{vma.start_vpn:x}": self._vma_state(reading, vma) for vma in vmas}
        told = "what it may use: areas (VMAs)" if vmas else "no area (VMA) yet: it may use nothing"
        out["areas"] = State("on", (told,))
        for low, _ in self.spans:
            vma = reading.vma_at(self.mm, low)
            if vma:
                label = vma.prot.strip("-") or "none"
                first = "first" if vma.start_vpn == low else ""
                links = self._area_links(vma)
                out[f"span-{low:x}"] = State(f"{_vma_look(vma)} {first}", (label,), links=links)
            else:
                out[f"span-{low:x}"] = State("void")
        return out

    def _vma_state(self, reading: Reading, vma: VmaFact) -> State:
        address = self.geometry.address(vma.start_vpn)
        words = [plural(vma.end_vpn - vma.start_vpn, "page"), vma.prot]
        words += ["shared" if vma.shared else "private"]
        words += [vma.file + (f" +{vma.pgoff}" if vma.pgoff else "")] if vma.file else []
        words += [f"pgoff {vma.pgoff:#x}"] if not vma.file and vma.pgoff != vma.start_vpn else []
        words += ["locked"] * vma.locked + ["stack"] * vma.growsdown
        words += [refusal] if (refusal := _refusal(reading, self.mm, vma)) else []
        text = " · ".join(words)
        room = WIDTH - _columns(self.geometry)
        name = f"{reading.who(self.mm)}, VMA from {address}: {text}"
        fact = vma_fact(self.mm, vma, self.geometry)
        look, links = _vma_look(vma), self._area_links(vma)
        return State(look, (address, fit(text, room)), "", name, (fact,), links)

    def _area_links(self, vma: VmaFact) -> str:
        file = self.links.thing(f"file {vma.file}") if vma.file else ""
        return tags([f"v{self.mm}-{vma.start_vpn:x}"], [f"m{self.mm}", file])

    def _top_states(self, reading: Reading) -> dict[str, State]:
        leaves = reading.spaces[self.mm].leaves
        out = {"top": State("on", ("what is there: top table, by the first hex digit",))}
        for slot in range(self.geometry.slots):
            digit = f"{slot:x}"
            if slot in leaves:
                fact = table_fact(self.mm, slot, leaves[slot], self.geometry)
                name = f"{reading.who(self.mm)}, top table, slot {digit}: table in row {fact[3]}"
                links = tags([self.links.table(self.mm, 0, slot)])
                out[f"top-{digit}"] = State("used", (digit,), "", name, (fact,), links)
                out[f"wire-{digit}"] = State("on", links=links)
            else:
                out[f"top-{digit}"] = State("empty", (digit,))
        return out

    def _level_states(self, reading: Reading) -> dict[str, State]:
        space, geometry = reading.spaces[self.mm], self.geometry
        out = {"top": State("on", ("what is there: the slots that lead on, level by level",))}
        names = table_names(geometry)
        for name in names[:-1]:
            out[f"level-{name}"] = State("on", (name,))
        for level, prefix in self.chips:
            last = level == geometry.levels - 2
            row = space.leaves.get(prefix) if last else space.uppers.get((level + 1, prefix))
            slot = f"{prefix & geometry.slots - 1:x}"
            if row is None:
                out[f"top-{level}-{prefix:x}"] = State("empty", (slot,))
                continue
            fact = (table_fact(self.mm, prefix, row, geometry) if last else
                    upper_fact(self.mm, level + 1, prefix, row, geometry))  # fmt: skip
            told = f"{reading.who(self.mm)}, {names[level]} slot {slot}: table in row {row}"
            links = tags([self.links.table(self.mm, level, prefix)])
            out[f"top-{level}-{prefix:x}"] = State("used", (slot,), "", told, (fact,), links)
        return out

    def _leaf_state(self, reading: Reading, prefix: int) -> State:
        row = reading.spaces[self.mm].leaves.get(prefix)
        start = self.geometry.address(prefix << self.geometry.bits)
        links = tags([self.links.table(self.mm, self.geometry.levels - 2, prefix)])
        if self.whole:
            last = self.geometry.address((prefix + 1 << self.geometry.bits) - 1)
            text = f"table {prefix:x}: pages {start} to {last}"
            void = State("void", (f"{text}, not there yet",))
            return State("on", (text,), links=links) if row else void
        if row is None:
            return State("void", (f"table for {start}: not there",))
        path = " › ".join(f"{self.geometry.index(prefix << self.geometry.bits, level):x}"
                          for level in range(self.geometry.levels - 1))  # fmt: skip
        name = f"{reading.who(self.mm)}, table in row {row} for pages from {start}, path {path}"
        return State("on", (f"{start} · slots {path}",), "", name, links=links)

    def _run_state(self, reading: Reading, run: range) -> State:
        space = reading.spaces[self.mm]
        digit = f"{run.start & self.geometry.slots - 1:x}"
        vpns = [vpn for vpn in run if vpn in space.words]
        if not vpns:
            return self._empty_state(reading, run, digit)
        words = [space.words[vpn] for vpn in vpns]
        facts = tuple(pte_fact(self.mm, v, space.words[v], self.geometry) for v in vpns)
        where = self._where(reading, vpns)
        if not is_present(words[0]):
            near = self.links.around(reading, self.mm, vpns[0])
            return swapped(digit, where, words, facts, near)
        pfns = [word >> PTE_SHIFT for word in words]
        look, icon, spoken = looks(reading, pfns[0], words[0])
        centre = str(pfns[0]) if len(pfns) == 1 else f"×{len(pfns)}"
        centre = "0" if pfns[0] == ZERO_PFN and len(pfns) == 1 else centre
        letter = "write" if words[0] & PTE_WRITE else "read"
        icon = icon if self.whole else icon.rpartition(" ")[2]
        links = self.links.of_pages(reading, self.mm, vpns, pfns)
        told = f"{where}, {frames_spoken(pfns)}, {spoken}"
        return State(look, (digit, centre, letter), icon, told, facts, links)

    def _where(self, reading: Reading, vpns: Sequence[int]) -> str:
        pages = "page " + self.geometry.address(vpns[0])
        if len(vpns) > 1:
            pages = f"{len(vpns)} pages from {self.geometry.address(vpns[0])}"
        return f"{reading.who(self.mm)}, {pages}"

    def _empty_state(self, reading: Reading, run: range, digit: str) -> State:
        if run.start >> self.geometry.bits not in reading.spaces[self.mm].leaves:
            told = f"{self._where(reading, list(run))}, no table yet"
            return State("void", (digit,) if self.whole else (), "", told)
        vma = reading.vma_at(self.mm, run.start)
        look = "may" if vma else "none"
        word = "nothing mapped yet" if vma else "no VMA"
        return State(look, (digit,), "", f"{self._where(reading, list(run))}, {word}")


def _refusal(reading: Reading, mm: int, vma: VmaFact) -> str:
    """Say why `vma` did not merge with a neighbour below that looks like it; '' if none does."""
    below = reading.vma_at(mm, vma.start_vpn - 1)
    if below is None or below._replace(start_vpn=0, end_vpn=0, pgoff=0) != vma._replace(
        start_vpn=0, end_vpn=0, pgoff=0
    ):
        return ""
    if below.pgoff + below.end_vpn - below.start_vpn != vma.pgoff:
        return "unmerged: pgoff jumps"
    return "unmerged: another home"


def _vma_look(vma: VmaFact) -> str:
    look = "file" if vma.file else "write" if "w" in vma.prot else "read"
    return look + (" shared" if vma.shared else "")


def _columns(geometry: Geometry) -> float:
    """Return the px from the left where the words of a VMA start: behind its address."""
    return 18 + 6.7 * (geometry.hex_digits + 2)


def _line(spans: Sequence[tuple[int, int]]) -> tuple[list[float], list[float]]:
    """Return x and width of each span on the address line; a hole in the addresses is a gap."""
    if not spans:
        return [], []
    weights = [1 + log2(high - low) for low, high in spans]
    holes = [0.0] + [float(one[1] != two[0]) for one, two in pairwise(spans)]
    gap = min(10.0, 0.3 * WIDTH / max(1.0, sum(holes)))
    scale = (WIDTH - gap * sum(holes)) / max(1.0, sum(weights))
    scale = min(scale, 60.0)
    xs, x = [], 0.0
    for weight, hole in zip(weights, holes, strict=True):
        x += hole * gap
        xs.append(x)
        x += weight * scale
    return xs, [max(2.0, weight * scale - 1) for weight in weights]
