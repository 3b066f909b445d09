"""In the browser: one thing everywhere, walks, predictions, lanes, cost and parts."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import sample
from controls import ELSEWHERE, all_controls, every_button, every_key, scrub_and_chart, theme_of
from visiting import ROOT, Visit

from anonlab import DESIGNS, record
from anonlab.formats.trace import Trace
from anonlab.histories import library
from anonlab.histories.generate import generate
from anonlab.view.stage import palette
from anonlab.view.stage import parts as cutting
from anonlab.view.story.reading import read

IDS = "all => all.map(e => e.id.replace(/^al\\d+-/, '')).sort()"


@cache
def swap() -> Trace:
    """A history with walks of three mappers, a clash and swapped pages."""
    return record(library.load("swap_and_back"))


@cache
def moved() -> dict[str, Trace]:
    """One history under two designs that do different things in it."""
    history = library.load("mremap_after_fork")
    return {name: record(history, name) for name in ("anongroup", list(DESIGNS)[-1])}


def shared_step(trace: Trace) -> tuple[int, int, int, int]:
    """(step, pfn, mm, vpn) of a page that three address spaces map."""
    for at, step in enumerate(trace.steps):
        for walk in step.snapshot.walks:
            if sum(probe.hit for probe in walk.probes) == 3:
                return at, walk.pfn, walk.probes[0].mm, walk.probes[0].vpn
    raise AssertionError("no page of this trace has three mappers")


def lit(at: Visit, look: str) -> list[str]:
    return list(at.page.eval_on_selector_all(f"[data-part=picture] .{look}", IDS))


def focused(at: Visit) -> str:
    return str(at.page.evaluate("document.activeElement.id.replace(/^al\\d+-/, '')"))


# ---- choosing -------------------------------------------------------------------------------


def test_choosing_a_page_lights_up_its_frame_and_every_mapping(visit: Any) -> None:
    number, pfn, mm, vpn = shared_step(swap())
    at = visit(swap(), f"#step={number}")
    at.page.click(f"[id$=mm{mm}-pte-{vpn:x}]")
    at.page.mouse.move(0, 0)
    reading = read(swap().steps[number].snapshot)
    mms = reading.owners[pfn]
    assert lit(at, "lit") == sorted([f"frame-{pfn}", *(f"mm{mm}-pte-{vpn:x}" for mm in mms)])
    near = lit(at, "near")
    assert {f"mm{mm}-head" for mm in mms} <= set(near)
    assert any(name.startswith("node-") for name in near), "its group is near"
    assert any(name.startswith("process-") for name in near)


@pytest.mark.parametrize(
    ("place", "same", "near"),
    [
        ("process-1", "mm2-head", "mm2-pte-30"),
        ("mm2-head", "process-1", "mm2-vma-30"),
        ("mm2-vma-30", "mm2-span-30", "mm2-head"),
        ("frame-2", "mm1-pte-31", "process-0"),
    ],
)
def test_choosing_a_process_an_area_or_a_frame_lights_up_the_same_thing(
    visit: Any, place: str, same: str, near: str
) -> None:
    at = visit(record(library.load("fork_and_write")), "#step=12")
    at.page.click(f"[id$={place}]")
    at.page.mouse.move(0, 0)
    assert {place, same} <= set(lit(at, "lit"))
    assert near in lit(at, "near")
    assert at.page.get_attribute(ROOT, "data-chosen") == place


def test_a_heading_is_chosen_where_it_has_no_letters_too(visit: Any) -> None:
    at = visit(record(library.load("fork_and_write")), "#step=12")
    sheet = at.page.locator("svg:has([id$=mm2-head])").bounding_box()
    words = at.page.locator("[id$=mm2-head] .h").bounding_box()
    right = sheet["x"] + sheet["width"] - 12
    assert right > words["x"] + words["width"] + 40, "no letters there"
    at.page.mouse.click(right, words["y"] + words["height"] / 2)
    assert at.page.get_attribute(ROOT, "data-chosen") == "mm2-head"


def test_choosing_a_group_lights_up_its_pages_and_its_members(visit: Any) -> None:
    at = visit(record(library.load("fork_and_write")), "#step=12")
    at.page.click(".c.node.group")
    at.page.mouse.move(0, 0)
    assert {"frame-1", "frame-2", "frame-3", "frame-4", "mm1-pte-30"} <= set(lit(at, "near"))
    assert {"mm1-head", "mm2-head"} <= set(lit(at, "near"))


def test_the_choice_stays_while_one_steps_and_is_let_go_by_escape(visit: Any) -> None:
    at = visit(swap(), "#step=9")
    at.page.click("[id$=mm1-pte-31]")
    at.page.focus(ROOT)
    at.press("ArrowRight", "ArrowRight")
    assert at.step() == 11
    assert "mm1-pte-31" in lit(at, "lit")
    at.press("Escape")
    assert at.page.get_attribute(ROOT, "data-chosen") == ""
    at.page.mouse.move(0, 0)
    assert lit(at, "lit") == lit(at, "near") == []
    assert at.focus().startswith("anonlab-player")


def test_the_picture_is_one_tab_stop_and_arrows_move_in_it(visit: Any) -> None:
    at = visit(swap(), "#step=9")
    stops = "[data-part=picture] [tabindex='0']"
    assert at.page.locator(f"{stops}[role=gridcell]").count() == 1
    at.page.focus(f"{stops}[role=gridcell]")
    first = focused(at)
    at.press("ArrowDown")
    assert focused(at) != first
    assert at.page.locator(f"{stops}[role=gridcell]").count() == 1
    assert at.step() == 9
    at.press("Enter")
    assert at.page.get_attribute(ROOT, "data-chosen") == focused(at)
    assert at.page.get_attribute(":focus", "aria-selected") == "true"


def test_n_goes_to_the_next_step_that_changes_the_chosen_thing(visit: Any) -> None:
    trace = record(library.load("fork_and_write"))
    at = visit(trace, "#step=3")
    words = [{f[1:3]: f for f in sorted(facts_of(step)) if f[0] == "pte"}
             for step in trace.steps]  # fmt: skip
    at.page.click("[id$=mm1-pte-30]")
    at.page.focus(ROOT)
    here = 3
    key = ("1", "0x30000")
    for _ in range(2):
        here = next(n for n in range(here + 1, len(words))
                    if words[n].get(key) != words[n - 1].get(key))  # fmt: skip
        at.press("n")
        assert at.step() == here
    at.press("N")
    assert at.step() < here
    at.press("Home", "N")
    assert at.told("hint") == "No earlier step changes it."


def facts_of(step: Any) -> Any:
    from reading_back import true_facts

    return true_facts(step.snapshot)


# ---- the walk -------------------------------------------------------------------------------


def test_a_walk_is_played_probe_by_probe_with_its_counters(visit: Any) -> None:
    trace = record(library.load("prefork"))
    number, walk = next(
        (n, w) for n, step in enumerate(trace.steps) for w in step.snapshot.walks
        if not w.probes[0].hit and len(w.probes) > 2
    )  # fmt: skip
    at = visit(trace, f"#step={number}")
    at.page.click(f"[id$=frame-{walk.pfn}]")
    assert at.page.locator(".al-walk li").count() == 0
    at.page.focus(ROOT)
    hits = 0
    for probes, probe in enumerate(walk.probes, 1):
        at.press("w")
        hits += probe.hit
        rows = at.page.locator(".al-walk li")
        assert rows.count() == probes
        assert rows.last.get_attribute("class") == ("hit" if probe.hit else "miss")
        last = probes == len(walk.probes)
        told = at.page.locator(".al-counters b").all_text_contents()
        assert told == [str(n) for n in (walk.nodes if last else probe.nodes, probes, hits,
                                         walk.locks)]  # fmt: skip
        assert at.page.locator("[data-part=picture] .q.probe").count() == probes
    wanted = len(read(trace.steps[number].snapshot).owners[walk.pfn])
    assert at.page.text_content(".al-end") == f"It found all {wanted}."
    assert "It found all" in at.told("live"), "a screen reader hears it too"
    at.page.click("[data-do=unprobe]")
    assert at.page.locator("[data-part=picture] .q.probe").count() == 0


def test_brute_force_stands_beside_the_walk_and_finds_the_same(visit: Any) -> None:
    number, pfn, mm, vpn = shared_step(swap())
    at = visit(swap(), f"#step={number}")
    at.page.click(f"[id$=mm{mm}-pte-{vpn:x}]")
    at.page.click("[data-do=probes]")
    brute = at.page.locator(".al-brute li").all_text_contents()
    walked = at.page.locator(".al-walk li.hit span").all_text_contents()
    assert sorted(brute) == sorted(walked)
    assert len(brute) == len(read(swap().steps[number].snapshot).owners[pfn]) == 3


@pytest.mark.slow(pool="sizes of pictures")
def test_every_walk_finds_all_mappers_in_the_browser_too(visit: Any) -> None:
    at = visit(swap())
    at.page.focus(ROOT)
    for number, step in enumerate(swap().steps):
        for walk in step.snapshot.walks[:2]:
            at.page.evaluate(f"""() => document.querySelector('[id$="frame-{walk.pfn}"]')
                .dispatchEvent(new MouseEvent('click', {{bubbles: true}}))""")
            at.page.click("[data-do=probes]")
            assert at.page.text_content(".al-end").startswith("It found all"), number
            at.page.click("[data-do=let-go]")
        at.press("ArrowRight")


# ---- prediction as a form, and at the end ---------------------------------------------------


def test_the_same_prediction_as_a_form_by_keyboard_alone(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=9")
    at.page.focus(ROOT)
    at.press("p")
    at.page.focus("[data-do=as-list]")
    at.press("Enter")
    assert at.page.locator("fieldset legend").count() >= 4
    boxes = at.page.locator("[data-part=form] label")
    names = boxes.all_text_contents()
    wanted = next(n for n, name in enumerate(names) if "child, page 0x30000" in name)
    boxes.nth(wanted).locator("input").focus()
    at.press("Space")
    assert at.page.locator("[id$=mm2-pte-30].guessed").count() == 1
    assert "1 place marked" in at.told("guess")
    at.page.focus(ROOT)
    at.press("Escape", "ArrowRight")
    assert at.told("guess").startswith("Your prediction: 1 right, 2 missed, 0 too many.")


def test_edges_can_be_predicted(visit: Any) -> None:
    trace = record("a = spawn\na mmap 0x30000 1\nb = fork a\n")
    joins = next(n for n, step in enumerate(trace.steps) if step.label == "fork.join_group")
    at = visit(trace, f"#step={joins - 1}")
    at.page.focus(ROOT)
    at.press("p")
    names = at.page.eval_on_selector_all(
        ".edge.able", "all => all.map(e => e.getAttribute('aria-label'))"
    )
    assert "member: group 1 to mm 2" in names


def test_i_do_not_know_is_an_answer(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=9")
    at.page.focus(ROOT)
    at.press("p")
    at.page.click("[data-do=unknown]")
    assert at.step() == 10
    assert at.told("guess").startswith("Your prediction: you did not know; 3 changed.")


def test_predictions_are_shown_again_at_the_end_with_a_way_back(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=9")
    at.page.click("[data-do=predict]")
    at.page.click("[id$=mm2-pte-30]")
    at.page.click("[data-do=next]")
    at.page.focus(ROOT)
    at.press("End")
    told = at.told("summary")
    assert told.startswith("Your predictions: 1 right, 2 missed, 0 too many in 1 step.")
    at.page.click("[data-part=summary] [data-do=to]")
    assert at.step() == 10


def test_the_first_prediction_of_a_step_is_kept(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=9")
    for cell in ("mm2-pte-31", "mm2-pte-30"):  # wrong at first, then right
        at.page.click("[data-do=predict]")
        at.page.click(f"[id$={cell}]")
        at.page.click("[data-do=next]")
        at.page.click("[data-do=previous]")
    at.page.click("[data-do=last]")
    assert at.told("summary").startswith("Your predictions: 0 right, 3 missed, 1 too many")


def test_play_stops_before_a_step_that_asks(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=8", predict=(10,))
    at.page.focus(ROOT)
    at.press("Space")
    at.page.wait_for_selector("[data-do=play][aria-pressed=false]", timeout=8000)
    assert at.step() == 9
    assert "What will change next?" in at.told("hint")


# ---- side by side, cost, parts --------------------------------------------------------------


def test_designs_side_by_side_move_with_one_scrubber(visit: Any) -> None:
    at = visit(moved())
    names = at.page.locator(".al-lane h3").all_text_contents()
    assert names == list(moved())
    at.page.fill("input[type=range]", "12")
    assert at.step() == 12
    assert at.page.locator(".al-lane").count() == 2
    at.page.focus(ROOT)
    silent = False
    for _ in range(60):
        silent |= "has no such step" in "".join(
            at.page.locator("[data-part=said]").all_text_contents()
        )
        at.press("ArrowRight")
    assert silent, "one design has steps that the other has not"


def test_choosing_a_page_chooses_it_under_every_design(visit: Any) -> None:
    at = visit(moved(), "#step=10")
    at.page.click("[id$=d0-mm1-pte-31]")
    at.page.mouse.move(0, 0)
    assert {"d0-mm1-pte-31", "d1-mm1-pte-31"} <= set(lit(at, "lit"))
    assert at.page.locator(".al-walk").count() == 2
    at.page.focus(ROOT)
    at.press("W")
    assert at.page.locator(".al-end").count() == 2


@pytest.mark.parametrize("width", [1700, 1300, 900, 400])
def test_lanes_fit_every_width(visit: Any, width: int) -> None:
    at = visit(moved(), "#step=10", viewport={"width": width, "height": 900})
    assert at.page.evaluate("document.documentElement.scrollWidth") <= width


def test_charts_show_the_count_at_the_step_and_a_click_goes_there(visit: Any) -> None:
    trace = record(library.load("prefork"))
    at = visit(trace)
    chart = at.page.locator("[data-chart='nodes visited']")
    last = len(trace.steps) - 1
    box = chart.locator("svg").bounding_box()
    at.page.mouse.click(box["x"] + box["width"] - 2, box["y"] + 20)
    assert at.step() >= last - 1
    for number in (0, last // 2, last):
        at.page.fill("input[type=range]", str(number))
        nodes = dict(trace.steps[number].snapshot.cost)["nodes"]
        assert chart.locator("b").text_content() == f"{nodes:,}"
        told = at.page.get_attribute("[data-part=costs]", "aria-label")
        assert f"nodes visited {nodes}" in told


def test_a_long_trace_goes_on_in_its_next_part(visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MOST_BYTES", 200_000)
    at = visit(record(generate(3, 70, frames=24, swap=12)))
    parts = at.page.locator("[aria-label='part of the trace'] option").count()
    assert parts > 1
    assert f"part 1 of {parts}" in at.told("count")
    at.page.focus(ROOT)
    at.press("End", "ArrowRight")
    assert f"part 2 of {parts}" in at.told("count")
    assert at.step() == 0
    at.press("ArrowLeft")
    assert f"part 1 of {parts}" in at.told("count")
    at.page.select_option("[aria-label='part of the trace']", "c1")
    assert f"part 2 of {parts}" in at.told("count")
    at.page.focus(ROOT)
    at.press("ArrowRight")
    at.page.wait_for_function("location.hash === '#part=c1&step=1'")


def test_the_key_map_names_every_key(visit: Any) -> None:
    at = visit(sample.lesson())
    at.page.click(".al-keys summary")
    keys = at.page.locator(".al-keys dt").all_text_contents()
    assert keys == ["← →", "Home End", "Space", "P", "T", "Tab, then arrows", "Enter",
                    "N, Shift+N", "W, Shift+W", "Esc"]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS)
def test_every_design_plays_without_a_fault(visit: Any, design: str) -> None:
    trace = record(library.load("prefork"), design)
    at = visit(trace)
    at.page.focus(ROOT)
    for _ in trace.steps[1:]:
        at.press("ArrowRight")
    assert at.step() == len(trace.steps) - 1


def test_what_is_there_is_seen_and_what_is_not_takes_one_line(visit: Any) -> None:
    trace = record(library.load("prefork"))
    at = visit(trace)
    at.page.focus(ROOT)
    for step in trace.steps:
        seen = at.page.eval_on_selector_all(
            "[data-panel^=mm]:not(.aside)",
            """all => all.map(e => [e.dataset.panel, !!e.querySelector('.ch') ||
                !e.classList.contains('absent'), e.getBoundingClientRect().height])""",
        )
        there = {f"mm{fact.mm}" for fact in step.snapshot.mms}
        assert there <= {name for name, whole, _ in seen if whole}
        assert all(height < 90 for _, whole, height in seen if not whole)
        assert len(seen) == len({name for name, _, _ in seen})
        at.press("ArrowRight")


# ---- every control --------------------------------------------------------------------------


@pytest.mark.parametrize("keyboard", [False, True], ids=["mouse", "keyboard"])
def test_every_button_does_what_it_says(visit: Any, keyboard: bool) -> None:
    at = visit(record(library.load("fork_and_write")))
    used = every_button(at.page, at.page.locator(ROOT), keyboard)
    assert used == all_controls() - ELSEWHERE


def test_every_key_does_what_the_key_map_says(visit: Any) -> None:
    at = visit(record(library.load("fork_and_write")))
    every_key(at.page, at.page.locator(ROOT))


def test_slider_and_charts_move_through_the_steps(visit: Any) -> None:
    at = visit(record(library.load("fork_and_write")))
    scrub_and_chart(at.page, at.page.locator(ROOT))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_theme_of_the_system(visit: Any, scheme: str) -> None:
    at = visit(sample.lesson(), color_scheme=scheme)
    colours = palette.DARK if scheme == "dark" else palette.LIGHT
    assert theme_of(at.page.locator(ROOT))[0] == colours["ink"]


def test_fast_steps_are_not_undone_by_the_address(visit: Any) -> None:
    at = visit(record(library.load("fork_and_write")))
    at.page.focus(ROOT)
    for _ in range(3):
        at.press(*["ArrowRight"] * 5)
        at.page.wait_for_timeout(160)
    assert at.step() == 15
    at.page.wait_for_function("location.hash === '#step=15'")
    at.page.evaluate("location.hash = '#step=4'")
    at.page.wait_for_selector(f"{ROOT}[data-step='4']")
