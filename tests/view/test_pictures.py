"""Pictures: nothing moves, nothing relies on colour alone, every label is escaped."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import sample
from reading_back import svg_facts, true_facts

from anonlab import record
from anonlab.formats.snapshot import MmFact, Snapshot
from anonlab.formats.trace import Trace
from anonlab.machine.words import X86_64
from anonlab.view import snapshot_svg
from anonlab.view.stage import palette as colours
from anonlab.view.stage.cells import ICONS, MARKS, OFF, Cell, State, cell_svg, changed, icon_path
from anonlab.view.stage.changes import changes
from anonlab.view.stage.frames import MOST_PLACES
from anonlab.view.stage.stage import stage

VIEW = Path(colours.__file__).parents[1]
SHEETS = sorted(VIEW.rglob("*.css"))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_has_a_contrast_of_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", [colours.LIGHT, colours.DARK], ids=["light", "dark"])
def test_text_has_a_contrast_of_4_5_and_shapes_of_3(theme: dict[str, str]) -> None:
    for text, ground in colours.TEXT_PAIRS:
        assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
    for shape, ground in colours.SHAPE_PAIRS:
        assert contrast(theme[shape], theme[ground]) >= 3, (shape, ground)


def test_both_themes_name_the_same_colours_and_each_is_paired_with_a_ground() -> None:
    assert colours.LIGHT.keys() == colours.DARK.keys()
    paired = {name for pair in colours.TEXT_PAIRS + colours.SHAPE_PAIRS for name in pair}
    assert colours.LIGHT.keys() - paired == {"faint"}  # decoration only


SOURCES = [path for kind in ("*.css", "*.js", "*.py") for path in sorted(VIEW.rglob(kind))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_colours_stand_in_the_palette_only(path: Path) -> None:
    if path.name == "palette.py":
        return
    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?!;)|\brgba?\(|\bhsla?\(", text)


def test_style_sheets_name_only_colours_of_the_palette() -> None:
    known = {*colours.LIGHT, "font", "mono"}
    for path in SHEETS:
        used = set(re.findall(r"var\(--al-([a-z-]+)\)", path.read_text(encoding="utf-8")))
        assert used <= known, path.name


def test_a_state_differs_from_every_other_without_its_colour(trace: Trace) -> None:
    """Grey-scale: what remains of a page are its letters, its icon and the form of its border."""
    made = stage([step.snapshot for step in trace.steps])
    seen: dict[tuple[str, ...], str] = {}
    for at in range(len(trace.steps)):
        for cell, state in made.states(at).items():
            kind = next((f[3] + ("W" in f[-1]) * "W" for f in state.facts if f[0] == "pte"), "")
            if not kind or "-pte-" not in cell:
                continue
            word = state.texts[2]
            assert seen.setdefault((word, state.icon), kind) == kind


def test_nothing_moves_between_two_steps(trace: Trace) -> None:
    """Each thing is shown by the same cell at every step, and no two cells overlap."""
    made = stage([step.snapshot for step in trace.steps])
    home: dict[tuple[str, ...], str] = {}
    size = {
        "pte": 3,
        "frame": 2,
        "slot": 2,
        "node": 2,
        "edge": 4,
        "vma": 3,
        "table": 3,
        "process": 2,
    }
    for at in range(len(trace.steps)):
        for cell, state in made.states(at).items():
            for fact in state.facts:
                if fact[0] in size:
                    assert home.setdefault(fact[: size[fact[0]]], cell) == cell
    for panel in made.panels:
        boxes = [c for c in panel.cells if c.kind in ("pte", "frame", "slot", "node", "top")]
        corners = [(c.x, c.y, c.x + c.width, c.y + c.height) for c in boxes]
        for number, (x0, y0, x1, y1) in enumerate(corners):
            assert min(x0, y0) >= 0
            assert x1 <= panel.width + 1
            assert y1 <= panel.height + 1
            for left, top, right, bottom in corners[number + 1 :]:
                beside = x1 - 1 <= left or right - 1 <= x0
                assert beside or y1 - 1 <= top or bottom - 1 <= y0


def test_pages_and_frames_share_a_place_only_while_they_look_alike(trace: Trace) -> None:
    made = stage([step.snapshot for step in trace.steps])
    for at, step in enumerate(trace.steps):
        mappers = Counter(f[4] for f in true_facts(step.snapshot) if f[0] == "pte")
        for cell, state in made.states(at).items():
            pages = [f for f in state.facts if f[0] == "pte"]
            assert len({(f[3], f[-1], mappers[f[4]]) for f in pages if f[3] == "frame"}) <= 1, cell
            assert len({f[3] for f in pages}) <= 1, cell
            frames = [f for f in state.facts if f[0] == "frame"]
            assert len({(f[2], f[3], f[5], f[7]) for f in frames}) <= 1, cell


def test_areas_that_did_not_merge_say_why() -> None:
    text = (
        "a = spawn\na mmap 0x30000 1\na write 0x30000 1\na mmap 0x40000 1\na write 0x40000 1\n"
        "a mremap 0x40000 1 to 0x31000\n"
    )
    told = {
        design: stage([record(text, design).steps[-1].snapshot]).states(0)["mm1-vma-31"].name
        for design in ("anon_vma", "anon_vma_chain")
    }
    for name in told.values():
        assert name.endswith("pgoff 0x40 · unmerged: pgoff jumps")
    merged = stage([record(text, "anongroup").steps[-1].snapshot]).states(0)
    assert "mm1-vma-31" not in merged
    assert "unmerged" not in merged["mm1-vma-30"].name


def test_every_id_is_used_once(trace: Trace) -> None:
    made = stage([step.snapshot for step in trace.steps])
    ids = [cell.id for panel in made.panels for cell in panel.cells]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in ids)
    for at in range(len(trace.steps)):
        assert made.states(at).keys() <= set(ids)


def test_a_change_is_marked_by_a_sign_and_a_class() -> None:
    steps = sample.lesson().steps
    svg = snapshot_svg(steps[10].snapshot, steps[9].snapshot)
    root = ElementTree.fromstring(svg)
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    page = by_id["mm2-pte-30"]
    assert "ch changed" in (page.get("class") or "")
    assert page.findall("{*}path[@class='m']")[0].get("d", "").endswith(MARKS["~"][1])
    assert "ch new" in (by_id["frame-7"].get("class") or "")
    assert "ch" not in (by_id["mm1-pte-31"].get("class") or "").split()


def test_without_a_previous_snapshot_nothing_is_marked() -> None:
    svg = snapshot_svg(sample.lesson().steps[10].snapshot)
    classes = [e.get("class") or "" for e in ElementTree.fromstring(svg).iter()]
    assert not [look for look in classes if "ch" in look.split()]


def test_marked_cells_are_those_whose_facts_changed(trace: Trace) -> None:
    made = stage([step.snapshot for step in trace.steps])
    for at in range(1, len(trace.steps)):
        before, after = made.states(at - 1), made.states(at)
        marked = {
            fact
            for cell in before.keys() | after.keys()
            if changed(before.get(cell, OFF), after.get(cell, OFF))
            for state in (before.get(cell, OFF), after.get(cell, OFF))
            for fact in state.facts
        }
        one, two = trace.steps[at - 1].snapshot, trace.steps[at].snapshot
        told = {fact for fact in true_facts(one) ^ true_facts(two) if fact[0] != "walk"}
        assert told <= marked


@pytest.mark.parametrize("at", range(0, 15, 2))
def test_hostile_names_stay_text(at: int) -> None:
    trace = sample.TRACES["hostile names"]()
    root = ElementTree.fromstring(snapshot_svg(trace.steps[at].snapshot))
    assert {e.tag.rsplit("}")[-1] for e in root.iter()} <= {
        "svg", "g", "title", "style", "rect", "path", "text"
    }  # fmt: skip
    assert not [name for e in root.iter() for name in e.attrib if name.startswith("on")]


def test_a_hostile_name_is_to_be_seen() -> None:
    trace = sample.TRACES["hostile names"]()
    root = ElementTree.fromstring(snapshot_svg(trace.steps[9].snapshot))
    titles = [e.text or "" for e in root.iter() if e.tag.endswith("}title")]
    assert any(sample.EVIL in title for title in titles)


def test_a_cell_escapes_its_id_name_texts_and_links() -> None:
    state = State("on", (sample.EVIL,), "", sample.EVIL, (("x", sample.EVIL),), sample.EVIL)
    cell = Cell(sample.EVIL, "node", 0, 0, 9, 9, sample_spots())
    root = ElementTree.fromstring(cell_svg(cell, state))
    assert {e.tag for e in root.iter()} == {"g", "title", "rect", "text"}
    assert root.findtext("text") == root.findtext("title") == sample.EVIL


def sample_spots() -> tuple[object, ...]:
    from anonlab.view.stage.cells import Spot

    return (Spot(0, 0, "b"),)


def test_the_picture_needs_nothing_from_outside(trace: Trace) -> None:
    root = ElementTree.fromstring(snapshot_svg(trace.steps[-1].snapshot))
    names = {name.rsplit("}")[-1] for e in root.iter() for name in e.attrib}
    assert not names & {"href", "src", "style"}
    style = next(e.text or "" for e in root.iter() if e.tag.endswith("}style"))
    assert not re.findall(r"@import|url\(|https?:", style)


def test_two_icons_stand_side_by_side() -> None:
    pair = icon_path("lock file")
    assert pair.startswith(ICONS["lock"])
    rest = pair.removeprefix(ICONS["lock"])
    xs = [float(x) for x in re.findall(r"M(-?[\d.]+)", rest)]
    assert xs
    assert max(xs) < 0


def test_an_empty_machine_has_a_picture() -> None:
    snapshot = Snapshot(design="anongroup", nframes=4)
    assert set(svg_facts(snapshot_svg(snapshot))) == true_facts(snapshot)


def test_an_address_space_without_areas_has_a_picture() -> None:
    snapshot = Snapshot("anongroup", 4, X86_64, mms=(MmFact(3, 1, (), "", ()),))
    assert set(svg_facts(snapshot_svg(snapshot))) == true_facts(snapshot)


def test_frames_beyond_the_board_stand_in_one_cell_that_counts_them() -> None:
    many = np.arange(0, 2 * (MOST_PLACES + 50), 2)
    columns = {name: np.arange(many.size) for name in ("count", "mapcount", "index", "data")}
    zeros = {name: np.zeros_like(many) for name in ("mapping", "flags", "private")}
    snapshot = Snapshot("anongroup", 4096, X86_64, pfn=many, **columns, **zeros)
    svg = snapshot_svg(snapshot)
    assert set(svg_facts(svg)) == true_facts(snapshot)
    assert svg.count('class="c frame') == MOST_PLACES
    assert "and 51 more frames: the text names them" in svg


def test_machines_of_two_shapes_do_not_share_a_stage() -> None:
    with pytest.raises(ValueError, match="one geometry, got 2"):
        stage([Snapshot("anongroup", 4), Snapshot("anongroup", 4, X86_64)])
    with pytest.raises(ValueError, match="at least one snapshot"):
        stage([])


# ---- what changed ---------------------------------------------------------------------------


def said(at: int) -> list[str]:
    steps = sample.lesson().steps
    return [f"{c.sign} {c.sentence}" for c in changes(steps[at - 1].snapshot, steps[at].snapshot)]


def test_a_copy_on_write_is_told_in_three_sentences() -> None:
    assert said(10) == [
        "~ child: page 0x30000: now frame 7, writable (was frame 3, read-only)",
        "~ frame 3: count 2 → 1, mapcount 2 → 1",
        "+ frame 7: in use, group 1, mapcount 1",
    ]


def test_a_node_is_told_fact_by_fact() -> None:
    trace = record("a = spawn\na mmap 0x30000 1\na write 0x30000 1\nb = fork a\n", "anongroup")
    pairs = zip(trace.steps, trace.steps[1:], strict=False)
    told = [c.sentence for one, two in pairs for c in changes(one.snapshot, two.snapshot)]
    assert "node group1: mms 1 → 2" in told


def test_neighbouring_pages_share_a_sentence() -> None:
    assert (
        "~ shell: 3 pages from 0x30000: "
        "now frames from 3, read-only (was frames from 3, writable)" in said(8)
    )


def test_nothing_changed_is_told_by_an_empty_list(trace: Trace) -> None:
    for step in trace.steps:
        assert changes(step.snapshot, step.snapshot) == []


def test_every_changed_thing_is_told(trace: Trace) -> None:
    silent = {"machine", "cost", "walk"}
    for one, two in zip(trace.steps, trace.steps[1:], strict=False):
        told = changes(one.snapshot, two.snapshot)
        different = true_facts(one.snapshot) ^ true_facts(two.snapshot)
        assert bool(told) == bool({fact[0] for fact in different} - silent)
        assert {change.key[0] for change in told} == {f[0] for f in different} - silent


# ---- layers ---------------------------------------------------------------------------------


def test_pictures_load_neither_graphviz_nor_widgets() -> None:
    code = (
        "import sys, anonlab.view; "
        "print([m for m in ('graphviz', 'anywidget', 'traitlets', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
