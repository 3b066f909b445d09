"""What changed between two moments, as short sentences; changes.js says the same in the browser.

Processes first, then pages, frames and the graph. Counters of cost, walks and the number of frames
in use are left out: they follow from the rest or change all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from anonlab.formats.snapshot import Node, Snapshot
from anonlab.formats.templates import short
from anonlab.machine.words import PTE_SHIFT, PTE_WRITE, is_present, pte_letters, swp_offset
from anonlab.view.story.reading import Frame, Moment, read
from anonlab.view.story.words import say

Key = tuple[str | int, ...]
Fields = Mapping[str, object]
"""{name of a field, as in the words "field.…": its value, '' or 0 for none}."""
_JOINED = frozenset({"vma", "table", "pte", "frame"})
"""Kinds of which neighbours share a sentence."""


class Change(NamedTuple):
    """One thing that appeared ('+'), vanished ('-') or changed ('~').

    key       what it is: kind and identity, e.g. ("pte", 1, 0x30); of several, of the first
    sentence  for people; neighbouring pages and frames that changed alike share one
    """

    sign: str
    key: Key
    sentence: str


class _News(NamedTuple):
    """What became of one thing, before neighbours are joined.

    subject, news  how to say them for so many neighbours
    alike          what must be equal for neighbours to share a sentence
    """

    sign: str
    key: Key
    subject: Callable[[int], str]
    news: Callable[[int], str]
    alike: Hashable


def changes(before: Snapshot, after: Snapshot) -> list[Change]:
    """Return what is different in `after`."""
    return between(read(before), read(after))


def between(old: Moment, new: Moment) -> list[Change]:
    """Return the changes from one moment to another."""
    if old.snapshot is new.snapshot:
        return []
    differ = _Differences(old, new)
    every = [*differ.processes(), *differ.spaces(), *differ.areas(), *differ.uppers(),
             *differ.leaves(), *differ.entries(), *differ.frames(), *differ.rest()]  # fmt: skip
    return [
        Change(run[0].sign, run[0].key, f"{run[0].subject(len(run))}: {run[0].news(len(run))}")
        for run in _runs(every)
    ]


def _runs(every: Iterable[_News]) -> Iterator[list[_News]]:
    """Yield neighbours with the same news together."""
    run: list[_News] = []
    for one in every:
        if run and not _continues(run, one):
            yield run
            run = []
        run.append(one)
    if run:
        yield run


def _continues(run: list[_News], one: _News) -> bool:
    first, last = run[0], run[-1]
    kind = one.key[0]
    if kind not in _JOINED or (kind, one.sign, one.alike) != (
        first.key[0],
        first.sign,
        first.alike,
    ):
        return False
    if kind in ("vma", "table"):
        return one.sign == "-" and one.key[1] == first.key[1]
    *place, number = one.key
    *before, last_number = last.key
    return place == before and number == int(last_number) + 1


class _Differences:
    """The news of each kind, each in its order."""

    def __init__(self, old: Moment, new: Moment) -> None:
        self.old, self.new = old, new
        self.was, self.now = old.snapshot, new.snapshot
        self.digits = self.now.geometry.hex_digits

    def who(self, mm: int) -> str:
        """The processes of an address space in words."""
        return (self.new if mm in self.new.spaces else self.old).who(mm)

    def processes(self) -> Iterator[_News]:
        fields = [{p.name: {"pid": p.pid, "parent": p.parent, "space": p.mm or "",
                            "program": p.program}
                   for p in each.processes} for each in (self.was, self.now)]  # fmt: skip
        yield from _things("process", "name", *fields)

    def spaces(self) -> Iterator[_News]:
        fields = [{mm.mm: {"pgd": mm.pgd, "home": mm.home, "processes": ", ".join(mm.processes)}
                   for mm in each.mms} for each in (self.was, self.now)]  # fmt: skip
        yield from _things("mm", "mm", *fields)

    def areas(self) -> Iterator[_News]:
        both = [{(mm.mm, vma.start_vpn): vma for mm in each.mms for vma in mm.vmas}
                for each in (self.was, self.now)]  # fmt: skip
        for mm, vpn, was, now in _pairs(*both):
            fields = [
                vma and {
                    "pages": vma.end_vpn - vma.start_vpn, "prot": vma.prot,
                    "sharing": say("change.shared" if vma.shared else "change.private"),
                    "file": vma.file, "pgoff": vma.pgoff,
                    "lock": say("change.locked") if vma.locked else "",
                    "growth": say("change.growsdown") if vma.growsdown else "",
                } for vma in (was, now)
            ]  # fmt: skip
            yield self._placed("vma", mm, vpn, *fields)

    def uppers(self) -> Iterator[_News]:
        both = [_tables(each, upper=True) for each in (self.old, self.new)]
        shape = self.now.geometry
        for key in sorted(both[0].keys() | both[1].keys()):
            mm, level, prefix = key
            vpn = prefix << shape.bits * (shape.levels - level)
            was, now = ({"row": rows[key]} if key in rows else None for rows in both)
            if was != now:
                yield _one("upper", key, {**self._args(mm, vpn), "level": level}, was, now)

    def leaves(self) -> Iterator[_News]:
        both = [_tables(each, upper=False) for each in (self.old, self.new)]
        for mm, vpn, was, now in _pairs(*both):
            fields = [None if row is None else {"row": row} for row in (was, now)]
            yield self._placed("table", mm, vpn, *fields)

    def _placed(
        self, kind: str, mm: int, vpn: int, was: Fields | None, now: Fields | None
    ) -> _News:
        return _one(kind, (mm, vpn), self._args(mm, vpn), was, now)

    def _args(self, mm: int, vpn: int) -> Fields:
        return {"who": self.who(mm), "vpn": vpn, "digits": self.digits}

    def entries(self) -> Iterator[_News]:
        both = [_words(each) for each in (self.old, self.new)]
        for mm, vpn, was, now in _pairs(*both):
            yield _entry(self._args(mm, vpn), (mm, vpn), was, now)

    def frames(self) -> Iterator[_News]:
        for pfn in sorted(self.old.frames.keys() | self.new.frames.keys()):
            frames = [each.frames.get(pfn) for each in (self.old, self.new)]
            was, now = (None if frame is None else _frame_fields(frame) for frame in frames)
            if was != now:
                yield _frame_news(pfn, was, now)

    def rest(self) -> Iterator[_News]:
        """Swap slots, files and the graph."""
        yield from _things("slot", "slot", _slots(self.was), _slots(self.now))
        files = [{f.name: {"mapping": f.mapping, "npages": f.npages,
                           "kind": say("change.shmem") if f.shmem else ""}
                  for f in each.files} for each in (self.was, self.now)]  # fmt: skip
        yield from _things("file", "name", *files)
        cached = [{(f.name, pgoff): {"frame": pfn} for f in each.files for pgoff, pfn in f.cached}
                  for each in (self.was, self.now)]  # fmt: skip
        for name, pgoff, was, now in _pairs(*cached):
            yield _one("cached", (name, pgoff), {"name": name, "pgoff": pgoff}, was, now)
        nodes = [{n.id: _node_fields(n) for n in each.nodes} for each in (self.was, self.now)]
        yield from _things("node", "id", *nodes)
        edges = [{(e.tail, e.head, e.kind) for e in each.edges} for each in (self.was, self.now)]
        for edge in sorted(edges[0] ^ edges[1]):
            was, now = ({} if edge in each else None for each in edges)
            yield _one("edge", edge, {"tail": edge[0], "head": edge[1]}, was, now)


def _tables(moment: Moment, upper: bool) -> dict[tuple[int, ...], int]:
    """Return {(mm, level, prefix): row} of the tables between the top one and the leaves, or
    {(mm, first vpn): row} of the leaf tables."""
    bits = moment.snapshot.geometry.bits
    out: dict[tuple[int, ...], int] = {}
    for mm, space in moment.spaces.items():
        if upper:
            out |= {(mm, *place): row for place, row in space.uppers.items()}
        else:
            out |= {(mm, prefix << bits): row for prefix, row in space.leaves.items()}
    return out


def _words(moment: Moment) -> dict[tuple[int, int], int]:
    return {
        (mm, vpn): word for mm, space in moment.spaces.items() for vpn, word in space.words.items()
    }


def _pairs(was: Mapping[Any, Any], now: Mapping[Any, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield (what it stands in, number, was, now) of what differs, in order."""
    for key in sorted(was.keys() | now.keys()):
        if was.get(key) != now.get(key):
            yield (*key, was.get(key), now.get(key))


