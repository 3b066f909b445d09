"""The address splitter: the bits of an address lead through the tables to the frame."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from functools import cache
from typing import Any

import pytest
from reading_back import svg_facts
from visiting import ROOT, Visit

from anonlab import record
from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Trace
from anonlab.machine.words import LESSON, X86_32, X86_64, Geometry
from anonlab.view import address_svg, address_text, snapshot_svg
from anonlab.view.player.payload import payload
from anonlab.view.stage.address import AddressPanel, fields
from anonlab.view.stage.picture import address_picture
from anonlab.view.story.reading import read

WHERE = {"lesson": 0x31000, "x86_32": 0xBFF01000, "x86_64": 0x7F2A6237F000}
"""A page that is written to, for each machine."""


@cache
def trace(machine: str) -> Trace:
    """A fork and a write after it, and a page that is swapped out."""
    start = WHERE[machine] - 4096
    return record(
        f"machine {machine} frames 32 swap 8\n"
        f"a = spawn\na mmap {start:#x} 3\na write {start:#x} 7 3\nb = fork a\n"
        f"b write {start + 4096:#x} 9\na swap_out {start + 8192:#x}\n"
    )


def by_hand(snapshot: Snapshot, mm: int, address: int) -> list[tuple[str, int, int]]:
    """(bits, slot, row of the next table or word of the page), walked without anonlab.view."""
    shape = snapshot.geometry
    words = {
        (int(row), int(slot)): int(word)
        for row, slot, word in zip(snapshot.row, snapshot.slot, snapshot.word, strict=True)
    }
    row = next(fact.pgd for fact in snapshot.mms if fact.mm == mm)
    bits = bin(address)[2:].zfill(shape.levels * shape.bits + 12)
    out = []
    for level in range(shape.levels):
        part = bits[level * shape.bits : (level + 1) * shape.bits]
        word = words.get((row, int(part, 2)), 0)
        row = word >> 12 if level < shape.levels - 1 else word
        out.append((part, int(part, 2), row))
    return out


@pytest.mark.parametrize("machine", WHERE)
def test_the_text_follows_the_bits_to_the_frame(machine: str) -> None:
    snapshot = trace(machine).steps[-1].snapshot
    for mm in (1, 2):
        for address in (WHERE[machine], WHERE[machine] + 0x123):
            lines = address_text(snapshot, mm, address).splitlines()[1:]
            way = by_hand(snapshot, mm, address)
            assert len(lines) == len(way) + 1
            for line, (bits, slot, _) in zip(lines, way, strict=False):
                assert f"are {bits}: slot {slot:x} of " in line
            for line, (_, _, row) in zip(lines, way[:-1], strict=False):
                assert line.endswith(f"leads to row {row}.")
            assert f"leads to frame {way[-1][2] >> 12}, " in lines[-2]
            assert lines[-1].endswith(f"are {address & 0xFFF:012b}: the byte in the page.")


def test_an_address_that_is_not_mapped_ends_where_the_tables_end() -> None:
    snapshot = trace("x86_64").steps[-1].snapshot
    lines = address_text(snapshot, 1, 0x400000).splitlines()
    assert lines[1].endswith("slot 0 of the pgd in row 1 is empty.")
    assert lines[2].endswith("slot 0 of a pud that is not there.")
    swapped = address_text(snapshot, 1, WHERE["x86_64"] + 4096)
    assert "of the pte in row 4 leads to swap slot 1." in swapped


@pytest.mark.parametrize("geometry", [LESSON, X86_32, X86_64, Geometry(3, 5), Geometry(1, 4)])
def test_the_fields_are_all_bits_of_an_address_once(geometry: Geometry) -> None:
    told = fields(geometry)
    bits = [bit for field in told for bit in range(field.high, field.low - 1, -1)]
    assert bits == list(range(geometry.levels * geometry.bits + 11, -1, -1))
    panel = AddressPanel(geometry).panel
    boxes = [cell for cell in panel.cells if cell.kind in ("field", "table", "end")]
    assert all(cell.x >= 0 and cell.x + cell.width <= panel.width for cell in boxes)


@pytest.mark.parametrize("machine", WHERE)
def test_the_picture_says_what_its_text_says(machine: str) -> None:
    snapshot = trace(machine).steps[-1].snapshot
    root = ElementTree.fromstring(address_svg(snapshot, 2, WHERE[machine]))
    titles = {element.text for element in root.iter() if element.tag.endswith("title")}
    lines = address_text(snapshot, 2, WHERE[machine]).splitlines()
    assert {line.strip() for line in lines[1:]} <= titles
    seen = {element.text for element in root.iter() if element.tag.endswith("text")}
    for bits, slot, _ in by_hand(snapshot, 2, WHERE[machine]):
        assert {bits, f"{slot:x}"} <= seen
    assert address_picture(snapshot, 2, WHERE[machine]).text == "\n".join(lines) + "\n"


def test_what_does_not_exist_is_refused_with_what_would_be_right() -> None:
    snapshot = trace("lesson").steps[-1].snapshot
    with pytest.raises(ValueError, match=r"there is no address space 9; there are 1, 2"):
        address_text(snapshot, 9, 0x31000)
    with pytest.raises(ValueError, match=r"the last page of this machine is 0xff000, got 0x100000"):
        address_svg(snapshot, 1, 0x100000)


def test_every_table_of_a_large_machine_is_a_fact_of_the_picture() -> None:
    """pgd, pud, pmd and pte: between the top and the leaves there are two."""
    snapshot = trace("x86_64").steps[-1].snapshot
    told = svg_facts(snapshot_svg(snapshot))
    rows = {fact[-1] for fact in told if fact[0] in ("upper", "table")}
    tops = {str(fact.pgd) for fact in snapshot.mms}
    assert rows | tops == {str(row) for row in set(snapshot.row.tolist())}


# ---- in the browser -------------------------------------------------------------------------


def shown(at: Visit) -> dict[str, list[str]]:
    """Texts of the address panel, by cell."""
    return dict(
        at.page.eval_on_selector_all(
            "[data-panel=address] g.c",
            """all => all.map(e => [e.id.replace(/^al\\d+-/, ''),
                [...e.querySelectorAll('text')].map(t => t.textContent).filter(Boolean)])""",
        )
    )


@pytest.mark.parametrize("machine", WHERE)
def test_a_chosen_page_is_split_as_the_picture_in_python_splits_it(
    visit: Any, machine: str
) -> None:
    played, address = trace(machine), WHERE[machine]
    at = visit(played)
    at.page.focus(ROOT)
    at.press("End")
    at.page.click(f"[id$=mm2-pte-{address >> 12:x}]")
    for number in (len(played.steps) - 1, 6, 3, 1, 0):
        at.page.fill(f"{ROOT} input", str(number))
        snapshot = played.steps[number].snapshot
        reading, panel = read(snapshot), AddressPanel(snapshot.geometry)
        there = 2 in reading.spaces
        states = panel.states(reading, 2, address) if there else panel.scheme()
        assert shown(at) == {name: list(state.texts) for name, state in states.items()}
        twin = address_text(snapshot, 2, address) if there else ""
        assert (at.told("text") + "\n").endswith(twin)
        assert ("bit by bit" in at.told("text")) == there


@pytest.mark.parametrize("machine", WHERE)
def test_choosing_a_page_lights_up_the_slots_that_lead_to_it(visit: Any, machine: str) -> None:
    at = visit(trace(machine), f"#step={len(trace(machine).steps) - 1}")
    assert "choose a page" in at.page.text_content("[data-panel=address]")
    at.page.click(f"[id$=mm2-pte-{WHERE[machine] >> 12:x}]")
    at.page.mouse.move(0, 0)
    texts = at.page.eval_on_selector_all(
        "[data-panel=mm2] .top.near", "all => all.map(e => e.querySelector('text').textContent)"
    )
    way = by_hand(trace(machine).steps[-1].snapshot, 2, WHERE[machine])
    assert texts == [f"{slot:x}" for _, slot, _ in way[:-1]]
    assert at.page.locator("[data-panel=mm2] .cap.near").count() == 1
    assert at.page.locator("[data-panel=mm1] .top.near").count() == 0


@pytest.mark.parametrize("machine", WHERE)
def test_the_slots_stay_inside_their_tables(visit: Any, machine: str) -> None:
    """Three hex digits of a slot, where four tables stand side by side."""
    at = visit(trace(machine), "#step=7")
    at.page.click(f"[id$=mm1-pte-{WHERE[machine] >> 12:x}]")
    assert "slot" in at.page.text_content("[data-panel=address] .c.table")
    assert [text for text in at.over(slack=0) if "address-table" in text] == []


def test_a_chosen_frame_shows_the_address_of_its_first_mapping(visit: Any) -> None:
    at = visit(trace("lesson"), "#step=7")
    at.page.click("[id$=frame-1]")
    assert shown(at)["address"][1] == "0x30000 of a"
    at.page.click("[data-do=let-go]")
    assert shown(at)["address"][1].startswith("choose a page")


def test_the_splitter_can_be_heard(visit: Any) -> None:
    at = visit(trace("lesson"), "#step=7")
    at.page.click("[id$=mm1-pte-31]")
    label = at.page.get_attribute("[data-panel=address] svg", "aria-label")
    told = address_text(trace("lesson").steps[7].snapshot, 1, 0x31000)
    assert re.sub(r"\s+", " ", told).strip() == label


def test_the_fields_are_sent_once() -> None:
    made = payload(trace("x86_64"))
    assert json.loads(json.dumps(made["fields"]))[0] == ["pgd", 47, 39]
    assert [field[0] for field in made["fields"]] == ["pgd", "pud", "pmd", "pte", "byte"]
