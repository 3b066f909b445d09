"""How an address is split: which bits choose which slot of which table, down to the frame.

Drawn once for a machine: a field of bits for every level of tables and one for the byte in the
page, below each the table that it indexes, and the frame at the end. What an address of an address
space finds there is filled in: here for a picture, in the player by address.js, in the same words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anonlab.formats.snapshot import Snapshot
from anonlab.machine.words import PAGE_SHIFT, PTE_SHIFT, PTE_WRITE, Geometry, is_present, swp_offset
from anonlab.view.stage.cells import Cell, Panel, Spot, State
from anonlab.view.stage.tables import WIDTH
from anonlab.view.story.reading import Reading, read, table_names

ASK = "choose a page to see where its bits lead"
_GAP, _TOP = 8.0, 52.0
_FIELD, _TABLE = 40.0, 42.0


class Field(NamedTuple):
    """Bits `high` to `low` of an address, and the table that they index."""

    name: str
    high: int
    low: int

    @property
    def width(self) -> int:
        """How many bits."""
        return self.high - self.low + 1


class Found(NamedTuple):
    """What one field says of an address: its `bits`, the `slot` in hex; the `row` of the table
    that it indexes, -1 if there is no such table; where the slot `leads`, '' if it is empty."""

    bits: str
    slot: str
    row: int
    leads: str


def fields(geometry: Geometry) -> tuple[Field, ...]:
    """Return the fields of an address of this machine, top table first, the byte last."""
    out = []
    for level, name in enumerate(table_names(geometry)):
        low = PAGE_SHIFT + geometry.bits * (geometry.levels - 1 - level)
        out.append(Field(name, low + geometry.bits - 1, low))
    return (*out, Field("byte", PAGE_SHIFT - 1, 0))


def found(reading: Reading, mm: int, address: int) -> tuple[Found, ...]:
    """Follow `address` through the tables of address space `mm`, one entry per field.

    raises  ValueError if there is no such address space, or the machine has no such address
    """
    geometry = reading.snapshot.geometry
    if mm not in reading.spaces:
        there = ", ".join(map(str, reading.spaces)) or "none"
        raise ValueError(f"there is no address space {mm}; there are {there}")
    if not 0 <= address >> PAGE_SHIFT < geometry.npages:
        last = geometry.address(geometry.npages - 1)
        raise ValueError(f"the last page of this machine is {last}, got {address:#x}")
    space, vpn = reading.spaces[mm], address >> PAGE_SHIFT
    rows = [space.fact.pgd]
    for level in range(1, geometry.levels - 1):
        rows.append(space.uppers.get((level, vpn >> geometry.bits * (geometry.levels - level)), -1))
    rows += [space.leaves.get(vpn >> geometry.bits, -1)] * (geometry.levels > 1)
    leads = [f"row {row}" if row >= 0 else "" for row in rows[1:]]
    leads.append(_end(space.words.get(vpn, 0)))
    out = []
    for field, row, lead in zip(fields(geometry), rows, leads, strict=False):
        number = address >> field.low & (1 << field.width) - 1
        out.append(Found(f"{number:0{field.width}b}", f"{number:x}", row, lead))
    return (*out, Found(f"{address & (1 << PAGE_SHIFT) - 1:0{PAGE_SHIFT}b}", "", -1, ""))


def _end(word: int) -> str:
    if is_present(word):
        return f"frame {word >> PTE_SHIFT}, {'writable' if word & PTE_WRITE else 'read-only'}"
    return f"swap slot {swp_offset(word)}" if word else ""


def sentences(geometry: Geometry, way: tuple[Found, ...]) -> list[str]:
    """Return one sentence for every field."""
    names = table_names(geometry)
    out = []
    for level, (field, each) in enumerate(zip(fields(geometry), way, strict=True)):
        bits = f"Bits {field.high} to {field.low} are {each.bits}"
        if level == len(names):
            out.append(f"{bits}: the byte in the page.")
        elif each.row < 0:
            out.append(f"{bits}: slot {each.slot} of a {names[level]} that is not there.")
        else:
            end = f"leads to {each.leads}" if each.leads else "is empty"
            out.append(f"{bits}: slot {each.slot} of the {names[level]} in row {each.row} {end}.")
    return out


class AddressPanel:
    """The picture of an address of a machine of this geometry."""

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self.fields = fields(geometry)
        head = Cell("address", "head", 0, 0, WIDTH, 44, (Spot(0, 16, "h"), Spot(0, 33, "s")))
        cells = [head, *self._cells()]
        height = _TOP + 32 + _FIELD + 20 + _TABLE + 2
        caption = "how an address is split"
        self.panel = Panel("address", "spaces", caption, WIDTH, height, tuple(cells))

    def _cells(self) -> Iterator[Cell]:
        weights = [max(9, field.width) for field in self.fields]
        scale = (WIDTH - 2 - _GAP * (len(weights) - 1)) / sum(weights)
        x, top = 1.0, _TOP + 32
        below = top + _FIELD + 20
        for at, weight in enumerate(weights):
            width = weight * scale
            middle, last = width / 2, at == len(weights) - 1
            spots = (Spot(middle, 11, "b mid"), Spot(middle, 26, "s mid"))
            yield Cell(f"address-cap-{at}", "cap", x, _TOP, width, 30, spots)
            spots = (Spot(middle, 17, "bt mid"), Spot(middle, 33, "b mid"))
            yield Cell(f"address-bits-{at}", "field", x, top, width, _FIELD, spots)
            spots = (Spot(middle, 17, "v mid"), Spot(middle, 33, "b mid"))
            kind = "end" if last else "table"
            yield Cell(f"address-table-{at}", kind, x, below, width, _TABLE, spots)
            if not last:
                down = f"M{x + middle:g} {top + _FIELD:g}V{below - 2:g}m-3.5-5l3.5 5l3.5-5"
                yield Cell(f"address-down-{at}", "wire", 0, 0, 0, 0, (), down)
                y = below + _TABLE / 2
                on = f"M{x + width:g} {y:g}h{_GAP - 1.5:g}m-4-3.5l4 3.5l-4 3.5"
                yield Cell(f"address-on-{at}", "wire", 0, 0, 0, 0, (), on)
            x += width + _GAP

    def scheme(self) -> dict[str, State]:
        """Return the states while no address is chosen: which bits choose what."""
        out = {"address": State("on", ("how an address is split", ASK))}
        for at, field in enumerate(self.fields):
            last = at == len(self.fields) - 1
            bits = f"{field.high}–{field.low}"
            name = f"bits {field.high} to {field.low}: " + (
                "the byte in the page" if last else f"the slot of the {field.name}"
            )
            out[f"address-cap-{at}"] = State("on", (field.name, bits))
            out[f"address-bits-{at}"] = State("open", ("·" * field.width,), "", name)
            out[f"address-table-{at}"] = State("open", ("the frame" if last else field.name,))
            out |= {} if last else {f"address-{way}-{at}": State("on") for way in ("down", "on")}
        return out

    def states(self, reading: Reading, mm: int, address: int) -> dict[str, State]:
        """Return the states for an address; raises as `found` does."""
        way = found(reading, mm, address)
        told = sentences(self.geometry, way)
        under = f"{address:#0{self.geometry.hex_digits + 2}x} of {reading.who(mm)}"
        out = self.scheme() | {"address": State("on", ("how an address is split", under))}
        for at, (each, sentence) in enumerate(zip(way[:-1], told, strict=False)):
            slot = f"slot {each.slot}"
            there = each.row >= 0
            out[f"address-bits-{at}"] = State("used", (each.bits, each.slot), "", sentence)
            texts = (f"row {each.row}", slot) if there else ("no table",)
            out[f"address-table-{at}"] = State("used" if there else "void", texts, "", sentence)
        last = len(way) - 1
        out[f"address-bits-{last}"] = State("byte", (way[-1].bits,), "", told[-1])
        end = tuple(way[-2].leads.split(", ")) if way[-2].leads else ("no page",)
        look = "used" if way[-2].leads else "void"
        out[f"address-table-{last}"] = State(look, end, "", ", ".join(end))
        return out


def address_text(snapshot: Snapshot, mm: int, address: int) -> str:
    """Return how `address` (bytes) of address space `mm` is split, in one sentence per field.

    raises  ValueError if there is no address space `mm`, or no such address on this machine
    """
    return "\n".join(address_lines(read(snapshot), mm, address)) + "\n"


def address_lines(reading: Reading, mm: int, address: int) -> list[str]:
    """Return the lines of the text twin; raises as `found` does."""
    geometry = reading.snapshot.geometry
    head = f"Address {address:#0{geometry.hex_digits + 2}x} of {reading.who(mm)}, bit by bit:"
    way = found(reading, mm, address)
    return [head, *(f"  {sentence}" for sentence in sentences(geometry, way))]
