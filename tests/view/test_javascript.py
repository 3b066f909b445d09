"""The functions of the player's module, each alone, in a browser: one page for all of them.

Page numbers and addresses above 2^31 and above 2^53 are where JavaScript's numbers end.
"""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest

from anonlab.machine.words import LESSON, X86_32, X86_64, Geometry
from anonlab.view.player.export import MODULE, PAGE
from anonlab.view.stage.address import fields

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


def test_only_the_module_of_page_numbers_shifts_bits() -> None:
    """Operators on bits keep 32 of them; page numbers have 50, words 62."""
    large = r"\w*(?:vpn|word|address|prefix|data|flags)\w*\)* ?(?:>>|&|\|)[^&|]"
    bits = re.compile(rf"<<|~~|\bparseInt\b|{large}")
    for file in (*MODULE, PAGE):
        if file.name != "page_numbers.js":
            for line in file.read_text(encoding="utf-8").splitlines():
                assert not bits.search(line.partition("// ")[0]), f"{file.name}: {line}"
