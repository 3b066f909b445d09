"""The exported page in a real browser: keys, facts of every step, no request, no error."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sample
from reading_back import true_facts, unpacked
from visiting import ROOT, Visit

from anonlab import record
from anonlab.formats.trace import Trace
from anonlab.view import save_html, text_twin
from anonlab.view.stage.changes import changes
from anonlab.view.stage.picture import picture

SEEN = """() => {
    const root = document.querySelector(".anonlab-player");
    const told = (part) => root.querySelector(`[data-part=${part}]`).textContent;
    const facts = [...root.querySelectorAll("[data-facts]")].map((e) => e.dataset.facts);
    return [root.dataset.step, facts, told("text"), told("label")];
}"""


@pytest.mark.slow
def test_every_step_shows_the_facts_of_its_snapshot_forwards_and_backwards(
    visit: Any, trace: Trace
) -> None:
    at = visit(trace)
    at.page.focus(ROOT)
    last = len(trace.steps) - 1
    for number, step in enumerate(trace.steps):
        shown, packed, text, label = at.page.evaluate(SEEN)
        told = [fact for groups in packed for fact in unpacked(json.loads(groups))]
        assert shown == str(number)
        assert set(told) == true_facts(step.snapshot)
        assert len(told) == len(set(told))
        assert text + "\n" == text_twin(step.snapshot)
        assert label == step.title
        at.press("ArrowRight")
    for number in (last // 2, 0):
        at.page.fill(f"{ROOT} input", str(number))
        assert set(at.facts()) == true_facts(trace.steps[number].snapshot)


def test_the_hooks_stay_where_tests_and_notebooks_look_for_them(visit: Any) -> None:
    at = visit(sample.lesson())
    for does in ("first", "previous", "play", "next", "last", "predict", "text"):
        assert at.page.locator(f"{ROOT} button[data-do={does}]").count() == 1
    for part in ("picture", "text", "label", "sentence", "source", "changes", "live"):
        assert at.page.locator(f"{ROOT} [data-part={part}]").count() == 1
    assert at.page.get_attribute(ROOT, "data-lm-suppress-shortcuts") == "true"


def test_keys_step_and_stop_at_the_ends_and_say_so(visit: Any) -> None:
    at = visit(sample.lesson())
    at.page.focus(ROOT)
    for key, expected in [("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 14),
                          ("ArrowRight", 14), ("Home", 0), ("ArrowLeft", 0)]:  # fmt: skip
        at.press(key)
        assert at.step() == expected
    assert at.told("hint") == "This is the first step."
    at.press("End", "ArrowRight")
    assert at.told("hint") == "This is the last step."
    at.press("ArrowLeft")
    assert at.told("hint") == ""


def test_buttons_do_what_their_words_say(visit: Any) -> None:
    at = visit(sample.lesson())
    for does, expected in [("next", 1), ("last", 14), ("previous", 13), ("first", 0)]:
        at.page.click(f"[data-do={does}]")
        assert at.step() == expected


def test_space_plays_and_pauses_on_the_player_and_nowhere_else(visit: Any) -> None:
    at = visit(sample.lesson())
    at.page.focus(ROOT)
    at.press("Space")
    assert at.page.get_attribute("[data-do=play]", "aria-pressed") == "true"
    assert at.step() == 1
    at.page.wait_for_selector(f"{ROOT}[data-step='2']")
    at.press("Space")
    assert at.page.get_attribute("[data-do=play]", "aria-pressed") == "false"
    at.page.focus("[data-do=next]")
    at.press("Space")
    assert at.step() == 3


def test_keys_of_the_player_do_not_scroll_the_page(visit: Any) -> None:
    at = visit(sample.lesson(), viewport={"width": 800, "height": 300})
    at.page.focus(ROOT)
    at.press("End", "Space", "Home", "ArrowRight")
    at.page.evaluate("() => new Promise(done => setTimeout(done, 200))")
    assert at.page.evaluate("scrollY") == 0
    assert at.step() == 1


def test_t_turns_the_picture_into_text_and_back(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=9")
    at.page.focus(ROOT)
    picture, text = (at.page.locator(f"[data-part={part}]") for part in ("picture", "text"))
    assert picture.is_visible()
    assert not text.is_visible()
    at.press("t")
    assert text.is_visible()
    assert not picture.is_visible()
    assert "Page 0x30000: frame 3, read-only, shared by 2" in text.text_content()
    at.press("T")
    assert picture.is_visible()


def test_escape_leaves_the_player_and_tab_is_never_taken(visit: Any) -> None:
    at = visit(sample.lesson())
    at.page.evaluate("document.body.append(Object.assign(document.createElement('button'), "
                     "{className: 'after', textContent: 'after'}))")  # fmt: skip
    at.page.focus(ROOT)
    at.press("Escape")
    assert at.focus() == "after"
    at.page.focus(ROOT)
    for _ in range(20):
        at.press("Tab")
        if at.focus() == "after":
            return
    pytest.fail("Tab does not leave the player")


def test_the_range_names_its_step_and_keeps_its_own_arrow_keys(visit: Any) -> None:
    at = visit(sample.lesson())
    at.page.focus("input[type=range]")
    at.press("ArrowRight", "ArrowRight")
    assert at.step() == 2
    assert at.page.get_attribute("input[type=range]", "aria-valuetext") == "step 2 of 14: mmap"


def test_one_live_region_holds_label_and_sentence_and_changes_at_each_step(visit: Any) -> None:
    trace = sample.lesson()
    at = visit(trace)
    at.page.focus(ROOT)
    assert at.page.locator("[aria-live]").count() == 1
    told = []
    for step in trace.steps:
        told.append(at.told("live"))
        assert step.title in told[-1]
        assert step.sentence in told[-1]
        at.press("ArrowRight")
    assert all(one != two for one, two in pairwise(told))


def test_what_changed_is_listed_and_marked(visit: Any) -> None:
    trace = sample.lesson()
    at = visit(trace, "#step=10")
    items = at.page.locator("[data-part=changes] li").all_text_contents()
    news = changes(trace.steps[9].snapshot, trace.steps[10].snapshot)
    assert items == [f"{change.sign} {change.sentence}" for change in news]
    read = "all => all.map(e => e.id.replace(/^al\\d+-/, '')).sort()"
    marked = at.page.eval_on_selector_all("[data-part=picture] .ch", read)
    assert marked == ["cost-0", "frame-3", "frame-7", "memory", "mm2-pte-30"]


def test_a_link_opens_a_step(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=7")
    assert at.step() == 7
    at.page.evaluate("location.hash = '#step=3'")
    at.page.wait_for_selector(f"{ROOT}[data-step='3']")
    assert visit(sample.lesson(), "#step=99").step() == 14


def test_every_focusable_thing_has_a_name(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=8")
    at.page.focus(ROOT)
    at.press("p")
    nameless = at.page.evaluate("""() => [...document.querySelectorAll(
        'button, input, [tabindex]')].filter(e => !(e.getAttribute('aria-label') ||
        e.textContent.trim() || [...e.labels || []].some(l => l.textContent.trim())))
        .map(e => e.outerHTML)""")
    assert nameless == []


# ---- prediction -----------------------------------------------------------------------------


def marking(at: Visit) -> bool:
    return "marking" in str(at.page.get_attribute(ROOT, "class"))


def test_a_prediction_by_keyboard_is_compared_cell_by_cell(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=9", predict=(10,))
    assert "What will change next?" in at.told("hint")
    at.page.focus(ROOT)
    at.press("p")
    assert marking(at)
    focused = "document.activeElement.getAttribute('aria-label')"
    assert at.page.evaluate(focused) == "shell, VMA from 0x30000: 4 pages · rw- · private"
    assert at.page.locator("[role=gridcell][tabindex='0']").count() == 1
    seen = set()
    for _ in range(40):  # the way to the child's first page: right, then down
        name = at.page.evaluate(focused)
        seen.add(name)
        if name.startswith("child, page 0x30000"):
            break
        down = "child, page" not in name
        at.press("ArrowRight" if "shell" in name else "ArrowDown" if down else "ArrowLeft")
    assert name == "child, page 0x30000, frame 3, read-only, shared by 2"
    at.press("Space", "ArrowRight", "Enter")  # right, and the page beside it: wrong
    assert "2 places marked" in at.told("guess")
    at.press("Escape")
    assert not marking(at)
    assert at.focus().startswith("anonlab-player")
    at.press("ArrowRight")
    assert at.told("guess").startswith("Your prediction: 1 right, 2 missed, 1 too many.")
    assert "right: child, page 0x30000, frame 7, writable" in at.told("guess")
    assert "too many: child, page 0x31000" in at.told("guess")
    assert at.page.locator(".q.hit").count() == 1
    assert at.page.locator(".q.missed").count() == 2
    assert at.page.locator(".q.extra").count() == 1
    at.press("ArrowRight")
    assert at.told("guess") == ""
    at.press("ArrowLeft")
    assert at.told("guess").startswith("Your prediction: 1 right")


def test_a_prediction_by_pointer_reaches_the_model(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=9")
    at.page.click("[data-do=predict]")
    at.page.click("[id$=mm2-pte-30]")
    at.page.click("[id$=frame-3]")
    at.page.click("[id$=frame-5]")
    at.page.click("[id$=frame-5]")
    at.page.click("[data-do=next]")
    assert at.told("guess").startswith("Your prediction: 2 right, 1 missed, 0 too many.")
    assert not marking(at)
    assert at.page.get_attribute("[data-part=picture]", "aria-multiselectable") is None


def test_what_does_not_exist_yet_can_be_marked(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=0")
    at.page.focus(ROOT)
    at.press("p")
    names = at.page.eval_on_selector_all(
        "[role=gridcell]", "all => all.map(e => e.getAttribute('aria-label'))"
    )
    assert "group 1, mms 1" in names
    at.page.click("[data-do=next]")
    assert "0 right" in at.told("guess")


def test_there_is_nothing_to_predict_at_the_end(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=14")
    at.page.focus(ROOT)
    at.press("p")
    assert at.told("hint") == "This is the last step: nothing to predict."
    assert not marking(at)


def test_marks_survive_escape_but_not_another_way(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=9")
    at.page.focus(ROOT)
    at.press("p", "Space", "p", "p")
    assert at.page.locator(".guessed").count() == 1
    at.press("Escape", "ArrowLeft", "ArrowRight", "ArrowRight")
    assert at.told("guess") == ""
    assert at.page.locator(".guessed, .q, .able").count() == 0


# ---- how it looks ---------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 900, 400])
def test_nothing_is_cut_off_or_illegible(visit: Any, width: int, scheme: str) -> None:
    at = visit(sample.lesson(), "#step=11", viewport={"width": width, "height": 900},
               color_scheme=scheme)  # fmt: skip
    assert at.page.evaluate("document.documentElement.scrollWidth") <= width
    small = at.page.evaluate("""() => [...document.querySelectorAll('[data-part=picture] text')]
        .filter(t => t.textContent && t.getBoundingClientRect().width)
        .filter(t => parseFloat(getComputedStyle(t).fontSize) *
                     t.getScreenCTM().a < 9).map(t => t.textContent)""")
    assert small == []
    outside = at.page.evaluate("""() => [...document.querySelectorAll('.al-panel')].flatMap(p =>
        [...p.querySelectorAll('text')].filter(t => t.textContent &&
            (t.getBoundingClientRect().right > p.getBoundingClientRect().right + 1 ||
             t.getBoundingClientRect().left < p.getBoundingClientRect().left - 1))
        .map(t => t.textContent))""")
    assert outside == []


def test_words_stay_inside_their_boxes(visit: Any, trace: Trace) -> None:
    at = visit(trace, f"#step={len(trace.steps) * 2 // 3}")
    assert at.over() == []


def test_a_frame_that_many_map_says_so_inside_its_card(visit: Any) -> None:
    forks = "".join(f"c{at} = fork a\n" for at in range(14))
    text = f"a = spawn\na mmap 0x30000 2\na write 0x30000 7 2\n{forks}c3 write 0x30000 9\n"
    trace = record(f"machine lesson frames 64 swap 8\n{text}")
    at = visit(trace, f"#step={len(trace.steps) - 1}")
    assert at.over(slack=0) == []
    shown = at.page.locator("[id$=frame-1] text").all_text_contents()
    assert shown == ["frame 1", "group 1", "index 0x30", "count 14 map 14", "A+13", "holds 7",
                     "walk: 14/15 hit"]  # fmt: skip
    who, holds = (at.page.locator("[id$=frame-1] text").nth(n).bounding_box() for n in (4, 5))
    assert who["x"] + who["width"] < holds["x"]


LABS_OWN = "svg{max-width:100%;height:auto}"
"""What JupyterLab says of drawings in an output."""


def test_a_picture_in_a_narrow_notebook_scrolls_and_can_be_read(
    browser: Any, tmp_path: Path
) -> None:
    shown = picture(sample.lesson().steps[11].snapshot)._repr_html_()
    path = tmp_path / "output.html"
    path.write_text(f"<meta charset=utf-8><style>{LABS_OWN}</style><body>{shown}", "utf-8")
    at = Visit(browser, path, viewport={"width": 560, "height": 900})
    small = at.page.evaluate("""() => [...document.querySelectorAll('text')]
        .filter(t => t.textContent && t.getBoundingClientRect().width)
        .filter(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a < 7)
        .map(t => t.textContent)""")
    assert small == []
    assert at.page.evaluate("document.documentElement.scrollWidth") <= 560
    at.page.close()


def test_reduced_motion_and_forced_colours_leave_a_working_page(visit: Any) -> None:
    at = visit(sample.lesson(), reduced_motion="reduce", forced_colors="active")
    at.page.focus(ROOT)
    at.press("ArrowRight", "ArrowRight")
    assert at.step() == 2
    moving = at.page.evaluate("""() => [...document.querySelectorAll('.anonlab-player *')].filter(
        e => parseFloat(getComputedStyle(e).transitionDuration) > 0).length""")
    assert moving == 0


def test_a_hostile_name_is_seen_as_text(visit: Any) -> None:
    at = visit(sample.TRACES["hostile names"](), "#step=9")
    assert sample.EVIL in at.told("text").replace('\\"', '"')
    assert at.page.locator("img, iframe").count() == 0
    titles = at.page.eval_on_selector_all("title", "all => all.map(e => e.textContent)")
    assert any(sample.EVIL in title for title in titles)


def test_a_page_lights_up_its_frame(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=9")
    at.page.hover("[id$=mm1-pte-31]")
    lit = at.page.eval_on_selector_all(".lit", "all => all.map(e => e.id.replace(/^al\\d+-/, ''))")
    assert sorted(lit) == ["frame-4", "mm1-pte-31", "mm2-pte-31"]


def test_paper_gets_every_step_with_picture_and_text(visit: Any) -> None:
    trace = sample.lesson()
    at = visit(trace)
    at.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    at.page.emulate_media(media="print")
    heads = at.page.locator("#strip h2").all_text_contents()
    assert heads == [f"step {n} of 14: {step.title}" for n, step in enumerate(trace.steps)]
    assert at.page.locator("#strip svg").count() >= len(trace.steps)
    assert at.page.locator("#strip").is_visible()
    assert not at.page.locator("#anonlab").is_visible()


def test_without_script_the_page_is_text(browser: Any, folder: Path) -> None:
    path = save_html(sample.lesson(), folder / "plain.html")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert "Page 0x31000: swapped out, slot 5." in page.inner_text("body")
    context.close()


def test_two_views_of_one_model_move_together_and_share_no_id(visit: Any, folder: Path) -> None:
    """A notebook may show one player twice; the module gets one model and two places."""
    path = save_html(sample.lesson(), folder / "two.html")
    text = path.read_text(encoding="utf-8")
    once = 'render({ model, el: document.getElementById("anonlab") });'
    assert text.count(once) == 1
    twice = once + (
        'window.undo = render({ model, el: document.getElementById("strip") });'
        'window.heard = () => model.heard["change:step"].length;'
    )
    path.write_text(text.replace(once, twice).replace('id="strip"', 'id="strip" class="second"'))
    at = visit(sample.lesson())
    at.page.goto(path.as_uri())
    at.requests.pop()
    at.page.click("#anonlab [data-do=next]")
    steps = at.page.eval_on_selector_all(ROOT, "all => all.map(e => e.dataset.step)")
    assert steps == ["1", "1"]
    ids = at.page.eval_on_selector_all("[id]", "all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))
    before = at.page.evaluate("window.heard()")
    at.page.evaluate("window.undo()")
    assert at.page.evaluate("window.heard()") == before - 1
    assert at.page.locator(ROOT).count() == 1
    at.page.click("#anonlab [data-do=next]")
    assert at.step() == 2
