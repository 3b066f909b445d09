"""What changed between two snapshots, as short sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from anonlab.formats.snapshot import Snapshot
from anonlab.formats.templates import short
from anonlab.view.player.facts import Fact, facts, page_of
from anonlab.view.story.reading import plural


class Change(NamedTuple):
    """One thing that appeared ('+'), vanished ('-') or changed ('~').

    key       what it is: kind and identity, e.g. ("pte", "1", "0x30000")
    sentence  for people; neighbouring pages and frames that changed alike share one
    """

    sign: str
    key: tuple[str, ...]
    sentence: str


_KEYS = {
    "machine": 1, "process": 2, "mm": 2, "vma": 3, "table": 3, "upper": 4, "pte": 3, "frame": 2,
    "slot": 2, "file": 2, "cached": 3, "node": 2, "edge": 4, "cost": 2, "walk": 2,
}  # fmt: skip
"""How many words of a fact say which thing it is about."""
_ORDER = (
    "process", "mm", "vma", "upper", "table", "pte", "frame", "slot", "file", "cached", "node",
    "edge",
)  # fmt: skip


def changes(before: Snapshot, after: Snapshot) -> list[Change]:
    """Return what is different in `after`: processes first, then pages, frames and the graph.

    Counters of cost, walks and the number of frames in use are left out: they follow from the
    rest or change all the time.
    """
    return between(facts(before), facts(after))


def between(old: frozenset[Fact], new: frozenset[Fact]) -> list[Change]:
    """Return the changes from one set of facts to another."""
    names = _names(old | new)
    was = {fact[: _KEYS[fact[0]]]: fact for fact in old - new}
    now = {fact[: _KEYS[fact[0]]]: fact for fact in new - old}
    keys = sorted((key for key in was | now if key[0] in _ORDER), key=_rank)
    rows = [(key, *_sentence(was.get(key), now.get(key), names)) for key in keys]
    return list(_joined(rows))


def _names(all_facts: Iterable[Fact]) -> dict[str, str]:
    """Return {mm: its processes in words}."""
    spaces = {fact[1]: fact[4:] for fact in sorted(all_facts) if fact[0] == "mm"}
    return {mm: " and ".join(who) or f"mm {mm}" for mm, who in spaces.items()}


def _rank(key: tuple[str, ...]) -> tuple[object, ...]:
    numbers = tuple((int(word, 0) if _is_number(word) else -1, word) for word in key[1:])
    return (_ORDER.index(key[0]), numbers)


def _is_number(word: str) -> bool:
    return (word.isdecimal() and word.isascii()) or word.startswith("0x")


def _sentence(was: Fact | None, now: Fact | None, names: dict[str, str]) -> tuple[str, str, str]:
    """Return sign, subject and what happened to it."""
    fact = now or was
    assert fact is not None, "a change has a state before or after"
    subject, tell = _subject(fact, names), _TELL[fact[0]]
    if was is None:
        return "+", subject, tell(fact)
    if now is None:
        return "-", subject, "gone" if fact[0] != "pte" else "no longer mapped"
    return "~", subject, _differs(was, now)


def _subject(fact: Fact, names: dict[str, str]) -> str:
    kind = fact[0]
    if kind in ("vma", "table", "pte"):
        what = {"vma": "VMA", "table": "table", "pte": "page"}[kind]
        return f"{names.get(fact[1], f'mm {fact[1]}')}: {what} {fact[2]}"
    if kind == "upper":
        return f"{names.get(fact[1], f'mm {fact[1]}')}: table of level {fact[2]} from {fact[3]}"
    if kind == "edge":
        return f"edge {fact[1]} to {fact[2]}"
    if kind == "cached":
        return f"file {fact[1]}: page {fact[2]}"
    words = {"mm": "address space", "slot": "swap slot", "node": "node"}
    return f"{words.get(kind, kind)} {fact[1]}"


_TELL: dict[str, Callable[[Fact], str]] = {
    "process": lambda fact: f"new, pid {fact[2]}",
    "mm": lambda fact: f"new{f', in {fact[3]}' if fact[3] else ''}",
    "vma": lambda fact: f"new, {plural(int(fact[3]), 'page')}, {fact[4]}, {fact[5]}",
    "table": lambda fact: f"new, in row {fact[3]}",
    "upper": lambda fact: f"new, in row {fact[4]}",
    "pte": lambda fact: f"now {_mapped(fact)}",
    "frame": lambda fact: f"in use, {fact[5] or 'no mapping'}, mapcount {fact[3]}",
    "slot": lambda fact: f"in use, use count {fact[2]}",
    "file": lambda fact: f"new, {plural(int(fact[3]), 'page')}",
    "cached": lambda fact: f"cached in frame {fact[3]}",
    "node": lambda fact: f"new: {fact[3]}",
    "edge": lambda _: "new",
}


def _mapped(fact: Fact) -> str:
    if fact[3] == "swap":
        return f"swapped out to slot {fact[4]}"
    return f"frame {fact[4]}, {'writable' if 'W' in fact[5] else 'read-only'}"


_FIELDS = {
    "process": ("", "", "pid", "parent", "address space", "program"),
    "mm": ("", "", "top table", "home"),
    "vma": ("", "", "", "pages", "protection", "sharing", "file", "page offset", "lock", "growth"),
    "table": ("", "", "", "row"),
    "upper": ("", "", "", "", "row"),
    "frame": ("", "", "count", "mapcount", "index", "mapping", "content", "flags", "swap slot"),
    "slot": ("", "", "use count", "content", "cached in frame"),
    "file": ("", "", "mapping", "pages", "kind"),
    "cached": ("", "", "", "frame"),
}


def _differs(was: Fact, now: Fact) -> str:
    """Say which fields are different, with both values."""
    if now[0] == "pte":
        old, new = _mapped(was), _mapped(now)
        return f"now {new} (was {old})" if old != new else f"bits {was[-1]} became {now[-1]}"
    if now[0] == "node":
        return _node_differs(was, now)
    names = _FIELDS[now[0]]
    if len(was) != len(now) or len(now) > len(names):
        return "changed: " + ", ".join(now[len(names) :] or now[2:])
    rows = zip(names, was, now, strict=False)
    said = [f"{name} {_tag(name, a)} → {_tag(name, b)}" for name, a, b in rows if a != b]
    return ", ".join(said)


def _node_differs(was: Fact, now: Fact) -> str:
    """Say which facts of a node of the graph are different: they have names of their own."""
    old, new = (dict(pair.split("=", 1) for pair in fact[4:]) for fact in (was, now))
    old |= {"kind": was[2], "label": was[3]}
    new |= {"kind": now[2], "label": now[3]}
    both = dict.fromkeys([*old, *new])
    said = [
        f"{name} {old.get(name) or 'none'} → {new.get(name) or 'none'}"
        for name in both
        if old.get(name) != new.get(name)
    ]
    return ", ".join(said)


def _tag(name: str, value: str) -> str:
    if name == "content":
        return short(int(value))
    return value or "none"


_Row = tuple[tuple[str, ...], str, str, str]


def _joined(rows: list[_Row]) -> Iterable[Change]:
    """Let neighbouring pages (or frames) with the same news share one sentence."""
    at = 0
    while at < len(rows):
        key, sign, subject, news = rows[at]
        end = at + 1
        while end < len(rows) and _continues(rows[at], rows[end - 1], rows[end]):
            end += 1
        if end - at > 1:
            subject, news = _many(rows[at:end])
        yield Change(sign, key, f"{subject}: {news}")
        at = end


_JOINED = {"pte": "page", "frame": "frame", "vma": "VMA", "table": "table"}
"""Kinds whose sentences are joined, and their noun."""


def _continues(first: _Row, last: _Row, row: _Row) -> bool:
    kind = row[0][0]
    if kind not in _JOINED or row[0][0] != first[0][0] or row[1] != first[1]:
        return False
    if kind in ("vma", "table"):
        return row[0][1] == last[0][1] and row[1] == "-"
    if kind == "pte":
        near = row[0][1] == last[0][1] and page_of(row[0][2]) == page_of(last[0][2]) + 1
    else:
        near = int(row[0][1]) == int(last[0][1]) + 1
    return near and _general(row[3]) == _general(first[3])


def _general(news: str) -> str:
    """Return the news without the numbers of frames and slots: 'now frame #, writable'."""
    words = news.replace("(", "( ").split(" ")
    return " ".join(
        "#" if at and words[at - 1] in ("frame", "slot") else word for at, word in enumerate(words)
    )


def _many(rows: list[_Row]) -> tuple[str, str]:
    (key, _, subject, first), (last, _, _, _) = rows[0], rows[-1]
    count = len(rows)
    if key[0] == "frame":
        return f"frames {key[1]} to {last[1]}", first
    noun = _JOINED[key[0]]
    name = subject.rsplit(f": {noun} ", 1)[0]
    news = first.replace("frame ", "frames from ").replace("slot ", "slots from ")
    return f"{name}: {count} {noun}s from {key[2]}", news
