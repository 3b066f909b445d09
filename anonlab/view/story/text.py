"""The text twin: the same facts as the picture, in the order in which one would say them.

Process, VMA, page, frame; one thing per line, at most 80 columns, long lines go on indented. What
is zero or not there is not said. A name that is not plain letters and digits stands in quotation
marks. The words are in the catalogue; text.js says the same in the browser, string for string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from anonlab.formats.snapshot import Snapshot, VmaFact, WalkFact
from anonlab.machine.words import (
    PTE_SHIFT,
    ZERO_PFN,
    Geometry,
    is_present,
    pte_letters,
    swp_offset,
)
from anonlab.view.story.reading import AddressSpace, Frame, Moment, is_whole, ranges, read
from anonlab.view.story.words import say

COLUMNS = 80
_PLAIN = re.compile(r"[A-Za-z0-9_.:+/@-]+")
_WORD = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^ "])+')


def text_twin(snapshot: Snapshot) -> str:
    """Return everything that a picture of `snapshot` shows as plain lines."""
    return "\n".join(text_lines(read(snapshot))) + "\n"


def space_text(snapshot: Snapshot, mm: int) -> str:
    """Return the part of the text twin that is about address space `mm`."""
    moment = read(snapshot)
    sentences = _space(moment, moment.spaces[mm])
    return "".join(f"{line}\n" for sentence in sentences for line in wrapped(sentence))


def text_lines(moment: Moment) -> list[str]:
    """Return the lines of the text twin, wrapped."""
    return [line for sentence in _sentences(moment) for line in wrapped(sentence)]


def quoted(name: str) -> str:
    """Return a name as text: as it is if plain, else in quotation marks with escapes."""
    return name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def wrapped(sentence: str) -> list[str]:
    """Break a line at its spaces, but never inside a quoted name."""
    if len(sentence) <= COLUMNS:
        return [sentence]
    indent = " " * (len(sentence) - len(sentence.lstrip(" ")))
    lines: list[str] = []
    line = ""
    for word in _WORD.findall(sentence):
        if line and len(line) + 1 + len(word) > COLUMNS:
            lines.append(line)
            line = f"{indent}    {word}"
        else:
            line = f"{line} {word}" if line else indent + word
    return [*lines, line]


def _sentences(moment: Moment) -> Iterator[str]:
    snapshot = moment.snapshot
    shape = snapshot.geometry
    yield say(
        "twin.machine",
        machine=shape.name or f"{shape.levels}x{shape.bits}",
        design=quoted(snapshot.design),
        used=len(snapshot.pfn),
        nframes=snapshot.nframes,
        nswap=snapshot.nswap,
    )
    for process in snapshot.processes:
        yield say(
            "twin.process",
            name=quoted(process.name),
            pid=process.pid,
            parent=process.parent and quoted(process.parent),
            program=process.program and quoted(process.program),
            mm=process.mm,
            exited=not process.mm,
        )
    for space in moment.spaces.values():
        yield from _space(moment, space)
    for alike in _alike(moment):
        yield _frame(moment, alike)
    yield from _swap(snapshot)
    yield from _files(snapshot)
    yield from _graph(snapshot)
    yield from (_walk(walk, shape) for walk in snapshot.walks)


def _space(moment: Moment, space: AddressSpace) -> Iterator[str]:
    fact, shape = space.fact, moment.snapshot.geometry
    digits = shape.hex_digits
    who = ", ".join(map(quoted, fact.processes)) or say("twin.nobody")
    home = fact.home and quoted(fact.home)
    yield say("twin.space", mm=fact.mm, who=who, pgd=fact.pgd, home=home)
    for vma in fact.vmas:
        yield _vma(vma, digits)
    for (level, prefix), row in space.uppers.items():
        start = prefix << shape.bits * (shape.levels - level)
        yield say("twin.upper", level=level, vpn=start, row=row, digits=digits)
    for prefix, row in space.leaves.items():
        yield say("twin.table", vpn=prefix << shape.bits, row=row, digits=digits)
    for vpns in _page_runs(moment, space):
        yield _pages(moment, space, vpns)


def _vma(vma: VmaFact, digits: int) -> str:
    return say(
        "twin.vma",
        vpn=vma.start_vpn,
        digits=digits,
        pages=vma.end_vpn - vma.start_vpn,
        prot=vma.prot,
        shared=vma.shared,
        private=not vma.shared,
        file=vma.file and quoted(vma.file),
        anonymous=not vma.file,
        pgoff=vma.pgoff,
        locked=vma.locked,
        growsdown=vma.growsdown,
    )


def _page_runs(moment: Moment, space: AddressSpace) -> Iterator[list[int]]:
    """Yield neighbouring pages that one line can tell; on a small machine each has its own."""
    whole = is_whole(moment.snapshot.geometry)
    run: list[int] = []
    last: object = None
    for vpn in space.words:
        said = _said(moment, space, vpn)
        if run and (whole or vpn != run[-1] + 1 or said != last):
            yield run
            run = []
        run.append(vpn)
        last = said
    if run:
        yield run


def _said(moment: Moment, space: AddressSpace, vpn: int) -> tuple[object, ...]:
    word = space.words[vpn]
    if not is_present(word):
        return ("swap",)
    pfn = word >> PTE_SHIFT
    return (pte_letters(word), pfn == ZERO_PFN, len(moment.owners[pfn]))


def _pages(moment: Moment, space: AddressSpace, vpns: Sequence[int]) -> str:
    where = {"n": len(vpns), "vpn": vpns[0], "digits": moment.snapshot.geometry.hex_digits}
    words = [space.words[vpn] for vpn in vpns]
    if not is_present(words[0]):
        return say("twin.swapped", slots=_numbers([swp_offset(word) for word in words]), **where)
    letters, pfn = pte_letters(words[0]), words[0] >> PTE_SHIFT
    mappers = len(moment.owners[pfn])
    return say(
        "twin.page",
        frames=_numbers([word >> PTE_SHIFT for word in words]),
        write="W" in letters,
        read="W" not in letters,
        zero=pfn == ZERO_PFN,
        mappers=mappers if mappers > 1 and pfn != ZERO_PFN else 0,
        bits=letters,
        **where,
    )


def _numbers(numbers: Sequence[int]) -> str:
    """Return '3', or '12 to 19 and 25' in the order given."""
    return say("twin.and").join(_span(str(a), str(b)) for a, b in ranges(numbers))


def _span(first: str, last: str) -> str:
    return first if first == last else say("twin.run", first=first, last=last)


def _alike(moment: Moment) -> Iterator[list[Frame]]:
    """Yield neighbouring frames that one line can tell; on a small machine each has its own."""
    whole = is_whole(moment.snapshot.geometry)
    run: list[Frame] = []
    for frame in moment.frames.values():
        if run and (whole or not _follows(moment, run, frame)):
            yield run
            run = []
        run.append(frame)
    if run:
        yield run


def _follows(moment: Moment, run: list[Frame], frame: Frame) -> bool:
    last = run[-1]
    like = replace(last, pfn=frame.pfn, index=last.index + 1, data=frame.data)
    step = run[1].data - run[0].data if len(run) > 1 else frame.data - last.data
    even = frame.data - last.data == step and step in (0, 1)
    owners = moment.owners
    same = owners.get(frame.pfn) == owners.get(last.pfn)
    return like == frame and even and same and frame.pfn == last.pfn + 1 and not frame.private


def _frame(moment: Moment, frames: list[Frame]) -> str:
    frame, last = frames[0], frames[-1]
    mms = [str(mm) for mm in dict.fromkeys(moment.owners.get(frame.pfn, ()))]
    return say(
        "twin.frame",
        n=len(frames),
        pfn=frame.pfn,
        last=last.pfn,
        mapping=frame.mapping and quoted(frame.mapping),
        free=not frame.mapping,
        index=_span(f"{frame.index:#x}", f"{last.index:#x}"),
        count=frame.count,
        mapcount=frame.mapcount,
        content=_span(str(frame.data), str(last.data)),
        flags=say("twin.and").join(frame.flags),
        slot=frame.private,
        zero=frame.pfn == ZERO_PFN,
        mms=len(mms),
        spaces=say("twin.and").join(mms),
        unmapped=not mms,
    )


def _swap(snapshot: Snapshot) -> Iterator[str]:
    columns = (snapshot.swap_slot, snapshot.swap_count, snapshot.swap_data, snapshot.swap_pfn)
    for slot, count, data, pfn in zip(*(column.tolist() for column in columns), strict=True):
        yield say("twin.swap", slot=slot, count=count, content=data, pfn=pfn)


def _files(snapshot: Snapshot) -> Iterator[str]:
    for file in snapshot.files:
        yield say(
            "twin.file",
            shmem=file.shmem,
            plain=not file.shmem,
            name=quoted(file.name),
            mapping=file.mapping,
            npages=file.npages,
            cached=len(file.cached),
        )
        run: list[tuple[int, int]] = []
        for pgoff, pfn in (*file.cached, (-1, -1)):
            if run and (pgoff, pfn) != (run[-1][0] + 1, run[-1][1] + 1):
                (first, start), (last, end) = run[0], run[-1]
                yield say("twin.cached", n=len(run), pgoff=first, last=last, pfn=start, end=end)
                run = []
            run.append((pgoff, pfn))


def _graph(snapshot: Snapshot) -> Iterator[str]:
    for node in snapshot.nodes:
        facts = "".join(
            say("twin.fact", name=quoted(name), value=quoted(value)) for name, value in node.facts
        )
        yield say(
            "twin.node",
            id=quoted(node.id),
            kind=quoted(node.kind),
            label=quoted(node.label),
            facts=facts,
        )
    for edge in snapshot.edges:
        tail, head = quoted(edge.tail), quoted(edge.head)
        yield say("twin.edge", kind=quoted(edge.kind), tail=tail, head=head)
    for name, value in snapshot.cost:
        if value:
            yield say("twin.cost", name=quoted(name), value=value)


def _walk(walk: WalkFact, shape: Geometry) -> str:
    probes = (
        say(
            "twin.probe",
            mm=mm,
            vpn=vpn,
            digits=shape.hex_digits,
            hit=hit,
            miss=not hit,
            nodes=nodes,
        )
        for mm, vpn, hit, nodes in walk.probes
    )
    return say(
        "twin.walk",
        pfn=walk.pfn,
        via=quoted(walk.via),
        nodes=walk.nodes,
        locks=walk.locks,
        probes=", ".join(probes),
    )
