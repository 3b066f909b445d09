"""The page: alone in the world, small, opened by its address, legible without a script."""

from __future__ import annotations

import base64
import html.parser
import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
import sample
from visiting import ROOT

from anonlab import record
from anonlab.formats.trace import Trace
from anonlab.histories.generate import generate
from anonlab.view import html as page_of
from anonlab.view import save_html, text_twin
from anonlab.view.player.export import (
    MODULE,
    MOST_LISTED,
    MOST_PLAIN_BYTES,
    PAGE,
    made_payload,
    packed,
    player_js,
)
from anonlab.view.story.columns import in_rows

pytestmark = pytest.mark.xdist_group("javascript")


class Page(html.parser.HTMLParser):
    """Tags with attributes, and the text inside each kind of element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag] = self.texts.get(tag, "") + data


def test_the_module_imports_nothing_and_is_told_in_one_scope() -> None:
    text = player_js()
    assert not re.findall(
        r"\bimport\b|\bfetch\b|XMLHttpRequest|https?://(?!www\.w3\.org/2000/svg)", text
    )
    sources = "".join(file.read_text(encoding="utf-8") for file in (*MODULE, PAGE))
    names = re.findall(r"(?m)^(?:async )?(?:const|let|function\*?|class) (\w+)", sources)
    assert sorted(names) == sorted(set(names))


def test_no_text_of_the_module_goes_over_a_line() -> None:
    """So indentation and lines of comment can be left out of what is stored."""
    for file in MODULE:
        for line in file.read_text(encoding="utf-8").splitlines():
            code = line.partition("// ")[0]
            assert code.count("`") % 2 == 0, f"{file.name}: {line}"
    assert not re.search(r"(?m)^\s|^//", player_js())


def test_a_large_payload_is_compressed_and_a_small_one_plain() -> None:
    small = made_payload(sample.lesson())
    assert packed(small) is small
    large = made_payload(record(generate(3, 1500)))
    sent = packed(large)
    assert isinstance(sent, str)
    plain = zlib.decompress(base64.b64decode(sent.removeprefix("deflate:")))
    assert len(plain) > MOST_PLAIN_BYTES > len(json.dumps(small))
    assert in_rows(json.loads(plain)) == json.loads(json.dumps(large))
    in_rows_too = base64.b64encode(zlib.compress(json.dumps(large).encode(), 9))
    assert len(sent) < len(in_rows_too) * 0.9


def test_a_machine_of_many_pages_is_text_in_the_player_only() -> None:
    writes = "".join(f"a write {0x10000 + 0x2000 * at:#x} {at * at}\n" for at in range(300))
    text = f"machine x86_64 frames 1024 swap 16\na = spawn\na mmap 0x10000 900\n{writes}"
    page = page_of(record(text), layouter=None)
    shown = max(re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL), key=len)
    left_out = re.search(r"<p>([\d,]+) more lines are in the player only", page)
    assert shown.count("\n") == MOST_LISTED
    assert left_out is not None
    assert int(left_out[1]) > 100


def test_graphs_are_laid_out_for_the_union_of_all_steps() -> None:
    made = made_payload(sample.lesson(), layouter=columns)
    graph = made["tracks"][0]["graph"]
    assert set(graph["nodes"]) == {n.id for s in sample.lesson().steps for n in s.snapshot.nodes}
    for x, y, width in graph["nodes"].values():
        assert 0 <= x <= graph["width"] - width + 1
        assert y >= 0
    many = record("a = spawn\n" + "".join(f"c{at} = fork a\n" for at in range(70)))
    assert made_payload(many, layouter=columns)["tracks"][0]["graph"] is None


def columns(source: str) -> Any:
    """A layouter for machines without dot: all nodes below each other."""
    from anonlab.view.stage.graph import Layout

    names = re.findall(r'(?m)^"([^"]+)" \[id', source)
    return Layout({name: (70.0, 50.0 * at + 20) for at, name in enumerate(names)}, {}, 140, 900)


def test_the_page_has_no_way_to_the_network(trace: Trace) -> None:
    page = Page(page_of(trace, layouter=None))
    assert not [a for _, a in page.tags if {"src", "href", "srcset", "action"} & a.keys()]
    assert "@import" not in page.texts["style"]
    assert "url(" not in page.texts["style"]
    assert not {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "embed"}


def test_hostile_names_do_not_end_or_enter_the_page() -> None:
    text = page_of(sample.TRACES["hostile names"](), layouter=None)
    tags = {tag for tag, _ in Page(text).tags}
    assert tags <= {"html", "head", "meta", "title", "style", "body", "main", "div", "section",
                    "h1", "h2", "p", "ol", "li", "code", "b", "figure", "details", "summary", "pre",
                    "script", "svg", "g", "rect", "path", "text", "tspan", "circle"}  # fmt: skip
    assert text.count("</script>") == 2
    assert "<" not in re.search(r'id="anonlab-state">(.*?)</script>', text, re.S)[1]  # type: ignore[index]


def test_the_page_tells_the_whole_story_without_a_script() -> None:
    trace = sample.lesson()
    told = Page(page_of(trace)).texts
    for step in trace.steps:
        assert f"{step.title}: {step.sentence}" in told["li"]
    assert text_twin(trace.steps[-1].snapshot) in told["pre"]


def test_a_page_is_written_where_one_asks(tmp_path: Path) -> None:
    target = save_html(sample.lesson(), tmp_path / "a.html", title="Mine & yours")
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert Page(target.read_text(encoding="utf-8")).texts["title"].startswith("Mine & yours")


# ---- in the browser -----------------------------------------------------------------------------


def test_a_page_opens_at_what_its_address_says(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=7&theme=dark&tab=cost&tabs=rmap,cost&chosen=f1")
    at.page.wait_for_selector(f"{ROOT}[data-step='7']")
    assert at.page.get_attribute(ROOT, "data-theme") == "dark"
    tabs = at.page.locator("[data-tab]")
    assert [tab.get_attribute("data-tab") for tab in tabs.all()] == ["rmap", "cost"]
    assert at.page.get_attribute("[data-tab=cost]", "aria-selected") == "true"
    assert at.page.get_attribute(f"{ROOT} [data-key=f1]", "aria-selected") == "true"


@pytest.mark.parametrize(("fragment", "step"), [
    ("", 0), ("#step=abc", 0), ("#step=-3", 0), ("#step=", 0), ("#step=99999", 14),
    ("#step=007", 7), ("#tabs=none&step=3", 3),
])  # fmt: skip
def test_a_step_that_is_none_opens_the_start(visit: Any, fragment: str, step: int) -> None:
    at = visit(sample.lesson(), fragment)
    at.page.wait_for_selector(f"{ROOT}[data-step='{step}']")
    assert at.page.locator("[data-part=picture]").count() == 1


def test_the_step_goes_into_the_address_and_the_address_leads_back(visit: Any) -> None:
    at = visit(sample.lesson(), "#theme=light")
    at.page.click("[data-do=next]")
    at.page.wait_for_function("location.hash === '#step=1&theme=light'")
    at.page.evaluate("location.hash = '#step=5'")
    at.page.wait_for_selector(f"{ROOT}[data-step='5']")


def test_a_question_and_lecture_mode_open_by_the_address(visit: Any) -> None:
    at = visit(sample.lesson(), "#ask=10", predict=(10,))
    at.page.wait_for_selector("[data-question]")
    assert at.step() == 9
    big = visit(sample.lesson(), "#step=10&big")
    big.wrong_is_only("requestFullscreen")
    big.page.wait_for_selector(f"{ROOT}[data-big]")


@pytest.mark.parametrize("way", ["no script", "strict policy"])
def test_picture_and_story_stand_where_no_script_runs(
    browser: Any, tmp_path: Path, way: str
) -> None:
    path = save_html(sample.lesson(), tmp_path / "page.html")
    if way == "strict policy":
        policy = '<meta http-equiv="Content-Security-Policy" content="default-src \'self\'">'
        path.write_text(path.read_text("utf-8").replace("<head>", f"<head>{policy}"), "utf-8")
    context = browser.new_context(java_script_enabled=way != "no script")
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator(ROOT).count() == 0
    assert page.locator("svg [data-key=f3]").first.is_visible()
    fill = page.locator("svg [data-key=f3] rect").last.evaluate("e => getComputedStyle(e).fill")
    assert fill not in ("rgb(0, 0, 0)", "none")
    assert "copy on write" in page.inner_text("ol")
    context.close()


def test_paper_gets_the_step_and_the_story_and_is_light(visit: Any) -> None:
    at = visit(sample.lesson(), "#step=10", color_scheme="dark")
    at.page.wait_for_selector(f"{ROOT}[data-step='10']")
    static = at.page.locator("[data-part=static]")
    assert not static.is_visible()
    at.page.emulate_media(media="print")
    assert static.is_visible()
    ink = "e => getComputedStyle(e).getPropertyValue('--al-panel')"
    assert at.page.locator(ROOT).evaluate(ink) == "#ffffff"
