"""The static picture: it says what the stage says, is readable anywhere, and needs nothing."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any

import picture_page
import pytest
import sample
from reading_back import true_facts

from anonlab import Kernel, record
from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Trace
from anonlab.histories.generate import generate
from anonlab.machine.words import PAGE_SIZE, Geometry
from anonlab.rmap import DESIGNS
from anonlab.view import snapshot_svg
from anonlab.view.stage.picture import picture, space_picture
from anonlab.view.story.payload import payload

pytestmark = pytest.mark.xdist_group("javascript")
OPTIONS = """(steps) => steps.map((i) => {
    paint(i, {width: 1000, height: 900, deep: true});
    const all = (what) => [...document.querySelectorAll(`[data-${what}]`)];
    return [
        all("key").map((one) => [one.dataset.key, one.getAttribute("aria-label")]),
        all("arrow").map((one) => [one.dataset.arrow, one.dataset.to || one.dataset.slot]),
    ];
})"""


def names(svg: str) -> dict[str, str]:
    """{key: name} of everything that a picture names."""
    root = ElementTree.fromstring(svg)
    options = (element for element in root.iter() if element.get("data-key"))
    return {one.get("data-key", ""): one.findtext("{*}title") or "" for one in options}


def arrows(svg: str) -> set[tuple[str, str]]:
    """(slot, frame or swap slot) of every arrow."""
    root = ElementTree.fromstring(svg)
    drawn = [element for element in root.iter() if element.get("data-arrow")]
    found = [(one.get("data-arrow", ""), one.get("data-to") or f"s{one.get('data-slot')}")
             for one in drawn]  # fmt: skip
    assert len(found) == len(set(found))
    return set(found)


def true_arrows(snapshot: Snapshot) -> set[tuple[str, str]]:
    """The same from a plain walk through the page tables."""
    entries = [fact for fact in true_facts(snapshot) if fact[0] == "pte"]
    return {
        (f"p{mm}-{int(at, 16) >> 12}", rest[0] if kind == "frame" else f"s{rest[0]}")
        for _, mm, at, kind, *rest in entries
    }


def test_every_entry_has_its_arrow(trace: Trace) -> None:
    for step in trace.steps[:: max(1, len(trace.steps) // 8)]:
        assert arrows(snapshot_svg(step.snapshot, layouter=None)) == true_arrows(step.snapshot)


def test_entries_frames_slots_and_nodes_are_named_with_what_they_are() -> None:
    for step in sample.lesson().steps:
        named = names(snapshot_svg(step.snapshot, layouter=None))
        for kind, *fact in true_facts(step.snapshot):
            if kind == "pte":
                vpn = int(fact[1], 16) >> 12
                what = {"frame": f"frame {fact[3]}, ", "swap": f"slot {fact[3]}"}[fact[2]]
                assert what in named[f"p{fact[0]}-{vpn}"] or fact[3] == "0"
                right = "writable" if "W" in fact[-1] else "read-only"
                assert fact[2] == "swap" or right in named[f"p{fact[0]}-{vpn}"]
            elif kind == "frame" and fact[0] != "0":
                times = f"mapped {fact[2]} time"
                assert (times in named[f"f{fact[0]}"]) == (fact[2] != "0")
            elif kind == "slot":
                assert f"swap slot {fact[0]}" in named[f"s{fact[0]}"]
            elif kind == "node":
                assert named[f"n-{fact[0]}"].startswith(fact[2])


# ---- the same as the stage ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def stage(browser: Any) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.set_content(picture_page.page_html())
    yield page
    page.close()


@pytest.mark.parametrize("design", DESIGNS)
def test_names_and_arrows_are_those_of_the_stage(stage: Any, design: str) -> None:
    trace = record(generate(4, 40, swap=12), design)
    picture_page.mount(stage, payload(trace))
    told = stage.evaluate(OPTIONS, list(range(len(trace.steps))))
    compared = 0
    for number, (options, drawn) in enumerate(told):
        before = trace.steps[number - 1].snapshot if number else None
        svg = snapshot_svg(trace.steps[number].snapshot, before, layouter=None)
        mine = names(svg)
        for key, name in options:
            if key in mine and key[0] in "pfs":
                assert rest(mine[key]) == rest(name), (number, key)
                compared += 1
        known = arrows(svg)
        for key, to in drawn:
            assert {(key, to), (key, f"s{to}")} & known, (number, key)
    assert compared > 500


def rest(name: str) -> str:
    """What stands behind the words that one sees: these depend on the room."""
    return name.partition("; ")[2]


def test_a_machine_above_4_gib_has_the_same_names(stage: Any) -> None:
    text = (
        "machine x86_64 frames 64 swap 8\np = spawn\np mmap 0x7ffff0000000 3\n"
        "p write 0x7ffff0000000 5 3\nq = fork p\nq write 0x7ffff0001000 6\n"
        "p swap_out 0x7ffff0002000\n"
    )
    trace = record(text)
    picture_page.mount(stage, payload(trace))
    last = len(trace.steps) - 1
    ((options, _),) = stage.evaluate(OPTIONS, [last])
    mine = names(snapshot_svg(trace.steps[last].snapshot, trace.steps[last - 1].snapshot))
    slots = [(key, name) for key, name in options if key.startswith("p")]
    assert len(slots) >= 6
    assert {key: rest(mine[key]) for key, _ in slots} == {key: rest(name) for key, name in slots}


# ---- readable anywhere --------------------------------------------------------------------------

MEASURE = """() => {
    const seen = [...document.querySelectorAll("text")].filter((one) => one.textContent.trim())
        .map((one) => [one.textContent, one.getBoundingClientRect(), getComputedStyle(one)]);
    const sheet = document.querySelector("svg").getBoundingClientRect();
    const wrong = [];
    seen.forEach(([text, box, style], at) => {
        if (parseFloat(style.fontSize) < 12) wrong.push(`${text} is ${style.fontSize}`);
        const inside = box.left >= sheet.left - 1 && box.right <= sheet.right + 1;
        if (!inside || box.bottom > sheet.bottom + 1) wrong.push(`${text} is cut`);
        for (const [other, more] of seen.slice(at + 1)) {
            const wide = Math.min(box.right, more.right) - Math.max(box.left, more.left);
            const high = Math.min(box.bottom, more.bottom) - Math.max(box.top, more.top);
            if (wide > 1.5 && high > 4) wrong.push(`${text} on ${other}`);
        }
    });
    return wrong;
}"""


def test_no_word_is_small_cut_or_on_another_one(browser: Any, trace: Trace) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    steps = trace.steps
    for at in {len(steps) - 1, len(steps) // 2}:
        svg = snapshot_svg(steps[at].snapshot, steps[at - 1].snapshot if at else None)
        page.set_content(f"<body>{svg.replace('max-width:100%', '')}</body>")
        assert page.evaluate(MEASURE) == [], at
    page.close()


def test_colours_are_attributes_of_the_light_palette() -> None:
    """A strict policy drops style sheets; what is left can be read."""
    root = ElementTree.fromstring(snapshot_svg(sample.lesson().steps[10].snapshot))
    drawn = [e for e in root.iter() if e.tag.rsplit("}")[-1] in ("rect", "text", "path", "circle")]
    assert all(e.get("fill") for e in drawn)
    assert not [name for e in root.iter() for name in e.attrib if name == "style"]


def test_a_change_is_marked_by_shape_and_letter() -> None:
    steps = sample.lesson().steps
    root = ElementTree.fromstring(snapshot_svg(steps[10].snapshot, steps[9].snapshot))
    signs = {
        one.get("data-key"): mark.get("data-change")
        for one in root.iter()
        for mark in one.findall("{*}g[@data-change]")
        if one.get("data-key")
    }
    assert signs == {"p2-48": "C", "f3": "C", "f7": "N"}


def test_without_a_previous_snapshot_nothing_is_marked() -> None:
    assert "data-change" not in snapshot_svg(sample.lesson().steps[10].snapshot)


@pytest.mark.parametrize("at", range(0, 15, 2))
def test_hostile_names_stay_text(at: int) -> None:
    trace = sample.TRACES["hostile names"]()
    root = ElementTree.fromstring(snapshot_svg(trace.steps[at].snapshot))
    assert {e.tag.rsplit("}")[-1] for e in root.iter()} <= {
        "svg", "g", "title", "style", "rect", "path", "text", "tspan", "circle"
    }  # fmt: skip
    assert not [name for e in root.iter() for name in e.attrib if name.startswith("on")]


def test_the_picture_needs_nothing_from_outside(trace: Trace) -> None:
    root = ElementTree.fromstring(snapshot_svg(trace.steps[-1].snapshot, layouter=None))
    used = {name.rsplit("}")[-1] for e in root.iter() for name in e.attrib}
    assert not used & {"href", "src", "style", "id"}
    style = next(e.text or "" for e in root.iter() if e.tag.endswith("}style"))
    assert not re.findall(r"@import|url\(|https?:", style)


def test_a_large_moment_says_what_it_leaves_out() -> None:
    text = "machine x86_64 frames 4096 swap 0\na = spawn\na mmap 0x400000 1500\n" + "".join(
        f"a write {0x400000 + 8192 * at:#x} {at + 1}\n" for at in range(700)
    )
    svg = snapshot_svg(record(text, walks=False).steps[-1].snapshot, layouter=None)
    assert "more pages, see the text" in svg
    assert len(svg) < 400_000


def test_an_empty_machine_has_a_picture() -> None:
    assert "no process" in snapshot_svg(Snapshot("anongroup", 4))


def test_a_space_alone_shows_its_table_and_memory() -> None:
    snapshot = sample.lesson().steps[10].snapshot
    keys = names(space_picture(snapshot, 2).svg)
    assert {key for key in keys if key.startswith("p")} == {
        f"p2-{vpn}" for vpn in (*range(0x30, 0x34), *range(0x80, 0x83))
    }
    with pytest.raises(ValueError, match="there is no address space 9, only 1, 2"):
        space_picture(snapshot, 9)


def test_a_picture_shows_itself_with_its_text() -> None:
    made = picture(sample.lesson().steps[4].snapshot)
    assert made.svg in made._repr_html_()
    assert repr(made).startswith("Machine lesson, design anongroup")


def test_pictures_load_neither_graphviz_nor_widgets() -> None:
    code = (
        "import sys, anonlab.view; "
        "print([m for m in ('graphviz', 'anywidget', 'traitlets', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_arrow_is_drawn_counted_or_said_to_be_left_out() -> None:
    kernel = Kernel("anongroup", 64, 0, Geometry(2, 8))
    parent = kernel.spawn("p")
    parent.mmap(80 * PAGE_SIZE, at=0x100000)
    for page in range(0, 56, 2):
        parent.write(0x100000 + page * PAGE_SIZE, page)
    for child in range(15):
        parent.fork(f"c{child}")
    picture = snapshot_svg(kernel.snapshot())
    said = re.search(r"(\d+) more arrows are not drawn", picture)
    assert said
    assert picture.count("data-arrow=") + int(said[1]) == 16 * 28


def test_arrows_that_share_a_path_say_how_many_they_are() -> None:
    kernel = Kernel("anongroup", 600, 0, Geometry(2, 10))
    parent = kernel.spawn("p")
    parent.mmap(450 * PAGE_SIZE, at=0x100000)
    parent.write_range(0x100000, [5] * 450)
    picture = snapshot_svg(kernel.snapshot())
    assert picture.count("data-arrow=") == 450
    assert re.findall("×[0-9]+", picture) == ["×450"]
