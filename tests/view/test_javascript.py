"""The functions of the player's module, each alone, in a browser: one page for all of them.

Page numbers and addresses above 2^31 and above 2^53 are where JavaScript's numbers end.
"""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import pytest

from anonlab import record
from anonlab.histories.generate import generate
from anonlab.machine.words import LESSON, X86_32, X86_64, Geometry
from anonlab.view.player.export import MODULE, PAGE
from anonlab.view.stage.address import fields
from anonlab.view.story.columns import in_columns
from anonlab.view.story.payload import payload

pytestmark = pytest.mark.xdist_group("javascript")
SHAPES = (LESSON, X86_32, X86_64, Geometry(5, 10), Geometry(10, 5), Geometry(25, 2))
"""Up to levels * bits = 50: addresses of 62 bits."""
MOST = 2**63 - 1


def by_name(shape: Geometry) -> str:
    return shape.name or f"{shape.levels}x{shape.bits}"


@pytest.mark.parametrize("shape", SHAPES, ids=by_name)
def test_page_numbers_addresses_and_slots_are_those_of_the_machine(
    call: Any, shape: Geometry
) -> None:
    draw = Random(1)
    vpns = [draw.randrange(1 << draw.randint(1, shape.levels * shape.bits)) for _ in range(200)]
    vpns += [0, 1, shape.npages // 2, shape.npages - 1]
    levels = range(shape.levels)
    told = call(
        """given.vpns.map(vpn => {
            const address = addressOf(vpn, given.fields);
            return [address, `0x${vpnOf(address).toString(16)}`,
                given.levels.map(level => slotOf(address, given.fields, level).toString()),
                given.levels.map(level => tableStart(address, given.fields, level))];
        })""",
        {"vpns": list(map(hex, vpns)), "fields": fields(shape), "levels": list(levels)},
    )
    for vpn, (address, back, slots, starts) in zip(vpns, told, strict=True):
        assert address == shape.address(vpn)
        assert int(back, 16) == vpn
        assert list(map(int, slots)) == [shape.index(vpn, level) for level in levels]
        below = [shape.bits * (shape.levels - level) for level in levels]
        assert starts == [shape.address(vpn >> bits << bits) for bits in below]


def test_the_byte_in_the_page_is_the_slot_below_all_levels(call: Any) -> None:
    given = {"fields": fields(X86_64), "address": "0x7ffffffffabc"}
    assert call("Number(slotOf(given.address, given.fields, 4))", given) == 0xABC
    assert call("vpnOf(given.address).toString(16)", given) == "7ffffffff"


def test_a_story_in_columns_is_the_same_story_in_rows(call: Any) -> None:
    """Also two designs side by side, whose tags are beyond the whole numbers of JavaScript."""
    text = f"a = spawn\na mmap 0x10000 3\na write 0x10000 {MOST}\na write 0x11000 {2**53 - 1}\n"
    tags = text + "a write 0x12000 3\nb = fork a\nb write 0x12000 4"
    sides = {design: record(tags, design=design) for design in ("anongroup", "anonmm")}
    for played in (record(generate(19, 300)), sides):
        made = payload(played)
        assert call("inRows(given)", in_columns(made)) == json.loads(json.dumps(made))
        assert call("inRows(given)", made) == json.loads(json.dumps(made))


def test_only_the_module_of_page_numbers_shifts_bits() -> None:
    """Operators on bits keep 32 of them; page numbers have 50, words 62."""
    large = r"\w*(?:vpn|word|address|prefix|data|flags)\w*\)* ?(?:>>|&|\|)[^&|]"
    bits = re.compile(rf"<<|~~|\bparseInt\b|{large}")
    for file in (*MODULE, PAGE):
        if file.name != "page_numbers.js":
            for line in file.read_text(encoding="utf-8").splitlines():
                assert not bits.search(line.partition("// ")[0]), f"{file.name}: {line}"
