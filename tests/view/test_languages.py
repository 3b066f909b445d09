"""A second language is one file: nothing that the stage says is written elsewhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from pseudo import english_in, names_of, pseudo_language, wide

from anonlab import DESIGNS, record
from anonlab.formats.labels import LABELS
from anonlab.formats.trace import Trace
from anonlab.histories import library
from anonlab.histories.generate import generate
from anonlab.histories.strace.log import read_strace
from anonlab.view.charts.chart import lines_svg, lines_text
from anonlab.view.charts.costs import costs_text
from anonlab.view.player.export import cards_for, html, static_form
from anonlab.view.player.player import Player
from anonlab.view.stage.picture import address_picture, picture
from anonlab.view.story.align import align
from anonlab.view.story.changes import changes
from anonlab.view.story.words import step_words

pytestmark = pytest.mark.xdist_group("javascript")
CARD = {
    "name": "all", "title": "1", "ask": "2", "note": "3", "chances": 2,
    "parts": [
        {"kind": "number", "text": "4", "least": 0, "most": 9, "truth": 1},
        {"kind": "choice", "text": "5", "options": ["6", "7"], "truth": 0},
        {"kind": "several", "text": "8", "options": ["9", "10"], "truth": [1]},
        {"kind": "order", "text": "11", "items": ["12", "13", "14"], "line": 2, "truth": [1, 0, 2]},
        {"kind": "text", "text": "15", "truth": "16"},
        {"kind": "mark", "text": "17"},
    ],
}  # fmt: skip
"""A card whose own words are numbers: what else it says is the frame's."""
LISTEN = """
window.said = new Set();
const hear = (one) => {
  if (one.nodeType === 3) {
    if (!/^(?:script|style)$/i.test(one.parentElement?.tagName)) said.add(one.data);
    return;
  }
  if (one.nodeType !== 1 || /^(?:script|style)$/i.test(one.tagName)) return;
  for (const name of ["aria-label", "title", "placeholder", "alt", "aria-valuetext"])
    if (one.getAttribute(name)) said.add(one.getAttribute(name));
  one.childNodes.forEach(hear);
};
const files = [];
const address = URL.createObjectURL;
URL.createObjectURL = (file) => { files.push(file); return address.call(URL, file); };
window.saved = async () => {
  for (const file of files.filter(({ type }) => type.startsWith("image/svg")))
    hear(new DOMParser().parseFromString(await file.text(), "image/svg+xml").documentElement);
};
window.hearAll = () => hear(document.documentElement);
new MutationObserver((changed) => {
  for (const { target, addedNodes } of changed) { hear(target); addedNodes.forEach(hear); }
}).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
"""
"""Keeps every text and every name for screen readers that the page ever has, or saves."""
STEP = """async () => {
  const next = document.querySelector("[data-do=next]");
  document.querySelector("[data-do=first]").click();
  for (let at = 0; at < 200; at += 1) {
    const before = document.querySelector(".anonlab-player").dataset.step;
    next.click();
    await new Promise((go) => setTimeout(go));
    if (document.querySelector(".anonlab-player").dataset.step === before) break;
  }
}"""
PLACES = """async () => {
  const press = (what) =>
    document.querySelector(what)?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  const places = [...document.querySelectorAll("[role=option][data-key]")].slice(0, 8);
  for (const key of places.map((one) => one.dataset.key)) {
    for (const what of [`[data-key="${key}"]`, "[data-do=probe]", "[data-do=all]"]) {
      press(what);
      await new Promise((go) => setTimeout(go));
    }
  }
}"""


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pseudo_language(tmp_path_factory.mktemp("language")):
        yield


def histories() -> dict[str, Any]:
    named = {name: library.load(name) for name in library.names()}
    return named | {f"random {seed}": generate(seed, 60, swap=12) for seed in (5, 6, 7)}


def real_program() -> Trace:
    """How a recorded real program begins, on the machine with four levels of tables."""
    data = Path(sys.modules["anonlab"].__file__ or "").parent / "histories" / "data"
    whole = record(read_strace(data / "bash_pipeline.strace").history, "anon_vma_chain")
    return Trace(whole.title, whole.steps[:120])


@pytest.fixture(scope="module")
def traces(spoken: None) -> dict[str, Trace]:
    """Every history under every design."""
    return {f"{name}, {design}": record(history, design)
            for name, history in histories().items() for design in DESIGNS}  # fmt: skip


def texts_of(markup: str) -> list[str]:
    """The texts of a piece of HTML or SVG, and those of its attributes for people."""
    plain = re.sub(r"<style>.*?</style>", "", markup, flags=re.DOTALL)
    named = re.findall(r'(?:aria-label|title|alt)="([^"]*)"', plain)
    return [unescape(text) for text in [*re.sub(r"<[^>]*>", "\0", plain).split("\0"), *named]]


