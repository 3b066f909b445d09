"""Read facts back out of pictures, player frames and text, sharing no code with anonlab.view.

The parsers know of the three only what a reader sees: data attributes, JSON, lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from anonlab.formats.snapshot import Snapshot

Fact = tuple[str, ...]


# ---- the truth, straight from a snapshot ----------------------------------------------------


def true_facts(snapshot: Snapshot) -> set[Fact]:
    """Every fact of a snapshot, written down without anonlab.view."""
    shape = snapshot.geometry
    digits = -(-(shape.levels * shape.bits + 12) // 4)
    words = {
        (int(r), int(s)): int(w)
        for r, s, w in zip(snapshot.row, snapshot.slot, snapshot.word, strict=True)
    }

    def address(vpn: int) -> str:
        return f"0x{vpn * 4096:0{digits}x}"

    name = shape.name or f"{shape.levels}x{shape.bits}"
    out: set[Fact] = {
        ("machine", snapshot.design, name,
         str(len(snapshot.pfn)), str(snapshot.nframes), str(snapshot.nswap))
    }  # fmt: skip
    for p in snapshot.processes:
        out.add(("process", p.name, str(p.pid), p.parent, str(p.mm), p.program))
    for mm in snapshot.mms:
        out.add(("mm", str(mm.mm), str(mm.pgd), mm.home, *mm.processes))
        for v in mm.vmas:
            out.add(("vma", str(mm.mm), address(v.start_vpn), str(v.end_vpn - v.start_vpn), v.prot,
                     "shared" if v.shared else "private", v.file, str(v.pgoff),
                     "locked" if v.locked else "-",
                     "growsdown" if v.growsdown else "-"))  # fmt: skip
        out |= set(_walk(words, shape, mm.mm, mm.pgd, address))
    mappings = dict(snapshot.mappings)
    names = ("anon", "swapcache", "dirty", "referenced", "locked", "reserved", "exclusive")
    for at, pfn in enumerate(snapshot.pfn.tolist()):
        flags = " ".join(n for bit, n in enumerate(names) if int(snapshot.flags[at]) >> bit & 1)
        mapping = int(snapshot.mapping[at])
        out.add(("frame", str(pfn), str(snapshot.count[at]), str(snapshot.mapcount[at]),
                 hex(int(snapshot.index[at])), mappings[mapping] if mapping else "",
                 str(snapshot.data[at]), flags, str(snapshot.private[at])))  # fmt: skip
    for at, slot in enumerate(snapshot.swap_slot.tolist()):
        columns = (snapshot.swap_count, snapshot.swap_data, snapshot.swap_pfn)
        out.add(("slot", str(slot), *(str(column[at]) for column in columns)))
    for f in snapshot.files:
        out.add(("file", f.name, str(f.mapping), str(f.npages), "shmem" if f.shmem else "-"))
        out |= {("cached", f.name, str(pgoff), str(pfn)) for pgoff, pfn in f.cached}
    out |= {
        ("node", n.id, n.kind, n.label, *(f"{k}={v}" for k, v in n.facts)) for n in snapshot.nodes
    }
    out |= {("edge", e.tail, e.head, e.kind) for e in snapshot.edges}
    out |= {("cost", name, str(value)) for name, value in snapshot.cost}
    for walk in snapshot.walks:
        probes = [
            f"{p.mm} {address(p.vpn)} {('miss', 'hit')[p.hit]} {p.nodes}" for p in walk.probes
        ]
        out.add(("walk", str(walk.pfn), walk.via, str(walk.nodes), str(walk.locks), *probes))
    return out


def _walk(words: Any, shape: Any, mm: int, pgd: int, address: Any) -> Iterator[Fact]:
    slots = 1 << shape.bits
    tables = [(0, pgd)]
    for level in range(shape.levels - 1):
        for prefix, row in tables if level else ():
            first = address(prefix * slots ** (shape.levels - level))
            yield ("upper", str(mm), str(level), first, str(row))
        tables = [
            (prefix * slots + slot, words[row, slot] >> 12)
            for prefix, row in tables
            for slot in range(slots)
            if words.get((row, slot))
        ]
    for prefix, row in tables:
        yield ("table", str(mm), address(prefix * slots), str(row))
        for slot in range(slots):
            word = words.get((row, slot), 0)
            where = ("pte", str(mm), address(prefix * slots + slot))
            if word & 1:
                bits = "".join(c if word >> b & 1 else "-" for b, c in
                               ((0, "P"), (1, "W"), (2, "U"), (5, "A"), (6, "D")))  # fmt: skip
                yield (*where, "frame", str(word >> 12), bits)
            elif word:
                yield (*where, "swap", str(word >> 8))


# ---- text -----------------------------------------------------------------------------------

_NAME = r'("(?:[^"\\]|\\.)*"|[^\s",;]+?)'


def _plain(word: str | None) -> str:
    if not word:
        return ""
    return json.loads(word) if word.startswith('"') else word


def _numbers(text: str) -> list[int]:
    out: list[int] = []
    for part in text.split(" and "):
        ends = [int(end, 0) for end in part.split(" to ")]
        out += range(ends[0], ends[-1] + 1)
    return out


def text_facts(text: str) -> list[Fact]:
    """Every fact in a text twin."""
    sentences: list[str] = []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if indent >= 4:
            sentences[-1] += " " + line.strip()
        else:
            sentences.append(line)
    reader = _Text()
    return [fact for sentence in sentences for fact in reader.facts(sentence)]


class _Text:
    mm = ""
    file = ""

    def facts(self, s: str) -> Iterator[Fact]:
        for pattern, method in _READERS:
            match = re.fullmatch(pattern, s)
            if match:
                yield from method(self, *match.groups())
                return
        raise AssertionError(f"no reader for the line {s!r}")

    def machine(self, shape: str, design: str, used: str, frames: str, swap: str) -> Iterator[Fact]:
        yield ("machine", _plain(design), shape, used, frames, swap or "0")

    def process(self, name: str, pid: str, parent: str, program: str, mm: str) -> Iterator[Fact]:
        yield ("process", _plain(name), pid, _plain(parent), mm or "0", _plain(program))

    def space(self, mm: str, names: str, row: str, home: str) -> Iterator[Fact]:
        self.mm = mm
        who = [_plain(n) for n in re.findall(_NAME + r"(?:, |$)", names)]
        yield ("mm", mm, row, _plain(home), *([] if names == "no process" else who))

    def vma(self, at: str, pages: str, prot: str, sharing: str, file: str, pgoff: str,
            anon: str, locked: str, grows: str) -> Iterator[Fact]:  # fmt: skip
        yield ("vma", self.mm, at, pages, prot, sharing, _plain(file), pgoff or anon,
               "locked" if locked else "-", "growsdown" if grows else "-")  # fmt: skip

    def table(self, at: str, row: str) -> Iterator[Fact]:
        yield ("table", self.mm, at, row)

    def upper(self, level: str, at: str, row: str) -> Iterator[Fact]:
        yield ("upper", self.mm, level, at, row)

    def _addresses(self, count: str | None, at: str) -> list[str]:
        return [f"0x{int(at, 16) + 4096 * k:0{len(at) - 2}x}" for k in range(int(count or 1))]

    def swapped(self, count: str, at: str, slots: str) -> Iterator[Fact]:
        for address, slot in zip(self._addresses(count, at), _numbers(slots), strict=True):
            yield ("pte", self.mm, address, "swap", str(slot))

    def page(self, count: str, at: str, frames: str, right: str, bits: str) -> Iterator[Fact]:
        assert (right == "writable") == ("W" in bits), "the word and the bits say different things"
        for address, pfn in zip(self._addresses(count, at), _numbers(frames), strict=True):
            yield ("pte", self.mm, address, "frame", str(pfn), bits)

    def frame(self, pfns: str, mapping: str, index: str, count: str, mapcount: str, tags: str,
              flags: str, private: str) -> Iterator[Fact]:  # fmt: skip
        numbers = _numbers(pfns)
        indexes = _numbers(index)
        indexes = indexes if len(indexes) == len(numbers) else indexes * len(numbers)
        data = _numbers(tags)
        data = data if len(data) == len(numbers) else data * len(numbers)
        named = (flags or "").replace(" and ", " ")
        for pfn, at, tag in zip(numbers, indexes, data, strict=True):
            yield ("frame", str(pfn), count, mapcount, hex(at), _plain(mapping), str(tag), named,
                   private or "0")  # fmt: skip

    def slot(self, slot: str, count: str, data: str, pfn: str) -> Iterator[Fact]:
        yield ("slot", slot, count, data, pfn or "0")

    def a_file(self, kind: str, name: str, mapping: str, pages: str) -> Iterator[Fact]:
        self.file = _plain(name)
        shmem = "shmem" if kind == "Shared memory" else "-"
        yield ("file", self.file, mapping, pages, shmem)

    def cached(self, pages: str, frames: str) -> Iterator[Fact]:
        for pgoff, pfn in zip(_numbers(pages), _numbers(frames), strict=True):
            yield ("cached", self.file, str(pgoff), str(pfn))

    def node(self, name: str, kind: str, label: str, more: str) -> Iterator[Fact]:
        pairs = re.findall(rf", {_NAME} = {_NAME}(?=,|$)", more)
        yield ("node", _plain(name), _plain(kind), _plain(label),
               *(f"{_plain(k)}={_plain(v)}" for k, v in pairs))  # fmt: skip

    def edge(self, kind: str, tail: str, head: str) -> Iterator[Fact]:
        yield ("edge", _plain(tail), _plain(head), _plain(kind))

    def walk(self, pfn: str, via: str, nodes: str, locks: str, probes: str) -> Iterator[Fact]:
        read = re.findall(rf"address space (\d+) at {_AT} (hit|miss) after (\d+)(?:, |$)", probes)
        assert read, f"a walk without a probe: {probes!r}"
        yield ("walk", pfn, _plain(via), nodes, locks, *(" ".join(probe) for probe in read))

    def cost(self, name: str, value: str) -> Iterator[Fact]:
        yield ("cost", _plain(name), value)


_AT = r"(0x[0-9a-f]+)"
_SOME = r"((?:-?\w+)(?:(?: to | and )-?\w+)*)"
_FLAG = "(?:anon|swapcache|dirty|referenced|locked|reserved|exclusive)"
_FLAGS = rf"{_FLAG}(?: and {_FLAG})*"
_READERS: list[tuple[str, Any]] = [
    (rf"Machine (\w+), design {_NAME}: (\d+) of (\d+) frames? in use(?:, (\d+) swap slots?)?\.",
     _Text.machine),
    (rf"Process {_NAME}: pid (\d+)(?:, child of {_NAME})?(?:, runs {_NAME})?, "
     r"(?:address space (\d+)|exited)\.", _Text.process),
    (rf"Address space (\d+) of (.*): top table in row (\d+)(?:, home {_NAME})?\.", _Text.space),
    (rf"  VMA from {_AT}: (\d+) pages?, (\S+), (private|shared), "
     rf"(?:file {_NAME} from page (-?\d+)|anonymous at page (-?\d+))(, locked)?(, grows down)?\.",
     _Text.vma),
    (rf"  Table from {_AT}: row (\d+)\.", _Text.table),
    (rf"  Table of level (\d+) from {_AT}: row (\d+)\.", _Text.upper),
    (rf"  (?:Page|(\d+) pages from) {_AT}: swapped out, slots? {_SOME}\.", _Text.swapped),
    (rf"  (?:Page|(\d+) pages from) {_AT}: frames? {_SOME}, (writable|read-only)"
     r"(?:, the zero page)?(?:, shared by \d+)?, bits (\S+)\.", _Text.page),
    (rf"Frames? {_SOME}: (?:mapping {_NAME}|no mapping), index {_SOME}, count (-?\d+), "
     rf"mapcount (-?\d+), content {_SOME}(?:, ({_FLAGS}))?(?:, swap slot (\d+))?"
     r"(?:, the zero page)?, (?:unmapped|in address spaces? .*)\.", _Text.frame),
    (r"Swap slot (\d+): use count (\d+), content (-?\d+)(?:, also in frame (\d+))?\.", _Text.slot),
    (rf"(File|Shared memory) {_NAME}: mapping (-?\d+), (\d+) pages?(?:, \d+ cached)?\.",
     _Text.a_file),
    (rf"  Cached pages? {_SOME}: frames? {_SOME}\.", _Text.cached),
    (rf"Node {_NAME}: {_NAME} {_NAME}((?:, .*)?)\.", _Text.node),
    (rf"Edge {_NAME}: {_NAME} to {_NAME}\.", _Text.edge),
    (rf"Cost {_NAME}: (-?\d+)\.", _Text.cost),
    (rf"Walk for frame (\d+) from {_NAME}, (\d+) nodes? visited, (\d+) locks?: (.*)\.", _Text.walk),
]  # fmt: skip
