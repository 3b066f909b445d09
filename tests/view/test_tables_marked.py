"""What became of tables and areas is marked in the picture: on the stage and in the static one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from picture_page import mount, page_html

from anonlab import record
from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Trace
from anonlab.histories import library
from anonlab.view.stage.static import snapshot_svg
from anonlab.view.story.payload import payload
from anonlab.view.story.reading import read

HISTORIES = ("fork_and_write", "mremap_after_fork", "swap_and_back")
AREAS = """
machine lesson frames 16 swap 4
a = spawn
a mmap 0x30000 4
a read 0x32000
b = fork a
b mprotect 0x30000 2 r
b munmap 0x32000 2
b mmap 0x80000 1
b write 0x80000 7
b munmap 0x80000 1
b execve ls
b exit
"""
MARKS = """() => [...picture.svg.querySelectorAll("[data-mm] [data-change]")]
    .filter((one) => !one.closest("[role=option]"))
    .map((one) => one.closest("[data-mm]").dataset.mm + one.dataset.change).sort()"""
Marks = list[str]


def sign(was: object, now: object) -> str:
    return "" if was == now else "N" if was is None else "G" if now is None else "C"


def true_marks(before: Snapshot, after: Snapshot) -> tuple[Marks, Marks]:
    """The marks of tables and areas, and those of address spaces, by brute force."""
    old, new = read(before), read(after)
    inside, heads = [], []
    for mm in old.spaces.keys() | new.spaces.keys():
        was, now = old.spaces.get(mm), new.spaces.get(mm)
        if was is None or now is None:
            heads.append(f"{mm}{'N' if was is None else 'G'}")
        elif now.fact.home and was.fact.home != now.fact.home:
            heads.append(f"{mm}C")
        if now is None:
            continue
        leaves = (was.leaves if was else {}, now.leaves)
        signs = [sign(leaves[0].get(at), leaves[1].get(at)) for at in {*leaves[0], *leaves[1]}]
        inside += [f"{mm}{one}" for one in signs if one]
        areas = [{vma.start_vpn: vma for vma in one.fact.vmas} for one in (was, now) if one]
        if was:
            kinds = {sign(areas[0].get(at), areas[1].get(at)) for at in {*areas[0], *areas[1]}}
            inside += [f"{mm}{'C' if len(kinds - {''}) > 1 else ''.join(kinds)}"] * bool(
                kinds - {""}
            )
    return sorted(inside), sorted(heads)


def static_marks(svg: str) -> Marks:
    """The marks of a static picture that stand in a table and in no slot."""
    tables = ElementTree.fromstring(svg).iterfind(".//*[@data-mm]")
    return sorted(
        f"{table.get('data-mm')}{mark.get('data-change')}"
        for table in tables
        for mark in table.findall("./*[@data-change]")
    )


def traces() -> list[Trace]:
    return [record(AREAS), *(record(library.load(name)) for name in HISTORIES)]


@pytest.mark.parametrize("story", traces(), ids=("areas", *HISTORIES))
def test_tables_and_areas_are_marked_alike_on_the_stage_and_on_paper(
    story: Trace, browser: Any
) -> None:
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    page.set_content(page_html())
    mount(page, payload(story))
    told: set[str] = set()
    for number, (one, two) in enumerate(pairwise(story.steps), 1):
        inside, heads = true_marks(one.snapshot, two.snapshot)
        page.evaluate("i => paint(i, {width: 1000, height: 800})", number)
        assert page.evaluate(MARKS) == sorted([*inside, *heads]), (number, two.label)
        assert static_marks(snapshot_svg(two.snapshot, one.snapshot)) == inside, number
        told |= {mark[-1] for mark in inside}
    assert told >= ({"N", "C", "G"} if story.title == "" else {"N"})
    page.close()