def said_in_python(trace: Trace) -> Iterator[str]:
    """What Python shows of a trace: words of steps, text, changes, pictures, the page."""
    for step in trace.steps:
        yield from (step.title, step.sentence, step.source, *step_words(step, ()))
    first, *rest = [step.snapshot for step in trace.steps]
    for before, after in zip([first, *rest], rest, strict=False):
        yield from (change.sentence for change in changes(before, after))
    last = trace.steps[-1].snapshot
    yield picture(last).text
    yield from texts_of(picture(last, first)._repr_html_())
    for mm in last.mms:
        shown = address_picture(last, mm.mm, mm.vmas[0].start_vpn << 12 if mm.vmas else 0)
        yield shown.text
        yield from texts_of(shown._repr_html_())
    yield from texts_of(static_form(trace.title, "", align(trace)))


def test_python_says_nothing_that_stands_in_code(traces: dict[str, Trace]) -> None:
    seen = {step.label for trace in traces.values() for step in trace.steps}
    assert len(seen) > 0.9 * len(LABELS)
    wrong: dict[str, str] = {}
    for name, trace in (*traces.items(), ("bash", real_program())):
        found = english_in(said_in_python(trace), names_of(trace))
        wrong.update((each.partition(":")[0], f"{name}: {each}") for each in found)
    assert not wrong, "\n".join(wrong.values())


def test_charts_and_what_notebooks_keep_stand_in_no_code(traces: dict[str, Trace]) -> None:
    trace = next(iter(traces.values()))
    record_of = {"design": "d", "operation": "o", "nodes": 3}
    said = [
        lines_text({"1": [0, 2]}, "2", marks={1: "3"}),
        *texts_of(lines_svg({"1": [0, 2]}, "2")),
        costs_text([record_of], "nodes"),
        Player(trace)._static()["text/plain"],
        *texts_of(Player(trace, page="x.html")._static()["text/html"]),
        cards_for([1])[1]["title"],
    ]
    assert english_in(said, {*names_of(trace), "nodes"}) == []


@pytest.mark.parametrize(
    ("name", "designs"),
    [("fork_and_write", [*DESIGNS]), ("swap_and_back", [*DESIGNS]), ("shared_file", ["anonmm"]),
     ("random 5", ["anon_vma_chain"])],
)  # fmt: skip
def test_the_browser_says_nothing_that_stands_in_code(
    traces: dict[str, Trace], browser: Any, tmp_path: Path, name: str, designs: list[str]
) -> None:
    mine = {design: traces[f"{name}, {design}"] for design in designs}
    names = {each for trace in mine.values() for each in names_of(trace)}
    said: list[str] = []
    together = [dict(list(mine.items())[:3])] if len(mine) > 1 else []
    for number, played in enumerate([*mine.values(), *together]):
        path = tmp_path / f"{number}.html"
        path.write_text(html(played, cards={4: CARD}), encoding="utf-8")
        page = browser.new_page()
        page.add_init_script(LISTEN)
        page.goto(path.as_uri())
        page.wait_for_selector(".anonlab-player[data-step]")
        (every_corner if number == 0 else every_step)(page)
        said += page.evaluate("async () => { hearAll(); await saved(); return [...said]; }")
        page.close()
    wrong = english_in(said, names)
    assert not wrong, "\n".join(wrong)
    assert len(set(said)) > 200


def do(page: Any, *names: str) -> None:
    for name in names:
        page.evaluate("name => document.querySelector(`[data-do=${name}]`)?.click()", name)


def every_step(page: Any) -> None:
    """Give up on the question, and see each step with the first tab open."""
    page.evaluate(STEP)
    do(page, "dunno", "close")
    page.locator("[role=tab]").first.click()
    page.evaluate(STEP)


def every_corner(page: Any) -> None:
    """Go through a page as a curious person does: each step with each tab, each button."""
    root = page.locator(".anonlab-player")
    page.evaluate(STEP)
    do(page, "lock")
    root.locator("[type=number][data-part='0']").fill("77")
    root.get_by_label("6", exact=True).check()
    do(page, "lock")
    root.locator("[type=number][data-part='0']").fill("2")
    do(page, "lock")
    root.get_by_label("9", exact=True).check()
    root.locator("[type=text][data-part='4']").fill("18")
    root.locator("[data-do=down]").first.click()
    root.locator("[role=option]").nth(1).click()
    do(page, "lock", "lock", "close")
    for tab in root.locator("[role=tab]").all():
        tab.click()
        page.evaluate(STEP)
    root.locator("[role=tab]").first.click()
    page.evaluate(PLACES)
    do(page, "savestep", "svg", "png", "endsave", "big")
    page.evaluate(STEP)
    do(page, "big")
    for width in (400, 1366):
        page.set_viewport_size({"width": width, "height": 768})


def test_an_english_word_is_found_and_a_name_is_none() -> None:
    said = [f"{wide('frame')} 3 of child, 0x30000", "child write 0x30000 9"]
    assert english_in(said, {"child", "child write 0x30000 9"}) == [f"of: in {said[0]!r}"]
    assert wide("{n} [nf:page|pages]") == "{n} [nf:ｐａｇｅ|ｐａｇｅｓ]"
