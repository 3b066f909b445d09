"""What changed from one step to the next, and the snapshots that such changes add up to.

A long trace keeps no snapshots, only deltas: of the arrays, the cells whose values changed; of the
lists of facts, the parts that were replaced. A `DeltaLog` holds the deltas of one machine in order,
the first one against a machine of which nothing is known. Whoever asks for a snapshot gets the same
one that `recording.snapshot` would have made at that step.

A cell is a number in one of three areas, at a position:
frames  column * nframes + pfn, columns in the order of FRAME_CELLS
words   row * slots + slot, slots of one page-table page
swap    column * (nswap + 1) + slot, columns in the order of SWAP_CELLS
Cells that were never named are 0. What a cell says of a free frame or slot is not shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import numpy as np

from anonlab.formats.snapshot import Snapshot
from anonlab.machine.words import Geometry, Ints

FRAME_CELLS = ("count", "mapcount", "index", "mapping", "flags", "private", "data")
SWAP_CELLS = ("swap_count", "swap_data", "swap_pfn")
FACTS = ("processes", "mms", "files", "mappings", "nodes", "edges", "walks")
"""Every field of a Snapshot that is a list of facts and is kept by splices."""
MOST_FRAMES, MOST_ROWS = 1 << 24, 1 << 16
"""Machines in files may have so many frames (and swap slots) and page-table pages; snapshots of
larger ones stand whole."""
NEAR = 32
"""So many snapshots that were looked at last are kept; any other is made again."""
KEY_STEPS = 256
"""Reading leaves a key frame every so many steps, or more where machines are large."""


class Splice(NamedTuple):
    """In the list of facts `field`, `items` stand now where `removed` facts stood, from `start`."""

    field: str
    start: int
    removed: int
    items: tuple[Any, ...]


class Delta(NamedTuple):
    """What one step changed.

    frames_at, frames   positions (uint32) and new values (int64) of cells, as bytes; likewise
    words_at, words
    swap_at, swap
    splices             what changed in the lists of facts, in this order
    cost                the design's counters, all of them
    """

    frames_at: bytes
    frames: bytes
    words_at: bytes
    words: bytes
    swap_at: bytes
    swap: bytes
    splices: tuple[Splice, ...]
    cost: tuple[int, ...]


class MachineShape(NamedTuple):
    """What never changes in a machine: its design, sizes, and the names of the counters."""

    design: str
    nframes: int
    geometry: Geometry
    nswap: int
    counters: tuple[str, ...]

    @classmethod
    def of(cls, snapshot: Snapshot) -> MachineShape:
        """Return the shape of the machine in `snapshot`."""
        counters = tuple(name for name, _ in snapshot.cost)
        sizes = snapshot.nframes, snapshot.geometry, snapshot.nswap
        return cls(snapshot.design, *sizes, counters)


def packed(at: Ints, values: Ints) -> tuple[bytes, bytes]:
    """Return cells as a Delta holds them; `at` and `values` are int64[n], ascending by `at`."""
    return at.astype(np.uint32).tobytes(), values.tobytes()


def unpacked(at: bytes, values: bytes) -> tuple[Any, Ints]:
    """Return the positions and values, n each, of cells in a Delta."""
    return np.frombuffer(at, np.uint32), np.frombuffer(values, np.int64)


def splices(field: str, old: Sequence[Any], new: Sequence[Any]) -> list[Splice]:
    """Return what makes the list of facts `old` into `new`: nothing, one splice for all that lies
    between the first and the last difference, or one for each run if no fact came or went."""
    most, start, end = min(len(old), len(new)), 0, 0
    while start < most and old[start] == new[start]:
        start += 1
    most -= start
    while end < most and old[-1 - end] == new[-1 - end]:
        end += 1
    last = len(new) - end
    if len(old) != len(new):
        return [Splice(field, start, len(old) - end - start, tuple(new[start:last]))]
    out = []
    while start < last:
        stop = start + 1
        while stop < last and old[stop] != new[stop]:
            stop += 1
        out.append(Splice(field, start, stop - start, tuple(new[start:stop])))
        start = stop + 1
        while start < last and old[start] == new[start]:
            start += 1
    return out


class _State:
    """The machine at one step, as arrays and lists that deltas are written into."""

    def __init__(self, shape: MachineShape) -> None:
        self.shape = shape
        self.frames: Ints = np.zeros(len(FRAME_CELLS) * shape.nframes, dtype=np.int64)
        self.words: Ints = np.zeros(16 * shape.geometry.slots, dtype=np.int64)
        self.swap: Ints = np.zeros(len(SWAP_CELLS) * (shape.nswap + 1), dtype=np.int64)
        self.facts: dict[str, list[Any]] = {name: [] for name in FACTS}
        self.cost: tuple[int, ...] = ()

    def apply(self, delta: Delta) -> int:
        """Go one step on; return how many cells and facts that changed."""
        if delta.frames_at:
            at, values = unpacked(delta.frames_at, delta.frames)
            self.frames[at] = values
        if delta.words_at:
            at, values = unpacked(delta.words_at, delta.words)
            if at[-1] >= self.words.size:
                slots = self.shape.geometry.slots
                more = max(self.words.size, (int(at[-1]) // slots + 1) * slots - self.words.size)
                self.words = np.concatenate([self.words, np.zeros(more, dtype=np.int64)])
            self.words[at] = values
        if delta.swap_at:
            at, values = unpacked(delta.swap_at, delta.swap)
            self.swap[at] = values
        for field, start, removed, items in delta.splices:
            self.facts[field][start : start + removed] = items
        self.cost = delta.cost
        cells = len(delta.frames_at) + len(delta.words_at) + len(delta.swap_at)
        return cells // 4 + sum(len(splice.items) for splice in delta.splices)

    def key(self) -> Delta:
        """Return the one delta that leads from nothing to here."""
        cells = [part for area in (self.frames, self.words, self.swap)
                 for at in (np.flatnonzero(area),) for part in packed(at, area[at])]  # fmt: skip
        facts = (Splice(name, 0, 0, tuple(items)) for name, items in self.facts.items() if items)
        return Delta._make((*cells, tuple(facts), self.cost))

    def snapshot(self) -> Snapshot:
        """Return what can be seen here."""
        shape, slots = self.shape, self.shape.geometry.slots
        frames = self.frames.reshape(len(FRAME_CELLS), -1)
        swap = self.swap.reshape(len(SWAP_CELLS), -1)
        pfns, taken, full = frames[0].nonzero()[0], swap[0].nonzero()[0], self.words.nonzero()[0]
        rows, at = np.divmod(full, slots)
        facts: dict[str, Any] = {name: tuple(items) for name, items in self.facts.items()}
        return Snapshot(
            design=shape.design,
            nframes=shape.nframes,
            geometry=shape.geometry,
            nswap=shape.nswap,
            pfn=pfns,
            **dict(zip(FRAME_CELLS, frames[:, pfns], strict=True)),
            row=rows,
            slot=at,
            word=self.words[full],
            swap_slot=taken,
            **dict(zip(SWAP_CELLS, swap[:, taken], strict=True)),
            cost=tuple(zip(shape.counters, self.cost, strict=True)),
            **facts,
        )


class DeltaLog:
    """The deltas of one machine, in order; more may be added at the end, none ever changes.

    Reading in order costs as much as the steps read. Going back, or far ahead, starts from a key
    frame that an earlier reading left: one for every KEY_STEPS steps, and not before the steps
    since the last one have changed as much as a key frame holds, so all of them together take no
    more memory than the deltas.
    """

    def __init__(self, shape: MachineShape) -> None:
        self.shape = shape
        self.deltas: list[Delta] = []
        self._start_reading()

    def _start_reading(self) -> None:
        self._state, self._next = _State(self.shape), 0  # deltas before _next are applied
        self._keys: dict[int, Delta] = {}
        self._since = 0
        self._made: WeakValueDictionary[int, Snapshot] = WeakValueDictionary()
        self._near: deque[Snapshot] = deque(maxlen=NEAR)

    def __reduce__(self) -> tuple[Any, ...]:
        return _log_of, (self.shape, self.deltas)

    def snapshot(self, number: int) -> Snapshot:
        """Return the state after delta `number`, from 0."""
        found = self._made.get(number)
        if found is None:
            self._go_to(number + 1)
            found = self._made[number] = self._state.snapshot()
        self._near.append(found)
        return found

    def _go_to(self, end: int) -> None:
        """Have exactly the first `end` deltas applied."""
        key = max((at for at in self._keys if at <= end), default=0)
        if end < self._next or key > self._next:
            self._state, self._next, self._since = _State(self.shape), key, 0
            if key:
                self._state.apply(self._keys[key])
        for number in range(self._next, end):
            self._since += self._state.apply(self.deltas[number])
            if (number + 1) % KEY_STEPS == 0 and number + 1 not in self._keys:
                self._leave_key(number + 1)
        self._next = end

    def _leave_key(self, number: int) -> None:
        """Keep a key frame before delta `number`, if enough has changed since the last one."""
        if any(at > number for at in self._keys):
            return  # this stretch was read before, and one was not worth it
        state = self._state
        held = np.count_nonzero(state.frames) + np.count_nonzero(state.words)
        if self._since >= held + sum(map(len, state.facts.values())):
            self._keys[number], self._since = state.key(), 0


def _log_of(shape: MachineShape, deltas: list[Delta]) -> DeltaLog:
    log = DeltaLog(shape)
    log.deltas = deltas
    return log


# Between two snapshots


def delta_between(old: Snapshot | None, new: Snapshot) -> Delta:
    """Return what leads from `old`, or from nothing, to `new`, a snapshot of the same machine."""
    cells: list[bytes] = []
    for was, now in zip(_areas(old) if old else _NOTHING, _areas(new), strict=True):
        at = np.union1d(was[0], now[0])
        before, after = np.zeros((2, at.size), dtype=np.int64)
        before[np.searchsorted(at, was[0])] = was[1]
        after[np.searchsorted(at, now[0])] = now[1]
        where = np.flatnonzero(before != after)
        cells += packed(at[where], after[where])
    facts = (one for name in FACTS
             for one in splices(name, getattr(old, name, ()), getattr(new, name)))  # fmt: skip
    return Delta._make((*cells, tuple(facts), tuple(count for _, count in new.cost)))


def is_regular(snapshot: Snapshot) -> bool:
    """Return whether a log can hold `snapshot`: what is in use stands in it once, in ascending
    order, and inside the machine. Those made by hand need not be so."""
    slots, nframes, nswap = snapshot.geometry.slots, snapshot.nframes, snapshot.nswap
    places = snapshot.row * slots + snapshot.slot
    return (
        0 < nframes <= MOST_FRAMES
        and 0 <= nswap <= MOST_FRAMES
        and slots * MOST_ROWS < 1 << 32
        and _ascending(snapshot.pfn, nframes)
        and _ascending(snapshot.swap_slot, nswap + 1)
        and _ascending(places, slots * MOST_ROWS)
        and bool(((snapshot.slot >= 0) & (snapshot.slot < slots)).all())
        and bool(snapshot.count.all() and snapshot.word.all() and snapshot.swap_count.all())
    )


def _ascending(at: Ints, size: int) -> bool:
    return not at.size or bool(at[0] >= 0 and at[-1] < size and (at[1:] > at[:-1]).all())


_NOTHING = [(np.zeros(0, dtype=np.int64),) * 2] * 3


def _areas(snapshot: Snapshot) -> list[tuple[Ints, Ints]]:
    """Return positions and values of the cells that `snapshot` shows, area by area."""
    pfns, slots = snapshot.pfn, snapshot.swap_slot
    frames = np.concatenate([n * snapshot.nframes + pfns for n in range(len(FRAME_CELLS))])
    swap = np.concatenate([n * (snapshot.nswap + 1) + slots for n in range(len(SWAP_CELLS))])
    return [
        (frames, np.concatenate([getattr(snapshot, name) for name in FRAME_CELLS])),
        (snapshot.row * snapshot.geometry.slots + snapshot.slot, snapshot.word),
        (swap, np.concatenate([getattr(snapshot, name) for name in SWAP_CELLS])),
    ]
