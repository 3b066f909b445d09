"""What the browser gets: the first state of a trace and what each step changed, as numbers.

Nothing is drawn here and nothing is spelt: a page-table entry is (mm, vpn, word), a frame its row
of mem_map, a step its label and the arguments of its sentence. The browser adds the changes up and
draws what is shown. Numbers that JavaScript cannot hold (content tags only) are sent as text.

A payload is plain data::

    version, title, note, geometry [levels, bits, name], nframes, nswap, counters [name]
    labels  [[label, title, sentence, source]]        those that occur
    lines   [text of operation 0, of 1, …]
    steps   [[number of the label, operation, 1 if it is the operation's last step, process, first
            vpn or -1, pages, n, what, error, sentence or null (then that of the label, filled in)]]
    tracks  [{design, deltas, graph, own}]            one, or several side by side
    facts   {field: [fact]}
    ask     {step: card}; tabs [name]

A delta has only what changed; the first one of a track is the whole state::

    p  mm, vpn, word …                                entries; word 0 is gone
    t  mm, level, prefix, row …                       tables below the top one; row 0 is gone
    f  pfn, count, mapcount, index, mapping, flags, data, private …    count 0 is free
    s  slot, count, data, cached pfn …                swap slots; count 0 is free
    c  what each of the design's counters grew by
    processes, mms, files, mappings, nodes, edges, walks    [[start, removed, [number]]]

Facts repeat, so each distinct one is sent once: `facts` {field: [fact]}, and a splice of `field`
names facts by their numbers there. An mm fact names its VMAs by their numbers in facts["vmas"].
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from anonlab.formats.catalogue import grouped, say
from anonlab.formats.deltas import (
    FACTS,
    FRAME_CELLS,
    SWAP_CELLS,
    Delta,
    MachineShape,
    delta_between,
    is_regular,
    unpacked,
)
from anonlab.formats.trace import Step, Trace
from anonlab.view.story.align import Aligned, Track, align
from anonlab.view.story.rows import PageWords

VERSION = 1
TABS = ("rmap", "cost", "address", "vmas", "text")
"""The tabs of a player, in order; a lesson opens them when their topic comes."""
EXACT = 1 << 53
"""Whole numbers below it are exact in JavaScript."""
MOST_PROBES = 200_000
"""A trace whose walks make more probes is sent without them, with a note."""
Payload = dict[str, Any]
Played = Trace | Mapping[str, Trace]
"""One trace, or several of one history by the name of their design."""
_SENT = ("count", "mapcount", "index", "mapping", "flags", "data", "private")
_FRAME_ORDER = tuple(FRAME_CELLS.index(name) for name in _SENT)


def payload(
    played: Played,
    title: str | None = None,
    cards: Mapping[int, Any] | None = None,
    tabs: Iterable[str] = TABS,
) -> Payload:
    """Return the steps of a trace, or of several side by side, as plain data for the browser.

    cards   {step: the question that is asked before it}
    tabs    names of TABS
    raises  ValueError if a trace has no steps, a step of `cards` does not exist, a tab is unknown,
            or a state is one that no machine can be in
    """
    made, cards, tabs = align(played), cards or {}, tuple(tabs)
    _check(made, cards, tabs)
    words, facts = _Words(), _Facts()
    steps = [words.row(step) for step in made.words]
    first = made.tracks[0].steps[0].snapshot
    shape = first.geometry
    out: Payload = {
        "version": VERSION,
        "title": made.title if title is None else title,
        "note": "",
        "geometry": [shape.levels, shape.bits, shape.name],
        "nframes": first.nframes,
        "nswap": first.nswap,
        "counters": [name for name, _ in first.cost],
        "labels": words.labels,
        "lines": _lines(made.words),
        "steps": steps,
        "tracks": [_track(track, made, facts) for track in made.tracks],
        "facts": {field: list(pool) for field, pool in facts.pools.items()},
        "ask": {str(step): card for step, card in sorted(cards.items())},
        "tabs": list(tabs),
    }
    _leave_out_long_walks(out)
    return out


def _check(made: Aligned, cards: Mapping[int, Any], tabs: Sequence[str]) -> None:
    last = len(made.words) - 1
    wrong = sorted(step for step in cards if not 1 <= step <= last)
    if wrong:
        raise ValueError(
            f"questions are asked before steps 1 to {last} of this trace, got {wrong[0]}"
        )
    unknown = [name for name in tabs if name not in TABS]
    if unknown:
        raise ValueError(f"the tabs are {', '.join(TABS)}; got {unknown[0]!r}")
    geometries = {step.snapshot.geometry for track in made.tracks for step in track.steps[:1]}
    if len(geometries) > 1:
        raise ValueError("designs side by side run on machines of one geometry")


class _Words:
    """The words of steps: labels that occurred, and each step as numbers and arguments."""

    def __init__(self) -> None:
        self.labels: list[list[str]] = []
        self._numbers: dict[tuple[str, ...], int] = {}

    def row(self, step: Step) -> list[Any]:
        """Return one step as it is sent."""
        template, n, what = step.template
        known = (step.label, step.title, template or "", step.source)
        number = self._numbers.setdefault(known, len(self.labels))
        if number == len(self.labels):
            self.labels.append(list(known))
        vpns = step.vpns
        return [
            number,
            step.operation,
            int(step.level == "op"),
            step.process,
            vpns[0] if vpns else -1,
            len(vpns),
            n,
            what,
            step.error,
            step.sentence if template is None else None,
        ]


def _lines(steps: Sequence[Step]) -> list[str]:
    """Return the text of every operation by its number; '' for one that is not in the trace."""
    texts = {step.operation: step.text for step in steps}
    return [texts.get(number, "") for number in range(max(texts) + 1)]


class _Facts:
    """The distinct facts of all tracks, by field, numbered in the order of their first use."""

    def __init__(self) -> None:
        self.pools: dict[str, dict[Any, int]] = {field: {} for field in ("vmas", *FACTS)}

    def number(self, field: str, fact: Any) -> int:
        """Return the number of `fact` among those of `field`, a new one if it is new."""
        if field == "mms":
            vmas = tuple(self.number("vmas", vma) for vma in fact.vmas)
            fact = (*fact[:-1], vmas)
        pool = self.pools[field]
        return pool.setdefault(fact, len(pool))


def _track(track: Track, made: Aligned, facts: _Facts) -> Payload:
    """Return one design: what it changed at each common step, and what it says by itself."""
    sent = list(_deltas(track.steps, facts))
    deltas = [sent[at] if not step or at != track.at[step - 1] else {}
              for step, at in enumerate(track.at)]  # fmt: skip
    own = {}
    if len(made.tracks) > 1:
        for number, (at, common) in enumerate(zip(track.at, made.words, strict=True)):
            mine = track.steps[at]
            if (mine.operation, mine.label) != (common.operation, common.label):
                own[str(number)] = ""  # it has no such step
            elif mine.sentence != common.sentence:
                own[str(number)] = mine.sentence
    return {"design": track.name, "deltas": deltas, "graph": None, "own": own}


def _deltas(steps: Sequence[Step], facts: _Facts) -> Iterator[Payload]:
    """Yield what each of `steps` changed; the first one from nothing."""
    shape = MachineShape.of(steps[0].snapshot)
    machine = _Machine(shape, facts)
    before: Step | None = None
    for number, step in enumerate(steps):
        delta = step.delta_since(before) if before is not None else None
        if delta is None:
            now = step.snapshot
            if not is_regular(now) or MachineShape.of(now) != shape:
                raise ValueError(
                    f"step {number} of this trace is not a state of the machine of step 0: "
                    "frames, entries and swap slots stand in ascending order, each once"
                )
            delta = delta_between(before.snapshot if before is not None else None, now)
        yield machine.change(delta)
        before = step


class _Machine:
    """The machine of one track: what deltas of cells mean for pages and frames."""

    def __init__(self, shape: MachineShape, facts: _Facts) -> None:
        self.shape, self.facts = shape, facts
        self.words = PageWords(shape.geometry)
        self.frames: dict[int, list[int]] = {}
        self.swap: dict[int, list[int]] = {}
        self.mms: list[Any] = []
        self.lists: dict[str, list[int]] = {field: [] for field in FACTS}
        self.cost: tuple[int, ...] = ()

    def change(self, delta: Delta) -> Payload:
        """Apply one delta; return it in the terms of a payload."""
        out: Payload = {}
        plain: dict[str, list[Any]] = {field: [] for field in FACTS}
        tops = None
        for field, start, removed, items in delta.splices:
            numbers = [self.facts.number(field, item) for item in items]
            plain[field] += self._short(field, start, removed, numbers)
            if field == "mms":
                self.mms[start : start + removed] = items
                tops = {fact.mm: fact.pgd for fact in self.mms}
        if delta.words_at or tops is not None:
            pages, tables = self.words.change(_cells(delta.words_at, delta.words), tops)
            out["p"] = [n for (mm, vpn), word in pages.items() for n in (mm, vpn, safe(word))]
            out["t"] = [n for table, row in tables.items() for n in (*table, row)]
        out["f"] = _rows(self.frames, delta.frames_at, delta.frames, self.shape.nframes,
                         _FRAME_ORDER)  # fmt: skip
        out["s"] = _rows(self.swap, delta.swap_at, delta.swap, self.shape.nswap + 1,
                         range(len(SWAP_CELLS)))  # fmt: skip
        if delta.cost != self.cost:
            before = self.cost or (0,) * len(delta.cost)
            out["c"] = [now - was for was, now in zip(before, delta.cost, strict=True)]
            self.cost = delta.cost
        return {name: value for name, value in (out | plain).items() if value}

    def _short(self, field: str, start: int, removed: int, new: list[int]) -> list[list[Any]]:
        """Return one splice of the facts `field` as splices that leave out what stays.

        A delta says "all between the first and the last difference"; of a long list of edges most
        of it is as it was.
        """
        listed = self.lists[field]
        old = listed[start : start + removed]
        listed[start : start + removed] = new
        stay = set(old) & set(new)
        both = [number for number in old if number in stay]
        if not stay or both != [number for number in new if number in stay]:
            return [[start, removed, new]]
        out: list[list[Any]] = []
        at = was = now = 0
        for fact in (*both, None):
            old_end = old.index(fact, was) if fact is not None else len(old)
            new_end = new.index(fact, now) if fact is not None else len(new)
            if old_end > was or new_end > now:
                out.append([start + at, old_end - was, new[now:new_end]])
            at += new_end - now + 1
            was, now = old_end + 1, new_end + 1
        return out


def _cells(at: bytes, values: bytes) -> Iterable[tuple[int, int]]:
    if not at:
        return ()
    places, words = unpacked(at, values)
    return zip(places.tolist(), words.tolist(), strict=True)


def _rows(
    known: dict[int, list[int]], at: bytes, values: bytes, size: int, order: Sequence[int]
) -> list[int | str]:
    """Write cells into the rows `known`; return those that changed: number, then its columns."""
    changed: dict[int, None] = {}
    for place, value in _cells(at, values):
        column, number = divmod(place, size)
        if number not in known:
            known[number] = [0] * len(order)
        known[number][column] = value
        changed[number] = None
    out: list[int | str] = []
    for number in changed:
        row = known[number]
        out.append(number)
        # What the columns of a free frame or slot hold is no fact.
        out += [safe(row[column]) for column in order] if row[0] else [0] * len(order)
    return out


def safe(number: int) -> int | str:
    """Return `number` if JavaScript can hold it, else its digits."""
    return number if -EXACT < number < EXACT else str(number)


def _leave_out_long_walks(made: Payload) -> None:
    """Leave the walks out if there are too many of them, and say so."""
    walks = made["facts"]["walks"]
    probes = sum(len(walk.probes) for walk in walks)
    if probes > MOST_PROBES:
        leave_out_walks(made, say("note.probes", n=probes, count=grouped(probes)))


def leave_out_walks(made: Payload, why: str) -> None:
    """Take the walks out of a payload; its note says so."""
    for track in made["tracks"]:
        for delta in track["deltas"]:
            delta.pop("walks", None)
    made["facts"]["walks"] = []
    made["note"] = say("note.walks", why=why)


def decoded(made: Payload, track: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the state after every step of a payload, added up: what a browser has then.

    {p: {(mm, vpn): word}, t: {(mm, level, prefix): row}, f: {pfn: columns}, s: {slot: columns},
    c: counters, and each list of facts}; one dictionary, changed from step to step
    """
    known = made["facts"]
    widths = {"p": (2, 1), "t": (3, 1), "f": (1, 7), "s": (1, 3)}
    state: dict[str, Any] = {name: {} for name in widths} | {name: [] for name in ("c", *FACTS)}
    for delta in made["tracks"][track]["deltas"]:
        for name, (key, rest) in widths.items():
            numbers = delta.get(name, ())
            for at in range(0, len(numbers), key + rest):
                thing = tuple(numbers[at : at + key])
                row = numbers[at + key : at + key + rest]
                if row[0]:
                    state[name][thing if key > 1 else thing[0]] = row
                else:
                    state[name].pop(thing if key > 1 else thing[0], None)
        grown = delta.get("c", ())
        state["c"] = [a + b for a, b in zip_longest(state["c"], grown, fillvalue=0)]
        for name in FACTS:
            for start, removed, numbers in delta.get(name, ()):
                facts = [known[name][number] for number in numbers]
                if name == "mms":
                    facts = [(*fact[:-1], tuple(known["vmas"][vma] for vma in fact[-1]))
                             for fact in facts]  # fmt: skip
                state[name][start : start + removed] = facts
        yield state
