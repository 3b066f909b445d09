"""The functions of the player's module, each alone, in a browser: one page for all of them.

Page numbers and addresses above 2^31 and above 2^53 are where JavaScript's numbers end.
"""

from __future__ import annotations

import json
import re
from functools import cache
from random import Random
from typing import Any

import pytest
import sample
from reading_back import true_facts, unpacked
from visiting import ROOT

from anonlab import Kernel, record
from anonlab.formats.trace import Trace
from anonlab.machine.words import LESSON, PAGE_SHIFT, X86_32, X86_64, Geometry
from anonlab.recording.recorder import Recorder
from anonlab.view import text_twin
from anonlab.view.player.export import MODULE, PAGE
from anonlab.view.player.facts import facts, pack
from anonlab.view.player.payload import payload
from anonlab.view.stage.address import AddressPanel, fields, found, sentences
from anonlab.view.story.reading import read

pytestmark = pytest.mark.xdist_group("javascript")
SHAPES = (LESSON, X86_32, X86_64, Geometry(5, 10), Geometry(10, 5), Geometry(25, 2))
"""Up to levels * bits = 50: addresses of 62 bits."""
MOST = 2**63 - 1


@cache
def at_the_end(shape: Geometry) -> Trace:
    """A fork, a write after it and a page swapped out, in the last pages of a machine; contents
    are the largest numbers that a page holds."""
    kernel = Kernel("anongroup", 32, 8, shape)
    address = shape.task_npages - 4 << PAGE_SHIFT
    with Recorder(kernel, walks=True) as recorder:
        one = kernel.spawn("p")
        one.mmap(4 << PAGE_SHIFT, at=address)
        one.write_range(address, [MOST - 3, MOST - 2, MOST - 1, MOST])
        one.swap_out(address + (3 << PAGE_SHIFT))
        one.fork("q").write(address, 5)
    return recorder.trace("the last pages")


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


