"""The mem_map as a board of frames, and the swap slots below it.

Every frame that is ever in use during the trace has one place, ascending by frame number. On a
machine too large for that, neighbours that look alike at every step share one place, and
what is beyond MOST_PLACES stands together in one last cell that says how many it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from anonlab.formats.snapshot import FileFact, WalkFact
from anonlab.formats.templates import short
from anonlab.machine.words import ZERO_PFN
from anonlab.view.player.facts import (
    Fact,
    cost_facts,
    file_facts,
    frame_fact,
    machine_fact,
    process_fact,
    slot_facts,
    walk_fact,
)
from anonlab.view.player.links import Links, tags
from anonlab.view.stage.cells import Cell, Panel, Spot, State, fit
from anonlab.view.stage.tables import WIDTH
from anonlab.view.story.reading import Frame, Reading, is_whole, plural

MOST_PLACES = 200
"""Places on the board; more could not be taken in."""
CARD_WIDTH, CARD_HEIGHT = 112.0, 114.0
SMALL_WIDTH, SMALL_HEIGHT = 42.0, 40.0
_CARD_SPOTS = (
    Spot(10, 20, "fr"),
    Spot(10, 38, "s"),
    Spot(10, 53, "s"),
    Spot(10, 68, "s"),
    Spot(10, 101, "own"),
    Spot(95, 101, "v end"),
    Spot(10, 83, "s"),
)
_SMALL_SPOTS = (Spot(5, 15, "n"), Spot(19, 31, "own mid"))


class Board(NamedTuple):
    """The frames ever in use, one tuple of pfns per place; `capped` if the last place holds all
    that found no place of their own."""

    groups: tuple[tuple[int, ...], ...]
    capped: bool


def places(readings: Sequence[Reading]) -> Board:
    """Give every frame that is ever in use its place."""
    pfns = sorted({pfn for reading in readings for pfn in reading.frames})
    whole = is_whole(readings[0].snapshot.geometry)
    groups: list[tuple[int, ...]] = []
    looks = {} if whole else {pfn: _story(readings, pfn) for pfn in pfns}
    for pfn in pfns:
        last = groups[-1] if groups else ()
        if not whole and last and last[-1] == pfn - 1 and looks[pfn - 1] == looks[pfn]:
            groups[-1] = (*last, pfn)
        else:
            groups.append((pfn,))
    if len(groups) <= MOST_PLACES:
        return Board(tuple(groups), False)
    rest = tuple(pfn for group in groups[MOST_PLACES - 1 :] for pfn in group)
    return Board((*groups[: MOST_PLACES - 1], rest), True)


def _story(readings: Sequence[Reading], pfn: int) -> tuple[object, ...]:
    """What must be equal, over the whole trace, for two neighbouring frames to share a place."""
    return tuple(
        (frame.count, frame.mapcount, frame.mapping, frame.flags, reading.owners.get(pfn))
        for reading in readings
        for frame in (reading.frames.get(pfn),)
        if frame
    ) + tuple(pfn in reading.frames for reading in readings)


def homes(board: Board) -> dict[int, int]:
    """Return {pfn: lowest pfn of its place}."""
    return {pfn: group[0] for group in board.groups for pfn in group}


class FramePanel:
    """The board of frames over all `readings` of a trace."""

    def __init__(
        self,
        readings: Sequence[Reading],
        board: Board,
        letters: Mapping[int, str],
        links: Links,
    ) -> None:
        self.board, self.letters, self.links = board, letters, links
        self.large = is_whole(readings[0].snapshot.geometry)
        head = Cell("memory", "head", 0, 0, WIDTH, 44, (Spot(0, 16, "h"), Spot(0, 33, "s")))
        cells, bottom = self._cells(48.0)
        self.panel = Panel("memory", "memory", "physical memory", WIDTH, bottom, (head, *cells))

    def _cells(self, top: float) -> tuple[list[Cell], float]:
        """Return a cell per place, and where the board ends."""
        width = CARD_WIDTH if self.large else SMALL_WIDTH
        height = CARD_HEIGHT if self.large else SMALL_HEIGHT
        gap, spots = (7.0, _CARD_SPOTS) if self.large else (3.0, _SMALL_SPOTS)
        across = int(WIDTH // width)
        cells = []
        for place, group in enumerate(self.board.groups):
            row, column = divmod(place, across)
            box = (column * width + 1, top + row * height + 1, width - gap, height - gap)
            cells.append(Cell(f"frame-{group[0]}", "frame", *box, spots))
        bottom = top + -(-len(cells) // across) * height
        if not self.board.capped:
            return cells, bottom
        wide = (1, bottom + 1, WIDTH - gap, height - gap, (Spot(10, 24, "v"),))
        cells[-1] = Cell(cells[-1].id, "frame", *wide)
        return cells, bottom + height

    def states(self, reading: Reading) -> dict[str, State]:
        """Return what the frames show in `reading`."""
        snapshot = reading.snapshot
        used = f"{len(reading.frames)} of {plural(snapshot.nframes, 'frame')} in use"
        fact = machine_fact(snapshot)
        head = State("on", ("physical memory", used), "", f"physical memory: {used}", (fact,))
        out = {"memory": head}
        for group in self.board.groups:
            frames = [reading.frames[pfn] for pfn in group if pfn in reading.frames]
            name = f"frame-{group[0]}"
            out[name] = self._state(reading, frames) if frames else _free(group, self.large)
        if self.board.capped:
            name = f"frame-{self.board.groups[-1][0]}"
            out[name] = _more(out[name])
        return out

    def _state(self, reading: Reading, frames: list[Frame]) -> State:
        first, told = frames[0], tuple(frame_fact(frame) for frame in frames)
        shape, found = reading.snapshot.geometry, reading.walks
        made = [found[frame.pfn] for frame in frames if frame.pfn in found]
        told += tuple(walk_fact(walk, shape) for walk in made)
        mms = [mm for frame in frames for mm in reading.owners.get(frame.pfn, ())]
        owners = " ".join(dict.fromkeys(self.letters[mm] for mm in mms))
        look, icon, word = _looks(first)
        who = " and ".join(dict.fromkeys(reading.who(mm) for mm in mms)) or "nobody"
        numbers = f"frame {first.pfn}" if len(frames) == 1 else _numbers(frames)
        counts = f"count {first.count}, mapcount {first.mapcount}, mapped by {who}"
        way = _way(made)
        name = ", ".join(part for part in (numbers, word, first.mapping, counts) if part)
        links = self.links.of_frame(reading, first)
        return State(look, self._texts(frames, owners, way), icon, name, told, links)

    def _texts(self, frames: list[Frame], owners: str, way: str) -> tuple[str, ...]:
        frame = frames[0]
        if not self.large:
            many = f"×{len(frames)}" if len(frames) > 1 else str(frame.pfn)
            return (many, fit(owners.replace(" ", ""), 36))
        home = f"{frame.mapping}" if frame.mapping else "no mapping"
        home = "zero page" if frame.pfn == ZERO_PFN else home
        index = f"index {frame.index:#x}" if frame.mapping else ""
        index += f" · slot {frame.private}" if frame.private else ""
        both = frame.count, frame.mapcount
        counts = _first_that_fits("count {} · map {}", "count {} map {}", "{} · map {}", both=both)
        return (
            f"frame {frame.pfn}",
            fit(home, 94),
            fit(index, 96),
            counts,
            _few(owners),
            _held(frame.data),
            way,
        )


def _way(made: Sequence[WalkFact]) -> str:
    """Say how the reverse map finds the page: 'walk 2 of 3 hit'; '' where no walk was recorded."""
    if len(made) != 1:
        return ""
    probes = made[0].probes
    both = sum(probe.hit for probe in probes), len(probes)
    return _first_that_fits("walk: {} of {} hit", "walk: {}/{} hit", "{}/{} hit", both=both)


def _first_that_fits(*forms: str, both: tuple[int, int]) -> str:
    """Return two numbers in the longest form that a line of a card has room for."""
    told = [form.format(*both) for form in forms]
    return next((text for text in told if fit(text, 98) == text), fit(told[-1], 98))


def _few(owners: str) -> str:
    """Return the letters of who maps a frame, beside what it holds: of many, how many more."""
    letters = owners.split()
    return owners if len(letters) <= 3 else f"{letters[0]}+{len(letters) - 1}"


def _held(data: int) -> str:
    """Return the content of a frame for its card: of a long tag only the end."""
    told = short(data)
    return f"holds {told}" if len(told) <= 5 else f"…{told[-4:]}"


def _looks(frame: Frame) -> tuple[str, str, str]:
    """Return CSS classes, icons and words for a frame in use."""
    if frame.pfn == ZERO_PFN:
        return "zero", "zero", "the zero page"
    swap = "swapcache" in frame.flags
    icon = "swap" if swap else "pin" if frame.count > frame.mapcount + swap else ""
    many = " shared" if frame.mapcount > 1 else ""
    words = " in the swap cache" if swap else ""
    if "anon" not in frame.flags:
        return f"file{many}", "file", f"file page{words}"
    look = "read" if many else "write"
    cached = " cached" if swap else ""
    return f"{look}{many}{cached}", icon, f"anonymous page{words}"


def _more(state: State) -> State:
    """Return the state of the place that holds what found no place of its own."""
    count = len(state.facts)
    text = f"and {plural(count, 'more frame')}: the text names them"
    return State("on", (text,), "", text, state.facts, state.links)


def _numbers(frames: Sequence[Frame]) -> str:
    return f"{len(frames)} frames from {frames[0].pfn} to {frames[-1].pfn}"


def _free(group: Sequence[int], large: bool) -> State:
    many = len(group) > 1
    name = f"frames {group[0]} to {group[-1]}, free" if many else f"frame {group[0]}, free"
    text = f"×{len(group)}" if many else str(group[0])
    return State("free", (f"frame {text}" if large else text, "free"), "", name)


class NotePanel:
    """What belongs to no table and no frame: processes, swap slots, files and their cache.

    One row per process, one cell per swap slot ever used, one row per file.
    """

    def __init__(
        self, readings: Sequence[Reading], letters: Mapping[int, str], links: Links
    ) -> None:
        self.letters, self.links = letters, links
        snapshots = [reading.snapshot for reading in readings]
        names = [process.name for snap in snapshots for process in snap.processes]
        self.people = {name: f"process-{at}" for at, name in enumerate(dict.fromkeys(names))}
        self.slots = sorted({slot for snap in snapshots for slot in snap.swap_slot.tolist()})
        named = (file.name for snap in snapshots for file in snap.files)
        self.files = {name: f"file-{at}" for at, name in enumerate(dict.fromkeys(named))}
        costs = (name for snap in snapshots for name, _ in snap.cost)
        self.costs = {name: f"cost-{at}" for at, name in enumerate(dict.fromkeys(costs))}
        self.cells: list[Cell] = []
        self.y = 0.0
        self._place()

    def _place(self) -> None:
        self._heading("processes", "processes")
        for cell in self.people.values():
            spots = (Spot(22, 17, "chip mid"), Spot(42, 17, "b"), Spot(WIDTH - 8, 17, "s end"))
            self._row(cell, "process", 26, spots)
        if self.files:
            self._heading("files", "files")
        for cell in self.files.values():
            self._row(cell, "fileline", 26, (Spot(10, 17, "b"), Spot(WIDTH - 18, 17, "s end")))
        if self.slots:
            self._heading("swap", "swap")
            self._place_slots()
        if self.costs:
            self._heading("costs", "costs")
        for at, cell in enumerate(self.costs.values()):
            x, y = at % 2 * WIDTH / 2, self.y + at // 2 * 18
            self.cells.append(
                Cell(cell, "cap", x, y, WIDTH / 2, 18, (Spot(0, 13, "s"), Spot(150, 13, "n end")))
            )
        self.y += -(-len(self.costs) // 2) * 18
        self.panel = Panel(
            "notes", "memory", "processes, files and swap", WIDTH, self.y, tuple(self.cells)
        )

    def _heading(self, cell: str, _: str) -> None:
        self.y += 14 if self.cells else 0
        self.cells.append(Cell(cell, "cap", 0, self.y, WIDTH, 28, (Spot(0, 16, "h"),)))
        self.y += 28

    def _row(self, cell: str, kind: str, height: float, spots: tuple[Spot, ...]) -> None:
        self.cells.append(Cell(cell, kind, 0, self.y, WIDTH, height - 3, spots))
        self.y += height

    def _place_slots(self) -> None:
        for at, slot in enumerate(self.slots):
            row, column = divmod(at, 6)
            x, y = column * 56.0, self.y + row * 46
            spots = (Spot(8, 17, "n"), Spot(26, 35, "s mid"))
            self.cells.append(Cell(f"slot-{slot}", "slot", x + 1, y, 52, 42, spots))
        self.y += -(-len(self.slots) // 6) * 46

    def states(self, reading: Reading) -> dict[str, State]:
        """Return what processes, files and swap slots show in `reading`."""
        snapshot = reading.snapshot
        heads = {"processes": "processes", "costs": "what the design did so far"}
        heads |= {"files": "files and their page cache", "swap": "swap"}
        out = {cell: State("on", (text,)) for cell, text in heads.items()}
        for process in snapshot.processes:
            letter = self.letters.get(process.mm, "")
            text = f"pid {process.pid}" + (
                f" · child of {process.parent}" if process.parent else ""
            )
            text += "" if process.mm else " · exited"
            known = ("", process.name, process.parent)
            text += f" · runs {process.program}" if process.program not in known else ""
            texts = (letter or "–", fit(process.name, 90, 13), fit(text, 205))
            name = f"process {process.name}, {text}" + (f", address space {letter}" * bool(letter))
            look = "on" if process.mm else "gone"
            fact, links = process_fact(process), tags([f"m{process.mm}"] * bool(process.mm))
            out[self.people[process.name]] = State(look, texts, "", name, (fact,), links)
        out |= {self.files[file.name]: self._file(file) for file in snapshot.files}
        out |= {f"slot-{slot}": _free_slot(slot) for slot in self.slots}
        out |= {f"slot-{fact[1]}": self._slot(fact) for fact in slot_facts(snapshot)}
        for fact in cost_facts(snapshot):
            words = fact[1].replace("_", " ")
            told = (words, f"{int(fact[2]):,}")
            out[self.costs[fact[1]]] = State("on", told, "", f"{words}: {fact[2]}", (fact,))
        present = {cell.id for cell in self.cells}
        return {cell: state for cell, state in out.items() if cell in present}

    def _file(self, file: FileFact) -> State:
        text = f"{plural(file.npages, 'page')} · {len(file.cached)} cached"
        kind = "shared memory" if file.shmem else "file"
        name = f"{kind} {file.name}: {text}"
        texts = (fit(file.name, 190, 13), text)
        pages = (self.links.page(pfn) for _, pfn in file.cached)
        links = tags([self.links.thing(f"file {file.name}")], pages)
        return State("file", texts, "file", name, tuple(file_facts(file)), links)

    def _slot(self, fact: Fact) -> State:
        _, slot, count, data, pfn = fact
        cached = f", also in frame {pfn}" if int(pfn) else ""
        name = f"swap slot {slot}, use count {count}{cached}, content {data}"
        links = tags([f"s{slot}"], [self.links.page(int(pfn))] * bool(int(pfn)))
        return State("swap", (slot, f"used {count}×"), "swap", name, (fact,), links)


def _free_slot(slot: int) -> State:
    return State("free", (str(slot), "free"), "", f"swap slot {slot}, free")
