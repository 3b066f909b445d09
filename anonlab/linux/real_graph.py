"""The running kernel's reverse map after every operation of a history, and recordings of it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from anonlab.formats.history import History
from anonlab.formats.observation import Place
from anonlab.formats.recording import FULL
from anonlab.formats.rmap_graph import AnonVmaFact, AreaFact, PageFact, RmapGraph, renumbered
from anonlab.formats.rmap_recording import RmapRecording
from anonlab.linux.address_window import AddressWindow
from anonlab.linux.oracle import Oracle, kernel_facts
from anonlab.linux.pagemap import KPF_ANON, PM_PFN, PM_PRESENT, access
from anonlab.linux.real_rmap import RealRmap

FOLDER = Path(__file__).with_name("recorded") / "rmap"
SUFFIX = ".json"


class RmapEffect(NamedTuple):
    """What an operation leaves: the name of its error, '' if it worked, and the reverse map."""

    error: str
    graph: RmapGraph


def why_not() -> str:
    """Return why the running kernel's reverse map cannot be read by this process; '' if it can."""
    may = access()
    if may.view != FULL:
        return may.reason
    try:
        RealRmap().close()
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def watch_rmap(history: History) -> Generator[RmapEffect]:
    """Run `history` on real processes; yield what each operation leaves.

    raises  OSError or ValueError where the running kernel cannot be read: it says why
    """
    real = RealRmap()
    try:
        with Oracle(FULL) as oracle:
            window = AddressWindow(history)
            for shown in oracle.run(history):
                yield RmapEffect(shown.error, graph_of(real, oracle, window))
    finally:
        real.close()


def graph_of(real: RealRmap, oracle: Oracle, window: AddressWindow) -> RmapGraph:
    """Return the reverse map behind all anonymous pages in the window of the oracle's processes.

    raises  ValueError if the kernel names a process that is not the oracle's
    """
    names = {living.pid: name for name, living in oracle.processes.living.items()}
    shift = window.first_real - window.first_vpn

    def index(real: int) -> int:  # an offset in a file is small, and stays what it is
        return real - shift if real >= shift else real

    places = _places(oracle, window)
    found, areas = real.reachable(places)
    pages = {pfn: real.page(pfn) for pfn in places}
    if strangers := {area.pid for area in areas} - names.keys():
        raise ValueError(
            f"the kernel knows our processes by other numbers, such as {min(strangers)}: this is a "
            "pid namespace of its own"
        )
    return renumbered(
        {each.number: AnonVmaFact(*each[:6]) for each in found},
        [
            AreaFact(
                names[area.pid],
                area.vpn - shift,
                area.npages,
                index(area.pgoff),
                area.chain,
                area.own,
            )
            for area in areas
        ],
        [
            PageFact(
                tuple(sorted(places[pfn])), page.anon_vma, index(page.page_index), page.mapcount
            )
            for pfn, page in pages.items()
        ],
    )


def _places(oracle: Oracle, window: AddressWindow) -> dict[int, list[Place]]:
    """Return where the anonymous pages of the window are mapped, by frame number."""
    assert oracle.frames is not None, "an oracle with the full view knows frames"
    found: dict[int, list[Place]] = {}
    for name, living in oracle.processes.living.items():
        for number, word in enumerate(living.pagemap.words(window.first_real, window.npages)):
            if word & PM_PRESENT and oracle.frames.flags(word & PM_PFN) & KPF_ANON:
                found.setdefault(word & PM_PFN, []).append((name, window.first_vpn + number))
    return found


def record_rmap(history: History, path: Path) -> RmapRecording:
    """Write the recording of what the running kernel's reverse map does under `history`.

    raises  as watch, FormatError if real processes cannot do the history, OSError for the file
    """
    recording = RmapRecording(
        kernel_facts(), history, tuple(after.graph for after in watch_rmap(history))
    )
    path.write_text(recording.dumps() + "\n", "utf-8")
    return recording


def names() -> list[str]:
    """Return the names of the recordings that come with anonlab."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def recorded_rmap(name: str) -> RmapRecording:
    """Return a recording that comes with anonlab; ValueError with the names there are."""
    if name not in names():
        raise ValueError(
            f"there is no recorded reverse map {name!r}; there are {', '.join(names())}"
        )
    return RmapRecording.loads((FOLDER / f"{name}{SUFFIX}").read_text("utf-8"))
