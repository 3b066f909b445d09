"""The player around the picture, in a browser: room, keys, focus, questions, lecture mode."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from stage_page import Seen, markup
from traces_at_hand import every_trace

from anonlab import record
from anonlab.formats.trace import Trace
from anonlab.histories import library
from anonlab.view.player.export import made_payload
from anonlab.view.story.payload import payload
from anonlab.view.story.reading import read

LESSON = """
shell = spawn
shell mmap 0x30000 4
shell write 0x30000 7 2
child = fork shell
child write 0x30000 9
shell write 0x30000 8
child mremap 0x30000 4 to 0x80000
child write 0x80000 5 2
"""
COPY = 10
"""The step of LESSON that copies a page for its writer."""
SIZES = [(1000, 640), (914, 647), (548, 579), (1400, 900)]
MARK = {"kind": "mark", "text": "Which slots and frames will change?"}
CARD = {"name": "copy", "title": "Before you look", "ask": "", "note": "", "chances": 1, "parts": [
    {"kind": "number", "text": "How many frames more?", "least": 0, "most": 9, "unit": "more",
     "truth": 1},
    {"kind": "choice", "text": "Whose arrow moves?", "options": ["shell's", "child's"], "truth": 1},
    MARK,
]}  # fmt: skip
TWICE = {"name": "twice", "title": "Think", "ask": "", "note": "", "chances": 2, "parts": [
    {"kind": "several", "text": "Who has a table?", "options": ["shell", "child", "ls"],
     "truth": [0, 1]},
    {"kind": "order", "text": "In which order?", "items": ["copy", "fault", "entry"],
     "truth": [1, 0, 2]},
    {"kind": "text", "text": "Its name?", "how": "three words", "truth": "copy on write",
     "why": {"else": "The write is not what is copied."}},
]}  # fmt: skip
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice",
                     "experimental"]}  # fmt: skip
Open = Callable[..., Seen]


@cache
def lesson() -> Trace:
    return record(LESSON)


def played(**more: Any) -> dict[str, Any]:
    return payload(lesson(), "fork, write, mremap", **more)


@pytest.fixture
def see(browser: Any, folder: Path) -> Iterator[Open]:
    """Open a page with a player; nothing went wrong on it."""
    seen: list[Seen] = []

    def go(
        frames: Any = None, step: int = 0, size: tuple[int, int] = SIZES[0], **state: Any
    ) -> Seen:
        path = folder / f"stage{len(list(folder.iterdir()))}.html"
        path.write_text(markup(frames or played(), step, **state), encoding="utf-8")
        view = {"width": size[0], "height": size[1]}
        seen.append(Seen(browser.new_page(viewport=view, reduced_motion="reduce")).open(path))
        return seen[-1]

    yield go
    for each in seen:
        each.page.close()
        assert each.wrong == []


# ---- one screen


def changed(before: Any, now: Any) -> set[str]:
    """The keys of entries and frames that differ between two snapshots, as people see them."""
    old, new = read(before), read(now)

    def entries(moment: Any) -> dict[str, tuple[int, int]]:
        return {
            f"p{mm}-{vpn}": (word >> 12, word & 3)
            for mm, space in moment.spaces.items()
            for vpn, word in space.words.items()
        }

    def frames(snapshot: Any) -> dict[str, tuple[int, int]]:
        columns = (snapshot.pfn, snapshot.mapcount, snapshot.data)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return {f"f{pfn}": (users, tag) for pfn, users, tag in rows if pfn}

    pairs = [(entries(old), entries(new)), (frames(before), frames(now))]
    return {key for was, is_ in pairs for key in {*was, *is_} if was.get(key) != is_.get(key)}


@cache
def few_processes() -> dict[str, Trace]:
    """The lesson, and all histories of the library with three live processes at most."""
    traces = {"lesson": lesson()}
    for name in library.names():
        trace = every_trace()[name]
        if max(len(step.snapshot.mms) for step in trace.steps) <= 3:
            traces[name] = trace
    return traces


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_bar_sentence_and_what_changed_are_on_one_screen_at_every_step(
    see: Open, size: tuple[int, int]
) -> None:
    assert len(few_processes()) >= 6
    for name, trace in few_processes().items():
        player = see(payload(trace), size=size)
        pairs = pairwise(step.snapshot for step in trace.steps)
        keys = [sorted(changed(before, now)) for before, now in pairs]
        good = {"tall": size[1], "wide": size[0], "bar": 88, "top": 0, "sentence": True}
        for at, found in enumerate(player.run("onScreenAfterNext", keys), 1):
            assert found == {**good, "step": at, "missing": []}, name


def test_an_open_tab_takes_its_room_from_the_stage(see: Open) -> None:
    player = see(step=COPY)
    for tab in ("rmap", "cost", "address", "vmas", "text"):
        player.root.locator(f"[data-tab={tab}]").click()
        assert player.run("() => document.documentElement.scrollHeight") == 640
        panel = player.root.get_by_role("tabpanel").bounding_box()
        assert panel
        assert panel["height"] >= 176
        assert panel["y"] + panel["height"] <= 640


def test_the_picture_is_as_high_at_every_step(see: Open) -> None:
    player = see()
    heights = set()
    for _ in lesson().steps[1:]:
        heights.add(player.run("() => document.querySelector('[data-part=stage]').offsetHeight"))
        player.press("ArrowRight")
    assert len(heights) == 1


# ---- story, what changed, next


def test_the_story_shows_what_is_done_and_what_comes_but_not_what_it_does(see: Open) -> None:
    player = see(step=COPY)
    now = player.root.locator("[data-line][aria-current=step]")
    assert "child write 0x30000 9" in now.inner_text()
    assert player.text("next") == "Next: still child write 0x30000 9, part 2 of 2"
    later = [step.title for step in lesson().steps[COPY + 1 :] if step.title not in LESSON]
    whole = player.root.inner_text()
    assert [
        title for title in later if title in whole and title not in lesson().steps[COPY].title
    ] == []
    assert "frame 1 → 3" in player.text("changed")
    player.root.locator("[data-line='3']").click()
    assert player.step() == max(at for at, step in enumerate(lesson().steps) if step.operation == 3)


def test_names_with_markup_are_shown_as_they_are(see: Open) -> None:
    frames = played()
    frames["lines"][0] = '<img src=x onerror=alert(1)> & "co"'
    player = see(frames, step=0)
    assert "<img src=x" in player.text("next")
    assert player.root.locator("img").count() == 0


def test_costs_are_drawn_up_to_now(see: Open) -> None:
    player = see(step=7)
    player.root.locator("[data-tab=cost]").click()
    for step in (7, 8, 9):
        points = player.root.locator("[data-spark]").evaluate_all(
            "all => all.map((one) => Number(one.dataset.points))"
        )
        assert points
        assert set(points) == {step + 1}
        ends = "all => all.map((one) => one.getBBox().x + one.getBBox().width)"
        lines = player.root.locator("[data-spark] path.al-line").evaluate_all(ends)
        assert max(lines) <= 5 + step * 188 / (len(lesson().steps) - 1)
        player.press("n")


def test_the_walk_goes_probe_by_probe(see: Open) -> None:
    player = see(step=COPY + 1)
    player.root.locator("[data-tab=rmap]").click()
    player.root.locator("[role=option][data-key=f3]").click()
    walk = next(one for one in lesson().steps[COPY + 1].snapshot.walks if one.pfn == 3)
    rows = player.root.locator("[data-probe]")
    assert rows.count() == len(walk.probes)
    for played_, probe in enumerate(walk.probes):
        assert [text.endswith("not yet") for text in rows.all_inner_texts()] == [
            at >= played_ for at in range(len(walk.probes))]  # fmt: skip
        player.press("w")
        assert rows.nth(played_).inner_text().endswith("hit" if probe.hit else "miss")


# ---- keyboard and focus


def test_tab_goes_from_next_to_the_picture_to_the_story_to_the_tabs(see: Open) -> None:
    player = see(step=COPY)
    stops = []
    for _ in range(4):
        player.press("Tab")
        stops.append(player.focused("role").replace("BUTTON", player.focused()))
    assert stops == ["next", "option", "BUTTON", "tab"]


def test_keys_step_and_arrows_move_inside_the_picture(see: Open) -> None:
    player = see()
    player.press("Tab", "ArrowRight", "ArrowRight", "ArrowLeft")
    assert player.step() == 1
    player.press("End")
    assert player.step() == len(lesson().steps) - 1
    player.press("ArrowRight")
    assert player.step() == len(lesson().steps) - 1
    player.press("Home")
    assert player.step() == 0
    player.press("ArrowUp")
    assert player.focused() == "play"
    player.run("() => model.set('step', 10)")
    player.root.locator("[role=option][data-key=f1]").focus()
    player.press("ArrowDown")
    assert player.focused("data-key") == "f2"
    player.press("n")
    assert (player.step(), player.focused("data-key")) == (COPY + 1, "f2")
    player.press("Enter")
    assert player.root.locator("[data-key=f2]").get_attribute("aria-selected") == "true"
    assert player.run("() => model.get('chosen')") == "f2"
    player.press("Escape")
    assert player.run("() => model.get('chosen')") == ""


def test_no_letter_leaves_the_player(see: Open) -> None:
    player = see(played(cards={COPY: CARD}), step=COPY - 1)
    player.run("() => { window.heard = []; }")
    player.run("() => document.body.addEventListener('keydown', ({ key }) => heard.push(key))")
    player.root.locator("[data-do=next]").focus()
    letters = [*"abcdeghijklmoqrstuvxyz0123456789", "Enter"]
    player.press(*letters)
    player.root.locator("input[type=number]").first.focus()
    player.press(*letters[:-1])
    assert player.run("() => heard") == []


def test_the_focus_is_never_lost(see: Open) -> None:
    player = see(played(cards={COPY: CARD}), step=COPY - 1)
    player.root.locator("[data-tab=cost]").click()
    player.press("Escape")
    assert player.focused("data-tab") == "cost"
    player.root.locator("[data-do=next]").focus()
    player.press("Enter")
    assert player.focused() == "H2"
    player.root.locator("[data-do=dunno]").focus()
    player.press("Enter")
    assert player.focused() == "H2"
    player.root.locator("[data-do=close]").focus()
    player.press("Enter")
    assert player.focused() == "next"
    player.press("f")
    assert player.focused() == "next"
    player.press("Escape")
    assert player.focused() == "next"


# ---- questions


def test_a_question_stands_before_its_step_and_is_judged_in_the_same_card(see: Open) -> None:
    player = see(played(cards={COPY: CARD}), step=2)
    player.press("End")
    assert (player.step(), player.state()) == (COPY - 1, "asked")
    card = player.root.locator("[data-question]")
    assert "child write 0x30000 9" in card.inner_text()
    assert player.root.locator("[data-part=changed]").count() == 0
    player.run("() => document.querySelector('[data-do=next]').click()")
    assert player.step() == COPY - 1
    player.act("lock")
    expect(card.get_by_role("alert")).to_contain_text("Whose arrow moves?")
    card.get_by_label("How many frames more?", exact=True).fill("77")
    player.act("lock")
    expect(card.get_by_role("alert")).to_contain_text("from 0 to 9")
    card.get_by_label("How many frames more?", exact=True).fill("0")
    player.act("more")
    card.get_by_label("shell's").check()
    truth = changed(lesson().steps[COPY - 1].snapshot, lesson().steps[COPY].snapshot)
    for key in ("p2-48", "f3", "f2"):
        player.root.locator(f"[role=option][data-key={key}]").click()
    assert card.locator("[data-marked]").inner_text() == "3 places marked"
    player.act("lock")
    told = player.root.locator("[data-reveal=copy]")
    assert (player.step(), player.state()) == (COPY, "revealed")
    assert "✓ 1 more" in told.inner_text()
    assert "× shell's" in told.inner_text()
    kept = player.run("() => model.get('predictions')")[str(COPY)]
    assert {*kept["hit"], *kept["missed"]} == truth
    assert kept["extra"] == ["f2"]
    assert kept["answers"][:2] == [1, 0]
    player.act("close")
    player.press("Home", "End")
    assert player.step() == len(lesson().steps) - 1


def test_a_card_may_know_which_places_are_right_and_which_step_shows_them(see: Open) -> None:
    part = MARK | {"truth": ["p2-48", "p2-49"], "why": {"else": "Look at page 0x31000."}}
    card = CARD | {"parts": [part], "shows": COPY + 1}
    player = see(played(cards={COPY: card}), step=COPY - 1)
    player.act("next")
    for key in ("p2-48", "f2"):
        player.root.locator(f"[role=option][data-key={key}]").click()
    player.act("lock")
    assert (player.step(), player.state()) == (COPY + 1, "revealed")
    assert "Look at page 0x31000." in player.root.locator("[data-reveal]").inner_text()
    kept = player.run("() => model.get('predictions')")[str(COPY)]
    assert (kept["hit"], kept["missed"], kept["extra"]) == (["p2-48"], ["p2-49"], ["f2"])


def test_not_knowing_is_an_answer(see: Open) -> None:
    player = see(played(cards={COPY: CARD}), step=COPY - 1)
    player.act("next")
    player.act("dunno")
    assert player.state() == "revealed"
    assert "no answer" in player.root.locator("[data-reveal]").inner_text()
    assert player.run("() => model.get('predictions')")[str(COPY)]["answers"] == [None, None, None]


def test_a_second_chance_comes_with_a_nudge_and_without_the_truth(see: Open) -> None:
    player = see(played(cards={COPY: TWICE}), step=COPY - 1)
    player.act("next")
    card = player.root.locator("[data-question]")
    for who in ("shell", "child"):
        card.get_by_label(who, exact=True).check()
    card.get_by_label("Its name?").fill("write on copy")
    card.get_by_role("button", name="move down: copy").focus()
    player.press("ArrowDown")
    player.act("lock")
    assert player.state() == "asked"
    expect(card.get_by_role("alert")).to_contain_text("The write is not what is copied.")
    assert "copy on write" not in card.inner_text()
    card.get_by_label("Its name?").fill("Copy on  write")
    player.act("lock")
    told = player.root.locator("[data-reveal]").inner_text()
    assert "✓ fault → copy → entry" in told
    assert "at first\nwrite on copy" in told
    assert player.run("() => model.get('predictions')")[str(COPY)]["answers"][2] == "write on copy"


def test_who_chooses_nothing_is_asked_once_whether_none_is_meant(see: Open) -> None:
    player = see(played(cards={COPY: {**TWICE, "parts": TWICE["parts"][:1], "chances": 1}}))
    player.press("End")
    card = player.root.locator("[data-question]")
    player.act("lock")
    expect(card.get_by_role("alert")).to_contain_text("None of them? Then lock in again.")
    card.get_by_label("ls", exact=True).check()
    card.get_by_label("ls", exact=True).uncheck()
    player.act("lock")
    assert player.state() == "asked", "another choice is another question"
    player.act("lock")
    told = player.root.locator("[data-reveal]").inner_text()
    assert "× none" in told
    assert "it was\nshell, child" in told


def test_what_explains_an_answer_stands_above_the_line_under_it(see: Open) -> None:
    part = {**TWICE["parts"][2], "why": {"copy on write": "So it is called."}}
    player = see(played(cards={COPY: {**CARD, "parts": [part, CARD["parts"][1]]}}), step=COPY - 1)
    player.act("next")
    player.root.get_by_label("Its name?").fill("copy on write")
    player.root.get_by_label("child's").check()
    player.act("lock")
    told = player.root.locator(".al-part").first
    lined = "one => [one, ...one.querySelectorAll('*')].filter(e => "
    lined += "parseFloat(getComputedStyle(e).borderBottomWidth)).map(e => e.className)"
    assert told.evaluate(lined) == ["al-part"]
    assert told.inner_text().endswith("So it is called.")
    assert "it was" not in player.root.locator("[data-reveal]").inner_text()


def test_rows_are_put_in_order_by_dragging(see: Open) -> None:
    player = see(played(cards={COPY: TWICE}), step=COPY - 1)
    player.act("next")
    player.root.locator(".al-order li").first.locator(".al-item").drag_to(
        player.root.locator(".al-order li").last
    )
    rows = player.root.locator(".al-order .al-item").all_inner_texts()
    assert rows == ["fault", "entry", "copy"]


# ---- lecture mode, narrow, long, side by side


def test_text_is_12_px_at_least_and_24_in_a_lecture(see: Open) -> None:
    player = see(played(cards={COPY: CARD}), step=COPY - 2, size=(1920, 1080))
    assert player.run("tooSmall", 12) == []
    player.press("f")
    assert player.root.get_attribute("data-big") is not None
    for act in ("next", "next", "dunno", "close", "next"):
        assert player.run("tooSmall", 24) == []
        assert player.run("() => document.documentElement.scrollHeight") == 1080
        player.act(act)
    player.press("Escape")
    assert player.root.get_attribute("data-big") is None


def test_a_narrow_player_has_a_list_to_choose_from(see: Open) -> None:
    player = see(size=(548, 579), step=COPY)
    assert not player.root.locator("[data-line]").first.is_visible()
    player.root.locator("select").select_option("5")
    assert player.step() == max(at for at, step in enumerate(lesson().steps) if step.operation == 5)
    player.page.set_viewport_size({"width": 320, "height": 256})  # 1280 x 1024 at 400 %
    expect(player.root).to_have_attribute("data-width", "narrow")
    assert player.run("() => document.documentElement.scrollWidth") == 320
    assert player.run("tooSmall", 12) == []


def test_a_long_story_has_an_overview_to_jump_in(see: Open) -> None:
    lines = ["shell = spawn", "shell mmap 0x30000 2"]
    for at in range(12):
        lines += [f"c{at} = fork shell", f"c{at} write 0x30000 {at}", f"c{at} exit"]
    trace = record("\n".join(lines))
    player = see(payload(trace))
    strip = player.root.locator(".al-strip")
    box = strip.bounding_box()
    assert box
    player.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    assert abs(player.step() - len(trace.steps) / 2) <= 2
    player.root.locator("[data-part=goto]").fill("7")
    player.press("Enter")
    assert player.step() == 7
    player.root.locator("[data-part=goto]").fill("99999")
    player.press("Enter")
    assert player.step() == 7
    for tab in ("", "cost"):
        if tab:
            player.root.locator(f"[data-tab={tab}]").click()
        assert player.run("() => document.documentElement.scrollHeight") == 640


def test_the_line_of_now_is_in_view_in_a_story_of_any_length(see: Open) -> None:
    lines = ["shell = spawn", "shell mmap 0x30000 2"]
    lines += [f"shell write 0x3{at % 2}000 {at}" for at in range(190)]
    trace = record("\n".join(lines))
    player = see(payload(Trace("long", tuple(step for step in trace.steps if step.level == "op"))))
    for key, line in (("End", 191), ("Home", -1), ("ArrowRight", 0), ("End", 191)):
        player.press(key)
        now = player.root.locator("[aria-current=step]")
        assert now.get_attribute("data-line") == str(line)
        box, view = now.bounding_box(), player.root.locator(".al-story").bounding_box()
        assert box
        assert view
        assert view["y"] <= box["y"] + 1
        assert box["y"] + box["height"] <= view["y"] + view["height"] + 1
    player.page.set_viewport_size({"width": 548, "height": 579})
    expect(player.root.locator("select")).to_have_value("191")


def test_designs_share_the_picture_while_their_memory_is_equal(see: Open) -> None:
    designs = ("anongroup", "anon_vma", "anon_vma_chain", "pte_chain")
    traces = {design: record(LESSON, design=design) for design in designs}
    player = see(payload(traces), step=1)
    last = int(player.root.locator("[data-part=scrubber]").get_attribute("max") or 0)
    shared = []
    for _ in range(last):
        shown = player.root.locator("[data-part=picture]:visible").count()
        shared.append(shown)
        assert player.root.locator("[data-design]").count() == 4
        assert player.run("cropped") == []
        assert player.run("tooSmall", 12) == []
        player.press("ArrowRight")
    assert shared[0] == 1
    assert max(shared) == 2
    player.page.set_viewport_size({"width": 1920, "height": 1080})
    player.press("f")
    assert player.run("tooSmall", 24) == []
    assert player.run("cropped") == []
    assert player.run("() => document.documentElement.scrollHeight") == 1080


def test_a_design_whose_graph_dot_laid_out_keeps_it_inside_its_panel(see: Open) -> None:
    designs = ("anongroup", "anon_vma", "anon_vma_chain")
    traces = {design: record(LESSON, design=design) for design in designs}
    for width in (1000, 1200, 1400):
        player = see(made_payload(traces), step=COPY, size=(width, 720))
        assert player.run("cropped") == []


# ---- the model


def test_frames_may_be_replaced_and_come_compressed(see: Open) -> None:
    packed = "deflate:" + base64.b64encode(zlib.compress(json.dumps(played()).encode())).decode()
    player = see(packed, step=4)
    assert player.step() == 4
    player.run("() => model.set('step', 12)")
    assert player.step() == 12
    player.root.locator("[data-do=next]").focus()
    other = payload(record("sh = spawn\nsh mmap 0x10000 2\nsh write 0x10000 5"), "another")
    player.run("frames => { model.state.step = 2; model.set('frames', frames); }", other)
    assert (player.step(), player.focused()) == (2, "next")
    player.run("frames => { model.state.step = 5; model.set('frames', frames); }", packed)
    expect(player.root).to_have_attribute("data-step", "5")
    assert player.run("() => model.get('step')") == 5


# ---- everybody


STATES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "told": ({"step": COPY}, []),
    "reverse map": ({"step": COPY + 1, "chosen": "f3"}, ["[data-tab=rmap]"]),
    "cost": ({"step": COPY}, ["[data-tab=cost]"]),
    "processes": ({"step": COPY}, ["[data-tab=vmas]"]),
    "asked": ({"frames": "card", "step": COPY - 1}, ["[data-do=next]", "[data-key=f2]"]),
    "revealed": ({"frames": "card", "step": COPY - 1}, ["[data-do=next]", "[data-do=dunno]"]),
    "twice": ({"frames": "twice", "step": COPY - 1}, ["[data-do=next]", "[data-do=lock]"]),
    "lecture": ({"step": COPY, "size": (1920, 1080)}, ["[data-do=big]"]),
    "narrow": ({"step": COPY, "size": (548, 579)}, []),
}


@pytest.mark.parametrize("name", STATES)
def test_everybody_can_use_it(see: Open, name: str) -> None:
    """No violation of axe's rules, light and dark."""
    state, clicks = STATES[name]
    cards = {"card": {COPY: CARD}, "twice": {COPY: TWICE}}.get(state.get("frames", ""))
    player = see(**{**state, "frames": played(cards=cards)})
    for selector in clicks:
        player.root.locator(selector).first.click()
    for theme in ("light", "dark"):
        player.page.emulate_media(color_scheme=theme)
        found = Axe().run(player.page, options=RULES).response["violations"]
        assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found] == []
