"""The picture of one moment as an SVG that needs nothing: page tables, memory, arrows between them,
the design's graph below. It is laid out like the stage of the player and names things as it does.

Colours are attributes, for a page that allows no style sheet and for paper; the style sheet inside,
where it is allowed, sets them again from the variables of the palette, which know dark themes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from anonlab.formats.snapshot import Snapshot
from anonlab.view.stage.graph import MOST_NODES, Layouter, dot_layout
from anonlab.view.stage.lettering import fit, width_of
from anonlab.view.stage.scene import Scene
from anonlab.view.stage.shapes import Arrow, Group, Words
from anonlab.view.stage.static_graph import Drawing, Graph
from anonlab.view.stage.static_memory import Memory
from anonlab.view.stage.static_tables import LEFT, MOST_BESIDE, Band
from anonlab.view.story.reading import letters, read
from anonlab.view.story.words import say
from anonlab.view.templates import drawn

_ARROWS = {0: 80.0, 1: 200.0, 2: 120.0, 3: 110.0}
"""px between tables and memory, by the tables beside each other."""
_MEMORY = 232.0
_GAP, _LEGEND = 20.0, 30.0
CSS_CLASS = "anonlab-picture"


@dataclass(frozen=True)
class Sheet:
    """A picture, ready for the template: everything in px."""

    title: str
    width: float
    height: float
    groups: tuple[Group, ...]
    arrows: tuple[Arrow, ...]
    graph: Drawing | None
    graph_at: float
    words: tuple[Words, ...]
    legend: tuple[tuple[str, str, float], ...]
    legend_at: float


def snapshot_svg(
    snapshot: Snapshot,
    previous: Snapshot | None = None,
    names: Mapping[int, str] | None = None,
    layouter: Layouter | None = dot_layout,
) -> str:
    """Return page tables, frames and graph of `snapshot` as one self-contained SVG.

    previous  marks what changed since then; without it nothing is marked
    names     {mm: letter}; those of the two moments by ascending mm if not given
    """
    now = read(snapshot)
    before = read(previous) if previous is not None else None
    known = names or letters([now, *([before] if before else [])])
    sheet = _sheet(Scene(now, before, known), list(now.spaces), layouter)
    return _svg(sheet)


def space_svg(snapshot: Snapshot, mm: int) -> str:
    """Return address space `mm` of `snapshot`, and the memory that it maps, as one SVG.

    raises  ValueError if there is no address space `mm`
    """
    now = read(snapshot)
    if mm not in now.spaces:
        raise ValueError(f"there is no address space {mm}, only {', '.join(map(str, now.spaces))}")
    return _svg(_sheet(Scene(now, None, letters([now])), [mm], None, graph=False))


def _sheet(
    scene: Scene, mms: Sequence[int], layouter: Layouter | None, graph: bool = True
) -> Sheet:
    bands, top = [], 0.0
    for at in range(0, len(mms), MOST_BESIDE):
        bands.append(Band(scene, mms[at : at + MOST_BESIDE], top))
        top = bands[-1].bottom + _GAP
    right = max((band.right for band in bands), default=LEFT + 120)
    memory_x = right + _ARROWS[min(MOST_BESIDE, len(mms))]
    memory = Memory(scene, memory_x, _MEMORY)
    groups = [group for band in bands for group in band.groups()]  # also finds the tails
    tails = [tail for band in bands for tail in band.tails]
    arrows = tuple(memory.arrows(tails, right))
    words = [] if mms else [Words(LEFT, 22, say("picture.no-process"), "plain")]
    if exited := _exited(scene, memory_x - LEFT - 12) if graph else "":
        top = max(top, 40.0) + 16
        words.append(Words(LEFT, top - 8, exited, "muted"))
    bottom = max(top, memory.bottom, 60.0)
    bottom = _left_out(memory.left_out(tails), words, bottom)
    legend = _legend(scene, arrows, {sign for group in groups for sign, _ in group.marks})
    legend_at, bottom = (bottom, bottom + _LEGEND) if legend else (bottom, bottom)
    drawing, told = _graph(scene, layouter) if graph else (None, ())
    graph_at = bottom + 34
    words += [word._replace(y=word.y + bottom) for word in told]
    if told:
        bottom = graph_at + (drawing.height if drawing else 4) + 8
    width = max(memory_x + _MEMORY + LEFT, drawing.width + 2 * LEFT if drawing else 0)
    return Sheet(
        title=say("picture.title", design=scene.now.snapshot.design),
        width=round(width),
        height=round(bottom + 4),
        groups=(*groups, *memory.groups()),
        arrows=arrows,
        graph=drawing,
        graph_at=graph_at,
        words=tuple(words),
        legend=legend,
        legend_at=legend_at,
    )


def _left_out(arrows: int, words: list[Words], bottom: float) -> float:
    """Say below the picture that so many arrows are not drawn; return where it ends now."""
    if not arrows:
        return bottom
    words.append(Words(LEFT, bottom + 14, say("arrow.left-out", n=arrows), "muted"))
    return bottom + 18


def _exited(scene: Scene, room: float) -> str:
    """Return who has exited, '' if nobody has."""
    gone = [process.name for process in scene.now.snapshot.processes if not process.mm]
    return fit(say("closed.exited", names=", ".join(gone)), room, 12) if gone else ""


def _legend(
    scene: Scene, arrows: Iterable[Arrow], marks: set[str]
) -> tuple[tuple[str, str, float], ...]:
    """Return (what, words, x) of each kind of arrow and sign that is there."""
    states = {arrow.state for arrow in arrows}
    signs = {*scene.signs.values(), *marks}
    kinds: list[str] = [state for state in ("write", "read", "zero", "swap") if state in states]
    kinds += [sign for sign in ("N", "C", "G") if sign in signs]
    out, x = [], LEFT
    for kind in kinds:
        text = say(f"legend.{kind}")
        out.append((kind, text, x))
        x += (40 if kind in signs else 58) + width_of(text, 12)
    return tuple(out)


def _graph(scene: Scene, layouter: Layouter | None) -> tuple[Drawing | None, tuple[Words, ...]]:
    snapshot = scene.now.snapshot
    if not snapshot.nodes:
        return None, ()
    title = Words(LEFT, 20, say("picture.graph"), "title")
    beside = LEFT + width_of(title.text, 15, 0.62) + 14
    design = Words(beside, 20, snapshot.design, "muted")
    if len(snapshot.nodes) > MOST_NODES:
        more = say("picture.graph-more", n=len(snapshot.nodes))
        return None, (title, design, Words(LEFT, 42, more, "plain"))
    before = scene.before.snapshot if scene.before else None
    both = [(snapshot.nodes, snapshot.edges)]
    graph = Graph(both, {f"mm{mm}": scene.now.who(mm) for mm in scene.now.spaces}, layouter)
    old = (before.nodes, before.edges) if before else None
    return graph.drawing(snapshot.nodes, snapshot.edges, old), (title, design)


def _svg(sheet: Sheet) -> str:
    return drawn("stage/picture.svg.j2", CSS_CLASS, sheet=sheet)