@pytest.mark.parametrize("shape", SHAPES, ids=by_name)
def test_an_address_is_split_as_python_splits_it(call: Any, shape: Geometry) -> None:
    snapshot = at_the_end(shape).steps[-1].snapshot
    reading, panel, last = read(snapshot), AddressPanel(shape), shape.task_npages - 1
    for mm in reading.spaces:
        for vpn in (last - 3, last - 2, last, 0, shape.npages // 2):
            way, said, states = call(
                """(() => {
                    const {fields, told, mm, address} = given;
                    const way = wayOf(fields, told, mm, address);
                    const said = sentencesOf(fields, way);
                    return [way, said, addressStates(fields, way, said, address)];
                })()""",
                {"fields": fields(shape), "told": sorted(facts(snapshot)), "mm": str(mm),
                 "address": shape.address(vpn)},
            )  # fmt: skip
            true = found(reading, mm, vpn << PAGE_SHIFT)
            rows = [str(each.row) if each.row >= 0 else "" for each in true]
            assert [each["row"] for each in way] == rows
            assert [each["bits"] for each in way] == [each.bits for each in true]
            assert said == sentences(shape, true)
            drawn = panel.states(reading, mm, vpn << PAGE_SHIFT)
            assert {name: texts for name, (_, texts, _) in states.items() if name != "address"} == {
                name: list(drawn[name].texts) for name in states if name != "address"
            }


@pytest.mark.parametrize("numbers", [
    [2**52 - 2, 2**52 - 1, 2**52], [2**53 - 1, 2**53, 2**53 + 1], [MOST - 1, MOST],
    [-(2**52) + 1, 2**52 - 1], [2**52 - 1, 0, -(2**52) + 1],
])  # fmt: skip
def test_a_series_of_numbers_is_exact_or_a_list(call: Any, numbers: list[int]) -> None:
    told = [("frame", str(number), hex(abs(number))) for number in numbers]
    assert list(map(tuple, call("unpack(JSON.parse(given))", pack(told)))) == told


def test_states_and_texts_of_a_step_follow_from_the_last_full_one(call: Any) -> None:
    steps = sample.lesson().steps
    made = payload(Trace("long", steps * 3))
    rows, twins = call(
        """[given.steps.map((_, at) => statesAt(given, at)),
            given.steps.map((_, at) => twin(given, at))]""",
        json.loads(json.dumps(made)),
    )
    for step, row, told in zip(steps * 3, rows, twins, strict=True):
        assert told + "\n" == text_twin(step.snapshot)
        shown = {fact for state in row for fact in unpacked(made["states"][state][4])}
        assert shown == true_facts(step.snapshot)


def test_only_the_module_of_page_numbers_shifts_bits() -> None:
    """Operators on bits keep 32 of them; page numbers have 50."""
    bits = re.compile(r"<<|>>|~~|\bparseInt\b|\bBigInt\b|[\w)] [&|^] (?!Node\.)[\w(]")
    for file in (*MODULE, PAGE):
        if file.name != "page_numbers.js":
            for line in file.read_text(encoding="utf-8").splitlines():
                assert not bits.search(line.partition("// ")[0]), f"{file.name}: {line}"


# ---- on the page ----------------------------------------------------------------------------

TWO_PAGES = """machine {machine} frames 64 swap 8
p = spawn
p mmap {high:#x} 1
p write {high:#x} 5
p mmap {low:#x} 1
p write {low:#x} 3
"""


@pytest.mark.parametrize(("machine", "high", "low"), [
    ("x86_64", 0x155555000, 0x55555000),  # the same in their lower 32 bits
    ("x86_64", 0x7FFFFFFFE000, 0xFFFFE000),
    ("x86_32", 0xBFF01000, 0x3FF01000),  # the sign bit
])  # fmt: skip
def test_a_probe_stands_on_the_page_that_it_looks_at(
    visit: Any, machine: str, high: int, low: int
) -> None:
    at = visit(record(TWO_PAGES.format(machine=machine, high=high, low=low), walks=True))
    at.page.focus(ROOT)
    at.press("End")
    at.page.click("[id$=frame-1]")
    at.page.click("[data-do=probes]")
    assert badged(at) == [f"mm1-pte-{high >> PAGE_SHIFT:x}"]
    at.page.click("[id$=frame-2]")
    at.page.click("[data-do=probes]")
    assert badged(at) == [f"mm1-pte-{low >> PAGE_SHIFT:x}"]


def badged(at: Any) -> list[str]:
    """Cells whose place is the place of a probe's badge, without the prefix of the page."""
    found: list[str] = at.page.evaluate(
        """() => [...document.querySelectorAll('.q.probe')].flatMap(badge => {
            const place = badge.getAttribute('transform').split(') ')[0] + ')';
            return [...badge.parentNode.querySelectorAll(':scope > .c')]
                .filter(g => g.getAttribute('transform') === place && !g.matches('.wire'))
                .map(g => g.id.replace(/^al\\d+-/, ''));
        })"""
    )
    return found


@pytest.mark.parametrize("shape", SHAPES[2:4], ids=by_name)
def test_the_last_pages_of_a_machine_are_told_exactly(visit: Any, shape: Geometry) -> None:
    """Card, facts and text; a page is chosen, then its frame."""
    trace = at_the_end(shape)
    at = visit(trace, f"#step={len(trace.steps) - 1}")
    assert set(at.facts()) == true_facts(trace.steps[-1].snapshot)
    vpn = shape.task_npages - 3
    for cell in (f"mm1-pte-{vpn:x}", "frame-2"):
        at.page.click(f"[id$={cell}]")
        places = at.page.locator(".al-brute li").all_text_contents()
        assert places == [f"A p {shape.address(vpn)}", f"B q {shape.address(vpn)}"]
        assert f"Address {shape.address(vpn)} of p, bit by bit:" in at.told("text")
