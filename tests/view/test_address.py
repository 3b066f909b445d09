"""The address splitter: the bits of an address lead through the tables to the frame."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from functools import cache

import pytest

from anonlab import record
from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Trace
from anonlab.machine.words import LESSON, X86_32, X86_64, Geometry
from anonlab.view import address_svg, address_text
from anonlab.view.stage.address import fields
from anonlab.view.stage.picture import address_picture

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


@pytest.mark.parametrize("machine", WHERE)
def test_the_picture_says_what_its_text_says(machine: str) -> None:
    snapshot = trace(machine).steps[-1].snapshot
    root = ElementTree.fromstring(address_svg(snapshot, 2, WHERE[machine]))
    lines = address_text(snapshot, 2, WHERE[machine]).splitlines()
    assert root.findtext("{*}desc") == "\n".join(lines[1:])
    width = float(root.get("width", "0"))
    for box in root.findall(".//{*}rect"):
        assert float(box.get("x", "0")) + float(box.get("width", "0").rstrip("%")) <= width + 1
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
