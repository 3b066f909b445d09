"""The picture, measured in a browser: every step of real stories, in the widths that people have.

No two texts overlap and none is cut, arrows are the present entries of the open tables, what
changed is in sight, nothing moves while the tables and rows on the stage stay the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sample
from picture_page import mount, page_html
from traces_at_hand import every_trace

from anonlab import Kernel, record
from anonlab.formats.trace import Trace
from anonlab.histories.generate import generate
from anonlab.machine.words import PAGE_SHIFT, Geometry
from anonlab.recording.recorder import Recorder
from anonlab.view.story.payload import payload

DESIGNS = ("anongroup", "anon_vma", "anon_vma_chain", "pte_chain")
SIZES = ((526, 340), (548, 579), (762, 498), (914, 420), (1000, 640), (1400, 640))
"""Widths and heights of the picture in px: in a cell, a narrow and a wide page, with a tab open."""
MOST = 2**63 - 1
ODD = (Geometry(1, 6), Geometry(3, 3), Geometry(2, 5), Geometry(2, 2), Geometry(25, 2))


@pytest.fixture(scope="module")
def page(browser: Any) -> Any:
    opened = browser.new_page(viewport={"width": 1920, "height": 1080})
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.set_content(page_html())
    opened.add_script_tag(path=Path(__file__).with_name("picture_measures.js"))
    yield opened
    opened.close()
    assert wrong == []


def wrong_with(
    page: Any, trace: Trace, sizes: Any = SIZES, least: float = 12, **options: Any
) -> Any:
    mount(page, payload(trace))
    return [
        (width, sentence)
        for width, height in sizes
        for sentence in page.evaluate(
            "([options, least]) => measureAll(options, {least})",
            [{"width": width, "height": height, **options}, least],
        )
    ]


def odd_story(shape: Geometry) -> Trace:
    """A fork, a write after it, a page swapped out and back, in the last pages of a machine; the
    contents are the largest numbers that a page holds."""
    kernel = Kernel("anongroup", 12, 4, shape)
    address = shape.task_npages - 4 << PAGE_SHIFT
    with Recorder(kernel, walks=True) as recorder:
        one = kernel.spawn("p")
        one.mmap(4 << PAGE_SHIFT, at=address)
        one.write_range(address, [MOST - 3, MOST - 2, MOST - 1, MOST])
        two = one.fork("q")
        two.write(address, 5)
        two.swap_out(address)
        two.exit()
    return recorder.trace("the last pages")


def test_every_step_of_the_library_can_be_read_at_every_width(page: Any, trace: Trace) -> None:
    assert wrong_with(page, trace) == []


@pytest.mark.parametrize("shape", ODD, ids=str)
def test_machines_of_other_shapes_can_be_read(page: Any, shape: Geometry) -> None:
    assert wrong_with(page, odd_story(shape)) == []


@pytest.mark.slow
@pytest.mark.parametrize("geometry", ["lesson", "x86_64"])
@pytest.mark.parametrize("design", DESIGNS)
def test_random_histories_can_be_read_under_every_design(
    page: Any, design: str, geometry: str
) -> None:
    for seed in range(2):
        trace = record(generate(seed, 50, geometry), design=design)
        assert wrong_with(page, trace, ((762, 498),)) == []


def test_a_lecture_hall_reads_letters_of_24_px(page: Any) -> None:
    for trace in (sample.lesson(), every_trace()["mremap_after_fork"]):
        sizes = ((1864, 790), (1240, 500))
        assert wrong_with(page, trace, sizes, least=24, big=True, changeLines=[["C", "x"]]) == []


def test_a_small_picture_for_side_by_side_can_be_read(page: Any) -> None:
    for trace in (sample.lesson(), every_trace()["mremap_after_fork"]):
        assert wrong_with(page, trace, ((485, 330), (650, 330)), mini=True) == []
