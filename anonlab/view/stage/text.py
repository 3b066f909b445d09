"""The text twin: the same facts as the picture, in the order in which one would say them.

Process, VMA, page, frame; one thing per line, at most 80 columns, long lines go on indented.
A name that is not plain letters and digits stands in quotation marks.
"""

from __future__ import annotations

import json
import re
import textwrap
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
from anonlab.view.player.facts import slot_facts
from anonlab.view.stage.reading import Frame, Reading, Space, is_whole, plural, ranges, read

COLUMNS = 80
_PLAIN = re.compile(r"[A-Za-z0-9_.:+/@-]+")


def text_twin(snapshot: Snapshot) -> str:
    """Return everything that a picture of `snapshot` shows as plain lines."""
    return "\n".join(text_lines(read(snapshot))) + "\n"


def space_text(snapshot: Snapshot, mm: int) -> str:
    """Return the part of the text twin that is about address space `mm`."""
    reading = read(snapshot)
    sentences = _space(reading, reading.spaces[mm])
    return "".join(f"{line}\n" for sentence in sentences for line in wrapped(sentence))


def text_lines(reading: Reading) -> list[str]:
    """Return the lines of the text twin, wrapped."""
    return [line for sentence in _sentences(reading) for line in wrapped(sentence)]


def quoted(name: str) -> str:
    """Return a name as text: as it is if plain, else in quotation marks with escapes."""
    return name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def wrapped(sentence: str) -> list[str]:
    """Break a line at its spaces, but never inside a quoted name."""
    if len(sentence) <= COLUMNS:
        return [sentence]
    indent = len(sentence) - len(sentence.lstrip())
    held = re.sub(r'"(?:[^"\\]|\\.)*"', lambda m: m[0].replace(" ", "\u00a0"), sentence)
    lines = textwrap.wrap(
        held,
        COLUMNS,
        subsequent_indent=" " * (indent + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\u00a0", " ") for line in lines]


def _sentences(reading: Reading) -> Iterator[str]:
    snapshot = reading.snapshot
    shape = snapshot.geometry
    name = shape.name or f"{shape.levels}x{shape.bits}"
    frames = f"{len(snapshot.pfn)} of {plural(snapshot.nframes, 'frame')} in use"
    yield f"Machine {name}, design {quoted(snapshot.design)}: {frames}, {_slots(snapshot)}."
    for process in snapshot.processes:
        child = f", child of {quoted(process.parent)}" if process.parent else ""
        runs = f", runs {quoted(process.program)}" if process.program else ""
        where = f"address space {process.mm}" if process.mm else "exited"
        yield f"Process {quoted(process.name)}: pid {process.pid}{child}{runs}, {where}."
    for space in reading.spaces.values():
        yield from _space(reading, space)
    for frames_alike in _alike(reading):
        yield _frame(reading, frames_alike)
    yield from _swap(snapshot)
    yield from _files(snapshot)
    yield from _graph(snapshot)
    yield from (_walk(walk, snapshot.geometry) for walk in snapshot.walks)


def _slots(snapshot: Snapshot) -> str:
    return plural(snapshot.nswap, "swap slot")


def _space(reading: Reading, space: Space) -> Iterator[str]:
    fact, shape = space.fact, reading.snapshot.geometry
    who = ", ".join(map(quoted, fact.processes)) or "no process"
    home = f", home {quoted(fact.home)}" if fact.home else ""
    yield f"Address space {fact.mm} of {who}: top table in row {fact.pgd}{home}."
    for vma in fact.vmas:
        yield _vma(vma, shape.address(vma.start_vpn))
    for (level, prefix), row in space.uppers.items():
        start = shape.address(prefix << shape.bits * (shape.levels - level))
        yield f"  Table of level {level} from {start}: row {row}."
    for prefix, row in space.leaves.items():
        yield f"  Table from {shape.address(prefix << shape.bits)}: row {row}."
    for vpns in _page_runs(reading, space):
        yield _pages(reading, space, vpns)


def _vma(vma: VmaFact, address: str) -> str:
    words = [plural(vma.end_vpn - vma.start_vpn, "page"), vma.prot]
    words += ["shared" if vma.shared else "private"]
    words += [f"file {quoted(vma.file)} from page {vma.pgoff}" if vma.file else
              f"anonymous at page {vma.pgoff}"]  # fmt: skip
    words += ["locked"] * vma.locked + ["grows down"] * vma.growsdown
    return f"  VMA from {address}: {', '.join(words)}."


def _page_runs(reading: Reading, space: Space) -> Iterator[list[int]]:
    """Yield neighbouring pages that one line can tell; on a small machine each has its own."""
    whole = is_whole(reading.snapshot.geometry)
    run: list[int] = []
    last: object = None
    for vpn in space.words:
        said = _said(reading, space, vpn)
        if run and (whole or vpn != run[-1] + 1 or said != last):
            yield run
            run = []
        run.append(vpn)
        last = said
    if run:
        yield run


def _said(reading: Reading, space: Space, vpn: int) -> tuple[object, ...]:
    word = space.words[vpn]
    if not is_present(word):
        return ("swap",)
    pfn = word >> PTE_SHIFT
    return (pte_letters(word), pfn == ZERO_PFN, len(reading.owners[pfn]))


def _pages(reading: Reading, space: Space, vpns: Sequence[int]) -> str:
    shape = reading.snapshot.geometry
    first, word = shape.address(vpns[0]), space.words[vpns[0]]
    pages = f"Page {first}" if len(vpns) == 1 else f"{len(vpns)} pages from {first}"
    if not is_present(word):
        slots = [int(swp_offset(space.words[vpn])) for vpn in vpns]
        return f"  {pages}: swapped out, {_numbers('slot', slots)}."
    pfns = [space.words[vpn] >> PTE_SHIFT for vpn in vpns]
    letters = pte_letters(word)
    words = [_numbers("frame", pfns), "writable" if "W" in letters else "read-only"]
    words += ["the zero page"] * (pfns[0] == ZERO_PFN)
    mappers = len(reading.owners[pfns[0]])
    words += [f"shared by {mappers}"] * (mappers > 1 and pfns[0] != ZERO_PFN)
    return f"  {pages}: {', '.join(words)}, bits {letters}."


def _numbers(noun: str, numbers: Sequence[int]) -> str:
    """Return 'frame 3', or 'frames 12 to 19 and 25' in the order given."""
    if len(numbers) == 1:
        return f"{noun} {numbers[0]}"
    told = [str(a) if a == b else f"{a} to {b}" for a, b in _in_order(numbers)]
    return f"{noun}s {' and '.join(told)}"


def _in_order(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return runs of numbers that rise by one, without sorting them."""
    return ranges(numbers)


def _alike(reading: Reading) -> Iterator[list[Frame]]:
    """Yield neighbouring frames that one line can tell; on a small machine each has its own."""
    whole = is_whole(reading.snapshot.geometry)
    run: list[Frame] = []
    for frame in reading.frames.values():
        if run and (whole or not _follows(reading, run, frame)):
            yield run
            run = []
        run.append(frame)
    if run:
        yield run


def _follows(reading: Reading, run: list[Frame], frame: Frame) -> bool:
    last = run[-1]
    like = replace(last, pfn=frame.pfn, index=last.index + 1, data=frame.data)
    step = run[1].data - run[0].data if len(run) > 1 else frame.data - last.data
    even = frame.data - last.data == step and step in (0, 1)
    owners = reading.owners
    same = owners.get(frame.pfn) == owners.get(last.pfn)
    return like == frame and even and same and frame.pfn == last.pfn + 1 and not frame.private


def _frame(reading: Reading, frames: list[Frame]) -> str:
    frame = frames[0]
    number = f"Frame {frame.pfn}"
    if len(frames) > 1:
        number = f"Frames {frame.pfn} to {frames[-1].pfn}"
    home = f"{quoted(frame.mapping)}" if frame.mapping else "no mapping"
    words = [f"mapping {home}" if frame.mapping else home, f"index {_span(frames)}"]
    words += [f"count {frame.count}", f"mapcount {frame.mapcount}", f"content {_tags(frames)}"]
    words += [" and ".join(frame.flags) if frame.flags else "no flags"]
    words += [f"swap slot {frame.private}"] * bool(frame.private)
    words += ["the zero page"] * (frame.pfn == ZERO_PFN)
    mms = [str(mm) for mm in dict.fromkeys(reading.owners.get(frame.pfn, ()))]
    words += [f"in address space{'s' * (len(mms) > 1)} {' and '.join(mms)}" if mms else "unmapped"]
    return f"{number}: {', '.join(words)}."


def _span(frames: list[Frame]) -> str:
    first, last = frames[0].index, frames[-1].index
    return f"{first:#x}" if len(frames) == 1 else f"{first:#x} to {last:#x}"


def _tags(frames: list[Frame]) -> str:
    first, last = frames[0].data, frames[-1].data
    return f"{first}" if first == last else f"{first} to {last}"


def _swap(snapshot: Snapshot) -> Iterator[str]:
    for _, slot, count, data, pfn in slot_facts(snapshot):
        cached = f", also in frame {pfn}" if int(pfn) else ""
        yield f"Swap slot {slot}: use count {count}, content {data}{cached}."


def _files(snapshot: Snapshot) -> Iterator[str]:
    for file in snapshot.files:
        kind = "Shared memory" if file.shmem else "File"
        head = f"{kind} {quoted(file.name)}: mapping {file.mapping}, {plural(file.npages, 'page')}"
        yield f"{head}, {len(file.cached)} cached."
        run: list[tuple[int, int]] = []
        for pgoff, pfn in (*file.cached, (-1, -1)):
            if run and (pgoff, pfn) != (run[-1][0] + 1, run[-1][1] + 1):
                yield f"  {_cached(run)}."
                run = []
            run.append((pgoff, pfn))


def _cached(run: list[tuple[int, int]]) -> str:
    (pgoff, pfn), (last, end) = run[0], run[-1]
    if len(run) == 1:
        return f"Cached page {pgoff}: frame {pfn}"
    return f"Cached pages {pgoff} to {last}: frames {pfn} to {end}"


def _graph(snapshot: Snapshot) -> Iterator[str]:
    for node in snapshot.nodes:
        more = "".join(f", {quoted(name)} = {quoted(value)}" for name, value in node.facts)
        yield f"Node {quoted(node.id)}: {quoted(node.kind)} {quoted(node.label)}{more}."
    for edge in snapshot.edges:
        yield f"Edge {quoted(edge.kind)}: {quoted(edge.tail)} to {quoted(edge.head)}."
    for name, value in snapshot.cost:
        yield f"Cost {quoted(name)}: {value}."


def _walk(walk: WalkFact, shape: Geometry) -> str:
    work = f"{plural(walk.nodes, 'node')} visited, {plural(walk.locks, 'lock')}"
    probes = (
        f"address space {mm} at {shape.address(vpn)} {'hit' if hit else 'miss'} after {nodes}"
        for mm, vpn, hit, nodes in walk.probes
    )
    return f"Walk for frame {walk.pfn} from {quoted(walk.via)}, {work}: {', '.join(probes)}."