def _things(
    kind: str, name: str, was: Mapping[Any, Fields], now: Mapping[Any, Fields]
) -> Iterator[_News]:
    """Yield the news of things that have one name or number each."""
    for key in sorted(was.keys() | now.keys()):
        if was.get(key) != now.get(key):
            yield _one(kind, (key,), {name: key}, was.get(key), now.get(key))


def _one(kind: str, key: Key, args: Fields, was: Fields | None, now: Fields | None) -> _News:
    return _News(
        _sign(was, now),
        (kind, *key),
        lambda n: say(f"change.{kind}", n=n, **args),
        lambda _: _told(kind, args, was, now),
        "",
    )


def _sign(was: object, now: object) -> str:
    return "+" if was is None else "-" if now is None else "~"


def _told(kind: str, args: Fields, was: Fields | None, now: Fields | None) -> str:
    """Say what is new, that it is gone, or which fields are different, with both values."""
    if now is None:
        return say("change.gone")
    if was is None:
        return say(f"change.{kind}.new", **{**args, **now})
    names = dict.fromkeys([*was, *now])
    return ", ".join(
        say("change.field", name=_field(name), was=_value(was, name), now=_value(now, name))
        for name in names
        if was.get(name, "") != now.get(name, "")
    )


def _field(name: str) -> str:
    """Return what a field is called; facts of nodes have names of their own."""
    return name[1:] if name.startswith("=") else say(f"field.{name}")


