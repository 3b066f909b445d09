"""The picture from step to step: what stays is not touched, arrows swing, the focus is kept."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from picture_page import mount, page_html
from traces_at_hand import every_trace

from anonlab.formats.trace import Trace
from anonlab.view.story.payload import payload

SIZE = {"width": 762, "height": 498}
COPY = "fault.wp_copy"
ARROWS = """() => Object.fromEntries([...document.querySelectorAll("[data-arrow] .ar")].map(
    (path) => [path.parentNode.dataset.arrow, path.getAttribute("d")]))"""


def opened(browser: Any, trace: Trace, **options: Any) -> Any:
    page = browser.new_page(viewport={"width": 800, "height": 600}, **options)
    page.set_content(page_html())
    page.add_script_tag(path=Path(__file__).with_name("picture_measures.js"))
    mount(page, payload(trace))
    return page


@pytest.fixture(scope="module")
def fork(browser: Any) -> Any:
    """The page with a fork and writes after it, and the step of its first copy."""
    trace = every_trace()["fork_and_write"]
    page = opened(browser, trace)
    yield page, next(at for at, step in enumerate(trace.steps) if step.label == COPY)
    page.close()


def paint(page: Any, step: int, **options: Any) -> Any:
    """Draw a step; return the paths of the arrows at that moment, by the keys of their slots."""
    return page.evaluate(
        f"([i, options]) => {{ paint(i, options); return ({ARROWS})(); }}",
        [step, {**SIZE, **options}],
    )


@pytest.mark.parametrize("name", ["mremap_after_fork", "swap_and_back", "prefork"])
def test_a_patched_picture_is_the_picture_drawn_anew(browser: Any, name: str) -> None:
    page = opened(browser, every_trace()[name])
    last = page.evaluate("story.last")
    draw = Random(5)
    steps = [*range(6), *(draw.randrange(last + 1) for _ in range(12)), last, last - 1]
    for at, step in enumerate(steps):
        options = {**SIZE, "chosen": "f1" if at % 3 else "", "width": 762 if at % 5 else 526}
        same = page.evaluate(
            """([i, options]) => {
                paint(i, options);
                const fresh = new Picture(picture.host, story, 0, "t");
                fresh.stop = picture.stop;
                fresh.paint(i, options);
                const same = fresh.svg.outerHTML === picture.svg.outerHTML;
                fresh.remove();
                return same;
            }""",
            [step, options],
        )
        assert same, (at, step)
    page.close()


def test_what_a_step_leaves_as_it_was_is_not_touched(fork: Any) -> None:
    page, copy = fork
    paint(page, copy - 1)
    page.evaluate("document.querySelectorAll('[data-key]').forEach((one) => { one.old = true; })")
    paint(page, copy)
    read = "document.querySelectorAll('[data-key]')"
    made = page.evaluate(f"[...{read}].filter((one) => !one.old).map((one) => one.dataset.key)")
    signs = page.evaluate(f"story.changes({copy}).keys()")
    free = page.evaluate(f"Math.max(...story.moment({copy}).frames.keys()) + 1")
    assert set(made) <= {*signs, f"f{free}"}
    assert signs
    assert set(signs) <= set(made)


def test_the_arrow_of_a_copied_page_swings_to_the_copy_and_others_stand(fork: Any) -> None:
    page, copy = fork
    before = paint(page, copy - 1)
    first = paint(page, copy, move=True)
    changed = page.evaluate(f"story.changes({copy}).entries.map((one) => slotKey(one.mm, one.vpn))")
    assert {key for key in first if first[key] == before[key]} == set(before)
    page.wait_for_selector("[data-part=picture]:not([data-moving])")
    after = page.evaluate(ARROWS)
    assert set(changed) <= {key for key in after if after[key] != before[key]}


def test_a_picture_that_is_painted_while_arrows_move_is_right_at_once(fork: Any) -> None:
    page, copy = fork
    still = paint(page, copy)
    paint(page, copy - 1)
    paint(page, copy, move=True)
    assert paint(page, copy) == still


def test_the_tail_of_an_arrow_moves_with_the_page(browser: Any) -> None:
    trace = every_trace()["mremap_after_fork"]
    page = opened(browser, trace)
    moved = next(at for at, step in enumerate(trace.steps) if step.label == "mremap.move")
    before = paint(page, moved - 1)
    first = paint(page, moved, move=True)
    came = [key for key in first if key not in before]
    assert came
    assert {first[key].split("C")[0] for key in came} <= {
        path.split("C")[0] for path in before.values()
    }
    page.close()


def test_nothing_moves_for_those_who_asked_for_that(browser: Any) -> None:
    trace = every_trace()["fork_and_write"]
    page = opened(browser, trace, reduced_motion="reduce")
    for step in range(len(trace.steps)):
        paint(page, step, move=True)
        assert page.get_attribute("[data-part=picture]", "data-moving") is None
    page.close()


def test_the_focus_stays_on_its_slot_and_one_option_is_the_tab_stop(fork: Any) -> None:
    page, copy = fork
    paint(page, copy - 1)
    key = page.evaluate(f"slotKey(story.changes({copy}).entries[0].mm, 0x30)")
    page.evaluate("key => picture.focus(key)", key)
    for step in (copy, copy - 1, copy + 1):
        paint(page, step)
        assert page.evaluate("document.activeElement.dataset.key") == key
        assert page.locator("[role=option][tabindex='0']").count() == 1


def test_a_run_opens_and_closes(browser: Any) -> None:
    trace = every_trace()["prefork"]
    page = opened(browser, trace)
    paint(page, 40)
    keys = page.evaluate(
        "[...picture.drawing.things].filter(([, one]) => one.kind === 'frames').map(([key]) => key)"
    )
    run = page.evaluate("key => picture.drawing.things.get(key)", keys[0])
    assert page.evaluate("key => picture.toggle(key)", keys[0])
    paint(page, 40)
    for pfn in range(run["first"], run["last"] + 1):
        assert page.locator(f"[data-key=f{pfn}]").count() == 1
    assert page.evaluate("picture.closeRuns()")
    assert not page.evaluate("picture.toggle('f1')")
    paint(page, 40)
    assert page.locator(f"[data-key={keys[0]}]").count() == 1
    page.close()


def test_how_long_a_step_takes(browser: Any, record_property: Any) -> None:
    """Written into the report, not judged: this machine may have other things to do."""
    page = opened(browser, every_trace()["prefork"])
    times = page.evaluate(
        """size => Array.from({length: story.last + 1}, (_, i) => {
            const start = performance.now();
            paint(i, {...size, move: true});
            picture.svg.getBoundingClientRect();
            return performance.now() - start;
        }).sort((a, b) => a - b)""",
        SIZE,
    )
    record_property("median_ms", round(times[len(times) // 2], 1))
    record_property("p95_ms", round(times[len(times) * 95 // 100], 1))
    page.close()
