"""The player without a browser: what it sends, its budgets, its page, its chart."""

from __future__ import annotations

import html.parser
import json
import re
from pathlib import Path

import pytest
import sample
from reading_back import player_facts, true_facts
from traitlets import TraitError

import anonlab.view
from anonlab.formats.trace import Trace
from anonlab.view import html as page_of
from anonlab.view import lines_svg, lines_text, save_html
from anonlab.view.player.export import MODULE, MOST_PAGE_BYTES, player_js
from anonlab.view.player.payload import KEYFRAME, MOST_BYTES, payload, size
from anonlab.view.player.player import Player

VIEW = Path(anonlab.view.__file__).parent / "player"


class Page(html.parser.HTMLParser):
    """Tags with attributes, and the text inside a script or a noscript."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        for tag in self.open:
            self.texts[tag] = self.texts.get(tag, "") + data


def test_a_player_and_its_page_keep_their_budgets(trace: Trace) -> None:
    made = payload(trace)
    assert size(made) <= MOST_BYTES
    assert len(page_of(trace).encode()) <= MOST_PAGE_BYTES


def test_the_module_is_small_and_imports_nothing() -> None:
    """Every notebook that saves its widgets stores the module once per player."""
    text = player_js()
    assert len(text.encode()) < 44_000
    assert not re.findall(
        r"\bimport\b|\bfetch\b|XMLHttpRequest|https?://(?!www\.w3\.org/2000/svg)", text
    )


def test_no_text_of_the_module_goes_over_a_line() -> None:
    """So indentation and lines of comment can be left out of what is stored."""
    for name in MODULE:
        for line in name.read_text(encoding="utf-8").splitlines():
            assert line.count("`") % 2 == 0, f"{name}: {line}"
    assert not re.search(r"(?m)^\s|^//", player_js())


def test_a_long_trace_has_a_full_state_every_32_steps() -> None:
    steps = sample.lesson().steps
    long = Trace("long", steps * 5)
    made = payload(long)
    assert [at for at, step in enumerate(made["steps"]) if "full" in step] == [0, 32, 64]
    assert KEYFRAME == 32
    for step, told in zip(long.steps, player_facts(made), strict=True):
        assert set(told) == true_facts(step.snapshot)


def test_address_spaces_of_one_time_have_places_of_their_own(trace: Trace) -> None:
    made = payload(trace, most_bytes=10**8)
    places = {panel["id"]: panel["place"] for panel in made["panels"] if panel["place"] >= 0}
    most = 0
    for step in trace.steps:
        taken = [places[f"mm{fact.mm}"] for fact in step.snapshot.mms]
        assert len(set(taken)) == len(taken)
        most = max(most, len(taken))
    assert sorted(set(places.values())) == list(range(most)), "no more than are ever needed"


def test_a_trace_that_is_too_large_shows_operations_only_and_says_so() -> None:
    trace = sample.lesson()
    whole = size(payload(trace))
    made = payload(trace, most_bytes=whole - 100)
    operations = [at for at, step in enumerate(trace.steps) if step.level == "op"]
    assert made["kept"] == operations
    assert made["note"] == (
        f"Only the last step of each operation is shown: {len(operations)} of 15 steps."
    )


def test_a_trace_that_is_too_large_even_so_is_refused_with_a_way_out() -> None:
    with pytest.raises(ValueError, match=r"a player holds 1,000: play fewer steps"):
        payload(sample.lesson(), most_bytes=1000)


def test_a_trace_without_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="has no steps"):
        payload(Trace("empty", ()))


@pytest.mark.parametrize("wrong", [0, 15, -1])
def test_predict_must_name_steps(wrong: int) -> None:
    with pytest.raises(ValueError, match=f"steps from 1 to 14 of this trace, got {wrong}"):
        Player(sample.lesson(), predict=[wrong])


def test_predict_follows_the_steps_that_are_kept() -> None:
    trace = sample.lesson()
    made = payload(trace, predict=[10], most_bytes=size(payload(trace)) - 100)
    assert [made["kept"][at] for at in made["predict"]] == [10]


def test_step_can_be_set_and_watched_but_not_past_the_ends() -> None:
    player = Player(sample.lesson())
    seen: list[int] = []
    player.observe(lambda change: seen.append(change["new"]), "step")
    player.step = 7
    assert seen == [7]
    for wrong in (-1, 15):
        with pytest.raises(TraitError, match=f"steps 0 to 14, got {wrong}"):
            player.step = wrong
    assert player.step == 7


def test_what_is_sent_is_plain_json() -> None:
    player = Player(sample.lesson(), title="T")
    assert json.loads(json.dumps(player.frames))["title"] == "T"
    assert player.kept == tuple(range(15))
    assert set(player.trait_names(sync=True)) >= {"frames", "step", "prediction"}


def test_the_page_has_no_way_to_the_network(trace: Trace) -> None:
    page = Page(page_of(trace))
    assert not [a for _, a in page.tags if {"src", "href", "srcset", "action"} & a.keys()]
    style = page.texts["style"]
    assert "@import" not in style
    assert "url(" not in style
    assert not {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "embed"}


def test_hostile_names_do_not_end_or_enter_the_page() -> None:
    text = page_of(sample.TRACES["hostile names"]())
    page = Page(text)
    tags = {tag for tag, _ in page.tags}
    assert tags <= {"html", "head", "meta", "title", "style", "body", "main", "div", "noscript",
                    "h1", "h2", "p", "pre", "script"}  # fmt: skip
    assert text.count("</script>") == 2
    assert "<" not in re.search(r'id="anonlab-state">(.*?)</script>', text, re.S)[1]  # type: ignore[index]


def test_the_page_holds_every_step_as_text_without_script() -> None:
    trace = sample.lesson()
    told = Page(page_of(trace)).texts["noscript"]
    for at, step in enumerate(trace.steps):
        assert f"step {at} of 14: {step.title}" in told
        assert step.sentence in told
    assert "Page 0x31000: swapped out, slot 5." in told


def test_a_page_is_written_where_one_asks(tmp_path: Path) -> None:
    target = save_html(sample.lesson(), tmp_path / "a.html", title="Mine & yours")
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert Page(target.read_text(encoding="utf-8")).texts["title"] == "Mine & yours"
    player = Player(sample.lesson(), title="Mine & yours")
    assert player.html() == target.read_text(encoding="utf-8")


def test_reduced_motion_switches_every_transition_off() -> None:
    sheet = (VIEW / "player.css").read_text(encoding="utf-8")
    reduced = "@media (prefers-reduced-motion:reduce){.anonlab-player *{transition:none!important"
    assert reduced in sheet
    moving = [line for line in sheet.splitlines() if "transition:" in line or "animation:" in line]
    assert all(line.startswith("@media (prefers-reduced-motion") for line in moving)


# ---- the chart ------------------------------------------------------------------------------

SERIES = {"groups": [1, 1, 2, 1], "shared <pages>": [0, 40, 3, 0]}


def test_a_chart_names_each_line_and_tells_its_counts() -> None:
    text = lines_text(SERIES, "Sharing", "operation", {1: "fork"})
    assert text.splitlines() == [
        "Sharing: operation 0 to 3.",
        "groups, by operation: 0: 1, 2: 2, 3: 1.",
        "shared <pages>, by operation: 0: 0, 1: 40, 2: 3, 3: 0.",
        "At operation 1: fork.",
    ]


def test_a_chart_differs_by_dash_and_sign_and_holds_its_text() -> None:
    import xml.etree.ElementTree as ElementTree

    svg = lines_svg(SERIES, "Sharing", "operation", {1: "fork"})
    root = ElementTree.fromstring(svg)
    assert root.findtext("{*}desc") == lines_text(SERIES, "Sharing", "operation", {1: "fork"})
    lines = root.findall(".//{*}path[@class='line']")
    dashes = [re.search("dasharray:([^;]+)", e.get("style") or "")[1] for e in lines]  # type: ignore[index]
    assert len(set(dashes)) == len(SERIES)
    names = [e.text for e in root.findall(".//{*}text[@class='n']")]
    assert names == ["groups 1", "shared <pages> 0"]


def test_the_line_goes_through_every_count() -> None:
    import xml.etree.ElementTree as ElementTree

    root = ElementTree.fromstring(lines_svg({"n": [0, 4, 2]}, "T"))
    path = root.find(".//{*}path[@class='line']").get("d")  # type: ignore[union-attr]
    ys = [float(y) for y in re.findall(r"(?:V|M[\d.]+ )([\d.]+)", path or "")]
    bottom, top, middle = ys
    assert middle == pytest.approx((bottom + top) / 2)
    assert bottom > top


@pytest.mark.parametrize("series", [{}, {"a": []}, {"a": [1], "b": [1, 2]},
                                    {str(n): [1] for n in range(7)}])  # fmt: skip
def test_a_chart_without_sense_is_refused(series: dict[str, list[int]]) -> None:
    with pytest.raises(ValueError, match="a chart needs 1 to 6 series of one length"):
        lines_svg(series, "T")


def test_a_chart_of_one_step_and_of_nothing_but_zeros() -> None:
    assert "<svg" in lines_svg({"a": [0]}, "T")
    assert "<svg" in lines_svg({"a": [0, 0], "b": [100_000_000, 3]}, "T")
