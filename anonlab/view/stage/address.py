"""How an address is split: which bits choose which slot of which table, down to the frame."""

from __future__ import annotations

from typing import NamedTuple

from anonlab.formats.snapshot import Snapshot
from anonlab.machine.words import PAGE_SHIFT, PTE_SHIFT, PTE_WRITE, Geometry, is_present, swp_offset
from anonlab.view.charts.maker import Chart
from anonlab.view.stage.shapes import Words
from anonlab.view.story.reading import Moment, read, table_names
from anonlab.view.story.words import say

WIDTH, _GAP, _TOP = 560.0, 12.0, 56.0


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
    that it indexes, -1 if there is no such table; where the slot `leads`, '' if it is empty, and
    whether one may "write" there or "read"."""

    bits: str
    slot: str
    row: int
    leads: str
    state: str = "read"


def fields(geometry: Geometry) -> tuple[Field, ...]:
    """Return the fields of an address of this machine, top table first, the byte last."""
    out = []
    for level, name in enumerate(table_names(geometry)):
        low = PAGE_SHIFT + geometry.bits * (geometry.levels - 1 - level)
        out.append(Field(name, low + geometry.bits - 1, low))
    return (*out, Field(say("way.byte-short"), PAGE_SHIFT - 1, 0))


def found(moment: Moment, mm: int, address: int) -> tuple[Found, ...]:
    """Follow `address` through the tables of address space `mm`, one entry per field.

    raises  ValueError if there is no such address space, or the machine has no such address
    """
    geometry = moment.snapshot.geometry
    if mm not in moment.spaces:
        there = ", ".join(map(str, moment.spaces)) or "none"
        raise ValueError(f"there is no address space {mm}; there are {there}")
    if not 0 <= address >> PAGE_SHIFT < geometry.npages:
        last = geometry.address(geometry.npages - 1)
        raise ValueError(f"the last page of this machine is {last}, got {address:#x}")
    space, vpn = moment.spaces[mm], address >> PAGE_SHIFT
    rows = [space.fact.pgd]
    for level in range(1, geometry.levels - 1):
        rows.append(space.uppers.get((level, vpn >> geometry.bits * (geometry.levels - level)), -1))
    rows += [space.leaves.get(vpn >> geometry.bits, -1)] * (geometry.levels > 1)
    leads = [(say("way.row", row=row) if row >= 0 else "", "read") for row in rows[1:]]
    leads.append(_end(space.words.get(vpn, 0)))
    out = []
    for field, row, (lead, state) in zip(fields(geometry), rows, leads, strict=False):
        number = address >> field.low & (1 << field.width) - 1
        out.append(Found(f"{number:0{field.width}b}", f"{number:x}", row, lead, state))
    return (*out, Found(f"{address & (1 << PAGE_SHIFT) - 1:0{PAGE_SHIFT}b}", "", -1, ""))


def _end(word: int) -> tuple[str, str]:
    """Return where an entry of the last table leads, and whether one may write there."""
    state = "write" if word & PTE_WRITE else "read"
    if is_present(word):
        return say(f"way.{state}", pfn=word >> PTE_SHIFT), state
    return say("address.slot", slot=swp_offset(word)) if word else "", "read"


def sentences(geometry: Geometry, way: tuple[Found, ...]) -> list[str]:
    """Return one sentence for every field."""
    names = table_names(geometry)
    out = []
    for level, (field, each) in enumerate(zip(fields(geometry), way, strict=True)):
        said: dict[str, object] = {"high": field.high, "low": field.low, "bits": each.bits}
        if level == len(names):
            out.append(say("way.byte", **said))
            continue
        said |= {"slot": each.slot, "table": names[level], "row": each.row, "to": each.leads}
        how = "missing" if each.row < 0 else "leads" if each.leads else "empty"
        out.append(say(f"way.{how}", **said))
    return out


def address_svg(snapshot: Snapshot, mm: int, address: int) -> str:
    """Return how `address` (bytes) of address space `mm` is split, as a self-contained SVG: a field
    of bits for every level of tables, below each the table that it indexes, and the frame.

    raises  ValueError if there is no address space `mm`, or no such address on this machine
    """
    moment = read(snapshot)
    way, names = found(moment, mm, address), fields(snapshot.geometry)
    twin = address_lines(moment, mm, address)
    chart = Chart(twin[0].rstrip(":"), "\n".join(twin[1:]), WIDTH, _TOP + 172)
    weights = [max(9, field.width) for field in names]
    scale = (WIDTH - 32 - _GAP * (len(weights) - 1)) / sum(weights)
    x = 16.0
    for field, each, weight in zip(names, way, weights, strict=True):
        width, is_byte = weight * scale, field is names[-1]
        _bits(chart, field, each, x, width)
        if is_byte:
            _end_of_way(chart, way[-2], x, width)
        else:
            _table(chart, each, x, width)
        x += width + _GAP
    return chart.svg()


def _bits(chart: Chart, field: Field, each: Found, x: float, width: float) -> None:
    middle = x + width / 2
    chart.say(middle, _TOP, field.name, "small strong", "middle")
    chart.say(middle, _TOP + 16, f"{field.high}–{field.low}", "muted", "middle")
    chart.box(x, _TOP + 24, width, 42, "write" if each.slot else "strip")
    chart.say(middle, _TOP + (41 if each.slot else 49), each.bits, "small code", "middle")
    if each.slot:
        chart.say(middle, _TOP + 58, each.slot, "small strong", "middle")


def _table(chart: Chart, each: Found, x: float, width: float) -> None:
    """Draw the table that a field indexes, and where its slot leads."""
    middle, y = x + width / 2, _TOP + 92
    chart.stroke(f"M{middle:g} {_TOP + 67:g}V{y - 2:g}m-3.5-5l3.5 5l3.5-5", "line", 1.5)
    there = each.row >= 0
    chart.box(x, y, width, 44, "on" if there else "missing")
    words = [say("address.notable")]
    if there:
        words = [say("way.row", row=each.row), say("way.slot", slot=each.slot)]
    for at, text in enumerate(words):
        ink = "accent-ink" if there else ""
        chart.words.append(Words(middle, y + 18 + 16 * at, text, "small", "middle", ink=ink))
    on = f"M{x + width:g} {y + 22:g}h{_GAP - 2:g}m-4-3.5l4 3.5l-4 3.5"
    chart.stroke(on, "line", 1.5)


def _end_of_way(chart: Chart, last: Found, x: float, width: float) -> None:
    middle, y = x + width / 2, _TOP + 92
    chart.box(x, y, width, 44, last.state if last.leads else "missing")
    for at, text in enumerate(last.leads.split(", ") if last.leads else [say("way.nopage")]):
        chart.say(middle, y + 18 + 16 * at, text, "small strong", "middle")


def address_text(snapshot: Snapshot, mm: int, address: int) -> str:
    """Return how `address` (bytes) of address space `mm` is split, in one sentence per field.

    raises  ValueError if there is no address space `mm`, or no such address on this machine
    """
    return "\n".join(address_lines(read(snapshot), mm, address)) + "\n"


def address_lines(moment: Moment, mm: int, address: int) -> list[str]:
    """Return the lines of the text twin; raises as `found` does."""
    geometry = moment.snapshot.geometry
    written = f"{address:#0{geometry.hex_digits + 2}x}"
    head = say("way.title", address=written, who=moment.who(mm))
    way = found(moment, mm, address)
    return [head, *(f"  {sentence}" for sentence in sentences(geometry, way))]