def _value(fields: Fields, name: str) -> str:
    return str(fields.get(name, "")) or say("change.none")


def _entry(args: Fields, page: tuple[int, int], was: int | None, now: int | None) -> _News:
    moved = was is not None and now is not None and _end(was) != _end(now)
    return _News(
        _sign(was, now),
        ("pte", *page),
        lambda n: say("change.pte", n=n, **args),
        lambda n: _entry_news(was, now, n),
        (moved, *(None if word is None else _look(word) for word in (was, now))),
    )


def _frame_news(pfn: int, was: Fields | None, now: Fields | None) -> _News:
    bare = (None if each is None else {**each, "private": bool(each["private"])}
            for each in (was, now))  # fmt: skip
    return _News(
        _sign(was, now),
        ("frame", pfn),
        lambda n: say("change.frame", n=n, pfn=pfn, last=pfn + n - 1),
        lambda _: _told("frame", {}, was, now),
        _told("frame", {}, *bare),
    )


def _look(word: int) -> Hashable:
    """Return what is said of an entry, without its numbers."""
    return (is_present(word), word & PTE_WRITE, pte_letters(word)) if is_present(word) else "swap"


def _end(word: int) -> Hashable:
    """Return what an entry leads to, and how."""
    if is_present(word):
        return (word >> PTE_SHIFT, word & PTE_WRITE)
    return ("swap", swp_offset(word))


def _entry_news(was: int | None, now: int | None, n: int) -> str:
    if now is None:
        return say("change.unmapped")
    if was is None:
        return say("change.pte.new", now=_mapped(now, n))
    if _end(was) != _end(now):
        return say("change.pte.moved", now=_mapped(now, n), was=_mapped(was, n))
    return say("change.pte.bits", was=pte_letters(was), now=pte_letters(now))


def _mapped(word: int, n: int) -> str:
    if not is_present(word):
        return say("change.swapped", n=n, slot=swp_offset(word))
    key = "change.writable" if word & PTE_WRITE else "change.read-only"
    return say(key, n=n, pfn=word >> PTE_SHIFT)


def _frame_fields(frame: Frame) -> Fields:
    return {
        "count": frame.count,
        "mapcount": frame.mapcount,
        "index": f"{frame.index:#x}",
        "mapping": frame.mapping,
        "content": short(frame.data),
        "flags": " ".join(frame.flags),
        "private": frame.private or "",
    }


def _slots(snapshot: Snapshot) -> dict[str | int, Fields]:
    columns = (snapshot.swap_slot, snapshot.swap_count, snapshot.swap_data, snapshot.swap_pfn)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {
        slot: {"uses": count, "content": short(data), "cached": pfn or ""}
        for slot, count, data, pfn in rows
    }


def _node_fields(node: Node) -> Fields:
    return {"kind": node.kind, "label": node.label} | {f"={name}": v for name, v in node.facts}
